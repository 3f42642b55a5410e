"""Gradients that arrive on several paths, or in several backward passes, are added."""

import numpy as np
import pytest

import minigrad as mg
from leaves import array_of, leaf, normal


@pytest.mark.parametrize("uses", [1, 2, 3, 7, 20, 50])
def test_a_leaf_used_n_times_gets_n_gradients(uses):
    x = leaf(1.0, 2.0)
    total = x * 0.0
    for weight in range(uses):
        total = total + x * float(weight)
    total.sum().backward()
    assert x.grad.tolist() == [sum(range(uses))] * 2


@pytest.mark.parametrize("uses", [1, 2, 3, 7, 20, 50])
def test_a_leaf_n_times_a_factor_gets_the_derivative_of_a_power(uses):
    x = leaf(1.1)
    product = x
    for _ in range(uses - 1):
        product = product * x
    product.backward()
    assert x.grad.item() == pytest.approx(uses * 1.1 ** (uses - 1), rel=1e-12)


def test_the_same_tensor_on_both_sides_counts_twice():
    x = leaf(3.0, -2.0)
    (x * x).sum().backward()
    assert x.grad.tolist() == [6.0, -4.0]


def test_a_second_backward_adds_to_the_gradient():
    x = leaf(3.0)
    for expected in (6.0, 12.0, 18.0):
        (x * x).backward()
        assert x.grad.item() == expected


def test_a_gradient_set_to_none_starts_afresh():
    x = leaf(3.0)
    (x * x).backward()
    x.grad = None
    (x * x).backward()
    assert x.grad.item() == 6.0


def test_two_outputs_walked_together_equal_their_sum():
    x, y = leaf(2.0), leaf(5.0)
    mg.autograd.backward([x * y, x + y])
    assert (x.grad.item(), y.grad.item()) == (6.0, 3.0)


def test_one_output_given_twice_counts_twice():
    x = leaf(2.0)
    product = x * 3.0
    mg.autograd.backward([product, product])
    assert x.grad.item() == 6.0


def test_an_output_may_be_an_ancestor_of_another():
    x = leaf(2.0)
    square = x * x
    mg.autograd.backward([square, square * 10.0])
    assert x.grad.item() == 44.0


def test_each_output_is_weighted_by_its_own_gradient():
    x = leaf(1.0, 2.0)
    mg.autograd.backward([x * 2.0, x.sum()], [mg.tensor([1.0, -1.0]), None])
    assert x.grad.tolist() == [3.0, -1.0]


def test_a_leaf_that_is_its_own_output_gets_the_seed():
    x = leaf(4.0)
    x.backward()
    assert x.grad.item() == 1.0


def test_a_hundred_thousand_uses_of_one_leaf_are_summed_exactly():
    uses = 100_000
    x = leaf(1.0)
    total = x * 0.0
    for _ in range(uses):
        total = total + x
    total.backward()
    assert x.grad.item() == uses


def test_many_small_gradients_are_summed_to_double_precision():
    weights = np.random.default_rng(0).standard_normal(2_000)
    x = leaf(1.0)
    mg.stack([x * weight for weight in weights.tolist()]).sum().backward()
    assert x.grad.item() == pytest.approx(weights.sum(), rel=1e-12)


def test_a_gradient_in_float32_is_summed_over_its_broadcast_pairwise():
    x = leaf(1.0, dtype=mg.float32)
    (x * mg.full((1_000_000,), 0.1)).sum().backward()
    assert x.grad.item() == pytest.approx(100_000, rel=1e-6)


def test_retain_grad_leaves_the_gradient_of_a_result():
    x = leaf(2.0)
    square = x * x
    square.retain_grad()
    (square * 3.0).backward()
    assert (square.grad.item(), x.grad.item()) == (3.0, 12.0)


def test_a_result_that_does_not_retain_has_no_gradient():
    x = leaf(2.0)
    square = x * x
    square.backward()
    assert square.grad is None


def test_a_retained_gradient_accumulates_like_a_leaf():
    x = leaf(2.0)
    square = x * x
    square.retain_grad()
    square.backward(retain_graph=True)
    square.backward()
    assert (square.grad.item(), x.grad.item()) == (2.0, 8.0)


def test_retain_grad_on_a_leaf_changes_nothing():
    x = leaf(2.0)
    x.retain_grad()
    (x * x).backward()
    assert x.grad.item() == 4.0


def test_a_leaf_that_is_gone_is_left_out():
    x, y = leaf(2.0), leaf(3.0)
    product = x * y
    del x
    product.backward()
    assert y.grad.item() == 2.0


def test_a_leaf_that_no_longer_wants_a_gradient_gets_none_from_new_operations():
    x, y = leaf(2.0), leaf(3.0)
    x.requires_grad = False
    (x * y).backward()
    assert (x.grad, y.grad.item()) == (None, 2.0)


def test_broadcast_operands_get_gradients_of_their_own_shape():
    rows, columns, number = normal(3, 1), normal(1, 4), normal()
    (rows * columns + number).sum().backward()
    assert (rows.grad.shape, columns.grad.shape, number.grad.shape) == ((3, 1), (1, 4), ())
    np.testing.assert_allclose(rows.grad.numpy(), np.full((3, 1), array_of(columns).sum()))
    assert number.grad.item() == 12.0
