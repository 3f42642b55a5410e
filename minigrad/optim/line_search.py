"""A line search: how far to go along a direction, so that the loss falls enough and its slope flattens."""

import math
from collections.abc import Callable
from typing import NamedTuple

from minigrad.backend import Array

ARMIJO, CURVATURE = 1e-4, 0.9  # c₁ and c₂


class Point(NamedTuple):
    """What is known at a distance `t` along the direction; all but the gradient are numbers of the host.

    slope      the gradient times the direction
    largest    the largest element of the gradient, whatever its sign
    """

    t: float
    loss: float
    gradient: Array
    slope: float
    largest: float


def strong_wolfe(
    probe: Callable[[float], Point], start: Point, t: float, reach: float, limit: int, tolerance: float
) -> Point:
    """A point that meets the strong Wolfe conditions, or the lowest one found in `limit` + 1 evaluations.

        f(t) ≤ f(0) + c₁ t f'(0)                     (1)
        |f'(t)| ≤ -c₂ f'(0)                          (2)

    probe      evaluates the loss at a distance
    start      what is known at the distance 0, where the slope is negative
    t          the distance to try first
    reach      the largest element of the direction: a bracket shorter than tolerance / reach is not refined

    Reference: Nocedal and Wright 2006, "Numerical optimization", algorithms 3.5 and 3.6, and eq. 3.59 for the
    cubic; the safeguards are PyTorch's.
    """
    before, here = start, probe(t)
    for count in range(limit):
        if _too_high(here, start) or (count > 1 and here.loss >= before.loss):
            return _zoom(probe, start, [before, here], reach, limit - count, tolerance)
        if _flat(here, start):
            return here
        if here.slope >= 0:
            return _zoom(probe, start, [before, here], reach, limit - count, tolerance)
        least, most = here.t + 0.01 * (here.t - before.t), here.t * 10
        before, here = here, probe(_lowest_of_cubic(before, here, least, most))
    return start if start.loss <= here.loss else here


def _zoom(
    probe: Callable[[float], Point],
    start: Point,
    ends: list[Point],
    reach: float,
    limit: int,
    tolerance: float,
) -> Point:
    """Shrink a bracket that holds a point we want; `low` is the number of its lower end."""
    low, was_slow = int(ends[0].loss > ends[1].loss), False
    for _ in range(limit):
        if abs(ends[1].t - ends[0].t) * reach < tolerance:
            break
        left, right = sorted((ends[0].t, ends[1].t))
        t, margin = _lowest_of_cubic(ends[0], ends[1], left, right), 0.1 * (right - left)
        is_slow = min(right - t, t - left) < margin
        if is_slow and (was_slow or not left < t < right):  # too near to an end, again: a tenth away from it
            t, is_slow = (right - margin if right - t < t - left else left + margin), False
        was_slow, here = is_slow, probe(t)
        if _too_high(here, start) or here.loss >= ends[low].loss:
            ends[1 - low] = here
            low = int(ends[0].loss > ends[1].loss)
            continue
        if not _flat(here, start) and here.slope * (ends[1 - low].t - ends[low].t) >= 0:
            ends[1 - low] = ends[low]
        ends[low] = here
        if _flat(here, start):
            break
    return ends[low]


def _too_high(here: Point, start: Point) -> bool:
    """Is (1) not met?"""
    return here.loss > start.loss + ARMIJO * here.t * start.slope


def _flat(here: Point, start: Point) -> bool:
    """Is (2) met?"""
    return abs(here.slope) <= -CURVATURE * start.slope


def _lowest_of_cubic(a: Point, b: Point, least: float, most: float) -> float:
    """Where the cubic with the losses and slopes of two points is lowest, kept between two bounds."""
    if a.t > b.t:
        a, b = b, a
    bend = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = bend * bend - a.slope * b.slope
    if square >= 0:
        root = math.sqrt(square)
        steepness = b.slope - a.slope + 2 * root
        lowest = b.t - (b.t - a.t) * (b.slope + root - bend) / steepness if steepness else math.nan
        if math.isfinite(lowest):
            return min(max(lowest, least), most)
    return (least + most) / 2  # a line, or a cubic that only falls, has no lowest point
