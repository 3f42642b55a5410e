"""Every model learns: quick forms of each training, through the command line, to a stated score."""

from pathlib import Path

import pytest

from commands import done, log, minigrad
from minigrad.data import date_pairs
from minigrad.tools.cli import main
from minigrad.tools.examples import Example, Task
from runs import begun, settings_of

SETTINGS = settings_of(
    "dates",
    training__epochs=3,
    training__batch_size=32,
    training__learning_rate=0.008,
    model__hidden_size=64,
    model__embedding_size=32,
)


def test_three_languages_are_learned_in_375_steps(tmp_path):
    drawn = date_pairs(0, 4000, 540, locales=("en_US", "fr", "ko"))
    train, heldout = (
        [Example(e.source, e.target, e.locale, e.spans) for e in examples]
        for examples in (drawn.train, drawn.heldout)
    )
    trainer = begun(tmp_path, SETTINGS, Task(train, heldout))
    assert trainer.run()
    scores = trainer.scores()
    assert trainer.steps == 375
    assert scores.value >= 0.95
    assert min(scores.groups.values()) >= 0.9
    assert scores.values["alignment"] >= 0.8
    assert len(scores.mistakes) == round((1 - scores.value) * 540)


SMALL = (
    *("--pairs", "2000", "--heldout", "200", "--length", "4", "--batch-size", "32", "--epochs", "4"),
    *("--hidden-size", "64", "--embedding-size", "32", "--learning-rate", "0.01"),
)
SUMS = ("--pairs", "5000", "--length", "2", "--epochs", "6")
TRANSFORMER = ("--pairs", "2000", "--heldout", "200", "--length", "4", "--batch-size", "32", "--epochs", "6")
PAIRS = [  # task, model, options, the least share of words that are right
    ("copy", "attention", SMALL, 0.85),
    ("reverse", "seq2seq", SMALL, 0.7),
    ("reverse", "peeky", SMALL, 0.3),
    ("reverse", "cho", SMALL, 0.3),
    ("reverse", "bahdanau", SMALL, 0.9),
    ("reverse", "luong", SMALL, 0.9),
    ("reverse", "local", SMALL, 0.9),
    ("reverse", "coverage", SMALL, 0.9),
    ("reverse", "transformer", (*TRANSFORMER, "--learning-rate", "0.005"), 0.75),
    ("addition", "attention", (*SMALL, *SUMS), 0.6),
]
DAYS = "monday tuesday wednesday thursday friday saturday sunday "
TEXT = ("--length", "32", "--batch-size", "8", "--epochs", "8", "--learning-rate", "0.01")
TEXTS = [  # model, options, the most bits that a character costs; every letter alike would cost 4
    ("rnn", ("--hidden-size", "64"), 0.5),
    ("lstm", ("--hidden-size", "64"), 0.5),
    ("gru", ("--hidden-size", "64"), 0.5),
    ("transformer", ("--learning-rate", "0.003"), 0.5),
    ("markov", (), 1.0),
]
ADDING = ("--pairs", "4000", "--length", "10", "--epochs", "8")
NUMBERS = [  # task, model, options, the largest squared error
    ("series", "ar", (), 0.035),
    ("series", "latent-rnn", (), 0.05),
    ("series", "latent-lstm", (), 0.05),
    ("series", "latent-gru", (), 0.05),
    ("adding-problem", "rnn", ADDING, 0.06),
    ("adding-problem", "lstm", ADDING, 0.02),
    ("adding-problem", "gru", ADDING, 0.02),
]
DIGITS = {  # model -> options, and the least share of pictures that are read
    "attention": (("--pairs", "2500", "--digits", "2", "--learning-rate", "0.006"), 0.75),
    "hard": (("--pairs", "2000", "--digits", "1"), 0.6),
}


def score(task, model, options, name):
    """The score that a run ends with."""
    words = ["train", task, "--model", model, *options, "--no-pictures", "--out", "run"]
    assert main(words) == 0
    return log(Path("run"))[-1][name]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("task", "model", "options", "least"), PAIRS, ids=lambda one: str(one)[:12])
def test_words_and_sums_are_learned(task, model, options, least):
    assert score(task, model, options, "exact") >= least


@pytest.mark.parametrize(("model", "options", "most"), TEXTS, ids=lambda one: str(one)[:12])
def test_the_next_character_is_learned(model, options, most, tmp_path):
    (tmp_path / "days.txt").write_text(DAYS * 60, encoding="utf-8")
    assert score("text", model, ("--data", "days.txt", *TEXT, *options), "bits_per_character") <= most


@pytest.mark.parametrize(("task", "model", "options", "most"), NUMBERS, ids=lambda one: str(one)[:12])
def test_series_are_predicted_and_numbers_remembered(task, model, options, most):
    assert score(task, model, options, "squared_error") <= most


@pytest.mark.parametrize("model", DIGITS)
def test_digits_are_read(model):
    options, least = DIGITS[model]
    assert score("digits", model, (*options, "--heldout", "150", "--epochs", "6"), "exact") >= least


@pytest.mark.slow
def test_the_demo_reaches_its_goal(tmp_path):
    out = done(minigrad("train", "dates", "--no-pictures", cwd=tmp_path))
    assert "20,000 pairs to train on, 2,700 held out" in out
    result = log(tmp_path / "runs/dates")[-1]
    assert result["exact"] >= 0.995
    assert len(result["groups"]) == 9
    assert min(result["groups"].values()) >= 0.99
    assert result["alignment"] >= 0.8
    dates = ["Saturday, November 21, 2026", "21 novembre 2026", "2026년 11월 21일", "21.11.2026"]
    assert done(minigrad("translate", "runs/dates", *dates, cwd=tmp_path)).split() == ["2026-11-21"] * 4
