"""What a run learns: pairs of texts to train on, and some held out, by a name or from a user's file."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minigrad.data import DataError, DateExample, FieldSpans, date_pairs, read_pairs, split_pairs

from .errors import CommandError, plain

NAMES = {"dates": "dates as people write them in nine languages -> ISO 8601 (CLDR data, by Babel)"}
LEAST = 10  # different sources in a user's file: one of them is held out


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

    def fingerprint(self) -> str:
        """Eight hexadecimal digits (CRC-32) that change when the examples do."""
        crc = 0
        for example in self.train + self.heldout:
            crc = zlib.crc32(f"{example.source}\t{example.target}\n".encode(), crc)
        return f"{crc:08x}"


def task_name(task: str) -> str:
    """What the run folder of a task is called: dates, or the name of the file without its ending."""
    return task if task in NAMES else Path(task).stem


def load_task(config: Mapping[str, Any]) -> Task:
    """The examples that a configuration names: "task" is dates or a file; "pairs", "heldout" and "seed"."""
    try:
        if config["task"] == "dates":
            drawn = date_pairs(config["seed"], config["pairs"], config["heldout"])
            return Task([_of_date(e) for e in drawn.train], [_of_date(e) for e in drawn.heldout])
        return _of_file(config["task"], config["seed"])
    except ImportError as error:
        raise CommandError('dates are written by the package Babel: pip install "minigrad[data]"') from error
    except (DataError, ValueError) as error:
        raise CommandError(plain(error)) from error


def _of_date(example: DateExample) -> Example:
    return Example(example.source, example.target, example.locale, example.spans)


def _of_file(path: str, seed: int) -> Task:
    """The pairs of a user's file, a tenth of the different sources held out."""
    if not Path(path).exists():
        raise CommandError(
            f"there is no task and no file {path!r}; expected {', '.join(NAMES)}, or a file of "
            "source<TAB>target lines"
        )
    pairs = read_pairs(path)
    sources = len({pair.source for pair in pairs})
    if sources < LEAST:
        raise CommandError(
            f"{path} has {sources} different source texts, expected {LEAST} or more: a tenth of them is held "
            "out to test on"
        )
    train, heldout = split_pairs(pairs, heldout_fraction=1 / LEAST, seed=seed)
    return Task([Example(*pair) for pair in train], [Example(*pair) for pair in heldout])
