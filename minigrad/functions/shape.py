"""Floor 5: functions that move elements and change none; see functions/__init__.py."""

import math
from collections.abc import Sequence
from typing import Any

from minigrad import ops
from minigrad.backend import result_dtype
from minigrad.errors import ShapeError, normalise_dim, normalise_dims
from minigrad.tensor import Tensor

__all__ = [
    "cat", "chunk", "flatten", "flip", "narrow", "permute", "reshape", "split", "squeeze", "stack", "t",
    "transpose", "tril", "triu", "unbind", "unsqueeze",
]  # fmt: skip
METHODS = (
    *(name for name in __all__ if name not in ("cat", "stack")),
    *("expand", "expand_as", "sum_to_size", "view"),
)
IN_PLACE = ()

Dims = int | Sequence[int] | None
_reshape, _permute = ops.reshape.fast, ops.permute.fast  # 0.4 µs quicker than by way of the card
_INT = {int}


def _sizes(size: tuple) -> tuple[int, ...]:
    """`f(x, 2, 3)` and `f(x, (2, 3))` both mean (2, 3)."""
    return tuple(size[0]) if len(size) == 1 and isinstance(size[0], tuple | list) else size


def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The same elements in another shape, a view where possible; one size may be -1, to be computed."""
    sizes = _sizes(shape)
    if {*map(type, sizes)} <= _INT and min(sizes, default=0) >= 0 and math.prod(sizes) == input.array.size:
        return _reshape(input, shape=sizes)  # the usual case; what follows is for -1, and for mistakes
    for size in sizes:
        if not hasattr(size, "__index__") or isinstance(size, bool):
            raise TypeError(f"reshape(): sizes must be ints, got {type(size).__name__} {size!r}")
    sizes = tuple(int(size) for size in sizes)
    count, unknown = math.prod(s for s in sizes if s != -1), sizes.count(-1)
    if unknown > 1:
        raise ShapeError(f"reshape(): shape {sizes} has {unknown} sizes of -1, expected only one -1")
    elements = input.array.size
    fits = elements == count if not unknown else (count != 0 and elements % count == 0)
    if not fits or _has_negative(sizes):
        raise ShapeError(
            f"reshape(): shape {sizes} is impossible for {elements} elements of shape {input.shape}; "
            "the product of the sizes must equal the number of elements"
        )
    return ops.reshape(input, shape=tuple(elements // count if size == -1 else size for size in sizes))


def _has_negative(sizes: tuple[int, ...]) -> bool:
    """Is a size below -1?"""
    return bool([size for size in sizes if size < -1])


def view(input: Tensor, *shape: Any) -> Tensor:
    """The same memory in another shape. ShapeError if that needs a copy."""
    if len(shape) == 1 and not isinstance(shape[0], tuple | list | int):
        raise TypeError(f"view(): expected sizes, got {shape[0]!r}; a change of dtype is .to(dtype)")
    seen = reshape(input, *shape)
    if seen.view_of is None and input.array.size:
        raise ShapeError(
            f"view(): shape {seen.shape} cannot view the strides of shape {input.shape}; use .reshape()"
        )
    return seen


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions `start_dim` to `end_dim` as one."""
    if input.ndim == 0:
        return ops.reshape(input, shape=(1,))
    first = normalise_dim("flatten", start_dim, input.ndim)
    last = normalise_dim("flatten", end_dim, input.ndim)
    if first > last:
        raise ValueError(f"flatten(): start_dim {start_dim} comes after end_dim {end_dim}")
    middle = math.prod(input.shape[first : last + 1])
    return ops.reshape(input, shape=(*input.shape[:first], middle, *input.shape[last + 1 :]))


def squeeze(input: Tensor, dim: Dims = None) -> Tensor:
    """Without dimensions of size 1: all of them, or those of `dim` that have size 1."""
    chosen = range(input.ndim) if dim is None else normalise_dims("squeeze", dim, input.ndim)
    kept = tuple(s for i, s in enumerate(input.shape) if s != 1 or i not in chosen)
    return ops.reshape(input, shape=kept)


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new dimension of size 1 at `dim`."""
    place = normalise_dim("unsqueeze", dim, input.ndim + 1)
    return ops.reshape(input, shape=(*input.shape[:place], 1, *input.shape[place:]))


def permute(input: Tensor, *dims: Any) -> Tensor:
    """The dimensions in the order `dims`."""
    order = normalise_dims("permute", _sizes(dims), input.ndim)
    if len(order) != input.ndim:
        raise ShapeError(
            f"permute(): got dims {_sizes(dims)}, expected each of the {input.ndim} dimensions once"
        )
    return ops.permute(input, dims=order)


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """With two dimensions exchanged."""
    first = normalise_dim("transpose", dim0, input.ndim)
    second = normalise_dim("transpose", dim1, input.ndim)
    order = list(range(input.ndim))
    if order:
        order[first], order[second] = second, first
    return _permute(input, dims=tuple(order))


def t(input: Tensor) -> Tensor:
    """A matrix transposed; a vector or a number as it is."""
    if input.ndim > 2:
        raise ShapeError(
            f"t(): expected at most 2 dimensions, got shape {input.shape}; use .mT or .transpose()"
        )
    return ops.mT(input) if input.ndim == 2 else input


def expand(input: Tensor, *size: Any) -> Tensor:
    """Seen at a larger size: dimensions of size 1 are repeated without a copy; -1 keeps a size."""
    sizes = _sizes(size)
    extra = len(sizes) - input.ndim
    kept = tuple(input.shape[i - extra] if s == -1 and i >= extra else s for i, s in enumerate(sizes))
    fits = extra >= 0 and not _misfits(input.shape, kept[extra:])
    if not fits or _has_negative(kept) or -1 in kept:
        raise ShapeError(
            f"expand(): shape {input.shape} does not expand to {tuple(sizes)}; only sizes of 1 can grow"
        )
    return ops.broadcast_to(input, shape=kept)


def _misfits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> list[int]:
    """The sizes of `shape` that are neither 1 nor as wanted."""
    return [size for size, want in zip(shape, wanted, strict=True) if size not in (1, want)]


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Expanded to the size of `other`."""
    return expand(input, other.shape)


def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """The sum over the dimensions that broadcasting from `size` would stretch: the adjoint of expand."""
    return ops.sum_to(input, shape=_sizes(size))


def _same_kind(name: str, tensors: Sequence[Tensor]) -> list[Tensor]:
    """The tensors of cat and stack, checked and brought to one type."""
    items = list(tensors)
    if not items:
        raise ValueError(f"{name}(): expected at least one tensor, got none")
    for i, item in enumerate(items):
        if not isinstance(item, Tensor):
            raise TypeError(f"{name}(): expected tensors, got {type(item).__name__} at position {i}")
    if len({item.dtype for item in items}) > 1:
        from_all = result_dtype([item.array for item in items])
        items = [ops.cast(item, dtype=from_all) for item in items]
    return items


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors one behind the other along `dim`; all other sizes must be equal."""
    items = _same_kind("cat", tensors)
    first = items[0]
    if first.ndim == 0:
        raise ShapeError("cat(): 0-d tensors have no dimension to lie along; use stack()")
    place = normalise_dim("cat", dim, first.ndim)
    for i, item in enumerate(items):
        others = (*item.shape[:place], *item.shape[place + 1 :])
        if item.ndim != first.ndim or others != (*first.shape[:place], *first.shape[place + 1 :]):
            raise ShapeError(
                f"cat(): tensor {i} has shape {item.shape}, expected {first.shape} but for dimension {place}"
            )
    return ops.cat(*items, dim=place)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors side by side along a new dimension `dim`; all shapes must be equal."""
    items = _same_kind("stack", tensors)
    for i, item in enumerate(items):
        if item.shape != items[0].shape:
            raise ShapeError(f"stack(): tensor {i} has shape {item.shape}, expected {items[0].shape}")
    return ops.stack(*items, dim=normalise_dim("stack", dim, items[0].ndim + 1))


def _existing_dim(name: str, dim: int, input: Tensor) -> int:
    """`dim` counted from the front; unlike a reduction, a cut needs a dimension that is there."""
    if input.ndim == 0:
        raise ShapeError(f"{name}(): a 0-d tensor has no dimension to cut along; use .reshape(1) first")
    return normalise_dim(name, dim, input.ndim)


def split(input: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces along `dim`: each of one size (the last perhaps smaller), or of the sizes given."""
    place = _existing_dim("split", dim, input)
    size = split_size_or_sections
    lengths = ops.split_sizes("split", input.shape[place], size if isinstance(size, int) else tuple(size))
    pieces, start = [], 0
    for length in lengths:
        pieces.append(ops.narrow(input, dim=place, start=start, length=length))
        start += length
    return tuple(pieces)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` pieces of equal size along `dim`."""
    if chunks <= 0:
        raise ValueError(f"chunk(): chunks must be positive, got {chunks}")
    place = _existing_dim("chunk", dim, input)
    size = -(-input.shape[place] // chunks)
    return split(input, size, place) if size else tuple(input for _ in range(chunks))


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along `dim`, which disappears."""
    place = _existing_dim("unbind", dim, input)
    return tuple(ops.select(input, dim=place, index=i) for i in range(input.shape[place]))


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """`length` entries from `start` on along `dim`."""
    place = _existing_dim("narrow", dim, input)
    size = input.shape[place]
    first = start + size if start < 0 else start
    if not (0 <= first <= size and 0 <= length <= size - first):
        raise IndexError(
            f"narrow(): start {start}, length {length} out of range for dimension {place} of size {size}"
        )
    return ops.narrow(input, dim=place, start=first, length=length)


def flip(input: Tensor, *dims: Any) -> Tensor:
    """With the order along `dims` reversed."""
    return ops.flip(input, dims=normalise_dims("flip", _sizes(dims), input.ndim))


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of each matrix, zero above diagonal number `diagonal`."""
    return ops.tril(input, diagonal=diagonal)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of each matrix, zero below diagonal number `diagonal`."""
    return ops.triu(input, diagonal=diagonal)
