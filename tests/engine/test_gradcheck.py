"""The checker itself: it accepts right rules, refuses wrong ones, and says where they are wrong."""

import numpy as np
import pytest

import minigrad as mg
from leaves import leaf, normal
from minigrad import gradcheck as function_of_the_front_door
from minigrad.gradcheck import GradcheckError, NonDifferentiableError, gradcheck, gradgradcheck
from minigrad.primitive import primitive


def card(forward, **rules):
    """An operation with the given rules."""
    return primitive(type("suspect", (), {"forward": forward, **rules}))


WRONG = {
    "a sign": card(lambda xp, x: xp.cos(x), d_x=lambda g, x: g * mg.sin(x)),
    "a factor": card(lambda xp, x: x * x, d_x=lambda g, x: g * x),
    "a small error": card(lambda xp, x: xp.exp(x), d_x=lambda g, y: g * y * 1.001),
    "rows and columns": card(lambda xp, x: x * 1.0, d_x=lambda g: g[::-1]),
    "the shape of a sum": card(lambda xp, x: xp.sum(x), d_x=lambda g, x: g * x),
    "no gradient": card(lambda xp, x: x * 3.0, d_x=lambda g: None),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_rule_is_found(name):
    x = leaf(0.3, -0.7, 1.1)
    with pytest.raises(GradcheckError, match=r"the rule gives .*, finite differences"):
        gradcheck(WRONG[name], x)
    assert not gradcheck(WRONG[name], x, raise_exception=False)


def test_the_worst_entry_of_the_jacobian_is_named():
    suspect = card(lambda xp, x: x * x, d_x=lambda g, x: g * x * mg.tensor([2.0, 2.5, 2.0]).numpy())
    with pytest.raises(GradcheckError) as caught:
        gradcheck(suspect, leaf(1.0, 2.0, 3.0))
    message = str(caught.value)
    assert "worst at ∂output0[1]/∂input0[1]: the rule gives 5, the difference 4" in message
    assert "input shapes [(3,)]" in message


def test_a_wrong_second_derivative_is_found():
    suspect = card(
        lambda xp, x: xp.exp(x), d_x=lambda g, y: g * (y.detach() if isinstance(y, mg.Tensor) else y)
    )
    x = leaf(0.3, -0.7)
    assert gradcheck(suspect, x)
    with pytest.raises(GradcheckError):
        gradgradcheck(suspect, x)


RIGHT = {
    "one input": (mg.tanh, [leaf(0.3, -0.7)]),
    "several inputs": (lambda a, b: a @ b, [normal(2, 3), normal(3, 2)]),
    "a constant among them": (lambda a, b: a * b, [normal(2), normal(2, requires_grad=False)]),
    "an argument that is no tensor": (lambda a, n: a**n, [leaf(0.5, 1.5), 3]),
    "several outputs": (lambda a: (mg.sin(a), a * a), [leaf(0.3, -0.7)]),
    "an output of integers": (lambda a: (a * 2.0, a.argmax()), [leaf(0.3, -0.7)]),
    "an output without a gradient": (lambda a: (a * 2.0, mg.ones(2)), [leaf(0.3, -0.7)]),
    "a number": (mg.exp, [leaf(0.3)]),
    "nothing": (mg.exp, [mg.zeros(0, 3, dtype=mg.float64, requires_grad=True)]),
    "an unused input": (lambda a, b: a * 2.0, [leaf(0.3), leaf(0.4)]),
    "large values": (lambda a: a * a, [leaf(1e4, -3e4)]),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_rules_are_accepted_to_the_second_order(name):
    function, arguments = RIGHT[name]
    assert gradcheck(function, arguments)
    assert gradgradcheck(function, arguments)


def test_the_inputs_are_left_as_they_were():
    x = leaf(0.3, -0.7)
    gradcheck(mg.tanh, x)
    gradgradcheck(mg.tanh, x)
    assert (x.tolist(), x.grad, x.requires_grad) == ([0.3, -0.7], None, True)


@pytest.mark.parametrize("kink", [mg.relu, mg.abs, lambda x: mg.clamp(x, 0.0, 1.0), lambda x: mg.amax(x, 0)])
def test_a_kink_is_no_point_to_check_at(kink):
    x = leaf(0.0, 0.0)
    with pytest.raises(
        NonDifferentiableError, match=r"one-sided differences .* differ: the point lies at a kink"
    ):
        gradcheck(kink, x)
    assert issubclass(NonDifferentiableError, ValueError)


def test_a_step_in_single_precision_would_tell_nothing():
    with pytest.raises(ValueError, match=r"input 1 is float32, expected float64; use \.double\(\)"):
        gradcheck(lambda a, b: a * b, [leaf(1.0), leaf(1.0, dtype=mg.float32)])


def test_something_must_require_a_gradient():
    with pytest.raises(ValueError, match="no input requires grad"):
        gradcheck(mg.exp, mg.ones(2))


def test_other_directions_can_be_asked_for_by_seed():
    assert all(gradcheck(mg.sin, leaf(0.3, -0.7), seed=seed) for seed in range(5))


def test_the_front_door_has_the_function_and_not_the_module():
    for _ in range(2):
        assert mg.gradcheck is function_of_the_front_door is gradcheck
    assert mg.gradgradcheck is gradgradcheck
    assert np.isfinite(mg.gradcheck(mg.exp, leaf(0.1)))
