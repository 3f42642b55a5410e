"""Floor 0: how many threads NumPy's matrix products use.

NumPy's wheels bring OpenBLAS, which takes one thread for each core.  Its threads wait for each other busily:
for small products, or beside another busy program, two can be several times slower than one.
"""

import contextlib
import ctypes
import functools
from collections.abc import Callable
from pathlib import Path

import numpy

_NAMES = ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads64_", "openblas_{}_num_threads")


def get_num_threads() -> int | None:
    """The number of threads of a matrix product on the CPU; None if NumPy's BLAS is not OpenBLAS."""
    function = _function("get")
    return None if function is None else int(function())


def set_num_threads(count: int) -> bool:
    """Let matrix products on the CPU use `count` threads; False if NumPy's BLAS is not OpenBLAS."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"set_num_threads(): expected an integer of at least 1, got {count!r}")
    function = _function("set")
    if function is None:
        return False
    function(ctypes.c_int(count))
    return True


@functools.cache
def _function(verb: str) -> Callable | None:
    """OpenBLAS's own function to get or set the number of threads, in the copy that NumPy has loaded."""
    for library in loaded_libraries():
        for name in _NAMES:
            if hasattr(library, name.format(verb)):
                return getattr(library, name.format(verb))
    return None


@functools.cache
def loaded_libraries() -> tuple[ctypes.CDLL, ...]:
    """The copies of OpenBLAS that came with NumPy."""
    home = Path(numpy.__file__).parent
    found = []
    for path in sorted([*home.parent.glob("numpy.libs/*openblas*"), *home.glob(".dylibs/*openblas*")]):
        with contextlib.suppress(OSError):
            found.append(ctypes.CDLL(str(path)))
    return tuple(found)
