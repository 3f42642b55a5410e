"""Floor 4: what may stand between the brackets of x[...].

NumPy's kinds and PyTorch's: integers, slices, None, Ellipsis, and integer or bool arrays (also as Tensors
and lists). Integers are checked here, since CuPy wraps an index out of range in silence.
"""

from typing import Any

from .backend import Array, is_array, namespace
from .tensor import Tensor


def checked_index(array: Array, index: Any) -> Any:
    """The index with Tensors and lists as arrays, once its kinds and its range are found to be right."""
    several = isinstance(index, tuple)
    parts = tuple(_as_part(namespace(array), part) for part in (index if several else (index,)))
    taken = [_dimensions_taken(part) for part in parts]
    if sum(taken) > array.ndim:
        raise IndexError(f"too many indices: got {sum(taken)} for a tensor of shape {array.shape}")
    ellipses = [place for place, part in enumerate(parts) if part is Ellipsis]
    if len(ellipses) > 1:
        raise IndexError("an index can have only one Ellipsis (...)")
    dim = 0
    for place, part in enumerate(parts):
        if part is Ellipsis:
            dim = array.ndim - sum(taken[place + 1 :])
        else:
            _check_range(part, array.shape, dim)
            dim += taken[place]
    if sum(taken) == array.ndim and not ellipses and all(isinstance(part, int) for part in parts):
        return (*parts, Ellipsis)  # one element: a view of it, where NumPy would hand out a copy
    return parts if several else parts[0]


def _as_part(xp: Any, part: Any) -> Any:
    """One part of an index, as the array library takes it."""
    if part is None or part is Ellipsis or isinstance(part, bool):
        return part
    if isinstance(part, slice):
        return slice(
            *[None if bound is None else _as_integer(bound) for bound in (part.start, part.stop, part.step)]
        )
    if isinstance(part, Tensor):
        part = part.array
    if isinstance(part, list | tuple):
        part = xp.asarray(part, dtype="int64" if not part else None)
    if is_array(part):
        if part.dtype.kind not in "biu":
            raise TypeError(f"indices must be int or bool, got {part.dtype}")
        if part.ndim == 0 and part.dtype.kind != "b":
            return part.item()
        return part.copy()  # the gradient will ask for it as it is now
    return _as_integer(part)


def _as_integer(value: Any) -> int:
    if not hasattr(value, "__index__"):
        raise TypeError(
            f"indices must be int, slice, None, ..., or int or bool tensors, got {type(value).__name__}"
        )
    return value.__index__()


def _dimensions_taken(part: Any) -> int:
    """How many dimensions of the tensor one part of an index consumes."""
    if part is None or part is Ellipsis or isinstance(part, bool):
        return 0
    return part.ndim if is_array(part) and part.dtype.kind == "b" else 1


def _check_range(part: Any, shape: tuple[int, ...], dim: int) -> None:
    """IndexError if an integer does not exist in dimension `dim`, or a bool mask is not of its size."""
    if part is None or isinstance(part, slice | bool):
        return
    if is_array(part):
        if part.dtype.kind == "b":
            if part.shape != shape[dim : dim + part.ndim]:
                raise IndexError(
                    f"bool index of shape {part.shape} does not match {shape[dim : dim + part.ndim]}"
                )
            return
        if part.size == 0:
            return
        low, high = int(part.min()), int(part.max())
    else:
        low = high = part
    size = shape[dim]
    if low < -size or high >= size:
        wrong = low if low < -size else high
        raise IndexError(f"index {wrong} is out of range for dimension {dim} of size {size}, shape {shape}")
