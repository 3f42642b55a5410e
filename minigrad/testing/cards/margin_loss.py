"""The functions of nn/functional/margin_loss.py."""

import numpy as np
from hypothesis import strategies as st

from minigrad.errors import ShapeError
from minigrad.nn import functional as F
from minigrad.testing.card import Card, Kink, Refusal
from minigrad.testing.signatures import alike, margins
from minigrad.testing.strategies import POSITIVE, REAL, Domain

from .elementwise import zeros
from .loss import (
    CLASS,
    CLASS_OR_END,
    FIRST,
    REDUCTION,
    SECOND,
    SIGN,
    UNIT,
    in_pytorch,
    logits,
    loss,
    misfit,
    reduced,
)


def hinge_embedding(x, t, margin):
    return np.where(t == 1, x, np.maximum(0, margin - x))


def cosine_embedding(a, b, t, margin):
    cosine = (a * b).sum(-1) / np.sqrt(((a * a).sum(-1) + 1e-12) * ((b * b).sum(-1) + 1e-12))
    return np.where(t == 1, 1 - cosine, np.maximum(0, cosine - margin))


def multi_margin(x, target, weight, p, margin):
    """One row after the other."""
    losses = np.zeros(target.shape)
    for place in np.ndindex(*target.shape):
        row, chosen = x[place], target[place]
        excess = [max(0, margin - row[chosen] + row[i]) ** p for i in range(len(row)) if i != chosen]
        losses[place] = sum(excess) * (1 if weight is None else weight[chosen]) / len(row)
    return losses


def multilabel_margin(x, target):
    losses = np.zeros(x.shape[:-1])
    for place in np.ndindex(*losses.shape):
        row, listed = x[place], list(target[place])
        right = listed[: listed.index(-1)] if -1 in listed else listed
        wrong = [i for i in range(len(row)) if i not in right]
        losses[place] = sum(max(0, 1 - row[t] + row[i]) for t in right for i in wrong) / len(row)
    return losses


def triplet(anchor, positive, negative, margin, swap, p=2.0, eps=1e-6):
    def distance(x, y):
        return np.linalg.norm(x - y + eps, p, -1)

    far = distance(anchor, negative)
    far = np.minimum(far, distance(positive, negative)) if swap else far
    return np.maximum(0, margin + distance(anchor, positive) - far)


def city_block(x, y):
    return abs(x - y).sum(-1)


@st.composite
def compared(draw, **statics):
    """Two inputs (N, M) or (M,), and a target (N,) or ()."""
    (pair, found) = draw(alike(2, 1, **statics).filter(lambda drawn: len(drawn[0][0]) < 3))
    return (*pair, pair[0][:-1]), found


APART = (  # |a - n| is a sum of multiples of 1/16, and |p - n| one of these and 0.01: no two distances are alike
    Domain(low=0.25, step=0.125),
    Domain(low=-2.99, high=-0.25, step=0.125),
    Domain(low=0.3125, high=3.0, step=0.125),
)

CARDS = [
    loss(
        "hinge_embedding_loss", alike(2, margin=st.sampled_from((1.015625, 0.515625)), reduction=REDUCTION),
        hinge_embedding, (Domain(away=(1.015625, 0.515625)), SIGN),
        [Kink([[1.0, 1.0], [-1.0, 1.0]], 0.5, [[-0.5, 0.5], None])], [misfit("hinge_embedding_loss")],
    ),
    loss(
        "margin_ranking_loss", alike(3, margin=st.sampled_from((0.03, 0.53)), reduction=REDUCTION),
        lambda a, b, t, margin: np.maximum(0, margin - t * (a - b)), (FIRST, SECOND, SIGN),
        [Kink([[1.0], [0.0], [1.0]], 0.0, [[-1.0], [1.0], None], {"margin": 1.0})],
        [misfit("margin_ranking_loss", 3)],
    ),
    loss(
        "soft_margin_loss", alike(2, reduction=REDUCTION), lambda x, t: np.log(1 + np.exp(-t * x)), (REAL, SIGN),
        errors=[misfit("soft_margin_loss")],
    ),
    Card(
        "cosine_embedding_loss", F.cosine_embedding_loss, compared(margin=st.sampled_from((0.03, -0.53)), reduction=REDUCTION),
        lambda a, b, t, margin, reduction: reduced(cosine_embedding(a, b, t, margin), reduction),
        in_pytorch("cosine_embedding_loss"), (POSITIVE, Domain(low=-3.0, high=-0.25), SIGN),
        errors=[
            Refusal(
                lambda: F.cosine_embedding_loss(zeros(2, 3), zeros(2, 3), zeros(2, 3)), ShapeError,
                "inputs (2, 3) and (2, 3), target (2, 3), expected (N, M), (N, M) and (N,)",
            ),
            Refusal(
                lambda: F.cosine_embedding_loss(zeros(2, 3), zeros(4, 3), zeros(2)), ShapeError,
                "cosine_embedding_loss(): shapes (2, 3) and (4, 3) do not broadcast",
            ),
        ],
    ),
    Card(
        "multi_margin_loss",
        lambda x, target, weight, **statics: F.multi_margin_loss(x, target, weight=weight, **statics),
        margins(p=st.sampled_from((1, 2)), margin=st.sampled_from((1.03, 0.53)), reduction=REDUCTION),
        lambda x, target, weight, reduction, **statics: reduced(multi_margin(x, target, weight, **statics), reduction),
        lambda torch, x, target, weight, **statics: torch.nn.functional.multi_margin_loss(x, target, weight=weight, **statics),
        (Domain(step=0.0625), CLASS, Domain(low=0.25, differentiable=False)),
        errors=[
            Refusal(lambda: F.multi_margin_loss(zeros(2, 3), zeros(2).long(), p=3), ValueError, "p=3, expected 1 or 2"),
            Refusal(lambda: F.multi_margin_loss(zeros(2, 3), zeros(3).long()), ShapeError, "target (3,), expected (N, C)"),
            Refusal(lambda: F.multi_margin_loss(zeros(2, 3), zeros(2).long() + 3), IndexError, "index 3 at position 0"),
            Refusal(
                lambda: F.multi_margin_loss(zeros(2, 3), zeros(2).long(), weight=zeros(2)), ShapeError,
                "weight (2,), expected (3,)",
            ),
        ],
    ),
    Card(
        "multilabel_margin_loss", F.multilabel_margin_loss, margins(lists=True, reduction=REDUCTION),
        lambda x, target, reduction: reduced(multilabel_margin(x, target), reduction),
        in_pytorch("multilabel_margin_loss"), (Domain(step=0.046875), CLASS_OR_END),
        errors=[
            Refusal(lambda: F.multilabel_margin_loss(zeros(3), zeros(3).long() + 3), IndexError, "index 3 at position 0"),
            Refusal(lambda: F.multilabel_margin_loss(zeros(3), zeros(2).long()), ShapeError, "must have the same shape"),
            Refusal(lambda: F.multilabel_margin_loss(zeros(1, 2, 3), zeros(1, 2, 3).long()), ShapeError, "expected (N, C) or (C,)"),
        ],
    ),
    Card(
        "multilabel_soft_margin_loss",
        lambda x, t, weight, reduction: F.multilabel_soft_margin_loss(x, t, weight, reduction=reduction),
        alike(3, 1, reduction=REDUCTION),
        lambda x, t, weight, reduction: reduced((logits(x, t) * weight).mean(-1), reduction),
        lambda torch, x, t, weight, reduction: torch.nn.functional.multilabel_soft_margin_loss(x, t, weight, reduction=reduction),
        (REAL, UNIT, POSITIVE), errors=[misfit("multilabel_soft_margin_loss")],
    ),
    Card(
        "triplet_margin_loss", F.triplet_margin_loss,
        alike(3, 1, margin=st.sampled_from((1.03, 8.03)), swap=st.booleans(), p=st.sampled_from((2.0, 3.0)), reduction=REDUCTION),
        lambda a, b, c, reduction, **statics: reduced(triplet(a, b, c, **statics), reduction),
        in_pytorch("triplet_margin_loss"), APART,
        errors=[
            Refusal(lambda: F.triplet_margin_loss(*[zeros(1)] * 3, margin=0), ValueError, "margin=0, expected a positive"),
            misfit("triplet_margin_loss", 3),
        ],
    ),
    Card(
        "triplet_margin_with_distance_loss",
        lambda a, p, n, **statics: F.triplet_margin_with_distance_loss(a, p, n, distance_function=city_block, **statics),
        alike(3, 1, margin=st.sampled_from((1.03, 8.03)), swap=st.booleans(), reduction=REDUCTION),
        lambda a, p, n, reduction, **statics: reduced(triplet(a, p, n, p=1, eps=0, **statics), reduction),
        lambda torch, a, p, n, **statics: torch.nn.functional.triplet_margin_with_distance_loss(
            a, p, n, distance_function=city_block, **statics
        ),
        APART,
        errors=[
            Refusal(
                lambda: F.triplet_margin_with_distance_loss(*[zeros(1)] * 3, reduction="average"), ValueError,
                "triplet_margin_with_distance_loss(): reduction 'average'",
            ),
        ],
    ),
]  # fmt: skip
