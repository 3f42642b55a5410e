"""The softmax of attention: over a short last dimension, of many rows, with a mask.

Each row is shifted by its largest element, so that no exponential overflows; but the largest elements of many
short rows take NumPy longer than all the rest.  Where no two scores of all are farther apart than SPREAD, one
shift, by the largest of all, serves every row: the sum of a row is then at least 2^-SPREAD, and nothing that
counts is lost.  A mask is multiplied after the exponential, when it can no longer cost a row its digits.

Measured for scores (32, 4, 32, 32) in float32, one thread: attention's forward of 1,248 µs became 648.
"""

from typing import Any

import numpy

from minigrad.buffers import room
from minigrad.threads import each

from .rows import BLOCK, blocks, row_sums

SPREAD = 60.0  # in powers of two; float32 goes down to 2^-126
LOG2_E = 1.4426950408889634


def softmax_(xp: Any, scores: Any, mask: Any = None) -> Any:
    """e^scores / Σ e^scores along the last dimension; what the scores held is lost.

    mask: bool, True where an element counts, or floating and added to the scores; it broadcasts. A row
    without any element that counts becomes 0.
    """
    if mask is not None and (shape := numpy.broadcast_shapes(scores.shape, mask.shape)) != scores.shape:
        scores = xp.broadcast_to(scores, shape).copy()
    if not scores.size:
        return scores
    if xp is numpy and scores.dtype == "float32" and _close_together(scores, mask):
        factor = None if mask is None else mask if mask.dtype == "bool" else numpy.exp(mask)
        scores -= scores.max()
        scores *= LOG2_E
        numpy.exp2(scores, out=scores)  # in half the time of exp
        if factor is not None:
            scores *= factor
    else:
        if mask is not None:
            scores = xp.where(mask, scores, -xp.inf) if mask.dtype == "bool" else scores + mask
        top = scores.max(axis=-1, keepdims=True)
        scores -= top if mask is None else xp.where(xp.isfinite(top), top, xp.zeros_like(top))
        xp.exp(scores, out=scores)
    total = row_sums(xp, scores)
    if mask is not None:
        total = xp.where(total == 0, xp.ones_like(total), total)
    scores *= xp.divide(1, total, out=total)
    return scores


def _close_together(scores: Any, mask: Any) -> bool:
    """May all rows be shifted by one number? nan and inf say no."""
    spread = float(scores.max() - scores.min())
    if mask is not None and mask.dtype != "bool":
        finite = mask[mask != -numpy.inf]
        if finite.size:
            low, high = float(finite.min()), float(finite.max())
            spread += max(abs(low), abs(high)) * 2
    return spread * LOG2_E < SPREAD


def exponentials(xp: Any, rows: Any) -> tuple[Any, Any, Any]:
    """e^(x - max x), its sum, and max x, for each row of (N, C).

    By blocks of rows, which stay in the cache: 8.0 ms became 5.0 for (1024, 5000) in float32; two threads
    take two thirds of that.
    """
    if xp is not numpy or rows.size <= BLOCK:
        top = rows.max(axis=1)
        y = rows - top[:, None]
        xp.exp(y, out=y)
        return y, row_sums(xp, y)[:, 0], top
    y = room(xp, rows.shape, rows.dtype)
    total, top = xp.empty(len(rows), rows.dtype), xp.empty(len(rows), rows.dtype)

    def work(part: slice) -> None:
        here = y[part]
        rows[part].max(axis=1, out=top[part])
        xp.subtract(rows[part], top[part, None], out=here)
        xp.exp(here, out=here)
        here.sum(axis=1, out=total[part])

    each(work, blocks(xp, rows))
    return y, total, top
