"""Series of numbers: a sine in noise, and a column of a table."""

import csv
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from minigrad.generator import Generator

from .errors import DataError
from .text_file import excerpt, file_lines

_FORMAT = "expected CSV: the names of the columns on the first line, separated by commas"


def noisy_sine(seed: int, length: int, noise: float = 0.1, *, period: float = 25.0) -> np.ndarray:
    """sin(2π t / period) + noise · ε for t = 0 … length - 1, ε standard normal: (length,), float32.

    No prediction of it is better, in the mean of the squares, than `noise` squared.

    >>> noisy_sine(0, 3, noise=0.0, period=4).round(6).tolist()
    [0.0, 1.0, 0.0]
    """
    if length < 0 or not 0 <= noise < math.inf or not 0 < period < math.inf:
        raise ValueError(
            f"noisy_sine(): length is {length}, noise {noise}, period {period}, expected the first two at "
            "least 0, the last above it"
        )
    t = np.arange(length)
    clean = np.sin(2 * np.pi * t / period)
    return (clean + noise * Generator(seed).normal(length, np.float64)).astype(np.float32)


def read_series(path: str | Path, column: str, *, where: Mapping[str, str] | None = None) -> np.ndarray:
    """Read the numbers of one column of a CSV file, from the top down: (T,), float64.

    Args:
        path: the file, UTF-8; its first line names the columns.
        column: the name of one.
        where: columns and what must stand in them for a line to count: {"symbol": "IBM"}.

    DataError, with the file and the line, for a column that is not there, a line with more or fewer cells
    than columns, a cell that is no finite number, no line at all.
    """
    lines = ((number, line) for number, line in file_lines("read_series()", path, _FORMAT) if line.strip())
    rows = [(number, _cells(path, number, line)) for number, line in lines]
    if len(rows) < 2:
        raise DataError(f"read_series(): {path} has no line of numbers, {_FORMAT}")
    (_, names), *body = rows
    for wanted in (column, *(where or {})):
        if names.count(wanted) != 1:
            raise DataError(
                f"read_series(): {path} has {names.count(wanted)} columns {wanted!r}, expected one of "
                f"{excerpt(', '.join(names), 200)}"
            )
    values = []
    for number, cells in body:
        if len(cells) != len(names):
            raise DataError(
                f"read_series(): {path}, line {number}: got {len(cells)} cells, expected {len(names)}, as "
                "many as columns"
            )
        row = dict(zip(names, cells, strict=True))
        if all(row[name] == text for name, text in (where or {}).items()):
            values.append(_number(path, number, column, row[column]))
    if not values:
        raise DataError(f"read_series(): {path} has no line with {dict(where or {})}, expected one or more")
    return np.array(values)


def _cells(path: str | Path, number: int, line: str) -> list[str]:
    """The cells of one line, without the white space at their ends; commas in quotation marks divide none."""
    try:
        [cells] = csv.reader([line], strict=True)
    except csv.Error as error:
        raise DataError(
            f"read_series(): {path}, line {number}: {error} in {excerpt(line)}, {_FORMAT}"
        ) from error
    return [cell.strip() for cell in cells]


def _number(path: str | Path, number: int, column: str, cell: str) -> float:
    """The number in a cell."""
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(
            f"read_series(): {path}, line {number}: {column} is {excerpt(cell)}, expected a finite number; "
            "complete the line or delete it"
        )
    return value
