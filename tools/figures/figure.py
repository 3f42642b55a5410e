"""What a figure is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Figure:
    """Numbers, and how they are written and drawn.

    Args:
        title: what it shows, in a line.
        measure: computes the numbers.
        table: what is printed of them.
        draw: writes them as a PNG; None for a figure that is a table alone.
    """

    title: str
    measure: Callable[[], Any]
    table: Callable[[Any], str]
    draw: Callable[[Any, Path], None] | None = None


def columns(rows: list[list[str]]) -> str:
    """Rows of cells as lines: the first column to the left, the others to the right.

    >>> print(columns([["", "n", "steps"], ["rnn", "8", "35"]]))
         n  steps
    rnn  8     35
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
