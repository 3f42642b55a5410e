"""Floor 4: matrices taken apart: Cholesky, QR, eigenvalues, singular values.

LAPACK (on a GPU, cuSOLVER) computes; the rules are products with the parts (Giles 2008; Seeger et al. 2017,
"Auto-differentiating linear algebra").  An output that nobody used has the gradient None.  A rule holds
where the parts are determined: a positive definite matrix, independent columns, and, for vectors, eigenvalues
or singular values that differ; and for functions that do not ask for the sign of a vector.
"""

import functools

from minigrad.errors import GraphError
from minigrad.ops.reduce import sum_
from minigrad.ops.shape import mT, reshape, tril
from minigrad.ops.solving import attempted, solve
from minigrad.primitive import primitive

FAMILY = "trailing"  # how vmap batches the cards of this file
NO_CONVERGENCE = "has no decomposition that the iteration finds; look for nan and inf in it"


def mirrored(x):
    """The symmetric matrix that has the lower triangle of x."""
    return tril(x) + mT(tril(x, diagonal=-1))


@primitive
class cholesky:
    """y = L with L Lᵀ = x, of which the lower triangle is read;  dx = ½ L⁻ᵀ mirrored(Lᵀ g) L⁻¹"""
    def forward(xp, x):
        problem = "is not positive definite; add a multiple of the identity, or use linalg.eigh"
        return attempted(xp, "cholesky", problem, xp.linalg.cholesky, x)
    def d_x(g, y):
        half = solve(mT(y), mirrored(mT(y) @ g))
        return mT(solve(mT(y), mT(half))) * 0.5


@primitive
class qr:
    """(Q, R): Q R = x, QᵀQ = 1;  dx = (gQ + Q mirrored(R gRᵀ - gQᵀ Q)) R⁻ᵀ    (M ≥ N)"""
    def forward(xp, x, *, mode="reduced"): return tuple(xp.linalg.qr(x, mode))
    def d_x(g, y, mode):
        Q, R = y
        gQ, gR = [part * 0.0 if given is None else given for given, part in zip(g, y, strict=True)]
        if Q.shape[-1] > R.shape[-1]:
            raise GraphError("qr(): the columns that mode='complete' adds to Q are arbitrary; use 'reduced'")
        return mT(solve(R, mT(gQ + Q @ mirrored(R @ mT(gR) - mT(gQ) @ Q))))


@primitive
class inverse_gaps:
    """y_ij = 1 / (x_j - x_i), and 0 for i = j;  dx_j = Σ_i (h_ji - h_ij), h = y² g"""
    def forward(xp, x):
        gaps = x[..., None, :] - x[..., :, None]
        diagonal = xp.eye(x.shape[-1], dtype="bool")
        return xp.where(diagonal, xp.zeros_like(gaps), 1 / xp.where(diagonal, xp.ones_like(gaps), gaps))
    def d_x(g, y):
        h = y * y * g
        return sum_(h, dim=-1) - sum_(h, dim=-2)


@primitive
class eigh:
    """(w, V): V diag(w) Vᵀ = x, of which one triangle is read;  dx = V (diag(gw) + Vᵀ gV ∘ gaps(w)⁻¹) Vᵀ"""
    def forward(xp, x, *, UPLO="L"):
        return tuple(attempted(xp, "eigh", NO_CONVERGENCE, functools.partial(xp.linalg.eigh, UPLO=UPLO), x))
    def d_x(g, y):
        (gw, gV), (w, V) = g, y
        dV = 0.0 if gw is None else V * row(gw)
        if gV is not None: dV = dV + V @ ((mT(V) @ gV) * inverse_gaps(w))
        return dV @ mT(V)


@primitive
class eigvalsh:
    """y = the eigenvalues of x, in ascending order;  dx = V diag(g) Vᵀ"""
    def forward(xp, x, *, UPLO="L"):
        return attempted(xp, "eigvalsh", NO_CONVERGENCE, functools.partial(xp.linalg.eigvalsh, UPLO=UPLO), x)
    def d_x(g, x, UPLO):
        V = eigh(x, UPLO=UPLO)[1]
        return (V * row(g)) @ mT(V)


@primitive
class svd:
    """(U, S, Vᵀ): U diag(S) Vᵀ = x;  dx = U diag(gS) Vᵀ + the part of U + that of V    (Townsend 2016)

    Of full matrices, only the columns that belong to a singular value have a gradient.
    """
    def forward(xp, x, *, full_matrices=True):
        routine = functools.partial(xp.linalg.svd, full_matrices=full_matrices)
        return tuple(attempted(xp, "svd", NO_CONVERGENCE, routine, x))
    def d_x(g, y):
        (gU, gS, gVh), (U, S, Vh) = g, y
        k = S.shape[-1]
        U, V = U[..., :k], mT(Vh)[..., :k]
        dx = 0.0 if gS is None else (U * row(gS)) @ mT(V)
        if gU is not None: dx = dx + _part_of_vectors(gU[..., :k], U, S, V)
        if gVh is not None: dx = dx + mT(_part_of_vectors(mT(gVh)[..., :k], V, S, U))
        return dx


def _part_of_vectors(gU, U, S, V):
    """(U (J ∘ gaps(S²)⁻¹) diag(S) + (1 - UUᵀ) gU diag(S)⁻¹) Vᵀ, where J = UᵀgU - gUᵀU."""
    turned = mT(U) @ gU
    dU = U @ ((turned - mT(turned)) * inverse_gaps(S * S)) * row(S)
    if U.shape[-2] > U.shape[-1]: dU = dU + (gU - U @ turned) / row(S)  # what leaves the span of U
    return dU @ mT(V)


@primitive
class svdvals:
    """y = the singular values of x, in descending order;  dx = U diag(g) Vᵀ"""
    def forward(xp, x):
        return attempted(xp, "svdvals", NO_CONVERGENCE, functools.partial(xp.linalg.svd, compute_uv=False), x)
    def d_x(g, x):
        U, _, Vh = svd(x, full_matrices=False)
        return (U * row(g)) @ Vh


def row(x):
    """A vector as a matrix of one row: what multiplies the columns of a matrix."""
    return reshape(x, shape=(*x.shape[:-1], 1, x.shape[-1]))
