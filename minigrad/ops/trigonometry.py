"""Floor 4: the functions of the circle and of the hyperbola, their inverses, and the sides of triangles."""

import math

from minigrad.ops.choosing import where
from minigrad.ops.exponential import rsqrt
from minigrad.primitive import primitive

FAMILY = "elementwise"  # how vmap batches the cards of this file

# ---------------------------------------------------------------- of the circle


@primitive
class sin:
    """y = sin x,  dy/dx = cos x"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.sin(x)
    def d_x(g, x): return g * cos(x)


@primitive
class cos:
    """y = cos x,  dy/dx = -sin x"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.cos(x)
    def d_x(g, x): return -g * sin(x)


@primitive
class tan:
    """y = tan x,  dy/dx = 1 + y²"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.tan(x)
    def d_x(g, y): return g * (1 + y * y)


@primitive
class asin:
    """y = arcsin x,  dy/dx = 1 / √(1 - x²)"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.arcsin(x)
    def d_x(g, x): return g * rsqrt(1 - x * x)


@primitive
class acos:
    """y = arccos x,  dy/dx = -1 / √(1 - x²)"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.arccos(x)
    def d_x(g, x): return -g * rsqrt(1 - x * x)


@primitive
class atan:
    """y = arctan x,  dy/dx = 1 / (1 + x²)"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.arctan(x)
    def d_x(g, x): return g / (1 + x * x)


@primitive
class atan2:
    """y = the angle of the point (b, a);  ∂y/∂a = b / (a² + b²),  ∂y/∂b = -a / (a² + b²), 0 at the origin"""
    promote = ("a", "b")
    floating = True
    def forward(xp, a, b): return xp.arctan2(a, b)
    def d_a(g, a, b): return _over_square(g * b, a, b)
    def d_b(g, a, b): return _over_square(-g * a, a, b)


def _over_square(x, a, b):
    """x / (a² + b²), and 0 at the origin."""
    square = a * a + b * b
    return where(square == 0, 0.0, x / where(square == 0, 1.0, square))


@primitive
class hypot:
    """y = √(a² + b²), without overflow;  ∂y/∂a = a / y"""
    promote = ("a", "b")
    floating = True
    def forward(xp, a, b): return xp.hypot(a, b)
    def d_a(g, y, a): return g * (a / y)
    def d_b(g, y, b): return g * (b / y)


@primitive
class sinc:
    """y = sin(πx) / (πx), 1 at 0;  dy/dx = (cos(πx) - y) / x, 0 at 0"""
    promote = ("x",)
    floating = True
    def forward(xp, x):
        z = xp.where(x == 0, 1, x * math.pi)
        return xp.where(x == 0, 1, xp.sin(z) / z)
    def d_x(g, y, x):
        near = abs(x) < 0.25  # where the difference loses digits
        return g * where(near, _sinc_slope(x), (cos(x * math.pi) - y) / where(near, 1.0, x))


def _sinc_slope(x):
    """The derivative of sinc for small x: -π Σ (-1)ᵏ (2k + 2) / (2k + 3)! (πx)²ᵏ⁺¹"""
    square, series = x * x * -(math.pi**2), 0.0
    for k in reversed(range(6)):
        series = series * square + (2 * k + 2) / math.factorial(2 * k + 3)
    return x * series * -(math.pi**2)


# ---------------------------------------------------------------- of the hyperbola


@primitive
class sinh:
    """y = (eˣ - e⁻ˣ) / 2,  dy/dx = cosh x"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.sinh(x)
    def d_x(g, x): return g * cosh(x)


@primitive
class cosh:
    """y = (eˣ + e⁻ˣ) / 2,  dy/dx = sinh x"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.cosh(x)
    def d_x(g, x): return g * sinh(x)


@primitive
class tanh:
    """y = tanh x,  dy/dx = 1 - y²"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.tanh(x)
    def d_x(g, y): return g * (1 - y * y)


@primitive
class asinh:
    """y = arsinh x,  dy/dx = 1 / √(x² + 1)"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.arcsinh(x)
    def d_x(g, x): return g * rsqrt(x * x + 1)


@primitive
class acosh:
    """y = arcosh x,  dy/dx = 1 / √(x² - 1)"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.arccosh(x)
    def d_x(g, x): return g * rsqrt(x * x - 1)


@primitive
class atanh:
    """y = artanh x,  dy/dx = 1 / (1 - x²)"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.arctanh(x)
    def d_x(g, x): return g / (1 - x * x)
