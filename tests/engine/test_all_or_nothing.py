"""An error on the way leaves every `.grad` as it was, and the thread's modes too."""

import pytest

import minigrad as mg
from leaves import leaf, normal
from minigrad.modes import mode
from minigrad.primitive import primitive


class DerivativeError(Exception):
    """What the rule of the card below raises."""


@primitive
class explosive:  # noqa: N801 (a card bears the name of its op)
    """y = x, with a rule that fails"""

    def forward(xp, x):  # noqa: N805 (a card is a namespace)
        return xp.array(x)

    def d_x(g):  # noqa: N805
        raise DerivativeError


def test_an_exception_in_a_rule_leaves_every_gradient_as_it_was():
    x, y, z = leaf(1.0), leaf(2.0), leaf(3.0)
    (x * y * z).backward()
    before = [t.grad.item() for t in (x, y, z)]
    late = explosive(x) + 0.0
    with pytest.raises(DerivativeError):
        (late + y * 2.0 + z * 3.0).backward()  # y and z are reached before x fails
    assert [t.grad.item() for t in (x, y, z)] == before


def test_an_exception_in_a_rule_creates_no_gradient():
    x, y = leaf(1.0), leaf(2.0)
    with pytest.raises(DerivativeError):
        (explosive(x) + y * 2.0).backward()
    assert (x.grad, y.grad) == (None, None)


def test_an_exception_in_a_hook_leaves_every_gradient_as_it_was():
    x, y = leaf(1.0), leaf(2.0)
    x.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        (x * y).backward()
    assert (x.grad, y.grad) == (None, None)


@pytest.mark.parametrize("create_graph", [False, True])
def test_an_exception_restores_the_grad_mode(create_graph):
    for recording in (True, False):
        y = explosive(leaf(1.0))
        with mg.set_grad_enabled(recording):
            with pytest.raises(DerivativeError):
                y.backward(create_graph=create_graph)
            assert mg.is_grad_enabled() is recording
    assert mode.gradient_of is None


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (mg.ones(3), ValueError, r"\.grad has shape \(3,\), expected the tensor's shape \(2,\)"),
        (mg.ones(2, dtype=mg.int64), TypeError, r"\.grad has dtype int64"),
        (7.0, TypeError, r"\.grad is a float, expected a Tensor or None"),
    ],
)
def test_a_gradient_that_cannot_be_added_to_stops_all_of_them(wrong, error, message):
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y.grad = wrong
    with pytest.raises(error, match=message):
        (x * y).sum().backward()
    assert x.grad is None
    assert y.grad is wrong


def test_an_error_in_a_second_graph_leaves_the_first_walkable():
    x = normal(3)
    shared = x * 2.0
    with pytest.raises(DerivativeError):
        explosive(shared).sum().backward()
    (shared * 1.0).sum().backward()
    assert x.grad.tolist() == [2.0] * 3
