"""Floor 4: rounding, and division with a remainder.  What is a staircase has the slope 0.

A whole number is rounded already, and divided by 0 it is an error.
"""

from minigrad.errors import DivisionError, DTypeError
from minigrad.primitive import primitive

FAMILY = "elementwise"  # how vmap batches the cards of this file

# ---------------------------------------------------------------- to a whole number


def _rounded(rule, x):
    """x by a rule of rounding; integers as they are."""
    return rule(x) if x.dtype.kind == "f" else x.copy()


@primitive
class floor:
    """y = ⌊x⌋, the largest whole number ≤ x;  dy/dx = 0"""
    def forward(xp, x): return _rounded(xp.floor, x)
    def d_x(g): return g * 0.0


@primitive
class ceil:
    """y = ⌈x⌉, the smallest whole number ≥ x;  dy/dx = 0"""
    def forward(xp, x): return _rounded(xp.ceil, x)
    def d_x(g): return g * 0.0


@primitive
class trunc:
    """y = x without the digits after the point;  dy/dx = 0"""
    def forward(xp, x): return _rounded(xp.trunc, x)
    def d_x(g): return g * 0.0


@primitive
class round_:
    """y = x to so many decimals, a half to the even neighbour;  dy/dx = 0"""
    def forward(xp, x, *, decimals=0): return _rounded(xp.rint, x) if decimals == 0 else xp.round(x, decimals)
    def d_x(g): return g * 0.0


@primitive
class sign:
    """y = -1, 0 or 1, the sign of x, 0 for NaN;  dy/dx = 0"""
    def forward(xp, x):
        above, below = (x > 0).view("int8"), (x < 0).view("int8")  # as small as bools, which have no minus
        return xp.subtract(above, below).astype(x.dtype)
    def d_x(g): return g * 0.0


# ---------------------------------------------------------------- with a remainder


def _divisor(name, b):
    """b, if one can divide by it with a remainder: no bool, and among integers no 0."""
    kind = getattr(b, "dtype", None)
    if kind is None or kind.kind == "f":
        return b
    if kind.kind == "b":
        raise DTypeError(f"{name}(): expected integer or floating numbers, got bool; use .int() first")
    if not b.all():
        raise DivisionError(f"{name}(): an integer is divided by 0; use .float() for inf and nan")
    return b


@primitive
class floor_divide:
    """y = ⌊a / b⌋;  dy/da = dy/db = 0"""
    promote = ("a", "b")
    def forward(xp, a, b): return xp.floor_divide(a, _divisor("floor_divide", b))
    def d_a(g): return g * 0.0
    def d_b(g): return g * 0.0


@primitive
class remainder:
    """y = a - b ⌊a / b⌋, of the sign of b;  ∂y/∂a = 1,  ∂y/∂b = -⌊a / b⌋"""
    promote = ("a", "b")
    def forward(xp, a, b): return xp.remainder(a, _divisor("remainder", b))
    def d_a(g): return g
    def d_b(g, a, b): return -g * floor_divide(a, b)


@primitive
class fmod:
    """y = a - b trunc(a / b), of the sign of a;  ∂y/∂a = 1,  ∂y/∂b = -trunc(a / b)"""
    promote = ("a", "b")
    def forward(xp, a, b): return xp.fmod(a, _divisor("fmod", b))
    def d_a(g): return g
    def d_b(g, a, b): return -g * trunc(a / b)
