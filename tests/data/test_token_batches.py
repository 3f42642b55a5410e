"""Batches of so many tokens: every index once, none too large, resumption in mid-epoch."""

from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data import (
    DataError,
    DataLoader,
    PairDataset,
    ResumableBatchSampler,
    TokenBatchSampler,
    collate_pairs,
)

TOKENS = 40


@st.composite
def samplers(draw):
    """A function that makes equal samplers, over one length or two for each example."""
    length = st.integers(1, TOKENS)
    lengths = draw(st.lists(length, max_size=60) | st.lists(st.tuples(length, length), max_size=60))
    options = {
        "tokens": TOKENS,
        "shuffle": draw(st.booleans()),
        "seed": draw(st.integers(0, 2**64 - 1)),
        "window": draw(st.none() | st.integers(1, 4)),
    }
    return lambda: TokenBatchSampler(lengths, **options)


@given(samplers())
def test_every_index_comes_once_and_no_batch_has_too_many_tokens(make):
    sampler = make()
    for _ in range(2):
        expected, batches = len(sampler), list(sampler)
        assert len(batches) == expected
        assert sorted(index for batch in batches for index in batch) == list(range(len(sampler.lengths)))
        assert all(len(batch) * sampler.lengths[batch].max() <= TOKENS for batch in batches)


@given(samplers(), st.data())
def test_a_run_resumed_in_mid_epoch_sees_the_same_batches(make, data):
    uninterrupted = make()
    expected = [list(uninterrupted) for _ in range(3)]
    sampler = make()
    sampler.set_epoch(1)
    batches = iter(sampler)
    for _ in range(data.draw(st.integers(0, len(expected[1])))):
        next(batches)
    resumed = make()
    resumed.load_state_dict(sampler.state_dict())
    done = sampler.state_dict()["position"]
    assert list(resumed) == expected[1][done:]
    assert list(resumed) == expected[2]


@given(st.lists(st.integers(1, TOKENS), min_size=1, max_size=60))
def test_a_batch_is_closed_only_when_the_next_example_would_not_fit(lengths):
    batches = list(TokenBatchSampler(lengths, TOKENS, shuffle=False))
    for batch, following in pairwise(batches):
        assert (len(batch) + 1) * lengths[following[0]] > TOKENS
    assert list(chain(*batches)) == np.argsort(lengths, kind="stable").tolist()


def test_epochs_differ_and_seeds_differ():
    lengths = list(range(1, 41))
    sampler = TokenBatchSampler(lengths, TOKENS, seed=1)
    first, second = list(sampler), list(sampler)
    assert first != second
    assert first != list(TokenBatchSampler(lengths, TOKENS, seed=2))


def test_little_of_a_batch_is_padding():
    lengths = np.random.default_rng(0).integers(1, 60, 5000)
    batches = list(TokenBatchSampler(lengths, 2000))
    padded = sum(len(batch) * lengths[batch].max() for batch in batches)
    assert lengths.sum() / padded > 0.95
    assert lengths.sum() / (len(batches) * 2000) > 0.9


def test_a_loader_counts_source_and_target_with_its_end():
    dataset = PairDataset([[4] * n for n in (1, 9, 3)], [[4] * n for n in (9, 1, 3)])
    lengths = np.column_stack([dataset.lengths, [len(target) + 1 for target in dataset.targets]])
    loader = DataLoader(dataset, batch_sampler=TokenBatchSampler(lengths, 10), collate_fn=collate_pairs)
    shapes = [(batch.source.shape, batch.target_in.shape) for batch in loader]
    assert sorted(shapes) == [((1, 1), (1, 10)), ((1, 3), (1, 4)), ((1, 9), (1, 2))]
    assert loader.state_dict() == {"batch_sampler": {"epoch": 1, "position": 0}}


@pytest.mark.parametrize(
    ("lengths", "options", "error", "message"),
    [
        ([3, 50, 60], {}, ValueError, r"example 1 has 50 tokens, expected 40 at most \(2 of 3 have more\)"),
        ([(3, 50)], {}, ValueError, "example 0 has 50 tokens"),
        ([1], {"window": 0}, ValueError, "window is 0, expected 1 or more batches, or None"),
        ([1.5], {}, TypeError, "dtype float64, expected one integer, or a row of integers, per example"),
        (7, {}, TypeError, r"shape \(\)"),
    ],
)
def test_wrong_arguments_are_refused(lengths, options, error, message):
    with pytest.raises(error, match=rf"TokenBatchSampler\(\): .*{message}"):
        TokenBatchSampler(lengths, TOKENS, **options)


@pytest.mark.parametrize(
    "state",
    [{}, {"epoch": 0, "position": 3}, {"epoch": -1, "position": 0}, {"epoch": 0, "position": True}],
)
def test_a_state_of_other_data_is_refused(state):
    sampler = TokenBatchSampler([20, 20, 20], TOKENS)
    with pytest.raises(DataError, match=r"TokenBatchSampler\.load_state_dict\(\): got"):
        sampler.load_state_dict(state)
    assert sampler.state_dict() == {"epoch": 0, "position": 0}


def test_a_far_epoch_costs_no_more_than_a_near_one():
    sampler = TokenBatchSampler([20, 20, 20], TOKENS)
    sampler.load_state_dict({"epoch": 10**15, "position": 1})
    assert len(list(sampler)) == 1


def test_a_subclass_must_say_its_batches():
    with pytest.raises(
        NotImplementedError, match=r"ResumableBatchSampler must define batches_of\(self, epoch\)"
    ):
        list(ResumableBatchSampler())
