"""What a task consists of: examples to train on, and examples that are held out to test on."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.data import FieldSpans


@dataclass(frozen=True)
class Example:
    """A pair of texts; `group` is what results are reported by, `spans` where the fields of a date stand."""

    source: str
    target: str
    group: str = "all"
    spans: FieldSpans | None = None


@dataclass(frozen=True)
class Task:
    """The examples of one task: `Example`s, whole texts, pictures with what they show, or series."""

    train: Sequence[Any]
    heldout: Sequence[Any]

    def fingerprint(self) -> str:
        """Eight hexadecimal digits (CRC-32) that change when the examples do."""
        crc = 0
        for example in (*self.train, *self.heldout):
            crc = zlib.crc32(_bytes_of(example), crc)
        return f"{crc:08x}"


def _bytes_of(example: Any) -> bytes:
    if isinstance(example, Example):
        return f"{example.source}\t{example.target}\n".encode()
    if isinstance(example, np.ndarray):
        return np.ascontiguousarray(example).tobytes()
    if isinstance(example, tuple):
        return b"".join(map(_bytes_of, example))
    return str(example).encode()
