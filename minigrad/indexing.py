"""Floor 4: what may stand between the brackets of x[...], and which elements it names.

NumPy's kinds and PyTorch's: integers, slices, None, Ellipsis, bools, and integer or bool arrays (also as
Tensors and lists). Integers are checked here, since CuPy wraps an index out of range in silence.
"""

import math
from typing import Any

from .backend import Array, common_namespace, is_array, namespace, numpy, refuse_outside
from .tensor import Tensor

ALL = slice(None)

# ------------------------------------------------------------------------------------------------ checking


def checked_index(array: Array, index: Any) -> tuple[Any, ...]:
    """The index in one step or two, each for NumPy to take, once its kinds and its range are found right.

    Beside arrays PyTorch takes integers first: x[0, :, [0, 1]] is x[0][:, [0, 1]], where NumPy would count
    the 0 as one of the arrays.
    """
    if type(index) is int and array.ndim and -array.shape[0] <= index < array.shape[0]:
        return (index if array.ndim > 1 else (index, ...),)  # the usual case
    several = isinstance(index, tuple)
    parts = tuple([_as_part(array, part) for part in (index if several else (index,))])
    taken = [dimensions_taken(part) for part in parts]
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
    kinds = {type(part) for part in parts}
    if bool in kinds or (int in kinds and any(map(is_array, parts))):
        return _in_two_steps(namespace(array), parts)
    if kinds <= {int} and len(parts) == array.ndim:
        return ((*parts, ...),)  # one element: a view of it, where NumPy would hand out a copy
    return (parts if several else parts[0],)


def _in_two_steps(xp: Any, parts: tuple) -> tuple[tuple, tuple]:
    """First integers, slices and new dimensions, then arrays; a bool picks from a new dimension of size 1."""
    first: list[Any] = []
    second: list[Any] = []
    for part in parts:
        if type(part) is bool:
            first.append(None)
            second.append(xp.zeros(int(part), "int64"))
        elif is_array(part):
            first += [ALL] * dimensions_taken(part)
            second.append(part)
        else:
            first.append(part)
            second += [part] if part is Ellipsis else [] if type(part) is int else [ALL]
    return tuple(first), tuple(second)


def _as_part(array: Array, part: Any) -> Any:
    """One part of an index: None, Ellipsis, a slice, a bool, an int, or an array that has dimensions."""
    if part is None or part is Ellipsis or type(part) is int or type(part) is bool:
        return part
    if isinstance(part, slice):
        return slice(
            *[None if bound is None else _as_integer(bound) for bound in (part.start, part.stop, part.step)]
        )
    if isinstance(part, Tensor):
        part = part.array
    if isinstance(part, list | tuple | range):
        part = numpy.asarray(part, dtype=None if len(part) else "int64")
    if not is_array(part):
        return bool(part) if isinstance(part, numpy.bool_) else _as_integer(part)
    if part.dtype.kind not in "biu":
        raise TypeError(f"indices must be int or bool, got {part.dtype}")
    if part.ndim == 0:
        return part.item()
    if namespace(part) is numpy:
        part = namespace(array).asarray(part)
    common_namespace("x[index]", (array, part))
    return part.copy()  # the gradient will ask for it as it is now; in C order, so that the last one is last


def _as_integer(value: Any) -> int:
    if not hasattr(value, "__index__"):
        raise TypeError(
            f"indices must be int, slice, None, ..., or int or bool tensors, got {type(value).__name__}"
        )
    return value.__index__()


def dimensions_taken(part: Any) -> int:
    """How many dimensions of the tensor one part of an index consumes."""
    if part is None or part is Ellipsis or type(part) is bool:
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
        refuse_outside(part, -shape[dim], shape[dim], lambda wrong, _place: _out_of_range(wrong, dim, shape))
    elif not -shape[dim] <= part < shape[dim]:
        raise IndexError(_out_of_range(part, dim, shape))


def _out_of_range(wrong: object, dim: int, shape: tuple[int, ...]) -> str:
    return f"index {wrong} is out of range for dimension {dim} of size {shape[dim]}, shape {shape}"


# ------------------------------------------------------------------------------------------------ counting


def may_repeat(index: Any) -> bool:
    """Can an index name an element twice? Integer arrays can; slices, and a bool mask alone, cannot."""
    arrays = index_arrays(index)
    return len(arrays) > 1 or (len(arrays) == 1 and arrays[0].dtype.kind != "b")


def index_arrays(index: Any) -> list[Array]:
    """The arrays among the parts of an index."""
    return [part for part in _parts(index) if is_array(part)]


def numbered(xp: Any, shape: tuple[int, ...], index: Any) -> tuple[Array, int, tuple[int, ...]]:
    """(rows, count, rest) such that x[index] = x.reshape(count, *rest)[rows] for every x of `shape`.

    The dimensions at the end that the index leaves alone are the rest: few rows are quick to number.
    """
    parts = list(_parts(index))
    place = next((place for place, part in enumerate(parts) if part is Ellipsis), len(parts))
    parts[place : place + 1] = [ALL] * (len(shape) - sum(map(dimensions_taken, parts)))
    while isinstance(parts[-1], slice) and parts[-1] == ALL:
        parts.pop()
    leading = shape[: sum(map(dimensions_taken, parts))]
    count, rest = math.prod(leading), shape[len(leading) :]
    if len(parts) == 1 and parts[0].dtype.kind != "b":
        return parts[0], count, rest
    return xp.arange(count).reshape(leading)[tuple(parts)], count, rest


def _parts(index: Any) -> tuple:
    return index if isinstance(index, tuple) else (index,)


# ------------------------------------------------------------------------------------------------ along a dim


def grid_along(index: Array, dim: int) -> tuple[Array, ...]:
    """The index into x that takes `index` in dimension `dim`, and in all others the place where it stands."""
    xp, dims = namespace(index), range(index.ndim)
    grid = [xp.arange(size).reshape(-1, *[1] * (index.ndim - 1 - d)) for d, size in enumerate(index.shape)]
    return tuple(index.copy() if d == dim else grid[d] for d in dims)


def numbered_along(index: Array, shape: tuple[int, ...], dim: int) -> Array:
    """Where the elements of x, of `shape`, that `index` names along `dim` stand in x.reshape(-1)."""
    numbers, stride = 0, 1
    for d, part in reversed(list(enumerate(grid_along(index, dim % len(shape))))):
        numbers, stride = part.astype("int64", copy=False) * stride + numbers, stride * shape[d]
    return numbers
