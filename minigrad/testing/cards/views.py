"""The card of minigrad/ops/views.py: what a write through a view means for its base."""

import numpy as np
from hypothesis import strategies as st

from minigrad import ops
from minigrad.testing.card import NUMBERS, Card
from minigrad.testing.strategies import shapes


@st.composite
def overlaid(draw):
    """A tensor, and a value for what a chain of views shows of it."""
    shape = draw(shapes(min_side=1))
    path, shown = [], np.empty(shape)
    for turned in draw(st.lists(st.booleans(), max_size=2)):
        if turned:
            path.append((ops.permute, {"dims": tuple(reversed(range(shown.ndim)))}))
            shown = shown.T
        elif shown.ndim:
            path.append((ops.getitem, {"index": (draw(st.integers(0, len(shown) - 1)), ...)}))
            shown = shown[path[-1][1]["index"]]
    return (shape, shown.shape), {"path": tuple(path)}


def overlay(x, v, path):
    y = x.copy()
    shown = y
    for op, static in path:
        shown = shown.T if op is ops.permute else shown[static["index"]]
    shown[...] = v
    return y


CARDS = [Card("overlay", ops.overlay, overlaid(), overlay, None, dtypes=NUMBERS)]
