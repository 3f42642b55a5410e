"""`minigrad.testing`: what it offers to whoever writes an operation, and that it finds what is wrong."""

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.gradcheck import GradcheckError
from minigrad.primitive import primitive
from minigrad.testing import (
    DISTINCT,
    NONZERO,
    POSITIVE,
    REAL,
    Domain,
    broadcastable,
    check_gradients,
    check_values,
    programs,
    reduction,
    shapes,
    unary,
)
from minigrad.testing.strategies import GAP, arrays


def card(forward, **rules):
    """An operation with the given rules."""
    return primitive(type("suspect", (), {"forward": forward, **rules}))


def square(g):
    return g.ndim > 1 and g.shape[0] == g.shape[1]


softsign = card(lambda xp, x: x / (1 + xp.abs(x)), d_x=lambda g, x: g / (1 + abs(x)) ** 2)
WRONG = {
    "a sign": card(lambda xp, x: xp.cos(x), d_x=lambda g, x: g * mg.sin(x)),
    "a broadcast that is not summed": lambda x, y: mg.stack([x + y, x * y.detach()]),
    "rows and columns": card(lambda xp, x: x * 1.0, d_x=lambda g: g.swapaxes(0, 1) if square(g) else g),
}


def test_a_right_operation_passes_in_three_lines():
    check_gradients(softsign, NONZERO)
    check_values(softsign, lambda x: x / (1 + np.abs(x)))
    check_gradients(lambda x, y: mg.log(x) * y, POSITIVE, REAL)


def test_a_signature_draws_the_static_arguments():
    seen = set()

    def spread(x, dim, keepdim):
        seen.add((dim, keepdim))
        return (x - x.mean(dim, keepdim=True)).square().sum(dim, keepdim)

    check_gradients(spread, signature=reduction())
    assert len(seen) > 3
    assert {keepdim for _, keepdim in seen} == {True, False}


@pytest.mark.parametrize("name", ["a sign", "rows and columns"])
def test_a_wrong_rule_is_found(name):
    with pytest.raises(GradcheckError, match=r"the rule gives .*, finite differences"):
        check_gradients(WRONG[name], examples=200)


def test_a_gradient_that_is_cut_is_found():
    with pytest.raises(GradcheckError):
        check_gradients(WRONG["a broadcast that is not summed"], REAL, REAL)


def test_a_wrong_value_is_found():
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check_values(mg.tanh, np.sinh)


def test_a_second_derivative_is_left_out_where_there_is_none():
    first_alone = card(lambda xp, x: xp.exp(x), d_x=lambda g, y: g * mg.as_tensor(y).detach().numpy())
    check_gradients(first_alone, second=False)


@given(shapes(), broadcastable(3))
def test_shapes_are_small_and_broadcast_together(shape, several):
    assert mg.zeros(shape).shape == shape
    assert len(several) == 3
    assert max(map(len, several)) == len(np.broadcast_shapes(*several))


@given(arrays((4, 3), domain=Domain(away=(0.0, 1.0))), arrays((3, 2), domain=DISTINCT))
def test_numbers_keep_away_from_kinks_and_ties(apart, distinct):
    assert np.abs(apart).min() >= GAP
    assert np.abs(apart - 1).min() >= GAP
    assert len(np.unique(distinct)) == distinct.size


def test_a_program_that_has_a_property_is_found_and_made_small():
    def has(program):
        return any(name == "gram" for name, _ in program.steps)

    found = find(programs(), has, settings=settings(database=None))  # not what an earlier run has found
    assert [name for name, _ in found.steps] == ["gram"]


def test_statics_that_are_named_reach_the_operation():
    seen = set()
    check_gradients(lambda x, n: seen.add(n) or x**n, signature=unary(n=st.integers(2, 4)))
    assert seen <= {2, 3, 4}
    assert seen
