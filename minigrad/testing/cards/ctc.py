"""Connectionist temporal classification: ops/ctc.py and nn/functional/ctc.py."""

import itertools
import math

import numpy as np
from hypothesis import strategies as st

from minigrad import log_softmax, ops, tensor, zeros
from minigrad.errors import DTypeError, ShapeError
from minigrad.nn import functional as F
from minigrad.testing.card import Card, Kink, Refusal
from minigrad.testing.strategies import MASK, REAL, Domain, index_below

TYPES = ("float64", "float32")
STEPS = index_below(lambda shapes, statics: shapes[0][0] + 1, first=1)


@st.composite
def timed_texts(draw, batched=True):
    """log_probs (T, N, C) and texts (N, S), or all in a row, and their lengths; or one text."""
    steps, classes = draw(st.integers(1, 3)), draw(st.integers(2, 3))
    count = draw(st.integers(1, 2)) if batched else 1
    letters = [draw(st.integers(0, 2)) for _ in range(count)]
    statics = {
        "input_lengths": tuple(draw(st.integers(0, steps)) for _ in range(count)),
        "target_lengths": tuple(letters),
        "blank": draw(st.integers(0, classes - 1)),
        "reduction": draw(st.sampled_from(("none", "sum", "mean"))),
        "zero_infinity": True,
    }
    padded = (count, max(letters) + draw(st.integers(0, 1)))
    texts = draw(st.sampled_from((padded, (sum(letters),)))) if batched else (letters[0],)
    return ((steps, count, classes) if batched else (steps, classes), texts), statics


def reading(path, blank):
    """What a path reads: its letters, of equal ones in a row only the first, without the blanks."""
    return tuple(letter for letter, _ in itertools.groupby(path) if letter != blank)


def ctc_loss(
    log_probs, targets, *, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False
):
    """The sum over all paths, one after the other."""
    batched = log_probs.ndim == 3
    log_probs = log_probs if batched else log_probs[:, None]
    ends = np.cumsum(target_lengths)
    losses = []
    for n, (steps, length) in enumerate(zip(input_lengths, target_lengths, strict=True)):
        text = targets[n, :length] if targets.ndim == 2 else targets[ends[n] - length : ends[n]]
        paths = itertools.product(range(log_probs.shape[2]), repeat=steps)
        chances = [
            math.prod(math.exp(log_probs[t, n, letter]) for t, letter in enumerate(path))
            for path in paths
            if reading(path, blank) == tuple(text)
        ]
        losses.append(-math.log(sum(chances)) if sum(chances) else 0.0 if zero_infinity else math.inf)
    if reduction == "mean":
        losses = [loss / max(length, 1) for loss, length in zip(losses, target_lengths, strict=True)]
    losses = np.array(losses) if batched else np.array(losses[0])
    return losses if reduction == "none" else losses.mean() if reduction == "mean" else losses.sum()


def without(targets, blank):
    """The targets with another letter in place of the blank: a text holds none."""
    return targets + (targets == blank) * (1 - 2 * (blank > 0))


def normalised(x):
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def called(function, softmax):
    """The loss of scores, of which the logarithms of probabilities are made: there PyTorch has the true slope."""

    def call(x, targets, blank, **statics):
        return function(softmax(x, -1), without(targets, blank), blank=blank, **statics)

    return call


def reference(x, targets, blank, **statics):
    return ctc_loss(normalised(x), without(targets, blank), blank=blank, **statics)


def in_torch(torch, x, targets, blank, input_lengths, target_lengths, **statics):
    if x.ndim == 2:  # it takes no single length
        input_lengths, target_lengths = torch.tensor(input_lengths), torch.tensor(target_lengths)
    function = called(torch.nn.functional.ctc_loss, torch.log_softmax)
    return function(x, targets, blank, input_lengths=input_lengths, target_lengths=target_lengths, **statics)


def loss_card(name, batched):
    return Card(
        name, called(F.ctc_loss, log_softmax), timed_texts(batched), reference, in_torch,
        (REAL, index_below(lambda shapes, statics: shapes[0][-1])), ops.ctc, errors=ERRORS,
    )  # fmt: skip


# ---------------------------------------------------------------------------------- the card


@st.composite
def places(draw):
    """Logarithms for T steps, N texts and the U places of each, where paths may skip, how long, and where to end."""
    steps, count, letters = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(0, 2))
    shape = (count, 2 * letters + 1)
    return ((steps, *shape), shape, (count,), shape), {}


def paths(log_probs, skip, steps, final):
    """-ln of the sum over all sequences of places that a path may take."""
    time, count, width = log_probs.shape
    found = []
    for n in range(count):
        total = 0.0
        last = max(min(int(steps[n]), time), 1)
        for path in itertools.product(range(width), repeat=last):
            moves = itertools.pairwise(path)
            if (
                path[0] < 2
                and final[n, path[-1]]
                and all(b - a in (0, 1) or (b - a == 2 and skip[n, b]) for a, b in moves)
            ):
                total += math.exp(sum(log_probs[t, n, place] for t, place in enumerate(path)))
        found.append(-math.log(total) if total else math.inf)
    return np.array(found)


def weighed(log_probs, skip, steps, final):
    """The card, with a place where a path may end for certain: the first."""
    final = ops.pad(final[:, 1:], widths=((1, 0),), value=True)
    return ops.ctc(log_probs, skip, steps, final)


def first_is_final(log_probs, skip, steps, final):
    final = final.copy()
    final[:, 0] = True
    return paths(log_probs, skip, steps, final)


def log_probs():
    return zeros(3, 2, 4)


def texts():
    return tensor([[1, 2], [3, 3]])


ERRORS = [
    Refusal(lambda: F.ctc_loss([0.0], texts(), 1, 1), TypeError, "ctc_loss(): expected a Tensor, got list"),
    Refusal(lambda: F.ctc_loss(zeros(3), texts(), 1, 1), ShapeError, "log_probs (3,), expected (T, N, C) or (T, C)"),
    Refusal(lambda: F.ctc_loss(zeros(0, 2, 4), texts(), 0, 1), ShapeError, "with T at least 1"),
    Refusal(lambda: F.ctc_loss(log_probs(), texts(), (3, 3), (2, 2), 4), ValueError, "blank 4, expected one of the letters"),
    Refusal(lambda: F.ctc_loss(log_probs(), texts(), (3,), (2, 2)), ValueError, "input_lengths [3], expected 2 numbers"),
    Refusal(lambda: F.ctc_loss(log_probs(), texts(), (3, 4), (2, 2)), ValueError, "input_lengths [3, 4], expected 2"),
    Refusal(lambda: F.ctc_loss(log_probs(), texts(), (3, 3), (2, -1)), ValueError, "target_lengths [2, -1], expected 2"),
    Refusal(lambda: F.ctc_loss(log_probs(), texts(), (3, 3.0), (2, 2)), TypeError, "input_lengths (3, 3.0), expected int"),
    Refusal(lambda: F.ctc_loss(log_probs(), texts()[:1], (3, 3), (2, 2)), ShapeError, "targets (1, 2) for 2 texts"),
    Refusal(lambda: F.ctc_loss(log_probs(), texts()[0], (3, 3), (2, 1)), ShapeError, "in a row, (3,)"),
    Refusal(lambda: F.ctc_loss(log_probs(), texts() + 1, (3, 3), (2, 2)), IndexError, "targets: index 4 at position"),
    Refusal(lambda: F.ctc_loss(log_probs(), zeros(2, 2), (3, 3), (2, 2)), DTypeError, "targets are float32, expected int"),
    Refusal(lambda: F.ctc_loss(log_probs(), texts(), (3, 3), (2, 2), 0, "all"), ValueError, "reduction 'all'"),
]  # fmt: skip

CARDS = [
    Card(
        "ctc", ops.ctc, places(), paths, None, (REAL, MASK, STEPS, Domain(low=1.0, high=1.0, dtype="bool")), dtypes=TYPES,
        kinks=[
            Kink([[[[0.0]]], [[False]], [1], [[True]]], [0.0], [[[[-1.0]]], None, None, None]),
            Kink([[[[0.0]]], [[False]], [1], [[False]]], [math.inf], [[[[0.0]]], None, None, None]),
        ],
    ),
    Card(
        "ctc, where some places are no end", weighed, places(), first_is_final, None, (REAL, MASK, STEPS, MASK), ops.ctc,
        dtypes=TYPES,
    ),
    loss_card("ctc_loss", batched=True),
    loss_card("ctc_loss of one text", batched=False),
]  # fmt: skip
