"""A user's own pairs: a UTF-8 text file with one `source<TAB>target` on each line."""

import codecs
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from minigrad.generator import Generator

from .errors import DataError
from .tokeniser import normalise

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
    an empty side, no pair at all.
    """
    lines = _read_text(path).split("\n")
    if not any(map(str.strip, lines)):
        raise DataError(f"read_pairs(): {path} is empty, {_FORMAT}")
    if not any("\t" in line for line in lines):
        raise DataError(f"read_pairs(): {path} has no TAB on any line, so it has one column; {_FORMAT}")
    return [_read_line(path, number, line) for number, line in enumerate(lines, start=1) if line.strip(" ")]


def _read_line(path: str | Path, number: int, line: str) -> Pair:
    """Cut one line at its only TAB."""
    sides = [side.strip() for side in line.split("\t")]
    if len(sides) != 2:
        columns = "1 column (no TAB)" if len(sides) == 1 else f"{len(sides)} columns"
        raise DataError(
            f"read_pairs(): {path}, line {number}: got {columns} in {_excerpt(line)}, expected two: "
            "source<TAB>target"
        )
    for name, side in zip(Pair._fields, sides, strict=True):
        if not side:
            raise DataError(
                f"read_pairs(): {path}, line {number}: the {name} of {_excerpt(line)} is empty, expected "
                "text on both sides of the TAB; complete the line or delete it"
            )
    return Pair(*sides)


def _read_text(path: str | Path) -> str:
    """Read the whole file, normalised, its lines ended by plain newlines; DataError if not UTF-8 text."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"read_pairs(): {path} cannot be read ({error.strerror}), expected a file") from error
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError(f"read_pairs(): {path} is encoded in UTF-16, {_FORMAT}; save it again as UTF-8")
    if b"\0" in data:
        raise _binary_error(path, data, data.index(b"\0"), "a NUL byte")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = error.start + len(codecs.BOM_UTF8) * data.startswith(codecs.BOM_UTF8)
        raise _binary_error(path, data, start, f"byte 0x{data[start]:02x}, which is not UTF-8") from error
    return normalise(text.replace("\r\n", "\n").replace("\r", "\n"))


def _binary_error(path: str | Path, data: bytes, offset: int, what: str) -> DataError:
    line = data.count(b"\n", 0, offset) + 1
    return DataError(f"read_pairs(): {path} holds {what} at byte {offset}, line {line}; {_FORMAT}")


def _excerpt(line: str, width: int = 40) -> str:
    """The beginning of a line as Python writes it, so that no control character reaches the terminal."""
    return repr(line) if len(line) <= width else f"{line[:width]!r}..."


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
