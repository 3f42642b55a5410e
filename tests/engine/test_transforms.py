"""func: grad, vjp, jvp, Jacobians and Hessians of functions, nested, of trees, inside and around vmap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from leaves import array_of, leaf, normal
from minigrad import func
from minigrad.errors import DTypeError, GraphError, ShapeError

FUNCTIONS = {
    "cubic": lambda x: x**3,
    "outer": lambda x: x.reshape(3, 1) * mg.sin(x),
    "softmax": lambda x: mg.softmax(x, 0),
    "sum": lambda x: mg.tanh(x).sum(),
    "matrix": lambda x: mg.exp(x.reshape(3, 1) @ x.reshape(1, 3)),
    "gelu": lambda x: mg.gelu(x) * x[0],
    "constant": lambda x: mg.ones(2, dtype=mg.float64),
    "itself": lambda x: x,
}
each_function = pytest.mark.parametrize("name", FUNCTIONS)


def plain(*shape, seed=0):
    return normal(*shape, seed=seed, requires_grad=False)


def differences(function, x, eps=1e-6):
    """The Jacobian by central differences."""
    columns = []
    for i in range(x.size):
        step = eps * np.eye(x.size)[i].reshape(x.shape)
        ahead, behind = (function(mg.tensor(x + sign * step)).numpy() for sign in (1, -1))
        columns.append((ahead - behind) / (2 * eps))
    return np.stack(columns, axis=-1).reshape(*columns[0].shape, *x.shape)


@each_function
def test_both_jacobians_are_those_of_differences(name):
    function, x = FUNCTIONS[name], plain(3)
    expected = differences(function, x.numpy())
    for transform in (func.jacrev, func.jacfwd):
        np.testing.assert_allclose(transform(function)(x).numpy(), expected, rtol=1e-6, atol=1e-8)


@each_function
@pytest.mark.parametrize("chunk_size", [1, 2, 100])
def test_a_jacobian_in_chunks_is_the_whole_one(name, chunk_size):
    function, x = FUNCTIONS[name], plain(3)
    found = func.jacrev(function, chunk_size=chunk_size)(x)
    np.testing.assert_allclose(found.numpy(), func.jacrev(function)(x).numpy(), rtol=1e-12)


@each_function
@given(seed=st.integers(0, 1000))
def test_vjp_and_jvp_are_products_with_the_jacobian(name, seed):
    function, x, v = FUNCTIONS[name], plain(3, seed=seed), plain(3, seed=seed + 1)
    matrix = func.jacrev(function)(x).numpy()
    y, pull = func.vjp(function, x)
    u = plain(*y.shape, seed=seed + 2)
    np.testing.assert_allclose(pull(u)[0].numpy(), np.tensordot(u.numpy(), matrix, y.ndim), atol=1e-9)
    value, pushed = func.jvp(function, (x,), (v,))
    np.testing.assert_array_equal(value.numpy(), y.numpy())
    np.testing.assert_allclose(pushed.numpy(), matrix @ v.numpy(), atol=1e-9)


@pytest.mark.parametrize("name", ["sum", "cubic", "gelu"])
def test_a_hessian_is_the_jacobian_of_the_gradient(name):
    function, x = (lambda x: FUNCTIONS[name](x).sum()), plain(3)
    found = func.hessian(function)(x).numpy()
    np.testing.assert_allclose(found, differences(func.grad(function), x.numpy()), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found, found.T, atol=1e-12)


def test_gradients_nest_to_any_order():
    found, slope = [], mg.sin
    for _ in range(5):
        slope = func.grad(slope)
        found.append(slope(mg.tensor(0.3, dtype=mg.float64)).item())
    expected = [np.cos(0.3), -np.sin(0.3), -np.cos(0.3), np.sin(0.3), np.cos(0.3)]
    assert found == pytest.approx(expected)


def test_the_inner_variable_is_not_taken_for_the_outer_one():
    one = mg.tensor(1.0)
    assert func.grad(lambda x: x * func.grad(lambda y: x + y)(one))(one).item() == 1.0
    two = mg.tensor(2.0)
    assert func.grad(lambda x: x * func.grad(lambda y: x * y * y)(x))(two).item() == pytest.approx(24.0)


def test_every_mixture_of_transforms_agrees():
    function, x, v = (lambda x: (mg.exp(x) * x).sum()), plain(3), plain(3, seed=1)
    expected = func.hessian(function)(x).numpy()
    for outer in (func.jacrev, func.jacfwd):
        for inner in (func.grad, func.jacrev, func.jacfwd):
            np.testing.assert_allclose(outer(inner(function))(x).numpy(), expected, rtol=1e-10)
    _, forward_over_reverse = func.jvp(func.grad(function), (x,), (v,))
    reverse_over_forward = func.grad(lambda x: func.jvp(function, (x,), (v,))[1])(x)
    for product in (forward_over_reverse, reverse_over_forward):
        np.testing.assert_allclose(product.numpy(), expected @ v.numpy(), rtol=1e-10)


# ------------------------------------------------------------------------------------------------ arguments


def test_argnums_choose_the_arguments():
    a, b = plain(3), plain(3, seed=1)
    function = lambda a, b, scale: (a * b * b).sum() * scale  # noqa: E731
    np.testing.assert_allclose(func.grad(function, 1)(a, b, 2.0).numpy(), 4 * (a * b).numpy())
    first, second = func.grad(function, argnums=(0, 1))(a, b, 2.0)
    np.testing.assert_allclose(first.numpy(), 2 * (b * b).numpy())
    np.testing.assert_allclose(second.numpy(), 4 * (a * b).numpy())
    with pytest.raises(ValueError, match="argnums 5, but the function got 3 arguments"):
        func.grad(function, 5)(a, b, 2.0)


def test_trees_of_inputs_and_outputs_keep_their_structure():
    parameters = {"w": plain(2, 3), "layers": [(plain(3), plain(3, seed=1))]}

    def model(p, x):
        a, b = p["layers"][0]
        return {"y": p["w"] @ (a * x), "extra": (b.sum(),)}

    matrix = func.jacrev(model)(parameters, plain(3))
    assert matrix["y"]["w"].shape == (2, 2, 3)
    assert matrix["y"]["layers"][0][1].shape == (2, 3)
    assert matrix["extra"][0]["w"].shape == (2, 3)
    gradient = func.grad(lambda p, x: model(p, x)["y"].sum())(parameters, plain(3))
    assert not gradient["layers"][0][1].numpy().any()
    value, pushed = func.jvp(lambda p: model(p, plain(3)), (parameters,), (parameters,))
    np.testing.assert_allclose(pushed["y"].numpy(), 2 * value["y"].numpy())
    _, pull = func.vjp(model, parameters, plain(3))
    by_parameters, by_x = pull({"y": mg.ones(2, dtype=mg.float64), "extra": (mg.ones((), dtype=mg.float64),)})
    assert (by_parameters["w"].shape, by_x.shape) == ((2, 3), (3,))


def test_what_else_a_function_returns_comes_out_unchanged():
    x, function = plain(3), lambda x: ((x * x).sum(), {"twice": x * 2.0, "name": "f"})
    gradient, aux = func.grad(function, has_aux=True)(x)
    assert (aux["name"], aux["twice"].requires_grad) == ("f", False)
    same, (value, _) = func.grad_and_value(function, has_aux=True)(x)
    np.testing.assert_array_equal(same.numpy(), gradient.numpy())
    (value_again, _), _ = func.value_and_grad(function, has_aux=True)(x)
    assert value.item() == value_again.item()
    for transform in (func.jacrev, func.jacfwd):
        np.testing.assert_allclose(transform(function, has_aux=True)(x)[0].numpy(), gradient.numpy())
    assert len(func.vjp(function, x, has_aux=True)) == len(func.jvp(function, (x,), (x,), has_aux=True)) == 3


def test_value_and_grad_gives_the_value_first():
    value, gradient = mg.value_and_grad(lambda x: (x * x).sum())(mg.tensor([1.0, 2.0]))
    assert (value.item(), gradient.tolist(), value.requires_grad) == (5.0, [2.0, 4.0], False)
    assert mg.grad(mg.sin)(mg.tensor(0.0)).item() == 1.0


WRONG = {
    "no number": (func.grad(lambda x: x), ShapeError, "returned shape (3,), expected a 0-d"),
    "no tensor": (func.grad(lambda x: 1.0), TypeError, "output 0 of the function is a float"),
    "integer": (lambda x: func.grad(mg.sum)(mg.arange(3)), DTypeError, "input 0 is int64, expected a"),
    "a float": (lambda x: func.grad(mg.sum)(3.0), TypeError, "input 0 is a float, expected a Tensor"),
    "no aux": (func.grad(mg.sum, has_aux=True), TypeError, "must return (output, aux)"),
    "tangents": (lambda x: func.jvp(mg.sin, (x,), (mg.ones(2),)), ShapeError, "tangent 0 has shape (2,)"),
    "few": (lambda x: func.jvp(mg.sin, (x,), ()), ValueError, "got 0 tangents for 1 primals"),
    "no tuple": (lambda x: func.jvp(mg.sin, x, x), TypeError, "must be tuples"),
    "cotangent": (lambda x: func.vjp(mg.sin, x)[1](mg.ones(4)), ShapeError, "cotangent 0 has shape (4,)"),
    "a number": (lambda x: func.vjp(mg.sin, x)[1](1.0), TypeError, "cotangent 0 is a float"),
    "strict": (
        lambda x: func.jvp(lambda x: mg.ones(2), (x,), (x,), strict=True), GraphError, "does not depend"
    ),
    "random": (lambda x: func.jacfwd(mg.sin, randomness="some"), ValueError, "randomness 'some'"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named(name):
    call, error, message = WRONG[name]
    with pytest.raises(error) as caught:
        call(plain(3))
    assert message in str(caught.value)


# ------------------------------------------------------------------------------------------------ the tape


def test_a_transform_leaves_no_graph_and_no_gradient_behind():
    x = leaf(1.0, 2.0)
    found = func.grad(lambda x: (x**3).sum())(x.detach())
    assert (found.requires_grad, x.grad) == (False, None)
    y, pull = func.vjp(mg.sin, x.detach())
    assert not y.requires_grad
    assert not pull(y)[0].requires_grad


def test_a_result_is_part_of_the_graph_that_its_inputs_belong_to():
    x, w = leaf(1.0, 2.0), leaf(3.0)
    slope = func.grad(lambda x: (x**3).sum() * w)(x)
    slope.sum().backward()
    assert (x.grad.tolist(), w.grad.item()) == ([18.0, 36.0], 3.0 + 12.0)


@pytest.mark.parametrize("transform", [func.grad, lambda f: lambda x: func.vjp(f, x)[1](mg.tensor(1.0))[0]])
def test_under_no_grad_a_transform_works_and_records_nothing(transform):
    x = leaf(2.0, dtype=mg.float32)
    with mg.no_grad():
        found = transform(lambda x: x**3)(x)
    assert (found.item() if isinstance(found, mg.Tensor) else found, found.requires_grad) == (12.0, False)


def test_a_function_that_switches_recording_off_has_a_derivative_of_zero():
    @mg.no_grad()
    def silent(x):
        return (x * x).sum()

    assert func.grad(silent)(plain(3)).tolist() == [0.0] * 3


# ------------------------------------------------------------------------------------------------ vmap


def loss(w, x):
    return (mg.tanh(x @ w) ** 2).sum()


TRANSFORMS = {
    "grad": lambda: func.grad(loss),
    "jacrev": lambda: func.jacrev(lambda w, x: mg.softmax(x @ w, 0)),
    "jacfwd": lambda: func.jacfwd(lambda w, x: mg.softmax(x @ w, 0)),
    "hessian": lambda: func.hessian(loss, argnums=1),
    "vjp": lambda: lambda w, x: func.vjp(lambda w: mg.exp(x @ w), w)[1](mg.ones(2, dtype=mg.float64))[0],
    "jvp": lambda: lambda w, x: func.jvp(lambda x: mg.exp(x @ w), (x,), (x * 2.0,))[1],
    "grad of grad": lambda: func.grad(lambda w, x: func.grad(loss)(w, x).sum()),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_one_derivative_for_every_example(name):
    w, examples = plain(3, 2), plain(5, 3)
    transform = TRANSFORMS[name]()
    found = mg.vmap(transform, in_dims=(None, 0))(w, examples)
    expected = [transform(w, x).numpy() for x in examples]
    np.testing.assert_allclose(found.numpy(), np.stack(expected), rtol=1e-10, atol=1e-12)


def test_a_derivative_goes_through_vmap_and_nested_vmaps():
    w, examples = plain(3, 2), plain(5, 3)
    total = lambda w: mg.vmap(loss, in_dims=(None, 0))(w, examples).sum()  # noqa: E731
    expected = sum(func.grad(loss)(w, x).numpy() for x in examples)
    np.testing.assert_allclose(func.grad(total)(w).numpy(), expected, rtol=1e-10)
    twice = mg.vmap(mg.vmap(func.jacrev(mg.sin)))(plain(2, 3, 4))
    expected = np.einsum("abi,ij->abij", np.cos(array_of(plain(2, 3, 4))), np.eye(4))
    np.testing.assert_allclose(twice.numpy(), expected, atol=1e-12)


def test_per_example_gradients_reach_a_parameter_outside():
    w, examples = normal(3, 2), plain(5, 3)
    each = mg.vmap(func.grad(loss, argnums=1), in_dims=(None, 0))(w, examples)
    (each**2).sum().backward()
    alone = w.detach().requires_grad_()
    sum((func.grad(loss, argnums=1)(alone, x) ** 2).sum() for x in examples).backward()
    np.testing.assert_allclose(w.grad.numpy(), alone.grad.numpy(), rtol=1e-10)
