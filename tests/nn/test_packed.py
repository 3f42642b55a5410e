"""Packed and padded sequences: nothing is lost, nothing is added, and each place knows its gradient."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.nn.utils.rnn import (
    PackedSequence,
    invert_permutation,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpack_sequence,
    unpad_sequence,
)

COUNTS = st.lists(st.integers(1, 5), min_size=1, max_size=4)
REST = st.sampled_from([(), (2,), (2, 3)])


def sequences(counts, rest=(), **options):
    """Sequences in which every number occurs once."""
    ends = np.cumsum(counts)
    size = int(np.prod(rest))
    numbers = np.arange(ends[-1] * size, dtype=np.float64).reshape(-1, *rest)
    pieces = np.split(numbers, ends[:-1])
    return [mg.tensor(piece, **options) for piece in pieces]


def equal(found, expected):
    assert found.tolist() == expected.tolist()


@given(COUNTS, REST)
def test_packing_takes_all_first_steps_then_all_second_ones(counts, rest):
    given_sequences = sequences(counts, rest)
    packed = pack_sequence(given_sequences, enforce_sorted=False)
    order = sorted(range(len(counts)), key=lambda b: -counts[b])
    expected = [given_sequences[b].array[t] for t in range(max(counts)) for b in order if t < counts[b]]
    assert packed.data.tolist() == np.stack(expected).tolist()
    assert packed.batch_sizes.tolist() == [sum(count > t for count in counts) for t in range(max(counts))]
    assert packed.sorted_indices.tolist() == order
    assert [packed.sorted_indices.tolist()[i] for i in packed.unsorted_indices.tolist()] == [
        *range(len(counts))
    ]


@given(COUNTS, REST, st.booleans())
def test_what_is_packed_can_be_unpacked_and_padded(counts, rest, batch_first):
    given_sequences = sequences(counts, rest)
    packed = pack_sequence(given_sequences, enforce_sorted=False)
    for again, sequence in zip(unpack_sequence(packed), given_sequences, strict=True):
        equal(again, sequence)
    padded, lengths = pad_packed_sequence(packed, batch_first)
    equal(padded, pad_sequence(given_sequences, batch_first))
    assert lengths.tolist() == counts
    for again, sequence in zip(unpad_sequence(padded, lengths, batch_first), given_sequences, strict=True):
        equal(again, sequence)
    twice = pack_padded_sequence(padded, lengths, batch_first, enforce_sorted=False)
    equal(twice.data, packed.data)


def test_padding_is_what_was_asked_for_and_where():
    given_sequences = sequences([2, 3, 1])
    left = pad_sequence(given_sequences, batch_first=True, padding_value=-1.0, padding_side="left")
    assert left.tolist() == [[-1, 0, 1], [2, 3, 4], [-1, -1, 5]]
    packed = pack_sequence(given_sequences, enforce_sorted=False)
    padded, _ = pad_packed_sequence(packed, batch_first=True, padding_value=9.0, total_length=4)
    assert padded.tolist() == [[0, 1, 9, 9], [2, 3, 4, 9], [5, 9, 9, 9]]


def test_every_step_gets_its_own_gradient():
    given_sequences = sequences([2, 3, 1], requires_grad=True)
    padded, _ = pad_packed_sequence(pack_sequence(given_sequences, enforce_sorted=False), batch_first=True)
    (padded * mg.arange(9.0, dtype=mg.float64).reshape(3, 3)).sum().backward()
    assert [sequence.grad.tolist() for sequence in given_sequences] == [[0, 1], [3, 4, 5], [6]]


def test_sequences_in_order_need_no_indices():
    packed = pack_padded_sequence(mg.zeros(4, 3, 2), mg.tensor([4, 2, 2]))
    assert packed.sorted_indices is packed.unsorted_indices is None
    assert packed.batch_sizes.tolist() == [3, 3, 1, 1]
    assert packed.batch_sizes.dtype == mg.int64


def test_a_packed_sequence_is_a_named_tuple_that_can_change_its_type():
    packed = pack_sequence(sequences([1, 2]), enforce_sorted=False)
    data, batch_sizes, order, inverse = packed
    assert PackedSequence(data, batch_sizes, order).unsorted_indices.tolist() == inverse.tolist()
    assert packed.float().data.dtype == packed.to(mg.float32).data.dtype == mg.float32
    assert packed.half().data.dtype == mg.float16
    assert packed.float().double().data.dtype == mg.float64
    assert packed.float().sorted_indices.dtype == mg.int64
    assert packed.to("cpu") is packed.cpu() is packed
    assert invert_permutation(None) is None
    with pytest.raises(RuntimeError):
        packed.cuda()


def bad(message, error, call):
    with pytest.raises(error, match=message):
        call()


def test_what_cannot_be_packed_is_refused():
    x = mg.zeros(4, 2, 3)
    bad(r"lengths\[1\] is greater than the one before it.*enforce_sorted=False", ValueError,
        lambda: pack_padded_sequence(x, [2, 4]))  # fmt: skip
    bad(
        r"lengths \(3,\), expected one for each sequence",
        ValueError,
        lambda: pack_padded_sequence(x, [4, 2, 1]),
    )
    bad(r"lengths\[1\] is 0, expected 1 to T = 4", ValueError, lambda: pack_padded_sequence(x, [4, 0]))
    bad(r"lengths\[0\] is 5, expected 1 to T = 4", ValueError, lambda: pack_padded_sequence(x, [5, 0]))
    bad("lengths must be integers, got float32", TypeError, lambda: pack_padded_sequence(x, [4.0, 2.0]))
    bad(
        r"got shape \(4,\), expected a Tensor \(T, B",
        ValueError,
        lambda: pack_padded_sequence(x[:, 0, 0], [4]),
    )
    bad("got no sequences", RuntimeError, lambda: pad_sequence([]))
    bad(
        r"sequences\[1\] must be a Tensor \(length, ...\), got list",
        TypeError,
        lambda: pack_sequence([x, [1]]),
    )
    bad(
        'padding_side=\'up\', expected "left" or "right"',
        ValueError,
        lambda: pad_sequence([x], padding_side="up"),
    )


def test_what_cannot_be_padded_is_refused():
    packed = pack_sequence(sequences([3, 1]))
    bad(
        "total_length=2, expected at least .* 3",
        ValueError,
        lambda: pad_packed_sequence(packed, total_length=2),
    )
    bad("must be a PackedSequence, got Tensor", TypeError, lambda: pad_packed_sequence(packed.data))
    bad(r"lengths \(1,\)", ValueError, lambda: unpad_sequence(mg.zeros(4, 2, 3), [4]))
