"""Connectionist temporal classification: the loss of a text whose letters' times are not known."""

import math
from collections.abc import Sequence
from itertools import accumulate

from minigrad import ops
from minigrad.backend import namespace
from minigrad.creation import full
from minigrad.errors import DTypeError, ShapeError
from minigrad.functions import cat, stack
from minigrad.tensor import Tensor, wrap

from .checks import check_indices, check_reduction, check_tensors
from .loss import reduced

__all__ = ["ctc_loss"]

Lengths = Tensor | Sequence[int] | int


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Lengths,
    target_lengths: Lengths,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """-ln p(text), where p sums over all ways to read the text in T steps    (Graves et al. 2006)

    Args:
        log_probs: logarithms of the probabilities of C letters, (T, N, C), or (T, C) of one text.
        targets: the texts (N, S), padded at the end, or all in a row, (the sum of target_lengths,); (S,) if
            there is only one.
        input_lengths, target_lengths: how many of the T steps and of the S letters count, for each text.
        blank: the letter that stands for none, and that parts two equal letters.
        reduction: "mean" divides each loss by the length of its text before it takes the mean.
        zero_infinity: whether a text that is too long for its steps counts 0, and not ∞; it has no gradient.

    >>> import minigrad as mg
    >>> chances = mg.tensor([[0.5, 0.5], [0.5, 0.5]])  # of two letters in two steps; 3 of 4 ways read "1"
    >>> mg.nn.functional.ctc_loss(chances.log(), mg.tensor([1]), 2, 1).exp().item()
    1.3333333730697632
    """
    check_reduction("ctc_loss", reduction)
    check_tensors("ctc_loss", log_probs, targets)
    if log_probs.ndim not in (2, 3) or log_probs.shape[0] == 0:
        raise ShapeError(
            f"ctc_loss(): log_probs {log_probs.shape}, expected (T, N, C) or (T, C) with T at least 1"
        )
    if log_probs.dtype == "float16":  # whose smallest logarithm would be too large
        wide = log_probs.float()
        return ctc_loss(wide, targets, input_lengths, target_lengths, blank, reduction, zero_infinity).half()
    batched = log_probs.ndim == 3
    if not batched:
        log_probs, targets = log_probs.unsqueeze(1), targets.unsqueeze(0)
    steps, count, classes = log_probs.shape
    if not 0 <= blank < classes:
        raise ValueError(f"ctc_loss(): blank {blank}, expected one of the letters [0, {classes - 1}]")
    times = _lengths("input_lengths", input_lengths, count, steps)
    letters = _lengths("target_lengths", target_lengths, count, targets.shape[-1] if targets.ndim else 0)
    losses = _losses(log_probs, _padded(targets, letters, blank, classes), times, letters, blank)
    xp = namespace(log_probs.array)
    if 0 in times:
        nothing = [0.0 if length == 0 else math.inf for length in letters]
        losses = ops.where(wrap(xp.asarray(times) == 0), wrap(xp.asarray(nothing, losses.dtype)), losses)
    if zero_infinity:
        losses = ops.where(losses == math.inf, 0.0, losses)
    if reduction == "mean":
        losses = losses / wrap(xp.asarray([max(length, 1) for length in letters], losses.dtype))
    return reduced(losses if batched else losses.squeeze(0), reduction)


def _losses(log_probs: Tensor, texts: Tensor, times: list[int], letters: list[int], blank: int) -> Tensor:
    """-ln p of each of the texts (N, S)."""
    xp = namespace(log_probs.array)
    count, length = texts.shape
    blanks = full((count, length + 1), blank, dtype=texts.dtype, device=texts.device)
    spread = stack([blanks[:, :length], texts], dim=2).reshape(count, 2 * length)
    spread = cat([spread, blanks[:, :1]], dim=1)  # (N, U): a blank before, between and after the letters
    places, lengths = 2 * length + 1, xp.asarray(letters).reshape(count, 1)
    skip = (spread[:, 2:] != blank) & (spread[:, 2:] != spread[:, : max(places - 2, 0)])
    skip = ops.pad(skip, widths=((min(places, 2), 0),), value=False)
    final = (xp.arange(places) == 2 * lengths) | (xp.arange(places) == 2 * lengths - 1)
    index = spread.expand(len(log_probs), count, places)
    chances = ops.gather(log_probs, index, dim=2)  # (T, N, U)
    return ops.ctc(chances, skip, wrap(xp.asarray(times)), wrap(final))


def _padded(targets: Tensor, letters: list[int], blank: int, classes: int) -> Tensor:
    """The texts (N, S), with blanks behind those that are shorter."""
    xp = namespace(targets.array)
    if targets.dtype.kind not in "iu":
        raise DTypeError(f"ctc_loss(): targets are {targets.dtype}, expected integers; convert with .long()")
    if targets.shape != ((sum(letters),) if targets.ndim == 1 else (len(letters), *targets.shape[1:2])):
        raise ShapeError(
            f"ctc_loss(): targets {targets.shape} for {len(letters)} texts, expected (N, S), or all letters "
            f"in a row, {(sum(letters),)}"
        )
    if targets.ndim == 1:
        ends, longest = list(accumulate(letters)), max(letters, default=0)
        starts = [end - length for end, length in zip(ends, letters, strict=True)]
        last = max(sum(letters) - 1, 0)
        index = [[min(start + place, last) for place in range(longest)] for start in starts]
        rows = xp.asarray(index, "int64").reshape(len(letters), longest)
        targets = ops.getitem(targets, index=(rows,)) if longest else targets.reshape(len(letters), 0)
    there = xp.arange(targets.shape[1]) < xp.asarray(letters, "int64").reshape(-1, 1)
    texts = targets.masked_fill(wrap(~there), blank)
    check_indices(f"ctc_loss() with C={classes} letters: targets", texts, classes)
    return texts


def _lengths(name: str, given: Lengths, count: int, most: int) -> list[int]:
    """The lengths as a list of ints, one for each text, none of them above `most`."""
    listed = given.tolist() if isinstance(given, Tensor) else given
    lengths = [listed] if isinstance(listed, int) else list(listed)
    if any(not isinstance(length, int) for length in lengths):
        raise TypeError(f"ctc_loss(): {name} {given}, expected integers")
    if len(lengths) != count or min(lengths, default=0) < 0 or max(lengths, default=0) > most:
        raise ValueError(f"ctc_loss(): {name} {lengths}, expected {count} numbers from 0 to {most}")
    return lengths
