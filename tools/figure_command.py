"""`minigrad figure`: pictures and tables of the ideas between the RNN and the Transformer."""

import argparse
from pathlib import Path
from typing import Any

from .arguments import nearest, picture
from .canvas import require_matplotlib
from .errors import CommandError
from .figures import optimisers, positions, steps, told_apart, triangle, vanishing

FIGURES = {
    "optimisers": optimisers.FIGURE,
    "vanishing": vanishing.FIGURE,
    "steps": steps.FIGURE,
    "told-apart": told_apart.FIGURE,
    "triangle": triangle.FIGURE,
    "positions": positions.FIGURE,
}
EXAMPLE = """examples:
  minigrad figure                          the list
  minigrad figure vanishing                print the numbers
  minigrad figure optimisers --out optimisers.png
"""


def add_parser(commands: Any) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "figure",
        help="measure an idea: optimisers, vanishing gradients, attention",
        description="Measure what docs/models.md tells, and print the numbers; draw them where --out says.\n"
        "Without a name, list the figures. Each takes seconds, told-apart a minute.",
        epilog=EXAMPLE,
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="a figure of the list")
    parser.add_argument("--out", metavar="FILE.png", type=picture, help="draw it there")
    parser.set_defaults(run=run_command)


def run_command(arguments: argparse.Namespace) -> int:
    """List the figures, or make one."""
    if arguments.name is None:
        if arguments.out:
            raise CommandError("--out needs the NAME of a figure; `minigrad figure` lists them")
        width = max(map(len, FIGURES))
        for name, figure in FIGURES.items():
            print(f"{name:{width}}  {figure.title}")
        return 0
    _make(arguments.name, arguments.out)
    return 0


def _make(name: str, out: Path | None) -> None:
    """Measure first, so that the picture shows the numbers that are printed."""
    if name not in FIGURES:
        raise CommandError(f"no figure is called {name!r}{nearest(name, FIGURES)}")
    figure = FIGURES[name]
    if out is not None:
        if figure.draw is None:
            raise CommandError(f"{name} is a table, without a picture; leave --out out")
        require_matplotlib()
    found = figure.measure()
    print(figure.table(found))
    if out is not None and figure.draw is not None:
        figure.draw(found, out)
        print(out)
