"""Floor 4: arithmetic on each element, and copies.  A card is a formula and, beside it, its derivative rules.

In a rule, g is the gradient of the output y.  Broadcasting is undone by the tape, never by a rule.
At a kink the rules follow PyTorch: |x|'(0) = 0.
"""

from minigrad.backend import to_device
from minigrad.kernels.dropout import masked
from minigrad.ops.choosing import where
from minigrad.ops.rounding import sign
from minigrad.primitive import primitive

FAMILY = "elementwise"  # how vmap batches the cards of this file

# ---------------------------------------------------------------- sums and products


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
    kinds = "iuf"
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
class reciprocal:
    """y = 1 / x,  dy/dx = -y²"""
    promote = ("x",)
    floating = True
    def forward(xp, x): return xp.reciprocal(x)
    def d_x(g, y): return -g * (y * y)


@primitive
class lerp:
    """y = x + w (end - x),  ∂y/∂x = 1 - w,  ∂y/∂end = w,  ∂y/∂w = end - x"""
    promote = ("x", "end", "weight")
    floating = True
    def forward(xp, x, end, weight):
        step = end - x
        if isinstance(weight, float | int):
            return x + step * weight if weight < 0.5 else end - step * (1 - weight)  # at 0 and 1 exact
        return xp.where(weight < 0.5, x + step * weight, end - step * (1 - weight))
    def d_x(g, weight): return g * (1 - weight)
    def d_end(g, weight): return g * weight
    def d_weight(g, x, end): return g * (end - x)


# ---------------------------------------------------------------- signs


@primitive
class neg:
    """y = -x"""
    kinds = "iuf"
    def forward(xp, x): return xp.negative(x)
    def d_x(g): return -g


@primitive
class abs_:
    """y = |x|,  dy/dx = sign x"""
    def forward(xp, x): return xp.abs(x)
    def d_x(g, x): return g * sign(x)


@primitive
class copysign:
    """y = |a| with the sign of b;  ∂y/∂a = 1 or -1, 0 at 0"""
    promote = ("a", "b")
    floating = True
    def forward(xp, a, b): return xp.copysign(a, b)
    def d_a(g, y, a): return g * where(a == 0, 0.0, y / a)
    def d_b(g): return g * 0.0


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
    def forward(xp, x, *, device, source, non_blocking=False):
        return to_device(x, device, non_blocking=non_blocking)
    def d_x(g, device, source): return move(g, device=source, source=device)


move.fast = move.general  # what comes of an array of NumPy's need not be one


@primitive
class clone:
    """y = x, in memory of its own"""
    def forward(xp, x): return x.copy()
    def d_x(g): return g


@primitive
class masked_scale:
    """y = x m s for a mask m of zeros and ones and a number s: dropout    (Srivastava et al. 2014)"""
    nondifferentiable = ("mask",)
    def forward(xp, x, mask, *, scale): return masked(xp, x, mask, scale)
    def d_x(g, mask, scale): return masked_scale(g, mask, scale=scale)
