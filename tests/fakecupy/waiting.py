"""When the host waits for the GPU: whether it may, and the copies that are under way until it does."""

import contextlib
import weakref
from collections import deque

import numpy as np

WAITING = [True]  # may the host wait?
LISTENING = []  # lists of why it did
QUEUED = [False]  # do copies wait for their turn?
COPIES = deque()  # those that do: where to, and the block of pinned memory they come from, if it still is


def wait(reason):
    """The host waits for the GPU, if it may."""
    if not WAITING[-1]:
        raise RuntimeError(f"DeviceSynchronized: {reason}")
    for reasons in LISTENING:
        reasons.append(reason)


@contextlib.contextmanager
def waits():
    """Gives a list of why the host has waited inside."""
    LISTENING.append([])
    try:
        yield LISTENING[-1]
    finally:
        LISTENING.pop()


@contextlib.contextmanager
def allow_synchronize(allowed):
    """Inside, may the host wait for the GPU? CuPy has this function in cupyx."""
    WAITING.append(allowed)
    try:
        yield
    finally:
        WAITING.pop()


@contextlib.contextmanager
def queued():
    """Inside, a copy from pinned memory is done when the host waits, and not before."""
    QUEUED.append(True)
    try:
        yield
    finally:
        arrive()
        QUEUED.pop()


def copy_in(target, array):
    """Copy an array of the host in: at once, or, from pinned memory, when its turn comes."""
    block = array
    while isinstance(block, np.ndarray | memoryview):
        block = block.obj if isinstance(block, memoryview) else block.base
    if QUEUED[-1] and isinstance(block, PinnedMemoryPointer):
        COPIES.append((target, weakref.ref(block)))
    else:
        target[...] = array


def arrive():
    """Do the copies that are queued; of a block that was given back by now comes what others wrote there."""
    while COPIES:
        target, block = COPIES.popleft()
        memory = block() or b"\xff" * target.nbytes
        target[...] = np.frombuffer(memory, target.dtype, target.size).reshape(target.shape)


class PinnedMemoryPointer(bytearray):
    """Page-locked memory of the host; NumPy's arrays on it hold it by this type."""


class Event:
    """A mark in a stream, behind the copies that were queued before it."""

    def __init__(self, disable_timing=False):
        self.timing, self.before = not disable_timing, ()

    def record(self, stream=None):
        self.before = tuple(COPIES)

    @property
    def done(self):
        return not any(copy is one for copy in COPIES for one in self.before)

    def synchronize(self):
        arrive()
