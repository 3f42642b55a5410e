"""CUDA's own libraries as CuPy finds them; its cuBLAS knows a matrix by address, flags and strides alone."""

import contextlib
import ctypes
import types

import numpy as np

from minigrad.backend_cuda import cuda_libraries

CALLS = []  # what was asked of cuBLAS
MISSING = set()  # libraries that are not installed


@contextlib.contextmanager
def without(*names):
    """Inside, some of "nvrtc", "cublas" and "cudart" are not installed, and nobody has looked for them."""
    MISSING.update(names)
    cuda_libraries.cache_clear()
    try:
        yield
    finally:
        MISSING.difference_update(names)
        cuda_libraries.cache_clear()


class Libraries(types.ModuleType):
    """The module `cupy_backends.cuda.libs`: cuBLAS is loaded by its import, NVRTC by its first call."""

    nvrtc = types.SimpleNamespace(getVersion=lambda: found("nvrtc", RuntimeError) and (13, 2))

    def __getattr__(self, name):
        if name != "cublas":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return found(name, ImportError) and CUBLAS


def found(name, error):
    """Is a library installed? If not, the error is CuPy's."""
    if name in MISSING:
        raise error(f'Failure finding "lib{name}.so.13": No such file: lib{name}.so.13')
    return True


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


CUBLAS = types.SimpleNamespace(gemmStridedBatchedEx=gemm_strided_batched, getVersion=lambda handle: 130200)
libs = Libraries("cupy_backends.cuda.libs")
pathfinder = types.SimpleNamespace(
    find_nvidia_header_directory=lambda name: None if name in MISSING else "include"
)
