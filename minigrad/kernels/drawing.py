"""Drawing categories by their weights, putting each back or not."""

import math
from typing import Any

import numpy


def drawn_by_weight(xp: Any, weights: Any, points: Any) -> Any:
    """The category in whose part of [0, Σ weights) each point falls, int64.

    For weights (N, C) and points (N, K) of [0, 1), both float64.
    """
    if xp is not numpy:
        return xp.drawn_by_weight(weights, points)
    ends = weights.cumsum(axis=1)
    last = ends[:, -1:]
    inside = numpy.minimum(points * last, numpy.nextafter(last, 0))  # a product may round to the end
    found = numpy.empty(points.shape, "int64")
    for row, places, chosen in zip(ends, inside, found, strict=True):
        chosen[:] = numpy.searchsorted(row, places, side="right")
    return found


def first_arrivals(xp: Any, weights: Any, numbers: Any) -> Any:
    """The categories of each row in the order in which they are drawn if none is put back.

    It is that of a race in which each arrives after an exponential time, at the rate of its weight; `numbers`
    are of [0, 1), one for each.

    Reference: Efraimidis and Spirakis 2006, "Weighted random sampling with a reservoir", algorithm A.
    """
    running = weights > 0
    times = -xp.log1p(-numbers) / xp.where(running, weights, 1.0)
    return xp.argsort(xp.where(running, times, math.inf), axis=1)
