"""Floor 5: equations in matrices: inverses, solutions, determinants, powers; see functions/__init__.py.

They are found in `minigrad.linalg`; those that PyTorch also has at the top level, here in `__all__`, in
`minigrad`, too.
"""

import math
from typing import Any

from minigrad import ops
from minigrad.errors import ShapeError
from minigrad.tensor import Tensor

from .exponential import square
from .linalg import matmul
from .matrices import (
    LeastSquares,
    SLogDet,
    check_dims,
    check_matrices,
    check_square,
    identity_like,
    rank_of,
    tolerances,
)
from .rearranging import tril, triu
from .shape import reshape, unsqueeze

__all__ = [
    "cholesky_inverse", "cholesky_solve", "det", "inverse", "logdet", "matrix_exp", "matrix_power",
    "pinverse", "slogdet",
]  # fmt: skip
METHODS = tuple(__all__)
IN_PLACE = ()

# ------------------------------------------------------------------------------------------------ determinant


def det(A: Tensor) -> Tensor:
    """The determinants of square matrices, (..., n, n) -> (...).

    The gradient is right at singular matrices, too.

    >>> import minigrad as mg
    >>> mg.linalg.det(mg.tensor([[2.0, 1.0], [0.0, 3.0]]))
    tensor(6.)
    """
    check_square("det", A)
    return ops.det(A)


def slogdet(A: Tensor) -> SLogDet:
    """The sign of the determinant, and the logarithm of its absolute value, as (sign, logabsdet).

    Where the determinant would be too large or too small for its type, its logarithm is not. Of a singular
    matrix they are 0 and -inf.
    """
    check_square("slogdet", A)
    return SLogDet(*ops.slogdet(A))


def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant; nan where that is negative, -inf where it is 0."""
    check_square("logdet", input)
    sign, size = ops.slogdet(input)
    return ops.log(sign) + size


# ------------------------------------------------------------------------------------------------ inverses


def inv(A: Tensor) -> Tensor:
    """The inverses of square matrices, (..., n, n). Raises LinAlgError if a matrix is singular.

    `solve(A, B)` is quicker and more exact than `inv(A) @ B`.
    """
    check_square("inv", A)
    return ops.inv(A)


inverse = inv


def pinv(
    A: Tensor, *, atol: float | None = None, rtol: float | None = None, hermitian: bool = False
) -> Tensor:
    """The pseudoinverses of Moore and Penrose, (..., m, n) -> (..., n, m).

    Singular values up to max(atol, rtol · the largest) count as 0. Of the two, atol is 0 unless told
    otherwise, and rtol the precision of the type, times the longer side of A (0 if atol was told).
    hermitian=True: A is symmetric, and only its lower triangle is read.
    """
    check_matrices("pinv", A)
    if hermitian:
        check_square("pinv", A)
        A = ops.mirrored(A)
    small, share = tolerances(A, atol, rtol)
    return ops.pinv(A, atol=small, rtol=share)


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The pseudoinverses, singular values up to rcond · the largest counting as 0."""
    return pinv(input, rtol=rcond)


# ------------------------------------------------------------------------------------------------ solutions


def _is_vector(A: Tensor, B: Tensor) -> bool:
    """Does PyTorch take B for one vector for each of the matrices A?"""
    return B.ndim == 1 or (A.ndim - 1 == B.ndim and B.shape == A.shape[:-1])


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X with A X = B: (..., n, n), (..., n, k) -> (..., n, k); or with X A = B for left=False.

    The leading dimensions broadcast. B is one vector for each matrix if its shape is (n,) or that of A
    without the last dimension. Raises LinAlgError if a matrix is singular.

    >>> import minigrad as mg
    >>> mg.linalg.solve(mg.tensor([[2.0, 0.0], [0.0, 4.0]]), mg.tensor([2.0, 2.0]))
    tensor([1. , 0.5])
    """
    check_square("solve", A)
    if left and _is_vector(A, B):
        return ops.solve(A, unsqueeze(B, -1))[..., 0]
    check_matrices("solve", B)
    return _solve_matrices(A, B, left)


def _solve_matrices(A: Tensor, B: Tensor, left: bool) -> Tensor:
    """X with A X = B, or with X A = B."""
    return ops.solve(A, B) if left else ops.mT(ops.solve(ops.mT(A), ops.mT(B)))


def solve_triangular(
    A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """X with A X = B (or X A = B), where only the upper (or the lower) triangle of A is read.

    unitriangular=True: its diagonal is taken for ones, and not read either.
    """
    check_square("solve_triangular", A)
    check_matrices("solve_triangular", B)
    triangle, sign = (triu, 1) if upper else (tril, -1)
    read = triangle(A, sign) + identity_like(A) if unitriangular else triangle(A)
    return _solve_matrices(read, B, left)


def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """X with A X = B, where L is the Cholesky factor of A: A = L Lᵀ, or Lᵀ L if it is an upper triangle."""
    first = ops.mT(L) if upper else L
    half = solve_triangular(first, B, upper=False)
    return solve_triangular(ops.mT(first), half, upper=True)


def cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor:
    """The inverse of A, where L is the Cholesky factor of A."""
    check_square("cholesky_inverse", L)
    return cholesky_solve(identity_like(L), L, upper)


def lstsq(
    A: Tensor,
    B: Tensor,
    rcond: float | None = None,
    *,
    driver: str | None = None,  # noqa: ARG001 (the answer is that of every driver)
) -> LeastSquares:
    """(solution, residuals, rank, singular_values): the shortest of those X for which A X is nearest to B.

    (..., m, n), (..., m, k) -> (..., n, k). The residuals are the squared distances of A X from B for each
    column, (..., k), and empty unless m > n. Singular values of A up to rcond · the largest count as 0; rcond
    is the precision of the type, times the longer side of A, unless told otherwise.
    """
    check_matrices("lstsq", A)
    is_vector = _is_vector(A, B)
    columns = unsqueeze(B, -1) if is_vector else B
    check_matrices("lstsq", columns)
    if A.shape[-2] != columns.shape[-2]:
        raise ShapeError(f"lstsq(): A {A.shape} and B {B.shape}: expected as many rows in B as in A")
    S = ops.svdvals(A)
    solution = matmul(pinv(A, rtol=rcond), columns)
    distances = ops.sum_(square(matmul(A, solution) - columns), dim=-2)
    residuals = distances if A.shape[-2] > A.shape[-1] else reshape(distances, (-1,))[:0]
    rank = rank_of(A, S, None, rcond)
    return LeastSquares(solution[..., 0] if is_vector else solution, residuals, rank, S)


# ------------------------------------------------------------------------------------------------ powers


def matrix_power(input: Tensor, n: int) -> Tensor:
    """The product of n equal matrices, by repeated squaring; for a negative n, of their inverses."""
    if not isinstance(n, int):
        raise TypeError(f"matrix_power(): n must be an int, got {type(n).__name__} {n!r}")
    check_dims("matrix_power", "square matrices, (..., n, n)", (input, max(input.ndim, 2)))
    if input.shape[-1] != input.shape[-2]:
        raise ShapeError(f"matrix_power(): got shape {input.shape}, expected square matrices, (..., n, n)")
    if n == 0:
        return ops.clone(ops.broadcast_to(identity_like(input), shape=input.shape))
    factor, left = inv(input) if n < 0 else input, abs(n)
    power: Any = ops.clone(factor) if left % 2 else None
    while left := left // 2:
        factor = matmul(factor, factor)
        if left % 2:
            power = factor if power is None else matmul(power, factor)
    return power


def matrix_exp(A: Tensor) -> Tensor:
    """1 + A + A²/2! + A³/3! + …, of square matrices (..., n, n)."""
    check_square("matrix_exp", A)
    return ops.matrix_exp(A)


# ------------------------------------------------------------------------------------------------ tensors


def tensorinv(A: Tensor, ind: int = 2) -> Tensor:
    """The inverse of A as a map from tensors of shape A.shape[ind:] to those of shape A.shape[:ind]."""
    rows, columns = A.shape[:ind], A.shape[ind:]
    if math.prod(rows) != math.prod(columns) or ind < 1:
        raise ShapeError(
            f"tensorinv(): A {A.shape}, ind {ind}: expected equal products of the sizes before and after ind"
        )
    return reshape(inv(reshape(A, (math.prod(rows), -1))), (*columns, *rows))
