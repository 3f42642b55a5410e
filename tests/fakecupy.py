"""An array library that behaves as CuPy does where CuPy is stricter than NumPy, without a GPU.

Its arrays refuse to meet NumPy's arrays or to become one, its results of dimension 0 stay arrays, it lacks
what CuPy lacks, and an index out of range wraps around in silence.  What runs on it does not depend on NumPy
by accident.  Its kernels are the library's own, compiled by g++, and its cuBLAS reads and writes memory by
pointers, flags and strides alone.  Inside `with fakecupy.queued():` copies from pinned memory stay under way
until the host waits; inside `with fakecupy.gpus(2):` there are two GPUs, and an operation takes only arrays
of the current one.  `with fakecupy.installed():` puts it in CuPy's place.
"""

import contextlib
import ctypes
import sys
import threading
import types
import weakref
from collections import deque

import numpy as np
import pytest

from kernel_bodies import run
from minigrad import backend
from minigrad.kernels.cupy_library import Library
from minigrad.kernels.cupy_sources import SOURCES

LACKING = {
    *("block", "matvec", "vecdot", "vecmat", "unstack", "insert", "spacing", "nanpercentile", "einsum_path"),
    *("nditer", "seterr", "geterr", "errstate", "geomspace"),
}
LINALG = {
    *("cholesky", "cond", "det", "eig", "eigh", "eigvals", "eigvalsh", "inv", "lstsq", "matrix_power"),
    *("matrix_rank", "norm", "pinv", "qr", "slogdet", "solve", "svd", "tensorinv", "tensorsolve"),
}
AT = {  # ufunc -> for which types `at` is there
    "add": {"float16", "float32", "float64", "int32", "int64", "uint32", "uint64"},
    "subtract": {"int32", "uint32"},
    "maximum": {"float32", "float64", "int32", "int64", "uint32", "uint64"},
    "minimum": {"float32", "float64", "int32", "int64", "uint32", "uint64"},
}
REDUCE = {"add", "multiply"}


class FakeArray(np.lib.mixins.NDArrayOperatorsMixin):
    """A numpy.ndarray behind glass."""

    __slots__ = ("__weakref__", "_array", "_base", "_place")

    def __init__(self, array, base=None):
        self._array, self._base = array, base
        self._place = CURRENT.stack[-1] if base is None else base._place

    # what every array has
    shape = property(lambda self: self._array.shape)
    dtype = property(lambda self: self._array.dtype)
    ndim = property(lambda self: self._array.ndim)
    size = property(lambda self: self._array.size)
    itemsize = property(lambda self: self._array.itemsize)
    nbytes = property(lambda self: self._array.nbytes)
    strides = property(lambda self: self._array.strides)
    __cuda_array_interface__ = property(lambda self: self._array.__array_interface__)
    flags = property(lambda self: self._array.flags)
    T = property(lambda self: FakeArray(self._array.T, self))
    device = property(lambda self: types.SimpleNamespace(id=self._place))
    data = property(lambda self: types.SimpleNamespace(ptr=self._array.ctypes.data, device_id=self._place))

    @property
    def base(self):
        """The array that owns the memory that this one views, as CuPy tells it."""
        if self._array.flags.owndata or self._base is None:
            return None
        return self._base if self._base.base is None else self._base.base

    def get(self):
        """The values on the host: the one way out."""
        wait("get")
        arrive()
        return self._array.copy()

    def set(self, array, stream=None):
        """Copy an array of the host in: at once, or, from pinned memory, when its turn comes."""
        block = array
        while isinstance(block, np.ndarray | memoryview):
            block = block.obj if isinstance(block, memoryview) else block.base
        if QUEUED[-1] and isinstance(block, PinnedMemoryPointer):
            COPIES.append((self._array, weakref.ref(block)))
        else:
            self._array[...] = array

    def item(self):
        return self.get().item()

    def tolist(self):
        return self.get().tolist()

    def __array__(self, *args, **keywords):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`")

    def __len__(self):
        return len(self._array)

    def __bool__(self):
        return bool(self.get())

    def __float__(self):
        return float(self.get())

    def __int__(self):
        return int(self.get())

    def __getitem__(self, index):
        return wrapped(self._array[wrapping(index, self._array.shape)], self)

    def __setitem__(self, index, value):
        self._array[wrapping(index, self._array.shape)] = bare(value)

    def __getattr__(self, name):
        if name.startswith("__") or name not in METHODS:
            raise AttributeError(f"'cupy.ndarray' object has no attribute {name!r}")
        method = getattr(self._array if name in VIEWS else bare(self), name)
        if name in COUNTING:
            wait(name)
        if name == "take":
            keywords_of_take = {"mode": "wrap"}  # CuPy does not look at the range
            return lambda *args, **keywords: wrapped(
                method(*map(bare, args), **bare(keywords), **keywords_of_take), self
            )
        return lambda *args, **keywords: wrapped(method(*map(bare, args), **bare(keywords)), self)

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        if method == "at":
            return Ufunc(ufunc).at(*inputs)
        if any(isinstance(value, list | tuple) for value in inputs):
            raise TypeError("Unsupported type <class 'list'>")
        if method in ("reduce", "accumulate") and ufunc.__name__ not in REDUCE:
            raise NotImplementedError(f"cupy.{ufunc.__name__}.{method}")
        found = getattr(ufunc, method)(*map(bare, inputs), **bare(keywords))
        return keywords["out"][0] if keywords.get("out") else wrapped(found)

    def __array_function__(self, function, kinds, args, keywords):
        if function.__name__ in LACKING:
            raise AttributeError(f"module 'cupy' has no attribute {function.__name__!r}")
        return wrapped(function(*bare(args), **bare(keywords)))


VIEWS = {"reshape", "ravel", "squeeze", "swapaxes", "transpose", "view"}  # of which no kernel is launched
METHODS = {
    *("all", "any", "argmax", "argmin", "max", "mean", "min", "prod", "std", "sum", "var"),
    *("argsort", "astype", "clip", "copy", "fill", "flatten", "nonzero", "ravel", "repeat", "reshape"),
    *("sort", "squeeze", "swapaxes", "take", "transpose", "view"),
}


COUNTING = {
    "nonzero",
    "flatnonzero",
    "argwhere",
    "where",
    "unique",
    "extract",
    "compress",
}  # how many, is not known


class Current(threading.local):
    """The GPU that a thread computes on: the last of its stack."""

    def __init__(self):
        self.stack = [0]


WAITING = [True]
CURRENT = Current()
QUEUED = [False]  # do copies wait for their turn?
COPIES = deque()  # those that do: where to, and the block of pinned memory they come from, if it still is


def wait(reason):
    """The host waits for the GPU, if it may."""
    if not WAITING[-1]:
        raise RuntimeError(f"DeviceSynchronized: {reason}")


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


def arrive():
    """Do the copies that are queued; of a block that was given back by now comes what others wrote there."""
    while COPIES:
        target, block = COPIES.popleft()
        memory = block() or b"\xff" * target.nbytes
        target[...] = np.frombuffer(memory, target.dtype, target.size).reshape(target.shape)


@contextlib.contextmanager
def gpus(count):
    """Inside, there are so many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime, "getDeviceCount", lambda: count)
        yield


def bare(value):
    """What lies behind the glass; a NumPy array is refused, as the GPU would refuse it."""
    if isinstance(value, FakeArray):
        if value._place != CURRENT.stack[-1]:
            raise ValueError(
                f"Array device must be same as the current device: {value._place} is not {CURRENT.stack[-1]}"
            )
        return value._array
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}: an array of NumPy met one of CuPy")
    if isinstance(value, tuple | list):
        return type(value)(bare(item) for item in value)
    if isinstance(value, dict):
        return {name: bare(item) for name, item in value.items()}
    return value


def wrapped(value, base=None):
    """A result as CuPy would give it: of dimension 0, too, an array."""
    if isinstance(value, np.ndarray | np.generic):
        return FakeArray(np.asarray(value), base)
    if isinstance(value, tuple | list):
        return type(value)(wrapped(item, base) for item in value)
    return value


def wrapping(index, shape):
    """An index with integer arrays taken modulo the size, since CuPy does not look at their range."""
    parts = index if isinstance(index, tuple) else (index,)
    plain = tuple(bare(part) for part in parts)
    if any(map(is_mask, plain)):
        wait("a bool index")
    sizes, found = list(shape), []
    taken = [part.ndim if is_mask(part) else part is not None and part is not Ellipsis for part in plain]
    for part, takes in zip(plain, taken, strict=True):
        if part is Ellipsis:
            del sizes[: len(shape) - sum(taken)]
        elif isinstance(part, np.ndarray) and part.dtype.kind in "iu":
            part = part % max(sizes[0], 1)  # noqa: PLW2901 (in CuPy's way)
        found.append(part)
        del sizes[:takes]
    return tuple(found) if isinstance(index, tuple) else found[0]


def is_mask(part):
    return isinstance(part, np.ndarray) and part.dtype.kind == "b"


def as_strided(x, shape, strides):
    """A view with strides of its own."""
    return FakeArray(np.lib.stride_tricks.as_strided(x._array, shape, strides), x)


class FakeModule(types.ModuleType):
    """The module `cupy`: NumPy's functions, on fake arrays."""

    ndarray = FakeArray
    lib = types.SimpleNamespace(stride_tricks=types.SimpleNamespace(as_strided=as_strided))

    @staticmethod
    def is_available():
        return True

    @staticmethod
    def get_default_memory_pool():
        return POOL

    get_default_pinned_memory_pool = get_default_memory_pool

    def __getattr__(self, name):
        if name in LACKING or not hasattr(np, name):
            raise AttributeError(f"module 'cupy' has no attribute {name!r}")
        found = getattr(np, name)
        if isinstance(found, np.ufunc):
            return Ufunc(found)
        if isinstance(found, type) or not callable(found):
            return found

        def function(*args, **keywords):
            if name in COUNTING and not (name == "where" and len(args) == 3):
                wait(name)
            if name in ("max", "min", "amax", "amin") and {"initial", "where"} & set(keywords):
                raise TypeError(f"cupy.{name}() got an unexpected keyword argument")
            if name in ("asarray", "array") and isinstance(args[0], np.ndarray):
                copy = FakeArray(np.empty_like(args[0]))
                copy.set(args[0])
                if keywords.get("blocking"):
                    wait("a copy")
                    arrive()
                return copy
            if name == "array" and isinstance(args[0], FakeArray):
                return FakeArray(args[0]._array.copy())  # also from another GPU
            source = args[0] if args and isinstance(args[0], FakeArray) else None  # of a view
            return wrapped(found(*bare(args), **bare(keywords)), source)

        return function


class Linalg:
    """The module `cupy.linalg`."""

    LinAlgError = np.linalg.LinAlgError

    def __getattr__(self, name):
        if name not in LINALG:
            raise AttributeError(f"module 'cupy.linalg' has no attribute {name!r}")

        def function(*args, **keywords):
            if name == "solve" and args[0].shape[:-2] != args[1].shape[:-2]:
                raise ValueError("a must have (..., M, M) shape and b must have (..., M) or (..., M, K)")
            found = getattr(np.linalg, name)(*map(bare, args), **bare(keywords))
            return wrapped(tuple(found) if isinstance(found, tuple) else found)

        return function


class Ufunc:
    """One of CuPy's ufuncs."""

    def __init__(self, ufunc):
        self.ufunc, self.__name__ = ufunc, ufunc.__name__

    def __call__(self, *args, **keywords):
        if any(isinstance(value, list | tuple) for value in args):
            raise TypeError("Unsupported type <class 'list'>")
        found = self.ufunc(*bare(args), **bare(keywords))
        return keywords["out"] if "out" in keywords else wrapped(found)

    def at(self, target, index, *values):
        if self.__name__ not in AT:
            raise NotImplementedError(f"cupy.{self.__name__}.at")
        if target.dtype.name not in AT[self.__name__]:
            raise TypeError(f"cupy.{self.__name__}.at: {target.dtype} is not supported")
        self.ufunc.at(bare(target), wrapping(index, target.shape), *map(bare, values))


# ------------------------------------------------------------------------------------------------ the driver


class ElementwiseKernel:
    """A kernel: the loop that g++ has made of its body."""

    def __init__(self, inputs, outputs, body, name, preamble=""):
        self.source = SOURCES[name.removeprefix("minigrad_")]
        assert (inputs, outputs, body) == self.source[1:4]

    def __call__(self, *arguments, size=None):
        return wrapped(run(self.source, bare(arguments), size))


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


def gemm_strided_batched(handle, transa, transb, m, n, k, alpha, *operands):
    """What cublasGemmStridedBatchedEx does: matrices by columns, found by address and strides alone."""
    (A, type_A, lda, step_A, B, type_B, ldb, step_B, beta, C, type_C, ldc, step_C, batch, compute, way) = (
        operands
    )
    assert type_A == type_B == type_C
    assert (compute, way) in (((70, -1),) if type_A == 1 else ((68, -1), (77, -1)))
    dtype = np.dtype({0: "float32", 1: "float64", 2: "float16"}[type_A])
    scalar = {1: ctypes.c_double}.get(type_A, ctypes.c_float)
    assert (scalar.from_address(alpha).value, scalar.from_address(beta).value) == (1.0, 0.0)

    def matrices(pointer, rows, columns, leading, step):
        if leading < max(1, rows):
            raise ValueError("CUBLAS_STATUS_INVALID_VALUE")
        count = (columns - 1) * leading + rows + step * (batch - 1)
        memory = np.frombuffer((ctypes.c_char * (count * dtype.itemsize)).from_address(pointer), dtype)
        steps = tuple(dtype.itemsize * one for one in (step, 1, leading))
        return np.lib.stride_tricks.as_strided(memory, (batch, rows, columns), steps)

    a = matrices(A, *((k, m) if transa else (m, k)), lda, step_A)
    b = matrices(B, *((n, k) if transb else (k, n)), ldb, step_B)
    wide = np.promote_types(dtype, "float32")
    product = np.matmul(
        (a.swapaxes(1, 2) if transa else a).astype(wide), (b.swapaxes(1, 2) if transb else b).astype(wide)
    )
    matrices(C, m, n, ldc, step_C)[...] = product
    CALLS.append("gemm")


CALLS = []  # what was asked of cuBLAS
POOL = Pool()
runtime = types.SimpleNamespace(
    getDeviceCount=lambda: 1,
    memGetInfo=lambda: (1000, 4096),
    runtimeGetVersion=lambda: 13020,
    driverGetVersion=lambda: 13000,
    getDeviceProperties=lambda index: {"name": b"a fake of CuPy's"},
)
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
libs = types.ModuleType("cupy_backends.cuda.libs")
libs.cublas = types.SimpleNamespace(gemmStridedBatchedEx=gemm_strided_batched)


def is_installed():
    """Does it stand in the place of CuPy now?"""
    return sys.modules.get("cupy") is cupy


@contextlib.contextmanager
def installed():
    """Inside, it stands in the place of CuPy; gives the library of its arrays."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "cupy", cupy)
        patch.setitem(sys.modules, "cupyx", types.SimpleNamespace(allow_synchronize=allow_synchronize))
        patch.setitem(sys.modules, "cupy_backends.cuda.libs", libs)
        for package in ("cupy_backends", "cupy_backends.cuda"):
            patch.setitem(sys.modules, package, types.ModuleType(package))
        library = Library(cupy)
        patch.setitem(backend.NAMESPACES, FakeArray, library)
        yield library
