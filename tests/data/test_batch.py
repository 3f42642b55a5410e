"""Padded batches of pairs: what the encoder reads, what the decoder reads and is to say."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.data import EOS, PAD, SOS, PairDataset, collate_pairs, pad_sequences

numbers = st.lists(st.integers(4, 99), max_size=7)
pairs = st.lists(st.tuples(numbers.filter(bool), numbers), min_size=1, max_size=6)


@given(pairs)
def test_a_batch_holds_its_pairs_and_padding_and_nothing_else(examples):
    dataset = PairDataset(*zip(*examples, strict=True))
    batch = collate_pairs([dataset[index] for index in range(len(dataset))])
    rows = zip(
        examples, batch.source.tolist(), batch.target_in.tolist(), batch.target_out.tolist(), strict=True
    )
    for (source, target), source_row, in_row, out_row in rows:
        assert strip(source_row) == source
        assert strip(in_row) == [SOS, *target]
        assert strip(out_row) == [*target, EOS]
    lengths = [len(source) for source, _ in examples]
    assert batch.source_lengths.tolist() == dataset.lengths.tolist() == lengths
    assert batch.source.shape == (len(examples), max(lengths))
    assert batch.tokens == sum(len(target) + 1 for _, target in examples)
    assert batch.tokens == np.count_nonzero(batch.target_out.numpy())
    assert len(batch) == len(examples)


def strip(row):
    """The row without the padding at its right end."""
    while row and row[-1] == PAD:
        row = row[:-1]
    return row


def test_every_tensor_of_a_batch_is_int64():
    batch = collate_pairs([(np.array([4], np.int32), np.array([5], np.uint8))])
    tensors = [batch.source, batch.source_lengths, batch.target_in, batch.target_out]
    assert all(isinstance(tensor, mg.Tensor) and tensor.dtype == mg.int64 for tensor in tensors)


def test_a_batch_cannot_be_changed():
    batch = collate_pairs([([4], [5])])
    with pytest.raises(dataclasses.FrozenInstanceError):
        batch.tokens = 3


def test_sequences_are_padded_with_any_value():
    assert pad_sequences([[1], [], [2, 3]], value=-1).tolist() == [[1, -1], [-1, -1], [2, 3]]
    assert pad_sequences([]).shape == (0, 0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PairDataset([[4]], []), "got 1 sources, 0 targets, expected equal numbers"),
        (lambda: PairDataset([[4], []], [[4], [4]]), "source 1 is empty, expected at least one token"),
        (lambda: collate_pairs([]), "got no pair, expected at least one"),
    ],
)
def test_pairs_that_make_no_batch_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
