"""Floor 4: losses whose composition would cost memory or digits.  N rows, C classes, t the target.

cross_entropy is reduced where it is computed; the others give the loss of each element.
"""

from minigrad.backend import accumulator
from minigrad.fused import fused
from minigrad.kernels.rows import blocks, row_sums
from minigrad.ops.activation import logsigmoid
from minigrad.ops.choosing import maximum, minimum, where
from minigrad.ops.elementwise import cast
from minigrad.ops.exponential import log, log1p, sigmoid
from minigrad.ops.index import gather
from minigrad.ops.reduce import log_softmax, sum_
from minigrad.ops.shape import permute, reshape
from minigrad.primitive import primitive


@fused
class cross_entropy:
    """loss = -Σ w_t ln softmax(x)_t, t the target class

    With label smoothing ε a share ε of it is spread over all classes (Szegedy et al. 2016, section 7).  x has
    its classes in dimension `dim`; a target `ignore_index` counts nothing; the mean is Σ loss / Σ w_t.
    """
    nondifferentiable = ("target", "weight")

    def definition(
        x, target, weight=None, *, dim=1, ignore_index=-100, label_smoothing=0.0, reduction="mean"
    ):
        rows = log_softmax(classes_last(x, dim), dim=-1)  # (N, C)
        flat = reshape(target, shape=(-1,))
        valid = flat != ignore_index
        chosen = where(valid, flat, 0)
        share = valid * 1.0 if weight is None else gather(weight, chosen, dim=0) * valid
        share = cast(share, dtype=x.dtype)
        picked = reshape(gather(rows, reshape(chosen, shape=(-1, 1)), dim=1), shape=(-1,))  # (N,)
        loss = picked * share * (label_smoothing - 1)
        if label_smoothing:
            spread = rows if weight is None else rows * weight
            loss = loss - where(valid, sum_(spread, dim=-1), 0.0) * (label_smoothing / rows.shape[-1])
        if reduction == "none": return reshape(loss, shape=target.shape)
        return sum_(loss) if reduction == "sum" else sum_(loss) / sum_(share)

    def forward(
        xp, x, target, weight=None, *, dim=1, ignore_index=-100, label_smoothing=0.0, reduction="mean"
    ):
        wide = accumulator(x.dtype)
        rows = classes_last(x, dim).astype(wide, copy=False)  # (N, C)
        flat = target.reshape(-1)
        valid = flat != ignore_index
        place = (xp.arange(flat.size), xp.where(valid, flat, 0))
        share = valid.astype(wide) if weight is None else weight[place[1]].astype(wide, copy=False) * valid
        weights = xp.ones(rows.shape[1], wide) if weight is None else weight.astype(wide, copy=False)
        exponential, total, top = exponentials(xp, rows)
        normaliser = xp.log(total) + top
        loss = (rows[place] - normaliser) * share * (label_smoothing - 1)
        if label_smoothing:
            every = rows @ weights - normaliser * weights.sum()
            loss -= every * valid * (label_smoothing / rows.shape[1])
        kept = (exponential, total, place, valid, share, weights, x.shape)
        if reduction == "none": return loss.astype(x.dtype, copy=False).reshape(target.shape), kept
        y = loss.sum() if reduction == "sum" else loss.sum() / share.sum()
        return y.astype(x.dtype, copy=False), kept

    def pullback(xp, g, kept, needs, *, dim, ignore_index, label_smoothing, reduction):
        exponential, total, place, valid, share, weights, shape = kept
        classes = exponential.shape[1]
        g = g.astype(exponential.dtype, copy=False).reshape(-1)  # (N,) or (1,)
        if reduction == "mean": g = g / share.sum()
        sharp = g * share * (1 - label_smoothing)  # (N,)
        if not label_smoothing:
            dx = exponential * (sharp / total)[:, None]
        else:
            spread = g * valid * (label_smoothing / classes)
            dx = exponential * ((sharp + spread * weights.sum()) / total)[:, None]
            dx -= spread[:, None] * weights
        dx[place] -= sharp
        return xp.moveaxis(dx.reshape(*shape[:dim], *shape[dim + 1 :], classes), -1, dim), None, None


def exponentials(xp, rows):
    """e^(x - max x), its sum, and max x, for each row (N, C).

    By blocks of rows, which stay in the cache: 8.0 ms became 5.0 for (1024, 5000) in float32.
    """
    y, total, top = xp.empty_like(rows), xp.empty(len(rows), rows.dtype), xp.empty(len(rows), rows.dtype)
    for part in blocks(xp, rows):
        rows[part].max(axis=1, out=top[part])
        xp.subtract(rows[part], top[part, None], out=y[part])
        xp.exp(y[part], out=y[part])
        total[part] = row_sums(xp, y[part])[:, 0]
    return y, total, top


def classes_last(x, dim):
    """x with the classes as its last dimension, and one row for everything else: (N, C)."""
    others = [i for i in range(len(x.shape)) if i != dim % len(x.shape)]
    if others != list(range(len(others))): x = permute(x, dims=(*others, dim))
    return reshape(x, shape=(-1, x.shape[-1]))


@primitive
class huber:
    """y = x² / 2 where |x| < δ, else δ (|x| - δ/2);  dy/dx = x limited to [-δ, δ]    (Huber 1964)"""
    family = "elementwise"
    promote = ("x",)
    floating = True
    def forward(xp, x, *, delta=1.0):
        size = xp.abs(x)
        near = xp.minimum(size, delta)
        return near * (size - near * 0.5)
    def d_x(g, x, delta): return g * minimum(maximum(x, -delta), delta)


@primitive
class binary_cross_entropy:
    """y = -t ln x - (1 - t) ln(1 - x), no logarithm below -100;  dx = (x - t) / (x (1 - x))"""
    family = "elementwise"
    promote = ("x", "target")
    floating = True
    def forward(xp, x, target):
        return (target - 1) * xp.maximum(xp.log1p(-x), -100) - target * xp.maximum(xp.log(x), -100)
    def d_x(g, x, target): return g * (x - target) / maximum(x * (1 - x), 1e-12)
    def d_target(g, x): return g * minimum(maximum(log1p(-x) - log(x), -100.0), 100.0)


@primitive
class binary_cross_entropy_with_logits:
    """y = -w t ln σ(x) - (1 - t) ln σ(-x);  dx = (1 - t) σ(x) - w t σ(-x)

    w, the weight of the positive targets, is 1 if left out.
    """
    family = "elementwise"
    promote = ("x", "target", "pos_weight")
    floating = True
    def forward(xp, x, target, pos_weight=None):
        far = xp.log1p(xp.exp(-xp.abs(x)))
        if pos_weight is None: return xp.maximum(x, 0) - x * target + far
        return (1 - target) * x + ((pos_weight - 1) * target + 1) * (far - xp.minimum(x, 0))
    def d_x(g, x, target, pos_weight):
        if pos_weight is None: return g * (sigmoid(x) - target)
        return g * (1 - target - ((pos_weight - 1) * target + 1) * sigmoid(-x))
    def d_target(g, x, pos_weight):
        return -g * x if pos_weight is None else -g * (x + (pos_weight - 1) * logsigmoid(x))
    def d_pos_weight(g, x, target): return -g * target * logsigmoid(x)


@primitive
class kl_divergence:
    """y = t (ln t - x), and 0 where t = 0;  dx = -t,  dt = ln t + 1 - x    (x: the model's logarithm)"""
    family = "elementwise"
    promote = ("x", "target")
    floating = True
    def forward(xp, x, target):
        return target * xp.log(xp.where(target == 0, 1, target)) - target * x
    def d_x(g, target): return -g * target
    def d_target(g, x, target): return g * (log(target) + 1 - x)
