"""Sequences of different lengths in one batch: padded to the longest, or packed without any padding.

Shapes: T steps of the longest sequence, B sequences, N steps of all sequences together, `...` a single step.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

from minigrad import ops
from minigrad.backend import Array, namespace, numpy, refuse_outside
from minigrad.creation import as_tensor, full, tensor
from minigrad.errors import DTypeError, ShapeError
from minigrad.tensor import Tensor


class _Parts(NamedTuple):
    """The four parts of a PackedSequence."""

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Parts):
    """The steps of a batch of sequences, longest sequence first: all first steps, all second ones, and so on.

    Made by `pack_sequence` and `pack_padded_sequence`; RNN, LSTM and GRU take one and return one. A function
    of single steps is applied by `PackedSequence(function(packed.data), *packed[1:])`.

    Args:
        data: the steps, (N, ...).
        batch_sizes: how many sequences have a first step, a second one, ..., (T,); always on the CPU.
        sorted_indices: which sequence of the batch comes first, second, ..., (B,); None: in their own order.
        unsorted_indices: its inverse, found if left out.

    >>> from minigrad import tensor
    >>> packed = pack_sequence([tensor([1, 2, 3]), tensor([4, 5])])
    >>> packed.data.tolist(), packed.batch_sizes.tolist()
    ([1, 4, 2, 5, 3], [2, 2, 1])
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Tensor,
        batch_sizes: Tensor,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:
        """Take the four parts, and invert `sorted_indices` if its inverse is not given."""
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """The same steps in another dtype or on another device; arguments as in `Tensor.to`."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        order, inverse = (None if i is None else i.to(data.device) for i in self[2:])
        return type(self)(data, self.batch_sizes, order, inverse)

    def cpu(self) -> Self:
        """The same steps on the CPU."""
        return self.to("cpu")

    def cuda(self) -> Self:
        """The same steps on the GPU."""
        return self.to("cuda")

    def float(self) -> Self:
        """The same steps in float32."""
        return self.to("float32")

    def double(self) -> Self:
        """The same steps in float64."""
        return self.to("float64")

    def half(self) -> Self:
        """The same steps in float16."""
        return self.to("float16")


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes this one; None undoes None.

    >>> from minigrad import tensor
    >>> invert_permutation(tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    return None if permutation is None else Tensor(permutation.array.argsort())


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Leave the padding of `input` (T, B, ...) away; with `batch_first` it is (B, T, ...).

    lengths (B,) says how many steps are real.  With `enforce_sorted` they have to be given in decreasing
    order; without it they are brought into that order here, and the result remembers the original one.
    """
    if not isinstance(input, Tensor) or input.ndim < 2:
        came = f"shape {input.shape}" if isinstance(input, Tensor) else type(input).__name__
        raise ShapeError(f"pack_padded_sequence(): got {came}, expected a Tensor (T, B, ...) or (B, T, ...)")
    x = input.transpose(0, 1) if batch_first else input  # (T, B, ...)
    counts = checked_lengths("pack_padded_sequence()", lengths, *x.shape[:2]).to("cpu").array  # (B,)
    order = None
    if not enforce_sorted:
        order = tensor((-counts).argsort(kind="stable"), device=x.device)
        x, counts = x[:, order], -numpy.sort(-counts)
    elif (position := _first_increase(counts)) is not None:
        raise ValueError(
            f"pack_padded_sequence(): lengths[{position}] is greater than the one before it: with "
            "enforce_sorted=True the longest sequence comes first; pass enforce_sorted=False"
        )
    running = numpy.arange(counts[0])[:, None] < counts  # (T, B)
    sizes = Tensor(running.sum(axis=1))
    return PackedSequence(x[: len(running)][_mask_for(x, running)], sizes, order)


def pad_packed_sequence(
    sequence: Any,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Put the padding back: the sequences (T, B, ...) in their original order, and their lengths (B,).

    padding_value    what stands after the end of a sequence
    total_length     T, if it is to be more than the length of the longest sequence

    >>> from minigrad import tensor
    >>> packed = pack_sequence([tensor([4, 5]), tensor([1, 2, 3])], enforce_sorted=False)
    >>> padded, lengths = pad_packed_sequence(packed, batch_first=True)
    >>> padded.tolist(), lengths.tolist()
    ([[4, 5, 0], [1, 2, 3]], [2, 3])
    """
    if not isinstance(sequence, PackedSequence):
        came = type(sequence).__name__
        raise TypeError(f"pad_packed_sequence(): sequence must be a PackedSequence, got {came}")
    longest = sequence.batch_sizes.shape[0]
    if total_length is not None and total_length < longest:
        raise ValueError(
            f"pad_packed_sequence(): total_length={total_length}, expected at least the length of the "
            f"longest sequence, {longest}"
        )
    padded, lengths = padded_in_order(sequence, padding_value, total_length)
    if sequence.unsorted_indices is not None:
        padded, lengths = padded[:, sequence.unsorted_indices], lengths[sequence.unsorted_indices.to("cpu")]
    return padded.transpose(0, 1) if batch_first else padded, lengths


def padded_in_order(
    sequence: PackedSequence, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The sequences (T, B, ...), longest first, and their lengths (B,)."""
    data, running = sequence.data, _running(sequence)  # (N, ...), (T, B)
    steps = len(running) if total_length is None else total_length
    mask = numpy.zeros((steps, running.shape[1]), bool)
    mask[: len(running)] = running
    padding = full((*mask.shape, *data.shape[1:]), padding_value, dtype=data.dtype, device=data.device)
    return ops.setitem(padding, data, index=(_mask_for(data, mask).array,)), Tensor(running.sum(axis=0))


def packed_like(padded: Tensor, sequence: PackedSequence) -> PackedSequence:
    """The steps of `padded` (T, B, ...), whose sequences are ordered and as long as those of `sequence`."""
    return PackedSequence(padded[_mask_for(padded, _running(sequence))], *sequence[1:])


def pad_sequence(
    sequences: Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences of (length, ...) side by side, (T, B, ...) or with `batch_first` (B, T, ...).

    padding_side    "right": what a sequence lacks stands after its end; "left": before its first step

    >>> from minigrad import tensor
    >>> pad_sequence([tensor([4, 5]), tensor([1, 2, 3])], batch_first=True)
    tensor([[4, 5, 0],
            [1, 2, 3]])
    """
    listed = _sequences("pad_sequence()", sequences)
    if padding_side not in ("left", "right"):
        raise ValueError(f'pad_sequence(): padding_side={padding_side!r}, expected "left" or "right"')
    steps = ops.cat(*listed, dim=0)  # (N, ...)
    counts = numpy.array([len(sequence) for sequence in listed])
    place = numpy.arange(counts.max())
    if padding_side == "left":
        place = place[::-1]
    mask = _mask_for(steps, place < counts[:, None])  # (B, T)
    padding = full((*mask.shape, *steps.shape[1:]), padding_value, dtype=steps.dtype, device=steps.device)
    padded = ops.setitem(padding, steps, index=(mask.array,))
    return padded if batch_first else padded.transpose(0, 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """The sequences (length, ...) one by one: what `pad_sequence` had put side by side."""
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)  # (B, T, ...)
    counts = checked_lengths("unpad_sequence()", lengths, rows.shape[1], rows.shape[0])
    return [row[:count] for row, count in zip(rows, counts.tolist(), strict=True)]


def pack_sequence(sequences: Iterable[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences of (length, ...); `enforce_sorted` as in `pack_padded_sequence`."""
    listed = _sequences("pack_sequence()", sequences)
    lengths = [len(sequence) for sequence in listed]
    return pack_padded_sequence(pad_sequence(listed), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences (length, ...) one by one, in their original order: what `pack_sequence` was given."""
    return unpad_sequence(*pad_packed_sequence(packed_sequences))


def checked_lengths(caller: str, lengths: Any, steps: int, batch: int) -> Tensor:
    """`lengths` as a Tensor (B,) of ints in [1, T], or the error that says what is wrong.

    On a GPU, which is not waited for, the error for a length out of range comes when values next reach the
    host.
    """
    lengths = as_tensor(lengths)
    if lengths.dtype.kind not in "iu":
        raise DTypeError(f"{caller}: lengths must be integers, got {lengths.dtype}")
    if lengths.shape != (batch,):
        raise ShapeError(
            f"{caller}: lengths {lengths.shape}, expected one for each sequence, (B,) = {(batch,)}"
        )

    def error(wrong: object, place: object) -> str:
        return f"{caller}: lengths[{place}] is {wrong}, expected 1 to T = {steps}"

    refuse_outside(lengths.array, 1, steps + 1, error, ValueError)
    return lengths


def _sequences(caller: str, sequences: Iterable[Tensor]) -> Sequence[Tensor]:
    """The sequences as a list, in which there is at least one, and all are Tensors."""
    listed = list(sequences)
    if not listed:
        raise ShapeError(f"{caller}: got no sequences, expected at least one")
    for position, sequence in enumerate(listed):
        if not isinstance(sequence, Tensor) or sequence.ndim == 0:
            came = "a Tensor of shape ()" if isinstance(sequence, Tensor) else type(sequence).__name__
            raise TypeError(f"{caller}: sequences[{position}] must be a Tensor (length, ...), got {came}")
    return listed


def _first_increase(counts: Array) -> int | None:
    """The first place at which a number is greater than the one before it."""
    increases = numpy.flatnonzero(counts[1:] > counts[:-1])
    return int(increases[0]) + 1 if increases.size else None


def _running(sequence: PackedSequence) -> Array:
    """Which of the sequences, longest first, have a step t: (T, B)."""
    sizes = sequence.batch_sizes.array
    return numpy.arange(sizes[0]) < sizes[:, None]


def _mask_for(x: Tensor, mask: Array) -> Tensor:
    """The mask where x is."""
    return Tensor(namespace(x.array).asarray(mask))
