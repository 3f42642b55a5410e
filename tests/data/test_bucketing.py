"""Batches of like lengths: every index once, an order that seed and epoch decide, resumption in mid-epoch."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data import BucketBatchSampler, DataError
from source_tree import ROOT


@st.composite
def samplers(draw):
    """A function that makes equal samplers, over lengths and options of any kind."""
    lengths = draw(st.lists(st.integers(1, 30), max_size=80))
    options = {
        "batch_size": draw(st.integers(1, 9)),
        "shuffle": draw(st.booleans()),
        "seed": draw(st.integers(0, 2**64 - 1)),
        "window": draw(st.none() | st.integers(1, 4)),
        "drop_last": draw(st.booleans()),
    }
    return lambda: BucketBatchSampler(lengths, **options)


@given(samplers())
def test_every_index_comes_exactly_once_in_an_epoch(make):
    sampler = make()
    batches = list(sampler)
    indices = [index for batch in batches for index in batch]
    assert len(set(indices)) == len(indices)
    assert len(batches) == len(sampler)
    if sampler.drop_last:
        assert all(len(batch) == sampler.batch_size for batch in batches)
        assert len(sampler.lengths) - len(indices) < sampler.batch_size
    else:
        assert sorted(indices) == list(range(len(sampler.lengths)))
        assert sum(len(batch) < sampler.batch_size for batch in batches) <= 1


@given(samplers(), st.integers(0, 50))
def test_the_order_depends_on_seed_and_epoch_alone(make, epoch):
    sampler, other = make(), make()
    list(other)
    sampler.set_epoch(epoch)
    other.set_epoch(epoch)
    assert list(sampler) == list(other)


@given(samplers(), st.data())
def test_a_run_resumed_in_mid_epoch_sees_the_same_batches(make, data):
    uninterrupted = make()
    expected = [list(uninterrupted) for _ in range(3)]
    sampler = make()
    sampler.set_epoch(1)
    stop = data.draw(st.integers(0, len(sampler)))
    batches = iter(sampler)
    seen = [next(batches) for _ in range(stop)]
    resumed = make()
    resumed.load_state_dict(sampler.state_dict())
    resumed.set_epoch(1)
    assert len(resumed) == len(sampler)
    assert seen + list(resumed) == expected[1]
    assert list(resumed) == expected[2]


@given(samplers())
def test_the_state_counts_the_batches_handed_out(make):
    sampler = make()
    for count, _ in enumerate(sampler, start=1):
        assert sampler.state_dict() == {"epoch": 0, "position": count}
    assert sampler.state_dict() == {"epoch": 1, "position": 0}


def test_each_epoch_has_an_order_of_its_own():
    sampler = BucketBatchSampler(range(1, 101), batch_size=4, seed=3)
    epochs = [list(sampler) for _ in range(4)]
    assert all(one != other for number, one in enumerate(epochs) for other in epochs[:number])


def test_an_iteration_begins_at_the_first_batch_after_another_was_abandoned():
    sampler = BucketBatchSampler(range(1, 101), batch_size=4, seed=3)
    first = next(iter(sampler))
    assert next(iter(sampler)) == first


def test_a_batch_holds_like_lengths():
    lengths = np.arange(1000) % 37
    spread = [np.ptp(lengths[batch]) for batch in BucketBatchSampler(lengths, batch_size=10, window=20)]
    assert np.mean(spread) < 3


def test_without_shuffling_indices_go_by_length_then_position():
    sampler = BucketBatchSampler([3, 1, 2, 1], batch_size=3, shuffle=False)
    assert list(sampler) == list(sampler) == [[1, 3, 2], [0]]


def test_dropping_the_last_batch_drops_other_examples_in_other_epochs():
    sampler = BucketBatchSampler(range(1, 12), batch_size=5, window=None, drop_last=True)
    dropped = {tuple(set(range(11)) - {index for batch in sampler for index in batch}) for _ in range(20)}
    assert len(dropped) > 3


def test_another_process_with_another_hash_seed_finds_the_same_order():
    program = "from minigrad.data import BucketBatchSampler; print([*BucketBatchSampler(range(1, 60), 4)])"
    orders = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert orders == {f"{[*BucketBatchSampler(range(1, 60), 4)]}\n".encode()}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: BucketBatchSampler([1], batch_size=0), ValueError, "batch_size is 0, expected 1 or more"),
        (lambda: BucketBatchSampler([1], batch_size=2.0), TypeError, r"batch_size is 2\.0, of type float"),
        (lambda: BucketBatchSampler([1], batch_size=True), TypeError, "batch_size is True, of type bool"),
        (lambda: BucketBatchSampler([1], 1, window=0), ValueError, "window is 0, expected 1 or more batches"),
        (lambda: BucketBatchSampler([1.5], 1), TypeError, r"dtype float64, expected one integer per example"),
        (lambda: BucketBatchSampler([[1]], 1), TypeError, r"lengths has shape \(1, 1\)"),
        (lambda: BucketBatchSampler([1], 1).set_epoch(-1), ValueError, "epoch is -1"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"epoch": 0},
        {"epoch": 0, "position": 0, "seed": 1},
        {"epoch": 0.0, "position": 0},
        {"epoch": 0, "position": True},
        {"epoch": -1, "position": 0},
        {"epoch": 0, "position": -1},
        {"epoch": 0, "position": 3},
    ],
)
def test_a_state_that_does_not_fit_is_refused(state):
    sampler = BucketBatchSampler([1, 2, 3], batch_size=2)
    with pytest.raises(DataError, match=r"load_state_dict\(\): got"):
        sampler.load_state_dict(state)
    assert sampler.state_dict() == {"epoch": 0, "position": 0}
