"""Floor 5: the same values as another dtype, on another device, or in memory of their own."""

from typing import Any

from minigrad import ops
from minigrad.backend import as_dtype, device_of, in_pinned_memory, pinned
from minigrad.backend import device as device_type
from minigrad.tensor import Tensor, wrap

__all__ = ["clone"]
METHODS = ("clone", "contiguous", "cpu", "cuda", "is_pinned", "pin_memory", "to")
IN_PLACE = ()


def to(
    input: Tensor,
    *args: Any,
    dtype: Any = None,
    device: Any = None,
    non_blocking: bool = False,
    copy: bool = False,
) -> Tensor:
    """The tensor as another dtype, on another device, or like another tensor; itself if nothing changes.

    With `non_blocking`, a copy to a GPU of what lies in pinned memory goes on beside the program. With `copy`
    it is never the tensor itself.
    """
    came = input
    for argument in args:
        if isinstance(argument, Tensor):
            dtype, device = argument.dtype, argument.device
        elif isinstance(argument, str) and argument.partition(":")[0] in ("cpu", "cuda"):
            device = argument
        elif argument is not None:
            dtype = argument
    if device is not None and device_of(input.array) != device_type(device):
        places = {"device": str(device_type(device)), "source": device_of(input.array)}
        input = ops.move(input, **places, non_blocking=non_blocking)
    kind = input.dtype if dtype is None else as_dtype(dtype)
    if kind != input.dtype:
        return ops.cast(input, dtype=kind)
    return ops.clone(input) if copy and input is came else input


def cpu(input: Tensor) -> Tensor:
    """The tensor in main memory."""
    return to(input, "cpu")


def cuda(input: Tensor, device: Any = None, non_blocking: bool = False) -> Tensor:
    """The tensor on a GPU: the first, or one given by its number or its name."""
    place = "cuda" if device is None else f"cuda:{device}" if isinstance(device, int) else device
    return to(input, place, non_blocking=non_blocking)


def pin_memory(input: Tensor) -> Tensor:
    """A copy in page-locked memory of the host, from which a GPU copies beside the program's work.

    The tensor itself where it is pinned already, or lies on a GPU. DeviceError without a GPU.
    """
    if input.node is not None:
        raise RuntimeError(
            "pin_memory(): the tensor requires grad; pin what is read from the data, not results"
        )
    return input if input.device != "cpu" or is_pinned(input) else wrap(pinned(input.array))


def is_pinned(input: Tensor) -> bool:
    """Does the tensor lie in page-locked memory of the host?"""
    return in_pinned_memory(input.array)


def clone(input: Tensor) -> Tensor:
    """A copy in memory of its own; gradients pass to the original."""
    return ops.clone(input)


def contiguous(input: Tensor) -> Tensor:
    """The tensor itself if its memory is in order, else a copy that is."""
    return input if input.array.flags.c_contiguous else ops.clone(input)
