"""Floor 5: functions that make one tensor of several; see functions/__init__.py.

Letters: n, m, k are the lengths of vectors.
"""

import itertools
from collections.abc import Sequence

from minigrad import ops
from minigrad.backend import namespace
from minigrad.errors import ShapeError, normalise_dim
from minigrad.tensor import Tensor

from .shape import atleast_1d, atleast_2d, atleast_3d, reshape
from .shape_checks import checked_tensors, given_tensors, of_one_type

__all__ = [
    "block_diag", "cartesian_prod", "cat", "column_stack", "combinations", "concat", "concatenate", "dstack",
    "hstack", "meshgrid", "row_stack", "stack", "vstack",
]  # fmt: skip
METHODS = ()
IN_PLACE = ()


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors one behind the other along `dim`; all other sizes must be equal.

    As in PyTorch, a tensor of shape (0,) fits to every other.

    >>> import minigrad as mg
    >>> mg.cat([mg.zeros(2, 3), mg.ones(1, 3)]).shape
    (3, 3)
    """
    items = of_one_type("cat", tensors)
    items = [item for item in items if item.shape != (0,)] or items[:1]
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


concat = concatenate = cat


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors side by side along a new dimension `dim`; all shapes must be equal."""
    items = of_one_type("stack", tensors)
    for i, item in enumerate(items):
        if item.shape != items[0].shape:
            raise ShapeError(f"stack(): tensor {i} has shape {item.shape}, expected {items[0].shape}")
    return ops.stack(*items, dim=normalise_dim("stack", dim, items[0].ndim + 1))


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors side by side: along dimension 1, or 0 if they are vectors."""
    items = [atleast_1d(item) for item in checked_tensors("hstack", tensors)]
    return cat(items, 0 if items[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors one below the other, along dimension 0; a vector is a row."""
    return cat([atleast_2d(item) for item in checked_tensors("vstack", tensors)])


row_stack = vstack


def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors one behind the other, along dimension 2; `atleast_3d` says how smaller ones lie."""
    return cat([atleast_3d(item) for item in checked_tensors("dstack", tensors)], 2)


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors side by side, along dimension 1; a vector is a column."""
    items = checked_tensors("column_stack", tensors)
    return cat([reshape(item, item.numel(), 1) if item.ndim < 2 else item for item in items], 1)


def block_diag(*tensors: Tensor) -> Tensor:
    """The matrix with the given matrices along its diagonal, and zeros elsewhere; a vector is a row.

    >>> import minigrad as mg
    >>> mg.block_diag(mg.ones(1, 2), mg.tensor(2.0)).tolist()
    [[1.0, 1.0, 0.0], [0.0, 0.0, 2.0]]
    """
    blocks = [atleast_2d(item) for item in of_one_type("block_diag", tensors)]
    for i, block in enumerate(blocks):
        if block.ndim > 2:
            raise ShapeError(f"block_diag(): tensor {i} has shape {block.shape}, expected at most a matrix")
    ends = list(itertools.accumulate(block.shape[1] for block in blocks))
    rows = [
        ops.widen(block, size=ends[-1], dim=1, start=end - block.shape[1])
        for block, end in zip(blocks, ends, strict=True)
    ]
    return ops.cat(*rows, dim=0)


# ------------------------------------------------------------------------------------------------ grids


def meshgrid(*tensors: Tensor, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Each vector over all the others, (n), (m), ... -> (n, m, ...), as views: the coordinates of a grid.

    indexing: "ij", or "xy", by which the first two dimensions are exchanged.
    """
    vectors = [atleast_1d(item) for item in given_tensors("meshgrid", tensors)]
    if indexing not in ("ij", "xy"):
        raise ValueError(f"meshgrid(): indexing {indexing!r}, expected 'ij' or 'xy'")
    for i, vector in enumerate(vectors):
        if vector.ndim > 1:
            raise ShapeError(f"meshgrid(): tensor {i} has shape {vector.shape}, expected a vector or 0-d")
    order = list(range(len(vectors)))  # the dimension that each vector lies along
    if indexing == "xy":
        order[:2] = reversed(order[:2])
    grid = tuple(vectors[place].shape[0] for place in order)
    return tuple(
        ops.broadcast_to(ops.reshape(vector, shape=(*vector.shape, *[1] * (len(grid) - 1 - dim))), shape=grid)
        for vector, dim in zip(vectors, order, strict=True)
    )


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All ways to take one element of each vector, (n), (m), ... -> (n m ..., how many vectors).

    >>> import minigrad as mg
    >>> mg.cartesian_prod(mg.tensor([1, 2]), mg.tensor([3, 4])).tolist()
    [[1, 3], [1, 4], [2, 3], [2, 4]]
    """
    for i, vector in enumerate(checked_tensors("cartesian_prod", tensors)):
        if vector.ndim != 1:
            raise ShapeError(f"cartesian_prod(): tensor {i} has shape {vector.shape}, expected a vector")
    if len(tensors) == 1:
        return tensors[0]
    columns = [reshape(grid, grid.numel()) for grid in meshgrid(*tensors)]
    return stack(columns, 1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All ways to take r elements of a vector, in its order, (n) -> (how many ways, r).

    with_replacement: an element may be taken more than once.
    """
    if input.ndim != 1:
        raise ShapeError(f"combinations(): got shape {input.shape}, expected a vector")
    if r < 0:
        raise ValueError(f"combinations(): r must not be negative, got {r}")
    if r == 0:
        return ops.narrow(input, dim=0, start=0, length=0)
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = list(choose(range(input.shape[0]), r))
    index = namespace(input.array).asarray(places, dtype="int64").reshape(len(places), r)
    return ops.getitem(input, index=index)
