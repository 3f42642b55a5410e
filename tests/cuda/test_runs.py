"""`minigrad ... --device cuda`: runs of every kind as on the CPU, ahead of the GPU, from one to the other."""

import importlib

import numpy as np
import pytest

from commands import log
from minigrad.checkpoint import load_checkpoint
from minigrad.graph import trace
from minigrad.tools import graph_command
from minigrad.tools.cli import main
from minigrad.tools.errors import CommandError
from minigrad.tools.learners import trained
from minigrad.tools.recipes import RECIPES
from minigrad.tools.run_folder import RunFolder
from runs import ALL, begun, gone_on, tiny

FITTED = {("text", "markov"), ("series", "naive"), ("series", "ar")}  # in one go, without steps
STEPPED = [one for one in ALL if one not in FITTED]
MOVED = [
    ("pairs", "luong"),
    ("pairs", "transformer"),
    ("text", "gru"),
    ("digits", "hard"),
    ("adding", "lstm"),
]
COPY = ("--pairs", "24", "--heldout", "8", "--epochs", "2", "--batch-size", "4", "--hidden-size", "8")


def losses(folder):
    return [[record["step"], record["loss"]] for record in log(folder) if "loss" in record]


@pytest.mark.parametrize(("kind", "model"), ALL, ids=lambda name: name)
def test_a_run_has_the_losses_and_the_scores_of_the_cpu(kind, model, tmp_path, device):
    chosen = tiny(tmp_path, kind, model, training__batch_size=4)
    scores = []
    for place, folder in (("cpu", tmp_path / "here"), (device, tmp_path / "there")):
        trainer = begun(folder, chosen, place=place)
        assert trainer.run()
        assert {str(tensor.device) for tensor in trainer.model.state_dict().values()} <= {place}
        scores.append(trainer.scores().values)
    assert len(losses(tmp_path / "here")) >= (2 if trainer.learner.by_gradient else 0)
    np.testing.assert_allclose(losses(tmp_path / "there"), losses(tmp_path / "here"), rtol=1e-3)
    assert scores[1] == pytest.approx(scores[0], rel=1e-2)
    found = trained(RunFolder(tmp_path / "there"))  # on the CPU
    assert found.evaluate(trainer.task.heldout).values == pytest.approx(scores[1], rel=1e-2)


@pytest.mark.parametrize(("kind", "model"), STEPPED, ids=lambda name: name)
def test_the_host_waits_only_where_a_loss_is_logged(kind, model, tmp_path, device):
    chosen = tiny(tmp_path, kind, model, training__batch_size=2, training__accumulate=2)
    trainer = begun(tmp_path / "run", chosen, place=device)
    trainer.model.train()
    groups = trainer._groups()
    first = trainer.train_on(next(groups))
    with importlib.import_module("cupyx").allow_synchronize(False):
        assert [trainer.train_on(next(groups)) for _ in range(2)] == [first, first]
        assert len(trainer.unread) == 2
    trainer.save()
    assert trainer.loss != first
    assert trainer.unread == []


@pytest.mark.parametrize(("kind", "model"), MOVED, ids=lambda name: name)
@pytest.mark.parametrize("there_first", [True, False], ids=["from the GPU", "to the GPU"])
def test_a_run_that_was_stopped_goes_on_on_the_other_device(kind, model, there_first, tmp_path, device):
    chosen = tiny(tmp_path, kind, model, training__batch_size=4)
    assert begun(tmp_path / "whole", chosen).run()
    first, second = (device, "cpu") if there_first else ("cpu", device)
    trainer = begun(tmp_path / "moved", chosen, place=first)
    trainer.model.train()
    groups = trainer._groups()
    for _ in range(3):
        trainer.train_on(next(groups))
    trainer.save()
    gone_on(tmp_path / "moved", second)
    after = [record for record in losses(tmp_path / "whole") if record[0] > 3]
    assert after
    np.testing.assert_allclose(losses(tmp_path / "moved"), after, rtol=1e-3)
    ended = [load_checkpoint(tmp_path / name / "checkpoint.safetensors") for name in ("whole", "moved")]
    assert ended[1]["random"]["minigrad"] == ended[0]["random"]["minigrad"]


def test_a_loss_that_is_no_number_is_found_before_anything_is_saved(tmp_path, monkeypatch, device):
    chosen = tiny(tmp_path, "pairs", "attention", training__batch_size=4)
    trainer = begun(tmp_path / "run", chosen, place=device)
    loss = trainer.learner.loss
    monkeypatch.setattr(
        trainer.learner, "loss", lambda batch: loss(batch) * (float("nan") if trainer.step == 2 else 1.0)
    )
    with pytest.raises(CommandError, match="the loss became nan at step 3; start again with a smaller"):
        trainer.run()
    assert load_checkpoint(tmp_path / "run/checkpoint.safetensors")["step"] == 0


def test_the_commands_work_there_and_say_what_they_say_here(tmp_path, monkeypatch, capsys, device):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "copy", *COPY, "--device", "cuda", "--average", "2", "--workers", "2"]) == 0
    out, err = capsys.readouterr()
    assert "pictures in runs/copy: loss.png, attention.png, graph.dot, graph.svg" in out
    assert err == ""
    assert RunFolder("runs/copy").config()["device"] == "cuda:0"
    for command in (
        ["translate", "runs/copy", "abc", "de", "--beam", "2"],
        ["evaluate", "runs/copy", "--checkpoint", "average"],
    ):
        said = []
        for place in ("cpu", "cuda"):
            assert main([*command, "--device", place]) == 0
            said.append(capsys.readouterr().out)
        assert said[0] == said[1]
    assert main(["train", "copy", "--resume", "--no-pictures"]) == 0
    assert "this run is complete" in capsys.readouterr().out


EXPRESSIONS = [
    "tanh(x @ w + b).sum()",
    "softmax(q @ k.T / 2, dim=-1) @ v",
    "where(x > 0.5, x[1:], cat([x, 2 * y])[:1]).std() + 1",
]


@pytest.mark.parametrize("what", [*EXPRESSIONS, "a run"])
def test_a_graph_is_drawn_there_as_it_is_here(what, tmp_path, monkeypatch, capsys, device):
    monkeypatch.chdir(tmp_path)
    if what == "a run":
        begun("run", tiny(tmp_path, "pairs", "attention"))
        what = "run"
    drawn = []
    for place in ("cpu", "cuda"):
        assert main(["graph", what, "--device", place, "--out", "graph.dot"]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        drawn.append((out, (tmp_path / "graph.dot").read_text(encoding="utf-8")))
    assert drawn[1] == drawn[0]


def test_a_graph_is_computed_where_it_was_asked_for(tmp_path, monkeypatch, device):
    monkeypatch.chdir(tmp_path)
    seen = []
    monkeypatch.setattr(
        graph_command, "trace", lambda result, **words: seen.append(result) or trace(result, **words)
    )
    assert main(["graph", "x * y", "--device", "cuda", "--out", "graph.dot"]) == 0
    assert [result.device for result in seen] == [device]


@pytest.mark.parametrize("model", RECIPES["text"])
def test_a_language_model_writes_there_what_it_writes_here(model, tmp_path, capsys, device):
    assert begun(tmp_path / "run", tiny(tmp_path, "text", model), place=device).run()
    capsys.readouterr()
    for temperature in ("0", "1"):
        said = []
        for place in ("cpu", "cuda"):
            words = ["--length", "9", "--temperature", temperature, "--device", place]
            assert main(["generate", str(tmp_path / "run"), "the", *words]) == 0
            said.append(capsys.readouterr().out)
        assert said[0] == said[1]
