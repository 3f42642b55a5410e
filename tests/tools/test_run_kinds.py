"""Every model of every kind of task, as small as can be: it trains, is saved, resumed, scored and drawn."""

import json
from functools import partial

import pytest

from commands import files, log
from minigrad.tools.cli import main
from minigrad.tools.learners import trained
from minigrad.tools.recipes import RECIPES
from minigrad.tools.run_folder import RunFolder
from runs import ALL, TEXT, TINY, begun, gone_on, tiny

STOPPED = [("pairs", "luong"), ("text", "transformer"), ("digits", "hard"), ("series", "latent-lstm")]
STOPPED += [("adding", "gru"), ("text", "markov"), ("series", "ar")]


@pytest.fixture
def settings(tmp_path):
    """The settings of a tiny run of any model: two epochs."""
    return partial(tiny, tmp_path)


@pytest.mark.parametrize(("kind", "model"), ALL, ids=lambda name: name)
def test_a_model_is_trained_saved_and_scored_as_before(kind, model, settings, tmp_path):
    trainer = begun(tmp_path / "run", settings(kind, model))
    assert trainer.run()
    scores = trainer.scores()
    assert [record["epoch"] for record in log(tmp_path / "run") if "loss" not in record][-1] == trainer.epochs
    found = trained(RunFolder(tmp_path / "run"))
    assert found.evaluate(trainer.task.heldout) == scores
    assert trained(RunFolder(tmp_path / "run"), "best").config == found.config


@pytest.mark.parametrize(("kind", "model"), STOPPED, ids=lambda name: name)
def test_a_run_of_any_kind_that_was_stopped_ends_with_the_same_bits(
    kind, model, settings, tmp_path, monkeypatch
):
    chosen = settings(kind, model, training__accumulate=2)
    whole = begun(tmp_path / "whole", chosen)
    assert whole.run()
    trainer = begun(tmp_path / "stopped", chosen)
    train_on, steps = trainer.train_on, []

    def stop_at_the_second(batches):
        steps.append(train_on(batches))
        if len(steps) == 2:
            raise KeyboardInterrupt
        return steps[-1]

    monkeypatch.setattr(trainer, "train_on", stop_at_the_second)
    if trainer.learner.by_gradient:
        with pytest.raises(KeyboardInterrupt):
            trainer.run()
        trainer.save()
    gone_on(tmp_path / "stopped")
    names = ("checkpoint.safetensors", "best.safetensors")
    assert files(tmp_path / "stopped", *names) == files(tmp_path / "whole", *names)


@pytest.mark.parametrize("kind", TINY)
def test_the_command_trains_draws_evaluates_and_says_what_to_try(
    kind, settings, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    task, data = TINY[kind]
    words = [word for name, value in data.items() for word in (f"--{name}", str(value))]
    words += ["--data", "text.txt"] if kind == "text" else []
    settings(kind, next(iter(RECIPES[kind])))
    assert main(["train", task, *words, "--epochs", "1", "--batch-size", "8"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert f"pictures in runs/{task}: loss.png" in out
    assert "graph.svg" in out
    *_, intent, command = out.splitlines()
    assert (intent, command.split()[0]) == ("try it:", "minigrad")
    assert main(["evaluate", f"runs/{task}"]) == 0
    assert f"of what runs/{task} held out; weights: last" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["text"], "text learns from your own text: --data FILE"),
        (["text", "--data", "short.txt"], "has 5 characters, expected 100 or more"),
        (["text", "--data", "missing.txt"], "missing.txt cannot be read"),
        (["series", "--data", "text.txt"], "name it by --column NAME"),
        (["series", "--data", "text.txt", "--column", "x"], "text.txt"),
        (
            ["series", "--data", "short.csv", "--column", "x"],
            "short.csv has 30 observations, 20 of them held",
        ),
        (["series", "--pairs", "30"], "of them held out; expected 128 or more"),
        (["series", "--model", "ar", "--set", "model.order=64"], "pieces longer than the order of the model"),
        (["translate"], "--data: got 0 files, expected one of source<TAB>target lines"),
        (["g2p", "--data", "text.txt"], "expected a word and its phonemes"),
        (["adding-problem", "--length", "1"], "length 1"),
        (["copy", "--pairs", "10000000000"], "expected a whole number from 1 to"),
        (["digits", "--data", "text.txt"], "text.txt"),
    ],
)
def test_data_that_do_not_do_are_refused_with_what_was_expected(
    words, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "cache"))
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "short.txt").write_text("short", encoding="utf-8")
    (tmp_path / "short.csv").write_text("x\n" + "1\n" * 30, encoding="utf-8")
    try:
        status = main(["train", *words])
    except SystemExit as end:
        status = end.code
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert message in err
    assert not (tmp_path / "runs").exists()


def test_a_dictionary_that_was_not_fetched_says_how_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path))
    assert main(["train", "g2p"]) == 2
    assert "run `minigrad data fetch cmudict`" in capsys.readouterr().err


def test_a_cache_that_is_a_file_is_refused(tmp_path, monkeypatch, capsys):
    (tmp_path / "cache").write_text("", encoding="utf-8")
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "cache"))
    for words in (
        ["train", "g2p"],
        ["data", "list"],
        ["data", "fetch", "cmudict"],
        ["data", "where", "cmudict"],
    ):
        assert main(words) == 2
        assert f"MINIGRAD_DATA is the file {tmp_path / 'cache'}, expected" in capsys.readouterr().err


@pytest.mark.parametrize("task", ["text", "pairs.tsv"])
def test_a_file_that_has_gone_is_said_to_be_gone(task, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / ("text.txt" if task == "text" else task)
    file.write_text("".join(f"{n}\t{n}\n" for n in range(40)), encoding="utf-8")
    options = ["--data", str(file), "--model", "markov"]
    options = options if task == "text" else ["--hidden-size", "8", "--epochs", "1"]
    assert main(["train", task, *options, "--out", "run", "--no-pictures"]) == 0
    moved = file.rename(tmp_path / "moved")
    assert main(["evaluate", "run"]) == 2
    assert (
        f"{file}, from which this run has learned, is gone; put it back, or name" in capsys.readouterr().err
    )
    assert main(["evaluate", "run", "--data", str(moved)]) == 0
    if task == "text":
        capsys.readouterr()
        assert main(["train", task, "--out", "run", "--resume"]) == 2
        assert "is gone; put it back, or start a new run on other --data" in capsys.readouterr().err


def test_a_log_that_is_no_text_is_damaged(settings, tmp_path, capsys):
    assert begun(tmp_path / "run", settings("series", "ar")).run()
    with (tmp_path / "run/log.jsonl").open("ab") as file:
        file.write(b"\xff\xfe\n")
    assert main(["compare", str(tmp_path / "run")]) == 2
    assert "log.jsonl is damaged: line 2 is not UTF-8" in capsys.readouterr().err


def test_words_and_their_phonemes_are_scored_by_the_error_rate(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    sounds = {"A": "AH0", "B": "B", "C": "K", "D": "D", "E": "EH1"}
    words = [a + b + c for a in sounds for b in sounds for c in sounds]
    lines = [f"{word}  {' '.join(sounds[letter] for letter in word)}" for word in words]
    (tmp_path / "dict").write_text("\n".join(lines), encoding="utf-8")
    options = ["--epochs", "1", "--hidden-size", "8", "--pairs", "40", "--heldout", "9", "--no-pictures"]
    assert main(["train", "g2p", "--data", "dict", *options]) == 0
    out = capsys.readouterr().out
    assert out.startswith("40 pairs to train on, 9 held out")
    assert "held-out error rate\n" in out
    assert "exact match: " in out
    config = RunFolder("runs/g2p").config()
    assert set(config["target_vocabulary"]["tokens"]) == {"AH", "B", "K", "D", "EH"}


def test_what_was_fitted_in_one_go_has_no_step_to_be_drawn(settings, tmp_path, capsys):
    assert begun(tmp_path / "run", settings("series", "naive")).run()
    assert main(["graph", str(tmp_path / "run")]) == 2
    assert "was fitted in one go: it has no training step" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("place", "value"), [("kind", "sounds"), ("data", {}), ("data", {"pairs": "x"}), ("model", {"name": "x"})]
)
def test_a_configuration_that_was_changed_by_hand_leaves_no_traceback(
    place, value, settings, tmp_path, capsys
):
    assert begun(tmp_path / "run", settings("digits", "attention")).run()
    config = json.loads((tmp_path / "run/config.json").read_text(encoding="utf-8"))
    (tmp_path / "run/config.json").write_text(json.dumps({**config, place: value}), encoding="utf-8")
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "run")]) == 2
    assert main(["train", "digits", "--resume", "--out", str(tmp_path / "run")]) == 2
    assert all(line.startswith("minigrad: ") for line in capsys.readouterr().err.splitlines())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_length": "x"}, "max_length is 'x', expected int"),
        ({"max_length": 0}, "max_length is 0, expected 1 or more"),
        ({"max_length": True}, "max_length is True, expected int"),
        ({"seed": -1}, "seed is -1, expected 0 or more"),
        ({"training": {"epochs": 0, "threads": 1}}, "epochs is 0, expected 1 or more"),
    ],
)
def test_a_number_of_the_configuration_that_is_none_is_named(change, message, settings, tmp_path, capsys):
    run = tmp_path / "run"
    begun(run, settings("pairs", "seq2seq"))
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    (run / "config.json").write_text(json.dumps({**config, **change}), encoding="utf-8")
    for words in (["evaluate"], ["translate"], ["train", "copy", "--resume", "--out"]):
        assert main([*words, str(run), *(["a"] if words == ["translate"] else [])]) == 2
        assert f"{run}/config.json is damaged: {message}" in capsys.readouterr().err


def test_a_tokeniser_file_that_is_none_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.model").write_bytes(b"no model")
    for name, message in (("bad.model", "is no model of SentencePiece"), ("a.model", "cannot be read")):
        assert main(["train", "copy", "--tokeniser", name]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_hangul_may_be_read_letter_by_letter(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ko.tsv").write_text("".join(f"{n}일\t{n}日\n" for n in range(30)), encoding="utf-8")
    options = ["--tokeniser", "jamo", "--target-tokeniser", "word", "--epochs", "1", "--hidden-size", "8"]
    assert main(["train", "ko.tsv", *options, "--no-pictures"]) == 0
    config = RunFolder("runs/ko").config()
    assert [config[f"{side}_tokeniser"]["kind"] for side in ("source", "target")] == ["jamo", "word"]
    assert len(config["source_vocabulary"]["tokens"]) == 10 + 3


def test_two_files_side_by_side_a_catalogue_and_pieces_of_words(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "en").write_text("".join(f"number {n}\n" for n in range(20)), encoding="utf-8")
    (tmp_path / "fr").write_text("".join(f"nombre {n}\n" for n in range(20)), encoding="utf-8")
    entries = "".join(f'msgid "number {n}"\nmsgstr "nombre {n}"\n\n' for n in range(20))
    (tmp_path / "fr.po").write_text(entries, encoding="utf-8")
    options = ["--epochs", "1", "--hidden-size", "8", "--no-pictures", "--overwrite"]
    pieces = ["--tokeniser", "byte_pair", "--merges", "9"]
    assert main(["train", "translate", "--data", "en", "--data", "fr", *options, *pieces]) == 0
    assert RunFolder("runs/translate").config()["source_tokeniser"]["kind"] == "byte_pair"
    assert main(["train", "translate", "--data", "fr.po", *options]) == 0
    assert capsys.readouterr().out.count("18 pairs to train on, 2 held out") == 2
