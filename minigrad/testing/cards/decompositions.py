"""The cards of minigrad/ops/decompose.py, and the norms of matrices.

What has an arbitrary sign is tested by what the sign does not change: squares, and products of two.
"""

import math

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.errors import LinAlgError, ShapeError
from minigrad.testing.card import Card, Refusal
from minigrad.testing.signatures import batches, normed, one_dim, reduction
from minigrad.testing.strategies import DISTINCT, NONZERO, Domain

from .elementwise import zeros
from .solving import BOOLEANS, DOUBLE, FULL, matrix_card, no_square

UPLO = st.sampled_from("LU")
JUST_NONZERO = Domain(low=-0.5, high=0.5, away=(0.0,), diagonal=4.0)


def symmetric(x):
    return (x + x.mT) * 0.5


def without_signs(U, S, V):
    """S, and of the vectors in the columns of U and V what their signs do not change."""
    k = S.shape[-1]
    U, V = U[..., :k], V[..., :k]
    return S, U * U, V * V, U @ V.mT


def eigen(xp, x, UPLO):
    w, V = xp.eigh(symmetric(x), UPLO)
    return w, V * V, (V * w[..., None, :]) @ V.mT


def triangular(xp, x):
    Q, R = xp.qr(x)
    return Q * Q, R * R


def singular(xp, x, full_matrices):
    U, S, Vh = xp.svd(x, full_matrices=full_matrices)
    return without_signs(U, S, Vh.mT)


def within(function):
    """The function of a library's linalg, for an oracle: of torch.linalg."""
    return lambda torch, *inputs, **statics: function(torch.linalg, *inputs, **statics)


def cholesky(xp, x, upper):
    return xp.cholesky(symmetric(x), upper=upper)


def gaps(x):
    y = np.zeros((*x.shape, x.shape[-1]))
    for i, j in np.ndindex(y.shape[-2:]):
        if i != j:
            y[..., i, j] = 1 / (x[..., j] - x[..., i])
    return y


def parts(name, function, card=None, *, square=False, **options):
    """The card of a decomposition: `function(linalg, x, ...)`, on every library."""
    return matrix_card(
        name, lambda x, **statics: function(mg.linalg, x, **statics),
        lambda x, **statics: function(np.linalg, x, **statics), within(function), card, square=square, **options,
    )  # fmt: skip


PARTS = [
    parts(
        "cholesky", cholesky, ops.cholesky, square=True, upper=BOOLEANS,
        errors=[
            *no_square("cholesky", mg.cholesky),
            Refusal(lambda: mg.cholesky(-mg.eye(2)), LinAlgError, "cholesky(): the matrix is not positive definite"),
            Refusal(
                lambda: mg.cholesky(mg.stack([mg.eye(2), mg.zeros(2, 2)])), RuntimeError,
                "cholesky(): the matrix (1,) of the batch is not positive definite",
            ),
        ],
    ),
    parts("qr", triangular, ops.qr, result=("same", "same"), errors=no_square("qr", mg.linalg.qr)[1:]),
    parts(
        "eigh", eigen, ops.eigh, square=True, UPLO=UPLO, result=("same",) * 3,
        errors=[
            *no_square("eigh", mg.linalg.eigh),
            Refusal(lambda: mg.linalg.eigh(mg.eye(2), "X"), ValueError, "eigh(): UPLO 'X', expected 'L' or 'U'"),
        ],
    ),
    parts(
        "eigvalsh", lambda xp, x, UPLO: xp.eigvalsh(symmetric(x), UPLO), ops.eigvalsh, square=True, UPLO=UPLO,
        errors=no_square("eigvalsh", mg.linalg.eigvalsh),
    ),
    parts(
        "svd", singular, ops.svd, full_matrices=BOOLEANS, result=("same",) * 4,
        errors=[
            *no_square("svd", mg.linalg.svd)[1:],
            Refusal(lambda: mg.linalg.svd(mg.full((2, 2), math.nan)), LinAlgError, "svd(): the matrix has no decomposition"),
        ],
    ),
    matrix_card(
        "svdvals", mg.linalg.svdvals, lambda x: np.linalg.svd(x, compute_uv=False),
        lambda torch, x: torch.linalg.svdvals(x), ops.svdvals, square=False, errors=no_square("svdvals", mg.linalg.svdvals)[1:],
    ),
    Card("inverse_gaps", ops.inverse_gaps, one_dim(min_dims=1).map(lambda found: (found[0], {})), gaps, None, (DISTINCT,), dtypes=DOUBLE),
    matrix_card(
        "matrix_rank", mg.linalg.matrix_rank, lambda x, atol: np.linalg.matrix_rank(x, tol=atol),
        lambda torch, x, atol: torch.linalg.matrix_rank(x, atol=atol), square=False, result="int64",
        atol=st.sampled_from((None, 6.0)), errors=no_square("matrix_rank", mg.linalg.matrix_rank)[1:],
    ),
    Card(
        "diagonal in linalg", mg.linalg.diagonal, batches(offset=st.integers(-2, 2)),
        lambda x, offset: np.diagonal(x, offset, -2, -1), lambda torch, x, offset: torch.linalg.diagonal(x, offset=offset),
        dtypes=DOUBLE, view=True,
        errors=[Refusal(lambda: mg.linalg.diagonal(zeros(2)), IndexError, "dim -2 out of range for 1-d tensor")],
    ),
]  # fmt: skip


def vector_norm(x, ord, dim, keepdim):
    return (np.abs(x) ** ord).sum(None if dim == () else dim, keepdims=keepdim) ** (1 / ord)


def moved(norm):
    """The norm of a tensor whose dimensions are put in another order first."""

    def function(x, order, **statics):
        return norm(x.transpose(order) if isinstance(x, np.ndarray) else x.permute(order), **statics)

    return function


def numpy_norm(x, ord, dim, keepdim):
    return np.linalg.norm(x, ord, dim, keepdim)


def norm_card(name, op, orders, **options):
    return Card(
        f"{name} in linalg", moved(op), normed(orders, keepdim=BOOLEANS), moved(numpy_norm),
        lambda torch, x, **statics: moved(getattr(torch.linalg, name))(x, **statics), (JUST_NONZERO,), dtypes=DOUBLE,
        **options,
    )  # fmt: skip


def torch_cond(torch, x, p):
    """PyTorch gives no gradient for p="fro" and "nuc"."""
    norm = torch.linalg.matrix_norm
    return norm(x, p) * norm(torch.linalg.inv(x), p) if isinstance(p, str) else torch.linalg.cond(x, p)


ORDERS = ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)
NORMS = [
    Card(
        "vector_norm", mg.linalg.vector_norm, reduction(min_side=1, ord=st.sampled_from((2, 1, 3, 2.5))), vector_norm,
        lambda torch, x, **statics: torch.linalg.vector_norm(x, **statics), (NONZERO,), dtypes=DOUBLE,
        errors=[Refusal(lambda: mg.linalg.vector_norm(zeros(2), "fro"), TypeError, "ord must be a number, got 'fro'")],
    ),
    norm_card(
        "matrix_norm", mg.linalg.matrix_norm, ORDERS,
        errors=[
            Refusal(lambda: mg.linalg.matrix_norm(zeros(2, 2), 3), ValueError, "matrix_norm(): ord 3, expected one of 'fro'"),
            Refusal(lambda: mg.linalg.matrix_norm(zeros(2, 2), dim=0), ValueError, "dim 0, expected two dimensions"),
            Refusal(lambda: mg.linalg.matrix_norm(zeros(2), 2), IndexError, "dim -2 out of range for 1-d tensor"),
        ],
    ),
    norm_card(
        "norm", mg.linalg.norm, (*ORDERS, None),
        errors=[Refusal(lambda: mg.linalg.norm(zeros(2, 2, 2), 2), ShapeError, "got shape (2, 2, 2), expected 1 or 2")],
    ),
    Card(
        "cond", mg.linalg.cond, batches(square=True, min_side=1, p=st.sampled_from((None, "fro", "nuc", 2, -2))), np.linalg.cond,
        torch_cond, FULL, dtypes=DOUBLE,
        errors=no_square("cond", mg.linalg.cond)[1:],
    ),
]  # fmt: skip

CARDS = [*PARTS, *NORMS]
