"""Floor 4: inverses, determinants, solutions of equations, and the exponential of a matrix.

LAPACK (on a GPU, cuSOLVER) computes; the rules are products with what it computed (Giles 2008, "Collected
matrix derivative results").  Letters: M rows and N columns of a matrix x, K right-hand sides; all leading
dimensions are a batch.
"""

import itertools
import math

from minigrad.errors import LinAlgError, ShapeError, broadcast_error
from minigrad.ops.reduce import sum_
from minigrad.ops.shape import cat, mT, widen
from minigrad.primitive import primitive

FAMILY = "trailing"  # how vmap batches the cards of this file


def attempted(xp, name, problem, routine, *arrays):
    """routine(*arrays); if it fails, the error says which matrix of the batch is at fault."""
    try:
        return routine(*arrays)
    except xp.linalg.LinAlgError:
        places = itertools.product(*map(range, arrays[0].shape[:-2]))
        place = next(place for place in places if _fails(xp, routine, [a[place] for a in arrays]))
        which = f"matrix {place} of the batch" if place else "matrix"
        raise LinAlgError(f"{name}(): the {which} {problem}") from None


def _fails(xp, routine, matrices):
    """Does the routine give up on these?"""
    try: routine(*matrices)
    except xp.linalg.LinAlgError: return True
    return False


SINGULAR = "is singular; use linalg.pinv or linalg.lstsq, or add a multiple of the identity"


@primitive
class inv:
    """y = x⁻¹,  dx = -yᵀ g yᵀ"""
    def forward(xp, x): return attempted(xp, "inv", SINGULAR, xp.linalg.inv, x)
    def d_x(g, y): return -(mT(y) @ g @ mT(y))


def _solve_error(a, b):
    if a[-1:] != b[-2:-1]:
        return ShapeError(f"solve(): A {a} and B {b}: A has {a[-1]} columns, so B must have as many rows")
    return broadcast_error("solve", (a[:-2], b[:-2]))


@primitive
class solve:
    """y = a⁻¹ b,  db = a⁻ᵀ g,  da = -db yᵀ"""
    family = "matmul"
    promote = ("a", "b")
    refuse = _solve_error
    def forward(xp, a, b):
        if a.shape[:-2] != b.shape[:-2]:  # CuPy does not broadcast here
            batch = broadcast_sizes(a.shape[:-2], b.shape[:-2])
            a, b = [xp.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (a, b)]
        return attempted(xp, "solve", SINGULAR, xp.linalg.solve, a, b)
    def d(g, a, y):
        db = solve(mT(a), g)
        return -(db @ mT(y)), db


def broadcast_sizes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that these shapes broadcast to; where two sizes disagree, one of them."""
    aligned = itertools.zip_longest(*map(reversed, shapes), fillvalue=1)
    return tuple([next((n for n in sizes if n != 1), 1) for sizes in aligned])[::-1]


@primitive
class det:
    """y = |x|,  dx = g (the cofactors of x)"""
    def forward(xp, x): return xp.linalg.det(x)
    def d_x(g, x): return g[..., None, None] * cofactors(x)


@primitive
class cofactors:
    """y = |x| x⁻ᵀ, also where x is singular;  dx = y (⟨g, b⟩ - gᵀ b), b = x⁻ᵀ, where it is not

    With x = U diag(s) Vᵀ it is |U||V| U diag(the products of all s but one) Vᵀ, and divides by nothing.
    """
    def forward(xp, x):
        U, s, Vh = xp.linalg.svd(x)
        diagonal = xp.eye(x.shape[-1], dtype="bool")
        others = xp.where(diagonal, xp.ones_like(x), s[..., None, :]).prod(axis=-1)
        handed = others * (xp.linalg.det(U) * xp.linalg.det(Vh))[..., None]  # minus if U or V reflects
        return xp.matmul(U * handed[..., None, :], Vh)
    def d_x(g, x, y):
        b = mT(inv(x))
        return y * sum_(g * b, dim=(-2, -1), keepdim=True) - y @ (mT(g) @ b)


@primitive
class slogdet:
    """y = (the sign of |x|, ln ||x||),  dx = g x⁻ᵀ"""
    def forward(xp, x): return tuple(xp.linalg.slogdet(x))
    def d_x(g, x): return None if g[1] is None else g[1][..., None, None] * mT(inv(x))


@primitive
class pinv:
    """y = x⁺;  dx = (1 - x y) gᵀ y yᵀ + yᵀ y gᵀ (1 - y x) - yᵀ g yᵀ    (Golub & Pereyra 1973, eq. 4.12)

    Singular values up to max(atol, rtol · the largest) count as 0.  The rule holds while the rank stays.
    """
    def forward(xp, x, *, atol=0.0, rtol):
        U, s, Vh = xp.linalg.svd(x, full_matrices=False)
        counts = s > xp.maximum(s[..., :1] * rtol, atol)
        inverse = xp.where(counts, 1 / xp.where(counts, s, xp.ones_like(s)), xp.zeros_like(s))
        return xp.matmul(Vh.swapaxes(-1, -2) * inverse[..., None, :], U.swapaxes(-1, -2))
    def d_x(g, x, y):
        gT, yT = mT(g), mT(y)
        return (gT - x @ (y @ gT)) @ y @ yT + yT @ y @ (gT - gT @ y @ x) - yT @ g @ yT


# ---------------------------------------------------------------- the exponential

# The coefficients of the Padé approximant of eˣ of degree 13, and how large |x| may be for it to be exact in
# float64 (Higham 2005, "The scaling and squaring method for the matrix exponential revisited", table 2.3).
PADE = [math.factorial(26 - k) // (math.factorial(k) * math.factorial(13 - k)) for k in range(14)]
PADE_REACH = 5.371920351148152


@primitive
class matrix_exp:
    """y = 1 + x + x²/2! + x³/3! + …;  dx = the corner of exp [xᵀ g; 0 xᵀ]    (Mathias 1996, theorem 2.1)"""
    def forward(xp, x):
        if x.size == 0: return x.copy()
        size = xp.abs(x).sum(axis=-2).max(axis=-1)
        halvings = xp.ceil(xp.log2(xp.maximum(size / PADE_REACH, 1.0)))
        halvings = xp.where(xp.isfinite(halvings), halvings, 0.0)[..., None, None]
        y = pade(xp, x * xp.exp2(-halvings))
        for step in range(int(halvings.max())): y = xp.where(step < halvings, xp.matmul(y, y), y)
        return y
    def d_x(g, x):
        n = x.shape[-1]
        upper = cat(mT(x), g, dim=len(x.shape) - 1)
        lower = widen(mT(x), size=2 * n, dim=len(x.shape) - 1, start=n)
        return matrix_exp(cat(upper, lower, dim=len(x.shape) - 2))[..., :n, n:]


def pade(xp, x):
    """eˣ for a small x: (v - u)⁻¹ (v + u), where u and v are the odd and the even terms of a polynomial."""
    one = xp.eye(x.shape[-1], dtype=x.dtype)
    x2 = xp.matmul(x, x)
    x4 = xp.matmul(x2, x2)
    x6 = xp.matmul(x2, x4)
    b = [float(number / PADE[0]) for number in PADE]
    u = xp.matmul(x6, b[13] * x6 + b[11] * x4 + b[9] * x2) + b[7] * x6 + b[5] * x4 + b[3] * x2 + b[1] * one
    v = xp.matmul(x6, b[12] * x6 + b[10] * x4 + b[8] * x2) + b[6] * x6 + b[4] * x4 + b[2] * x2 + b[0] * one
    u = xp.matmul(x, u)
    return xp.linalg.solve(v - u, v + u)
