"""Floor 4: questions about each element, and bit by bit arithmetic.  None of these has a gradient."""

import math

from minigrad.errors import broadcast_error
from minigrad.primitive import primitive

FAMILY = "elementwise"  # how vmap batches the cards of this file

# ---------------------------------------------------------------- of two numbers


def _of_two(name: str, equation: str, *, promotes: bool = True, kinds: str = ""):
    """The card of a function of two numbers that NumPy has under the same name, and that has no gradient."""
    def forward(xp, a, b): return getattr(xp, name)(a, b)
    def refuse(a, b): return broadcast_error(name, (a, b))
    promote = {"promote": ("a", "b")} if promotes else {}
    rest = {"forward": forward, "refuse": refuse, "nondifferentiable": ("a", "b"), "kinds": kinds, **promote}
    return primitive(type(name, (), {"__doc__": f"y = {equation}", **rest}))


equal, not_equal = _of_two("equal", "a == b"), _of_two("not_equal", "a != b")
less, less_equal = _of_two("less", "a < b"), _of_two("less_equal", "a <= b")
greater, greater_equal = _of_two("greater", "a > b"), _of_two("greater_equal", "a >= b")

logical_and = _of_two("logical_and", "a and b", promotes=False)
logical_or = _of_two("logical_or", "a or b", promotes=False)
logical_xor = _of_two("logical_xor", "a or b, but not both", promotes=False)

bitwise_and = _of_two("bitwise_and", "a & b", kinds="biu")
bitwise_or = _of_two("bitwise_or", "a | b", kinds="biu")
bitwise_xor = _of_two("bitwise_xor", "a ^ b", kinds="biu")
left_shift = _of_two("left_shift", "a << b: a 2ᵇ", kinds="iu")
right_shift = _of_two("right_shift", "a >> b: a / 2ᵇ, rounded down", kinds="iu")

gcd = _of_two("gcd", "the greatest common divisor of a and b", kinds="iu")
lcm = _of_two("lcm", "the least common multiple of a and b", kinds="iu")


@primitive
class isclose_:
    """y = is |a - b| ≤ atol + rtol |b|?"""
    promote = ("a", "b")
    nondifferentiable = ("a", "b")
    def forward(xp, a, b, *, rtol, atol, equal_nan):
        return xp.isclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan)


# ---------------------------------------------------------------- of one number


@primitive
class invert:
    """y = not x, bit by bit"""
    nondifferentiable = ("x",)
    kinds = "biu"
    def forward(xp, x): return xp.invert(x)


@primitive
class logical_not:
    """y = not x"""
    nondifferentiable = ("x",)
    def forward(xp, x): return xp.logical_not(x)


@primitive
class isnan:
    """y = is x not a number?"""
    nondifferentiable = ("x",)
    def forward(xp, x): return xp.isnan(x)


@primitive
class isinf:
    """y = is x infinite?"""
    nondifferentiable = ("x",)
    def forward(xp, x): return xp.isinf(x)


@primitive
class isfinite:
    """y = is x a finite number?"""
    nondifferentiable = ("x",)
    def forward(xp, x): return xp.isfinite(x)


@primitive
class isposinf:
    """y = is x = ∞?"""
    nondifferentiable = ("x",)
    def forward(xp, x): return xp.equal(x, math.inf)


@primitive
class isneginf:
    """y = is x = -∞?"""
    nondifferentiable = ("x",)
    def forward(xp, x): return xp.equal(x, -math.inf)


@primitive
class signbit:
    """y = is the sign of x a minus?  That of -0.0 is."""
    nondifferentiable = ("x",)
    def forward(xp, x): return xp.signbit(x)
