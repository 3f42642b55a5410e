"""Floor 5: the same values as another dtype, on another device, or in memory of their own."""

from typing import Any

from minigrad import ops
from minigrad.backend import as_dtype, device_of
from minigrad.backend import device as device_type
from minigrad.tensor import Tensor

__all__ = ["clone"]
METHODS = ("clone", "contiguous", "to")
IN_PLACE = ()


def to(input: Tensor, *args: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """The tensor as another dtype, on another device, or like another tensor; itself if nothing changes."""
    for argument in args:
        if isinstance(argument, Tensor):
            dtype, device = argument.dtype, argument.device
        elif isinstance(argument, str) and argument.partition(":")[0] in ("cpu", "cuda"):
            device = argument
        elif argument is not None:
            dtype = argument
    if device is not None and device_of(input.array) != device_type(device):
        input = ops.move(input, device=str(device_type(device)), source=device_of(input.array))
    kind = input.dtype if dtype is None else as_dtype(dtype)
    return input if kind == input.dtype else ops.cast(input, dtype=kind)


def clone(input: Tensor) -> Tensor:
    """A copy in memory of its own; gradients pass to the original."""
    return ops.clone(input)


def contiguous(input: Tensor) -> Tensor:
    """The tensor itself if its memory is in order, else a copy that is."""
    return input if input.array.flags.c_contiguous else ops.clone(input)
