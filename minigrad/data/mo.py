r"""Message catalogues as programs read them, .mo: two tables of strings, and where each lies in the file.

    0  magic number 0x950412de, in the byte order of the file
    4  version
    8  N, the number of messages
    12 where the table of messages begins: N times (length, place)
    16 where the table of translations begins: the same

A message is "context\x04singular\0plural", its translation "form 0\0form 1\0...". Python's gettext reads
these files as well, and compiles the rule for plural forms into code; here no data becomes code.
"""

import struct
from pathlib import Path

from .catalogue import Message, pairs_of
from .errors import DataError
from .pairs import Pair
from .po import encoding_of, read_po
from .text_file import file_bytes

MAGIC = {b"\xde\x12\x04\x95": "<", b"\x95\x04\x12\xde": ">"}  # and which byte order each says


def read_catalogue(path: str | Path) -> list[Pair]:
    """Read the pairs (message, translation) of a catalogue, .po or .mo, in its order.

    What is left out, and how plural forms are paired, is said by `message_pairs`. Both sides are normalised
    (see tokeniser.py). DataError, with the file and the place, for what is no catalogue or has no pair.
    """
    is_compiled = Path(path).suffix == ".mo" or file_bytes("read_catalogue()", path)[:4] in MAGIC
    return pairs_of("read_catalogue()", path, read_mo(path) if is_compiled else read_po(path))


def read_mo(path: str | Path) -> list[Message]:
    """Read every message of a compiled catalogue, in its order, the header included."""
    data = file_bytes("read_mo()", path)
    if data[:4] not in MAGIC or len(data) < 28:
        raise DataError(f"read_mo(): {path} is no compiled message catalogue (.mo); is it whole?")
    order = MAGIC[data[:4]]
    version, number, messages, translations = struct.unpack(f"{order}4I", data[4:20])
    if version >> 16 > 1:
        raise DataError(f"read_mo(): {path} is of version {version >> 16}, expected 0 or 1")
    tables = [_strings(path, data, order, number, start) for start in (messages, translations)]
    header = next((text for key, text in zip(*tables, strict=True) if not key), b"")
    encoding = encoding_of("read_mo()", path, header)
    found = []
    for index, both in enumerate(zip(*tables, strict=True)):
        try:
            message, translation = (side.decode(encoding) for side in both)
        except UnicodeDecodeError as error:
            raise DataError(
                f"read_mo(): {path}, message {index} is not in {encoding}, as its header says"
            ) from error
        context, mark, text = message.rpartition("\x04")
        singular, zero, plural = text.partition("\0")
        found.append(
            Message(
                singular,
                tuple(translation.split("\0")),
                plural if zero else None,
                context if mark else None,
            )
        )
    return found


def _strings(path: str | Path, data: bytes, order: str, number: int, start: int) -> list[bytes]:
    """The strings that a table of (length, place) describes; DataError if one lies outside the file."""
    end = start + 8 * number
    if end > len(data):
        raise DataError(
            f"read_mo(): {path} is {len(data):,} bytes, but its table of {number:,} strings would end at "
            f"{end:,}; is it whole?"
        )
    strings = []
    for index, (length, place) in enumerate(struct.iter_unpack(f"{order}2I", data[start:end])):
        if place + length > len(data):
            raise DataError(
                f"read_mo(): {path} is {len(data):,} bytes, but string {index} would end at "
                f"{place + length:,}; is it whole?"
            )
        strings.append(data[place : place + length])
    return strings
