"""An array library that behaves as CuPy does where CuPy is stricter than NumPy, without a GPU.

Its arrays refuse to meet NumPy's arrays or to become one, its results of dimension 0 stay arrays, it lacks
what CuPy lacks, and an index out of range wraps around in silence.  What runs on it does not depend on NumPy
by accident.  Its kernels are the library's own, compiled by g++, and its cuBLAS reads and writes memory by
pointers, flags and strides alone.  Inside `with fakecupy.queued():` copies from pinned memory stay under way
until the host waits; inside `with fakecupy.gpus(2):` there are two GPUs, and an operation takes only arrays
of the current one; inside `with fakecupy.without("nvrtc"):` a library of CUDA's is not installed.
`with fakecupy.installed():` puts it in CuPy's place.
"""

import contextlib
import sys
import types

import pytest

from minigrad import backend
from minigrad.kernels.cupy_library import Library

from .array import FakeArray
from .devices import CURRENT, POOL, Device, OutOfMemoryError, Pool, gpus, runtime
from .libraries import CALLS, libs, pathfinder, without
from .module import ElementwiseKernel, FakeModule, Linalg
from .waiting import Event, PinnedMemoryPointer, allow_synchronize, queued, waits

__all__ = [
    "CALLS", "FakeArray", "FakeModule", "Pool", "cuda", "cupy", "gpus", "installed", "is_installed", "libs",
    "queued", "runtime", "waits", "without",
]  # fmt: skip

cuda = types.SimpleNamespace(
    Device=Device,
    Event=Event,
    runtime=runtime,
    memory=types.SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
    device=types.SimpleNamespace(get_cublas_handle=lambda: 1),
    set_allocator=lambda allocate: None,
    get_allocator=lambda: POOL.malloc,
    get_device_id=lambda: CURRENT.stack[-1],
    get_current_stream=lambda: None,
    get_elapsed_time=lambda start, end: 0.0,
    alloc_pinned_memory=PinnedMemoryPointer,
)
cupy = FakeModule("fakecupy")
cupy.linalg, cupy.cuda, cupy.ElementwiseKernel = Linalg(), cuda, ElementwiseKernel
MODULES = {  # as they are imported
    "cupy": cupy,
    "cupyx": types.SimpleNamespace(allow_synchronize=allow_synchronize),
    "cupy_backends": types.ModuleType("cupy_backends"),
    "cupy_backends.cuda": types.ModuleType("cupy_backends.cuda"),
    "cupy_backends.cuda.libs": libs,
    "cuda": types.SimpleNamespace(pathfinder=pathfinder),
}


def is_installed():
    """Does it stand in the place of CuPy now?"""
    return sys.modules.get("cupy") is cupy


@contextlib.contextmanager
def installed():
    """Inside, it stands in the place of CuPy; gives the library of its arrays."""
    with pytest.MonkeyPatch.context() as patch, without():
        for name, module in MODULES.items():
            patch.setitem(sys.modules, name, module)
        library = Library(cupy)
        patch.setitem(backend.NAMESPACES, FakeArray, library)
        yield library
