"""Runs in this process: settings by their names, and a trainer that stands at its beginning."""

from minigrad.tools.learners import configuration
from minigrad.tools.run_folder import RunFolder
from minigrad.tools.settings import Given, resolved
from minigrad.tools.tasks import load_task
from minigrad.tools.trainer import Trainer


def settings_of(task, **values):
    """All settings of a run, from a few: `training__epochs=3` is training.epochs."""
    given = {name.replace("__", "."): Given(str(value), "the test") for name, value in values.items()}
    return resolved({"task": Given(str(task), "the test"), **given})


def begun(folder, settings, task=None):
    """A new run in a folder, saved once."""
    folder = folder if isinstance(folder, RunFolder) else RunFolder(folder)
    task = task or load_task(settings)
    config = configuration(task, settings)
    trainer = Trainer(folder, config, task)
    folder.start(config)
    trainer.save()
    return trainer


def gone_on(folder):
    """The run in a folder, resumed and ended."""
    folder = folder if isinstance(folder, RunFolder) else RunFolder(folder)
    trainer = Trainer.resumed(folder)
    folder.cut_log(trainer.step, trainer.epoch)
    assert trainer.run()
    return trainer
