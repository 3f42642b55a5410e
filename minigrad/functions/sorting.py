"""Floor 5: elements in order, the first of them, and those that differ; see functions/__init__.py."""

from typing import Any

from minigrad import ops
from minigrad.errors import ShapeError, normalise_dim
from minigrad.tensor import Tensor

from .along import ValuesAndIndices, picked, with_a_dimension

__all__ = ["argsort", "kthvalue", "mode", "msort", "sort", "topk", "unique", "unique_consecutive"]
METHODS = tuple(__all__)
IN_PLACE = ()


@with_a_dimension
def sort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> ValuesAndIndices:
    """(values, indices): the elements in order along `dim`, and where they stood; nan is the largest.

    stable: equal elements keep their order, which takes some three times as long.

    >>> import minigrad as mg
    >>> mg.sort(mg.tensor([3.0, 1.0, 2.0]))
    ValuesAndIndices(values=tensor([1., 2., 3.]), indices=tensor([1, 2, 0]))
    """
    place = normalise_dim("sort", dim, input.ndim)
    return picked(input, ops.argsort_(input, dim=place, descending=descending, stable=stable), place)


@with_a_dimension
def argsort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Tensor:
    """The indices that put the elements in order along `dim`."""
    place = normalise_dim("argsort", dim, input.ndim)
    return ops.argsort_(input, dim=place, descending=descending, stable=stable)


def msort(input: Tensor) -> Tensor:
    """The elements in order along the first dimension."""
    return sort(input, 0).values


@with_a_dimension
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> ValuesAndIndices:
    """(values, indices): the k largest elements along `dim`, in order; largest=False: the k smallest.

    sorted=False leaves them in any order, which is quicker where k is large.
    """
    place = normalise_dim("topk", dim, input.ndim)
    _check_rank("topk", input, k, place, 0)
    if k == 0:
        return picked(input, ops.narrow(ops.argsort_(input, dim=place), dim=place, start=0, length=0), place)
    return picked(input, ops.top_indices(input, k=k, dim=place, largest=largest, ordered=sorted), place)


def _check_rank(name: str, input: Tensor, k: int, dim: int, lowest: int) -> None:
    """ValueError if there is no k-th of the elements along `dim`."""
    if not lowest <= k <= input.shape[dim]:
        raise ValueError(
            f"{name}(): k = {k} is out of range for dimension {dim} of shape {input.shape}, "
            f"expected {lowest} to {input.shape[dim]}"
        )


@with_a_dimension
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> ValuesAndIndices:
    """(values, indices): the k-th smallest element along `dim`, counted from 1."""
    place = normalise_dim("kthvalue", dim, input.ndim)
    _check_rank("kthvalue", input, k, place, 1)
    return picked(input, ops.kth_index(input, k=k, dim=place), place, keepdim)


@with_a_dimension
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> ValuesAndIndices:
    """(values, indices): the most frequent element along `dim`, of several the smallest; its last place."""
    place = normalise_dim("mode", dim, input.ndim)
    _check_rank("mode", input, 1, place, 1)
    return picked(input, ops.mode_index(input, dim=place), place, keepdim)


def unique(
    input: Tensor,
    sorted: bool = True,  # noqa: ARG001 (they always are)
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different elements in order; with `dim`, the different slices along it. There is no gradient.

    return_inverse: also which of them each element is. return_counts: also how often each occurs.
    A nan differs from every other.

    >>> import minigrad as mg
    >>> mg.unique(mg.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    place = _slices("unique", input, dim)
    return ops.unique_(input, inverse=return_inverse, counts=return_counts, dim=place)


def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """As `unique`, but only neighbours are compared, and the order stays as it is."""
    place = _slices("unique_consecutive", input, dim)
    return ops.unique_consecutive_(input, inverse=return_inverse, counts=return_counts, dim=place)


def _slices(name: str, input: Tensor, dim: int | None) -> int | None:
    """`dim` from the front; ShapeError if the slices along it have no elements by which they could differ."""
    if dim is None:
        return None
    place = normalise_dim(name, dim, input.ndim)
    if input.ndim == 0:
        return None
    if 0 in (*input.shape[:place], *input.shape[place + 1 :]):
        raise ShapeError(
            f"{name}(): slices along dimension {place} of shape {input.shape} are empty; "
            "expected no size of 0 but in that dimension"
        )
    return place
