"""A user's own pairs: a UTF-8 text file with one `source<TAB>target` on each line."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from minigrad.generator import Generator

from .errors import DataError
from .text_file import excerpt, file_lines

_FORMAT = "expected UTF-8 text with source<TAB>target on each line"


class Pair(NamedTuple):
    """A source text and the target text that it is to be turned into."""

    source: str
    target: str


def read_pairs(path: str | Path) -> list[Pair]:
    """Read every pair of a file, in its order, duplicates included.

    Both sides are normalised (see tokeniser.py), and the white space at their ends is dropped. A byte order
    mark, lines that end in CRLF or CR, and blank lines are accepted. DataError, with the file, the line and
    what was expected, for anything else: no such file, a binary file, a line that has not exactly two sides,
    an empty side, a line of more than 100 000 characters, no pair at all.
    """
    lines = list(file_lines("read_pairs()", path, _FORMAT))
    if not any(line.strip() for _, line in lines):
        raise DataError(f"read_pairs(): {path} is empty, {_FORMAT}")
    if not any("\t" in line for _, line in lines):
        raise DataError(f"read_pairs(): {path} has no TAB on any line, so it has one column; {_FORMAT}")
    return [_read_line(path, number, line) for number, line in lines if line.strip(" ")]


def _read_line(path: str | Path, number: int, line: str) -> Pair:
    """Cut one line at its only TAB."""
    sides = [side.strip() for side in line.split("\t")]
    if len(sides) != 2:
        columns = "1 column (no TAB)" if len(sides) == 1 else f"{len(sides)} columns"
        raise DataError(
            f"read_pairs(): {path}, line {number}: got {columns} in {excerpt(line)}, expected two: "
            "source<TAB>target"
        )
    for name, side in zip(Pair._fields, sides, strict=True):
        if not side:
            raise DataError(
                f"read_pairs(): {path}, line {number}: the {name} of {excerpt(line)} is empty, expected "
                "text on both sides of the TAB; complete the line or delete it"
            )
    return Pair(*sides)


def split_pairs(
    pairs: Sequence[Pair], *, heldout_fraction: float = 0.1, seed: int = 0
) -> tuple[list[Pair], list[Pair]]:
    """Part pairs into training and held-out ones so that no source is in both.

    The distinct sources are counted, and `heldout_fraction` of them (rounded, at least one) is drawn by
    `seed`; each source takes all its pairs with it. A pair that occurs several times is kept once, a source
    with several targets keeps them all. Both lists are in the order of `pairs`. DataError when there are too
    few sources.

    >>> train, heldout = split_pairs([Pair(str(number), "x") for number in range(10)])
    >>> len(train), len(heldout)
    (9, 1)
    """
    if not 0 < heldout_fraction < 1:
        raise ValueError(f"split_pairs(): heldout_fraction is {heldout_fraction}, expected between 0 and 1")
    distinct = list(dict.fromkeys(pairs))
    sources = list(dict.fromkeys(pair.source for pair in distinct))
    needed = max(2, math.ceil(1 / heldout_fraction))
    if len(sources) < needed:
        raise DataError(
            f"split_pairs(): got {len(sources)} distinct sources, expected {needed} or more to hold out "
            f"{heldout_fraction:.0%} of them; add pairs, or raise heldout_fraction"
        )
    count = min(round(len(sources) * heldout_fraction), len(sources) - 1)
    chosen = {sources[index] for index in Generator(seed).permutation(len(sources))[:count]}
    train = [pair for pair in distinct if pair.source not in chosen]
    heldout = [pair for pair in distinct if pair.source in chosen]
    return train, heldout
