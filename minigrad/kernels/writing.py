"""Writing by number: of several values that are sent to one element the last one stays, on every device.

NumPy writes one value after the other.  A GPU writes them in whatever order it comes to it; so there it is
found out first which of them is the last, by what a gradient asks as well, and each writes the value of that.
"""

from typing import Any

import numpy

from minigrad.backend import Array, HostArray, is_array, namespace
from minigrad.indexing import index_arrays, may_repeat, numbered


def put(y: Array, index: Any, values: Any) -> None:
    """y[index] = values, in place; the values are an array that broadcasts, or a number."""
    if type(y) is not HostArray and is_array(values) and values.ndim and may_repeat(index):
        xp = namespace(y)
        rows, count, rest = numbered(xp, y.shape, index)
        alone = max(0, values.ndim - rows.ndim - len(rest))  # dimensions of size 1 that the values alone have
        sent = xp.broadcast_to(values.reshape(values.shape[alone:]), rows.shape + rest)
        values = sent.reshape(rows.size, *rest)[last_equal(xp, rows, count)]
    y[index] = values


def last_equal(xp: Any, numbers: Array, count: int) -> Array:
    """For each of the numbers, all below `count`, the place where it stands last, counted through all."""
    places, last = xp.arange(numbers.size), xp.zeros(count, "int64")
    if xp is numpy:
        last[numbers.reshape(-1)] = places
    else:
        xp.maximum.at(last, numbers.reshape(-1), places)
    return last[numbers]


def stays(xp: Any, numbers: Array, count: int) -> Array:
    """Of the values that are sent to places `numbers`, all below `count`: which are the last to arrive?"""
    return last_equal(xp, numbers, count) == xp.arange(numbers.size).reshape(numbers.shape)


def is_last(index: Any, shape: tuple[int, ...]) -> Array:
    """Which of the elements that x[index] names are not named again later? Their values x[index] = v leaves.

    For x of `shape`; the answer broadcasts to x[index].
    """
    xp = namespace(index_arrays(index)[0])
    rows, count, rest = numbered(xp, shape, index)
    return stays(xp, rows, count).reshape(rows.shape + (1,) * len(rest))
