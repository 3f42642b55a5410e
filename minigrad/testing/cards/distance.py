"""The cards of minigrad/ops/distance.py and the functions of functions/distance.py."""

import math

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.errors import ShapeError
from minigrad.nn import functional as F
from minigrad.testing.card import Card, Kink, Refusal
from minigrad.testing.signatures import elementwise, one_dim, pairs_of_rows
from minigrad.testing.strategies import POSITIVE, Domain, broadcastable, dims

from .elementwise import zeros

INF = math.inf
BELOW = Domain(low=-3.0, high=-0.25)  # so that no number meets one of POSITIVE
POWERS = st.sampled_from((2.0, 1.0, 3.0, 1.5))


def norm(x, p, axis=-1, keepdims=False):
    return np.linalg.norm(x, p, axis, keepdims) if x.ndim else np.abs(x)


def cdist(a, b, p=2.0, compute_mode=None):
    return norm(a[..., :, None, :] - b[..., None, :, :], p)


def pdist(x, p):
    return np.array([norm(x[i] - x[j], p) for i in range(len(x)) for j in range(i + 1, len(x))])


def cosine(a, b, dim, eps=1e-8):
    a, b = np.broadcast_arrays(a, b)
    axis = dim if a.ndim else None
    lengths = [np.sqrt((x * x).sum(axis=axis)) for x in (a, b)]
    return (a * b).sum(axis=axis) / (lengths[0] * lengths[1])


@st.composite
def two_along(draw):
    """Two inputs that broadcast together, and one dimension of the result."""
    found = draw(broadcastable(2, min_side=1))
    return found, {"dim": draw(dims(len(np.broadcast_shapes(*found))))}


def negative(name, *arguments):
    """The refusal of a negative power."""
    message = f"{name}(): p=-1, expected a number that is not negative"
    return Refusal(lambda: getattr(mg, name)(*arguments, p=-1), ValueError, message)


MODES = ("use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")

CARDS = [
    Card(
        "euclidean_distances", ops.euclidean_distances, pairs_of_rows(by_product=st.booleans()),
        lambda a, b, by_product: cdist(a, b), None, (POSITIVE, BELOW),
    ),
    Card(
        "cdist", mg.cdist, pairs_of_rows(p=POWERS, compute_mode=st.sampled_from(MODES)), cdist, "cdist",
        (POSITIVE, BELOW), ops.euclidean_distances, dtypes=("float64", "float32"),
        kinks=[
            Kink([[[1.0, 2.0]], [[1.0, 2.0], [4.0, 6.0]]], [[0.0, 5.0]], [[[-0.6, -0.8]], [[0, 0], [0.6, 0.8]]]),
            Kink([[[1.0, 2.0]], [[1.0, 2.0]]], [[0.0]], [[[0.0, 0.0]], [[0.0, 0.0]]], {"p": 1.0}),
            Kink([[[1.0, 2.0]], [[1.0, 4.0]]], [[2.0]], [[[0.0, -1.0]], [[0.0, 1.0]]], {"p": INF}),
            Kink([[[1.0, 2.0]], [[1.0, 4.0]]], [[1.0]], [[[0.0, 0.0]], [[0.0, 0.0]]], {"p": 0.0}),
        ],
        errors=[
            Refusal(lambda: mg.cdist(zeros(2, 3), zeros(4, 2)), ShapeError, "cdist(): got (2, 3) and (4, 2)"),
            Refusal(lambda: mg.cdist(zeros(3), zeros(4, 3)), ShapeError, "expected (..., P, M) and (..., R, M)"),
            Refusal(lambda: mg.cdist(zeros(2, 3), zeros(4, 3), 2, "mm"), ValueError, "compute_mode 'mm'"),
            negative("cdist", zeros(2, 3), zeros(4, 3)),
        ],
    ),
    Card(
        "pdist", mg.pdist, st.tuples(st.tuples(st.sampled_from(((3, 1), (2, 1), (1, 2)))), st.fixed_dictionaries({"p": POWERS})),
        pdist, "pdist", (Domain(distinct=True),),
        kinks=[Kink([[[0.0, 0.0], [3.0, -4.0], [0.0, 0.0]]], [5.0, 0.0, 5.0], [[[-0.6, 0.8], [1.2, -1.6], [-0.6, 0.8]]])],
        errors=[Refusal(lambda: mg.pdist(zeros(3)), ShapeError, "pdist(): got (3,)"), negative("pdist", zeros(2, 3))],
    ),
    Card(
        "pairwise_distance", mg.pairwise_distance,
        elementwise(2, min_side=1, p=POWERS, keepdim=st.booleans()).filter(lambda drawn: any(drawn[0])),
        lambda a, b, p, keepdim: norm(a - b + 1e-6, p, keepdims=keepdim), "pairwise_distance", (POSITIVE, BELOW),
        errors=[
            Refusal(
                lambda: mg.pairwise_distance(zeros(2, 3), zeros(4, 3)), ShapeError,
                "pairwise_distance(): shapes (2, 3) and (4, 3) do not broadcast",
            ),
        ],
    ),
    Card(
        "cosine_similarity", mg.cosine_similarity, two_along(), cosine, "cosine_similarity", (POSITIVE, BELOW),
        kinks=[Kink([[[0.0, 0.0]], [[3.0, 4.0]]], [0.0], [[[0.6e8, 0.8e8]], [[0.0, 0.0]]])],
        errors=[
            Refusal(
                lambda: mg.cosine_similarity(zeros(2, 3), zeros(4, 3)), ShapeError,
                "cosine_similarity(): shapes (2, 3) and (4, 3) do not broadcast",
            ),
            Refusal(lambda: mg.cosine_similarity(zeros(2), zeros(2)), IndexError, "dim 1 out of range"),
        ],
    ),
    Card(
        "normalize", F.normalize, one_dim(p=POWERS),
        lambda x, dim, p: x / norm(x, p, dim, keepdims=True), "normalize", (POSITIVE,),
        kinks=[Kink([[[0.0, 0.0]]], [[0.0, 0.0]], [[[1e12, 1e12]]])],
        errors=[Refusal(lambda: F.normalize(zeros(2)), IndexError, "normalize(): dim 1 out of range")],
    ),
]  # fmt: skip
