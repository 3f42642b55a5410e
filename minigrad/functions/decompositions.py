"""Floor 5: matrices taken apart; see functions/__init__.py.

They are found in `minigrad.linalg`; `cholesky`, which PyTorch also has at the top level, in `minigrad`, too.
The gradients hold where the parts are determined: see ops/decompose.py.
"""

from minigrad import ops
from minigrad.errors import ShapeError
from minigrad.tensor import Tensor

from .joining import cat
from .matrices import QR, SVD, Eigh, check_matrices, check_square, rank_of

__all__ = ["cholesky"]
METHODS = ("cholesky",)
IN_PLACE = ()


def cholesky(A: Tensor, upper: bool = False) -> Tensor:
    """L with L Lᵀ = A, for symmetric positive definite matrices (..., n, n); upper=True gives Lᵀ.

    Only the lower triangle of A is read (for upper=True, the upper one); its gradient is symmetric. Raises
    LinAlgError if a matrix is not positive definite.

    >>> import minigrad as mg
    >>> mg.linalg.cholesky(mg.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    check_square("cholesky", A)
    return ops.mT(ops.cholesky(ops.mT(A))) if upper else ops.cholesky(A)


def qr(A: Tensor, mode: str = "reduced") -> QR:
    """(Q, R): Q with orthonormal columns and R an upper triangle, Q R = A, (..., m, n).

    mode: "reduced", Q is (..., m, min(m, n)); "complete", Q is (..., m, m), of which there is no gradient if
    m > n; "r", Q is empty. The gradient asks for independent columns among the first min(m, n).
    """
    check_matrices("qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"qr(): mode {mode!r}, expected 'reduced', 'complete' or 'r'")
    rows, columns = A.shape[-2:]
    if rows < columns:  # A = [X Y], R = [U QᵀY] with QU = X
        Q, U = ops.qr(A[..., :rows])
        R = cat([U, ops.mT(Q) @ A[..., rows:]], -1)
    else:
        Q, R = ops.qr(A, mode="complete" if mode == "complete" and rows > columns else "reduced")
    return QR(ops.reshape(Q, shape=(-1,))[:0] if mode == "r" else Q, R)


def eigh(A: Tensor, UPLO: str = "L") -> Eigh:
    """(eigenvalues, eigenvectors) of symmetric matrices (..., n, n): in ascending order; as columns.

    Only the lower triangle of A is read (for UPLO="U", the upper one). The gradient of the eigenvectors asks
    for eigenvalues that differ, and is that of a function which the sign of a vector does not change.
    """
    _check_symmetric("eigh", A, UPLO)
    return Eigh(*ops.eigh(A, UPLO=UPLO))


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of symmetric matrices, in ascending order, (..., n, n) -> (..., n); see `eigh`."""
    _check_symmetric("eigvalsh", A, UPLO)
    return ops.eigvalsh(A, UPLO=UPLO)


def _check_symmetric(name: str, A: Tensor, UPLO: str) -> None:
    check_square(name, A)
    if UPLO not in ("L", "U"):
        raise ValueError(f"{name}(): UPLO {UPLO!r}, expected 'L' or 'U', the triangle that is read")


def svd(A: Tensor, full_matrices: bool = True) -> SVD:
    """(U, S, Vh) with U diag(S) Vh = A, (..., m, n); the singular values S in descending order.

    U is (..., m, m) and Vh (..., n, n), or with full_matrices=False, with k = min(m, n), (..., m, k) and
    (..., k, n). The gradient of U and Vh asks for singular values that differ (and are not 0 unless m = n),
    and is that of a function which the sign of a vector, in both at once, does not change.
    """
    check_matrices("svd", A)
    return SVD(*ops.svd(A, full_matrices=full_matrices))


def svdvals(A: Tensor) -> Tensor:
    """The singular values of matrices, in descending order, (..., m, n) -> (..., min(m, n))."""
    check_matrices("svdvals", A)
    return ops.svdvals(A)


def matrix_rank(
    A: Tensor, *, atol: float | None = None, rtol: float | None = None, hermitian: bool = False
) -> Tensor:
    """The number of singular values above max(atol, rtol · the largest), (..., m, n) -> (...).

    rtol is the precision of the type, times the longer side of A, unless told otherwise, or atol was told.
    hermitian=True: A is symmetric, and only its lower triangle is read.
    """
    check_matrices("matrix_rank", A)
    if hermitian:
        check_square("matrix_rank", A)
        A = ops.mirrored(A)
    return rank_of(A, ops.svdvals(A), atol, rtol)
