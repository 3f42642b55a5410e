"""What a step costs on a GPU: the time between two events there, the time of Python, the number of kernels.

Both libraries spell events and memory alike, so one text measures both.
"""

import importlib
import time
from collections.abc import Callable
from typing import Any


def gpu_times(library: Any, run: Callable[[], Any], samples: int) -> list[tuple[float, float]]:
    """(seconds on the GPU, seconds until Python had asked for all of it) of each run, after two."""
    taken = []
    for number in range(samples + 2):
        begin, end = (library.cuda.Event(enable_timing=True) for _ in range(2))
        library.cuda.synchronize()
        start = time.perf_counter()
        begin.record()
        run()
        end.record()
        python = time.perf_counter() - start
        library.cuda.synchronize()
        if number >= 2:
            taken.append((begin.elapsed_time(end) / 1e3, python))
    return taken


def kernel_count(library: Any, run: Callable[[], Any]) -> int | None:
    """How many kernels one run starts, as PyTorch's profiler sees them, also CuPy's; None without PyTorch."""
    try:
        profiler = importlib.import_module("torch.profiler")
    except ImportError:
        return None
    library.cuda.synchronize()
    with profiler.profile(activities=[profiler.ProfilerActivity.CUDA]) as profile:
        run()
        library.cuda.synchronize()
    copies = ("Memcpy", "Memset")
    kernels = [event for event in profile.events() if "CUDA" in str(event.device_type)]
    return sum(not event.name.startswith(copies) for event in kernels)


def peak_gpu_memory(library: Any) -> float:
    """The most memory that arrays have held on the GPU, in MB."""
    return float(library.cuda.max_memory_allocated()) / 2**20
