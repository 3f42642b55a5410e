"""Where seven optimisers go on three surfaces."""

from pathlib import Path

import numpy as np

from minigrad.optim.paths import RULES, SURFACES, Surface, descent_path
from minigrad.tools.canvas import new_figure, require_matplotlib, write_png

from .figure import Figure, columns

STEPS = {"bowl": 40, "rosenbrock": 300, "saddle": 60}
RATES = {  # of each rule on each surface: large, but not so large that it leaves the picture
    "bowl": (0.95, 0.1, 0.1, 1.5, 0.3, 0.3, 0.3),
    "rosenbrock": (0.0015, 0.0003, 0.0003, 0.5, 0.01, 0.05, 0.05),
    "saddle": (0.1, 0.05, 0.05, 0.3, 0.03, 0.1, 0.1),
}
WINDOWS = {  # x from, to, y from, to
    "bowl": (-8.0, 8.0, -3.0, 3.0),
    "rosenbrock": (-1.6, 1.4, -0.5, 2.0),
    "saddle": (-1.7, 0.9, -0.4, 1.4),
}
Paths = dict[str, dict[str, np.ndarray]]


def measure() -> Paths:
    """The path (steps + 1, 2) of each rule on each surface."""
    return {
        name: {
            rule: descent_path(RULES[rule], surface.height, surface.start, rate, STEPS[name])
            for rule, rate in zip(RULES, RATES[name], strict=True)
        }
        for name, surface in SURFACES.items()
    }


def table(paths: Paths) -> str:
    """How far from a minimum each ends, in a column for each surface."""
    titles = [f"{name}, {STEPS[name]} steps" for name in paths]
    rows = [["distance from the minimum", *titles]]
    for rule in RULES:
        ends = [distance(SURFACES[name], passed[rule][-1]) for name, passed in paths.items()]
        rows.append([rule, *(f"{end:.3f}" for end in ends)])
    return columns(rows)


def distance(surface: Surface, point: np.ndarray) -> float:
    """How far a point lies from the nearest minimum."""
    return float(min(np.hypot(*(point - minimum)) for minimum in surface.minima))


def draw(paths: Paths, path: Path) -> None:
    """Contours, and a line for each optimiser: a row of panels for each surface."""
    require_matplotlib()
    figure = new_figure(11.0, 4.8, layout="constrained")
    grid = figure.subplots(len(paths), len(RULES), sharex="row", sharey="row")
    for row, (name, passed) in zip(grid, paths.items(), strict=True):
        surface, (left, right, bottom, top) = SURFACES[name], WINDOWS[name]
        x, y = np.meshgrid(np.linspace(left, right, 100), np.linspace(bottom, top, 100))
        heights = surface.height(x, y)
        above = heights - heights.min()
        levels = np.geomspace(above.max() / 3000, above.max(), 9)
        for axes, (rule, points), rate in zip(row, passed.items(), RATES[name], strict=True):
            axes.contour(x, y, above, levels=levels, colors="#b8c2cc", linewidths=0.6, antialiased=False)
            axes.plot(*points.T, ".-", color="#0072b2", markersize=2.5, linewidth=0.9)
            axes.plot(*points[0], "o", color="#1f2933", markersize=3.5)
            axes.plot(*np.transpose(surface.minima), "*", color="#c44e00", markersize=7, linestyle="none")
            axes.set(xlim=(left, right), ylim=(bottom, top))
            axes.tick_params(labelsize=7)
            axes.set_title(f"{rule}, lr {rate:g}", fontsize=8, loc="left")
        row[0].set_ylabel(f"{name}\n{surface.formula}", fontsize=8)
    write_png(figure, path)


FIGURE = Figure("seven optimisers on their way down three surfaces", measure, table, draw)
