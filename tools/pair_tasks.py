"""Tasks that turn one text into another: made here, from the CLDR, or read from a user's files."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from minigrad.data import (
    DateExample,
    Pair,
    date_pairs,
    read_catalogue,
    read_cmudict,
    read_pairs,
    read_parallel,
    split_pairs,
)
from minigrad.data.fetching import fetched
from minigrad.data.toys import toy_pairs
from minigrad.generator import Generator

from .errors import CommandError
from .examples import Example, Task

LEAST = 10  # different sources in a user's file: one of them is held out


def dates(data: Mapping[str, Any], seed: int) -> Task:
    """Dates in nine languages."""
    try:
        drawn = date_pairs(seed, data["pairs"], data["heldout"])
    except ImportError as error:
        raise CommandError('dates are written by the package Babel: pip install "minigrad[data]"') from error
    return Task([_of_date(e) for e in drawn.train], [_of_date(e) for e in drawn.heldout])


def _of_date(example: DateExample) -> Example:
    return Example(example.source, example.target, example.locale, example.spans)


def toy(name: str) -> Callable[[Mapping[str, Any], int], Task]:
    """What loads the pairs of a task that is made here."""

    def load(data: Mapping[str, Any], seed: int) -> Task:
        drawn = toy_pairs(name, seed, data["pairs"], data["heldout"], lengths=(1, data["length"]))
        train, heldout = ([Example(*pair) for pair in pairs] for pairs in drawn)
        return Task(train, heldout)

    return load


def texts(data: Mapping[str, Any], seed: int) -> Task:
    """The pairs of a user's files, a tenth of the different sources held out."""
    return _held_out(_read(data["files"]), " and ".join(map(_shown, data["files"])), seed)


def pronunciations(data: Mapping[str, Any], seed: int) -> Task:
    """Words and how they sound: so many of CMUdict, drawn by the seed."""
    files = data["files"] or _fetched_dictionary()
    if len(files) != 1:
        raise CommandError(f"--data: got {len(files)} files, expected one pronouncing dictionary")
    pairs = read_cmudict(files[0], stress=data["stress"])
    task = _held_out(pairs, _shown(files[0]), seed)
    return Task(_drawn(task.train, data["pairs"], seed), _drawn(task.heldout, data["heldout"], seed))


def _fetched_dictionary() -> tuple[str, ...]:
    folder = fetched("cmudict")
    if folder is None:
        raise CommandError(
            "g2p reads CMUdict, which has not been fetched; run `minigrad data fetch cmudict`, or name the "
            "dictionary by --data FILE"
        )
    return (str(folder / "index.js"),)


def read_examples(task: str, files: Sequence[str], data: Mapping[str, Any]) -> list[Example]:
    """The pairs of other files, to test a run on."""
    if task == "g2p":
        return [Example(*pair) for pair in read_cmudict(files[0], stress=data["stress"])]
    return [Example(*pair) for pair in _read(files)]


def _read(files: Sequence[str]) -> list[Pair]:
    """Two files side by side, a catalogue, or lines of source<TAB>target."""
    if len(files) == 2:
        return read_parallel(*map(_shown, files))
    if len(files) != 1:
        raise CommandError(
            f"--data: got {len(files)} files, expected one of source<TAB>target lines, a .po or .mo "
            "catalogue, or two files with a sentence on each line"
        )
    path = _shown(files[0])
    return read_catalogue(path) if Path(path).suffix in (".po", ".mo") else read_pairs(path)


def _shown(path: str) -> str:
    """A file as the user would name it: without the folder that he is in."""
    inside = Path(path)
    return str(inside.relative_to(Path.cwd())) if inside.is_relative_to(Path.cwd()) else path


def _held_out(pairs: list[Pair], place: str, seed: int) -> Task:
    sources = len({pair.source for pair in pairs})
    if sources < LEAST:
        raise CommandError(
            f"{place} has {sources} different source texts, expected {LEAST} or more: a tenth of them is "
            "held out to test on"
        )
    train, heldout = split_pairs(pairs, heldout_fraction=1 / LEAST, seed=seed)
    return Task([Example(*pair) for pair in train], [Example(*pair) for pair in heldout])


def _drawn(examples: Sequence[Example], count: int, seed: int) -> list[Example]:
    """As many of the examples, drawn by the seed, in their order."""
    chosen = Generator(seed).permutation(len(examples))[:count]
    return [examples[place] for place in sorted(chosen.tolist())]
