"""The loader and its plain samplers: which items come, in which order, in batches of which size."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.data import (
    BatchSampler,
    BucketBatchSampler,
    DataLoader,
    PairDataset,
    RandomSampler,
    SequentialSampler,
    TensorDataset,
    collate_pairs,
)


@given(st.integers(0, 30), st.integers(1, 9), st.booleans(), st.booleans())
def test_an_epoch_has_every_item_once_in_as_many_batches_as_promised(size, batch_size, shuffle, drop_last):
    loader = DataLoader(range(size), batch_size, shuffle, drop_last=drop_last, seed=5)
    batches = [batch.tolist() for batch in loader]
    assert len(batches) == len(loader)
    items = list(itertools.chain(*batches))
    if drop_last:
        assert {len(batch) for batch in batches} <= {batch_size}
        assert len(set(items)) == len(items) == size - size % batch_size
    else:
        assert sorted(items) == list(range(size))
    if not shuffle:
        assert items == list(range(len(items)))


def test_a_seed_gives_the_same_epochs_again_and_each_its_own_order():
    def epochs():
        loader = DataLoader(range(40), batch_size=7, shuffle=True, seed=9)
        return [[batch.tolist() for batch in loader] for _ in range(3)]

    assert epochs() == epochs()
    assert epochs()[0] != epochs()[1]


def test_a_generator_and_the_seed_it_was_made_from_give_the_same_order():
    seeded = DataLoader(range(40), 40, shuffle=True, seed=9)
    generated = DataLoader(range(40), 40, shuffle=True, generator=mg.Generator(9))
    assert next(iter(seeded)).tolist() == next(iter(generated)).tolist()


def test_without_a_seed_the_default_generator_gives_the_order():
    mg.manual_seed(9)
    orders = [next(iter(DataLoader(range(40), 40, shuffle=True))).tolist() for _ in range(2)]
    assert orders[0] == next(iter(DataLoader(range(40), 40, shuffle=True, seed=9))).tolist()
    assert orders[0] != orders[1]


def test_a_sampler_of_ones_own_gives_the_order():
    assert list(DataLoader("abc", 2, sampler=[2, 0, 1])) == [["c", "a"], ["b"]]


def test_a_collate_function_of_ones_own_makes_the_batch():
    assert list(DataLoader("abc", 2, collate_fn="".join)) == ["ab", "c"]


def test_tensors_are_collated_to_batches():
    dataset = TensorDataset(mg.arange(6).view(3, 2), mg.tensor([7, 8, 9]))
    rows, numbers = next(iter(DataLoader(dataset, batch_size=2)))
    assert rows.tolist() == [[0, 1], [2, 3]]
    assert numbers.tolist() == [7, 8]


def test_a_bucketed_loader_resumes_in_mid_epoch_with_equal_batches():
    sources = [[4 + number] * (1 + number % 5) for number in range(53)]
    dataset = PairDataset(sources, sources)

    def make():
        sampler = BucketBatchSampler(dataset.lengths, batch_size=4, seed=11)
        return sampler, DataLoader(dataset, batch_sampler=sampler, collate_fn=collate_pairs)

    _, loader = make()
    expected = [batch.source.tolist() for batch in loader]
    sampler, loader = make()
    seen = [batch.source.tolist() for batch in itertools.islice(loader, 6)]
    resumed, rest = make()
    resumed.load_state_dict(sampler.state_dict())
    assert len(loader) == len(rest) == len(expected) == 14
    assert seen + [batch.source.tolist() for batch in rest] == expected


def test_random_samples_without_replacement_are_permutations_one_after_another():
    found = list(RandomSampler(range(4), num_samples=10, generator=mg.Generator(1)))
    assert len(found) == 10
    assert sorted(found[:4]) == sorted(found[4:8]) == [0, 1, 2, 3]


def test_random_samples_with_replacement_are_drawn_independently():
    sampler = RandomSampler(range(4), replacement=True, num_samples=1000, generator=mg.Generator(1))
    counts = np.bincount(list(sampler), minlength=4)
    assert len(sampler) == counts.sum() == 1000
    assert counts.min() > 200


def test_samplers_of_nothing_give_nothing():
    assert not list(RandomSampler([], generator=mg.Generator(1)))
    assert not list(RandomSampler([], replacement=True, generator=mg.Generator(1)))
    assert not list(SequentialSampler([]))
    assert not list(DataLoader([]))


def test_a_sampler_without_a_length_makes_a_loader_without_one():
    loader = DataLoader(range(5), batch_sampler=iter([[0, 1], [4]]))
    with pytest.raises(TypeError, match="has no len"):
        len(loader)
    assert [batch.tolist() for batch in loader] == [[0, 1], [4]]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"batch_size": 0}, ValueError, "batch_size is 0, expected 1 or more"),
        ({"batch_size": None}, TypeError, "batch_size is None, of type NoneType; expected int"),
        ({"batch_sampler": [[0]], "shuffle": True}, ValueError, "batch_sampler excludes"),
        ({"batch_sampler": [[0]], "batch_size": 2}, ValueError, "batch_sampler excludes"),
        ({"batch_sampler": [[0]], "sampler": [0]}, ValueError, "batch_sampler excludes"),
        ({"batch_sampler": [[0]], "drop_last": True}, ValueError, "batch_sampler excludes"),
        ({"sampler": [0], "shuffle": True}, ValueError, "sampler excludes shuffle=True"),
        ({"seed": 1, "generator": mg.Generator(1)}, ValueError, "both generator and seed"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        DataLoader([1, 2, 3], **options)


def test_a_number_of_samples_below_one_is_refused():
    with pytest.raises(ValueError, match="num_samples is 0"):
        RandomSampler([1], num_samples=0)


def test_a_batch_sampler_cuts_any_iterable_of_indices():
    assert list(BatchSampler(iter([5, 3, 1]), 2, drop_last=False)) == [[5, 3], [1]]
    assert list(BatchSampler([5, 3, 1], 2, drop_last=True)) == [[5, 3]]
