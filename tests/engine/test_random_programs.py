"""Random programs, differentiated in ways that must agree: the tape, differences, PyTorch, forward mode."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.testing.forward_mode import DUALS, Dual
from minigrad.testing.programs import Program, programs

STEP = 1e-6  # of finite differences


def directions(leaves, seed):
    generator = np.random.default_rng(seed)
    return [generator.standard_normal(leaf.shape) for leaf in leaves]


def along(gradients, direction):
    """⟨gradient, direction⟩ over all leaves."""
    return sum(float((g * v).sum()) for g, v in zip(gradients, direction, strict=True))


def gradients_by_tape(program, leaves=None, create_graph=False):
    inputs = leaves or [mg.tensor(values, requires_grad=True) for values in program.leaves]
    output = program.run(mg, inputs)
    return mg.autograd.grad(output, inputs, create_graph=create_graph, materialize_grads=True)


def moved(leaves, direction, distance):
    return [values + distance * v for values, v in zip(leaves, direction, strict=True)]


seeds = st.integers(0, 2**32 - 1)


@given(programs(), seeds)
def test_the_tape_agrees_with_forward_mode(program, seed):
    direction = directions(program.leaves, seed)
    pairs = zip(program.leaves, direction, strict=True)
    dual = program.run(DUALS, [Dual(values, v) for values, v in pairs])
    found = along([g.numpy() for g in gradients_by_tape(program)], direction)
    assert found == pytest.approx(float(dual.slope), rel=1e-9, abs=1e-9)


@given(programs(), seeds)
def test_the_tape_agrees_with_finite_differences(program, seed):
    direction = directions(program.leaves, seed)
    ahead, behind = (
        float(program.run(DUALS, [Dual(values) for values in moved(program.leaves, direction, step)]).value)
        for step in (STEP, -STEP)
    )
    found = along([g.numpy() for g in gradients_by_tape(program)], direction)
    assert found == pytest.approx((ahead - behind) / (2 * STEP), rel=1e-5, abs=1e-6)


@given(programs(most=15), seeds)
def test_second_derivatives_agree_with_differences_of_the_first(program, seed):
    one, other = directions(program.leaves, seed), directions(program.leaves, seed + 1)
    inputs = [mg.tensor(values, requires_grad=True) for values in program.leaves]
    first = gradients_by_tape(program, inputs, create_graph=True)
    slope = sum((g * mg.tensor(v)).sum() for g, v in zip(first, one, strict=True))
    second = [np.zeros(values.shape) for values in program.leaves]
    if slope.requires_grad:
        second = [g.numpy() for g in mg.autograd.grad(slope, inputs, materialize_grads=True)]
    ahead, behind = (
        along([g.numpy() for g in gradients_by_tape(Program(tuple(point), program.steps))], one)
        for point in (moved(program.leaves, other, step) for step in (STEP, -STEP))
    )
    assert along(second, other) == pytest.approx((ahead - behind) / (2 * STEP), rel=1e-4, abs=1e-4)


@pytest.mark.oracle
@given(programs())
def test_the_tape_agrees_with_pytorch(program):
    import torch

    inputs = [torch.tensor(values, requires_grad=True) for values in program.leaves]
    output = program.run(torch, inputs)
    expected = torch.autograd.grad(output, inputs, materialize_grads=True)
    for found, wanted in zip(gradients_by_tape(program), expected, strict=True):
        np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-9, atol=1e-9)
