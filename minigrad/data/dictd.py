"""Dictionaries of the program dictd, such as those of FreeDict: words and their translations.

Two files: NAME.index says, on each line, `headword<TAB>place<TAB>length` of an entry in NAME.dict.dz, a text
that gzip has packed (NAME.dict where it is not). Place and length are numbers in base 64. An entry:

    veine /vɛn/ <n, fem>            the headword, how it sounds, its part of speech
    1. luck                         a sense, with its number if there are several
    2. (wood) grain, vein           translations of one sense
      "veine de bois"               an example: indented
"""

import gzip
import re
import zlib
from pathlib import Path

from .errors import DataError
from .pairs import Pair
from .text_file import decoded, excerpt, file_bytes, file_lines
from .tokeniser import normalise

_FORMAT = "expected an index of dictd: headword<TAB>place<TAB>length on each line"
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_HEADWORD = re.compile(r"(.+?)(?= [/<]|$)")
_NUMBER = re.compile(r"\d+\. ")
_BETWEEN = re.compile(r"[,;] (?![^(]*\))")  # and not in parentheses


def read_dictd(path: str | Path) -> list[Pair]:
    """Read the translations of every headword, one pair for each, in the order of the index.

    Args:
        path: NAME.index; NAME.dict.dz or NAME.dict lies beside it.

    What the dictionary says of itself, examples, sounds and parts of speech are left out. DataError, with the
    file and the line, for an index or a dictionary that is none.
    """
    index = Path(path)
    text = _text(index)
    pairs = []
    for number, line in file_lines("read_dictd()", index, _FORMAT):
        if not line or line.startswith(("00database", "00-database")):
            continue
        cells = line.split("\t")
        if len(cells) < 3 or not all(cell and set(cell) <= set(_DIGITS) for cell in cells[1:3]):
            raise DataError(f"read_dictd(): {index}, line {number}: got {excerpt(line)}, {_FORMAT}")
        start, length = _number(cells[1]), _number(cells[2])
        if start + length > len(text):
            raise DataError(
                f"read_dictd(): {index}, line {number}: the entry would end at byte {start + length:,}, but "
                f"the dictionary has {len(text):,}; do the two files belong together?"
            )
        entry = text[start : start + length]
        where = f"{index}, line {number}, the entry"
        pairs += _pairs(normalise(decoded("read_dictd()", where, entry, "expected UTF-8")))
    if not pairs:
        raise DataError(f"read_dictd(): {index} has no entry, {_FORMAT}")
    return list(dict.fromkeys(pairs))


def _text(index: Path) -> bytes:
    """The dictionary that belongs to an index, unpacked."""
    if index.suffix != ".index":
        raise DataError(f"read_dictd(): {index} does not end in .index, expected the index of a dictionary")
    plain, packed = index.with_suffix(".dict"), index.with_suffix(".dict.dz")
    if plain.is_file():
        return file_bytes("read_dictd()", plain)
    data = file_bytes("read_dictd()", packed)
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"read_dictd(): {packed} is not packed by gzip ({error}); is it whole?") from error


def _number(digits: str) -> int:
    """A number in base 64."""
    value = 0
    for digit in digits:
        value = 64 * value + _DIGITS.index(digit)
    return value


def _pairs(entry: str) -> list[Pair]:
    """The headword of an entry with each of its translations."""
    first, *senses = entry.strip("\n").split("\n")
    match = _HEADWORD.match(first)
    return [
        Pair(match[1].strip(), translation.strip())
        for sense in senses
        if match and sense.strip() and not sense[0].isspace()
        for translation in _BETWEEN.split(_NUMBER.sub("", sense, count=1))
        if translation.strip()
    ]
