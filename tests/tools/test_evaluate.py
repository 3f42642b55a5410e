"""`minigrad evaluate` and `minigrad compare`: how good runs are, alone and side by side."""

import re

import pytest

from commands import log
from minigrad.tools.cli import main
from minigrad.tools.run_folder import RunFolder
from runs import begun, settings_of

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs that copy, and one that predicts."""
    home = tmp_path_factory.mktemp("runs")
    small = {"data__pairs": 30, "data__heldout": 9, "training__batch_size": 10}
    for name in ("attention", "seq2seq"):
        sizes = {"model__hidden_size": 8, "model__embedding_size": 8, "training__epochs": 3}
        assert begun(home / name, settings_of("copy", model__name=name, **sizes, **small)).run()
    number = {"data__pairs": 100, "data__heldout": 30, "data__length": 20}
    assert begun(home / "naive", settings_of("series", model__name="naive", **number)).run()
    return home


# ------------------------------------------------------------------------------------------------ evaluate


def test_a_run_is_scored_on_what_it_held_out_as_its_log_says(runs, capsys):
    assert main(["evaluate", str(runs / "attention")]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"9 pairs of what {runs / 'attention'} held out; weights: last\n")
    for name in ("exact match", "token accuracy", "error rate"):
        assert re.search(rf"^  {name} +\d+\.\d\d%$", out, re.MULTILINE)
    last = log(runs / "attention")[-1]["exact"]
    assert re.search(rf"^  exact match +{last:.2%}$", out, re.MULTILINE)
    assert sum(int(count) for count in re.findall(r"(\d+) pairs   exact", out)) == 9


def test_dates_are_scored_language_by_language(trained, capsys):
    assert main(["evaluate", str(trained.folder), "--beam", "2"]) == 0
    out = capsys.readouterr().out
    assert "exact match by group" in out
    assert out.count("\n  ko ") == 1


def test_another_file_may_be_tested_on(runs, tmp_path, capsys):
    (tmp_path / "other.tsv").write_text("abc\tabc\nlong words here\tlong words here\n", encoding="utf-8")
    assert main(["evaluate", str(runs / "attention"), "--data", str(tmp_path / "other.tsv")]) == 0
    out = capsys.readouterr().out
    assert out.startswith("2 pairs of ")
    assert ("chrF" in out) or ("BLEU and chrF are left out" in out)


def test_a_text_is_scored_by_perplexity_and_bits(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"the {name} and only line\n" * 30, encoding="utf-8")
    assert main(["train", "text", "--data", "one", "--model", "markov", "--no-pictures"]) == 0
    capsys.readouterr()
    found = []
    for words in ([], ["--data", "one"], ["--data", "two"]):
        assert main(["evaluate", "runs/text", *words]) == 0
        found.append(capsys.readouterr().out)
    bits = [float(re.search(r"bits per character +([\d.]+)", out)[1]) for out in found]
    assert bits[1] < 1 < bits[2]
    assert all("perplexity" in out for out in found)


def test_what_was_counted_is_no_parameter(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one").write_text("the one and only line\n" * 30, encoding="utf-8")
    assert main(["train", "text", "--data", "one", "--model", "markov", "--no-pictures"]) == 0
    assert "; 0 parameters; " in capsys.readouterr().out
    assert main(["compare", "runs/text"]) == 0
    assert re.search(r"text +markov +0 +1 ", capsys.readouterr().out)


def test_the_score_of_a_chain_does_not_depend_on_the_length_of_the_pieces(tmp_path):
    (tmp_path / "text").write_text("".join(f"{n} is a number\n" for n in range(90)), encoding="utf-8")
    found = []
    for length in (1, 7, 64, 5000):
        given = {"model__name": "markov", "data__files": tmp_path / "text", "data__length": length}
        trainer = begun(tmp_path / str(length), settings_of("text", **given))
        assert trainer.run()
        found.append(trainer.scores().value)
    assert found == pytest.approx([found[0]] * 4, rel=1e-5)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["naive", "--data", "x.csv"], "--data x.csv: series is tested on what it held out"),
        (["naive", "--beam", "2"], "--beam is for tasks of pairs"),
        (["attention", "--data", "missing.tsv"], "missing.tsv cannot be read"),
        (["attention", "--data", "a", "--data", "b", "--data", "c"], "got 3 files, expected one of"),
        (["nowhere"], "nowhere is not a run: it has no config.json"),
    ],
)
def test_what_cannot_be_scored_is_refused(words, message, runs, monkeypatch, capsys):
    monkeypatch.chdir(runs)
    assert main(["evaluate", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, message in err) == ("", True)


def test_data_that_have_changed_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{n}\t{n}\n" for n in range(20)), encoding="utf-8")
    assert main(["train", "pairs.tsv", "--epochs", "1", "--hidden-size", "8", "--no-pictures"]) == 0
    path.write_text("".join(f"{n}\t{n + 1}\n" for n in range(20)), encoding="utf-8")
    capsys.readouterr()
    assert main(["evaluate", "runs/pairs"]) == 2
    assert "what it held out is not known; name a file by --data" in capsys.readouterr().err
    assert main(["evaluate", "runs/pairs", "--data", "pairs.tsv"]) == 0


# ------------------------------------------------------------------------------------------------ compare


def test_runs_stand_in_one_table_and_one_picture(runs, monkeypatch, capsys):
    monkeypatch.chdir(runs)
    assert main(["compare", "attention", "seq2seq"]) == 0
    head, *rows, note, picture = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["RUN", "TASK", "MODEL"]
    assert [row.split()[:3] for row in rows] == [[name, "copy", name] for name in ("attention", "seq2seq")]
    for row, name in zip(rows, ("attention", "seq2seq"), strict=True):
        scores = [record["exact"] for record in log(runs / name) if "exact" in record]
        assert row.split()[6:8] == [f"{scores[-1]:.2%}", f"{max(scores):.2%}"]
    assert note == "LAST and BEST: held-out exact match, the more the better"
    assert (runs / picture).read_bytes().startswith(PNG)


def test_runs_of_other_data_are_told_apart(runs, tmp_path, capsys):
    settings = settings_of("copy", seed=1, data__pairs=30, data__heldout=9, training__epochs=1)
    assert begun(tmp_path / "other", settings).run()
    capsys.readouterr()
    out = str(tmp_path / "a.png")
    assert main(["compare", str(tmp_path / "other"), str(runs / "attention"), "--out", out]) == 0
    assert "not all of these runs have the same data" in capsys.readouterr().out


def test_a_run_that_was_fitted_has_a_score_and_no_loss(runs, tmp_path, capsys):
    out = str(tmp_path / "a.png")
    assert main(["compare", str(runs / "naive"), "--out", out]) == 0
    row = capsys.readouterr().out.splitlines()[1].split()
    assert row[2:6] == ["naive", "0", "1", "-"]


def test_runs_that_are_scored_otherwise_are_not_compared(runs, monkeypatch, capsys):
    monkeypatch.chdir(runs)
    assert main(["compare", "attention", "naive", "--out", "no.png"]) == 2
    assert "scored by exact match and squared error" in capsys.readouterr().err
    assert not (runs / "no.png").exists()


def test_a_run_without_a_score_is_not_compared(tmp_path, capsys):
    begun(tmp_path / "new", settings_of("copy", data__pairs=30, data__heldout=9))
    assert not RunFolder(tmp_path / "new").records()
    assert main(["compare", str(tmp_path / "new"), "--out", str(tmp_path / "a.png")]) == 2
    assert "has not been tested yet" in capsys.readouterr().err
