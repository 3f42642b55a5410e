"""Writes in place: recorded like any other operation, or refused where a gradient would be wrong."""

import numpy as np
import pytest

import minigrad as mg
from leaves import array_of, leaf, normal
from minigrad.autograd import grad
from minigrad.errors import DTypeError, GraphError, ShapeError

# In place and out of place, one after the other: they must agree in value and gradient.
PAIRS = {
    "add_": (lambda x, w: x.add_(w), lambda x, w: x + w),
    "sub_": (lambda x, w: x.sub_(w), lambda x, w: x - w),
    "mul_": (lambda x, w: x.mul_(w), lambda x, w: x * w),
    "div_": (lambda x, w: x.div_(w), lambda x, w: x / w),
    "pow_": (lambda x, w: x.pow_(3), lambda x, w: x**3 + w * 0.0),
    "exp_": (lambda x, w: x.exp_(), lambda x, w: mg.exp(x) + w * 0.0),
    "tanh_": (lambda x, w: x.tanh_(), lambda x, w: mg.tanh(x) + w * 0.0),
    "sigmoid_": (lambda x, w: x.sigmoid_(), lambda x, w: mg.sigmoid(x) + w * 0.0),
    "relu_": (lambda x, w: x.relu_(), lambda x, w: mg.relu(x) + w * 0.0),
    "neg_": (lambda x, w: x.neg_(), lambda x, w: -x + w * 0.0),
    "abs_": (lambda x, w: x.abs_(), lambda x, w: mg.abs(x) + w * 0.0),
    "clamp_": (lambda x, w: x.clamp_(-0.5, 0.5), lambda x, w: mg.clamp(x, -0.5, 0.5) + w * 0.0),
    "+=": (lambda x, w: x.__iadd__(w), lambda x, w: x + w),
    "*=": (lambda x, w: x.__imul__(w), lambda x, w: x * w),
    "copy_": (lambda x, w: x.copy_(w), lambda x, w: x * 0.0 + w),
    "fill_": (lambda x, w: x.fill_(2.0), lambda x, w: x * 0.0 + w * 0.0 + 2.0),
    "zero_": (lambda x, w: x.zero_(), lambda x, w: x * 0.0 + w * 0.0),
    "masked_fill_": (
        lambda x, w: x.masked_fill_(mg.tensor([True, False, True]), 5.0),
        lambda x, w: mg.masked_fill(x, mg.tensor([True, False, True]), 5.0) + w * 0.0,
    ),
    "x[1:] = w[1:]": (
        lambda x, w: x.__setitem__(slice(1, None), w[1:]) or x,
        lambda x, w: mg.cat([x[:1], w[1:]]),
    ),
    "x[[2, 0]] = w[:2]": (
        lambda x, w: x.__setitem__([2, 0], w[:2]) or x,
        lambda x, w: mg.stack([w[1], x[1], w[0]]),
    ),
    "x[mask] = 4": (
        lambda x, w: x.__setitem__(mg.tensor([True, False, True]), 4.0) or x,
        lambda x, w: mg.where(mg.tensor([True, False, True]), 4.0, x) + w * 0.0,
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_an_operation_in_place_equals_the_one_out_of_place(name):
    results = []
    for operation in PAIRS[name]:
        v, w = normal(3), normal(3, seed=1)
        y = operation(v * 2.0, w)
        (y * y * y).sum().backward()
        gradients = [np.zeros(3) if t.grad is None else t.grad.numpy() for t in (v, w)]
        results.append([array_of(y), *gradients])
    for found, expected in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_in_place_operations_return_the_tensor_itself():
    x = mg.ones(3)
    assert x.add_(1.0) is x
    assert x.zero_() is x
    assert x.copy_(mg.ones(3)) is x
    same = x
    same += 1.0
    assert same is x
    assert x.tolist() == [2.0] * 3


def test_a_tensor_may_be_its_own_operand():
    x = leaf(2.0, -3.0)
    y = x * 1.0
    y.mul_(y)
    y.sum().backward()
    assert (y.tolist(), x.grad.tolist()) == ([4.0, 9.0], [4.0, -6.0])


def test_a_chain_in_place_is_differentiated_twice():
    x = leaf(0.5)
    y = x * 1.0
    y.mul_(y).exp_().mul_(y)
    (first,) = grad(y, x, create_graph=True)
    (second,) = grad(first, x)
    value = np.exp(2 * 0.25)  # y = exp(x²)² = exp(2 x²)
    assert first.item() == pytest.approx(4 * 0.5 * value)
    assert second.item() == pytest.approx((4 + 16 * 0.25) * value)


def test_a_buffer_filled_step_by_step_collects_the_gradients():
    w = leaf(2.0)
    buffer = mg.zeros(3, dtype=mg.float64)
    for i in range(3):
        buffer[i] = w ** (i + 1)
    buffer.sum().backward()
    assert w.grad.item() == 1 + 4 + 12


def test_a_leaf_that_requires_grad_is_not_written_to():
    x = leaf(1.0, 2.0)
    for write in (lambda: x.add_(1.0), x.zero_, lambda: x.__setitem__(0, 5.0), lambda: x.copy_(x)):
        with pytest.raises(GraphError, match=r"a leaf that requires grad .*use no_grad\(\) or a copy"):
            write()
    with mg.no_grad():
        x.add_(1.0)
        x[0] = 7.0
    assert (x.tolist(), x.is_leaf, x.requires_grad) == ([7.0, 3.0], True, True)


def test_a_view_of_a_leaf_that_requires_grad_is_not_written_to():
    x = leaf([[1.0, 2.0]])
    for view in (x[0], x.mT, x.view(2)[1:]):
        with pytest.raises(GraphError, match=r"add_: a view of a leaf that requires grad .*use no_grad\(\)"):
            view.add_(1.0)
    assert x.tolist() == [[1.0, 2.0]]


def test_constants_are_written_through_their_views_as_in_numpy():
    x = mg.zeros(2, 3)
    x[0].add_(1.0)
    x.mT[2].fill_(7.0)
    x.view(6)[4] = 9.0
    x[1, 0].fill_(5.0)
    assert x.tolist() == [[1.0, 1.0, 7.0], [5.0, 9.0, 7.0]]


def test_one_element_of_a_vector_is_a_view():
    bias = leaf(0.0, 0.0, 0.0)
    with mg.no_grad():
        bias[1].fill_(1.0)
    assert bias.tolist() == [0.0, 1.0, 0.0]


def test_a_detached_tensor_writes_to_the_memory_that_it_shares():
    x = leaf(1.0, 2.0)
    x.detach().mul_(3.0)
    x.data.add_(1.0)
    assert x.tolist() == [4.0, 7.0]


def test_a_result_must_fit_the_tensor():
    x = mg.ones(3)
    with pytest.raises(ShapeError, match=r"add_: the result has shape \(2, 3\), expected .*\(3,\)"):
        x.add_(mg.ones(2, 3))
    with pytest.raises(ShapeError, match=r"x\[index\] = value: .*\(4,\).*\(3,\)"):
        x[:] = mg.ones(4)
    with pytest.raises(ShapeError, match="copy_"):
        x.copy_(mg.ones(2))
    assert x.tolist() == [1.0] * 3


def test_a_float_does_not_fit_into_integers():
    x = mg.tensor([1, 2])
    with pytest.raises(DTypeError, match="a result of float32 cannot be stored in a tensor of int64"):
        x.add_(0.5)
    with pytest.raises(DTypeError, match="int64 cannot hold values that require grad"):
        x[0] = leaf(1.0)


def test_integers_are_written_in_place_as_integers():
    x = mg.tensor([1, 2])
    x += 1
    x[0] = 7
    assert (x.tolist(), x.dtype) == ([7, 3], mg.int64)


def test_the_result_keeps_the_type_of_the_tensor_and_the_gradient_that_of_the_leaf():
    v, w = leaf(1.0, 2.0, dtype=mg.float32), leaf(3.0, 4.0)
    x = v * 2.0
    x.mul_(w)
    x.sum().backward()
    assert (x.dtype, v.grad.dtype, w.grad.dtype) == (mg.float32, mg.float32, mg.float64)
    assert (v.grad.tolist(), w.grad.tolist()) == ([6.0, 8.0], [2.0, 4.0])


def test_read_only_memory_is_refused_with_a_remedy():
    for x in (mg.ones(1).expand(3), mg.from_numpy(np.broadcast_to(np.ones(1), (3,)))):
        with pytest.raises(RuntimeError, match=r"read-only; write to a \.clone\(\)"):
            x.add_(1.0)


@pytest.mark.parametrize("value", [[1.0, 2.0], np.array([1.0, 2.0]), (1, 2), mg.tensor([1.0, 2.0])])
def test_a_sequence_can_be_assigned(value):
    x = mg.zeros(2, 2, dtype=mg.float64)
    x[1] = value
    assert x.tolist() == [[0.0, 0.0], [1.0, 2.0]]


def test_assigned_numbers_are_not_rounded_on_the_way():
    x = mg.zeros(2, dtype=mg.float64)
    x[:] = [0.1, 0.2]
    assert x.tolist() == [0.1, 0.2]


@pytest.mark.parametrize("value", ["a", None, object()])
def test_what_is_no_number_cannot_be_assigned(value):
    x = mg.zeros(2)
    with pytest.raises(TypeError):
        x[0] = value
    assert x.tolist() == [0.0, 0.0]


def test_a_value_with_leading_ones_is_assigned_and_differentiated():
    v, w = normal(3), normal(1, 3)
    x = v * 1.0
    x[:] = w
    (x * mg.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert w.grad.tolist() == [[1.0, 2.0, 3.0]]
    assert v.grad.tolist() == [0.0, 0.0, 0.0]


def test_an_element_of_a_vector_taken_by_unbind_writes_through_to_it():
    vector = mg.zeros(3)
    vector.unbind()[1].fill_(5.0)
    assert vector.tolist() == [0.0, 5.0, 0.0]
