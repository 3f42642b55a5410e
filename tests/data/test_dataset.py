"""Datasets, their parts, and random splits of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.data import Dataset, Subset, TensorDataset, random_split


def test_an_item_is_the_row_of_each_tensor():
    dataset = TensorDataset(mg.tensor([[1.0, 2.0], [3.0, 4.0]]), np.array([7, 8]))
    row, number = dataset[1]
    assert len(dataset) == 2
    assert row.tolist() == [3.0, 4.0]
    assert number == 8


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ([], "got no tensor"),
        ([np.zeros(2), np.zeros((3, 2))], r"tensor 1 has shape \(3, 2\), expected 2 rows as in tensor 0"),
        ([np.array(1.0)], "tensor 0 has no dimension"),
    ],
)
def test_tensors_without_a_common_first_dimension_are_refused(tensors, message):
    with pytest.raises(ValueError, match=message):
        TensorDataset(*tensors)


def test_a_subset_shows_the_items_at_its_indices():
    subset = Subset(["a", "b", "c"], [2, 0])
    assert [subset[0], subset[1], len(subset)] == ["c", "a", 2]
    with pytest.raises(IndexError):
        subset[2]


def test_a_dataset_must_define_its_items_and_its_length():
    class Empty(Dataset):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty must define __getitem__\(self, index\)"):
        Empty()[0]
    with pytest.raises(NotImplementedError, match=r"Empty must define __len__\(self\)"):
        len(Empty())


@given(st.lists(st.integers(0, 9), min_size=1, max_size=5), st.integers(0, 2**64 - 1))
def test_a_split_has_every_item_once(lengths, seed):
    items = list(range(sum(lengths)))
    parts = random_split(items, lengths, mg.Generator(seed))
    assert [len(part) for part in parts] == lengths
    assert sorted(item for part in parts for item in part) == items


@pytest.mark.parametrize(
    ("total", "fractions", "sizes"),
    [(10, [0.7, 0.3], [7, 3]), (10, [1 / 3] * 3, [4, 3, 3]), (3, [0.5, 0.5], [2, 1]), (5, [1.0], [5])],
)
def test_fractions_are_rounded_down_and_the_rest_is_dealt_out(total, fractions, sizes):
    assert [len(part) for part in random_split(range(total), fractions, mg.Generator(0))] == sizes


def test_the_generator_decides_the_split():
    def split(seed):
        return [list(part) for part in random_split(range(50), [25, 25], mg.Generator(seed))]

    assert split(1) == split(1)
    assert split(1) != split(2)


def test_without_a_generator_the_default_one_decides_the_split():
    mg.manual_seed(3)
    parts = random_split(range(50), [0.5, 0.5])
    assert list(parts[0]) == list(random_split(range(50), [0.5, 0.5], mg.Generator(3))[0])


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([3, 4], r"lengths \[3, 4\] sum to 7, expected 10, the length of the dataset"),
        ([11, -1], "expected none below 0"),
        ([0.5, 0.6], r"fractions \[0\.5, 0\.6\] sum to 1\.1, expected 1"),
    ],
)
def test_lengths_that_do_not_sum_up_are_refused(lengths, message):
    with pytest.raises(ValueError, match=message):
        random_split(range(10), lengths)
