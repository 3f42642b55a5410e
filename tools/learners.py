"""The learner of each kind of task, and of a run that has been trained."""

import math
from collections.abc import Mapping
from typing import Any

from minigrad.backend import device

from .adding_learner import AddingLearner
from .errors import CommandError, plain
from .examples import Task
from .image_learner import ImageLearner
from .learner import Learner
from .pair_learner import PairLearner
from .recipes import recipe_of
from .run_folder import RunFolder
from .series_learner import SeriesLearner
from .settings import STEPS_AT_LEAST
from .text_learner import TextLearner

LEARNERS: Mapping[str, type[Learner]] = {
    "pairs": PairLearner,
    "text": TextLearner,
    "digits": ImageLearner,
    "series": SeriesLearner,
    "adding": AddingLearner,
}


def configuration(task: Task, settings: Mapping[str, Any]) -> dict[str, Any]:
    """All that a run depends on: its settings, and what its data decide.

    CommandError if the model's settings do not go together.
    """
    _refuse_without_effect(settings)
    decided = LEARNERS[settings["kind"]].decided(task, settings)
    recipe = recipe_of(settings["kind"], settings["model"]["name"])
    model = {**settings["model"], **recipe.fixed, **decided.pop("model")}
    longest = decided.pop("longest", 0)
    if "max_length" in model:
        model["max_length"] = max(model["max_length"], longest)
    try:
        recipe.config(**{name: value for name, value in model.items() if name != "name"})
    except ValueError as error:
        raise CommandError(plain(error)) from error
    training = dict(settings["training"])
    examples = decided.pop("examples", len(task.train))
    steps = math.ceil(examples / training["batch_size"])
    training["epochs"] = training["epochs"] or max(3, math.ceil(STEPS_AT_LEAST / steps))
    sizes = {"train": examples, "heldout": len(task.heldout), "fingerprint": task.fingerprint()}
    return {**settings, **sizes, "model": model, "training": training, **decided}


def _refuse_without_effect(settings: Mapping[str, Any]) -> None:
    """CommandError for a setting of the training that this kind of task or this model does not look at."""
    kind, name, training = settings["kind"], settings["model"]["name"], settings["training"]
    fitted = recipe_of(kind, name).fitted
    model = f"the model {name}"
    steps = f"{model} is fitted in one go; it is for models that are trained by steps"
    without: dict[str, str] = dict.fromkeys(("average", "patience", "workers"), steps) if fitted else {}
    if kind not in ("pairs", "digits") or (kind, name) == ("digits", "hard"):
        without["attention_penalty"] = (
            f"{model} of {settings['task']} has no weights to be penalised; it is for pairs of texts, and "
            "for the model attention of digits"
        )
    if kind in ("series", "adding"):
        without["label_smoothing"] = (
            f"{settings['task']} predicts numbers; it is for tasks whose targets are tokens"
        )
    elif fitted:
        without["label_smoothing"] = steps
    for setting, why in without.items():
        if training[setting]:
            raise CommandError(f"training.{setting}: {why}")


def trained(folder: RunFolder, which: str = "last", place: str = "cpu") -> Learner:
    """What a run has learned, at its last, its best or its averaged weights, on a device.

    CommandError if its files are missing or do not fit together.
    """
    config, state = folder.config(), folder.load(which)
    try:
        learner = LEARNERS[config["kind"]](config).to(device(place))
        learner.model.load_state_dict(state["model"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CommandError(f"{folder}: config.json and checkpoint do not fit: {plain(error)}") from error
    learner.model.eval()
    return learner
