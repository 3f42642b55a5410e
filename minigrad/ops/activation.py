"""Floor 4: activations of neural networks beyond those of calculus (tanh, sigmoid, relu, in elementwise.py).

Each saves one array: the output where the slope can be read off it, else the input.  Where a choice between
two lines can be a sum (max(x, 0) + a min(x, 0)), it is: that is several times quicker than `where`.
At a kink the slope is PyTorch's.
"""

import math

from minigrad.fused import fused
from minigrad.kernels.erf import erf_of
from minigrad.ops.choosing import minimum, where
from minigrad.ops.exponential import expm1, sigmoid
from minigrad.ops.special import erf
from minigrad.ops.trigonometry import tanh
from minigrad.primitive import primitive

FAMILY = "elementwise"  # how vmap batches the cards of this file

FAMILY = "elementwise"  # how vmap batches the cards of this file

# ---------------------------------------------------------------- made of straight lines


@primitive
class hardtanh:
    """y = x limited to [low, high];  dy/dx = 1 between the limits, 0 on and beyond them"""
    promote = ("x",)
    floating = True
    def forward(xp, x, *, low=-1.0, high=1.0): return xp.clip(x, low, high)
    def d_x(g, y, low, high): return g * ((y > low) & (y < high))


@primitive
class hardsigmoid:
    """y = x / 6 + 1/2 limited to [0, 1];  dy/dx = 1/6 between the limits, 0 on and beyond them"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.clip(x / 6 + 0.5, 0, 1)
    def d_x(g, y): return g * ((y > 0) & (y < 1)) / 6


@primitive
class hardswish:
    """y = x hardsigmoid(x);  dy/dx = x / 3 + 1/2 for |x| < 3, else 0 or 1    (Howard et al. 2019)"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return x * xp.clip(x / 6 + 0.5, 0, 1)
    def d_x(g, x): return where(x >= 3, g, where(x <= -3, 0.0, g * (x / 3 + 0.5)))


@primitive
class leaky_relu:
    """y = x for x > 0, else a x;  dy/dx = 1 or a    (Maas, Hannun & Ng 2013)"""
    promote = ("x",)
    floating = True
    def forward(xp, x, *, negative_slope=0.01): return xp.maximum(x, 0) + xp.minimum(x, 0) * negative_slope
    def d_x(g, x, negative_slope): return g * (x > 0) + g * ~(x > 0) * negative_slope


@primitive
class prelu:
    """y = x for x > 0, else w x;  dx = g or w g,  dw = 0 or x g    (He et al. 2015)"""
    promote = ("x", "weight")
    floating = True
    def forward(xp, x, weight): return xp.maximum(x, 0) + xp.minimum(x, 0) * weight
    def d_x(g, x, weight): return g * (x > 0) + g * ~(x > 0) * weight
    def d_weight(g, x): return g * minimum(x, 0.0)


@primitive
class softshrink:
    """y = x moved by λ towards 0, and 0 where |x| ≤ λ;  dy/dx = 1 where y ≠ 0"""
    promote = ("x",)
    floating = True
    def forward(xp, x, *, lambd=0.5): return x - xp.clip(x, -lambd, lambd)
    def d_x(g, y): return g * (abs(y) > 0)


# ---------------------------------------------------------------- curved


@primitive
class elu_:
    """y = s x for x > 0, else s α (eᵝˣ - 1);  dy/dx = s, or β (y + s α)    (Clevert et al. 2016; α ≥ 0)"""
    promote = ("x",)
    floating = True
    def forward(xp, x, *, alpha=1.0, scale=1.0, input_scale=1.0):
        return (xp.maximum(x, 0) + xp.expm1(xp.minimum(x, 0) * input_scale) * alpha) * scale
    def d_x(g, y, alpha, scale, input_scale):
        curved = g * ((minimum(y, 0.0) + scale * alpha) * input_scale)
        jump = scale - scale * alpha * input_scale  # of the slope at 0
        return curved + g * (y > 0) * jump if jump else curved


@primitive
class softplus_:
    """y = ln(1 + eᵝˣ) / β, and x where βx is above a threshold;  dy/dx = σ(βx), or 1"""
    promote = ("x",)
    floating = True
    def forward(xp, x, *, beta=1.0, threshold=20.0):
        z = x if beta == 1 else x * beta
        y = xp.maximum(z, 0) + xp.log1p(xp.exp(-xp.abs(z)))
        return xp.where(z > threshold, x, y if beta == 1 else y / beta)
    def d_x(g, x, beta, threshold): return where(x * beta > threshold, g, g * sigmoid(x * beta))


@primitive
class logsigmoid:
    """y = ln σ(x) = min(x, 0) - ln(1 + e⁻|ˣ|),  dy/dx = 1 - eʸ"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.minimum(x, 0) - xp.log1p(xp.exp(-xp.abs(x)))
    def d_x(g, y): return -g * expm1(y)


@primitive
class softsign:
    """y = x / (1 + |x|),  dy/dx = (1 - |y|)²"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return x / (xp.abs(x) + 1)
    def d_x(g, y):
        slope = 1 - abs(y)
        return g * (slope * slope)


@primitive
class silu:
    """y = x σ(x),  dy/dx = σ (1 + x (1 - σ))    (Elfwing, Uchibe & Doya 2017)"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return x * (xp.tanh(x * 0.5) * 0.5 + 0.5)
    def d_x(g, x):
        s = sigmoid(x)
        return g * (s * (1 + x * (1 - s)))


@primitive
class mish:
    """y = x tanh ln(1 + eˣ),  dy/dx = t + x σ (1 - t²) with t = y / x    (Misra 2020)"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return x * xp.tanh(xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.abs(x))))
    def d_x(g, x):
        t = tanh(softplus_(x))
        return g * (t + x * sigmoid(x) * (1 - t * t))


_GELU_SCALE = math.sqrt(2 / math.pi)
_GELU_CUBE = 0.044715


@fused
class gelu_:
    """y = x Φ(x), Φ the normal distribution    (Hendrycks & Gimpel 2016; approximate="tanh": their eq. 2)"""
    promote = ("x",)
    floating = True

    def definition(x, *, approximate="none"):
        if approximate == "tanh": return 0.5 * x * (1 + tanh(_GELU_SCALE * (x + _GELU_CUBE * x * x * x)))
        return 0.5 * x * (1 + erf(x * math.sqrt(0.5)))

    def forward(xp, x, *, approximate="none"):
        if approximate == "tanh": z = xp.tanh(x * (x * x * (_GELU_SCALE * _GELU_CUBE) + _GELU_SCALE))
        else: z = erf_of(xp, x * math.sqrt(0.5))
        half = 0.5 * z + 0.5  # Φ(x)
        return x * half, (x, z, half)

    def pullback(xp, g, kept, needs, *, approximate):
        x, z, half = kept
        if approximate == "tanh": slope = (0.5 - 0.5 * z * z) * _GELU_SCALE * (1 + 3 * _GELU_CUBE * x * x)
        else: slope = xp.exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))
        return (g * (half + x * slope),)
