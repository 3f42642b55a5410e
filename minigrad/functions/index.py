"""Floor 5: functions that pick elements by number; see functions/__init__.py."""

from typing import Any

from minigrad import ops
from minigrad.errors import DTypeError, ShapeError, normalise_dim
from minigrad.indexing import checked_index
from minigrad.tensor import Tensor

from .shape import reshape

__all__ = ["gather"]
METHODS = ("gather",)
IN_PLACE = ()


def getitem(input: Tensor, index: Any) -> Tensor:
    """input[index], with NumPy's and PyTorch's kinds of index; integers out of range are refused."""
    return ops.getitem(input, index=checked_index(input.array, index))


def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """y[i][j] = input[index[i][j]][j] for dim 0: along `dim`, the entries that `index` names.

    The index has as many dimensions as the input, and in none but `dim` may it be longer.
    """
    place = normalise_dim("gather", dim, input.ndim)
    if index.dtype.kind not in "iu":
        raise DTypeError(f"gather(): index must hold integers, got {index.dtype}")
    if input.ndim == index.ndim == 0:
        return reshape(gather(reshape(input, 1), 0, reshape(index, 1)), ())
    sizes = enumerate(zip(index.shape, input.shape, strict=False))
    fits = [n <= size or d == place for d, (n, size) in sizes]
    if index.ndim != input.ndim or False in fits:
        raise ShapeError(
            f"gather(): index of shape {index.shape} does not fit an input of shape {input.shape}; it must "
            f"have as many dimensions and be no longer, except along dimension {place}"
        )
    size = input.shape[place]
    if index.array.size:
        low, high = int(index.array.min()), int(index.array.max())
        if low < 0 or high >= size:
            wrong = low if low < 0 else high
            raise IndexError(f"gather(): index {wrong} out of range for dimension {place} of size {size}")
    return ops.gather(input, index, dim=place)


def embedding(weight: Tensor, indices: Tensor, padding_idx: int | None = None) -> Tensor:
    """The rows of `weight` that `indices` names, unchecked; see nn.functional.embedding."""
    return ops.embedding(weight, indices, padding_idx=padding_idx)
