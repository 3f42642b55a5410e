"""Floor 4: powers, roots, exponentials and logarithms of each element."""

import math

from minigrad.ops.choosing import where
from minigrad.ops.comparison import isfinite
from minigrad.primitive import primitive

FAMILY = "elementwise"  # how vmap batches the cards of this file
_LN2, _LN10 = math.log(2), math.log(10)

# ---------------------------------------------------------------- powers and roots


@primitive
class pow_:
    """y = aᵇ,  ∂y/∂a = b aᵇ⁻¹,  ∂y/∂b = y ln a"""
    promote = ("a", "b")
    def forward(xp, a, b):
        if getattr(b, "dtype", None) is None or b.dtype.kind != "i": return xp.power(a, b)
        y = xp.power(a, xp.abs(b))  # 1 / aⁿ without its digits after the point is 0, but for a = 1 and -1
        return xp.where((b < 0) & (xp.abs(a) != 1), xp.zeros_like(y), y)
    def d_a(g, a, b):
        slope = pow_(a, b - 1)
        return g * where((b == 0) & ~isfinite(slope), 0.0, b * slope)
    def d_b(g, y, a, b): return g * where((a == 0) & (b >= 0), 0.0, y * log(a))


@primitive
class power:
    """y = xⁿ for a number n,  dy/dx = n xⁿ⁻¹"""
    def forward(xp, x, *, n):
        if n == 2: return xp.multiply(x, x)
        if n == 3: return xp.multiply(x, x) * x  # NumPy's general power is 40 times slower
        if n == 0.5: return xp.sqrt(x)
        return xp.power(x, n)
    def d_x(g, x, n): return g * 0.0 if n == 0 else g * (power(x, n=n - 1) * n)


@primitive
class sqrt:
    """y = √x,  dy/dx = 1 / 2y"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.sqrt(x)
    def d_x(g, y): return g / (2 * y)


@primitive
class rsqrt:
    """y = 1 / √x,  dy/dx = -y³ / 2"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return 1 / xp.sqrt(x)
    def d_x(g, y): return g * (y * y * y * -0.5)


# ---------------------------------------------------------------- exponentials


@primitive
class exp:
    """y = eˣ,  dy/dx = y"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.exp(x)
    def d_x(g, y): return g * y


@primitive
class exp2:
    """y = 2ˣ,  dy/dx = y ln 2"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.exp2(x)
    def d_x(g, y): return g * y * _LN2


@primitive
class expm1:
    """y = eˣ - 1, exact also for small x;  dy/dx = y + 1"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.expm1(x)
    def d_x(g, y): return g * (y + 1)


@primitive
class sigmoid:
    """y = 1 / (1 + e⁻ˣ) = (1 + tanh(x/2)) / 2,  dy/dx = y (1 - y)"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.tanh(x * 0.5) * 0.5 + 0.5
    def d_x(g, y): return g * (y * (1 - y))


# ---------------------------------------------------------------- logarithms


@primitive
class log:
    """y = ln x,  dy/dx = 1 / x"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.log(x)
    def d_x(g, x): return g / x


@primitive
class log2:
    """y = log₂ x,  dy/dx = 1 / (x ln 2)"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.log2(x)
    def d_x(g, x): return g / (x * _LN2)


@primitive
class log10:
    """y = log₁₀ x,  dy/dx = 1 / (x ln 10)"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.log10(x)
    def d_x(g, x): return g / (x * _LN10)


@primitive
class log1p:
    """y = ln(1 + x), exact also for small x;  dy/dx = 1 / (1 + x)"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.log1p(x)
    def d_x(g, x): return g / (x + 1)


@primitive
class logit_:
    """y = ln(x / (1 - x)), x first limited to [ε, 1 - ε];  dy/dx = 1 / (x (1 - x)), 0 beyond the limits"""
    promote = ("x",)
    floating = True
    def forward(xp, x, *, eps=None):
        z = x if eps is None else xp.clip(x, eps, 1 - eps)
        return xp.log(z / (1 - z))
    def d_x(g, x, eps):
        low, beyond = (0, math.nan) if eps is None else (eps, 0.0)
        return where((x >= low) & (x <= 1 - low), g / (x * (1 - x)), beyond)


@primitive
class logaddexp:
    """y = ln(eᵃ + eᵇ),  ∂y/∂a = 1 / (1 + eᵇ⁻ᵃ)"""
    promote = ("a", "b")
    floating = True
    def forward(xp, a, b): return xp.logaddexp(a, b)
    def d_a(g, a, b): return g / (exp(b - a) + 1)
    def d_b(g, a, b): return g / (exp(a - b) + 1)


@primitive
class logaddexp2:
    """y = log₂(2ᵃ + 2ᵇ),  ∂y/∂a = 1 / (1 + 2ᵇ⁻ᵃ)"""
    promote = ("a", "b")
    floating = True
    def forward(xp, a, b): return xp.logaddexp2(a, b)
    def d_a(g, a, b): return g / (exp2(b - a) + 1)
    def d_b(g, a, b): return g / (exp2(a - b) + 1)


@primitive
class xlogy:
    """y = a ln b, and 0 where a = 0;  ∂y/∂a = ln b,  ∂y/∂b = a / b"""
    promote = ("a", "b")
    floating = True
    def forward(xp, a, b):
        product = a * xp.log(b, dtype=xp.result_type(a, b))
        return xp.where((a == 0) & ~xp.isnan(b), 0, product)
    def d_a(g, a, b): return where((a == 0) & (b <= 0), 0.0, g * log(b))
    def d_b(g, a, b): return g * a / b
