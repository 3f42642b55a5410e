"""Event files for TensorBoard: numbers over steps, in the form in which its own package reads them.

A file is a row of records: length (8 bytes), its checksum, data, its checksum (TFRecord).  The data is an
Event in the encoding of Protocol Buffers: field 1 the time, 2 the step, 3 the version of the format in the
first event, 5 a Summary, a list (field 1) of values with a tag (1) and a number (2).  The checksum is CRC-32C
(Castagnoli), turned by 15 bits and shifted by a constant.

Reference: TensorFlow, core/lib/io/record_writer.h, core/util/event.proto and core/framework/summary.proto.
"""

import os
import struct
import time
from collections.abc import Mapping
from pathlib import Path

NAME = "events.out.tfevents."  # how the name of an event file begins: TensorBoard goes by it


class EventFile:
    """A new event file in a folder, to which each call of `add` appends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{NAME}{time.time_ns()}.{os.getpid()}"
        self._append(_field(3, b"brain.Event:2"))

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Record numbers by their names at a step."""
        summary = b"".join(
            _field(1, _field(1, name.encode()) + b"\x15" + struct.pack("<f", value))
            for name, value in values.items()
        )
        self._append(b"\x10" + _varint(step) + _field(5, summary))

    def _append(self, event: bytes) -> None:
        data = b"\x09" + struct.pack("<d", time.time()) + event
        length = struct.pack("<Q", len(data))
        with self.path.open("ab") as file:
            file.write(length + _checksum(length) + data + _checksum(data))


def _field(number: int, content: bytes) -> bytes:
    """A field of bytes: number and kind, length, content."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    """Seven bits in each byte, the lowest first; the eighth says that more follow."""
    low, rest = number & 0x7F, number >> 7
    return bytes([low]) if not rest else bytes([low | 0x80]) + _varint(rest)


def _castagnoli() -> list[int]:
    """The remainders of all bytes."""
    table = []
    for remainder in range(256):
        for _ in range(8):
            remainder = remainder >> 1 ^ (0x82F63B78 if remainder & 1 else 0)  # noqa: PLW2901
        table.append(remainder)
    return table


_TABLE = _castagnoli()


def _checksum(data: bytes) -> bytes:
    """CRC-32C of the data, masked."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
