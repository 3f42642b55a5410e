"""Maps from any matrix to one with orthonormal columns, and back: what `parametrizations.orthogonal` uses.

Letters: n and k the sizes of the weight as a tall matrix, n ≥ k, whose k columns are orthonormal.
"""

from collections.abc import Callable

import numpy as np

from minigrad.backend import namespace, to_numpy
from minigrad.creation import empty, eye, zeros
from minigrad.functions import cat
from minigrad.linalg import matrix_exp, qr, solve, solve_triangular
from minigrad.nn.init import normal_
from minigrad.tensor import Tensor

# ------------------------------------------------------------------- from any matrix to an orthogonal one


def _exponential(X: Tensor) -> Tensor:
    """e^A, the first k columns, with A of `_skew`."""
    return matrix_exp(_skew(X))[..., : X.shape[-1]]


def _cayley(X: Tensor) -> Tensor:
    """(I - A / 2)⁻¹ (I + A / 2), the first k columns, with A of `_skew`    (Cayley 1846)."""
    half = _skew(X) / 2
    identity = eye(X.shape[-2], dtype=X.dtype, device=X.device)
    return solve(identity - half, identity + half)[..., : X.shape[-1]]


def _skew(X: Tensor) -> Tensor:
    """A = L - Lᵀ (n, n), with L the lower triangle of X and zeros beside it."""
    *batch, n, k = X.shape
    lower = X.tril()
    if n > k:
        lower = cat([lower, zeros(*batch, n, n - k, dtype=X.dtype, device=X.device)], dim=-1)
    return lower - lower.mT


def _reflections(X: Tensor) -> Tensor:
    """H₁ H₂ ⋯ Hₖ D, the first k columns, with Hᵢ = I - 2 vᵢ vᵢᵀ / vᵢᵀ vᵢ and D the signs of X's diagonal

    vᵢ is column i of V: what X has below the diagonal, and 1 on it. The product of all is I - V T Vᵀ, where
    T⁻¹ is upper triangular: VᵀV above its diagonal, and half of it there.

    Reference: Joffrain, Low, Quintana-Ortí, van de Geijn and Van Zee 2006, "Accumulating Householder
    transformations, revisited", where this is the UT transform.
    """
    n, k = X.shape[-2:]
    identity = eye(n, k, dtype=X.dtype, device=X.device)
    V = X.tril(-1) + identity
    products = V.mT @ V  # (..., k, k)
    inverse = products.triu(1) + products * eye(k, dtype=X.dtype, device=X.device) / 2
    Q = identity - V @ solve_triangular(inverse, V[..., :k, :].mT, upper=True)
    return Q * X.detach().diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)


MAPS: dict[str, Callable[[Tensor], Tensor]] = {
    "matrix_exp": _exponential,
    "cayley": _cayley,
    "householder": _reflections,
}

# ------------------------------------------------------------------------------------- and back


def completed(Q: Tensor) -> Tensor:
    """A square orthogonal matrix whose first columns are those of Q, made orthonormal if they are not."""
    *batch, n, k = Q.shape
    if n > k:
        others = normal_(empty(*batch, n, n - k, dtype=Q.dtype, device=Q.device))
        return _orthonormal(cat([Q, others], dim=-1))
    error = abs(Q.mT @ Q - eye(n, dtype=Q.dtype, device=Q.device)).max().item()
    return Q.clone() if error < 10 * n * np.finfo(Q.dtype).eps else _orthonormal(Q)


def _orthonormal(A: Tensor) -> Tensor:
    """Q of A = QR, with no negative number on the diagonal of R."""
    Q, R = qr(A)
    return Q * R.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)


def reflectors(Q: Tensor) -> Tensor:
    """An X whose `_reflections` are Q: what LAPACK's QR keeps below the diagonal, and the signs on it."""
    kept, factors = np.linalg.qr(to_numpy(Q.array), mode="raw")  # (..., k, n), (..., k)
    X = np.swapaxes(kept, -1, -2).copy()
    place = np.arange(X.shape[-1])
    X[..., place, place] = np.sign(X[..., place, place]) * np.where(factors == 0, -1, 1)  # 0: no reflection
    return Tensor(namespace(Q.array).asarray(X))
