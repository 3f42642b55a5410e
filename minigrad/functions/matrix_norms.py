"""Floor 5: how large vectors and matrices are; see functions/__init__.py.  Found in `minigrad.linalg`."""

import math
from collections.abc import Sequence
from typing import Any

from minigrad import ops
from minigrad.errors import ShapeError, normalise_dims
from minigrad.tensor import Tensor

from . import reduce
from .convert import to
from .decompositions import svdvals
from .matrices import check_floating, check_matrices, check_square, identity_like
from .shape import Dims, permute

__all__: list[str] = []
METHODS = ()
IN_PLACE = ()

ORDERS = ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)  # of norms of matrices


def vector_norm(
    x: Tensor, ord: Any = 2, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """(Σ |x|ᵖ)^(1/p) over `dim` (None: over all elements), p = ord; where it is 0 so is its gradient.

    For ord = inf it is the largest |x|, for -inf the smallest, for 0 the number of elements not 0.
    """
    if isinstance(ord, str):
        raise TypeError(
            f"vector_norm(): ord must be a number, got {ord!r}; matrix_norm takes 'fro' and 'nuc'"
        )
    return reduce.norm(x, ord, dim, keepdim, dtype)


def matrix_norm(
    A: Tensor,
    ord: Any = "fro",
    dim: tuple[int, int] = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor:
    """A norm of the matrices that lie along the two dimensions `dim`.

    ord="fro": the root of the sum of squares; "nuc": the sum of the singular values; 2 and -2: the largest
    and the smallest of them; 1 and -1: the largest and the smallest sum of a column of |A|; inf and -inf:
    of a row.

    >>> import minigrad as mg
    >>> mg.linalg.matrix_norm(mg.tensor([[1.0, -2.0], [3.0, 4.0]]), 1)
    tensor(6.)
    """
    if isinstance(dim, int) or len(dim) != 2:
        raise ValueError(f"matrix_norm(): dim {dim}, expected two dimensions, those of the rows and columns")
    if ord not in ORDERS:
        raise ValueError(f"matrix_norm(): ord {ord!r}, expected one of {', '.join(map(repr, ORDERS))}")
    A = A if dtype is None else to(A, dtype)
    rows, columns = normalise_dims("matrix_norm", tuple(dim), A.ndim)
    if ord == "fro":
        return vector_norm(A, 2, (rows, columns), keepdim)
    if ord in ("nuc", 2, -2):
        others = [d for d in range(A.ndim) if d not in (rows, columns)]
        values = svdvals(permute(A, (*others, rows, columns)))
        dims: tuple[int, ...] = (values.ndim - 1,)
    else:
        check_floating("matrix_norm", A)
        values = ops.sum_(ops.abs_(A), dim=rows if abs(ord) == 1 else columns, keepdim=True)
        dims = (rows, columns)
    if ord == "nuc" or 0 in (A.shape[rows], A.shape[columns]):
        found = ops.sum_(values, dim=dims)
    else:
        found = (ops.amax if ord > 0 else ops.amin)(values, dim=dims)
    sizes = [1 if d in (rows, columns) else n for d, n in enumerate(A.shape)]
    return ops.reshape(found, shape=tuple(sizes)) if keepdim else found


def norm(A: Tensor, ord: Any = None, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The norm of a vector, or of a matrix: `vector_norm` or `matrix_norm`.

    Along two dimensions with an order, it is that of matrices; else of vectors, of order 2 unless told
    otherwise. Without `dim`, an order asks for one or two dimensions; without an order, it is the norm of
    all elements.
    """
    if ord is not None and dim is None:
        if A.ndim not in (1, 2):
            raise ShapeError(
                f"norm(): ord {ord!r} without dim: got shape {A.shape}, expected 1 or 2 dimensions"
            )
        dim = 0 if A.ndim == 1 else (0, 1)
    if ord is not None and isinstance(dim, Sequence) and len(dim) == 2:
        return matrix_norm(A, ord, (dim[0], dim[1]), keepdim, dtype=dtype)
    return vector_norm(A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


def cond(A: Tensor, p: Any = None) -> Tensor:
    """The condition number ‖A‖ ‖A⁻¹‖ in the matrix norm of order p: how much an error in B grows in A⁻¹B.

    For p=None and 2 it is the ratio of the largest singular value to the smallest, for which A need not be
    square; for -2 the ratio of the smallest to the largest. Of a singular matrix it is inf.
    """
    if p is None or p in (2, -2):
        check_matrices("cond", A)
        S = svdvals(A)
        return S[..., -1] / S[..., 0] if p == -2 else S[..., 0] / S[..., -1]
    check_square("cond", A)
    singular = ops.equal(ops.slogdet(A)[0], 0)
    regular = ops.where(singular[..., None, None], identity_like(A), A)
    return ops.where(singular, math.inf, matrix_norm(A, p) * matrix_norm(ops.inv(regular), p))
