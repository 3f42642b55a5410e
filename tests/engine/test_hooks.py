"""Hooks see, and may replace, the gradient that has gathered at a tensor."""

import gc

import numpy as np
import pytest

import minigrad as mg
from leaves import leaf, normal
from minigrad.errors import DTypeError, GraphError, ShapeError


@pytest.mark.parametrize("make", [lambda x: x, lambda x: x * 1.0], ids=["leaf", "result"])
def test_a_hook_sees_the_whole_gradient_once(make):
    seen = []
    x = leaf(3.0)
    y = make(x)
    y.register_hook(lambda g: seen.append(g.item()))
    (y * y + y).backward()
    assert (seen, x.grad.item()) == ([7.0], 7.0)


@pytest.mark.parametrize("make", [lambda x: x, lambda x: x * 1.0], ids=["leaf", "result"])
def test_what_a_hook_returns_replaces_the_gradient(make):
    x = leaf(3.0)
    y = make(x)
    y.register_hook(lambda g: g * 10.0)
    (y * y).backward()
    assert x.grad.item() == 60.0


def test_hooks_run_in_the_order_in_which_they_were_registered():
    x, order = leaf(3.0), []
    x.register_hook(lambda g: order.append("first"))
    x.register_hook(lambda g: g + 1.0)
    x.register_hook(lambda g: order.append(g.item()))
    x.register_hook(lambda g: g * 2.0)
    (x * 1.0).backward()
    assert (order, x.grad.item()) == (["first", 2.0], 4.0)


def test_a_retained_gradient_is_what_the_hooks_left():
    x = leaf(3.0)
    y = x * 1.0
    y.retain_grad()
    y.register_hook(lambda g: g * 5.0)
    y.backward()
    assert y.grad.item() == 5.0


def test_a_handle_takes_its_own_hook_away():
    x = leaf(3.0)
    handle = x.register_hook(lambda g: g * 10.0)
    x.register_hook(lambda g: g + 1.0)
    handle.remove()
    handle.remove()
    (x * 1.0).backward()
    assert x.grad.item() == 2.0


def test_a_hook_lasts_as_long_as_its_with_block():
    x = leaf(3.0)
    y = x * 1.0
    with y.register_hook(lambda g: g * 10.0):
        y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 11.0


def test_a_hook_outlives_its_handle():
    x = leaf(3.0)
    for factor in (2.0, 3.0, 5.0):
        x.register_hook(lambda g, factor=factor: g * factor)
        gc.collect()
    (x * 1.0).backward()
    assert x.grad.item() == 30.0


def test_a_hook_under_create_graph_is_part_of_the_graph():
    x = leaf(3.0)
    y = x * 1.0
    y.register_hook(lambda g: g * x)
    (y * y).backward(create_graph=True)
    assert x.grad.item() == 18.0
    (second,) = mg.autograd.grad(
        x.grad, x
    )  # of g x = 2 y x: 2 y, and by way of y, where the hook is, 2 x · x
    assert second.item() == 6.0 + 18.0


def test_a_hook_in_a_plain_backward_records_nothing():
    x, seen = leaf(3.0), []
    x.register_hook(lambda g: seen.append(((g * x).requires_grad, mg.is_grad_enabled())))
    (x * x).backward()
    assert seen == [(False, False)]


def test_the_gradient_of_a_number_reaches_a_hook_as_an_array():
    x, seen = leaf(3.0), []
    y = x * 1.0
    y.register_hook(lambda g: seen.append(type(g.array)))
    (y * y).backward()
    assert seen == [np.ndarray]


def test_hooks_run_in_grad_as_in_backward():
    x = leaf(3.0)
    y = x * 1.0
    y.register_hook(lambda g: g * 10.0)
    assert mg.autograd.grad(y * y, x)[0].item() == 60.0


def test_a_hook_on_one_of_several_outputs_sees_that_output_alone():
    state, seen = normal(1, 3), []
    h, c = mg.ops.lstm_cell(normal(1, 2), state, state, normal(12, 2), normal(12, 3))
    c.register_hook(lambda g: seen.append(g.tolist()))
    (h.sum() * 0.0 + (c * mg.tensor([1.0, 2.0, 3.0])).sum()).backward()
    assert seen == [[[1.0, 2.0, 3.0]]]


@pytest.mark.parametrize(
    ("returned", "error", "message"),
    [
        (mg.ones(3, dtype=mg.float64), ShapeError, r"shape \(3,\), expected the gradient's \(2,\)"),
        (mg.ones(2), DTypeError, "dtype float32, expected the gradient's float64"),
        (np.ones(2), TypeError, "returned ndarray, expected a Tensor or None"),
    ],
)
def test_a_hook_must_return_a_gradient_of_the_same_kind(returned, error, message):
    x = leaf(1.0, 2.0)
    x.register_hook(lambda g: returned)
    with pytest.raises(error, match=message):
        (x * x).sum().backward()
    assert x.grad is None


def test_what_needs_no_gradient_takes_neither_hooks_nor_retain_grad():
    x = mg.ones(3)
    with pytest.raises(GraphError, match="does not require grad"):
        x.register_hook(print)
    with pytest.raises(GraphError, match="does not require grad"):
        x.retain_grad()
