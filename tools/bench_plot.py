"""The tables of `minigrad bench` as pictures: ratios as bars, growth as lines."""

from pathlib import Path
from typing import Any

from .canvas import new_figure, require_matplotlib, tidy, write_png


def draw(table: str, rows: list[dict[str, Any]], path: Path) -> None:
    """Draw the rows of one table to a file."""
    require_matplotlib()
    (_growth if table == "growth" else _steps)(rows, path)


def _steps(rows: list[dict[str, Any]], path: Path) -> None:
    """Bars: the time of minigrad as a share of PyTorch's; where that is not there, in ms."""
    figure = new_figure(7.2, 0.9 + 0.32 * len(rows), layout="constrained")
    axes = figure.subplots()
    tidy(axes)
    compared = all("torch" in row for row in rows)
    values = [row["minigrad"]["median"] / (row["torch"]["median"] if compared else 1) for row in rows]
    labels = [f"{row['title']}, {row['threads']} thread{'s' * (row['threads'] > 1)}" for row in rows]
    axes.barh(range(len(rows)), values)
    axes.set_yticks(range(len(rows)), labels)
    axes.invert_yaxis()
    if compared:
        axes.axvline(1.0, color="black", linewidth=0.8)
    axes.set_xlabel("time / PyTorch's time" if compared else "ms per step")
    write_png(figure, path)


def _growth(rows: list[dict[str, Any]], path: Path) -> None:
    """Lines on logarithmic axes, with their exponents."""
    figure = new_figure(7.2, 4.5, layout="constrained")
    axes = figure.subplots()
    tidy(axes)
    for row in rows:
        label = f"{row['layer']}, {row['grows']}: {row['exponent']:.2f}"
        axes.loglog([float(size) for size in row["ms"]], list(row["ms"].values()), marker="o", label=label)
    axes.set_xlabel("size")
    axes.set_ylabel("ms per step")
    axes.legend(fontsize="small")
    write_png(figure, path)
