"""From a graph to files: with Graphviz's dot, with Graphviz in WebAssembly, and with neither."""

import shutil
import stat
import struct
import sys
from pathlib import Path

import pytest

from drawings import perceptron, rnn
from minigrad.graph import Graph
from minigrad.tools import render
from minigrad.tools.render import RenderError, draw, save, to_svg


def stand_in(folder, monkeypatch, program):
    """A `dot` on the path, and nothing else: a Python program that stands for Graphviz."""
    path = Path(folder) / "dot"
    path.write_text(f"#!{sys.executable}\n{program}", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder))


@pytest.fixture
def no_dot(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def nothing(no_dot, monkeypatch):
    monkeypatch.setattr(render, "find_spec", lambda name: None)


@pytest.fixture
def echo(monkeypatch, tmp_path):
    """A dot that answers with its arguments and what it was given."""
    stand_in(tmp_path, monkeypatch, "import sys; print(sys.argv[1:]); print(sys.stdin.read())")


# ---------------------------------------------------------------------------------------- WebAssembly


def test_without_dot_an_svg_is_drawn_by_webassembly(no_dot, tmp_path):
    save(perceptron(gradients=True), tmp_path / "graph.svg")
    svg = (tmp_path / "graph.svg").read_text(encoding="utf-8")
    assert svg.lstrip().startswith("<?xml")
    assert svg.count('class="node op') == 4
    assert ">keeps a (2, 3), b (3, 4)</text>" in svg
    assert svg.index("font-weight: bold") < svg.index('<g id="graph0"')


def test_letters_of_every_script_pass_through_webassembly(no_dot):
    graph = perceptron()
    assert ">날짜 日付 日期 дата é</text>" in to_svg(
        Graph(graph.nodes, graph.edges, (), "날짜 日付 日期 дата é")
    )


def test_a_graph_of_five_hundred_nodes_is_drawn(no_dot):
    graph = rnn(100, gradients=True)
    assert len(graph.nodes) > 500
    assert to_svg(graph).count('class="node op') == 400


def test_without_dot_a_png_is_refused_with_the_remedy(no_dot, tmp_path):
    with pytest.raises(RenderError, match=r"^PNG: found no program .*apt-get install graphviz"):
        save(perceptron(), tmp_path / "graph.png")
    assert not (tmp_path / "graph.png").exists()


# ---------------------------------------------------------------------------------------- dot


def test_dot_is_given_the_graph_on_its_standard_input(echo, tmp_path):
    drawing = draw(perceptron(), tmp_path / "graph")
    assert drawing.written == tuple(tmp_path / f"graph.{name}" for name in ("dot", "svg", "png"))
    assert drawing.problems == ()
    text = (tmp_path / "graph.dot").read_text(encoding="utf-8")
    assert (tmp_path / "graph.svg").read_text(encoding="utf-8") == f"['-Tsvg']\n{text}\n"
    assert (tmp_path / "graph.png").read_text(encoding="utf-8") == f"['-Tpng', '-Gdpi=144']\n{text}\n"


def test_no_shell_reads_a_name(echo, tmp_path):
    graph = perceptron()
    title = "$(touch pwned); `touch pwned` | touch pwned"
    assert title in to_svg(Graph(graph.nodes, graph.edges, graph.outputs, title))
    assert not (Path.cwd() / "pwned").exists()


def test_a_dot_that_fails_is_quoted(monkeypatch, tmp_path):
    stand_in(tmp_path, monkeypatch, "import sys; sys.exit('Error: <stdin>: syntax error in line 3')")
    with pytest.raises(RenderError, match="syntax error in line 3"):
        to_svg(perceptron())


def test_a_dot_that_draws_nothing_is_an_error(monkeypatch, tmp_path):
    stand_in(tmp_path, monkeypatch, "import sys; sys.stdin.read()")
    with pytest.raises(RenderError, match="status 0"):
        to_svg(perceptron())


def test_a_layout_without_end_is_stopped(monkeypatch, tmp_path):
    stand_in(tmp_path, monkeypatch, "import time; time.sleep(60)")
    monkeypatch.setattr(render, "SECONDS", 0.2)
    with pytest.raises(RenderError, match=r"did not finish in 0.2 s on \d+ edges; draw fewer"):
        to_svg(perceptron())


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_an_installed_graphviz_draws_png_and_svg(tmp_path):
    graph = rnn(8, gradients=True)
    save(graph, tmp_path / "graph.png")
    header = (tmp_path / "graph.png").read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", header[16:])
    assert width > height > 300
    assert to_svg(graph).count('font-weight="bold"') == len(graph.nodes)


# ---------------------------------------------------------------------------------------- neither


def test_dot_text_is_written_where_nothing_can_draw(nothing, tmp_path):
    drawing = draw(perceptron(), tmp_path / "graph")
    assert drawing.written == (tmp_path / "graph.dot",)
    assert (tmp_path / "graph.dot").read_text(encoding="utf-8").startswith("digraph minigrad {")
    svg, png = drawing.problems
    assert svg.startswith(
        'SVG: found no program to draw it; pip install "minigrad[viz]", or install Graphviz'
    )
    assert png.startswith("PNG: found no program to draw it; install Graphviz")


@pytest.mark.parametrize("name", ["graph", "graph.jpg", "graph.svg.txt", ".svg"])
def test_an_unknown_suffix_is_refused(name, tmp_path):
    with pytest.raises(ValueError, match=r"expected \.dot, \.svg or \.png"):
        save(perceptron(), tmp_path / name)


def test_a_missing_folder_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        draw(perceptron(), tmp_path / "nowhere" / "graph", ("dot",))


def test_formats_are_chosen_by_name(nothing, tmp_path):
    assert draw(perceptron(), tmp_path / "graph", ("dot",)).problems == ()


def test_a_notebook_gets_the_graph_as_an_object_of_the_package_graphviz():
    assert render.source(perceptron()).source.strip() == render.to_dot(perceptron()).strip()


def test_without_the_package_graphviz_a_notebook_gets_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(RenderError, match=r"pip install .minigrad\[viz\]"):
        render.source(perceptron())
