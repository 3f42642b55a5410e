"""Floor 4: distances between all pairs of rows.

Letters: P and R the numbers of rows of the two operands, M their length.
"""

from minigrad.backend import accumulator
from minigrad.ops.linalg import matmul
from minigrad.ops.reduce import infinite_if_zero, sum_
from minigrad.ops.shape import mT
from minigrad.primitive import primitive


@primitive
class euclidean_distances:
    """y[p, r] = |a[p] - b[r]|;  da = Σ_r w (a[p] - b[r]) with w = g / y, and w = 0 where y = 0

    by_product: y² = |a|² + |b|² - 2 a bᵀ, one product of matrices, where the differences would fill P R M
    numbers; but of a distance that is small beside |a| it keeps half the digits.
    """
    family = "matmul"
    promote = ("a", "b")
    floating = True
    def forward(xp, a, b, *, by_product=False):
        short, wide = a.dtype, accumulator(a.dtype)
        a, b = a.astype(wide, copy=False), b.astype(wide, copy=False)
        if by_product:
            squares = (a * a).sum(axis=-1)[..., :, None] + (b * b).sum(axis=-1)[..., None, :]
            squares = xp.maximum(squares - 2 * xp.matmul(a, b.swapaxes(-1, -2)), 0)  # (..., P, R)
        else:
            difference = a[..., :, None, :] - b[..., None, :, :]  # (..., P, R, M)
            squares = (difference * difference).sum(axis=-1)
        return xp.sqrt(squares).astype(short, copy=False)
    def d_a(g, y, a, b): return summed_differences(g / infinite_if_zero(y), a, b)
    def d_b(g, y, a, b): return summed_differences(mT(g / infinite_if_zero(y)), b, a)


def summed_differences(w, a, b):
    """Σ_r w[p, r] (a[p] - b[r])"""
    return a * sum_(w, dim=-1, keepdim=True) - matmul(w, b)
