"""Floor 4: operations on each element.  A card is a formula and, beside it, its derivative rules.

In a rule, g is the gradient of the output y.  Broadcasting is undone by the tape, never by a rule.
At a kink the rules follow PyTorch: relu'(0) = 0, |x|'(0) = 0, and maximum and minimum share a tie equally.
NaN passes its gradient on, so `~(a <= b)` is not `a > b`.
"""

import math

from minigrad.backend import to_device
from minigrad.errors import broadcast_error
from minigrad.kernels.erf import erf_of
from minigrad.primitive import primitive

FAMILY = "elementwise"  # how vmap batches the cards of this file

# ---------------------------------------------------------------- arithmetic


@primitive
class add:
    """y = a + b"""
    promote = ("a", "b")
    def forward(xp, a, b): return xp.add(a, b)
    def d_a(g): return g
    def d_b(g): return g


@primitive
class sub:
    """y = a - b"""
    promote = ("a", "b")
    def forward(xp, a, b): return xp.subtract(a, b)
    def d_a(g): return g
    def d_b(g): return -g


@primitive
class mul:
    """y = a b"""
    promote = ("a", "b")
    def forward(xp, a, b): return xp.multiply(a, b)
    def d_a(g, b): return g * b
    def d_b(g, a): return g * a


@primitive
class div:
    """y = a / b"""
    promote = ("a", "b")
    floating = True
    def forward(xp, a, b): return xp.true_divide(a, b)
    def d_a(g, b): return g / b
    def d_b(g, y, b): return -g * y / b


@primitive
class neg:
    """y = -x"""
    def forward(xp, x): return xp.negative(x)
    def d_x(g): return -g


@primitive
class pow_:
    """y = aᵇ,  ∂y/∂a = b aᵇ⁻¹,  ∂y/∂b = y ln a"""
    promote = ("a", "b")
    def forward(xp, a, b): return xp.power(a, b)
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
class abs_:
    """y = |x|,  dy/dx = sign x"""
    def forward(xp, x): return xp.abs(x)
    def d_x(g, x): return g * sign(x)


@primitive
class sign:
    """y = -1, 0 or 1, the sign of x;  dy/dx = 0"""
    def forward(xp, x): return xp.sign(x)
    def d_x(g): return g * 0.0


@primitive
class maximum:
    """y = max(a, b); a tie is shared equally"""
    promote = ("a", "b")
    def forward(xp, a, b): return xp.maximum(a, b)
    def d_a(g, a, b): return g * ~(a <= b) + g * (a == b) * 0.5
    def d_b(g, a, b): return g * ~(a >= b) + g * (a == b) * 0.5


@primitive
class minimum:
    """y = min(a, b); a tie is shared equally"""
    promote = ("a", "b")
    def forward(xp, a, b): return xp.minimum(a, b)
    def d_a(g, a, b): return g * ~(a >= b) + g * (a == b) * 0.5
    def d_b(g, a, b): return g * ~(a <= b) + g * (a == b) * 0.5


@primitive
class clamp_:
    """y = x limited to [low, high];  dy/dx = 1 inside and on the limits, else 0"""
    def forward(xp, x, *, low=None, high=None): return xp.clip(x, low, high)
    def d_x(g, x, low, high):
        if low is not None: g = g * (x >= low)
        return g if high is None else g * (x <= high)


# ---------------------------------------------------------------- exponentials


@primitive
class exp:
    """y = eˣ,  dy/dx = y"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.exp(x)
    def d_x(g, y): return g * y


@primitive
class expm1:
    """y = eˣ - 1, exact also for small x;  dy/dx = y + 1"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.expm1(x)
    def d_x(g, y): return g * (y + 1)


@primitive
class log:
    """y = ln x,  dy/dx = 1 / x"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.log(x)
    def d_x(g, x): return g / x


@primitive
class log1p:
    """y = ln(1 + x), exact also for small x;  dy/dx = 1 / (1 + x)"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.log1p(x)
    def d_x(g, x): return g / (x + 1)


@primitive
class sqrt:
    """y = √x,  dy/dx = 1 / 2y"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.sqrt(x)
    def d_x(g, y): return g / (2 * y)


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


# ---------------------------------------------------------------- the nonlinearities of neural networks


@primitive
class tanh:
    """y = tanh x,  dy/dx = 1 - y²"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.tanh(x)
    def d_x(g, y): return g * (1 - y * y)


@primitive
class sigmoid:
    """y = 1 / (1 + e⁻ˣ) = (1 + tanh(x/2)) / 2,  dy/dx = y (1 - y)"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.tanh(x * 0.5) * 0.5 + 0.5
    def d_x(g, y): return g * (y * (1 - y))


@primitive
class relu:
    """y = max(x, 0),  dy/dx = 1 where x > 0, else 0"""
    def forward(xp, x): return xp.maximum(x, 0)
    def d_x(g, y): return g * ~(y <= 0)


@primitive
class erf:
    """y = 2/√π ∫₀ˣ exp(-t²) dt,  dy/dx = 2/√π exp(-x²)"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return erf_of(xp, x)
    def d_x(g, x): return g * (exp(-x * x) * (2 / math.sqrt(math.pi)))


# ---------------------------------------------------------------- choosing and comparing


@primitive
class where:
    """y = a where the condition holds, else b"""
    promote = ("a", "b")
    nondifferentiable = ("condition",)
    def forward(xp, condition, a, b): return xp.where(condition, a, b)
    def d_a(g, condition): return where(condition, g, 0.0)
    def d_b(g, condition): return where(condition, 0.0, g)


def _comparison(name: str, symbol: str):
    """The card of a comparison: it gives a bool tensor, and no gradient."""
    def forward(xp, a, b): return getattr(xp, name)(a, b)
    def refuse(a, b): return broadcast_error(name, (a, b))
    promote = {} if name.startswith("logical") else {"promote": ("a", "b")}
    rest = {"forward": forward, "refuse": refuse, "nondifferentiable": ("a", "b"), **promote}
    body = {"__doc__": f"y = a {symbol} b", **rest}
    return primitive(type(name, (), body))


equal, not_equal = _comparison("equal", "=="), _comparison("not_equal", "!=")
less, less_equal = _comparison("less", "<"), _comparison("less_equal", "<=")
greater, greater_equal = _comparison("greater", ">"), _comparison("greater_equal", ">=")
logical_and, logical_or = _comparison("logical_and", "and"), _comparison("logical_or", "or")
bitwise_and, bitwise_or = _comparison("bitwise_and", "&"), _comparison("bitwise_or", "|")


@primitive
class invert:
    """y = not x, bit by bit"""
    nondifferentiable = ("x",)
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


# ---------------------------------------------------------------- types and copies


@primitive
class cast:
    """y = x as another type"""
    view = True
    def forward(xp, x, *, dtype): return x.astype(dtype, copy=False)
    def d_x(g): return g  # the tape casts it back


@primitive
class move:
    """y = x on another device"""
    def forward(xp, x, *, device, source): return to_device(x, device)
    def d_x(g, device, source): return move(g, device=source, source=device)


@primitive
class clone:
    """y = x, in memory of its own"""
    def forward(xp, x): return x.copy()
    def d_x(g): return g


@primitive
class masked_scale:
    """y = x m s for a mask m of zeros and ones and a number s: dropout    (Srivastava et al. 2014)"""
    nondifferentiable = ("mask",)
    def forward(xp, x, mask, *, scale): return xp.multiply(x, mask) * x.dtype.type(scale)
    def d_x(g, mask, scale): return masked_scale(g, mask, scale=scale)
