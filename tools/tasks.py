"""What a run learns: pairs of texts, some to train on and some held out, from a name or from a user's file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minigrad.data import DataError, DateExample, FieldSpans, date_pairs, read_pairs, split_pairs

from .errors import CommandError

NAMES = {"dates": "dates as people write them in nine languages -> ISO 8601 (CLDR data, by Babel)"}


@dataclass(frozen=True)
class Example:
    """A pair of texts; `group` is what results are reported by, `spans` where the fields of a date stand."""

    source: str
    target: str
    group: str = "all"
    spans: FieldSpans | None = None


@dataclass(frozen=True)
class Task:
    """The examples of one task."""

    train: list[Example]
    heldout: list[Example]


def load_task(config: Mapping[str, Any]) -> Task:
    """The examples that a configuration names: {"task": "dates" or a file, "pairs": n, "heldout": n, "seed": n}."""
    try:
        if config["task"] == "dates":
            drawn = date_pairs(config["seed"], config["pairs"], config["heldout"])
            return Task([_of_date(e) for e in drawn.train], [_of_date(e) for e in drawn.heldout])
        train, heldout = split_pairs(read_pairs(Path(config["task"])), seed=config["seed"])
    except (DataError, ImportError, ValueError) as error:
        raise CommandError(str(error)) from error
    return Task([Example(*pair) for pair in train], [Example(*pair) for pair in heldout])


def _of_date(example: DateExample) -> Example:
    return Example(example.source, example.target, example.locale, example.spans)
