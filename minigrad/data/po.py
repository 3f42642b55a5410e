r"""Message catalogues as text, .po:

    #, fuzzy, c-format
    msgctxt "menu"
    msgid "%d file"
    msgid_plural "%d files"
    msgstr[0] "%d Datei"
    msgstr[1] ""
    "%d Dateien"

Adjacent strings are one text, `\n` and its like are C's; `#~` marks a message that the program says no more.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .catalogue import Message
from .errors import DataError
from .text_file import LONGEST_LINE, decoded, excerpt, file_bytes

_FORMAT = "expected a message catalogue (.po)"
_CHARSET = re.compile(rb"charset=([\w.:-]+)")
_NO_CHARSETS = {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}  # Python's own
_LINE = re.compile(r'(?:(msgctxt|msgid|msgid_plural|msgstr)(?:\[(\d{1,3})\])?\s*)?"(.*)"\s*')
_BEGINNING = re.compile(r"#|msgctxt|msgid(?!_plural)")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.?)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", '"': '"', "\\": "\\"}
_ORDER = ("", "msgctxt", "msgid", "msgid_plural", "msgstr")


@dataclass
class _Entry:
    """A message as far as it has been read; `texts` has (keyword, plural form) for keys."""

    line: int
    fuzzy: bool = False
    texts: dict[tuple[str, int], str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, int]:
        """What was read last."""
        return next(reversed(self.texts), ("", 0))


def read_po(path: str | Path) -> list[Message]:
    """Read every message of a catalogue in its order, the header and fuzzy ones included, obsolete ones not.

    The encoding is the one its header names, UTF-8 if it names none. DataError, with the file and the line,
    for anything that is no such catalogue.
    """
    messages = [_message(path, entry) for entry in _entries(path)]
    if not messages:
        raise DataError(f"read_po(): {path} is empty, {_FORMAT}")
    return messages


def encoding_of(function: str, path: str | Path, data: bytes) -> str:
    """The encoding that the header of a catalogue names; templates say CHARSET, which is none."""
    found = _CHARSET.search(data)
    name = found[1].decode("ascii", "replace") if found else "utf-8"
    if name == "CHARSET":
        return "utf-8"
    try:
        if codecs.lookup(name).name not in _NO_CHARSETS:
            b"a".decode(name)  # LookupError: base64 and its like make bytes of bytes
            return name
    except (LookupError, UnicodeError):
        pass
    raise DataError(
        f"{function}: {path} names the encoding {name!r} in its header, expected one that Python knows, such "
        "as utf-8"
    )


def _entries(path: str | Path) -> Iterator[_Entry]:
    """The messages as texts; a new one begins with a comment, msgctxt or msgid that follows a msgstr."""
    data = file_bytes("read_po()", path)
    text = decoded("read_po()", path, data, _FORMAT, encoding_of("read_po()", path, data))
    entry = _Entry(1)
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        if len(line) > LONGEST_LINE:
            raise _refusal(path, number, f"got {len(line):,} characters, expected {LONGEST_LINE:,} at most")
        content = line.strip()
        if entry.key[0] == "msgstr" and _BEGINNING.match(content):
            yield entry
            entry = _Entry(number)
        if content.startswith("#,"):
            entry.fuzzy |= "fuzzy" in map(str.strip, content[2:].split(","))
        if content and not content.startswith("#"):
            _read_line(path, number, content, entry)
    if entry.texts:
        yield entry


def _read_line(path: str | Path, number: int, line: str, entry: _Entry) -> None:
    """Add one line, a keyword with a string or a string alone, to a message."""
    match = _LINE.fullmatch(line)
    if match is None:
        raise _refusal(
            path, number, f"got {excerpt(line)}, expected a comment, or msgid, msgstr and a string in quotes"
        )
    keyword, form, string = match.groups()
    last = entry.key
    if keyword is None:
        if not entry.texts:
            raise _refusal(path, number, f"got {excerpt(line)}, expected a keyword such as msgid before it")
        entry.texts[last] += _unescaped(path, number, string)
        return
    key = (keyword, int(form or 0))
    follows = _ORDER.index(keyword) > _ORDER.index(last[0]) if key[1] == 0 else last == ("msgstr", key[1] - 1)
    if not follows or (form is not None and keyword != "msgstr"):
        after = f"{last[0]} in line {entry.line} and below" if entry.texts else "the beginning of a message"
        raise _refusal(path, number, f"got {excerpt(line)} after {after}, which it cannot follow")
    if not entry.texts:
        entry.line = number
    entry.texts[key] = _unescaped(path, number, string)


def _unescaped(path: str | Path, number: int, string: str) -> str:
    """A string with its escapes replaced; a quotation mark within must be escaped."""

    def replaced(match: re.Match[str]) -> str:
        code = match[1]
        if code in _ESCAPED:
            return _ESCAPED[code]
        if code[:1] == "x" and len(code) > 1:
            return chr(int(code[1:], 16))
        if code and code[0] in "01234567":
            return chr(int(code, 8))
        raise _refusal(path, number, f"got the escape {match[0]!r}, expected one of C's, such as \\n")

    if '"' in _ESCAPE.sub("", string):
        raise _refusal(path, number, f'got {excerpt(string)} with a bare quotation mark, expected \\" for it')
    return _ESCAPE.sub(replaced, string)


def _message(path: str | Path, entry: _Entry) -> Message:
    """The message that an entry's texts are; DataError if one of them is missing."""
    texts = entry.texts
    forms = tuple(text for (keyword, _), text in texts.items() if keyword == "msgstr")
    if ("msgid", 0) not in texts or not forms:
        missing = "msgstr" if ("msgid", 0) in texts else "msgid"
        raise _refusal(path, entry.line, f"got a message without {missing}, expected msgid and msgstr")
    return Message(
        texts["msgid", 0], forms, texts.get(("msgid_plural", 0)), texts.get(("msgctxt", 0)), entry.fuzzy
    )


def _refusal(path: str | Path, line: int, what: str) -> DataError:
    return DataError(f"read_po(): {path}, line {line}: {what}")
