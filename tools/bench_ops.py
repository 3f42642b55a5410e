"""What `bench overhead` times: one small operation over and over, by a library and by hand in NumPy.

The overhead of a library is its time minus NumPy's own for the same array work: the forward, and what the
derivative rules compute.  The operations stand in a chain, y = f(f(... f(x))), built so that no number in it
is one that NumPy computes slowly (an infinity, a subnormal number) and that would hide the overhead.

Letters: x the input, y the output, g the gradient of y, w and b what an operation has besides x.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import numpy as np

Array = Any
SHAPE = (32, 32)
ZEROS, ONES, IDENTITY = np.zeros(SHAPE, "float32"), np.ones(SHAPE, "float32"), np.eye(*SHAPE, dtype="float32")


@dataclass(frozen=True)
class Operation:
    """An operation as PyTorch and minigrad write it, and its array work written out.

    step(x, w, b, F)        the operation on tensors; F is nn.functional
    forward(x, w, b)        y, on arrays
    backward(g, x, y, w)    on arrays, the gradients of x, w and b, as far as the operation has them
    """

    step: Callable[..., Any]
    forward: Callable[..., Array]
    backward: Callable[..., tuple[Array, ...]]


@dataclass(frozen=True)
class Chain:
    """One row of the table: the operations that take turns, the values of w and b, and how many in all."""

    operations: tuple[Operation, ...]
    w: Array = None
    b: Array = None
    length: int = 100


def _softmax(x: Array) -> Array:
    y = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.divide(y, y.sum(axis=-1, keepdims=True), out=y)


def _linear(x: Array, w: Array, b: Array) -> Array:
    y = np.matmul(x, w.T)
    y += b
    return y


def _column_sums(g: Array) -> Array:
    return np.matmul(np.ones((1, len(g)), g.dtype), g)[0]


OPERATIONS = {
    "add": Operation(
        lambda x, w, _b, _F: x + w,
        lambda x, w, _b: np.add(x, w),
        lambda g, _x, _y, _w: (g, g),
    ),
    "mul": Operation(
        lambda x, w, _b, _F: x * w,
        lambda x, w, _b: np.multiply(x, w),
        lambda g, x, _y, w: (g * w, g * x),
    ),
    "div": Operation(
        lambda x, w, _b, _F: x / w,
        lambda x, w, _b: np.true_divide(x, w),
        lambda g, _x, y, w: (g / w, -g * y / w),
    ),
    "tanh": Operation(
        lambda x, _w, _b, _F: x.tanh(),
        lambda x, _w, _b: np.tanh(x),
        lambda g, _x, y, _w: (g * (1 - y * y),),
    ),
    "relu": Operation(
        lambda x, _w, _b, _F: x.relu(),
        lambda x, _w, _b: np.maximum(x, 0),
        lambda g, _x, y, _w: (g * (y > 0),),
    ),
    "exp": Operation(
        lambda x, _w, _b, _F: x.exp(),
        lambda x, _w, _b: np.exp(x),
        lambda g, _x, y, _w: (g * y,),
    ),
    "log": Operation(
        lambda x, _w, _b, _F: x.log(),
        lambda x, _w, _b: np.log(x),
        lambda g, x, _y, _w: (g / x,),
    ),
    "matmul": Operation(
        lambda x, w, _b, _F: x @ w,
        lambda x, w, _b: np.matmul(x, w),
        lambda g, x, _y, w: (g @ w.swapaxes(-1, -2), x.swapaxes(-1, -2) @ g),
    ),
    "sum": Operation(
        lambda x, _w, _b, _F: x.sum(1, keepdim=True),
        lambda x, _w, _b: x.sum(axis=1, keepdims=True),
        lambda g, _x, _y, _w: (np.broadcast_to(g, SHAPE),),
    ),
    "expand": Operation(
        lambda x, _w, _b, _F: x.expand(*SHAPE),
        lambda x, _w, _b: np.broadcast_to(x, SHAPE),
        lambda g, _x, _y, _w: (g.sum(axis=1, keepdims=True),),
    ),
    "reshape": Operation(
        lambda x, _w, _b, _F: x.reshape(*SHAPE),
        lambda x, _w, _b: x.reshape(SHAPE),
        lambda g, _x, _y, _w: (g.reshape(SHAPE),),
    ),
    "transpose": Operation(
        lambda x, _w, _b, _F: x.transpose(0, 1),
        lambda x, _w, _b: x.transpose(1, 0),
        lambda g, _x, _y, _w: (g.transpose(1, 0),),
    ),
    "softmax": Operation(
        lambda x, _w, _b, _F: x.softmax(-1),
        lambda x, _w, _b: _softmax(x),
        lambda g, _x, y, _w: (y * (g - (g * y).sum(axis=-1, keepdims=True)),),
    ),
    "linear": Operation(
        lambda x, w, b, F: F.linear(x, w, b),
        _linear,
        lambda g, x, _y, w: (g @ w, g.T @ x, _column_sums(g)),
    ),
}


def chain(*names: str, **options: Any) -> Chain:
    """The chain of operations with these names."""
    return Chain(tuple(OPERATIONS[name] for name in names), **options)


CHAINS = {
    "add": chain("add", w=ZEROS),
    "mul": chain("mul", w=ONES),
    "div": chain("div", w=ONES),
    "tanh": chain("tanh"),
    "relu": chain("relu"),
    "exp, log": chain("exp", "log"),
    "matmul": chain("matmul", w=IDENTITY),
    "sum, expand": chain("sum", "expand", length=40),  # each pair makes x and g 32 times as large
    "reshape": chain("reshape"),
    "transpose": chain("transpose"),
    "softmax": chain("softmax", length=16),  # each makes g 32 times smaller
    "linear": chain("linear", w=IDENTITY, b=ZEROS[0]),
}


def near_one(seed: int) -> Array:
    """Values near 1: the first x, and the last g."""
    return (1 + 0.01 * np.random.default_rng(seed).standard_normal(SHAPE)).astype("float32")


def numpy_forward(chain: Chain) -> list[tuple[Operation, Array, Array]]:
    """A chain in NumPy: each operation with its x and y, kept as a tape would keep them."""
    x, w, b, kept = near_one(0), chain.w, chain.b, []
    for operation in islice(cycle(chain.operations), chain.length):
        y = operation.forward(x, w, b)
        kept.append((operation, x, y))
        x = y
    return kept


def numpy_backward(chain: Chain, kept: list[tuple[Operation, Array, Array]]) -> list[Array]:
    """The gradients of x, w and b: what the derivative rules compute, added up where a tape would."""
    g, w = near_one(1), chain.w
    sums: list[Array] = []
    for operation, x, y in reversed(kept):
        g, *others = operation.backward(g, x, y, w)
        if not sums:
            sums = [other.copy() for other in others]
        else:
            for total, other in zip(sums, others, strict=True):
                np.add(total, other, out=total)
    return [g, *sums]


def library_forward(library: Any, chain: Chain, leaves: list[Any]) -> Any:
    """A chain on tensors: the last output."""
    (x, w, b), F = leaves, library.nn.functional
    for operation in islice(cycle(chain.operations), chain.length):
        x = operation.step(x, w, b, F)
    return x


def tensors(library: Any, chain: Chain) -> list[Any]:
    """x, w and b as tensors that require gradients; None where the chain has none."""
    values = (near_one(0), chain.w, chain.b)
    return [None if value is None else library.tensor(value, requires_grad=True) for value in values]


def work(library: Any, name: str, column: str) -> Callable[[], Any]:
    """What is to be timed for one number of the table: a function without arguments.

    Columns: "numpy forward", "numpy backward", "no_grad", "forward", and "both": forward and backward.
    """
    chain = CHAINS[name]
    if column == "numpy forward":
        return lambda: numpy_forward(chain)
    if column == "numpy backward":
        kept = numpy_forward(chain)
        return lambda: numpy_backward(chain, kept)
    leaves = tensors(library, chain)
    if column == "forward":
        return lambda: library_forward(library, chain, leaves)
    g = library.tensor(near_one(1))

    def without_gradients() -> None:
        with library.no_grad():
            library_forward(library, chain, leaves)

    def both() -> None:
        library_forward(library, chain, leaves).backward(g)
        for leaf in leaves:
            if leaf is not None:
                leaf.grad = None

    return without_gradients if column == "no_grad" else both
