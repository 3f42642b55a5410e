"""Where a model looked in a picture: each step's weights laid over it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .canvas import INK, new_figure, require_matplotlib, write_png

WIDTH = 2.4  # inches of a panel


@dataclass(frozen=True)
class Look:
    """A picture (H, W), and for each token that was written the weights of its places (T, h, w)."""

    picture: np.ndarray
    weights: np.ndarray
    tokens: Sequence[str]


def draw_looks(looks: Sequence[Look], path: Path) -> None:
    """Write a PNG with a row for each picture: the picture, then its weights at each step."""
    if not looks:
        raise ValueError("draw_looks(): got no picture, expected at least one")
    require_matplotlib()
    columns = 1 + max(len(look.tokens) for look in looks)
    height = max(WIDTH * look.picture.shape[0] / look.picture.shape[1] for look in looks) + 0.3
    figure = new_figure(WIDTH * columns, height * len(looks), layout="constrained")
    grid = figure.subplots(len(looks), columns, squeeze=False)
    for row, look in zip(grid, looks, strict=True):
        H, W = look.picture.shape
        for axes in row:
            axes.set_axis_off()
        row[0].imshow(look.picture, cmap="Greys", vmin=0, vmax=1)
        for axes, weights, token in zip(row[1:], look.weights, look.tokens, strict=False):
            axes.set_axis_on()
            axes.set_xticks([])
            axes.set_yticks([])
            axes.imshow(look.picture, cmap="Greys", vmin=0, vmax=1, extent=(0, W, H, 0))
            axes.imshow(weights, cmap="Reds", vmin=0, alpha=0.6, extent=(0, W, H, 0), interpolation="nearest")
            axes.set_title(token, fontsize=10, color=INK)
    write_png(figure, path)
