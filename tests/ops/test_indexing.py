"""x[index] and x[index] = value, for every kind of index that NumPy and PyTorch share."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.testing.card import assert_close, cotangents, gradients
from minigrad.testing.strategies import (
    basic_indices,
    grown,
    indices,
    mask_indices,
    picked,
    seeds,
    shapes,
    steps,
    with_bools,
)


@st.composite
def drawn(draw, kinds=indices, min_dims=0, bools=False):
    """An array, and an index into it."""
    shape = draw(shapes(min_dims))
    index = draw(kinds(shape))
    return grown(draw(seeds(shape)), shape), with_bools(draw, index) if bools else index


def converted(index, convert):
    """The index, with its arrays converted."""
    parts = index if isinstance(index, tuple) else (index,)
    changed = tuple(convert(part) if isinstance(part, np.ndarray) else part for part in parts)
    return changed if isinstance(index, tuple) else changed[0]


def as_lists(part):
    """An array as nested lists; an empty list would forget its type and its shape."""
    return part.tolist() if part.size and part.ndim else part


@given(drawn(bools=True))
def test_an_index_picks_what_it_picks_in_numpy_with_integers_taken_first(example):
    x, index = example
    tensor = mg.tensor(x)
    for found in (tensor[index], tensor[converted(index, mg.tensor)], tensor[converted(index, as_lists)]):
        np.testing.assert_array_equal(found.array, picked(x, index))


@given(drawn(bools=True))
def test_the_gradient_counts_how_often_an_element_was_picked(example):
    x, index = example
    tensor = mg.tensor(x, requires_grad=True)
    found = tensor[index]
    (weight,) = cotangents([found])
    numbers = picked(np.arange(x.size).reshape(x.shape), index)
    expected = np.bincount(np.ravel(numbers), np.ravel(weight), x.size).reshape(x.shape)
    (g,) = gradients([found], [tensor], [weight])
    assert_close(g.array, expected, 1e-14)


@given(drawn(basic_indices))
def test_a_basic_index_gives_a_view_and_any_other_a_copy(example):
    x, index = example
    tensor = mg.tensor(x)
    found = tensor[index]
    assert (found._base is tensor) == (found.version is tensor.version)
    if found.array.size:
        assert np.shares_memory(found.array, tensor.array)


@given(drawn(mask_indices, min_dims=1))
def test_what_a_mask_picks_is_a_copy(example):
    x, index = example
    tensor = mg.tensor(x)
    assert not np.shares_memory(tensor[index].array, tensor.array)
    assert tensor[index]._base is None


@given(drawn(bools=True), st.booleans())
def test_an_assignment_writes_what_it_writes_in_numpy(example, one_number):
    x, index = example
    shape = picked(x, index).shape
    values = 7.0 if one_number else np.arange(math.prod(shape), dtype="float64").reshape(shape)
    tensor, expected = mg.tensor(x), x.copy()
    first, second = steps(index)
    expected[first][second] = values
    version = tensor.version[0]
    tensor[converted(index, mg.tensor)] = values if one_number else mg.tensor(values)
    np.testing.assert_array_equal(tensor.array, expected)
    assert tensor.version[0] == version + 1


@given(drawn(bools=True))
def test_an_assignment_is_recorded_and_the_last_value_for_an_element_gets_its_gradient(example):
    x, index = example
    tensor, values = mg.tensor(x, requires_grad=True), mg.tensor(picked(x, index), requires_grad=True)
    product = tensor * 2
    product[index] = values * 3
    (weight,) = cotangents([product])
    g, g_values = gradients([product], [tensor, values], [weight])
    first, second = steps(index)
    kept, last = weight.copy(), np.full(x.shape, -1)
    kept[first][second] = 0
    order = np.arange(values.array.size).reshape(values.shape)
    last[first][second] = order
    assert_close(g.array, 2 * kept, 1e-14)
    assert_close(g_values.array, np.where(picked(last, index) == order, 3 * picked(weight, index), 0), 1e-14)


@given(drawn(bools=True))
def test_an_addition_to_what_an_index_picks_is_recorded(example):
    x, index = example
    tensor, scale = mg.tensor(x, requires_grad=True), mg.tensor(2.0, dtype="float64", requires_grad=True)
    product = tensor * 3
    product[index] += scale
    first, second = steps(index)
    expected, touched = np.array(3 * x), np.zeros(x.shape, bool)
    expected[first][second] = expected[first][second] + 2
    touched[first][second] = True
    assert_close(product.array, expected, 1e-15)
    (weight,) = cotangents([product])
    g, g_scale = gradients([product], [tensor, scale], [weight])
    assert_close(g.array, 3 * weight, 1e-14)
    assert_close(g_scale.array, weight[touched].sum(), 1e-13)


@given(st.data())
def test_a_number_out_of_range_is_refused_wherever_it_stands(data):
    shape = data.draw(shapes(min_dims=1))
    place = data.draw(st.integers(0, len(shape) - 1))
    size = shape[place]
    wrong = data.draw(st.one_of(st.integers(size, size + 3), st.integers(-size - 4, -size - 1)))
    form = data.draw(st.sampled_from([int, lambda n: [0] * (size > 0) + [n], lambda n: mg.tensor([[n]])]))
    index = [slice(None)] * len(shape)
    index[place] = form(wrong)
    before = data.draw(st.sampled_from([[], [None], [...]]))
    message = f"index {wrong} is out of range for dimension {place} of size {size}"
    with pytest.raises(IndexError, match=message):
        mg.zeros(shape)[(*before, *index)]
    with pytest.raises(IndexError, match=message):
        mg.zeros(shape)[(*before, *index)] = 1.0


@pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "int8", "uint8"])
def test_an_index_may_have_any_integer_type(dtype):
    x = mg.tensor([1.0, 2.0, 3.0])
    assert x[mg.tensor([2, 0], dtype=dtype)].tolist() == [3.0, 1.0]
    assert x[mg.tensor(1, dtype=dtype)].item() == 2.0
    assert x[np.dtype(dtype).type(1)].item() == 2.0
    assert x[mg.tensor(1, dtype=dtype) :].tolist() == [2.0, 3.0]


def test_integers_are_taken_before_arrays_as_in_pytorch():
    x = mg.zeros(2, 3, 4)
    assert x[0, :, [0, 1]].shape == (3, 2)  # NumPy counts the 0 as one of the arrays: (2, 3)
    assert x[[0], :, 0].shape == (1, 3)
    assert x[mg.tensor(0), ..., np.array([0, 1])].shape == (3, 2)


def test_a_bool_is_a_mask_without_dimensions():
    x = mg.tensor([1.0, 2.0])
    assert x[True].tolist() == [[1.0, 2.0]]
    assert x[False].shape == (0, 2)
    assert x[mg.tensor(True)].shape == x[np.bool_(True)].shape == (1, 2)
    assert x[True, [0, 1]].tolist() == x.tolist()
    assert x[:, True].shape == (2, 1)
    assert x[0, True, None].shape == (1, 1)


def test_lists_ranges_and_lists_of_tensors_are_integer_arrays():
    x = mg.tensor([1.0, 2.0, 3.0])
    assert x[[]].shape == (0,)
    assert x[range(2)].tolist() == x[[mg.tensor(0), mg.tensor(1)]].tolist() == [1.0, 2.0]
    assert x[[[0], [2]]].tolist() == [[1.0], [3.0]]
    assert x[[True, False, True]].tolist() == [1.0, 3.0]


def test_an_index_array_may_not_be_changed_before_the_gradient_is_known():
    places = np.array([0, 1])
    x = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x[places]
    places[:] = 2
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0, 0.0]


def test_where_takes_a_condition_alone_and_is_a_method_of_what_it_keeps():
    x = mg.tensor([[1.0, -2.0], [3.0, 0.0]], requires_grad=True)
    rows, columns = mg.where(x > 0)
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [0, 0])
    y = x.where(x > 0, 7.0)
    assert y.tolist() == mg.where(x > 0, x, 7.0).tolist() == [[1.0, 7.0], [3.0, 7.0]]
    y.sum().backward()
    assert x.grad.tolist() == [[1.0, 0.0], [1.0, 0.0]]
