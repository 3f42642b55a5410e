"""Padding: what lies around a tensor."""

import math
from collections.abc import Sequence

from minigrad import ops
from minigrad.errors import ShapeError
from minigrad.functions.rearranging import repeat_interleave
from minigrad.tensor import Tensor

from .checks import check_tensors

__all__ = ["pad"]

MODES = ("constant", "reflect", "replicate", "circular")


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """The input with `pad` more elements around it: (left, right, top, bottom, ...), last dimension first.

    A negative number takes elements away. What is added depends on the mode: `value`, or 0, in "constant"; in
    "reflect" what a mirror at the first and the last element shows; in "replicate" these elements themselves;
    in "circular" what stands at the opposite end.

    >>> import minigrad as mg
    >>> mg.nn.functional.pad(mg.tensor([[1, 2, 3]]), (2, 1), mode="reflect").tolist()
    [[3, 2, 1, 2, 3, 2]]
    """
    check_tensors("pad", input)
    if mode not in MODES:
        raise ValueError(f"pad(): mode {mode!r}, expected one of {', '.join(MODES)}")
    if value is not None and mode != "constant":
        raise ValueError(f"pad(): value {value} has no meaning in mode {mode!r}, only in 'constant'")
    if len(pad) % 2 or len(pad) > 2 * input.ndim:
        raise ShapeError(
            f"pad(): got {len(pad)} widths for shape {input.shape}, expected two for each dimension, "
            "the last dimension first"
        )
    widths = {-1 - i: (pad[2 * i], pad[2 * i + 1]) for i in range(len(pad) // 2)}
    for dim, (before, after) in widths.items():
        input = _cropped(input, dim, max(-before, 0), max(-after, 0))
    added = {dim: (max(before, 0), max(after, 0)) for dim, (before, after) in widths.items()}
    if mode == "constant":
        return ops.pad(input, widths=tuple(reversed(added.values())), value=0 if value is None else value)
    growing = {dim: both for dim, both in added.items() if any(both)}
    for dim, (before, after) in growing.items():
        input = _continued(input, dim, before, after, mode)
    return input if growing else ops.clone(input)


def _cropped(input: Tensor, dim: int, before: int, after: int) -> Tensor:
    """Without the first and the last elements along a dimension."""
    length = input.shape[dim] - before - after
    if length < 0:
        raise ShapeError(
            f"pad(): {before} and {after} elements to be taken away, of dimension {dim} of {input.shape}"
        )
    return ops.narrow(input, dim=dim, start=before, length=length) if before or after else input


def _continued(input: Tensor, dim: int, before: int, after: int, mode: str) -> Tensor:
    """Continued beyond both ends of a dimension, by its own elements."""
    size = input.shape[dim]
    most = {"reflect": max(size - 1, 0), "circular": size, "replicate": math.inf if size else 0}[mode]
    if max(before, after) > most:
        raise ShapeError(
            f"pad(): {before} and {after} elements beside dimension {dim} of {input.shape}, expected at most "
            f"{most} in mode {mode!r}"
        )
    if mode == "circular":
        first, last = _part(input, dim, size - before, before), _part(input, dim, 0, after)
    elif mode == "reflect":
        mirrored = _part(input, dim, 1, before), _part(input, dim, size - 1 - after, after)
        first, last = (ops.flip(part, dims=(dim,)) for part in mirrored)
    else:
        sides = (_part(input, dim, 0, 1), before), (_part(input, dim, size - 1, 1), after)
        first, last = (repeat_interleave(edge, count, dim) for edge, count in sides)
    return ops.cat(first, input, last, dim=dim)


def _part(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    return ops.narrow(input, dim=dim, start=start, length=length)
