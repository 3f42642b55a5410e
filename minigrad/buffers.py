"""Floor 0: memory for large arrays where malloc does not keep it: arrays that nobody uses any longer.

glibc is told to keep freed memory (allocator.py).  Elsewhere, and where the user has settings of malloc of
his own, the system takes the pages of a large array when it dies and clears fresh ones for the next.  There
the arrays themselves are kept, and one of the right shape to which nobody refers is handed out again: a view,
a memoryview, a tensor of another library each refers to the array, and Python's count tells it.

Only what is computed with `out=` can use them, NumPy's functions make their own results: here the products of
`linear`, and the large arrays of layer norm, attention, cross entropy, dropout and the recurrent layers.

Measured with malloc's defaults, one thread, steps of `minigrad bench`: an attention seq2seq had 2,987 page
faults and has none now, in 0.97 of the time; an LSTM 2,476 and none, 0.96; a Transformer 18,298 and 11,465,
0.98.  Where glibc keeps memory the same steps take 0.98, 0.96 and 0.91.  The price: 6 to 17 % more memory.

MINIGRAD_NO_POOL=1 turns it off, and so does a Python without the global lock, where the count says less.
"""

import math
import os
import sys
import threading
from typing import Any

import numpy

from .allocator import keeps_freed_memory

LARGE = 2**17  # bytes from which an array may have a mapping of its own
MOST = 2**28  # bytes of all arrays that are kept


class Pool:
    """Arrays by shape and type, `most` bytes of them together."""

    def __init__(self, most: int = MOST) -> None:
        self.most, self.bytes = most, 0
        self.lock = threading.Lock()  # of what is changed, not of the search
        self.arrays: dict[tuple[tuple[int, ...], Any], list[Any]] = {}

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """An array with arbitrary numbers in it that nobody else refers to."""
        for array in self.arrays.get((shape, dtype), ()):
            if sys.getrefcount(array) == _NOBODY and _as_made(array, shape, dtype):
                return array
        array = numpy.empty(shape, dtype)
        if array.nbytes <= self.most:
            with self.lock:
                if self.bytes + array.nbytes > self.most:
                    self._forget()
                if self.bytes + array.nbytes <= self.most:
                    self.arrays.setdefault((shape, dtype), []).append(array)
                    self.bytes += array.nbytes
        return array

    def _forget(self) -> None:
        """Let go of the arrays that nobody uses."""
        for key, kept in list(self.arrays.items()):
            self.arrays[key] = [array for array in kept if sys.getrefcount(array) > _NOBODY]
            if not self.arrays[key]:
                del self.arrays[key]
        self.bytes = sum(array.nbytes for kept in self.arrays.values() for array in kept)


def _as_made(array: Any, shape: tuple[int, ...], dtype: Any) -> bool:
    """Has nobody set the array's shape, its strides, its type or its flags meanwhile?"""
    flags = array.flags
    return array.shape == shape and array.dtype == dtype and flags.writeable and flags.c_contiguous


def _references_of_nobody() -> int:
    """What the count says of an array that only a list holds, while a loop looks at it; Pythons differ."""
    return next(sys.getrefcount(array) for array in [object()])


_NOBODY = _references_of_nobody()


def _wanted() -> bool:
    """Is there something to gain, and may arrays be handed out again?"""
    locked = getattr(sys, "_is_gil_enabled", lambda: True)()
    return locked and not keeps_freed_memory and os.environ.get("MINIGRAD_NO_POOL", "0") in ("", "0")


pool: Pool | None = Pool() if _wanted() else None


def room(xp: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """An array with arbitrary numbers in it, where large ones may come from the pool."""
    if pool is None or xp is not numpy or math.prod(shape) * dtype.itemsize < LARGE:
        return xp.empty(shape, dtype)
    return pool.empty(shape, dtype)


def product(xp: Any, a: Any, b: Any) -> Any:
    """The product of two matrices of one type, in such an array."""
    if pool is None:
        return xp.matmul(a, b)
    return xp.matmul(a, b, out=room(xp, (a.shape[0], b.shape[1]), a.dtype))
