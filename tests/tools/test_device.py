"""`--device` where there is no GPU: a sentence, status 2, and nothing is written."""

import pytest

from commands import SMALL, minigrad, refusal
from minigrad.tools.cli import main
from minigrad.tools.run_folder import RunFolder
from runs import begun, tiny

LACKS = "minigrad: --device cuda: device 'cuda:0': CuPy is not installed; pip install 'minigrad[cuda13]'"


def test_a_run_on_a_gpu_that_is_not_there_leaves_no_folder(tmp_path):
    run = minigrad("train", "dates", *SMALL, "--device", "cuda", cwd=tmp_path, without=["cupy"])
    assert refusal(run).startswith(LACKS)
    assert run.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("gpu", "--device gpu: device 'gpu': expected 'cpu', 'cuda' or 'cuda:<index>'"),
        ("cuda:x", "device 'cuda:x': expected"),
        ("", "device '': expected"),
    ],
)
@pytest.mark.parametrize("command", ["train", "translate", "generate", "evaluate", "gradcheck", "graph"])
def test_a_device_that_is_none_is_refused(command, device, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = {"train": ["copy"], "translate": ["run", "abc"], "gradcheck": []}.get(command, ["run"])
    assert main([command, *words, "--device", device]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["tanh(x @ w)", "."])
def test_a_graph_on_a_gpu_that_is_not_there_is_not_drawn(what, tmp_path):
    run = minigrad("graph", what, "--device", "cuda", cwd=tmp_path, without=["cupy"])
    assert refusal(run).startswith(LACKS)
    assert run.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_not_resumed_on_a_gpu_that_is_not_there(tmp_path):
    begun(tmp_path / "runs/copy", tiny(tmp_path, "pairs", "attention"))
    before = {path.name: path.read_bytes() for path in (tmp_path / "runs/copy").iterdir()}
    words = ["train", "copy", "--resume", "--device", "cuda"]
    assert refusal(minigrad(*words, cwd=tmp_path, without=["cupy"])).startswith(LACKS)
    assert {path.name: path.read_bytes() for path in (tmp_path / "runs/copy").iterdir()} == before


def test_the_device_of_a_run_is_in_its_configuration(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["--pairs", "9", "--epochs", "1", "--hidden-size", "8", "--no-pictures"]
    assert main(["train", "copy", *words]) == 0
    assert RunFolder("runs/copy").config()["device"] == "cpu"
    assert main(["evaluate", "runs/copy", "--device", "cpu"]) == 0
    assert "exact match" in capsys.readouterr().out
