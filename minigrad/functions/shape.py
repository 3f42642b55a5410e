"""Floor 5: functions that show the same elements in another shape or order: views, where that is possible."""

import math
from collections.abc import Sequence
from typing import Any

import numpy

from minigrad import ops
from minigrad.errors import ShapeError, broadcast_error, normalise_dim, normalise_dims, normalise_sizes
from minigrad.tensor import Tensor

from .shape_checks import given_tensors

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_tensors", "broadcast_to", "flatten", "moveaxis",
    "movedim", "permute", "ravel", "reshape", "squeeze", "swapaxes", "swapdims", "t", "transpose",
    "unflatten", "unsqueeze",
]  # fmt: skip
METHODS = (
    *(
        name
        for name in __all__
        if name not in ("atleast_1d", "atleast_2d", "atleast_3d", "broadcast_tensors")
    ),
    *("expand", "expand_as", "reshape_as", "sum_to_size", "view", "view_as"),
)
IN_PLACE = ()

Dims = int | Sequence[int] | None
_reshape, _permute = ops.reshape.fast, ops.permute.fast  # 0.4 µs quicker than by way of the card
_INT = {int}

# ------------------------------------------------------------------------------------------------ shape


def reshape(input: Tensor, *sizes: Any, shape: Any = None) -> Tensor:
    """The same elements in another shape, a view where possible; one size may be -1, to be computed.

    >>> import minigrad as mg
    >>> mg.arange(6).reshape(2, -1).tolist()
    [[0, 1, 2], [3, 4, 5]]
    """
    sizes = normalise_sizes("reshape", sizes, shape)
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


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """Reshaped to the shape of `other`."""
    return reshape(input, other.shape)


def view(input: Tensor, *sizes: Any, size: Any = None) -> Tensor:
    """The same memory in another shape. ShapeError if that needs a copy."""
    shape = normalise_sizes("view", sizes, size)
    if len(shape) == 1 and not hasattr(shape[0], "__index__"):
        raise TypeError(f"view(): expected sizes, got {shape[0]!r}; a change of dtype is .to(dtype)")
    seen = reshape(input, shape)
    if seen.view_of is None and input.array.size:
        raise ShapeError(
            f"view(): shape {seen.shape} cannot view the strides of shape {input.shape}; use .reshape()"
        )
    return seen


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """The same memory in the shape of `other`. ShapeError if that needs a copy."""
    return view(input, other.shape)


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


def ravel(input: Tensor) -> Tensor:
    """All elements as one dimension."""
    return ops.reshape(input, shape=(input.array.size,))


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Dimension `dim` as several, of the given sizes, of which one may be -1.

    >>> import minigrad as mg
    >>> mg.unflatten(mg.zeros(2, 6), 1, (3, -1)).shape
    (2, 3, 2)
    """
    place = normalise_dim("unflatten", dim, input.ndim)
    size, given = input.shape[place], tuple(sizes)
    known = math.prod(n for n in given if n != -1)
    if given.count(-1) == 1 and known > 0 and size % known == 0:
        given = tuple(size // known if n == -1 else n for n in given)
    if not given or min(given) < 0 or math.prod(given) != size:
        raise ShapeError(f"unflatten(): sizes {tuple(sizes)}, expected their product to be {size}")
    return ops.reshape(input, shape=(*input.shape[:place], *given, *input.shape[place + 1 :]))


def squeeze(input: Tensor, dim: Dims = None) -> Tensor:
    """Without dimensions of size 1: all of them, or those of `dim` that have size 1."""
    chosen = range(input.ndim) if dim is None else normalise_dims("squeeze", dim, input.ndim)
    if dim is not None and not isinstance(dim, int) and not dim:
        chosen = ()
    kept = tuple(s for i, s in enumerate(input.shape) if s != 1 or i not in chosen)
    return ops.reshape(input, shape=kept)


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new dimension of size 1 at `dim`."""
    place = normalise_dim("unsqueeze", dim, input.ndim + 1)
    return ops.reshape(input, shape=(*input.shape[:place], 1, *input.shape[place:]))


def _each(name: str, tensors: tuple, grown: Any) -> Any:
    """What `grown` makes of one tensor, or a tuple of what it makes of each of several."""
    if len(tensors) == 1 and isinstance(tensors[0], Tensor):
        return grown(tensors[0])
    return tuple(grown(item) for item in given_tensors(name, tensors))


def atleast_1d(*tensors: Any) -> Any:
    """A 0-d tensor as a vector; any other as it is. Of several tensors, or a list of them: a tuple."""
    return _each("atleast_1d", tensors, lambda x: x if x.ndim else reshape(x, 1))


def atleast_2d(*tensors: Any) -> Any:
    """A vector as a row, (n) -> (1, n), a 0-d tensor as (1, 1); any other as it is."""
    return _each("atleast_2d", tensors, lambda x: x if x.ndim > 1 else reshape(x, (1, x.numel())))


def atleast_3d(*tensors: Any) -> Any:
    """A matrix as (n, m, 1), a vector as (1, n, 1), a 0-d tensor as (1, 1, 1); any other as it is."""
    return _each(
        "atleast_3d", tensors, lambda x: x if x.ndim > 2 else unsqueeze(x if x.ndim > 1 else atleast_2d(x), 2)
    )


# ------------------------------------------------------------------------------------------------ order


def permute(input: Tensor, *order: Any, dims: Any = None) -> Tensor:
    """The dimensions in the order `dims`."""
    given = normalise_sizes("permute", order, dims)
    if len(given) != input.ndim:
        raise ShapeError(f"permute(): got dims {given}, expected each of the {input.ndim} dimensions once")
    return ops.permute(input, dims=normalise_dims("permute", given, input.ndim))


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """With two dimensions exchanged."""
    first = normalise_dim("transpose", dim0, input.ndim)
    second = normalise_dim("transpose", dim1, input.ndim)
    order = list(range(input.ndim))
    if order:
        order[first], order[second] = second, first
    return _permute(input, dims=tuple(order))


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """With two dimensions exchanged: `transpose` under NumPy's name."""
    return transpose(input, axis0, axis1)


def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """With two dimensions exchanged: `transpose`."""
    return transpose(input, dim0, dim1)


def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """The dimensions `source` put at the places `destination`; the others keep their order.

    >>> import minigrad as mg
    >>> mg.movedim(mg.zeros(2, 3, 4), 0, -1).shape
    (3, 4, 2)
    """
    origins, places = ((d,) if isinstance(d, int) else tuple(d) for d in (source, destination))
    if len(origins) != len(places):
        raise ShapeError(f"movedim(): got source {source} and destination {destination}, expected as many")
    if input.ndim == 0 or not origins:
        return ops.permute(input, dims=tuple(range(input.ndim)))
    origins = normalise_dims("movedim", origins, input.ndim)
    order = [dim for dim in range(input.ndim) if dim not in origins]
    for place, origin in sorted(zip(normalise_dims("movedim", places, input.ndim), origins, strict=True)):
        order.insert(place, origin)
    return ops.permute(input, dims=tuple(order))


moveaxis = movedim


def t(input: Tensor) -> Tensor:
    """A matrix transposed; a vector or a number as it is."""
    if input.ndim > 2:
        raise ShapeError(
            f"t(): expected at most 2 dimensions, got shape {input.shape}; use .mT or .transpose()"
        )
    return ops.mT(input) if input.ndim == 2 else input


# ------------------------------------------------------------------------------------------------ copies


def expand(input: Tensor, *sizes: Any, size: Any = None) -> Tensor:
    """Seen at a larger size: dimensions of size 1 are repeated without a copy; -1 keeps a size."""
    return _expanded("expand", input, normalise_sizes("expand", sizes, size))


def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """Seen at a larger size: `expand`."""
    return _expanded("broadcast_to", input, normalise_sizes("broadcast_to", (), size))


def _expanded(name: str, input: Tensor, sizes: tuple[int, ...]) -> Tensor:
    extra = len(sizes) - input.ndim
    kept = tuple(input.shape[i - extra] if s == -1 and i >= extra else s for i, s in enumerate(sizes))
    fits = extra >= 0 and not _misfits(input.shape, kept[extra:])
    if not fits or _has_negative(kept) or -1 in kept:
        raise ShapeError(
            f"{name}(): shape {input.shape} does not expand to {sizes}; only sizes of 1 can grow"
        )
    return ops.broadcast_to(input, shape=kept)


def _misfits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> list[int]:
    """The sizes of `shape` that are neither 1 nor as wanted."""
    return [size for size, want in zip(shape, wanted, strict=True) if size not in (1, want)]


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Expanded to the size of `other`."""
    return expand(input, other.shape)


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors, each seen at the shape that they broadcast to together."""
    items = given_tensors("broadcast_tensors", tensors)
    shapes = [item.shape for item in items]
    try:
        whole = numpy.broadcast_shapes(*shapes)
    except ValueError:
        raise broadcast_error("broadcast_tensors", shapes) from None
    return tuple(ops.broadcast_to(item, shape=whole) for item in items)


def sum_to_size(input: Tensor, *sizes: Any, size: Any = None) -> Tensor:
    """The sum over the dimensions that broadcasting from `size` would stretch: the adjoint of expand."""
    return ops.sum_to(input, shape=normalise_sizes("sum_to_size", sizes, size))
