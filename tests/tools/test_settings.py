"""The settings of a run: names, values, and which of several places has the last word."""

import pytest

from minigrad.tools.cli import main
from minigrad.tools.recipes import RECIPES
from minigrad.tools.settings import Given, model_table, read_toml, resolved, written_toml
from minigrad.tools.tasks import TASKS
from runs import settings_of

FILE = """
task = "copy"
seed = 3

[data]
pairs = 50
tokeniser = "word"

[model]
name = "transformer"
layers = 1
norm_first = false

[training]
learning_rate = 0.5
tensorboard = true
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A file of settings, and the folder that it lies in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text(FILE, encoding="utf-8")
    return tmp_path / "run.toml"


def printed(capsys, *arguments):
    assert main(["train", *arguments, "--print-config"]) == 0
    return capsys.readouterr().out


# ------------------------------------------------------------------------------------------------ values


@pytest.mark.parametrize("task", TASKS)
def test_the_settings_of_every_task_are_written_and_read_again(task, tmp_path):
    for model in RECIPES[TASKS[task].kind]:
        settings = settings_of(task, model__name=model)
        (tmp_path / "run.toml").write_text(written_toml(settings), encoding="utf-8")
        assert resolved(read_toml(tmp_path / "run.toml")) == settings


def test_a_file_overrides_the_model_and_the_line_overrides_the_file(config, capsys):
    text = printed(capsys, "--config", "run.toml", "--learning-rate", "0.25", "--set", "model.heads=2")
    for line in ('task = "copy"', "seed = 3", "pairs = 50", "layers = 1", "norm_first = false"):
        assert line in text.splitlines()
    for line in ("learning_rate = 0.25", "heads = 2", "tensorboard = true", "model_size = 64"):
        assert line in text.splitlines()


def test_the_task_of_the_line_is_that_of_the_file_unless_it_is_named(config, capsys):
    assert 'task = "sort"' in printed(capsys, "sort", "--config", "run.toml")


def test_a_printed_configuration_makes_the_same_run(config, capsys):
    text = printed(capsys, "--config", "run.toml")
    config.write_text(text, encoding="utf-8")
    assert printed(capsys, "--config", "run.toml") == text


def test_a_model_has_better_defaults_than_the_task_and_a_task_than_all(capsys):
    assert settings_of("dates")["training"]["epochs"] == 2
    assert settings_of("translate")["training"]["epochs"] is None
    assert settings_of("dates")["training"]["learning_rate"] == 0.004
    assert settings_of("dates", model__name="transformer")["training"]["learning_rate"] == 0.002


def test_lists_are_numbers_or_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.toml").write_text('task = "digits"\n[model]\nwidths = [4, 8]\n', encoding="utf-8")
    assert resolved(read_toml("a.toml"))["model"]["widths"] == (4, 8)
    (tmp_path / "b.toml").write_text('task = "translate"\n[data]\nfiles = ["a, b", "c"]\n', encoding="utf-8")
    assert resolved(read_toml("b.toml"))["data"]["files"] == (str(tmp_path / "a, b"), str(tmp_path / "c"))


@pytest.mark.parametrize("kind", RECIPES)
def test_every_model_takes_settings_that_can_be_read_from_text(kind):
    for recipe in RECIPES[kind].values():
        for name, setting in model_table(recipe).items():
            text = written_toml(
                {"task": "", "seed": 0, "data": {}, "model": {name: setting.default}, "training": {}}
            )
            assert name in text


# ------------------------------------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"training.epoch": "3"}, "training has no setting training.epoch; did you mean epochs?"),
        (
            {"model.hiden_size": "3"},
            "the model attention has no setting model.hiden_size; did you mean hidden_",
        ),
        (
            {"model.layers": "2"},
            "the model attention has no setting model.layers; expected one of embedding_s",
        ),
        ({"model.source_vocabulary": "9"}, "no setting model.source_vocabulary, which the data decide"),
        ({"data.column": "x"}, "no setting data.column, which is for other tasks; copy has pairs, heldout"),
        ({"data.rows": "x"}, "the task copy has no setting data.rows; expected one of pairs"),
        ({"modle.layers": "2"}, "there is no setting modle.layers; did you mean model?"),
        ({"epochs": "2"}, "there is no setting epochs; expected one of data, model, training, task, seed"),
        ({"model.name": "transfomer"}, "there is no model 'transfomer'; did you mean transformer?"),
        ({"model.name": "markov"}, "the model markov is for tasks of the kind text, and this one is of the"),
        ({"training.epochs": "2.5"}, "training.epochs: got '2.5', expected a whole number"),
        ({"training.tensorboard": "1"}, "training.tensorboard: got '1', expected true or false"),
        ({"training.optimizer": "newton"}, "got 'newton', expected one of adam, adamw, sgd"),
        ({"model.dropout": "nan"}, "model.dropout: got 'nan', expected a number"),
        ({"seed": "-1"}, "seed: got '-1'"),
    ],
)
def test_a_mistake_is_said_with_its_place_and_what_was_meant(given, message, capsys):
    words = [word for name, value in given.items() for word in ("--set", f"{name}={value}")]
    assert main(["train", "copy", *words, "--print-config"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("minigrad: ")
    assert message in err


def test_a_mistake_in_a_file_names_the_file(config, capsys):
    config.write_text(FILE + "patience = -1\n", encoding="utf-8")
    assert main(["train", "--config", "run.toml"]) == 2
    assert "run.toml: training.patience: got '-1'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[training\n", "run.toml is no TOML: "),
        (b"\xff\xfe", "run.toml is no TOML: "),
        (b"[training]\nepochs = 1\nepochs = 2\n", "run.toml is no TOML: "),
        (b'task = "copy"\n[training.deeper]\nx = 1\n', "training has no setting training.deeper"),
        (b"", "train needs a TASK: dates, "),
        (
            b'task = "copy"\nmodel = "luong"\n',
            "run.toml: model is 'luong', expected a table; did you mean [model] name = 'luong'?",
        ),
        (
            b'task = "copy"\ntraining = 3\n',
            "run.toml: training is '3', expected a table; did you mean [training] epochs =",
        ),
        (b'task = ["copy"]\n', "run.toml: task: got a list, expected a single value"),
        (b'task = "copy"\n[training]\nepochs = [3]\n', "run.toml: training.epochs: got a list, expected"),
        (b'task = "copy"\n[training.epochs]\nx = 1\n', "run.toml: training.epochs: got a table, expected"),
        (b'task = "digits"\n[model.widths]\nx = 1\n', "run.toml: model.widths: got a table, expected"),
        (b'task = "date"\n', "run.toml: there is no task and no file 'date'; did you mean dates?"),
        (
            b'task = "copy"\n[model]\nname = "lstm"\n',
            "run.toml: the model lstm is for tasks of the kind text",
        ),
        (
            b'task = "copy"\n[model]\nhidden_size = 15\n',
            "run.toml: hidden_size is 15, expected an even number",
        ),
        (
            b'task = "series"\n[training]\nlabel_smoothing = 0.1\n',
            "run.toml: training.label_smoothing: series",
        ),
    ],
)
def test_a_file_that_is_none_of_settings_is_refused(content, message, config, capsys):
    config.write_bytes(content)
    assert main(["train", "--config", "run.toml"]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--config", "missing.toml"], "missing.toml cannot be read (No such file or directory)"),
        (["--set", "training.epochs"], "--set: got 'training.epochs', expected NAME=VALUE"),
        ([], "train needs a TASK: dates, g2p, translate, reverse"),
        (["date"], "there is no task and no file 'date'; did you mean dates?"),
        (["copy", "--model", "lstm"], "the model lstm is for tasks of the kind text"),
        (["copy", "--score", "cosine"], "score is 'cosine', expected one of dot, general, concat"),
        (["copy", "--hidden-size", "15"], "hidden_size is 15, expected an even number"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_and_leaves_nothing(words, message, config, capsys):
    assert main(["train", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, message in err) == ("", True)
    assert not (config.parent / "runs").exists()


def test_the_origin_of_a_value_is_said():
    with pytest.raises(Exception, match=r"the radio: training\.epochs: got 'many'"):
        resolved({"task": Given("copy", "x"), "training.epochs": Given("many", "the radio")})
