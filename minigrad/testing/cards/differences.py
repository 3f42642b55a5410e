"""The functions of minigrad/functions/differences.py."""

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad.errors import ShapeError
from minigrad.testing.card import Card, Refusal
from minigrad.testing.signatures import along, elementwise
from minigrad.testing.strategies import DISTINCT, REAL, Domain, dims, shapes

from .elementwise import zeros


@st.composite
def sampled(draw):
    """Samples, their places or none, and a dimension."""
    shape = draw(shapes(min_dims=1, min_side=1))
    dim = draw(dims(len(shape)))
    return (shape, draw(st.sampled_from((None, shape, (shape[dim],))))), {"dim": dim}


def along_vector(x, y, dim):
    """Places that are a vector, as a shape that broadcasts."""
    return x if x.ndim == y.ndim else x.reshape(-1, *[1] * (y.ndim - 1 - dim % y.ndim))


def trapezoid(y, x=None, *, dim):
    return np.trapezoid(y, x, axis=dim)


def running_trapezoid(y, x=None, *, dim):
    first, second = (np.take(y, range(k, y.shape[dim] - 1 + k), dim) for k in (0, 1))
    step = 1 if x is None else np.diff(along_vector(x, y, dim), axis=dim - y.ndim if dim >= 0 else dim)
    return np.cumsum((first + second) / 2 * step, axis=dim)


def torch_areas(name):
    """PyTorch's function of that name, which does not take None for the places."""
    return lambda torch, y, x, dim: getattr(torch, name)(
        *(part for part in (y, x) if part is not None), dim=dim
    )


CARDS = [
    Card(
        "diff", mg.diff, along(n=st.integers(0, 3)).filter(lambda drawn: drawn[0][0]),
        lambda x, n, dim: np.diff(x, n, axis=dim), "diff", view=True,
        errors=[
            Refusal(lambda: mg.diff(zeros()), ShapeError, "input is 0-d"),
            Refusal(lambda: mg.diff(zeros(2), -1), ValueError, "n must be 0 or more, got -1"),
        ],
    ),
    Card(
        "diff with more at both ends", lambda x, before, behind, dim: mg.diff(x, dim=dim, prepend=before, append=behind),
        along(3).filter(lambda drawn: drawn[0][0]),
        lambda x, before, behind, dim: np.diff(x, axis=dim, prepend=before, append=behind),
        lambda torch, x, before, behind, dim: torch.diff(x, dim=dim, prepend=before, append=behind),
    ),
    Card("dist", mg.dist, elementwise(2, min_side=1, p=st.sampled_from((2, 3))),
        lambda x, y, p: (np.abs(x - y) ** p).sum() ** (1 / p), "dist",
        (REAL, Domain(low=4.0, high=6.0)),
    ),
    Card(
        "trapezoid", mg.trapezoid, sampled(), trapezoid, torch_areas("trapezoid"),
        errors=[
            Refusal(lambda: mg.trapezoid(zeros(3), zeros(3), dx=2.0), ValueError, "expected one of them"),
            Refusal(lambda: mg.trapezoid(zeros(3), zeros(2)), ShapeError, "x (2,), expected 3 places"),
        ],
    ),
    Card("cumulative_trapezoid", mg.cumulative_trapezoid, sampled(), running_trapezoid, torch_areas("cumulative_trapezoid")),
    Card(
        "cov", mg.cov, elementwise(1, correction=st.just(0)).filter(lambda drawn: len(drawn[0][0]) in (1, 2) and 0 not in drawn[0][0]),
        lambda x, correction: np.cov(x, ddof=correction), "cov",
        errors=[Refusal(lambda: mg.cov(zeros(2, 2, 2)), ShapeError, "expected at most 2 dimensions")],
    ),
    Card(
        "corrcoef", lambda x, y: mg.corrcoef(mg.stack([x, x * 0.5 + y])), st.just((((5,), (5,)), {})),
        lambda x, y: np.corrcoef(np.stack([x, x * 0.5 + y])),
        lambda torch, x, y: torch.corrcoef(torch.stack([x, x * 0.5 + y])), (DISTINCT, REAL), second=False,
        dtypes=("float64", "float32"),
    ),
]  # fmt: skip
