"""Reading a user's text file: UTF-8, of ordinary lines; anything else is said with its place."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from .errors import DataError
from .tokeniser import normalise

LONGEST_LINE = 100_000
"""Characters in a line. A longer one is no sentence: a binary file, or one whose lines have run together."""

_LINE_END = re.compile(r"\r\n?")


def read_text(path: str | Path) -> str:
    """Read a plain text whole, as a language model wants it.

    The text is normalised (see tokeniser.py), its lines end in plain newlines. A byte order mark is dropped.
    DataError, with the file and the line, for a file that is missing, empty, not UTF-8, or has a line of
    more than LONGEST_LINE characters.
    """
    expected = "expected UTF-8 text"
    text = "\n".join(line for _, line in file_lines("read_text()", path, expected))
    if not text.strip():
        raise DataError(f"read_text(): {path} is empty, {expected}")
    return text


def read_lines(path: str | Path) -> list[str]:
    """Read the lines of a plain text that are not blank, without the white space at their ends."""
    expected = "expected UTF-8 text"
    lines = [line.strip() for _, line in file_lines("read_lines()", path, expected)]
    if not any(lines):
        raise DataError(f"read_lines(): {path} is empty, {expected}")
    return [line for line in lines if line]


def file_lines(
    function: str, path: str | Path, expected: str, encoding: str = "utf-8"
) -> Iterator[tuple[int, str]]:
    """Each line of a file with its number, from 1 on, normalised; DataError in the name of `function`."""
    text = decoded(function, path, file_bytes(function, path), expected, encoding)
    for number, line in enumerate(normalise(_LINE_END.sub("\n", text)).split("\n"), start=1):
        if len(line) > LONGEST_LINE:
            raise DataError(
                f"{function}: {path}, line {number}: got {len(line):,} characters, expected {LONGEST_LINE:,} "
                "at most; break the line where its sentences end"
            )
        yield number, line


def file_bytes(function: str, path: str | Path) -> bytes:
    """The content of a file; DataError if there is none, or it cannot be read."""
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{function}: {path} cannot be read ({reason}), expected a file") from error


def decoded(function: str, path: str | Path, data: bytes, expected: str, encoding: str = "utf-8") -> str:
    """Bytes as text, without a byte order mark; DataError, with byte and line, if they are none."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError(f"{function}: {path} is encoded in UTF-16, {expected}; save it again as UTF-8")
    if b"\0" in data:
        raise _binary(function, path, data, data.index(b"\0"), "a NUL byte", expected)
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    try:
        return data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        start = error.start + len(mark)
        what = f"byte 0x{data[start]:02x}, which is not {encoding.upper()}"
        raise _binary(function, path, data, start, what, expected) from error


def excerpt(line: str, width: int = 40) -> str:
    """The beginning of a line as Python writes it, so that no control character reaches the terminal."""
    return repr(line) if len(line) <= width else f"{line[:width]!r}..."


def _binary(function: str, path: str | Path, data: bytes, offset: int, what: str, expected: str) -> DataError:
    line = data.count(b"\n", 0, offset) + 1
    return DataError(f"{function}: {path} holds {what} at byte {offset}, line {line}; {expected}")
