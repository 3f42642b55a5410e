"""Pairs in two files: line n of the one is translated by line n of the other, as in the corpora of WMT."""

from pathlib import Path

from .errors import DataError
from .pairs import Pair
from .text_file import excerpt, file_lines

_FORMAT = "expected UTF-8 text with one sentence on each line"


def read_parallel(source: str | Path, target: str | Path) -> list[Pair]:
    """Read the pairs of two files line by line, in their order, duplicates included.

    Both sides are normalised (see tokeniser.py), and the white space at their ends is dropped; a line that is
    blank in both files is passed over. DataError, with the file and the line, for anything else: a file that
    is missing or not UTF-8, one with fewer lines than the other, a side that is empty, no pair at all.
    """
    sides = [_lines(path) for path in (source, target)]
    counts = [len(lines) for lines in sides]
    if counts[0] != counts[1]:
        longer, least = (source, target)[counts[1] > counts[0]], min(counts)
        line = max(sides, key=len)[least]
        raise DataError(
            f"read_parallel(): {source} has {counts[0]:,} lines and {target} {counts[1]:,}, expected equal "
            f"numbers; the first without a partner is line {least + 1} of {longer}: {excerpt(line)}"
        )
    pairs = []
    for number, pair in enumerate(map(Pair, *sides), start=1):
        if pair.source and pair.target:
            pairs.append(pair)
        elif pair.source or pair.target:
            empty, other = (source, pair.target) if pair.target else (target, pair.source)
            raise DataError(
                f"read_parallel(): {empty}, line {number} is empty, expected the partner of {excerpt(other)};"
                " complete the line, or delete it in both files"
            )
    if not pairs:
        raise DataError(f"read_parallel(): {source} and {target} are empty, {_FORMAT}")
    return pairs


def _lines(path: str | Path) -> list[str]:
    """The lines of a file; the newline at its very end begins no further one."""
    lines = [line.strip() for _, line in file_lines("read_parallel()", path, _FORMAT)]
    return lines if lines[-1] else lines[:-1]
