"""Floor 4: the loss of a classifier.  N rows, C classes."""

from minigrad.backend import accumulator
from minigrad.fused import fused
from minigrad.ops.elementwise import cast, where
from minigrad.ops.index import gather
from minigrad.ops.reduce import log_softmax, sum_
from minigrad.ops.shape import permute, reshape


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
        share = valid * 1.0 if weight is None else weight[chosen.array] * valid
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
        shifted = rows - rows.max(axis=1, keepdims=True)
        probability = xp.exp(shifted)
        total = probability.sum(axis=1)
        normaliser = xp.log(total)
        loss = (shifted[place] - normaliser) * share * (label_smoothing - 1)
        if label_smoothing:
            every = shifted.sum(axis=1) - normaliser * rows.shape[1] if weight is None else (
                shifted @ weight - normaliser * weight.sum())
            loss -= every * valid * (label_smoothing / rows.shape[1])
        probability /= total[:, None]
        kept = (probability, place, valid, share, weight, x.shape)
        if reduction == "none": return loss.astype(x.dtype, copy=False).reshape(target.shape), kept
        y = loss.sum() if reduction == "sum" else loss.sum() / share.sum()
        return y.astype(x.dtype, copy=False), kept

    def pullback(xp, g, kept, needs, *, dim, ignore_index, label_smoothing, reduction):
        probability, place, valid, share, weight, shape = kept
        classes = probability.shape[1]
        g = g.astype(probability.dtype, copy=False).reshape(-1)  # (N,) or (1,)
        if reduction == "mean": g = g / share.sum()
        sharp = g * share * (1 - label_smoothing)  # (N,)
        if not label_smoothing:
            dx = probability * sharp[:, None]
        else:
            spread = g * valid * (label_smoothing / classes)
            weights = xp.ones(classes, probability.dtype) if weight is None else weight
            dx = probability * (sharp + spread * weights.sum())[:, None]
            dx -= spread[:, None] * weights
        dx[place] -= sharp
        return xp.moveaxis(dx.reshape(*shape[:dim], *shape[dim + 1 :], classes), -1, dim), None, None


def classes_last(x, dim):
    """x with the classes as its last dimension, and one row for everything else: (N, C)."""
    others = [i for i in range(len(x.shape)) if i != dim % len(x.shape)]
    if others != list(range(len(others))): x = permute(x, dims=(*others, dim))
    return reshape(x, shape=(-1, x.shape[-1]))
