"""Floor 5: functions that show a part of a tensor, or cut it in parts: views, all of them."""

from collections.abc import Sequence

from minigrad import ops
from minigrad.errors import DTypeError, ShapeError
from minigrad.tensor import Tensor

from .shape_checks import check_ndim, existing_dim

__all__ = [
    "chunk", "dsplit", "hsplit", "narrow", "select", "split", "split_with_sizes", "tensor_split", "unbind",
    "vsplit",
]  # fmt: skip
METHODS = (*__all__, "unfold")
IN_PLACE = ()

Pieces = tuple[Tensor, ...]


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """`length` entries from `start` on along `dim`."""
    place = existing_dim("narrow", dim, input)
    size = input.shape[place]
    first = start + size if start < 0 else start
    if not (0 <= first <= size and 0 <= length <= size - first):
        raise IndexError(
            f"narrow(): start {start}, length {length} out of range for dimension {place} of size {size}"
        )
    return ops.narrow(input, dim=place, start=int(first), length=int(length))


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The entry number `index` along `dim`, which disappears."""
    place = existing_dim("select", dim, input)
    size = input.shape[place]
    if not -size <= index < size:
        raise IndexError(f"select(): index {index} out of range for dimension {place} of size {size}")
    return ops.select(input, dim=place, index=int(index) % size)


def unbind(input: Tensor, dim: int = 0) -> Pieces:
    """The slices along `dim`, which disappears."""
    place = existing_dim("unbind", dim, input)
    return tuple(ops.select(input, dim=place, index=i) for i in range(input.shape[place]))


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of `size` entries along a dimension, `step` apart: a view, the windows as last dimension.

    Windows that overlap show an element more than once, and cannot be written to.

    >>> import minigrad as mg
    >>> mg.arange(5).unfold(0, 3, 2).tolist()
    [[0, 1, 2], [2, 3, 4]]
    """
    place = existing_dim("unfold", dimension, input)
    if not 0 <= size <= input.shape[place] or step < 1:
        raise ShapeError(
            f"unfold(): size {size}, step {step}, expected a size from 0 to {input.shape[place]}, that of "
            f"dimension {place}, and a step of at least 1"
        )
    return ops.windows(input, dim=place - input.ndim, size=size, step=step)


# ------------------------------------------------------------------------------------------------ all of it


def split(input: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> Pieces:
    """Pieces along `dim`: each of one size (the last perhaps smaller), or of the sizes given."""
    place = existing_dim("split", dim, input)
    size = split_size_or_sections
    lengths = ops.split_sizes("split", input.shape[place], size if isinstance(size, int) else tuple(size))
    pieces, start = [], 0
    for length in lengths:
        pieces.append(ops.narrow(input, dim=place, start=start, length=length))
        start += length
    return tuple(pieces)


def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> Pieces:
    """Pieces of the given sizes along `dim`."""
    return split(input, tuple(split_sizes), dim)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> Pieces:
    """At most `chunks` pieces of equal size along `dim`."""
    if chunks <= 0:
        raise ValueError(f"chunk(): chunks must be positive, got {chunks}")
    place = existing_dim("chunk", dim, input)
    size = -(-input.shape[place] // chunks)
    return split(input, size, place) if size else split(input, (0,) * chunks, place)


def tensor_split(
    input: Tensor,
    indices_or_sections: int | Sequence[int] | Tensor | None = None,
    dim: int = 0,
    *,
    indices: Sequence[int] | None = None,
    sections: int | None = None,
) -> Pieces:
    """Pieces along `dim`: a number of them whose sizes differ by 1 at most, or cut before the given places.

    A place counts from the end if it is negative; between places in the wrong order there is nothing.

    >>> import minigrad as mg
    >>> [piece.tolist() for piece in mg.tensor_split(mg.arange(5), 2)]
    [[0, 1, 2], [3, 4]]
    """
    cuts = next((a for a in (indices_or_sections, indices, sections) if a is not None), None)
    place = existing_dim("tensor_split", dim, input)
    size = input.shape[place]
    if isinstance(cuts, Tensor):
        cuts = _plain(cuts)
    if cuts is None:
        raise TypeError("tensor_split(): expected a number of pieces, or places to cut before, got neither")
    if isinstance(cuts, int):
        if cuts < 1:
            raise ValueError(f"tensor_split(): the number of pieces must be positive, got {cuts}")
        short, longer = divmod(size, cuts)
        return split(input, [short + 1] * longer + [short] * (cuts - longer), place)
    edges = [slice(None, cut).indices(size)[1] for cut in cuts]
    pairs = zip((0, *edges), (*edges, size), strict=True)
    return tuple(ops.narrow(input, dim=place, start=a, length=max(b - a, 0)) for a, b in pairs)


def _plain(cuts: Tensor) -> int | list[int]:
    """The number of pieces, or the places to cut before, that a tensor names."""
    if cuts.ndim > 1:
        raise ShapeError(f"tensor_split(): got places of shape {cuts.shape}, expected a number or a vector")
    if cuts.dtype.kind not in "iu":
        raise DTypeError(f"tensor_split(): places must be integers, got {cuts.dtype}; convert with .long()")
    return cuts.tolist()


def hsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> Pieces:
    """`tensor_split` from left to right: along dimension 1, of a vector 0; a number must divide the size."""
    check_ndim("hsplit", input, 1)
    return _evenly("hsplit", input, indices_or_sections, 0 if input.ndim == 1 else 1)


def vsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> Pieces:
    """`tensor_split` from top to bottom: along dimension 0; a number must divide the size."""
    check_ndim("vsplit", input, 2)
    return _evenly("vsplit", input, indices_or_sections, 0)


def dsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> Pieces:
    """`tensor_split` from front to back: along dimension 2; a number must divide the size."""
    check_ndim("dsplit", input, 3)
    return _evenly("dsplit", input, indices_or_sections, 2)


def _evenly(name: str, input: Tensor, cuts: int | Sequence[int], dim: int) -> Pieces:
    if isinstance(cuts, int) and (cuts < 1 or input.shape[dim] % cuts):
        raise ShapeError(
            f"{name}(): {cuts} pieces of dimension {dim} of size {input.shape[dim]}; the number must divide "
            "the size, or use tensor_split()"
        )
    return tensor_split(input, cuts, dim)
