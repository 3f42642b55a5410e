"""Tensors from numbers, sequences, arrays, and from nothing."""

import numpy as np
import pytest

import minigrad as mg
from leaves import array_of, leaf
from minigrad.errors import ShapeError
from minigrad.tensor import Tensor

DATA = [
    (1.5, (), "float32", 1.5),
    (3, (), "int64", 3),
    (True, (), "bool", True),
    ([1.0, 2.0], (2,), "float32", [1.0, 2.0]),
    ([1, 2], (2,), "int64", [1, 2]),
    ([True, False], (2,), "bool", [True, False]),
    ([1, 2.5], (2,), "float32", [1.0, 2.5]),
    ([True, 2], (2,), "int64", [1, 2]),
    ((1.0, 2.0), (2,), "float32", [1.0, 2.0]),
    ([[1, 2], [3, 4]], (2, 2), "int64", [[1, 2], [3, 4]]),
    ([(1, 2), [3, 4]], (2, 2), "int64", [[1, 2], [3, 4]]),
    ([], (0,), "float32", []),
    ([[], []], (2, 0), "float32", [[], []]),
    (range(3), (3,), "int64", [0, 1, 2]),
    (np.float64(1.5), (), "float64", 1.5),
    (np.arange(2, dtype="int16"), (2,), "int16", [0, 1]),
    (np.zeros((0, 3), "float16"), (0, 3), "float16", []),
    ([np.zeros(2), np.ones(2)], (2, 2), "float64", [[0.0, 0.0], [1.0, 1.0]]),
    ([np.float16(1), np.float16(2)], (2,), "float16", [1.0, 2.0]),
]


@pytest.mark.parametrize(("data", "shape", "dtype", "values"), DATA, ids=lambda part: str(part)[:20])
def test_a_tensor_takes_the_shape_and_type_that_pytorch_would_give_it(data, shape, dtype, values):
    x = mg.tensor(data)
    assert (x.shape, x.dtype, x.tolist()) == (shape, dtype, values)
    assert mg.as_tensor(data).dtype == dtype


def test_a_list_may_hold_tensors():
    x = mg.tensor([mg.ones(2), [3.0, 4.0]])
    assert x.tolist() == [[1.0, 1.0], [3.0, 4.0]]


@pytest.mark.parametrize("dtype", ["float64", mg.float64, np.float64, np.dtype("float64")])
def test_a_type_is_named_in_any_way_that_numpy_knows(dtype):
    assert mg.tensor([1, 2], dtype=dtype).dtype == mg.float64


def test_pythons_own_types_mean_their_counterparts():
    types = [mg.zeros(1, dtype=kind).dtype for kind in (float, int, bool)]
    assert types == [mg.float32, mg.int64, mg.bool]


def test_tensor_copies_and_as_tensor_does_not():
    values = np.zeros(3)
    copy, same = mg.tensor(values), mg.as_tensor(values)
    values[0] = 1.0
    assert (copy.tolist(), same.tolist()) == ([0.0, 0.0, 0.0], [1.0, 0.0, 0.0])
    assert mg.as_tensor(same) is same
    assert mg.as_tensor(same, dtype=mg.float32).dtype == mg.float32


def test_a_tensor_made_of_a_tensor_is_a_leaf_of_its_own():
    x = leaf(1.0, 2.0)
    y = mg.tensor(x * 2.0, requires_grad=True)
    assert (y.is_leaf, y.requires_grad, mg.tensor(x).requires_grad) == (True, True, False)


def test_as_tensor_keeps_the_graph_of_a_tensor():
    x = leaf(1.0, 2.0)
    mg.as_tensor(x * 2.0, dtype=mg.float32).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([[1, 2], [3]], r"ragged nesting at \[1\]: length 1, expected 2"),
        ([[1], [2, 3]], r"ragged nesting at \[1\]: length 2, expected 1"),
        ([[[1], [2]], [[3], [4, 5]]], r"ragged nesting at \[1\]\[1\]: length 2, expected 1"),
        ([1, [2]], r"ragged nesting at \[1\]: got a sequence, expected a number"),
        ([[1], 2], r"ragged nesting at \[1\]: got a number, expected a sequence of 1"),
        ([np.ones(2), [1, 2, 3]], r"ragged nesting at \[1\]: length 3, expected 2"),
        ([[1, 2, 3], np.ones(2)], r"ragged nesting at \[1\]: got shape \(2,\), expected \(3,\)"),
        ([np.ones(2), 1.0], r"ragged nesting at \[1\]: got a number"),
    ],
)
def test_ragged_nesting_is_reported_with_its_place(data, message):
    with pytest.raises(ShapeError, match=message):
        mg.tensor(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("abc", "got str 'abc', expected a number, nested sequences"),
        (None, "got NoneType None"),
        (["a", "b"], "got str 'a'"),
        ([1.0, None], "got NoneType"),
        ([[1.0], ["x"]], "got str 'x'"),
        ([[1.0], "x"], "got str 'x'"),
        ([[1.0], None], "got NoneType"),
        ({"a": 1}, "got dict"),
        (1 + 2j, "got complex"),
        (object(), "got object"),
        (np.array([None]), "array of object"),
        (np.array(["a"]), "dtype <U1 cannot be held"),
    ],
)
def test_what_is_no_number_is_refused(data, message):
    with pytest.raises(TypeError, match=message):
        mg.tensor(data)


def test_an_integer_of_more_than_64_bits_is_refused():
    with pytest.raises(ValueError, match="does not fit into 64 bits"):
        mg.tensor([1, 2**70])
    with pytest.raises(OverflowError):
        mg.tensor(2**70)


@pytest.mark.parametrize("make", [lambda **k: mg.tensor([1, 2], **k), lambda **k: mg.arange(3, **k)])
def test_only_floating_tensors_can_require_gradients(make):
    with pytest.raises(TypeError, match="only floating-point tensors can require gradients, got int64"):
        make(requires_grad=True)
    assert make(dtype=mg.float32, requires_grad=True).requires_grad


FILLED = {"zeros": 0.0, "ones": 1.0}


@pytest.mark.parametrize("name", FILLED)
def test_a_filled_tensor_takes_its_shape_in_either_way(name):
    make, value = getattr(mg, name), FILLED[name]
    for x in (make(2, 3), make((2, 3)), make([2, 3])):
        assert (x.shape, x.dtype) == ((2, 3), mg.float32)
        assert set(x.array.ravel().tolist()) == {value}
    assert make().shape == make(()).shape == ()
    assert make(0, 3).shape == (0, 3)
    assert make(2, dtype=mg.int64, requires_grad=False).dtype == mg.int64


def test_full_takes_the_type_of_its_number():
    assert [mg.full((2,), value).dtype for value in (1.5, 3, True)] == ["float32", "int64", "bool"]
    assert mg.full((2,), 3, dtype=mg.float64).tolist() == [3.0, 3.0]


def test_empty_has_the_shape_that_was_asked_for():
    assert (mg.empty(2, 3).shape, mg.empty(2, 3).dtype) == ((2, 3), mg.float32)


def test_a_like_function_takes_shape_and_type_from_its_model():
    model = mg.ones(2, 3, dtype=mg.float64)
    made = [mg.zeros_like(model), mg.ones_like(model), mg.full_like(model, 7), mg.empty_like(model)]
    assert {(x.shape, x.dtype.name) for x in made} == {((2, 3), "float64")}
    assert [x.array[0, 0] for x in made[:3]] == [0.0, 1.0, 7.0]
    assert mg.zeros_like(model, dtype=mg.int64).dtype == mg.int64
    assert mg.zeros_like(model, requires_grad=True).requires_grad


@pytest.mark.parametrize("make", [mg.zeros, mg.ones, mg.empty, mg.rand, mg.randn])
def test_a_size_must_be_a_number_that_is_not_negative(make):
    with pytest.raises(ValueError, match=rf"{make.__name__}\(\): sizes must not be negative, got \(2, -1\)"):
        make(2, -1)
    with pytest.raises(TypeError, match=rf"{make.__name__}\(\): sizes must be ints, got float 1.5"):
        make(1.5)


@pytest.mark.parametrize("bounds", [(5,), (2, 7), (2, 9, 3), (9, 2, -2), (0, 0)])
def test_arange_counts_as_python_does(bounds):
    x = mg.arange(*bounds)
    assert (x.tolist(), x.dtype) == (list(range(*bounds)), mg.int64)


def test_arange_of_floats_is_floating():
    x = mg.arange(0.0, 1.0, 0.25)
    assert (x.tolist(), x.dtype) == ([0.0, 0.25, 0.5, 0.75], mg.float32)
    assert mg.arange(3, dtype=mg.float64).dtype == mg.float64


def test_arange_needs_one_to_three_numbers_and_a_step():
    with pytest.raises(TypeError, match="expected end, or start and end, got neither"):
        mg.arange()
    with pytest.raises(TypeError, match="from 0 to 3 positional arguments but 4 were given"):
        mg.arange(0, 5, 1, 1)
    with pytest.raises(ValueError, match="from 0 to 3 by 0, expected a step other than 0"):
        mg.arange(0, 3, 0)


def test_linspace_includes_both_ends():
    assert mg.linspace(0.0, 1.0, 5).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert mg.linspace(2.0, 3.0, 1).tolist() == [2.0]


def test_eye_has_ones_on_its_diagonal():
    np.testing.assert_array_equal(mg.eye(3).numpy(), np.eye(3))
    np.testing.assert_array_equal(mg.eye(2, 3, dtype=mg.float64).numpy(), np.eye(2, 3))


@pytest.mark.parametrize("make", [mg.rand, mg.randn])
def test_random_numbers_have_shape_type_and_generator(make):
    x = make(3, 4, generator=mg.Generator(1), dtype=mg.float64, requires_grad=True)
    assert (x.shape, x.dtype, x.requires_grad, x.is_leaf) == ((3, 4), mg.float64, True, True)
    np.testing.assert_array_equal(
        array_of(make((3, 4), generator=mg.Generator(1), dtype=mg.float64)), array_of(x)
    )
    assert make().shape == ()
    with pytest.raises(TypeError, match=rf"{make.__name__}\(\): expected a floating dtype, got int64"):
        make(2, dtype=mg.int64)


def test_random_integers_lie_between_their_bounds():
    for x in (mg.randint(10, (200,)), mg.randint(0, 10, (200,)), mg.randint(high=10, size=[200])):
        assert (x.dtype, x.shape) == (mg.int64, (200,))
        assert 0 <= x.array.min() < x.array.max() < 10
    assert mg.randint(-3, -2, (4,)).tolist() == [-3] * 4
    for arguments in ((10,), (1.5, (2,)), (0, 10, 5), ("a", (2,))):
        with pytest.raises(TypeError, match=r"randint\(\): expected \[low,\] high and size"):
            mg.randint(*arguments)


def test_a_random_permutation_holds_each_number_once():
    x = mg.randperm(20, generator=mg.Generator(3))
    assert (sorted(x.tolist()), x.dtype) == (list(range(20)), mg.int64)
    with pytest.raises(ValueError, match=r"randperm\(\): n must not be negative, got -1"):
        mg.randperm(-1)


def test_the_constructor_takes_an_array_and_shares_it():
    values = np.zeros(2)
    x = Tensor(values)
    assert x.array is values
    assert Tensor(x).array is values
    with pytest.raises(TypeError, match=r"Tensor\(\): expected an array, got list; use minigrad.tensor"):
        Tensor([1.0])
