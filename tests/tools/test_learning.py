"""The main job is done: dates become ISO 8601, and the attention shows where each digit was read."""

import pytest

from commands import done, log, minigrad
from minigrad.data import date_pairs
from minigrad.tools.run_folder import RunFolder
from minigrad.tools.settings import DEFAULTS, configuration
from minigrad.tools.tasks import Example, Task
from minigrad.tools.trainer import Trainer

SETTINGS = {
    **DEFAULTS,
    "epochs": 3,
    "batch_size": 32,
    "learning_rate": 0.008,
    "hidden_size": 64,
    "embedding_size": 32,
}


def test_three_languages_are_learned_in_375_steps(tmp_path):
    drawn = date_pairs(0, 4000, 540, locales=("en_US", "fr", "ko"))
    train, heldout = (
        [Example(e.source, e.target, e.locale, e.spans) for e in examples]
        for examples in (drawn.train, drawn.heldout)
    )
    task, folder = Task(train, heldout), RunFolder(tmp_path)
    config = configuration(task, "dates", SETTINGS)
    folder.start(config)
    trainer = Trainer(folder, config, task)
    assert trainer.run()
    scores = trainer.scores()
    assert trainer.steps == 375
    assert scores.exact >= 0.95
    assert min(scores.groups.values()) >= 0.9
    assert scores.alignment >= 0.8
    assert len(scores.mistakes) == round((1 - scores.exact) * 540)


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
