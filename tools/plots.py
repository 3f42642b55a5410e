"""Two pictures of a training run: its losses, and where the decoder looked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

import numpy as np

from .canvas import FAINT, INK, new_figure, require_matplotlib, tidy, write_png
from .fonts import drawable, families, warn_of_missing
from .scores import METRICS, scored

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOSS, EXACT = "#0072b2", "#c44e00"
CELL = 0.27  # inches: the side of one attention weight, with room for its token
LETTER = 10  # points: the size of a token
WIDEST = 13.0  # inches: panels beyond it begin a new row
BAR = 0.85  # inches on the right: the colour bar and its numbers


@dataclass(frozen=True)
class Alignment:
    """Attention weights (T, S): row t says where the decoder looked when it wrote target token t."""

    weights: Any
    source: Sequence[str]  # S tokens
    target: Sequence[str]  # T tokens
    title: str = ""


# ------------------------------------------------------------------------------------------------ losses


def draw_losses(records: Sequence[Mapping[str, Any]], path: str | Path, title: str = "") -> None:
    """Write a PNG of the training loss and the held-out score against the step.

    `records` are the lines of a run's log: {"step", "loss"} while training, and after an epoch {"step", a
    score by its name in METRICS, "groups"}, where groups holds one for each language, say.
    ValueError if no record has a loss.
    """
    if not any("loss" in record for record in records):
        raise ValueError(
            f"draw_losses(): none of the {len(records)} records has a loss; train for a few more steps"
        )
    draw_runs({title: records}, path)


def draw_runs(runs: Mapping[str, Sequence[Mapping[str, Any]]], path: str | Path) -> None:
    """Write a PNG of the losses and the scores of several runs, or of one, by their names.

    A run that was fitted in one go has a score and no loss.
    """
    require_matplotlib()
    scores = {name: [record for record in records if scored(record)] for name, records in runs.items()}
    figure = new_figure(7.2, 5.4 if any(scores.values()) else 3.2, layout="constrained")
    upper, *lower = figure.subplots(2 if any(scores.values()) else 1, 1, sharex=True, squeeze=False)[:, 0]
    if len(runs) == 1 and any("loss" in record for record in next(iter(runs.values()))):
        [(title, records)] = runs.items()
        _draw_loss(upper, records)
        for axes in lower:
            _draw_scores(axes, scores[title])
        if title:
            warn_of_missing(title.split())
            upper.set_title(_title(title), fontfamily=families(), fontsize=11, color=INK, loc="left")
    else:
        _draw_together(upper, lower, runs, scores)
    upper.set_yscale("log")
    upper.set_ylabel("training loss")
    for axes in (upper, *lower):
        tidy(axes)
    (upper, *lower)[-1].set_xlabel("step")
    upper.xaxis.get_major_locator().set_params(integer=True)
    write_png(figure, path)


def _draw_loss(axes: "Axes", records: Sequence[Mapping[str, Any]]) -> None:
    """Each logged batch, and a smoother line."""
    steps, values = _losses(records)
    axes.plot(steps, values, ".-", color=LOSS, alpha=0.35, linewidth=1, markersize=4, label="logged batch")
    axes.plot(steps, _smoothed(values), color=LOSS, linewidth=1.8, label="geometric mean of nine")
    axes.legend(frameon=False, fontsize=8)


def _losses(records: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """The steps and their losses, (2, N)."""
    return np.array([(r["step"], r["loss"]) for r in records if "loss" in r], dtype=float).T


def _smooth_losses(records: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """The steps and the smoothed losses; nothing for a run without."""
    if not any("loss" in record for record in records):
        return np.zeros(0), np.zeros(0)
    steps, values = _losses(records)
    return steps, _smoothed(values)


def _draw_together(
    upper: "Axes",
    lower: Sequence["Axes"],
    runs: Mapping[str, Sequence[Mapping[str, Any]]],
    scores: Mapping[str, Sequence[Mapping[str, Any]]],
) -> None:
    """A line of its own colour for each run: its loss, smoothed, and the first of its scores."""
    warn_of_missing(word for name in runs for word in name.split())
    for name, records in runs.items():
        [line] = upper.plot(*_smooth_losses(records), linewidth=1.6, label=_title(name))
        for axes in lower:
            found = [scored(record) for record in scores[name]]
            metric = METRICS[found[0][0]] if found and found[0] else None
            factor = 100 if metric and "%" in metric.form else 1
            heights = [factor * one[1] for one in found if one]
            steps = [record["step"] for record in scores[name]]
            axes.plot(steps, heights, "o-", color=line.get_color(), markersize=4)
            if metric:
                axes.set_ylabel(f"held-out {metric.name}" + ", %" * (factor == 100))
    upper.legend(frameon=False, fontsize=8, prop={"family": families(), "size": 8})


def _draw_scores(axes: "Axes", scores: Sequence[Mapping[str, Any]]) -> None:
    """The score of all examples, in percent if it is a share, and the span from worst to best group."""
    found = [one for one in map(scored, scores) if one]
    metric = METRICS[found[0][0]]
    factor = 100 if "%" in metric.form else 1
    steps = [record["step"] for record in scores]
    heights = [factor * value for _, value in found]
    axes.plot(steps, heights, "o-", color=EXACT, markersize=4, label="all")
    if all(record.get("groups") for record in scores):
        shares = [[factor * share for share in record["groups"].values()] for record in scores]
        low, high = [min(group) for group in shares], [max(group) for group in shares]
        axes.fill_between(steps, low, high, color=EXACT, alpha=0.15, linewidth=0, label="worst to best group")
        axes.legend(frameon=False, fontsize=8, loc="lower right")
    if metric.name == "exact match":
        axes.set_ylim(-3, 103)
    axes.set_ylabel(f"held-out {metric.name}" + ", %" * (factor == 100))
    above = heights[-1] < (max(axes.get_ylim()) + min(axes.get_ylim())) / 2
    axes.annotate(
        metric.written(found[-1][1]),
        (steps[-1], heights[-1]),
        xytext=(0, 7 if above else -14),
        textcoords="offset points",
        ha="right",
        color=EXACT,
        fontsize=9,
    )


def _smoothed(values: np.ndarray, reach: int = 4) -> np.ndarray:
    """The geometric mean of each value and its neighbours, `reach` on either side, fewer near the ends.

    It is the mean of the logarithms, since the axis is logarithmic: one large value does not hide the others.
    """
    sums = np.concatenate([[0.0], np.cumsum(np.log(np.maximum(values, 1e-30)))])
    places = np.arange(len(values))
    near = np.minimum(np.minimum(places, places[::-1]), reach)
    return np.exp((sums[places + near + 1] - sums[places - near]) / (2 * near + 1))


# ------------------------------------------------------------------------------------------------ attention


def draw_attention(alignments: Alignment | Sequence[Alignment], path: str | Path) -> None:
    """Write a PNG of attention weights: source tokens along the top, target tokens down the side.

    Each alignment gets a panel; all share one scale of colours. Spaces are shown as ␣, no-break spaces as ⍽.
    ValueError for weights that are not (T, S) finite numbers.
    """
    panels = [alignments] if isinstance(alignments, Alignment) else list(alignments)
    if not panels:
        raise ValueError("draw_attention(): got no alignments, expected at least one")
    require_matplotlib()
    tables = [_table(panel) for panel in panels]
    warn_of_missing(
        token for panel in panels for token in (*panel.source, *panel.target, *panel.title.split())
    )
    sheet = _Sheet(panels)
    figure = new_figure(sheet.width, sheet.height)
    top = max(float(table.max()) for table in tables)
    for number, (panel, table) in enumerate(zip(panels, tables, strict=True)):
        axes = figure.add_axes(sheet.place(number))
        image = axes.imshow(table, cmap="Blues", vmin=0.0, vmax=top, aspect="auto")
        _label(axes, panel)
    bar = figure.colorbar(image, cax=figure.add_axes(sheet.bar()))
    bar.ax.set_title("weight", fontsize=8)
    bar.ax.tick_params(labelsize=8, length=2)
    bar.outline.set_visible(False)
    write_png(figure, path)


class _Sheet:
    """Where each panel lies, in inches from the upper left: every cell is a square of the same size."""

    def __init__(self, panels: Sequence[Alignment]) -> None:
        self.panels = panels
        self.places: list[tuple[float, float]] = []  # of the upper left cell of each panel
        left = 0.15 + max(_length(token) for panel in panels for token in panel.target)
        self.above = 0.15 + max(_length(token) for panel in panels for token in panel.source)
        self.above += 0.3 if any(panel.title for panel in panels) else 0.15
        x = y = down = across = 0.0
        for panel in panels:
            width = left + max(len(panel.source) * CELL, 1.1 * _length(panel.title))
            if x > 0 and x + width > WIDEST:  # a new row
                x, y, down = 0.0, y + down, 0.0
            self.places.append((x + left, y + self.above))
            x += width
            across, down = max(across, x), max(down, self.above + len(panel.target) * CELL + 0.15)
        self.width, self.height = across + BAR, y + down

    def place(self, number: int) -> tuple[float, float, float, float]:
        """Left, bottom, width and height of a panel, as shares of the sheet."""
        panel = self.panels[number]
        return self._shares(*self.places[number], len(panel.source) * CELL, len(panel.target) * CELL)

    def bar(self) -> tuple[float, float, float, float]:
        """The same of the colour bar, beside the first panel."""
        length = min(len(self.panels[0].target) * CELL, 3.0)
        return self._shares(self.width - BAR + 0.2, self.above, 0.13, length)

    def _shares(self, x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
        return (x / self.width, 1 - (y + height) / self.height, width / self.width, height / self.height)


def _length(token: str) -> float:
    """About how many inches a token is long."""
    ems = sum(1.0 if east_asian_width(c) in "WF" else 0.62 for c in drawable(token))
    return ems * LETTER / 72


def _table(panel: Alignment) -> np.ndarray:
    """The weights as an array, checked."""
    table = np.asarray(panel.weights, dtype=float)
    expected = (len(panel.target), len(panel.source))
    if table.shape != expected or 0 in expected:
        raise ValueError(
            f"draw_attention(): weights have shape {table.shape}, expected (target tokens, source tokens) = "
            f"{expected}, neither of them 0"
        )
    if not np.isfinite(table).all():
        raise ValueError("draw_attention(): weights hold NaN or infinity, expected finite numbers")
    return table


def _label(axes: "Axes", panel: Alignment) -> None:
    """Tokens along the top and down the side, thin lines between the cells."""
    source, target = [drawable(token) for token in panel.source], [drawable(token) for token in panel.target]
    upright = all(len(token) <= 2 for token in source)
    style: dict[str, Any] = {"fontfamily": families(), "fontsize": LETTER}
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(source)), labels=source, rotation=0 if upright else 90, **style)
    axes.set_yticks(range(len(target)), labels=target, **style)
    axes.set_xticks(np.arange(len(source) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(target) - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="#dde3e8", linewidth=0.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_color(FAINT)
    if panel.title:
        axes.set_title(_title(panel.title), fontfamily=families(), fontsize=11, color=INK, loc="left")


# ------------------------------------------------------------------------------------------------ files


def _title(text: str) -> str:
    """A title: its spaces stay spaces."""
    return " ".join(map(drawable, text.split()))
