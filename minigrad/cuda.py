"""Floor 6: GPUs, under the names of torch.cuda.

All can be called without CuPy or a GPU: `is_available` and `device_count` then say so, `synchronize` and
`empty_cache` have nothing to do, and the others raise DeviceError with what is missing.

>>> import minigrad as mg
>>> device = "cuda" if mg.cuda.is_available() else "cpu"
"""

from contextlib import AbstractContextManager
from typing import Any

from .backend import cuda_library
from .backend import device as device_type
from .backend_cuda import import_cupy
from .errors import DeviceError, OutOfMemoryError
from .generator import manual_seed

__all__ = [
    "Event", "OutOfMemoryError", "current_device", "device", "device_count", "empty_cache",
    "get_device_capability", "get_device_name", "is_available", "manual_seed", "manual_seed_all",
    "max_memory_allocated", "mem_get_info", "memory_allocated", "memory_reserved",
    "reset_peak_memory_stats", "set_device", "synchronize",
]  # fmt: skip

manual_seed_all = manual_seed  # one generator serves every device: see generator.py


def is_available() -> bool:
    """Are CuPy, CUDA's libraries, a driver and a GPU there? False, never an error, where one is not."""
    return device_count() > 0


def device_count() -> int:
    """The number of GPUs that can be used; 0 without CuPy, CUDA's libraries or a driver."""
    try:
        return import_cupy("device_count()").cuda.runtime.getDeviceCount()
    except DeviceError:
        return 0


def current_device() -> int:
    """The number of the GPU that this thread computes on: 0, unless `set_device` said another."""
    return _cupy("current_device").cuda.get_device_id()


def set_device(device: Any) -> None:
    """Let this thread compute on another GPU."""
    _cupy("set_device").cuda.Device(_index("set_device", device)).use()


def device(device: Any) -> AbstractContextManager[Any]:
    """Inside `with`, this thread computes on another GPU: every operation's tensors must be there."""
    return _cupy("device").cuda.Device(_index("device", device))


def get_device_name(device: Any = None) -> str:
    """The name of a GPU, such as "NVIDIA H100 80GB HBM3"."""
    properties = _cupy("get_device_name").cuda.runtime.getDeviceProperties(_index("get_device_name", device))
    return properties["name"].decode()


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """Its compute capability, such as (9, 0)."""
    cuda = _cupy("get_device_capability").cuda
    found = cuda.Device(_index("get_device_capability", device)).compute_capability
    return int(found[:-1]), int(found[-1])


def synchronize(device: Any = None) -> None:
    """Wait until a GPU has done all that it was given; then an index that was out of range is an IndexError.

    Without a GPU there is nothing to wait for.
    """
    if not is_available():
        return
    library = cuda_library()
    library.cuda.Device(_index("synchronize", device)).synchronize()
    library.raise_noted()


# ------------------------------------------------------------------------------------------------ memory


def memory_allocated(device: Any = None) -> int:
    """The bytes that tensors hold on a GPU."""
    return _of_pool("memory_allocated", device, "used_bytes")


def memory_reserved(device: Any = None) -> int:
    """The bytes that the driver has given: those that tensors hold, and those kept for the next."""
    return _of_pool("memory_reserved", device, "total_bytes")


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes that tensors have held on a GPU since the start, or `reset_peak_memory_stats`."""
    _cupy("max_memory_allocated")
    return cuda_library().peaks.get(_index("max_memory_allocated", device), 0)


def reset_peak_memory_stats(device: Any = None) -> None:
    """Let `max_memory_allocated` begin again with what tensors hold now."""
    held = _of_pool("reset_peak_memory_stats", device, "used_bytes")
    cuda_library().peaks[_index("reset_peak_memory_stats", device)] = held


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """(free bytes, all bytes) of a GPU, as its driver counts them."""
    cuda = _cupy("mem_get_info").cuda
    with cuda.Device(_index("mem_get_info", device)):
        return tuple(cuda.runtime.memGetInfo())


def empty_cache() -> None:
    """Give the memory that no tensor holds back to the driver, also that of pinned copies on the host."""
    if not is_available():
        return
    cupy = cuda_library()
    cupy.release_copied()
    cupy.get_default_memory_pool().free_all_blocks()
    cupy.get_default_pinned_memory_pool().free_all_blocks()


# ------------------------------------------------------------------------------------------------ time


class Event:
    """A mark in the GPU's work, to measure it: `a.record(); step(); b.record(); b.synchronize()`.

    `a.elapsed_time(b)` is then the time between the two in milliseconds, on the GPU's own clock.
    """

    def __init__(self, enable_timing: bool = True) -> None:
        self.mark = _cupy("Event").cuda.Event(disable_timing=not enable_timing)

    def record(self) -> None:
        """Put the mark behind all that was given to the GPU until now."""
        self.mark.record()

    def query(self) -> bool:
        """Has the GPU come past the mark?"""
        return self.mark.done

    def synchronize(self) -> None:
        """Wait until it has."""
        self.mark.synchronize()

    def elapsed_time(self, end_event: "Event") -> float:
        """Milliseconds from this mark to another."""
        return _cupy("Event.elapsed_time").cuda.get_elapsed_time(self.mark, end_event.mark)


def _cupy(name: str) -> Any:
    """The module cupy; DeviceError that names the function and what is missing."""
    return import_cupy(f"cuda.{name}()")


def _index(name: str, place: Any) -> int:
    """The number of a GPU, given as such, by name, or not at all: the current one."""
    if place is None:
        return current_device()
    found = place if isinstance(place, int) else device_type(place).index
    if found is None:
        raise DeviceError(f"cuda.{name}(): got {place!r}, expected a GPU such as 'cuda:0'")
    if not 0 <= found < device_count():
        raise DeviceError(f"cuda.{name}(): got GPU {found}, expected a number below {device_count()}")
    return found


def _of_pool(name: str, place: Any, figure: str) -> int:
    """A figure of the pool of memory of a GPU."""
    cupy = _cupy(name)
    with cupy.cuda.Device(_index(name, place)):
        return getattr(cupy.get_default_memory_pool(), figure)()
