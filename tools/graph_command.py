"""`minigrad graph`: draw what is computed from what, and how the gradient flows back."""

import argparse
from pathlib import Path
from typing import Any

from minigrad.errors import ShapeError
from minigrad.graph import Graph, trace
from minigrad.modes import tracing

from . import render
from .draw_run import step_graph
from .errors import CommandError
from .expression import ExpressionError, evaluate
from .run_folder import RunFolder
from .trainer import Trainer

EXAMPLE = """examples:
  minigrad graph "tanh(x @ w + b).sum()"
  minigrad graph "softmax(q @ k.T / 2, dim=-1) @ v" --shape q=3,4 --shape k=5,4 --shape v=5,2 --out attention.svg
  minigrad graph runs/dates                          one training step of a run
"""


def add_parser(commands: Any) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "graph",
        help="draw the graph of an expression, or of a run's training step",
        description="Draw a computation graph with its backward pass: DOT always, SVG and PNG where Graphviz is "
        "installed, SVG by the viz extra where it is not.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", metavar="EXPRESSION|RUN", help="an expression of tensors, or a run folder")
    parser.add_argument(
        "--shape", metavar="NAME=SIZES", action="append", default=[], help="such as x=2,3; a bare x= is a number"
    )
    parser.add_argument("--out", metavar="FILE", help="where to write: .dot, .svg or .png (default: graph.*)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Draw, and say where."""
    is_run = Path(arguments.what).is_dir()
    graph = _of_run(arguments) if is_run else _of_expression(arguments)
    stem = Path(arguments.what) / "graph" if is_run else Path("graph")
    formats: tuple[str, ...] = render.FORMATS
    if arguments.out:
        out = Path(arguments.out)
        if out.suffix.lower().lstrip(".") not in render.FORMATS:
            raise CommandError(f"--out: got {arguments.out!r}, expected a name that ends in .dot, .svg or .png")
        stem, formats = out.with_suffix(""), tuple(dict.fromkeys(("dot", out.suffix.lower().lstrip("."))))
    try:
        drawing = render.draw(graph, stem, formats)
    except OSError as error:
        raise CommandError(f"{stem}: cannot be written: {error.strerror}") from error
    for path in drawing.written:
        print(path)
    for problem in drawing.problems:
        print(f"not drawn: {problem}")
    asked = arguments.out and Path(arguments.out).suffix.lower() != ".dot"
    return 2 if asked and drawing.problems else 0


def _of_run(arguments: argparse.Namespace) -> Graph:
    if arguments.shape:
        raise CommandError("--shape belongs to an expression; the shapes of a run are its own")
    trainer = Trainer(RunFolder(arguments.what))
    trainer.resume()
    return step_graph(trainer)


def _of_expression(arguments: argparse.Namespace) -> Graph:
    shapes = dict(_shape(text) for text in arguments.shape)
    try:
        with tracing():
            result, leaves = evaluate(arguments.what, shapes)
            if result.requires_grad:
                (result if result.ndim == 0 else result.sum()).backward()
            return trace(result, names=leaves, title=arguments.what)
    except (ExpressionError, ShapeError, RuntimeError, TypeError, ValueError, IndexError) as error:
        raise CommandError(str(error)) from error


def _shape(text: str) -> tuple[str, tuple[int, ...]]:
    """`x=2,3` as ("x", (2, 3))."""
    name, equals, sizes = text.partition("=")
    try:
        shape = tuple(int(size) for size in sizes.split(",") if size)
    except ValueError:
        shape = (-1,)
    if not (equals and name.isidentifier()) or min(shape, default=0) < 0:
        raise CommandError(f"--shape: got {text!r}, expected NAME=SIZES such as x=2,3")
    return name, shape
