"""Floor 7: the safetensors layout, which holds arrays and text and nothing that could run.

    | n: 8 bytes, little-endian | n bytes of JSON, padded with spaces | the bytes of the arrays |

    {"__metadata__": {"made by": "me"}, "w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}

Offsets count from the end of the header, and the entries tile the data without a hole or an overlap.  What a
header claims is compared with the size of the file before a byte is set aside for it.  The header is read by
a parser of exactly this grammar, which stops at the first byte that does not belong: no nesting, number or
list is ever built that is not part of an entry.

Reference: Hugging Face, safetensors 0.8, "Format" (https://github.com/huggingface/safetensors#format).
"""

import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from .errors import CheckpointError

MAX_HEADER = 100_000_000  # bytes, as in the reference
MAX_MEMBERS = 30_000  # tensors in a file, and keys in its metadata
MAX_NAME = 4_096  # characters in the name of a tensor
MAX_RANK = 64  # NumPy's own limit
MAX_TEXT = 16_000_000  # bytes of a string
PIECE = 65_536  # numbers that are widened at once
METADATA = "__metadata__"

# How each type lies in the file.  BF16 is the upper half of a float32, held as uint16 since NumPy lacks it.
STORED: dict[str, np.dtype] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U64": np.dtype("<u8"),
    "U32": np.dtype("<u4"),
    "U16": np.dtype("<u2"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("bool"),
}
_CODES = {dtype.newbyteorder("="): code for code, dtype in STORED.items() if code != "BF16"}

# What a file of another kind begins with.  Each makes an impossible length of a header.
_FOREIGN = {
    rb"\x80[\x02-\x05][^\x00]": "a Python pickle; loading one runs the code in it, so it is refused; where "
    "you trust it, load it with what wrote it, and save its tensors by safetensors",
    rb"PK[\x03\x05][\x04\x06]": "a zip archive, such as torch.save writes, or numpy.savez; pickles may be in "
    "it, so it is refused; where you trust it, load it there, and save its tensors by safetensors",
    rb"\x93NUMPY": "an .npy file; read it with numpy.load",
}


class Entry(NamedTuple):
    """One tensor as the header declares it; `begin` and `end` count from the end of the header."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


# -------------------------------------------------------------------------------- writing


def write(file: BinaryIO, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Write the arrays to `file`, widest elements first, so that each lies at a multiple of its width."""
    entries: dict[str, Entry] = {}
    position = 0
    for name in sorted(arrays, key=lambda name: (-arrays[name].itemsize, name)):
        array = arrays[name]
        entries[name] = Entry(code_of(name, array), array.shape, position, position + array.nbytes)
        position += array.nbytes
    header = _encode({name: entries[name] for name in arrays}, metadata)
    file.write(len(header).to_bytes(8, "little") + header)
    for name, entry in entries.items():
        file.write(stored_bytes(arrays[name], entry.dtype).data)


def code_of(name: str, array: np.ndarray) -> str:
    """The layout's word for the array's type (`F32`); TypeError when it has none."""
    if array.dtype.name == "bfloat16":  # ml_dtypes' type, known by its name: the package need not be here
        return "BF16"
    code = _CODES.get(array.dtype.newbyteorder("="))
    if code is None:
        raise TypeError(
            f"save(): tensors[{name!r}] has dtype {array.dtype}, expected one of "
            f"{', '.join(str(dtype) for dtype in _CODES)} or bfloat16; convert it with .astype()"
        )
    return code


def stored_bytes(array: np.ndarray, code: str) -> np.ndarray:
    """The bytes of `array` as they lie in the file: little-endian, row after row.  A view where possible."""
    if code == "BF16":
        array = np.ascontiguousarray(array).view(np.uint16)
    return np.ascontiguousarray(array, dtype=STORED[code]).reshape(-1).view(np.uint8)


def _encode(entries: Mapping[str, Entry], metadata: Mapping) -> bytes:
    """The header as JSON, padded to a multiple of eight bytes; what a reader would refuse is refused here."""
    members: dict[str, object] = {}
    for key, text in metadata.items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise TypeError(
                f"save(): metadata must map str to str, got {key!r}: {text!r}"[:200]
                + "; write numbers as text"
            )
    if metadata:
        members[METADATA] = dict(metadata)
    for name, entry in entries.items():
        if name == METADATA or len(name) > MAX_NAME:
            raise ValueError(
                f"save(): a tensor cannot be named {name[:40]!r}: {METADATA!r} is reserved, and a name has "
                f"at most {MAX_NAME:,} characters; rename it"
            )
        members[name] = {"dtype": entry.dtype, "shape": entry.shape, "data_offsets": (entry.begin, entry.end)}
    try:
        header = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"save(): a name or a text of the metadata is not UTF-8: {error.reason}") from None
    header += b" " * (-len(header) % 8)
    if len(header) > MAX_HEADER or max(len(entries), len(metadata)) > MAX_MEMBERS:
        raise ValueError(
            f"save(): {len(entries):,} tensors and {len(metadata):,} keys of metadata make a header of "
            f"{len(header):,} bytes; at most {MAX_MEMBERS:,} of each and {MAX_HEADER:,} bytes fit; "
            "use several files"
        )
    return header


# -------------------------------------------------------------------------------- reading


def read(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays of a file, fresh and writeable, and its metadata.

    BF16 becomes float32, which holds it exactly, whether or not a package that knows bfloat16 is installed.
    Raises CheckpointError, with the path, the byte and the field, for a file that is not in the layout.
    """
    if Path(path).is_fifo():  # opening one would wait for a writer
        raise CheckpointError(f"{path}: byte 0: this is a pipe, expected a file; write what it brings to one")
    with Path(path).open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        header = _Header(str(path), _header_bytes(file, size, str(path)))
        entries, metadata = header.read()
        _check_tiling(header, entries, size)
        arrays = dict.fromkeys(entries, np.empty(0))  # in the order of the header
        for name in sorted(entries, key=lambda name: entries[name].begin):
            arrays[name] = _read_array(file, name, entries[name], header)
    return arrays, metadata


def _header_bytes(file: BufferedReader, size: int, path: str) -> bytes:
    """The JSON of the header, of a length that the file can hold."""
    start = file.read(9)
    length = int.from_bytes(start[:8], "little")
    if start[8:] == b"{" and 2 <= length <= min(MAX_HEADER, size - 8):
        file.seek(8)
        return file.read(length)
    for magic, kind in _FOREIGN.items():
        if re.match(magic, start):
            raise CheckpointError(f"{path}: byte 0: this is {kind}; expected the safetensors layout")
    if len(start) < 8:
        problem = f"file is {size:,} bytes, expected 8 for the length of the header alone"
    elif length > size - 8:
        problem = f"file is {size:,} bytes, header claims {length:,}"
    elif not 2 <= length <= MAX_HEADER:
        problem = f"header claims {length:,} bytes, expected 2 to {MAX_HEADER:,}"
    else:
        raise CheckpointError(f"{path}: byte 8: header: got {start[8:]!r}, expected b'{{'")
    raise CheckpointError(f"{path}: byte 0: header length: {problem}")


def _check_tiling(header: "_Header", entries: Mapping[str, Entry], size: int) -> None:
    """Each entry must begin where the one before it ends, and the last must end with the file."""
    position, end = 0, size - header.data
    for name, entry in sorted(entries.items(), key=lambda item: item[1][2:]):
        if entry.begin != position:
            kind = "a hole" if entry.begin > position else "an overlap"
            problem = f"begins at {entry.begin:,}, expected {position:,}: {kind}"
            raise header.error(f"{name!r}.data_offsets", problem, header.data)
        position = entry.end
    if position != end:
        problem = f"file is {size:,} bytes, header claims {header.data + position:,}"
        raise header.error("data", problem, header.data)


def _read_array(file: BufferedReader, name: str, entry: Entry, header: "_Header") -> np.ndarray:
    """The next array of the file."""
    stored = np.dtype("<f4") if entry.dtype == "BF16" else STORED[entry.dtype]
    array = np.empty(entry.shape, stored)
    raw = array.reshape(-1).view(np.uint8)
    if entry.dtype == "BF16":
        raw = raw[raw.size // 2 :]  # the upper halves of the numbers lie here until they are widened
    got = file.readinto(raw.data) if raw.size else 0
    if got != raw.size:
        problem = f"file ends after {got:,} of its {raw.size:,} bytes"
        raise header.error(repr(name), problem, header.data + entry.begin)
    if entry.dtype == "BOOL" and raw.max(initial=0) > 1:
        raise header.error(repr(name), "got a byte above 1, expected BOOL", header.data + entry.begin)
    if entry.dtype == "BF16":
        _widen(array.reshape(-1).view("<u4"))
    return array.astype(stored.newbyteorder("="), copy=False)


def _widen(words: np.ndarray) -> None:
    """Let each 16-bit number in the second half of `words` become the upper half of a word, in place.

    After k of the n words 4 k bytes are written, and the numbers to be read begin at 2 n + 2 k, not before.
    """
    halves = words.view("<u2")[words.size :]
    for start in range(0, words.size, PIECE):
        piece = halves[start : start + PIECE].astype("<u4")
        words[start : start + PIECE] = piece << 16


class _Header:
    """A cursor over the JSON of a header, and its grammar: an object of entries, and one of strings."""

    # The signs ++ and *+ keep no way back from what they matched, and so no memory of one.
    SPACE = re.compile(rb"[ \t\n\r]*+")
    STRING = re.compile(SPACE.pattern + rb'("(?:[^"\\\x00-\x1f]++|\\.)*+")')
    NUMBER = re.compile(SPACE.pattern + rb"(0|[1-9][0-9]{0,18})(?![0-9.eE])")

    def __init__(self, path: str, text: bytes) -> None:
        self.path, self.text, self.position = path, text, 0
        self.data = 8 + len(text)  # where the arrays begin

    def error(self, field: str, problem: str, offset: int | None = None) -> CheckpointError:
        """The error that names the file, the byte and the field (by default, where the cursor stands)."""
        return CheckpointError(
            f"{self.path}: byte {8 + self.position if offset is None else offset:,}: {field[:100]}: {problem}"
        )

    def read(self) -> tuple[dict[str, Entry], dict[str, str]]:
        """The entries, each consistent in itself, and the metadata."""
        entries: dict[str, Entry] = {}
        metadata: dict[str, str] = {}
        for name in self.members("header"):
            if name == METADATA:
                metadata = {key: self.string(METADATA) for key in self.members(METADATA)}
            else:
                entries[name] = self.entry(name)
        if self.text[self.position :].strip(b" "):
            raise self.error("header", "got more after its end, expected spaces")
        return entries, metadata

    def entry(self, name: str) -> Entry:
        """{"dtype": ..., "shape": [...], "data_offsets": [begin, end]}, in any order."""
        if len(name) > MAX_NAME:
            raise self.error("name", f"got {len(name):,} characters, expected at most {MAX_NAME:,}")
        dtype, shape, offsets = None, None, None
        for field in self.members(repr(name)):
            if field == "dtype":
                dtype = self.string(f"{name!r}.dtype")
            elif field == "shape":
                shape = self.integers(f"{name!r}.shape", MAX_RANK)
            elif field == "data_offsets":
                offsets = self.integers(f"{name!r}.data_offsets", 2)
            else:
                raise self.error(repr(name), f"got field {field[:40]!r}, expected dtype, shape, data_offsets")
        if dtype is None or shape is None or offsets is None or len(offsets) != 2:
            raise self.error(repr(name), "expected dtype, shape and two data_offsets")
        if dtype not in STORED:
            raise self.error(f"{name!r}.dtype", f"got {dtype[:40]!r}, expected one of {', '.join(STORED)}")
        width, (begin, end) = STORED[dtype].itemsize, offsets
        if math.prod(max(side, 1) for side in shape) * width >= 2**63:
            raise self.error(f"{name!r}.shape", f"got {shape}, more than memory can address")
        if end - begin != math.prod(shape) * width:
            problem = f"got {end - begin:,} bytes, expected {math.prod(shape) * width:,} for {dtype} {shape}"
            raise self.error(f"{name!r}.data_offsets", problem)
        return Entry(dtype, shape, begin, end)

    def members(self, field: str) -> Iterator[str]:
        """The keys of an object; whoever asks reads the value of one before asking for the next."""
        seen: set[str] = set()
        for _ in self.items(field, b"{", b"}"):
            key = self.string(field)
            if key in seen:
                raise self.error(field, f"key {key[:40]!r} appears twice")
            if len(seen) == MAX_MEMBERS:
                raise self.error(field, f"got more than {MAX_MEMBERS:,} keys")
            seen.add(key)
            self.expect(field, b":")
            yield key

    def integers(self, field: str, most: int) -> tuple[int, ...]:
        """A list of at most `most` integers that are not negative."""
        found: list[int] = []
        for _ in self.items(field, b"[", b"]"):
            if len(found) == most:
                raise self.error(field, f"got more than {most} numbers")
            found.append(int(self.token(field, self.NUMBER, "an integer from 0 to 2**63")))
        return tuple(found)

    def items(self, field: str, opening: bytes, closing: bytes) -> Iterator[None]:
        """One turn for each item of a list or an object."""
        self.expect(field, opening)
        if self.accept(closing):
            return
        yield
        while not self.accept(closing):
            self.expect(field, b",")
            yield

    def string(self, field: str) -> str:
        """A string, its escapes resolved."""
        token = self.token(field, self.STRING, "a string")
        if len(token) > MAX_TEXT:
            raise self.error(field, f"got a string of {len(token):,} bytes, expected at most {MAX_TEXT:,}")
        try:
            if b"\\" not in token:
                return token[1:-1].decode()
            text: str = json.loads(token.decode())
            text.encode()  # a lone surrogate, written as an escape, is no text
        except ValueError as error:
            raise self.error(field, f"got a string that is not UTF-8 text: {error}") from None
        return text

    def token(self, field: str, pattern: re.Pattern[bytes], expected: str) -> bytes:
        """What `pattern` matches at the cursor, without the space before it."""
        found = pattern.match(self.text, self.position)
        if found is None:
            got = self.text[self.position : self.position + 20]
            raise self.error(field, f"got {got!r}, expected {expected}")
        self.position = found.end()
        return found[1]

    def expect(self, field: str, mark: bytes) -> None:
        """Step over `mark`, which must come next."""
        if not self.accept(mark):
            got = self.text[self.position : self.position + 20]
            raise self.error(field, f"got {got!r}, expected {mark.decode()!r}")

    def accept(self, mark: bytes) -> bool:
        """Step over space, and over `mark` if it comes next."""
        if not self.text.startswith(mark, self.position):
            space = self.SPACE.match(self.text, self.position)
            assert space is not None, "no space is a match too"
            self.position = space.end()
            if not self.text.startswith(mark, self.position):
                return False
        self.position += len(mark)
        return True
