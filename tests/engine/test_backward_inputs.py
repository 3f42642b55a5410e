"""backward(inputs=...) and grad(is_grads_batched=...): only what is asked for, and many at once."""

import numpy as np
import pytest

import minigrad as mg
from leaves import array_of, leaf, normal
from minigrad.autograd import backward, grad
from minigrad.errors import GraphError, ShapeError


def test_only_the_inputs_get_their_gradients():
    x, y = leaf(2.0), leaf(3.0)
    (x * y).backward(inputs=[x])
    assert (x.grad.item(), y.grad) == (3.0, None)
    backward([x * y], inputs=y)
    assert (x.grad.item(), y.grad.item()) == (3.0, 2.0)


def test_an_input_that_is_no_leaf_gets_its_gradient_too():
    x = leaf(2.0)
    y = x * x
    (y * 3.0).backward(inputs=[y])
    assert (y.grad.item(), x.grad) == (3.0, None)


def test_gradients_of_inputs_add_up_as_ever():
    x = leaf(2.0)
    for _ in range(3):
        (x * x).backward(inputs=[x])
    assert x.grad.item() == 12.0


def test_an_input_that_is_not_reached_keeps_its_gradient():
    x, y = leaf(2.0), leaf(3.0)
    (x * x).backward(inputs=[x, y])
    assert (x.grad.item(), y.grad) == (4.0, None)


def test_inputs_must_require_grad_and_not_be_empty():
    x = leaf(2.0)
    with pytest.raises(GraphError, match=r"backward\(\): input 1 does not require grad"):
        (x * x).backward(inputs=[x, mg.ones(())])
    with pytest.raises(ValueError, match="inputs is empty"):
        (x * x).backward(inputs=[])


def test_several_roots_each_with_its_weight():
    x = leaf(1.0, 2.0)
    backward([x * 2.0, (x * x).sum()], [mg.tensor([1.0, -1.0]), None], inputs=[x])
    assert x.grad.tolist() == [4.0, 2.0]


def test_only_inputs_is_refused_if_it_is_false():
    x = leaf(2.0)
    with pytest.raises(ValueError, match="only_inputs must be True"):
        grad(x * x, x, only_inputs=False)


# ------------------------------------------------------------------------------------------------ batched


def test_batched_cotangents_give_a_matrix_of_gradients():
    x, matrix = normal(3), normal(3, 3, requires_grad=False)
    y = mg.tanh(matrix @ x)
    (rows,) = grad(y, x, mg.eye(3, dtype=mg.float64), is_grads_batched=True)
    expected = (1 - array_of(y) ** 2)[:, None] * matrix.numpy()
    np.testing.assert_allclose(rows.numpy(), expected, rtol=1e-12)
    assert not rows.requires_grad


def test_batched_gradients_can_be_differentiated():
    x = normal(3)
    (rows,) = grad((x**3), x, mg.eye(3, dtype=mg.float64), create_graph=True, is_grads_batched=True)
    (second,) = grad(rows.sum(), x)
    np.testing.assert_allclose(second.numpy(), 6 * array_of(x))


def test_a_batch_for_an_unused_input_is_none_or_zeros():
    x, y = normal(2), normal(3)
    options = {"is_grads_batched": True, "retain_graph": True}
    found = grad(x * 2.0, [x, y], mg.ones(4, 2, dtype=mg.float64), allow_unused=True, **options)
    assert (found[0].shape, found[1]) == ((4, 2), None)
    found = grad(x * 2.0, [x, y], mg.ones(4, 2, dtype=mg.float64), materialize_grads=True, **options)
    assert (found[1].shape, found[1].numpy().any()) == ((4, 3), False)
    with pytest.raises(GraphError, match="do not depend on input 1"):
        grad(x * 2.0, [x, y], mg.ones(4, 2, dtype=mg.float64), is_grads_batched=True)


def test_batches_must_be_of_one_size():
    x = normal(2)
    for matrices in ([mg.ones(4, 2), mg.ones(3, 2)], [mg.ones(())] * 2, None):
        with pytest.raises(ShapeError, match="is_grads_batched: got grad_outputs of shapes"):
            grad([x * 2.0, x * 3.0], x, matrices, is_grads_batched=True)
