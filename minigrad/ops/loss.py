"""Floor 4: losses whose composition would cost memory or digits.  N rows, C classes, t the target.

cross_entropy is reduced where it is computed; the others give the loss of each element.
"""

from minigrad.backend import accumulator
from minigrad.fused import fused
from minigrad.kernels.rows import scaled_rows
from minigrad.kernels.softmax import exponentials
from minigrad.ops.activation import logsigmoid
from minigrad.ops.choosing import maximum, minimum, where
from minigrad.ops.elementwise import cast
from minigrad.ops.exponential import log, log1p, sigmoid
from minigrad.ops.index import gather
from minigrad.ops.linalg import linear
from minigrad.ops.reduce import log_softmax, sum_
from minigrad.ops.shape import permute, reshape
from minigrad.primitive import primitive


@fused
class cross_entropy:
    """loss = -Σ w_t ln softmax(x)_t, t the target class

    With label smoothing ε a share ε of it is spread over all classes (Szegedy et al. 2016, section 7).  x has
    its classes in dimension `dim`; a target `ignore_index` counts nothing (with None, each counts); the mean
    is Σ loss / Σ w_t.  Where nothing counts the mean is nan and its gradient 0, as in PyTorch.
    """
    nondifferentiable = ("target", "weight")

    def definition(
        x, target, weight=None, *, dim=1, ignore_index=-100, label_smoothing=0.0, reduction="mean"
    ):
        rows = log_softmax(classes_last(x, dim), dim=-1)  # (N, C)
        flat = reshape(target, shape=(-1,))
        valid = flat >= 0 if ignore_index is None else flat != ignore_index
        chosen = where(valid, flat, 0)
        share = valid * 1.0 if weight is None else gather(weight, chosen, dim=0) * valid
        share = cast(share, dtype=x.dtype)
        picked = reshape(gather(rows, reshape(chosen, shape=(-1, 1)), dim=1), shape=(-1,))  # (N,)
        loss = picked * share * (label_smoothing - 1)
        if label_smoothing:
            spread = rows if weight is None else rows * weight
            loss = loss - where(valid, sum_(spread, dim=-1), 0.0) * (label_smoothing / rows.shape[-1])
        if reduction == "none": return reshape(loss, shape=target.shape)
        if reduction == "sum": return sum_(loss)
        total = sum_(share)
        return where(total == 0, float("nan"), sum_(loss) / where(total == 0, 1.0, total))

    def forward(
        xp, x, target, weight=None, *, dim=1, ignore_index=-100, label_smoothing=0.0, reduction="mean"
    ):
        rows = classes_last(x, dim).astype(accumulator(x.dtype), copy=False)  # (N, C)
        flat = target.reshape(-1)
        valid, share = shares(xp, flat, weight, ignore_index, rows.dtype)
        place = (xp.arange(flat.size), flat if valid is None else xp.where(valid, flat, 0))
        exponential, total, top = exponentials(xp, rows)
        logarithm = xp.log(total)
        loss = logarithm - (rows[place] - top)  # (N,), and of a small one every digit
        if label_smoothing:
            loss *= 1 - label_smoothing
        if share is not None:
            loss *= share
        weights = None
        if label_smoothing:
            weights = (xp.ones(rows.shape[1]) if weight is None else weight).astype(rows.dtype, copy=False)
            every = (logarithm + top) * weights.sum() - rows @ weights
            loss += every * (label_smoothing / rows.shape[1]) * (1 if valid is None else valid)
        count = None
        if reduction == "none": y = loss.reshape(target.shape)
        else: y = loss.sum()
        if reduction == "mean":
            count = flat.size if share is None else share.sum()
            y = y / count
        kept = (exponential, total, place, valid, share, count, weights, x.shape)
        return y.astype(x.dtype, copy=False), kept

    def pullback(xp, g, kept, needs, *, dim, ignore_index, label_smoothing, reduction):
        exponential, total, place, valid, share, count, weights, shape = kept
        classes = exponential.shape[1]
        g = g.astype(exponential.dtype, copy=False).reshape(-1)  # (N,) or (1,)
        if reduction == "mean": g = shared(xp, g, count)
        sharp = g * (1 - label_smoothing)
        if share is not None: sharp = sharp * share  # (N,)
        if not label_smoothing:
            dx = scaled_rows(xp, exponential, sharp / total)
        else:
            spread = g * (label_smoothing / classes) * (1 if valid is None else valid)
            dx = scaled_rows(xp, exponential, (sharp + spread * weights.sum()) / total)
            dx -= spread[:, None] * weights
        dx[place] -= sharp
        if len(shape) != 2 or dim != 1:
            dx = xp.moveaxis(dx.reshape(*shape[:dim], *shape[dim + 1 :], classes), -1, dim)
        return dx, None, None


@fused
class linear_cross_entropy:
    """loss = -mean ln softmax(x Wᵀ + b)_t, so many `rows` at a time: never are all logits in memory

    What is kept of each row is the logarithm of its Σ e^z; the backward pass computes the logits again.  For
    (2048, 256) and 32,000 classes, forward and backward: the whole process peaked at 861 MB and now peaks at
    296, in 1.3 times the time.
    """
    promote = ("x", "weight", "bias")
    nondifferentiable = ("target",)

    def definition(x, weight, target, bias=None, *, rows, ignore_index=None, reduction="mean"):
        return cross_entropy(linear(x, weight, bias), target, ignore_index=ignore_index, reduction=reduction)

    def forward(xp, x, weight, target, bias=None, *, rows, ignore_index=None, reduction="mean"):
        valid, share = shares(xp, target, None, ignore_index, accumulator(x.dtype))
        target = target if valid is None else xp.where(valid, target, 0)
        loss, normaliser = (xp.empty(len(x), accumulator(x.dtype)) for _ in range(2))
        for part in slices(len(x), rows):
            z = linear(x[part], weight, bias).astype(loss.dtype, copy=False)  # (rows, C)
            _, total, top = exponentials(xp, z)
            logarithm = xp.log(total)
            normaliser[part] = logarithm + top
            loss[part] = logarithm - (z[xp.arange(len(z)), target[part]] - top)
        if share is not None: loss *= share
        count = 1 if reduction == "sum" else len(x) if share is None else share.sum()
        y = (loss.sum() / count).astype(x.dtype, copy=False)
        return y, (x, weight, target, bias, normaliser, share, count)

    def pullback(xp, g, kept, needs, *, rows, ignore_index, reduction):
        x, weight, target, bias, normaliser, share, count = kept
        dx = xp.empty(x.shape, x.dtype) if needs[0] else None
        dW = xp.zeros(weight.shape, x.dtype) if needs[1] else None
        db = xp.zeros(len(weight), x.dtype) if needs[3] else None
        factor = shared(xp, g, count).astype(normaliser.dtype)
        for part in slices(len(x), rows):
            z = linear(x[part], weight, bias).astype(normaliser.dtype, copy=False)
            z -= normaliser[part, None]
            xp.exp(z, out=z)
            z[xp.arange(len(z)), target[part]] -= 1
            z *= factor if share is None else (factor * share[part])[:, None]
            z = z.astype(x.dtype, copy=False)
            found = linear.array_pullback(xp, z, (x[part], weight), (needs[0], needs[1], needs[3]))
            if needs[0]: dx[part] = found[0]
            if needs[1]: dW += found[1]
            if needs[3]: db += found[2]
        return dx, dW, None, db


def shared(xp, g, count):
    """The gradient of each of `count` in their mean; 0 where nothing counts, though the mean is nan."""
    return g / count if isinstance(count, int) else xp.where(count == 0, xp.zeros_like(g), g / count)


def slices(count, step):
    """0 … count - 1, so many at a time."""
    return [slice(start, start + step) for start in range(0, count, step)]


def shares(xp, target, weight, ignore_index, dtype):
    """Which targets count, and for how much: None where that is all of them, and one each."""
    if ignore_index is None and weight is None: return None, None
    if ignore_index is None: return None, weight[target].astype(dtype, copy=False)
    valid = target != ignore_index
    if weight is None: return valid, valid.astype(dtype)
    return valid, weight[xp.where(valid, target, 0)].astype(dtype, copy=False) * valid


def classes_last(x, dim):
    """x with the classes as its last dimension, and one row for everything else: (N, C)."""
    if dim == 1 and len(x.shape) == 2: return x
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
