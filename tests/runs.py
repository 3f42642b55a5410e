"""Runs in this process: settings by their names, and a trainer that stands at its beginning."""

from minigrad.tools.learners import configuration
from minigrad.tools.recipes import RECIPES
from minigrad.tools.run_folder import RunFolder
from minigrad.tools.settings import Given, resolved
from minigrad.tools.tasks import load_task
from minigrad.tools.trainer import Trainer

TEXT = "the cat sat on the mat and the dog sat on the log\n" * 12
TINY = {  # kind -> task, settings of the data
    "pairs": ("copy", {"pairs": 24, "heldout": 8}),
    "text": ("text", {"length": 16}),
    "digits": ("digits", {"pairs": 16, "heldout": 6, "digits": 2}),
    "series": ("series", {"pairs": 120, "heldout": 30, "length": 16}),
    "adding": ("adding-problem", {"pairs": 24, "heldout": 8, "length": 6}),
}
SIZES = {
    **dict.fromkeys(("embedding_size", "hidden_size", "alignment_size", "maxout_size", "feed_forward"), 8),
    "model_size": 8,
    "heads": 2,
    "layers": 1,
    "widths": "4,8",
    "order": 2,
}
ALL = [(kind, name) for kind, recipes in RECIPES.items() for name in recipes]


def settings_of(task, **values):
    """All settings of a run, from a few: `training__epochs=3` is training.epochs."""
    given = {name.replace("__", "."): Given(str(value), "the test") for name, value in values.items()}
    return resolved({"task": Given(str(task), "the test"), **given})


def tiny(folder, kind, model, **more):
    """The settings of a tiny run of a model of any kind: two epochs; its text, if any, lies in the folder."""
    (folder / "text.txt").write_text(TEXT, encoding="utf-8")
    task, data = TINY[kind]
    more = {"training__epochs": 2, "training__batch_size": 8, **more}
    data = data if kind != "text" else {**data, "files": folder / "text.txt"}
    bare = settings_of(task, model__name=model)["model"]
    sizes = {f"model__{name}": value for name, value in SIZES.items() if name in bare}
    rows = {f"data__{name}": value for name, value in data.items()}
    return settings_of(task, model__name=model, **sizes, **rows, **more)


def begun(folder, settings, task=None, place="cpu"):
    """A new run in a folder, on a device, saved once."""
    folder = folder if isinstance(folder, RunFolder) else RunFolder(folder)
    task = task or load_task(settings)
    config = configuration(task, settings)
    trainer = Trainer(folder, config, task, place)
    folder.start(config)
    trainer.save()
    return trainer


def gone_on(folder, place="cpu"):
    """The run in a folder, resumed on a device and ended."""
    folder = folder if isinstance(folder, RunFolder) else RunFolder(folder)
    trainer = Trainer.resumed(folder, place)
    folder.cut_log(trainer.step, trainer.epoch)
    assert trainer.run()
    return trainer
