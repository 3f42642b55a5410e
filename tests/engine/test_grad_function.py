"""`autograd.grad`: gradients as values, of any order, with no `.grad` touched."""

import numpy as np
import pytest

import minigrad as mg
from leaves import array_of, leaf, normal
from minigrad.autograd import grad
from minigrad.errors import GraphError, ShapeError


def cost(x, w):
    return (mg.tanh(x @ w) * mg.exp(-x.sum(1, keepdim=True))).sum()


def test_grad_equals_backward_and_touches_no_grad():
    x, w = normal(4, 3), normal(3, 2)
    found = grad(cost(x, w), [x, w])
    assert (x.grad, w.grad) == (None, None)
    cost(x, w).backward()
    for g, tensor in zip(found, (x, w), strict=True):
        np.testing.assert_array_equal(g.numpy(), tensor.grad.numpy())


def test_grad_leaves_an_existing_gradient_as_it_is():
    x = leaf(2.0)
    (x * x).backward()
    grad(x * x, x)
    assert x.grad.item() == 4.0


def test_grad_takes_one_tensor_or_a_sequence_and_gives_a_tuple():
    x = leaf(2.0)
    assert grad(x * x, x) == grad([x * x], [x]) == (mg.tensor(4.0, dtype=mg.float64),)


def test_an_unused_input_is_refused_unless_it_is_allowed():
    x, y = leaf(2.0), leaf(3.0)
    with pytest.raises(GraphError, match="do not depend on input 1; use allow_unused=True"):
        grad(x * x, [x, y])
    assert grad(x * x, [x, y], allow_unused=True)[1] is None
    found = grad(x * x, [x, y], materialize_grads=True)[1]
    assert (found.item(), found.dtype) == (0.0, mg.float64)


def test_an_input_without_grad_is_refused():
    x = leaf(2.0)
    with pytest.raises(GraphError, match="input 1 does not require grad"):
        grad(x * x, [x, mg.ones(())])


def test_an_output_without_grad_is_refused():
    x = leaf(2.0)
    with pytest.raises(GraphError, match=r"grad\(\): .* does not require grad"):
        grad(mg.ones(()), x)


def test_grad_with_respect_to_a_result_stops_there():
    x = leaf(2.0)
    square = x * x
    assert grad(square * 3.0, square) == (mg.tensor(3.0, dtype=mg.float64),)
    assert grad(square * 3.0, [square, x], retain_graph=True)[1].item() == 12.0


def test_what_lies_beyond_the_inputs_is_neither_walked_nor_freed():
    x = normal(3)
    inner = mg.tanh(x)
    (g,) = grad((inner * inner).sum(), inner)
    inner.backward(g)
    y = mg.tanh(array_and_leaf := normal(3))
    np.testing.assert_allclose(x.grad.numpy(), 2 * array_of(y) * (1 - array_of(y) ** 2))
    assert array_and_leaf.grad is None


def test_an_output_that_leads_to_no_input_keeps_its_graph():
    x, z = leaf(2.0), leaf(3.0)
    other = mg.exp(z)
    grad([x * x, other], x)
    other.backward()
    assert z.grad.item() == pytest.approx(np.exp(3.0))


def test_an_input_that_is_the_output_gets_the_seed():
    x = leaf(2.0)
    y = mg.exp(x)
    assert grad(y, y) == (mg.tensor(1.0, dtype=mg.float64),)
    y.backward()
    assert x.grad.item() == pytest.approx(np.exp(2.0))


def test_several_outputs_are_summed_each_with_its_weight():
    x = leaf(1.0, 2.0)
    (g,) = grad([x * 2.0, (x * x).sum()], x, [mg.tensor([1.0, -1.0]), None])
    assert g.tolist() == [4.0, 2.0]


def test_a_weight_of_another_shape_is_refused():
    x = leaf(1.0, 2.0)
    with pytest.raises(ShapeError, match=r"grad\(\): gradient has shape \(3,\)"):
        grad(x * 2.0, x, mg.ones(3))


def test_the_gradient_is_linear_in_the_weight_and_differentiable_in_it():
    x, weight = normal(3), normal(3, seed=1)
    (g,) = grad(mg.exp(x), x, weight, create_graph=True)
    (back,) = grad(g.sum(), weight)
    np.testing.assert_allclose(back.numpy(), np.exp(array_of(x)))


@pytest.mark.parametrize(
    ("function", "derivatives"),
    [
        (mg.tanh, lambda y: [1 - y**2, -2 * y * (1 - y**2), (1 - y**2) * (6 * y**2 - 2)]),
        (lambda x: x**3, None),
    ],
)
def test_gradients_of_gradients_to_the_fourth_order(function, derivatives):
    x = leaf(0.7)
    y = function(x)
    value, found = y.item(), []
    for _ in range(4):
        (y,) = grad(y, x, create_graph=True)
        found.append(y.item())
    if derivatives is None:
        assert found == pytest.approx([3 * 0.7**2, 6 * 0.7, 6.0, 0.0])
    else:
        first, second, third = derivatives(value)
        fourth = first * (16 * value - 24 * value**3)
        assert found == pytest.approx([first, second, third, fourth])


FUNCTIONS = {
    "cubic": lambda x: (x**3).sum(),
    "product": lambda x: x[0] * x[1] * x[2],
    "tanh of a sum": lambda x: mg.tanh(x.sum()),
    "softmax": lambda x: mg.softmax(x, 0)[1],
    "log-sum-exp": lambda x: mg.logsumexp(x, 0),
    "norm": lambda x: mg.sqrt((x * x).sum()),
    "quotient": lambda x: x[0] / (x[1] ** 2 + 1.0) + x[2],
    "outer product": lambda x: (x.reshape(3, 1) * mg.exp(x)).sum(),
    "matrix": lambda x: (x @ (x.reshape(3, 1) * mg.sin(x))).sum(),
    "gelu": lambda x: mg.gelu(x).sum() * x[0],
    "variance": lambda x: mg.var(mg.exp(x), 0),
    "stacked": lambda x: (mg.stack([x, x * x]) @ mg.cos(x)).sum(),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_hessian_is_symmetric_and_agrees_with_differences(name):
    function = FUNCTIONS[name]
    x = leaf(0.4, -0.9, 1.3)
    (g,) = grad(function(x), x, create_graph=True)
    hessian = np.array([grad(g[i], x, retain_graph=True)[0].numpy() for i in range(3)])
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-12)
    for i in range(3):
        ahead, behind = (gradient_at(function, array_of(x) + step * np.eye(3)[i]) for step in (1e-6, -1e-6))
        np.testing.assert_allclose(hessian[i], (ahead - behind) / 2e-6, rtol=1e-4, atol=1e-4)


def gradient_at(function, point):
    x = mg.tensor(point, requires_grad=True)
    return grad(function(x), x)[0].numpy()


def test_a_product_with_the_jacobian_is_two_products_with_its_transpose():
    x, direction = normal(3), normal(3, seed=1, requires_grad=False)
    matrix = normal(3, 3, requires_grad=False)
    y = mg.sin(matrix @ x)
    weight = mg.zeros(3, dtype=mg.float64, requires_grad=True)
    (pulled,) = grad(y, x, weight, create_graph=True)
    (pushed,) = grad(pulled, weight, direction)
    expected = np.cos(array_of(matrix) @ array_of(x)) * (array_of(matrix) @ array_of(direction))
    np.testing.assert_allclose(pushed.numpy(), expected)


def test_create_graph_records_also_where_the_user_does_not():
    x = leaf(2.0)
    y = x**3
    with mg.no_grad():
        (g,) = grad(y, x, create_graph=True)
        assert not (x * g).requires_grad
    assert g.requires_grad
    assert grad(g, x)[0].item() == 12.0


def test_a_plain_gradient_is_not_recorded():
    x = leaf(2.0)
    (g,) = grad(x**3, x)
    assert (g.requires_grad, mg.is_grad_enabled()) == (False, True)


def test_a_gradient_penalty_reaches_the_weights():
    x, w = normal(2, 3), normal(3, 1)
    (g,) = grad(mg.tanh(x @ w).sum(), x, create_graph=True)
    (g * g).sum().backward()
    assert x.grad.shape == (2, 3)
    assert w.grad.shape == (3, 1)
    assert np.abs(w.grad.numpy()).min() > 0
