"""Adam's step on a flat stretch: twelve passes, over what the cache holds; on a GPU one."""

from collections.abc import Sequence
from typing import Any

import numpy


def adam_step(
    xp: Any, p: Any, g: Any, m: Any, v: Any, largest: Any, scratch: Any, *,
    betas: Sequence[float], rate: float, shift: float,
) -> None:  # fmt: skip
    """m ← β₁ m + (1 - β₁) g,  v ← β₂ v + (1 - β₂) g²  and  p ← p - rate m / (√v + shift), in place.

    Where `largest` is not None, it becomes the largest v so far, and stands in the place of v.
    """
    if xp is not numpy and largest is None and p.dtype.itemsize > 2:
        xp.adam(p, m, v, g, betas=betas, rate=rate, shift=shift)
        return
    average(xp, m, v, g, betas, scratch)
    if largest is not None:
        v = xp.maximum(v, largest, out=largest)
    xp.sqrt(v, out=scratch)
    scratch += shift
    xp.divide(m, scratch, out=scratch)
    scratch *= rate
    p -= scratch


def average(xp: Any, m: Any, v: Any, g: Any, betas: Sequence[float], scratch: Any) -> None:
    """m ← β₁ m + (1 - β₁) g and v ← β₂ v + (1 - β₂) g², in place: the two moments of Adam and its kin."""
    m *= betas[0]
    m += xp.multiply(g, 1.0 - betas[0], out=scratch)
    v *= betas[1]
    xp.multiply(g, g, out=scratch)
    scratch *= 1.0 - betas[1]
    v += scratch
