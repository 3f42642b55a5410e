"""The functions of nn/functional that have parameters or are random: linear, embedding, dropout."""

from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.errors import DTypeError, ShapeError
from minigrad.generator import Generator
from minigrad.nn import functional as F
from minigrad.testing.card import Card, Refusal
from minigrad.testing.signatures import bags, bilinear_layers, shapes, unary
from minigrad.testing.strategies import DISTINCT, REAL, index_below

from .elementwise import zeros

SEED = 3  # of what is random: the reference draws the same numbers
ROW = index_below(lambda shapes, statics: shapes[1][0])


def kept(shape):
    """The mask that the dropout under test draws, and its scale."""
    return Generator(SEED).keep_mask(shape, 0.25)


def dropout(x, channel_dim=None):
    mask, scale = kept(x.shape if channel_dim is None else per_channel(x.shape, channel_dim))
    return np.where(mask, x * scale, 0)


def per_channel(shape, channel_dim):
    return tuple(size if d <= channel_dim else 1 for d, size in enumerate(shape))


def alpha_dropout(x, shape):
    mask, scale = kept(shape)
    keep, limit = 1 / scale, -1.7580993408473766
    a = 1 / np.sqrt(keep + limit * limit * keep * (1 - keep))
    return a * np.where(mask, x, limit) - a * (1 - keep) * limit


def random(name, signature, reference, too_flat, **options):
    """The card of a kind of dropout."""
    function = getattr(F, name)
    return Card(
        name, lambda x: function(x, 0.25, training=True, generator=Generator(SEED)), signature, reference, None,
        errors=[
            Refusal(lambda: function(zeros(2, 2, 2), 1.5), ValueError, f"{name}(): p=1.5, expected a probability"),
            Refusal(lambda: function(too_flat), (TypeError, ShapeError)[isinstance(too_flat, mg.Tensor)], "expected"),
        ],
        **options,
    )  # fmt: skip


def of_dims(*counts):
    """One input with one of these numbers of dimensions."""
    return st.tuples(
        st.tuples(st.sampled_from(counts).flatmap(lambda n: shapes(n, n, max_side=2))), st.just({})
    )


def embedding_bag(
    indices, weight, factors=None, *, mode, padding_idx, offsets=None, include_last_offset=False
):
    """One bag after the other."""
    flat = indices.reshape(-1)
    factors = np.ones(len(flat)) if factors is None else factors.reshape(-1)
    if indices.ndim == 2:
        offsets = np.arange(len(indices) + 1) * indices.shape[1]
    elif not include_last_offset:
        offsets = [*offsets, len(flat)]
    y = np.zeros((len(offsets) - 1, weight.shape[1]))
    for bag, (start, end) in enumerate(pairwise(offsets)):
        padding = None if padding_idx is None else padding_idx % len(weight)
        places = [i for i in range(start, end) if flat[i] != padding]
        if places:
            rows = weight[flat[places]] * factors[places, None]
            y[bag] = {"sum": rows.sum, "mean": rows.mean, "max": rows.max}[mode](axis=0)
    return y


def called_with(library):
    """embedding_bag of minigrad or PyTorch, with its arguments in the order of the card's."""

    def call(indices, weight, factors=None, offsets=None, **statics):
        tensor = None if offsets is None else library.tensor(offsets, device=weight.device)
        return library.nn.functional.embedding_bag(
            indices, weight, tensor, per_sample_weights=factors, **statics
        )

    return call


@st.composite
def labels(draw):
    """Indices of any shape, below 3."""
    return (draw(shapes()),), {"num_classes": draw(st.sampled_from((3, 5)))}


BAG = {"dtypes": ("float64", "float32")}

CARDS = [
    Card(
        "bilinear", F.bilinear, bilinear_layers(),
        lambda a, b, weight, bias=None: np.einsum("...i,oij,...j->...o", a, weight, b) + (0 if bias is None else bias),
        "bilinear",
        errors=[
            Refusal(
                lambda: F.bilinear(zeros(4, 2), zeros(4, 3), zeros(5, 3, 2)), ShapeError,
                "bilinear(): inputs (4, 2) and (4, 3), weight (5, 3, 2), expected (*, I), (*, J) and (O, I, J)",
            ),
            Refusal(lambda: F.bilinear([1.0], zeros(1), zeros(1, 1, 1)), TypeError, "expected a Tensor, got list"),
        ],
    ),
    Card(
        "embedding_bag", called_with(mg), bags(), embedding_bag,
        lambda torch, *inputs, **statics: called_with(torch)(*inputs, **statics), (ROW, DISTINCT), **BAG,
        errors=[
            Refusal(lambda: F.embedding_bag(zeros(2).long(), zeros(3, 2)), ShapeError, "input (2,), offsets None"),
            Refusal(
                lambda: F.embedding_bag(zeros(2).long(), zeros(3, 2), mg.tensor([1])), ValueError,
                "offsets [1], expected 0 first",
            ),
            Refusal(
                lambda: F.embedding_bag(zeros(2, 1).long(), zeros(3, 2), mode="min"), ValueError,
                "mode 'min', expected \"sum\"",
            ),
            Refusal(
                lambda: F.embedding_bag(zeros(2, 1).long(), zeros(3, 2), per_sample_weights=zeros(2, 1)), ValueError,
                "per_sample_weights (2, 1) with mode 'mean'",
            ),
            Refusal(
                lambda: F.embedding_bag(zeros(2, 1).long(), zeros(3, 2), sparse=True), NotImplementedError,
                "embedding_bag(): sparse=True is not supported",
            ),
        ],
    ),
    Card(
        "embedding_bag with factors", called_with(mg), bags(weighted=True), embedding_bag,
        lambda torch, *inputs, **statics: called_with(torch)(*inputs, **statics), (ROW, REAL, REAL), **BAG,
    ),
    Card(
        "one_hot", F.one_hot, labels(), lambda x, num_classes: np.eye(num_classes, dtype="int64")[x], "one_hot",
        (index_below(lambda shapes, statics: 3),), dtypes=("int64",), result="int64",
        errors=[
            Refusal(lambda: F.one_hot(mg.tensor([3]), 3), IndexError, "one_hot(num_classes=3): index 3 at position 0"),
            Refusal(lambda: F.one_hot(zeros(2), 3), DTypeError, "indices must be integers"),
        ],
    ),
    random("dropout", unary(), dropout, [1.0], card=ops.masked_scale),
    random("dropout1d", of_dims(2, 3), lambda x: dropout(x, x.ndim - 2), zeros(2), card=ops.masked_scale),
    random("dropout2d", of_dims(3, 4), lambda x: dropout(x, 1), zeros(2), card=ops.masked_scale),
    random("dropout3d", of_dims(4, 5), lambda x: dropout(x, x.ndim - 4), zeros(2), card=ops.masked_scale),
    random("alpha_dropout", unary(), lambda x: alpha_dropout(x, x.shape), [1.0], card=ops.where),
    random(
        "feature_alpha_dropout", of_dims(2, 3), lambda x: alpha_dropout(x, per_channel(x.shape, 1)), zeros(2),
        card=ops.where,
    ),
]  # fmt: skip
