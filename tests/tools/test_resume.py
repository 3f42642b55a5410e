"""A run that was stopped, however, and resumed ends with the same bytes as one that was not."""

import json
import signal
import subprocess
import time

import pytest

from commands import SMALL, done, files, minigrad, refusal, started
from minigrad.checkpoint import load_checkpoint, save_checkpoint
from minigrad.tools.cli import main
from minigrad.tools.run_folder import RunFolder
from minigrad.tools.tasks import load_task
from runs import begun, gone_on, settings_of

LONGER = (*SMALL, "--epochs", "24", "--dropout", "0.1", "--no-pictures")  # 240 steps
STEPS = 12  # of the runs in this process: three epochs of four steps
SETTINGS = settings_of(
    "dates",
    data__pairs=27,
    data__heldout=9,
    training__epochs=3,
    training__batch_size=8,
    model__dropout=0.2,
    model__hidden_size=8,
    model__embedding_size=4,
)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """A run of 240 steps, from beginning to end."""
    home = tmp_path_factory.mktemp("uninterrupted")
    done(minigrad("train", "dates", *LONGER, cwd=home))
    return files(home / "runs/dates")


def interrupted(home, how, after):
    """Stop such a run by a signal once its log has `after` lines."""
    run = started("train", "dates", *LONGER, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    path, give_up = home / "runs/dates/log.jsonl", time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") < after:
        assert run.poll() is None, "it ended before it was stopped"
        assert time.monotonic() < give_up
        time.sleep(0.002)
    run.send_signal(how)
    out, err = run.communicate(timeout=60)
    return run.returncode, out.decode(), err.decode()


# ------------------------------------------------------------------------------------------------ as a user


def test_ctrl_c_saves_and_says_how_to_go_on(uninterrupted, tmp_path):
    status, out, err = interrupted(tmp_path, signal.SIGINT, after=12)
    assert (status, err) == (130, "")
    assert "stopped at step" in out
    command = out.splitlines()[-1].split()
    assert command == ["minigrad", "train", "dates", "--out", "runs/dates", "--resume"]
    assert load_checkpoint(tmp_path / "runs/dates/checkpoint.safetensors")["step"] >= 30
    assert "resumed at step" in done(minigrad(*command[1:], "--no-pictures", cwd=tmp_path))
    assert files(tmp_path / "runs/dates") == uninterrupted


def test_a_run_that_was_killed_goes_on_from_its_last_checkpoint(uninterrupted, tmp_path):
    assert interrupted(tmp_path, signal.SIGKILL, after=17)[0] == -signal.SIGKILL
    done(minigrad("train", "dates", "--resume", "--no-pictures", cwd=tmp_path))
    assert files(tmp_path / "runs/dates") == uninterrupted


# ---------------------------------------------------------------------------------------------- any moment


@pytest.fixture(scope="module")
def task():
    return load_task(SETTINGS)


@pytest.fixture(scope="module")
def whole(task, tmp_path_factory):
    """What twelve steps without a stop leave behind, tested after every epoch."""
    folder = RunFolder(tmp_path_factory.mktemp("whole"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("minigrad.tools.trainer.TELL_EVERY", 1)
        assert begun(folder, SETTINGS, task).run()
        yield files(folder.path)


@pytest.mark.parametrize(
    ("step", "how"), [*((step, signal.SIGINT) for step in range(1, STEPS + 1)), (7, signal.SIGTERM)]
)
def test_an_interrupt_at_any_step_changes_nothing(step, how, whole, task, tmp_path, monkeypatch):
    folder = RunFolder(tmp_path)
    trainer = begun(folder, SETTINGS, task)
    train_on = trainer.train_on

    def interrupted_once(batch):
        if trainer.step + 1 == step:
            signal.raise_signal(how)
        return train_on(batch)

    monkeypatch.setattr(trainer, "train_on", interrupted_once)
    assert not trainer.run()
    assert load_checkpoint(tmp_path / "checkpoint.safetensors")["step"] == step
    gone_on(folder)
    assert files(tmp_path) == whole


class Crash(BaseException):
    """As if the power had gone."""


@pytest.mark.parametrize("place", ["log", "save"])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("call", range(1, 7))
def test_a_crash_around_any_write_changes_nothing(call, late, place, whole, task, tmp_path, monkeypatch):
    """Before, or after if `late`, the call of that number; a checkpoint is written after every step."""
    folder = RunFolder(tmp_path)
    trainer = begun(folder, SETTINGS, task)
    write, calls = getattr(folder, place), []

    def crash_at_some_call(content):
        calls.append(content)
        if late:
            write(content)
        if len(calls) == call:
            raise Crash
        if not late:
            write(content)

    with monkeypatch.context() as patch:
        patch.setattr("minigrad.tools.trainer.SAVE_EVERY", 0)
        patch.setattr(folder, place, crash_at_some_call)
        with pytest.raises(Crash):
            trainer.run()
    gone_on(tmp_path)
    assert files(tmp_path) == whole


def test_a_line_of_the_log_that_was_cut_short_is_written_again(whole, task, tmp_path):
    folder = RunFolder(tmp_path)
    begun(folder, SETTINGS, task)
    (tmp_path / "log.jsonl").write_bytes(b'{"step": 1, "epoch": 1, "lo')
    gone_on(folder)
    assert files(tmp_path) == whole


# ------------------------------------------------------------------------------------------------ refusals


def test_nothing_is_resumed_where_there_is_no_run(tmp_path):
    message = refusal(minigrad("train", "dates", "--resume", cwd=tmp_path))
    assert "runs/dates is not a run: it has no config.json" in message


def test_a_run_without_a_checkpoint_says_what_to_do(copied, capsys):
    (copied / "checkpoint.safetensors").unlink()
    assert main(["train", "dates", "--resume", "--out", str(copied)]) == 2
    assert "no checkpoint.safetensors: the run ended before it was first saved" in capsys.readouterr().err


def test_a_complete_run_is_only_tested_again(copied, tmp_path):
    before = files(copied)
    out = done(minigrad("train", "dates", "--resume", "--no-pictures", "--out", copied, cwd=tmp_path))
    assert "this run is complete; it is only tested and drawn again" in out
    assert "held-out exact match\n" in out
    assert files(copied) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--epochs", "5"], "--epochs is for a new run; --resume goes on with the settings in"),
        (["--seed", "0"], "--seed is for a new run"),
        (["--hidden-size", "32"], "--hidden-size is for a new run"),
        (["--overwrite"], "--resume goes on with a run and --overwrite replaces it"),
    ],
)
def test_a_resumed_run_keeps_its_settings(options, message, copied, capsys):
    before = files(copied)
    assert main(["train", "dates", "--resume", "--out", str(copied), *options]) == 2
    assert message in capsys.readouterr().err
    assert files(copied) == before


def test_a_run_is_not_resumed_with_another_task(copied, capsys):
    assert main(["train", "pairs.tsv", "--resume", "--out", str(copied)]) == 2
    assert "copied learns dates, not pairs.tsv" in capsys.readouterr().err


def test_a_run_is_not_resumed_with_other_data(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{i}\t{i * i}\n" for i in range(30)), encoding="utf-8")
    done(minigrad("train", path, "--epochs", "1", "--hidden-size", "8", "--no-pictures", cwd=tmp_path))
    done(minigrad("train", path, "--resume", "--no-pictures", cwd=tmp_path))
    path.write_text("".join(f"{i}\t{i + i}\n" for i in range(30)), encoding="utf-8")
    message = refusal(minigrad("train", path, "--resume", cwd=tmp_path))
    assert "pairs.tsv are not those that this run began with" in message


def opened_by(command, folder):
    """The words by which each command opens a run."""
    return (
        ["train", "dates", "--resume", "--out", str(folder)] if command == "train" else [command, str(folder)]
    )


def set_config(folder, place, value):
    """Write another value into config.json."""
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    *above, last = place.split(".")
    table = config
    for name in above:
        table = table[name]
    table[last] = value
    path.write_text(json.dumps(config), encoding="utf-8")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("seed", "zero", "config.json is damaged: seed is 'zero', expected int"),
        ("training", [], "config.json is damaged: training is [], expected a table"),
        ("training.epochs", True, "config.json is damaged: epochs is True, expected int"),
        ("training.clip", None, "config.json is damaged: clip is None, expected float"),
        ("training.batch_size", 0, "batch_size"),
        ("source_tokeniser.kind", "syllable", "'kind' is one of character, word"),
        ("model.name", "lstm", "the model lstm is for tasks of the kind text or adding"),
        ("kind", "pictures", "do not fit: 'pictures'"),
        ("model.hidden_size", 32, "do not fit"),
        ("model.hidden_size", 15, "hidden_size is 15"),
        ("model.layers", 2, "layers"),
        ("model.score", "general", "do not fit"),
        ("source_vocabulary.tokens", [], "the vocabularies hold 4 and 15"),
        ("target_vocabulary", {"tokens": []}, "do not fit"),
        ("data.pairs", 301, "are not those that this run began with"),
        ("task", "date", "copied learns date, not dates"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(place, value, message, copied, capsys):
    set_config(copied, place, value)
    before = files(copied)
    assert main(["train", "dates", "--resume", "--out", str(copied)]) == 2
    assert message in capsys.readouterr().err
    assert files(copied) == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is damaged: Expecting value"),
        (b"{", "is damaged: "),
        (b"[1]", "is damaged: the whole is [1], expected a table"),
        (b"{}", "is damaged: task is missing"),
        (b"\xff\xfe", "is damaged: 'utf-8'"),
        (b"[" * 100_000, "is damaged: "),
    ],
)
@pytest.mark.parametrize("command", ["train", "translate", "graph"])
def test_a_broken_configuration_is_refused_by_every_command(command, content, message, copied, capsys):
    (copied / "config.json").write_bytes(content)
    assert main(opened_by(command, copied)) == 2
    out, err = capsys.readouterr()
    assert (out, err.startswith("minigrad: ")) == ("", True)
    assert f"config.json {message}" in err


@pytest.mark.parametrize("command", ["train", "translate", "graph"])
@pytest.mark.parametrize("damage", ["empty", "half", "flipped", "pickled", "of something else"])
def test_a_broken_checkpoint_is_refused_by_every_command(damage, command, copied, capsys):
    path = copied / "checkpoint.safetensors"
    content = path.read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    if damage == "of something else":
        save_checkpoint({"model": {}}, path)
    else:
        broken = {"empty": b"", "half": content[:middle], "flipped": flipped, "pickled": b"\x80\x04N."}
        path.write_bytes(broken[damage])
    assert main(opened_by(command, copied)) == 2
    out, err = capsys.readouterr()
    assert (out, err.startswith("minigrad: ")) == ("", True)
    assert len(err) < 600
