"""autograd.functional: PyTorch's derivatives of a function at a point."""

import numpy as np
import pytest

import minigrad as mg
from leaves import array_of, leaf, normal
from minigrad.autograd import functional, grad
from minigrad.errors import GraphError, ShapeError


def plain(*shape, seed=0):
    return normal(*shape, seed=seed, requires_grad=False)


def energy(x, y):
    return (x**2 * mg.exp(y)).sum()


def pair(x, y):
    return x * y, mg.sin(y)


@pytest.mark.parametrize("vectorize", [False, True])
def test_a_jacobian_has_a_block_for_each_output_and_input(vectorize):
    x, y = plain(3), plain(3, seed=1)
    (a, b), (c, d) = functional.jacobian(pair, (x, y), vectorize=vectorize)
    np.testing.assert_allclose(a.numpy(), np.diag(y.numpy()))
    np.testing.assert_allclose(b.numpy(), np.diag(x.numpy()))
    assert not c.numpy().any()
    np.testing.assert_allclose(d.numpy(), np.diag(np.cos(y.numpy())))
    assert functional.jacobian(lambda x: x.sum(), x, vectorize=vectorize).tolist() == [1.0] * 3


@pytest.mark.parametrize("vectorize", [False, True])
def test_a_hessian_has_a_block_for_each_pair_of_inputs(vectorize):
    x, y = plain(2), plain(2, seed=1)
    (a, b), (c, d) = functional.hessian(energy, (x, y), vectorize=vectorize)
    e = np.exp(y.numpy())
    np.testing.assert_allclose(a.numpy(), np.diag(2 * e))
    np.testing.assert_allclose(b.numpy(), np.diag(2 * x.numpy() * e))
    np.testing.assert_allclose(c.numpy(), b.numpy().T)
    np.testing.assert_allclose(d.numpy(), np.diag(x.numpy() ** 2 * e))


def test_products_with_jacobian_and_hessian():
    x, v = plain(3), plain(3, seed=1)
    function = lambda x: mg.exp(x) * x[0]  # noqa: E731
    matrix = functional.jacobian(function, x).numpy()
    np.testing.assert_allclose(functional.vjp(function, x, v)[1].numpy(), v.numpy() @ matrix)
    np.testing.assert_allclose(functional.jvp(function, x, v)[1].numpy(), matrix @ v.numpy())
    total = lambda x: function(x).sum()  # noqa: E731
    curvature = functional.hessian(total, x).numpy() @ v.numpy()
    for product in (functional.hvp, functional.vhp):
        value, found = product(total, x, v)
        np.testing.assert_allclose(found.numpy(), curvature)
        assert value.item() == pytest.approx(total(x).item())


def test_v_may_be_left_out_for_one_number():
    x = plain(3)
    assert functional.vjp(lambda x: x.sum(), x)[1].tolist() == [1.0] * 3
    assert functional.jvp(lambda s: s * x, mg.tensor(2.0, dtype=mg.float64))[1].tolist() == x.tolist()
    for call in (lambda: functional.vjp(mg.sin, x), lambda: functional.jvp(mg.sin, x)):
        with pytest.raises(ShapeError, match="v can be left out for one number only"):
            call()


def test_results_are_shaped_as_what_was_given():
    x = plain(3)
    outputs, found = functional.vjp(lambda x: (x, x * 2.0), (x,), (x, x))
    assert isinstance(outputs, tuple)
    assert isinstance(found, tuple)
    outputs, found = functional.vjp(lambda x: x * 2.0, x, x)
    assert isinstance(outputs, mg.Tensor)
    assert isinstance(found, mg.Tensor)


def test_with_create_graph_results_are_differentiable_by_the_inputs():
    x = leaf(0.5, 0.7)
    rows = functional.jacobian(lambda x: x**3, x, create_graph=True)
    (second,) = grad(rows.sum(), x)
    np.testing.assert_allclose(second.numpy(), 6 * array_of(x))
    assert not functional.jacobian(lambda x: x**3, x).requires_grad
    _, product = functional.hvp(lambda x: (x**3).sum(), x, mg.ones(2, dtype=mg.float64), create_graph=True)
    assert grad(product.sum(), x)[0].tolist() == [6.0, 6.0]


def test_without_strict_what_does_not_depend_is_zero():
    x = plain(2)
    assert functional.jacobian(lambda x: mg.ones(2), x).tolist() == [[0.0, 0.0]] * 2
    assert functional.hessian(lambda x: x.sum(), x).tolist() == [[0.0, 0.0]] * 2
    assert functional.hvp(lambda x: x.sum(), x, x)[1].tolist() == [0.0, 0.0]


STRICT = {
    "an output": lambda x: functional.jacobian(lambda x: mg.ones(2), x, strict=True),
    "an input": lambda x: functional.jacobian(lambda x, y: x * 2.0, (x, x), strict=True),
    "of a vjp": lambda x: functional.vjp(lambda x, y: x.sum(), (x, x), strict=True),
    "a gradient": lambda x: functional.vhp(lambda x: x.sum(), x, x, strict=True),
}


@pytest.mark.parametrize("name", STRICT)
def test_with_strict_what_does_not_depend_is_refused(name):
    with pytest.raises(GraphError, match="strict=True"):
        STRICT[name](plain(2))


def test_what_imports_this_package_is_found_in_it():
    assert mg.autograd.gradcheck is mg.gradcheck
    assert mg.autograd.gradgradcheck is mg.gradgradcheck


def test_what_is_wrong_is_named():
    x = plain(2)
    with pytest.raises(ValueError, match="strategy 'forward-mode', expected"):
        functional.jacobian(mg.sin, x, strategy="forward-mode")
    with pytest.raises(ShapeError, match=r"hessian\(\): the function returned shape \(2,\)"):
        functional.hessian(mg.sin, x)
    with pytest.raises(ShapeError, match=r"v has the shapes \[\(3,\)\], expected \[\(2,\)\]"):
        functional.vjp(mg.sin, x, plain(3))
    with pytest.raises(TypeError, match="returned a list, expected a Tensor or a tuple"):
        functional.jacobian(lambda x: [x], x)
    with pytest.raises(AttributeError, match="has no attribute 'functionals'"):
        mg.autograd.functionals  # noqa: B018
