"""The driver: as many GPUs as there are, which of them a thread computes on, and their pool of memory."""

import contextlib
import threading
import types

import pytest

from .waiting import arrive


class Current(threading.local):
    """The GPU that a thread computes on: the last of its stack."""

    def __init__(self):
        self.stack = [0]


CURRENT = Current()
runtime = types.SimpleNamespace(
    getDeviceCount=lambda: 1,
    memGetInfo=lambda: (1000, 4096),
    runtimeGetVersion=lambda: 13020,
    driverGetVersion=lambda: 13000,
    getDeviceProperties=lambda index: {"name": b"a fake of CuPy's"},
)


@contextlib.contextmanager
def gpus(count):
    """Inside, there are so many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime, "getDeviceCount", lambda: count)
        yield


class Device:
    """One of as many GPUs as there are: 1, unless `gpus` says otherwise."""

    compute_capability = "90"

    def __init__(self, index=0):
        self.id = index or 0
        if self.id >= runtime.getDeviceCount():
            raise RuntimeError("cudaErrorInvalidDevice: invalid device ordinal")

    def __enter__(self):
        CURRENT.stack.append(self.id)
        return self

    def __exit__(self, *error):
        CURRENT.stack.pop()

    def use(self):
        CURRENT.stack[-1] = self.id

    def synchronize(self):
        arrive()


class OutOfMemoryError(MemoryError):
    """What CuPy raises."""


class Pool:
    """CuPy's pool of memory, of which `limit` bytes are left."""

    limit = 2**40

    def malloc(self, size):
        if size > self.limit:
            raise OutOfMemoryError
        return size

    def used_bytes(self):
        return 1024

    def total_bytes(self):
        return 2048

    def free_all_blocks(self):
        """Nothing is kept."""


POOL = Pool()
