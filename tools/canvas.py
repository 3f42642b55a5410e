"""What every picture by matplotlib is drawn on: no window, no pyplot, no global state."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .errors import CommandError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT = "#1f2933", "#8a94a0"
DPI = 144  # pixels per inch,
SIDE = 30_000  # and no more pixels on a side than this


def require_matplotlib() -> None:
    """CommandError, with the remedy, where it is missing."""
    try:
        import matplotlib.figure  # noqa: F401 (only to see whether it is there)
    except ImportError:
        raise CommandError('drawing needs matplotlib: pip install "minigrad[viz]"') from None


def new_figure(width: float, height: float, layout: Literal["constrained"] | None = None) -> "Figure":
    """An empty figure, in inches."""
    from matplotlib.figure import Figure

    dpi = min(DPI, SIDE / max(width, height))
    return Figure(figsize=(width, height), dpi=dpi, layout=layout, facecolor="white")


def tidy(axes: "Axes") -> None:
    """No frame above and to the right, a light grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.tick_params(labelsize=9, color=FAINT)


def write_png(figure: "Figure", path: str | Path) -> None:
    """Write a figure as PNG, by the renderer that needs no screen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure).print_png(path)
