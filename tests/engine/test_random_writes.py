"""Random programs of operations, views and writes in place: what is not refused has the right gradient.

A write may be refused: on a leaf that requires grad, or through a view that nobody recorded; nothing has
changed then, and the program goes on without it.  With detachments and stretches of no_grad, PyTorch is the
judge; without them, finite differences are.
"""

import contextlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg

OPERATIONS = {
    "tanh": lambda F, a, b: F.tanh(a),
    "product": lambda F, a, b: a * b,
    "average": lambda F, a, b: (a + b) / 2,
    "copy": lambda F, a, b: a.clone(),
}
VIEWS = {
    "row": lambda F, a, b: a[0] if a.ndim else a.reshape(1),
    "rest": lambda F, a, b: a[1:] if a.ndim else a.reshape(1),
    "flat": lambda F, a, b: a.reshape(-1),
    "turned": lambda F, a, b: a.T if a.ndim == 2 else a.reshape(-1),
}
WRITES = {
    "sub_": lambda F, a, b: a.sub_(b),
    "mul_": lambda F, a, b: a.mul_(b),
    "scale_": lambda F, a, b: a.mul_(0.5),
    "tanh_": lambda F, a, b: a.tanh_(),
    "zero_": lambda F, a, b: a.zero_(),
    "copy_": lambda F, a, b: a.copy_(b),
    "first = 2": lambda F, a, b: a.__setitem__(0, 2.0) if a.ndim else a.fill_(2.0),
}
DETACHED = {"detached": lambda F, a, b: a.detach()}
ACTIONS = {**OPERATIONS, **VIEWS, **WRITES, **DETACHED}

LEAVES = (True, True, False)  # which of them require a gradient
STEP = 1e-6

numbers = st.integers(0, 99)
seeds = st.integers(0, 9)
writes = st.lists(
    st.tuples(st.sampled_from(sorted(ACTIONS.keys() - DETACHED)), numbers, numbers), max_size=20
)
mixtures = st.lists(
    st.tuples(st.sampled_from(sorted(ACTIONS)), numbers, numbers, st.sampled_from([True, True, False])),
    max_size=20,
)


@dataclass
class World:
    """One library, and the tensors made with it so far."""

    library: Any
    tensors: list = field(default_factory=list)

    def do(self, name, a, b, recording=True):
        """Do one action; anything that is not a write makes a new tensor."""
        with contextlib.nullcontext() if recording else self.library.no_grad():
            made = ACTIONS[name](self.library, self.tensors[a], self.tensors[b])
        if name not in WRITES:
            self.tensors.append(made)

    def loss(self):
        """A weighted sum of all that has become of the leaves."""
        return sum(
            (tensor * (1.0 + i)).sum() for i, tensor in enumerate(self.tensors) if tensor.requires_grad
        )

    def operands(self, first, second):
        """The numbers of a tensor, and of one of the same shape."""
        a = first % len(self.tensors)
        alike = [i for i, tensor in enumerate(self.tensors) if tensor.shape == self.tensors[a].shape]
        return a, alike[second % len(alike)]


def refused(action, *arguments):
    """Was the action refused?"""
    try:
        action(*arguments)
    except RuntimeError:
        return True
    return False


def start(seed):
    return np.random.default_rng(seed).uniform(-1, 1, (len(LEAVES), 2, 3))


def run(program, values):
    """The world after a program, and what was done."""
    world, done = World(mg), []
    for leaf, requires_grad in zip(values, LEAVES, strict=True):
        world.tensors.append(mg.tensor(leaf, requires_grad=requires_grad))
    for name, first, second in program:
        action = (name, *world.operands(first, second))
        if not refused(world.do, *action):
            done.append(action)
    return world, done


@given(writes, seeds)
def test_a_write_that_is_not_refused_has_the_right_gradient(program, seed):
    values = start(seed)
    world, done = run(program, values)
    leaves = world.tensors[:2]
    if refused(lambda: world.loss().backward()):
        return  # a saved value was overwritten
    direction = np.random.default_rng(seed + 100).standard_normal(values.shape)
    direction[2] = 0.0  # the constant leaf
    ahead, behind = (run_again(done, values + step * direction) for step in (STEP, -STEP))
    expected = (ahead - behind) / (2 * STEP)
    found = sum(float((leaf.grad.numpy() * v).sum()) for leaf, v in zip(leaves, direction[:2], strict=True))
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-5)


def run_again(done, values):
    """The loss of the same actions from other leaves, where nothing may be refused now."""
    world = World(
        mg, [mg.tensor(leaf, requires_grad=wanted) for leaf, wanted in zip(values, LEAVES, strict=True)]
    )
    for action in done:
        world.do(*action)
    return world.loss().item()


@pytest.mark.oracle
@given(mixtures, seeds)
def test_what_neither_library_refuses_agrees_with_pytorch(program, seed):
    import torch

    ours, theirs = World(mg), World(torch)
    for values, requires_grad in zip(start(seed), LEAVES, strict=True):
        ours.tensors.append(mg.tensor(values, requires_grad=requires_grad))
        theirs.tensors.append(torch.tensor(values, requires_grad=requires_grad))
    for name, first, second, recording in program:
        recording |= name in VIEWS  # PyTorch takes a view made under no_grad for a leaf  # noqa: PLW2901
        action = (name, *ours.operands(first, second), recording)
        assert refused(ours.do, *action) == refused(theirs.do, *action)
    for found, expected in zip(ours.tensors, theirs.tensors, strict=True):
        np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-12)
        assert found.requires_grad == expected.requires_grad
    refused_here = refused(lambda: ours.loss().backward())
    refused_there = refused(lambda: theirs.loss().backward())
    assert refused_there or not refused_here  # PyTorch refuses y.mul_(y), of which we keep a copy
    for found, expected in zip(ours.tensors[:2], theirs.tensors[:2], strict=True):
        if not refused_there:
            np.testing.assert_allclose(found.grad.numpy(), expected.grad.numpy(), rtol=1e-9, atol=1e-12)
