"""Examples of any structure to one batch, as PyTorch's default_collate does it."""

from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
import pytest

import minigrad as mg
from minigrad.data import default_collate


class Point(NamedTuple):
    x: Any
    name: Any


@pytest.mark.parametrize(
    ("examples", "dtype", "values"),
    [
        ([1, 2], mg.int64, [1, 2]),
        ([1.5, 2.0], mg.float64, [1.5, 2.0]),
        ([1, 2.5], mg.float64, [1.0, 2.5]),
        ([True, False], mg.bool, [True, False]),
        ([np.float32(1), np.float32(2)], mg.float32, [1.0, 2.0]),
        ([np.int32(1), np.int32(2)], mg.int32, [1, 2]),
        ([np.zeros(2, np.float16), np.ones(2, np.float16)], mg.float16, [[0.0, 0.0], [1.0, 1.0]]),
        ([np.array(3), np.array(4)], mg.int64, [3, 4]),
    ],
)
def test_numbers_and_arrays_become_a_tensor_of_their_dtype(examples, dtype, values):
    batch = default_collate(examples)
    assert isinstance(batch, mg.Tensor)
    assert (batch.dtype, batch.tolist()) == (dtype, values)


def test_tensors_are_stacked_and_keep_their_gradients():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    batch = default_collate([x, x])
    batch.sum().backward()
    assert batch.shape == (2, 2)
    assert x.grad.tolist() == [2.0, 2.0]


def test_strings_stay_a_list():
    assert default_collate(["a", "b"]) == ["a", "b"]
    assert default_collate([b"a", b"b"]) == [b"a", b"b"]


def test_tuples_and_lists_are_collated_position_by_position_to_a_list():
    for examples in ([(1, "a"), (2, "b")], [[1, "a"], [2, "b"]]):
        numbers, names = default_collate(examples)
        assert (numbers.tolist(), names) == ([1, 2], ["a", "b"])
    assert type(default_collate([(1, "a")])) is list


def test_named_tuples_keep_their_type_and_mappings_their_keys():
    point = default_collate([Point(1, "a"), Point(2, "b")])
    assert (type(point), point.x.tolist(), point.name) == (Point, [1, 2], ["a", "b"])
    mapping = default_collate([OrderedDict(x=1, y=("a", 3)), OrderedDict(x=2, y=("b", 4))])
    assert list(mapping) == ["x", "y"]
    assert mapping["x"].tolist() == [1, 2]
    assert mapping["y"][0] == ["a", "b"]


def test_the_batch_shares_no_memory_with_the_examples():
    examples = [np.zeros(2), np.zeros(2)]
    batch = default_collate(examples)
    examples[0][0] = 7
    assert batch.tolist() == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize(
    ("examples", "error", "message"),
    [
        ([], ValueError, "got no example"),
        ([None, None], TypeError, "got an example of type NoneType"),
        ([1, "a"], TypeError, "example 1 is of type str, expected int as in example 0"),
        ([np.zeros(2), np.zeros(3)], ValueError, r"example 1 has shape \(3,\), expected \(2,\) .* pads them"),
        ([(1, 2), (3,)], ValueError, "example 1 has 1 items, expected 2 as in example 0"),
        ([{"a": 1}, {"b": 1}], ValueError, r"example 1 has the keys \['b'\], expected \['a'\]"),
        ([(1, np.zeros(2)), (2, None)], TypeError, "example 1 is of type NoneType"),
    ],
)
def test_examples_that_make_no_batch_are_refused(examples, error, message):
    with pytest.raises(error, match=message):
        default_collate(examples)
