"""A forecast beside what came."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .canvas import new_figure, require_matplotlib, tidy, write_png

STYLES: tuple[dict[str, Any], ...] = (
    {"color": "#333333", "marker": ".", "linewidth": 0.8},
    {"color": "#0072b2", "linewidth": 1.6},
    {"color": "#c44e00", "linewidth": 1.6, "linestyle": "--"},
)


def draw_forecast(lines: Mapping[str, np.ndarray], path: Path) -> None:
    """Write a PNG of up to three lines over the same steps, by their names."""
    require_matplotlib()
    figure = new_figure(7.2, 3.2, layout="constrained")
    axes = figure.subplots()
    for (name, values), style in zip(lines.items(), STYLES, strict=False):
        axes.plot(np.arange(1, len(values) + 1), values, label=name, **style)
    axes.set_xlabel("step")
    axes.legend(frameon=False, fontsize=8)
    tidy(axes)
    write_png(figure, path)
