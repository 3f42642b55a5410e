"""Floor 0: let the C library keep the memory of arrays that are gone, for the arrays that come.

An array of NumPy's beyond 128 KiB is a mapping of its own under glibc's defaults: the kernel hands it out
page by page, each page cleared at its first touch, and takes it back when the array dies.  A training step
makes and drops hundreds of such arrays.  Three settings of malloc let them come from its heap, and let the
heap keep what was freed: a step of the Transformer of `minigrad bench` takes 0.89 of the time, of an
attention seq2seq 0.90, of an LSTM 0.98 (one thread, Intel Xeon with AVX-512).

The price: the process does not give freed memory back to the system.  Peak memory does not grow.

Nothing is set where the user has set anything of malloc's (MALLOC_..., GLIBC_TUNABLES), where
MINIGRAD_NO_MALLOPT is 1, or where the C library is not glibc; there buffers.py keeps what it can.
"""

import ctypes
import os
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # malloc.h
MAPPED = 1 << 30  # bytes from which an array has a mapping of its own
KEPT = 2**31 - 1  # bytes at the end of the heap that are not given back
GROWTH = 64 << 20  # bytes by which the heap grows at least


def reason_against() -> str | None:
    """Why malloc is left as it is; None if nothing speaks against it."""
    if os.environ.get("MINIGRAD_NO_MALLOPT", "0") not in ("", "0"):
        return "MINIGRAD_NO_MALLOPT is set"
    chosen = sorted(name for name in os.environ if name.startswith("MALLOC_"))
    if "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", ""):
        chosen.append("GLIBC_TUNABLES")
    if chosen:
        return f"{', '.join(chosen)} set by the user"
    if sys.platform != "linux" or not _is_glibc():
        return "the C library is not glibc"
    return None


def keep_freed_memory() -> bool:
    """Make the three settings, unless there is a reason against them; were they made?"""
    if reason_against() is not None:
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    settings = ((M_MMAP_THRESHOLD, MAPPED), (M_TRIM_THRESHOLD, KEPT), (M_TOP_PAD, GROWTH))
    return all(mallopt(ctypes.c_int(name), ctypes.c_int(value)) == 1 for name, value in settings)


def _is_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (ValueError, OSError):
        return False


keeps_freed_memory = keep_freed_memory()  # once, when minigrad is imported
