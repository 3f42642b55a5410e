"""Floor 4: scans: operations that keep the dimension along which they gather, yₖ from x₀ ... xₖ.

With reverse=True a scan runs from the far end: yₖ from xₖ ... xₙ₋₁.  The derivative of a scan is a scan in
the other direction.  A sum has a function of its own in every array library; the others here double their
reach with each pass over the array (Hillis & Steele 1986, "Data parallel algorithms"): after p passes yₖ
has seen 2ᵖ elements, so log₂ n passes do, and no loop over single elements is needed.
"""

import math

from minigrad.backend import accumulator
from minigrad.ops.choosing import where
from minigrad.ops.exponential import exp
from minigrad.ops.index import setitem
from minigrad.ops.shape import narrow, widen
from minigrad.primitive import primitive

FAMILY = "axis"  # how vmap batches the cards of this file


@primitive
class cumsum:
    """yₖ = x₀ + … + xₖ;  dxₖ = gₖ + … + gₙ₋₁"""
    def forward(xp, x, *, dim, reverse=False):
        y = xp.cumsum(directed(xp, x, dim, reverse), axis=dim, dtype=accumulator(x.dtype))
        return directed(xp, narrowed(y, x.dtype), dim, reverse)
    def d_x(g, dim, reverse): return cumsum(g, dim=dim, reverse=not reverse)


@primitive
class cumprod:
    """yₖ = x₀ … xₖ;  dxₖ = yₖ₋₁ hₖ  with  hₖ = gₖ + xₖ₊₁ hₖ₊₁, which divides by nothing"""
    def forward(xp, x, *, dim, reverse=False):
        y = xp.cumprod(directed(xp, x, dim, reverse), axis=dim, dtype=accumulator(x.dtype))
        return directed(xp, narrowed(y, x.dtype), dim, reverse)
    def d_x(g, x, y, dim, reverse):
        onward = recurrence(g, shifted(x, dim, reverse=not reverse), dim=dim, reverse=not reverse)
        return product_before(y, dim, reverse=reverse) * onward


@primitive
class recurrence:
    """yₖ = aₖ yₖ₋₁ + xₖ;  dxₖ = hₖ = gₖ + aₖ₊₁ hₖ₊₁,  daₖ = hₖ yₖ₋₁"""
    family = "gather"  # both x and a have the batch in front
    promote = ("x", "a")
    def forward(xp, x, a, *, dim, reverse=False):
        y = recurred(xp, *[xp.moveaxis(directed(xp, v, dim, reverse), dim, 0) for v in (x, a)])
        return directed(xp, xp.moveaxis(y, 0, dim), dim, reverse)
    def d(g, a, y, dim, reverse):
        h = recurrence(g, shifted(a, dim, reverse=not reverse), dim=dim, reverse=not reverse)
        return h, h * shifted(y, dim, reverse=reverse)


@primitive
class logcumsumexp:
    """yₖ = ln(eˣ⁰ + … + eˣᵏ);  dxₖ = exp(xₖ - yₖ) hₖ  with  hₖ = gₖ + exp(yₖ - yₖ₊₁) hₖ₊₁"""
    promote = ("x",)
    floating = True
    def forward(xp, x, *, dim):
        wide = xp.moveaxis(x.astype(accumulator(x.dtype), copy=False), dim, 0)
        top = doubled(xp, xp.maximum, wide)  # so far: each sum is kept as a multiple of eᵗᵒᵖ
        before = xp.concatenate([top[:1], top[:-1]])
        fall = xp.where(before == top, xp.zeros_like(top), before - top)  # equal infinities differ by 0, too
        base = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
        total = recurred(xp, xp.exp(wide - base), xp.exp(fall))
        return xp.moveaxis(xp.log(total) + base, 0, dim).astype(x.dtype, copy=False)
    def d_x(g, x, y, dim):
        base = where(y == -math.inf, 0.0, y)  # where y is -inf so is x, and e to that is 0
        fall = shifted(shifted(y, dim) - base, dim, reverse=True)  # yₖ - yₖ₊₁
        return exp(x - base) * recurrence(g, exp(fall), dim=dim, reverse=True)


@primitive
class running_argmax:
    """yₖ = the index of the largest (or smallest) of x₀ … xₖ, of equals the last; a nan counts as extreme"""
    nondifferentiable = ("x",)
    def forward(xp, x, *, dim, largest=True):
        values = xp.moveaxis(x, dim, 0)
        extreme = doubled(xp, xp.maximum if largest else xp.minimum, values)
        number = xp.arange(len(values)).reshape(-1, *[1] * (x.ndim - 1))
        attained = xp.where((values == extreme) | xp.isnan(values), number, 0)
        return xp.moveaxis(doubled(xp, xp.maximum, attained), 0, dim)


# ---------------------------------------------------------------- of arrays, along dimension 0


def directed(xp, x, dim, reverse: bool):
    """x, with its order along `dim` reversed if the scan is."""
    return xp.flip(x, dim) if reverse else x


def narrowed(y, dtype):
    """A sum that was kept in a wider floating type, in its own again."""
    return y.astype(dtype, copy=False) if dtype.kind == "f" else y


def doubled(xp, combine, x):
    """The scan of x by an associative function: yₖ = combine(yₖ₋₁, xₖ)."""
    step = 1
    while step < len(x):
        x = xp.concatenate([x[:step], combine(x[:-step], x[step:])])
        step *= 2
    return x


def recurred(xp, x, a):
    """yₖ = aₖ yₖ₋₁ + xₖ; after each pass `reach` holds the products of the last `step` factors."""
    y, reach, step = x, a[1:], 1
    while step < len(y):
        y = xp.concatenate([y[:step], y[step:] + reach * y[:-step]])
        reach, step = reach[step:] * reach[:-step], 2 * step
    return y.copy() if y is x else y


# ---------------------------------------------------------------- of arrays and Tensors, in rules


def shifted(x, dim, *, reverse: bool = False):
    """yₖ = xₖ₋₁, with 0 at the start; reverse: yₖ = xₖ₊₁, with 0 at the end."""
    size = x.shape[dim]
    kept = narrow(x, dim=dim, start=int(reverse), length=max(size - 1, 0))
    return widen(kept, size=size, dim=dim, start=int(not reverse))


def product_before(y, dim, *, reverse: bool = False):
    """The products of all that comes before each element, from the cumulative products y: y₋₁ = 1."""
    first = slice(-1, None) if reverse else slice(0, 1)
    return setitem(shifted(y, dim, reverse=reverse), 1.0, index=(*[slice(None)] * dim, first))
