"""Floor 6: `minigrad.linalg`, linear algebra under the names of torch.linalg.

All of it works on batches of matrices, (..., rows, columns), of float32 or float64.

>>> import minigrad as mg
>>> A = mg.tensor([[2.0, 1.0], [1.0, 2.0]], requires_grad=True)
>>> mg.linalg.eigvalsh(A)
tensor([1., 3.], grad_fn=<EigvalshBackward>)
"""

from .errors import LinAlgError
from .functions import linalg, rearranging
from .functions.decompositions import cholesky, eigh, eigvalsh, matrix_rank, qr, svd, svdvals
from .functions.linalg import matmul, multi_dot, vecdot
from .functions.matrix_norms import cond, matrix_norm, norm, vector_norm
from .functions.solving import (
    det,
    inv,
    lstsq,
    matrix_exp,
    matrix_power,
    pinv,
    slogdet,
    solve,
    solve_triangular,
    tensorinv,
)
from .tensor import Tensor

__all__ = [
    "LinAlgError", "cholesky", "cond", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "lstsq",
    "matmul", "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr",
    "slogdet", "solve", "solve_triangular", "svd", "svdvals", "tensorinv", "vecdot", "vector_norm",
]  # fmt: skip


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The vector product along `dim`, which has size 3."""
    return linalg.cross(input, other, dim)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals number `offset` of matrices, as the last dimension: a view."""
    return rearranging.diagonal(A, offset, dim1, dim2)
