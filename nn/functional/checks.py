"""What the functions of a layer say of input that does not fit."""

from collections.abc import Sequence

import numpy as np

from minigrad.backend import refuse_outside
from minigrad.errors import DTypeError, ShapeError, broadcast_error
from minigrad.tensor import Tensor


def tensor_expected(caller: str, value: object) -> TypeError:
    """The error for an input that is no Tensor."""
    kind = type(value).__name__
    return TypeError(f"{caller}: expected a Tensor, got {kind}; make one with minigrad.tensor(...)")


def check_tensors(caller: str, *values: object) -> None:
    """TypeError unless all are Tensors."""
    for value in values:
        if not isinstance(value, Tensor):
            raise tensor_expected(f"{caller}()", value)


def check_probability(caller: str, p: float, name: str = "p") -> None:
    """ValueError unless p lies in [0, 1]."""
    if not 0 <= p <= 1:
        raise ValueError(f"{caller}(): {name}={p!r}, expected a probability in [0, 1]")


def check_reduction(caller: str, reduction: str) -> None:
    """ValueError unless the reduction is one of the three."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f'{caller}(): reduction {reduction!r}, expected "mean", "sum" or "none"')


def check_alike(caller: str, **tensors: Tensor) -> None:
    """TypeError unless all are Tensors, ShapeError unless they have one shape."""
    check_tensors(caller, *tensors.values())
    if len({tensor.shape for tensor in tensors.values()}) > 1:
        came = " and ".join(f"{name} {tensor.shape}" for name, tensor in tensors.items())
        raise ShapeError(f"{caller}(): {came} must have the same shape")


def check_broadcast(caller: str, *tensors: Tensor) -> None:
    """TypeError unless all are Tensors, ShapeError unless their shapes broadcast together."""
    check_tensors(caller, *tensors)
    shapes = [tensor.shape for tensor in tensors]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        raise broadcast_error(caller, shapes) from None


def check_indices(caller: str, indices: Tensor, count: int, ignored: int | None = None) -> bool:
    """TypeError unless indices are integers, IndexError unless each lies in [0, count) or is `ignored`.

    Returns whether all are known to lie in [0, count).
    """
    if not isinstance(indices, Tensor):
        raise tensor_expected(caller, indices)
    array = indices.array
    if array.dtype.kind not in "iu":
        raise DTypeError(f"{caller}: indices must be integers, got {array.dtype}; convert with .long()")

    def error(wrong: object, place: object) -> str:
        return f"{caller}: index {wrong} at position {place}, expected [0, {count - 1}]"

    return refuse_outside(array, 0, count, error, ignored=ignored)


def sizes(caller: str, name: str, value: int | Sequence[int], dims: int, least: int = 1) -> tuple[int, ...]:
    """A size for each of `dims` dimensions, where one may stand for all; ValueError for one below `least`."""
    listed = tuple(value) if isinstance(value, Sequence) else (value,)
    if any(not hasattr(size, "__index__") for size in listed):
        raise TypeError(f"{caller}(): {name} {value!r}, expected an int or {dims} of them")
    found = listed * dims if len(listed) == 1 else listed
    if len(found) != dims or min(found) < least:
        raise ValueError(f"{caller}(): {name} {value!r}, expected an int or {dims} of them, each >= {least}")
    return tuple(int(size) for size in found)


def with_batch(caller: str, input: Tensor, dims: int) -> tuple[Tensor, bool]:
    """The input (N, C, *) with N = 1 where it was not there, and whether it was; * are `dims` dimensions."""
    check_tensors(caller, input)
    if input.ndim not in (dims + 1, dims + 2):
        layout = {1: "C, L", 2: "C, H, W", 3: "C, D, H, W"}[dims]
        raise ShapeError(f"{caller}(): input {input.shape}, expected (N, {layout}) or ({layout})")
    batched = input.ndim == dims + 2
    return (input if batched else input.unsqueeze(0)), batched
