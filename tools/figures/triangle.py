"""Where each word of a decoder may look: at itself and what stands before it (Vaswani et al. 2017, §3.2.3).

The weights are those of a layer that has learned nothing: what they are is chance, where they are 0 is not.
"""

from pathlib import Path

import numpy as np

from minigrad import nn
from minigrad.generator import Generator, drawing_from
from minigrad.models import attention_table
from minigrad.modes import no_grad
from minigrad.random import randn
from minigrad.tools.plots import Alignment, draw_attention

from .figure import Figure

WORDS = ("자연어", "처리", "아주", "좋아요")
SIZE = 16  # of an embedding


def measure() -> np.ndarray:
    """The weights (4, 4) of masked self-attention."""
    with drawing_from(Generator(0)), no_grad():
        layer = nn.MultiheadAttention(SIZE, 1, batch_first=True)
        x = 2 * randn(1, len(WORDS), SIZE)
        _, weights = layer(x, x, x, is_causal=True)
    return weights[0].numpy()


def table(weights: np.ndarray) -> str:
    """The map as text; a dot is a weight of 0."""
    return attention_table(weights, WORDS, WORDS)


def draw(weights: np.ndarray, path: Path) -> None:
    """The map in blue."""
    draw_attention(Alignment(weights, WORDS, WORDS), path)


FIGURE = Figure("the triangle of masked self-attention over four words", measure, table, draw)
