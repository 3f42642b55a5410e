"""What is written or added to elements by number: in place, in every type, without dimensions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.testing.card import assert_close, cotangents, gradients
from minigrad.testing.strategies import grown, seeds

PLACES = mg.tensor([2, 0])
GRID = mg.tensor([[1, 0], [1, 1]])
MASK = mg.tensor([[True, False], [False, True], [True, True]])
CALLS = {  # of a method of a (3, 2) matrix, given a (2, 2) matrix
    "scatter": lambda v: ((0, GRID, v), {}),
    "scatter_add": lambda v: ((0, GRID, v), {}),
    "scatter_reduce": lambda v: ((0, GRID, v, "mean"), {"include_self": False}),
    "index_add": lambda v: ((0, PLACES, v), {"alpha": 2}),
    "index_copy": lambda v: ((0, PLACES, v), {}),
    "index_fill": lambda v: ((0, PLACES, v.sum()), {}),
    "index_put": lambda v: (((PLACES,), v), {"accumulate": True}),
    "index_reduce": lambda v: ((0, PLACES, v, "amax"), {}),
    "put": lambda v: ((GRID, v), {"accumulate": True}),
    "masked_scatter": lambda v: ((MASK, v), {}),
}


def leaves(data):
    """A (3, 2) and a (2, 2) matrix that require grad."""
    return [mg.tensor(grown(data.draw(seeds(s)), s), requires_grad=True) for s in ((3, 2), (2, 2))]


@pytest.mark.parametrize("name", CALLS)
@given(data=st.data())
def test_the_form_in_place_writes_and_records_what_the_function_gives(name, data):
    x, v = leaves(data)
    args, keywords = CALLS[name](v)
    expected = getattr(mg, name)(x * 2, *args, **keywords)
    written, (args, keywords) = x * 2, CALLS[name](v)
    assert getattr(written, f"{name}_")(*args, **keywords) is written
    assert_close(written.array, expected.array, 0)
    (weight,) = cotangents([expected])
    pairs = zip(gradients([written], [x, v], [weight]), gradients([expected], [x, v], [weight]), strict=True)
    for g, other in pairs:
        assert_close(g.array, other.array, 0)


@pytest.mark.parametrize("name", CALLS)
def test_a_leaf_that_requires_grad_is_not_written_to(name):
    x = mg.zeros(3, 2, requires_grad=True)
    args, keywords = CALLS[name](mg.ones(2, 2))
    with pytest.raises(RuntimeError, match="a leaf that requires grad is changed in place"):
        getattr(x, f"{name}_")(*args, **keywords)
    assert not x.array.any()


@pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "int8", "uint8", "float16", "float32"])
def test_every_type_is_reduced_in_itself(dtype):
    x, source = mg.tensor([5, 1, 7], dtype=dtype), mg.tensor([2, 9, 4], dtype=dtype)
    expected = {"sum": [16, 1, 11], "prod": [90, 1, 28], "mean": [16 / 3, 1, 5.5], "amax": [9, 1, 7]}
    for reduce, values in {**expected, "amin": [2, 1, 4]}.items():
        found = mg.scatter_reduce(x, 0, mg.tensor([0, 0, 2]), source, reduce)
        assert found.dtype == dtype
        exact = [value if dtype.startswith("float") else math.floor(value) for value in values]
        np.testing.assert_allclose(found.array, exact, rtol=1e-3)


def test_means_of_integers_are_rounded_down_as_in_pytorch():
    x, places = mg.tensor([-7, 2]), mg.tensor([0, 0, 0])
    assert mg.scatter_reduce(x, 0, places, mg.tensor([-1, -2, -4]), "mean").tolist() == [-4, 2]


def test_bools_are_added_as_or_and_multiplied_as_and():
    x, places = mg.tensor([True, False, True]), mg.tensor([0, 0, 1])
    assert mg.scatter_add(x, 0, places, x).tolist() == [True, True, True]
    assert mg.scatter_reduce(x, 0, places, x, "prod").tolist() == [False, False, True]
    assert mg.scatter_reduce(x, 0, places, x, "amin").tolist() == [False, False, True]


def test_nan_is_the_extreme_of_all_that_it_meets_and_gets_no_gradient():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = mg.scatter_reduce(x, 0, mg.tensor([0, 0]), mg.tensor([math.nan, 3.0]), "amax")
    assert math.isnan(y[0].item())
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 1.0]


def test_an_element_that_does_not_count_itself_shares_no_tie():
    x, source = (mg.tensor([2.0, 1.0], requires_grad=True) for _ in range(2))
    mg.scatter_reduce(x, 0, mg.tensor([0, 0]), source, "amax", include_self=False).sum().backward()
    assert x.grad.tolist() == [0.0, 1.0]
    assert source.grad.tolist() == [1.0, 0.0]  # PyTorch: 1/2, it counts x[0] although it is replaced


def test_a_tensor_without_dimensions_is_indexed_as_one_of_a_single_element():
    x, zero, v = mg.tensor(1.0), mg.tensor(0), mg.tensor(3.0)
    assert mg.gather(x, 0, zero).tolist() == mg.index_select(x, 0, mg.tensor([0])).tolist() == 1.0
    assert mg.take(x, mg.tensor([0, -1])).tolist() == [1.0, 1.0]
    assert mg.take_along_dim(x, zero, -1).tolist() == 1.0
    assert x.scatter(0, zero, v).tolist() == x.index_copy(0, zero, v).tolist() == 3.0
    assert x.index_fill(-1, zero, 3.0).tolist() == x.put(zero, v).tolist() == 3.0
    for reduce in ("sum", "mean", "prod", "amax", "amin"):
        assert x.scatter_reduce(0, zero, v, reduce, include_self=False).shape == ()
    assert x.index_add(0, zero, v).tolist() == x.scatter_add(0, zero, v).tolist() == 4.0
    assert x.index_reduce(0, zero, v, "mean").tolist() == 2.0
    assert mg.masked_select(x, mg.tensor(True)).tolist() == [1.0]
    assert mg.masked_scatter(x, mg.tensor(True), v).tolist() == 3.0


def test_many_small_numbers_of_half_precision_are_added_exactly():
    weight = mg.zeros(2, 1, dtype="float16", requires_grad=True)
    mg.nn.functional.embedding(mg.zeros(4096, dtype="int64"), weight).backward(mg.ones(4096, 1).half())
    assert weight.grad.tolist() == [[4096.0], [0.0]]  # in float16, 2048 + 1 is 2048
    assert mg.zeros(1).half().index_add(0, mg.zeros(4096).long(), mg.ones(4096).half()).item() == 4096


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32"])
def test_a_short_integer_type_does_not_limit_the_size_of_the_table(dtype):
    x = mg.tensor(np.zeros((100, 500)), requires_grad=True)
    picked = x[mg.tensor([99, 99, 3], dtype=dtype)]
    picked.backward(mg.ones_like(picked))
    assert (x.grad.array.sum(1) == 500 * (np.eye(100)[3] + 2 * np.eye(100)[99])).all()


@given(st.integers(0, 2**32 - 1))
def test_many_rows_are_added_up_as_numpy_adds_them(seed):
    random = np.random.default_rng(seed)
    rows, values = random.integers(-50, 50, (40, 5)), random.standard_normal((40, 5, 2, 3))
    x = mg.tensor(random.standard_normal((50, 2, 3)), requires_grad=True)
    x[rows].backward(mg.tensor(values))
    expected = np.zeros(x.shape)
    np.add.at(expected, rows, values)
    assert_close(x.grad.array, expected, 1e-13)


def test_the_sources_of_numbers_must_be_of_the_type_of_the_input():
    with pytest.raises(TypeError, match=r"index_put\(\): source must be a Tensor of float32, .*got int64"):
        mg.zeros(2).index_put((mg.tensor([0]),), mg.tensor([1]))
    with pytest.raises(TypeError, match=r"masked_scatter\(\): source must be a Tensor .* got list"):
        mg.zeros(2).masked_scatter(mg.tensor([True, False]), [1.0])
