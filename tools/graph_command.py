"""`minigrad graph`: draw what is computed from what, and how the gradient flows back."""

import argparse
from pathlib import Path
from typing import Any

from minigrad.graph import Graph, trace
from minigrad.modes import tracing

from . import render
from .devices import add_device, chosen_device
from .draw_run import step_graph
from .errors import CommandError
from .expression import evaluate
from .run_folder import RunFolder
from .trainer import Trainer

EXAMPLE = """examples:
  minigrad graph "tanh(x @ w + b).sum()"
  minigrad graph "softmax(q @ k.T / 2, dim=-1) @ v" --shape q=3,4 --shape k=5,4 --out attention.svg
  minigrad graph runs/dates                          one training step of a run
  minigrad graph runs/dates --device cuda            the same, computed on a GPU
"""


def add_parser(commands: Any) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "graph",
        help="draw the graph of an expression, or of a run's training step",
        description="Draw a computation graph with its backward pass: DOT always, SVG and PNG where\n"
        "Graphviz is installed, SVG by the viz extra where it is not.",
        epilog=EXAMPLE,
    )
    parser.add_argument("what", metavar="EXPRESSION|RUN", help="an expression of tensors, or a run folder")
    parser.add_argument(
        "--shape",
        metavar="NAME=SIZES",
        type=_shape,
        action="append",
        default=[],
        help="the shape of a tensor, such as x=2,3; x= for a single number (default: one that fits)",
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=_file,
        help="where to write: .dot, .svg or .png (default: graph.*, in the run folder if it is a run)",
    )
    add_device(parser)
    parser.set_defaults(run=run_command)


def run_command(arguments: argparse.Namespace) -> int:
    """Draw, and say where. 2 if the picture that was asked for could not be drawn; the DOT file is there."""
    place = chosen_device(arguments.device)
    is_run = bool(arguments.what) and Path(arguments.what).is_dir()
    stem = Path(arguments.what) / "graph" if is_run else Path("graph")
    formats: tuple[str, ...] = render.FORMATS
    if arguments.out:
        stem, kind = arguments.out.with_suffix(""), arguments.out.suffix[1:]
        formats = ("dot",) if kind == "dot" else ("dot", kind)
    graph = _of_run(arguments, place) if is_run else _of_expression(arguments, place)
    drawing = render.draw(graph, stem, formats)
    for path in drawing.written:
        print(path)
    if arguments.out and drawing.problems:
        raise CommandError(" ".join(drawing.problems))
    for problem in drawing.problems:
        print(f"not drawn: {problem}")
    return 0


def _of_run(arguments: argparse.Namespace, place: str) -> Graph:
    if arguments.shape:
        raise CommandError("--shape is for an expression; a run has its own shapes")
    return step_graph(Trainer.resumed(RunFolder(arguments.what), place))


def _of_expression(arguments: argparse.Namespace, place: str) -> Graph:
    """The graph of the expression; says which shapes it was given, and the user sees what was understood."""
    try:
        with tracing():
            result, leaves = evaluate(arguments.what, dict(arguments.shape), place)
            if not result.requires_grad:
                raise CommandError(
                    f"{arguments.what} has no gradient: its values are {result.dtype.name}, expected "
                    "floating-point numbers"
                )
            (result if result.ndim == 0 else result.sum()).backward()
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        raise CommandError(str(error)) from error
    shapes = ", ".join(f"{name} {leaf.shape}" for name, leaf in leaves.items())
    print(f"{arguments.what} of shape {result.shape}, with {shapes}")
    return trace(result, names=leaves, title=arguments.what)


def _file(text: str) -> Path:
    """The name of a drawing."""
    if Path(text).suffix[1:] not in render.FORMATS:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a name that ends in .dot, .svg or .png")
    return Path(text)


def _shape(text: str) -> tuple[str, tuple[int, ...]]:
    """`x=2,3` as ("x", (2, 3))."""
    name, equals, sizes = text.partition("=")
    numbers = [size.strip() for size in sizes.split(",")] if sizes.strip() else []
    digits = all(number.isascii() and number.isdigit() and len(number) < 10 for number in numbers)
    if not (equals and name.isidentifier() and digits):
        raise argparse.ArgumentTypeError(f"got {text!r}, expected NAME=SIZES such as x=2,3")
    return name, tuple(map(int, numbers))
