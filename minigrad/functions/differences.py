"""Floor 5: differences of neighbours, areas under samples, distances; see functions/__init__.py."""

from typing import Any

from minigrad.errors import ShapeError, normalise_dim
from minigrad.tensor import Tensor

from .joining import cat
from .matrix_norms import vector_norm

__all__ = ["corrcoef", "cov", "cumulative_trapezoid", "diff", "dist", "trapezoid", "trapz"]
METHODS = ("corrcoef", "cov", "diff", "dist")
IN_PLACE = ()


def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """What each element has more than the one before it along `dim`; n times over.

    prepend and append are put before and behind the input first.

    >>> import minigrad as mg
    >>> mg.diff(mg.tensor([1, 4, 9, 16])).tolist()
    [3, 5, 7]
    """
    if input.ndim == 0:
        raise ShapeError("diff(): input is 0-d, expected at least one dimension")
    if n < 0:
        raise ValueError(f"diff(): n must be 0 or more, got {n}")
    place = normalise_dim("diff", dim, input.ndim)
    parts = [part for part in (prepend, input, append) if part is not None]
    input = cat(parts, place) if len(parts) > 1 else input
    for _ in range(n):
        length = input.shape[place]
        later = input.narrow(place, min(1, length), max(length - 1, 0))
        input = later - input.narrow(place, 0, max(length - 1, 0))
    return input


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of input - other, all elements taken together; a number."""
    return vector_norm(input - other, p)


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1) -> Tensor:
    """The area under samples y along `dim`, by trapezoids: Σ (y[i] + y[i+1]) / 2 · (x[i+1] - x[i]).

    x are the places of the samples, a vector or of a shape that broadcasts with y's; dx, their distance, is 1
    unless told.
    """
    return _panels("trapezoid", y, x, dx, dim).sum(dim)


def cumulative_trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1
) -> Tensor:
    """The areas up to each sample but the first; the arguments are those of `trapezoid`."""
    return _panels("cumulative_trapezoid", y, x, dx, dim).cumsum(dim)


trapz = trapezoid


def _panels(caller: str, y: Tensor, x: Tensor | None, dx: float | None, dim: int) -> Tensor:
    """The areas between neighbours."""
    place = normalise_dim(caller, dim, y.ndim)
    if x is not None and dx is not None:
        raise ValueError(f"{caller}(): got x and dx={dx}, expected one of them")
    length = max(y.shape[place] - 1, 0)
    heights = (y.narrow(place, 0, length) + y.narrow(place, min(1, y.shape[place]), length)) * 0.5
    if x is None:
        return heights if dx is None else heights * dx
    if x.shape[-1 if x.ndim == 1 else dim] != y.shape[place]:
        raise ShapeError(f"{caller}(): x {x.shape}, expected {y.shape[place]} places along dimension {dim}")
    if x.ndim == 1:
        x = x.reshape(-1, *[1] * (y.ndim - 1 - place))
    return heights * diff(x, dim=place - y.ndim)


def cov(input: Tensor, *, correction: int = 1) -> Tensor:
    """The covariances of the rows of a matrix (variables, observations); of one row the variance.

    They are divided by the number of observations minus `correction`.
    """
    if input.ndim > 2:
        raise ShapeError(f"cov(): input {input.shape}, expected at most 2 dimensions")
    rows = input.reshape(1, -1) if input.ndim < 2 else input
    centred = rows - rows.mean(1, keepdim=True)
    found = centred @ centred.mT / max(rows.shape[1] - correction, 0)
    return found.reshape(()) if len(rows) == 1 else found


def corrcoef(input: Tensor) -> Tensor:
    """The correlations of the rows of a matrix: each covariance divided by both deviations."""
    found: Any = cov(input)
    if found.ndim == 0:
        return found / found
    deviations = found.diagonal().sqrt()
    return (found / deviations.unsqueeze(1) / deviations.unsqueeze(0)).clamp(-1, 1)
