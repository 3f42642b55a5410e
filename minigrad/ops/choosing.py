"""Floor 4: operations that choose between numbers: by a condition, the larger, what lies between limits.

At a tie the gradient goes where PyTorch sends it: maximum and minimum share it equally, fmax, fmin and the
limits of clamp leave it to the first.  NaN passes its gradient on, so `~(a <= b)` is not `a > b`.
"""

from minigrad.errors import broadcast_error
from minigrad.ops.comparison import isfinite, isnan
from minigrad.primitive import primitive

FAMILY = "elementwise"  # how vmap batches the cards of this file


@primitive
class where:
    """y = a where the condition holds, else b"""
    promote = ("a", "b")
    nondifferentiable = ("condition",)
    def forward(xp, condition, a, b): return xp.where(condition, a, b)
    def d_a(g, condition): return where(condition, g, 0.0)
    def d_b(g, condition): return where(condition, 0.0, g)


# ---------------------------------------------------------------- the larger and the smaller


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
class fmax:
    """y = max(a, b), a number rather than NaN; a tie goes to a"""
    promote = ("a", "b")
    def forward(xp, a, b): return xp.fmax(a, b)
    def d_a(g, a, b): return g * ((a >= b) | isnan(b))
    def d_b(g, a, b): return g * ~((a >= b) | isnan(b))


@primitive
class fmin:
    """y = min(a, b), a number rather than NaN; a tie goes to a"""
    promote = ("a", "b")
    def forward(xp, a, b): return xp.fmin(a, b)
    def d_a(g, a, b): return g * ((a <= b) | isnan(b))
    def d_b(g, a, b): return g * ~((a <= b) | isnan(b))


@primitive
class relu:
    """y = max(x, 0),  dy/dx = 1 where x > 0, else 0; like y, it is nan where x is"""
    def forward(xp, x): return xp.maximum(x, 0)
    def d_x(g, y): return g * (y != 0)


# ---------------------------------------------------------------- between limits


@primitive
class clamp_:
    """y = x limited to [low, high];  dy/dx = 1 inside and on the limits, else 0"""
    def forward(xp, x, *, low=None, high=None): return xp.clip(x, low, high)
    def d_x(g, x, low, high):
        if low is not None: g = g * (x >= low)
        return g if high is None else g * (x <= high)


@primitive
class clip_:
    """y = x limited to [low, high], the limits being tensors;  the gradient goes to what y is, x first"""
    promote = ("x", "low", "high")
    def forward(xp, x, low=None, high=None): return xp.clip(x, low, high)
    def refuse(*shapes): return broadcast_error("clamp", [shape for shape in shapes if shape])
    def d_x(g, x, low, high):
        if low is not None: g = g * (x >= low)
        return g if high is None else g * (x <= high)
    def d_low(g, x, low, high): return g * ((x < low) if high is None else (x < low) & (low < high))
    def d_high(g, x, low, high): return g * ((x > high) if low is None else (x > high) | (high < low))


@primitive
class nan_to_num_:
    """y = x, but numbers in place of NaN and the infinities;  dy/dx = 1 where x is finite, else 0"""
    def forward(xp, x, *, nan=0.0, posinf=None, neginf=None):
        return xp.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)
    def d_x(g, x): return g * isfinite(x)


@primitive
class heaviside:
    """y = 0 for x < 0, 1 for x > 0, and `values` for x = 0;  dy/dx = 0"""
    promote = ("x", "values")
    def forward(xp, x, values): return xp.where(x == 0, values, (x > 0).astype(x.dtype))
    def d_x(g): return g * 0.0
    def d_values(g, x): return g * (x == 0)
