"""The tables of `minigrad bench` as pictures: ratios as bars, growth as lines."""

from pathlib import Path
from typing import Any

from .bench_peers import PEERS, TORCH
from .canvas import new_figure, require_matplotlib, tidy, write_png

OTHERS = {TORCH, *PEERS}


def draw(table: str, rows: list[dict[str, Any]], path: Path) -> None:
    """Draw the rows of one table to a file."""
    require_matplotlib()
    (_growth if table == "growth" else _steps)(rows, path)


def _steps(rows: list[dict[str, Any]], path: Path) -> None:
    """Bars: the time of minigrad as a share of each other's; where nobody else is there, in ms."""
    labels, values = [], []
    compared = any(set(row) & OTHERS for row in rows)
    for row in rows:
        label = f"{row['title']}, {row['threads']} thread{'s' * (row['threads'] > 1)}"
        for other in [name for name in row if name in OTHERS] if compared else ["minigrad"]:
            labels.append(f"{label}, {other}" if compared else label)
            values.append(row["minigrad"]["median"] / (row[other]["median"] if compared else 1))
    figure = new_figure(7.2, 0.9 + 0.32 * len(values), layout="constrained")
    axes = figure.subplots()
    tidy(axes)
    axes.barh(range(len(values)), values)
    axes.set_yticks(range(len(values)), labels)
    axes.invert_yaxis()
    if compared:
        axes.axvline(1.0, color="black", linewidth=0.8)
    axes.set_xlabel("time / the other's time" if compared else "ms per step")
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
