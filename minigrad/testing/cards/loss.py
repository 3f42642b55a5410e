"""The cards of minigrad/ops/loss.py and the functions of nn/functional/loss.py.

cross_entropy stands in neural.py.
"""

import math

import numpy as np
from hypothesis import strategies as st

from minigrad import ops
from minigrad.errors import DTypeError, ShapeError
from minigrad.nn import functional as F
from minigrad.testing.card import Card, Kink, Refusal
from minigrad.testing.signatures import alike, classified, elementwise, unary
from minigrad.testing.strategies import POSITIVE, REAL, Domain, index_below

from .elementwise import zeros

INF, NAN = math.inf, math.nan
REDUCTION = st.sampled_from(("mean", "sum", "none"))
UNIT = Domain(low=1 / 32, high=31 / 32)  # a probability
SIGN = Domain(low=-1.0, high=1.0, step=2.0, differentiable=False)
COUNT = Domain(low=0.25, high=4.0, away=(1.0,))
FIRST, SECOND = Domain(step=0.125), Domain(low=-2.9375, step=0.125)  # 1/16 between any two numbers of the two
CLASS = index_below(lambda shapes, statics: shapes[0][-1])
CLASS_OR_END = index_below(lambda shapes, statics: shapes[0][-1], first=-1)


def reduced(losses, reduction, shares=None):
    """The losses, their sum, or their mean: the sum by their number, or by the sum of their shares."""
    if reduction == "none":
        return losses
    return losses.sum() / ((losses.size if shares is None else shares) if reduction == "mean" else 1)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def huber(x, delta):
    return np.where(np.abs(x) < delta, x * x / 2, delta * (np.abs(x) - delta / 2))


def bce(x, t):
    return -(t * np.log(x) + (1 - t) * np.log(1 - x))


def logits(x, t, positive=None):
    return -((1 if positive is None else positive) * t * np.log(sigmoid(x)) + (1 - t) * np.log(sigmoid(-x)))


def kl(x, t):
    return t * (np.log(np.where(t > 0, t, 1)) - x)


def loss(name, signature, reference, inputs=(REAL,), kinks=(), errors=()):
    """The card of a loss with PyTorch's signature; the reference gives the loss of each element."""
    function = getattr(F, name)
    message = f"{name}(): reduction 'average', expected"
    tensors = [zeros(1)] * (3 if len(inputs) > 2 else 2)
    unknown = Refusal(lambda: function(*tensors, reduction="average"), ValueError, message)

    def whole(*arrays, reduction="mean", **statics):
        return reduced(reference(*arrays, **statics), reduction)

    return Card(
        name, function, signature, whole, in_pytorch(name), inputs, kinks=kinks, errors=(unknown, *errors),
    )  # fmt: skip


def in_pytorch(name):
    """torch.nn.functional's function; torch has others of the same names, which are internal."""
    return lambda torch, *inputs, **statics: getattr(torch.nn.functional, name)(*inputs, **statics)


def unlike(name, *arguments):
    """The refusal of two shapes that PyTorch would broadcast with a warning, or refuse."""
    message = f"{name}(): input (4, 1) and target (4,) must have the same shape"
    return Refusal(lambda: getattr(F, name)(zeros(4, 1), zeros(4), *arguments), ShapeError, message)


def misfit(name, count=2):
    """The refusal of shapes that do not broadcast."""
    message = f"{name}(): shapes (2, 3) and (4, 3)"
    shapes = ((2, 3), (4, 3), (2, 3))[:count]
    return Refusal(lambda: getattr(F, name)(*map(zeros, shapes)), ShapeError, message)


REGRESSION = [
    Card(
        "huber", ops.huber, unary(delta=st.sampled_from((1.015625, 0.515625))), huber,
        lambda torch, x, delta: torch.nn.functional.huber_loss(x, torch.zeros_like(x), "none", delta),
        (Domain(away=(-1.015625, -0.515625, 0.515625, 1.015625)),),
        kinks=[Kink([[1.0, -1.0, INF, NAN]], [0.5, 0.5, INF, NAN], [[1.0, -1.0, 1.0, NAN]], {"delta": 1.0})],
    ),
    loss(
        "l1_loss", alike(2, reduction=REDUCTION), lambda x, t: np.abs(x - t), (FIRST, SECOND),
        [Kink([[1.0, 2.0], [1.0, 1.0]], 0.5, [[0.0, 0.5], [0.0, -0.5]])], [unlike("l1_loss")],
    ),
    loss("mse_loss", alike(2, reduction=REDUCTION), lambda x, t: (x - t) ** 2, errors=[unlike("mse_loss")]),
    loss(
        "smooth_l1_loss", alike(2, reduction=REDUCTION, beta=st.sampled_from((1.0, 0.5, 0.0))),
        lambda x, t, beta: huber(x - t, beta) / beta if beta else np.abs(x - t), (FIRST, SECOND),
        errors=[unlike("smooth_l1_loss"), Refusal(lambda: F.smooth_l1_loss(zeros(1), zeros(1), beta=-1), ValueError, "beta=-1")],
    ),
    loss(
        "huber_loss", alike(2, reduction=REDUCTION, delta=st.sampled_from((1.0, 0.5))),
        lambda x, t, delta: huber(x - t, delta), (FIRST, SECOND),
        errors=[unlike("huber_loss"), Refusal(lambda: F.huber_loss(zeros(1), zeros(1), delta=0), ValueError, "delta=0")],
    ),
]  # fmt: skip


def weighted(name, reference, mean_of_weights=True):
    """A regression loss with a weight for each element."""

    def whole(x, t, weight, reduction):
        return reduced(reference(x - t) * weight, reduction, weight.sum() if mean_of_weights else None)

    return Card(
        f"{name} with weights", lambda x, t, weight, reduction: getattr(F, name)(x, t, reduction, weight=weight),
        alike(3, reduction=REDUCTION), whole,
        lambda torch, x, t, weight, reduction: getattr(torch.nn.functional, name)(x, t, reduction=reduction, weight=weight),
        (FIRST, SECOND, POSITIVE),
    )  # fmt: skip


REGRESSION += [
    weighted("l1_loss", np.abs), weighted("mse_loss", np.square),
    weighted("huber_loss", lambda d: huber(d, 1.0), mean_of_weights=False),
]  # fmt: skip


def nll(x, target, weight, dim, ignore_index, reduction, label_smoothing):
    """One row after the other."""
    losses, shares = np.zeros(target.shape), np.zeros(target.shape)
    for place in np.ndindex(*target.shape):
        if target[place] != ignore_index:
            shares[place] = 1 if weight is None else weight[target[place]]
            losses[place] = -np.moveaxis(x, dim, -1)[place][target[place]] * shares[place]
    return reduced(losses, reduction, shares.sum())


def torch_nll(torch, x, target, weight, dim, label_smoothing, **statics):
    return torch.nn.functional.nll_loss(x, target, weight, **statics)


def nll_loss(x, target, weight, dim, label_smoothing, **statics):
    return F.nll_loss(x, target, weight, **statics)


def stirling(t):
    return np.where(t > 1, t * np.log(np.maximum(t, 1)) - t + np.log(2 * np.pi * np.maximum(t, 1)) / 2, 0)


def poisson(x, t, log_input, full):
    return (np.exp(x) - t * x if log_input else x - t * np.log(x + 1e-8)) + full * stirling(t)


def gaussian(x, t, var, full):
    var = var[..., None] if var.ndim < x.ndim else var
    return (np.log(var) + (x - t) ** 2 / var + full * np.log(2 * np.pi)) / 2


@st.composite
def heteroscedastic(draw):
    """Two inputs of one shape, and a variance for each element, or for each row."""
    ((shape, _), statics) = draw(alike(2, 1, full=st.booleans(), reduction=REDUCTION))
    return (shape, shape, draw(st.sampled_from((shape, shape[:-1], (*shape[:-1], 1))))), statics


LIKELIHOOD = [
    Card(
        "nll_loss", nll_loss, classified(), nll, torch_nll,
        (REAL, index_below(lambda shapes, statics: shapes[0][statics["dim"]]), Domain(low=0.25, differentiable=False)),
        errors=[
            Refusal(lambda: F.nll_loss(zeros(2, 3), zeros(2)), DTypeError, "indices must be integers"),
            Refusal(lambda: F.nll_loss(zeros(2, 3), zeros(3).long()), ShapeError, "target (3,), expected (2,)"),
        ],
    ),
    Card(
        "binary_cross_entropy, elementwise", ops.binary_cross_entropy, elementwise(2), bce, None, (UNIT, UNIT),
        broadcasts=True,
        kinks=[Kink([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [0.0, 100.0, 100.0], [[0.0, 1e12, -1e12], None])],
    ),
    loss(
        "binary_cross_entropy", alike(2, reduction=REDUCTION), bce, (UNIT, UNIT),
        errors=[
            unlike("binary_cross_entropy"),
            Refusal(lambda: F.binary_cross_entropy(zeros(2) + 2, zeros(2)), ValueError, "input between 2.0 and 2.0"),
        ],
    ),
    Card(
        "binary_cross_entropy_with_logits, elementwise", ops.binary_cross_entropy_with_logits,
        elementwise(3).flatmap(lambda drawn: st.sampled_from((drawn, ((*drawn[0][:2], None), {})))),
        logits, None, (REAL, UNIT, POSITIVE), broadcasts=False,
        kinks=[
            Kink([[1000.0, -1000.0], [0.0, 1.0]], [1000.0, 1000.0], [[1.0, -1.0], [-1000.0, 1000.0]]),
            Kink([[1000.0, -1000.0], [1.0, 1.0], [2.0, 2.0]], [0.0, 2000.0], [[0.0, -2.0], None, None]),
        ],
    ),
    loss(
        "binary_cross_entropy_with_logits", alike(2, reduction=REDUCTION), logits, (REAL, UNIT),
        errors=[unlike("binary_cross_entropy_with_logits")],
    ),
    Card(
        "binary_cross_entropy_with_logits and weights",
        lambda x, t, weight, pos_weight, reduction: F.binary_cross_entropy_with_logits(
            x, t, weight, reduction=reduction, pos_weight=pos_weight
        ),
        alike(4, reduction=REDUCTION),
        lambda x, t, weight, pos_weight, reduction: reduced(weight * logits(x, t, pos_weight), reduction),
        lambda torch, x, t, weight, pos_weight, reduction: torch.nn.functional.binary_cross_entropy_with_logits(
            x, t, weight, reduction=reduction, pos_weight=pos_weight
        ),
        (REAL, UNIT, Domain(low=0.25, differentiable=False)), ops.binary_cross_entropy_with_logits,
    ),
    Card(
        "kl_divergence", ops.kl_divergence, elementwise(2), kl, None, (REAL, POSITIVE), broadcasts=True,
        kinks=[Kink([[-1.0, -1.0], [0.0, 1.0]], [0.0, 1.0], [[0.0, -1.0], None])],
    ),
    Card(
        "kl_div", F.kl_div, alike(2, 1, reduction=st.sampled_from(("sum", "none", "batchmean")), log_target=st.booleans()),
        lambda x, t, reduction, log_target: (
            (np.exp(t) * (t - x) if log_target else kl(x, t)).sum() / len(x) if reduction == "batchmean"
            else reduced(np.exp(t) * (t - x) if log_target else kl(x, t), reduction)
        ),
        in_pytorch("kl_div"), (REAL, POSITIVE),
        errors=[
            misfit("kl_div"),
            Refusal(lambda: F.kl_div(zeros(1), zeros(1), reduction="average"), ValueError, "kl_div(): reduction 'average'"),
        ],
    ),
    Card(
        "kl_div, mean", F.kl_div, alike(2, log_target=st.just(False)),
        lambda x, t, log_target: kl(x, t).mean(), None, (REAL, POSITIVE),
    ),
    loss(
        "poisson_nll_loss", alike(2, log_input=st.booleans(), full=st.booleans(), reduction=REDUCTION), poisson,
        (POSITIVE, COUNT), errors=[misfit("poisson_nll_loss")],
    ),
    loss(
        "gaussian_nll_loss", heteroscedastic(), gaussian, (REAL, REAL, POSITIVE),
        [Kink([[2.0], [0.0], [0.5]], math.log(2) / 2 + 1, [[1.0], [-1.0], [-0.25]], {"eps": 2.0})],
        errors=[
            Refusal(lambda: F.gaussian_nll_loss(zeros(2, 3), zeros(2, 3), zeros(3)), ShapeError, "var (3,), expected (2, 3)"),
            Refusal(lambda: F.gaussian_nll_loss(zeros(1), zeros(1), -1.0), ValueError, "var holds -1.0"),
        ],
    ),
]  # fmt: skip


CARDS = [*REGRESSION, *LIKELIHOOD]
