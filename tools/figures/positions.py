"""Sinusoidal positions: what is added to a token by where it stands.

P(t, 2i) = sin(t / 10000^(2i/d)),  P(t, 2i+1) = cos(t / 10000^(2i/d))     (Vaswani et al. 2017, §3.5)
"""

from pathlib import Path

import numpy as np

from minigrad.creation import zeros
from minigrad.models.positions import sinusoids
from minigrad.tools.canvas import new_figure, require_matplotlib, write_png

from .figure import Figure, columns

LENGTH, SIZE = 64, 128


def measure() -> np.ndarray:
    """P (64, 128)."""
    return sinusoids(0, LENGTH, SIZE, zeros(1)).numpy()


def table(P: np.ndarray) -> str:
    """P_t · P_{t+k} / |P_t|²: it falls with the distance k, and is the same for every t."""
    norm = (P[0] ** 2).sum()
    rows = [["distance", "product, smallest", "largest"]]
    for k in (0, 1, 2, 4, 8, 16, 32):
        products = (P[: LENGTH - k] * P[k:]).sum(axis=1) / norm
        rows.append([str(k), f"{products.min():.3f}", f"{products.max():.3f}"])
    return columns(rows)


def draw(P: np.ndarray, path: Path) -> None:
    """A heat map: a row for each position, a column for each of the numbers."""
    require_matplotlib()
    figure = new_figure(7.2, 3.8, layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(P, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
    axes.set(xlabel="i, of d = 128 numbers", ylabel="position t")
    figure.colorbar(image, ax=axes, label="P(t, i)")
    write_png(figure, path)


FIGURE = Figure("sinusoidal positions as a heat map, and their products by distance", measure, table, draw)
