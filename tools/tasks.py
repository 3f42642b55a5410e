"""The tasks by their names: of which kind each is, what it reads, and what suits it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minigrad.data import DataError

from . import number_tasks, pair_tasks, text_tasks
from .arguments import nearest
from .errors import CommandError, plain
from .examples import Task


@dataclass(frozen=True)
class TaskEntry:
    """A task by name.

    Args:
        kind: what is learned: its models and its learner go by it.
        text: what it is, in one line.
        load: makes the task from its settings and the seed.
        data: the settings that it takes, with their defaults; None for the general one.
        training: settings of the training that suit it better than the general ones.
        model: the model that is trained unless another is named.
        score: by which of `scores.METRICS` its models are judged.
    """

    kind: str
    text: str
    load: Callable[[Mapping[str, Any], int], Task]
    data: Mapping[str, Any]
    training: Mapping[str, Any] = field(default_factory=dict)
    model: str = "attention"
    score: str = "exact"


_TOKENS = {"tokeniser": None, "target_tokeniser": None, "merges": None}
_OF_FILES = {"files": None, **_TOKENS}

TASKS: Mapping[str, TaskEntry] = {
    "dates": TaskEntry(
        "pairs",
        "dates as people write them in nine languages -> ISO 8601 (CLDR data, by Babel)",
        pair_tasks.dates,
        {"pairs": 20_000, "heldout": 2_700, **_TOKENS},
        {"epochs": 2},
    ),
    "g2p": TaskEntry(
        "pairs",
        "English words -> how they sound (CMUdict: `minigrad data fetch cmudict`, or --data)",
        pair_tasks.pronunciations,
        {"files": None, "pairs": 20_000, "heldout": 1_000, "stress": None, **_TOKENS}
        | {"target_tokeniser": "word"},
        {"epochs": 6},
        score="error_rate",
    ),
    "translate": TaskEntry(
        "pairs",
        "your own pairs: --data FILE.tsv, FILE.po or .mo, or two files side by side",
        pair_tasks.texts,
        _OF_FILES,
    ),
    **{
        name: TaskEntry(
            "pairs",
            text,
            pair_tasks.toy(name),
            {"pairs": None, "heldout": None, "length": length, **_TOKENS},
            {"epochs": epochs},
        )
        for name, text, length, epochs in (
            ("reverse", "letters -> the same from the last to the first", 8, 6),
            ("copy", "letters -> the same", 8, 6),
            ("sort", "letters -> the same in the order of the alphabet", 8, 6),
            ("addition", "77+85 -> 162", 3, 12),
        )
    },
    "text": TaskEntry(
        "text",
        "a language model on your own text: --data FILE",
        text_tasks.text,
        {"files": None, "length": None, "tokeniser": None, "merges": None},
        model="lstm",
        score="bits_per_character",
    ),
    "digits": TaskEntry(
        "digits",
        "pictures of up to three digits in a row -> the digits (--data: handwritten ones)",
        number_tasks.digits,
        {"files": None, "pairs": 6_000, "heldout": 500, "digits": None},
        {"epochs": 8, "batch_size": 32},
    ),
    "series": TaskEntry(
        "series",
        "the next value of a noisy sine, or of --data FILE.csv --column NAME",
        number_tasks.series,
        {"files": None, "column": None, "pairs": 2_000, "heldout": 400, "length": None},
        {"epochs": 30, "batch_size": 16},
        model="latent-gru",
        score="squared_error",
    ),
    "adding-problem": TaskEntry(
        "adding",
        "the sum of two marked numbers in a long series (Hochreiter 1997)",
        number_tasks.adding,
        {"pairs": 10_000, "heldout": None, "length": 50},
        {"epochs": 10, "learning_rate": 0.01},
        model="lstm",
        score="squared_error",
    ),
}


def task_entry(name: str) -> TaskEntry:
    """The task of a name, or that of a file of pairs; CommandError if it is neither."""
    if name in TASKS:
        return TASKS[name]
    if not Path(name).exists():
        told = nearest(name, TASKS)
        file = "" if told.endswith("?") else ", or a file of source<TAB>target lines"
        raise CommandError(f"there is no task and no file {name!r}{told}{file}")
    return TaskEntry("pairs", "", pair_tasks.texts, {**_OF_FILES, "files": (str(Path(name).resolve()),)})


def task_name(name: str) -> str:
    """What the run folder of a task is called: its name, or that of the file without its ending."""
    return name if name in TASKS else Path(name).stem


def task_of_run(config: Mapping[str, Any], remedy: str) -> Task:
    """The examples that a run was begun with; CommandError, with the remedy, if their files have gone."""
    named = config["data"].get("files")
    files = [str(path) for path in named] if isinstance(named, list) else []
    for path in files or ([] if config["task"] in TASKS else [config["task"]]):
        if not Path(path).exists():
            raise CommandError(f"{path}, from which this run has learned, is gone; {remedy}")
    return load_task(config)


def load_task(settings: Mapping[str, Any]) -> Task:
    """The examples that a configuration names, by "task", "data" and "seed"."""
    try:
        return task_entry(settings["task"]).load(settings["data"], settings["seed"])
    except (DataError, ValueError) as error:
        raise CommandError(plain(error)) from error
    except (KeyError, TypeError) as error:  # of a configuration that was changed by hand
        raise CommandError(f"the settings of {settings['task']}, [data], do not fit: {error}") from error
