"""Floor 5: what functions of matrices share: their checks, and the named tuples that they return."""

from typing import Any, NamedTuple

import numpy

from minigrad import ops
from minigrad.backend import namespace
from minigrad.errors import DTypeError, ShapeError
from minigrad.tensor import Tensor


class QR(NamedTuple):
    """What `linalg.qr` returns, as torch.return_types has it."""

    Q: Tensor
    R: Tensor


class Eigh(NamedTuple):
    """What `linalg.eigh` returns, as torch.return_types has it."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class SVD(NamedTuple):
    """What `linalg.svd` returns, as torch.return_types has it."""

    U: Tensor
    S: Tensor
    Vh: Tensor


class SLogDet(NamedTuple):
    """What `slogdet` returns, as torch.return_types has it."""

    sign: Tensor
    logabsdet: Tensor


class LeastSquares(NamedTuple):
    """What `linalg.lstsq` returns, as torch.return_types has it."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


def check_tensors(name: str, *values: Any) -> None:
    """TypeError for what is no Tensor."""
    for value in values:
        if not isinstance(value, Tensor):
            raise TypeError(f"{name}(): expected Tensors, got {type(value).__name__}")


def check_floating(name: str, A: Tensor) -> None:
    """DTypeError for integers and bools."""
    if A.dtype.kind != "f":
        raise DTypeError(f"{name}(): expected a floating dtype, got {A.dtype}; use .float() first")


def check_matrices(name: str, A: Tensor) -> None:
    """An error for what is no matrix, and no batch of them, of float32 or float64."""
    check_tensors(name, A)
    if A.ndim < 2:
        raise ShapeError(
            f"{name}(): got shape {A.shape}, expected at least two dimensions, (..., rows, columns)"
        )
    if A.dtype.name not in ("float32", "float64"):
        raise DTypeError(f"{name}(): got {A.dtype}, expected float32 or float64; use .float() first")


def check_square(name: str, A: Tensor) -> None:
    """An error for what is no square matrix, and no batch of them, of float32 or float64."""
    check_matrices(name, A)
    if A.shape[-1] != A.shape[-2]:
        raise ShapeError(f"{name}(): got shape {A.shape}, expected square matrices, (..., n, n)")


def check_dims(name: str, expected: str, *pairs: tuple[Any, int]) -> None:
    """ShapeError unless each of the tensors has the number of dimensions that stands beside it."""
    check_tensors(name, *[tensor for tensor, _ in pairs])
    for tensor, ndim in pairs:
        if tensor.ndim != ndim:
            came = " and ".join(str(each.shape) for each, _ in pairs)
            raise ShapeError(f"{name}(): got {came}, expected {expected}")


def tolerances(A: Tensor, atol: float | None, rtol: float | None) -> tuple[float, float]:
    """Up to which size, and which share of the largest, PyTorch takes a singular value for 0.

    Where neither is told it is that share which is lost to the precision of the type.
    """
    if rtol is None:
        rtol = 0.0 if atol else max(A.shape[-2:]) * float(numpy.finfo(A.dtype).eps)
    return atol or 0.0, rtol


def rank_of(A: Tensor, S: Tensor, atol: float | None, rtol: float | None) -> Tensor:
    """How many of the singular values S of the matrices A are not taken for 0."""
    small, share = tolerances(A, atol, rtol)
    limit = ops.maximum(S[..., :1] * share, small)
    return ops.sum_(ops.greater(S, limit), dim=-1)


def identity_like(A: Tensor) -> Tensor:
    """The identity matrix of the size and type of the matrices A, beside them on their device."""
    return Tensor(namespace(A.array).eye(A.shape[-1], dtype=A.dtype))
