"""Floor 4: the error function, the gamma function and their kin; NumPy has none, see minigrad/kernels/."""

import math

from minigrad.kernels.erf import erf_of, erfc_of, erfinv_of
from minigrad.kernels.gamma import lgamma_of, polygamma_of
from minigrad.ops.exponential import exp
from minigrad.primitive import primitive

FAMILY = "elementwise"  # how vmap batches the cards of this file
_SLOPE = 2 / math.sqrt(math.pi)  # of erf at 0


@primitive
class erf:
    """y = 2/√π ∫₀ˣ exp(-t²) dt,  dy/dx = 2/√π exp(-x²)"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return erf_of(xp, x)
    def d_x(g, x): return g * (exp(-x * x) * _SLOPE)


@primitive
class erfc:
    """y = 1 - erf x, exact also for large x;  dy/dx = -2/√π exp(-x²)"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return erfc_of(xp, x)
    def d_x(g, x): return g * (exp(-x * x) * -_SLOPE)


@primitive
class erfinv:
    """y = erf⁻¹ x,  dy/dx = √π/2 exp(y²)"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return erfinv_of(xp, x)
    def d_x(g, y): return g * (exp(y * y) / _SLOPE)


@primitive
class lgamma:
    """y = ln |Γ(x)|,  dy/dx = ψ(x), the digamma function"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return lgamma_of(xp, x)
    def d_x(g, x): return g * polygamma_(x, n=0)


@primitive
class polygamma_:
    """y = ψ⁽ⁿ⁾(x), the n-th derivative of ψ = (ln Γ)';  dy/dx = ψ⁽ⁿ⁺¹⁾(x)"""
    promote = ("x",)
    floating = True
    def forward(xp, x, *, n): return polygamma_of(xp, x, n)
    def d_x(g, x, n): return g * polygamma_(x, n=n + 1)
