"""NumPy's functions on a Tensor: ours where we have one, else refused; no object array, no gradient lost."""

import numpy as np
import pytest

import minigrad as mg
from leaves import array_of, leaf, normal
from minigrad.tensor import Tensor

ONES = np.ones(3)
LEFT = {
    "+": (lambda a, x: a + x, 1.0),
    "-": (lambda a, x: a - x, -1.0),
    "*": (lambda a, x: a * x, 1.0),
    "@": (lambda a, x: a @ x, 1.0),
    "/": (lambda a, x: a / x, None),
    "**": (lambda a, x: a**x, 0.0),
    "np.add": (np.add, 1.0),
    "np.multiply": (np.multiply, 1.0),
    "np.matmul": (np.matmul, 1.0),
    "np.maximum": (lambda a, x: np.maximum(a * -9.0, x), 1.0),
}


@pytest.mark.parametrize("name", LEFT)
def test_an_array_on_the_left_gives_a_tensor_with_its_gradient(name):
    operation, slope = LEFT[name]
    x = leaf(0.5, 2.0, 4.0)
    y = operation(ONES, x)
    assert type(y) is Tensor
    np.testing.assert_allclose(array_of(y), operation(ONES, array_of(x)))
    y.sum().backward()
    expected = -1 / array_of(x) ** 2 if slope is None else np.full(3, slope)
    np.testing.assert_allclose(x.grad.numpy(), expected)


@pytest.mark.parametrize("name", LEFT)
def test_an_array_on_the_right_gives_a_tensor_with_its_gradient(name):
    operation, _ = LEFT[name]
    x = leaf(0.5, 2.0, 4.0)
    y = operation(x, ONES)
    np.testing.assert_allclose(array_of(y), operation(array_of(x), ONES))
    assert y.requires_grad


UFUNCS = [
    "exp",
    "log",
    "sqrt",
    "tanh",
    "sin",
    "cos",
    "negative",
    "absolute",
    "square",
    "expm1",
    "log1p",
    "sign",
]


@pytest.mark.parametrize("name", UFUNCS)
def test_a_ufunc_of_a_tensor_is_our_operation(name):
    x = leaf(0.5, 2.0)
    y = getattr(np, name)(x)
    assert y.requires_grad
    np.testing.assert_allclose(array_of(y), getattr(np, name)(array_of(x)))


@pytest.mark.parametrize("name", ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"])
def test_a_comparison_with_an_array_gives_a_tensor_of_bools(name):
    x = leaf(0.5, 1.0, 2.0)
    found = getattr(np, name)(ONES, x)
    assert type(found) is Tensor
    assert found.tolist() == getattr(np, name)(ONES, array_of(x)).tolist()


def test_a_scalar_of_numpy_on_the_left_keeps_the_gradient():
    x = leaf(1.0, 2.0)
    (np.float64(3.0) * x).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


REFUSED = {
    "a ufunc that we lack": np.cbrt,
    "one with two outputs": lambda x: np.divmod(ONES, x),
    "out=": lambda x: np.add(ONES, x, out=np.empty(3)),
    "where=": lambda x: np.add(ONES, x, where=[True, False, True]),
    "an outer product": lambda x: np.multiply.outer(ONES, x),
    "an accumulation": np.add.accumulate,
    "a function that we lack": np.median,
    "an argument that we lack": lambda x: np.sum(x, initial=1.0),
    "out= of a function": lambda x: np.sum(x, out=np.empty(())),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_lose_the_gradient_is_refused(name):
    with pytest.raises(
        TypeError, match=r"would lose the gradient; use a function of minigrad, or \.detach\(\)"
    ):
        REFUSED[name](leaf(1.0, 2.0, 3.0))


def test_an_array_is_not_written_to_in_place_by_a_tensor():
    values = np.ones(3)
    with pytest.raises(TypeError, match="out"):
        values += leaf(1.0, 2.0, 3.0)
    assert values.tolist() == [1.0] * 3


@pytest.mark.parametrize(
    "name", ["a ufunc that we lack", "a function that we lack", "an argument that we lack"]
)
def test_where_no_gradient_is_at_stake_numpy_computes(name):
    x = mg.tensor(np.array([1.0, 8.0, 27.0]))
    np.testing.assert_allclose(np.asarray(REFUSED[name](x)), REFUSED[name](x.numpy()))


FUNCTIONS = {  # on a matrix of 3 by 4
    "sum": np.sum,
    "sum along an axis": lambda x: np.sum(x, axis=0, keepdims=True),
    "mean": lambda x: np.mean(x, 1),
    "max": lambda x: np.max(x, 0),
    "amin": np.amin,
    "var": lambda x: np.var(x, 0),
    "std": lambda x: np.std(x, ddof=1),
    "prod": lambda x: np.prod(x, 0),
    "cumsum of all": np.cumsum,
    "cumprod": lambda x: np.cumprod(x, 1),
    "nansum": np.nansum,
    "sort": lambda x: np.sort(x, 0),
    "sort of all": lambda x: np.sort(x, axis=None),
    "clip": lambda x: np.clip(x, -0.5, 0.5),
    "where": lambda x: np.where(x.detach() > 0 if isinstance(x, Tensor) else x > 0, x, 0.0),
    "round": lambda x: np.round(x, 1),
    "nan_to_num": np.nan_to_num,
    "copy": np.copy,
    "reshape": lambda x: np.reshape(x, (4, 3)),
    "ravel": np.ravel,
    "transpose": np.transpose,
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "moveaxis": lambda x: np.moveaxis(x, 0, 1),
    "squeeze": lambda x: np.squeeze(x[None]),
    "expand_dims": lambda x: np.expand_dims(x, 1),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 3, 4)),
    "concatenate": lambda x: np.concatenate([x, np.ones((1, 4))]),
    "stack": lambda x: np.stack([x, np.ones((3, 4))]),
    "hstack": lambda x: np.hstack([x, x]),
    "vstack": lambda x: np.vstack([x, x]),
    "split": lambda x: np.split(x, 2, 1)[1],
    "flip": np.flip,
    "roll": lambda x: np.roll(x, 1),
    "tile": lambda x: np.tile(x, 2),
    "repeat": lambda x: np.repeat(x, 2, 0),
    "tril": np.tril,
    "diag": np.diag,
    "take": lambda x: np.take(x, [0, 2], axis=1),
    "take of all": lambda x: np.take(x, [0, 5]),
    "dot": lambda x: np.dot(x, np.ones(4)),
    "outer": lambda x: np.outer(x[0], x[1]),
    "kron": lambda x: np.kron(x, x),
    "einsum": lambda x: np.einsum("ij,ij->i", x, x),
    "tensordot": lambda x: np.tensordot(x, x, axes=2),
    "norm": np.linalg.norm,
    "norm of rows": lambda x: np.linalg.norm(x, axis=1),
    "inv": lambda x: np.linalg.inv(x[:, :3]),
    "det": lambda x: np.linalg.det(x[:, :3]),
    "solve": lambda x: np.linalg.solve(x[:, :3], np.ones((3, 1))),
    "add.reduce": np.add.reduce,
    "maximum.reduce": lambda x: np.maximum.reduce(x, axis=1),
    "arctan2": lambda x: np.arctan2(np.ones(4), x),
    "remainder": lambda x: 2.5 % x,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_numpy_is_ours_and_keeps_the_gradient(name):
    x = normal(3, 4)
    y = FUNCTIONS[name](x)
    assert type(y) is Tensor
    np.testing.assert_allclose(array_of(y), FUNCTIONS[name](array_of(x)), rtol=1e-12)
    assert y.requires_grad
    y.sum().backward()
    assert x.grad is not None


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_numpy_takes_a_constant_too(name):
    x = normal(3, 4).detach()
    np.testing.assert_allclose(np.asarray(FUNCTIONS[name](x)), FUNCTIONS[name](x.numpy()), rtol=1e-12)


def test_numpy_asks_for_shapes_and_answers_questions():
    x = normal(2, 3)
    assert (np.shape(x), np.ndim(x), np.size(x)) == ((2, 3), 2, 6)
    assert np.argmax(x).item() == np.argmax(array_of(x))
    assert np.allclose(x, x)
    assert np.array_equal(x, x)
    assert np.count_nonzero(x).item() == 6


CONVERSIONS = {
    "np.asarray": np.asarray,
    "np.array": np.array,
    "np.array of a list": lambda x: np.array([x, x]),
    "np.array of rows": lambda x: np.array([x * 2.0, ONES]),
}


@pytest.mark.parametrize("name", CONVERSIONS)
def test_a_tensor_that_requires_grad_does_not_become_an_array(name):
    with pytest.raises(RuntimeError, match=r"requires grad.*use \.detach\(\)\.numpy\(\)"):
        CONVERSIONS[name](leaf(1.0, 2.0, 3.0))


@pytest.mark.parametrize("name", CONVERSIONS)
def test_a_constant_becomes_an_array(name):
    x = mg.tensor(np.array([1.0, 2.0, 3.0]))
    found = CONVERSIONS[name](x)
    np.testing.assert_array_equal(found, CONVERSIONS[name](x.numpy()))
    assert found.dtype == np.float64


def test_numpy_shares_memory_with_a_constant():
    x = mg.zeros(3)
    x.numpy()[1] = 5.0
    assert x.tolist() == [0.0, 5.0, 0.0]
    assert np.shares_memory(np.asarray(x), x.array)
    assert not np.shares_memory(np.array(x), x.array)


def test_numpy_of_a_detached_tensor_shares_memory_with_the_leaf():
    x = leaf(1.0, 2.0)
    assert np.shares_memory(np.asarray(x.detach()), x.array)


def test_numpy_converts_on_request():
    assert np.asarray(mg.ones(2), dtype="int64").dtype == np.int64
    with pytest.raises(ValueError, match="copy"):
        np.asarray(mg.ones(2), dtype="int64", copy=False)


def test_from_numpy_shares_memory():
    values = np.zeros(3)
    x = mg.from_numpy(values)
    values[0] = 4.0
    assert x.tolist() == [4.0, 0.0, 0.0]


def test_from_numpy_takes_arrays_only():
    with pytest.raises(TypeError, match=r"from_numpy\(\): expected a numpy.ndarray, got list"):
        mg.from_numpy([1.0])


def test_an_array_is_indexed_by_an_integer_tensor():
    table = np.arange(10)
    assert table[mg.tensor(3)] == 3
    assert table[mg.tensor([3, 5])].tolist() == [3, 5]
    assert [*"abc"][mg.tensor(1)] == "b"


def test_a_subclass_of_an_array_is_an_array(tmp_path):
    mapped = np.memmap(tmp_path / "values", dtype="float64", mode="w+", shape=(3,))
    mapped[:] = [1.0, 2.0, 3.0]
    x = leaf(1.0, 1.0, 1.0)
    (x * mg.from_numpy(mapped) + mapped).sum().backward()
    assert x.grad.tolist() == [1.0, 2.0, 3.0]


def test_numpys_own_assertions_take_tensors():
    np.testing.assert_allclose(mg.ones(3), np.ones(3))
    np.testing.assert_array_equal(np.ones(3), mg.ones(3))


def test_no_operation_ever_makes_an_array_of_objects():
    x = normal(2, 3)
    for made in (ONES + x, x + ONES, np.float32(2) * x, x * np.float32(2), np.ones((2, 1)) * x, x[0] @ ONES):
        assert made.dtype == mg.float64
        assert made.requires_grad
