"""Memory: what the tape keeps for each operation, and that a training loop keeps nothing more."""

import collections
import gc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from leaves import leaf, normal
from minigrad.tape import Node
from minigrad.tensor import Tensor

ROOT = Path(__file__).resolve().parents[2]


def arrays_in(value):
    """The arrays in what a node saved."""
    if isinstance(value, np.ndarray):
        return [value]
    return [array for part in value for array in arrays_in(part)] if isinstance(value, tuple | list) else []


def new_bytes(y, *inputs):
    """How many bytes y's node keeps that are neither an input's nor the output's own."""
    known = [tensor.array for tensor in (y, *inputs)]
    saved = [
        array for array in arrays_in(y.grad_fn.saved) if not any(np.shares_memory(array, k) for k in known)
    ]
    return sum(array.nbytes for array in saved)


KEPT = {  # what of the inputs and the output each operation keeps; nothing else may be kept
    "add": (lambda x, w: x + w, ""),
    "sub": (lambda x, w: x - w, ""),
    "neg": (lambda x, w: -x, ""),
    "mul": (lambda x, w: x * w, "xw"),
    "mul by a constant": (lambda x, w: x * w.detach(), "w"),
    "mul by a number": (lambda x, w: x * 2.0, ""),
    "div": (lambda x, w: x / w, "wy"),
    "matmul": (lambda x, w: x @ w, "xw"),
    "exp": (lambda x, w: mg.exp(x), "y"),
    "tanh": (lambda x, w: mg.tanh(x), "y"),
    "relu": (lambda x, w: mg.relu(x), "y"),
    "log": (lambda x, w: mg.log(x), "x"),
    "sum": (lambda x, w: x.sum(), ""),
    "mean": (lambda x, w: x.mean(0), ""),
    "softmax": (lambda x, w: mg.softmax(x, 1), "y"),
    "log_softmax": (lambda x, w: mg.log_softmax(x, 1), "y"),
    "reshape": (lambda x, w: x.reshape(16), ""),
    "transpose": (lambda x, w: x.mT, ""),
    "cat": (lambda x, w: mg.cat([x, w]), ""),
    "stack": (lambda x, w: mg.stack([x, w]), ""),
    "index": (lambda x, w: x[1:], ""),
    "clone": (lambda x, w: x.clone(), ""),
    "broadcast": (lambda x, w: x.expand(3, 4, 4), ""),
}


@pytest.mark.parametrize("name", KEPT)
def test_an_operation_keeps_what_its_rules_ask_for_and_no_copy(name):
    operation, letters = KEPT[name]
    x, w = mg.exp(normal(4, 4)), mg.exp(normal(4, 4, seed=1))
    y = operation(x, w)
    saved = arrays_in(y.grad_fn.saved)
    found = {
        letter for letter, t in (("x", x), ("w", w), ("y", y)) if any(array is t.array for array in saved)
    }
    assert "".join(sorted(found)) == "".join(sorted(letters))
    assert new_bytes(y, x, w) == 0


def test_a_chain_of_additions_keeps_nothing_alive():
    x = leaf(1.0, 2.0)
    y = x
    for _ in range(10):
        y = y + 1.0
    assert arrays_in([node.saved for node in nodes_of(y)]) == []


def nodes_of(tensor):
    nodes, stack = [], [tensor.node]
    while stack:
        nodes.append(stack.pop())
        stack += [edge for edge in nodes[-1].edges if edge is not None]
    return nodes


# ------------------------------------------------------------------------------------------------ training


def network():
    """A small network: its parameters, and one training step."""
    W, b = normal(16, 8), normal(16)
    V = normal(1, 16, seed=1)
    x, target = normal(32, 8, requires_grad=False), normal(32, 1, requires_grad=False)

    def loss():
        hidden = mg.tanh(mg.ops.linear(x, W, b))
        return ((hidden @ V.mT - target) ** 2).mean()

    return [W, b, V], loss


def descend(parameters):
    with mg.no_grad():
        for parameter in parameters:
            parameter.sub_(parameter.grad * 0.01)
            parameter.grad = None


def plain_step(parameters, loss, number):
    loss().backward()
    descend(parameters)


def failing_step(parameters, loss, number):
    """A step of which every third fails in the middle."""
    try:
        value = loss()
        if number % 3 == 0:
            value @ mg.ones(7, 7)
        value.backward()
    except ValueError:
        return
    descend(parameters)


def second_order_step(parameters, loss, number):
    """A step on the norm of the gradient, which is released explicitly."""
    value = loss()
    gradients = mg.autograd.grad(value, parameters, create_graph=True)
    sum((g * g).sum() for g in gradients).backward()
    descend(parameters)


def create_graph_step(parameters, loss, number):
    loss().backward(create_graph=True)
    for parameter in parameters:
        parameter.grad = parameter.grad.detach()
    descend(parameters)


LAST_LOSSES = collections.deque(maxlen=5)


def logging_step(parameters, loss, number):
    """A step that holds on to the last losses, as a progress bar does, but not to their graphs."""
    value = loss()
    value.backward()
    LAST_LOSSES.append(value.detach())
    descend(parameters)


STEPS = [plain_step, failing_step, second_order_step, create_graph_step, logging_step]


def census():
    """How many Tensors and Nodes there are."""
    return sum(isinstance(thing, Tensor | Node) for thing in gc.get_objects())


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_live_tensors_and_nodes_are_as_many_after_300_steps_as_after_50(step):
    parameters, loss = network()
    gc.collect()
    gc.disable()
    try:
        counts = []
        for number in range(300):
            step(parameters, loss, number)
            if number in (50, 299):
                counts.append(census())
    finally:
        gc.enable()
    assert counts[0] == counts[1]


RESIDENT = """
import gc, sys
import minigrad as mg
gc.disable()

def peak():  # ru_maxrss would count what the process held that started this one
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))

W = mg.randn(256, 256, requires_grad=True)
x = mg.randn(64, 256)
for number in range(int(sys.argv[1])):
    hidden = mg.tanh(x @ W)
    loss = (mg.softmax(hidden, 1) * hidden).sum()
    loss.backward()
    with mg.no_grad():
        W.sub_(W.grad * 1e-3)
    W.grad = None
    if number == 50:
        before = peak()
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc/self/status is Linux's")
@pytest.mark.parametrize("steps", [300, pytest.param(3000, marks=pytest.mark.slow)])
def test_resident_memory_is_flat_over_the_steps_without_the_collector(steps):
    done = subprocess.run(
        [sys.executable, "-c", RESIDENT, str(steps)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) <= 2048
