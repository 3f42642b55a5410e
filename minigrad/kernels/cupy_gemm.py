"""Products of matrices on the GPU, by the one call of cuBLAS that takes them as they lie.

CuPy's matmul copies a transposed operand of more than two dimensions, and launches several kernels where one
of the operands has no batch.  Here the leading dimensions are folded into the rows where the memory allows
it, and everything else is one cublasGemmStridedBatchedEx: a transposed matrix is a flag, a batch that repeats
one matrix is a stride of 0.  Only what lies in no such order is copied.

cuBLAS counts along columns, and a matrix in rows is its transpose in columns; so C = A B is asked for as
Cᵀ = Bᵀ Aᵀ.  The plan is made of shapes and strides alone, in elements, and is tested without a GPU.

Letters: A (..., M, K), B (..., K, N), C (..., M, N).
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy

from minigrad.backend import ways
from minigrad.errors import DeviceError

AS_IT_IS, TRANSPOSED = 0, 1  # cublasOperation_t
DEFAULT_ALGORITHM = -1
TYPES = {"float32": 0, "float64": 1, "float16": 2}  # cudaDataType_t: CUDA_R_32F, CUDA_R_64F, CUDA_R_16F
COMPUTE_32F, COMPUTE_64F, COMPUTE_32F_FAST_TF32 = 68, 70, 77  # cublasComputeType_t
NUMBERS = {name: numpy.array([1.0, 0.0], name) for name in ("float32", "float64")}  # α and β, on the host

Strides = tuple[int, ...]


class Layout(NamedTuple):
    """Is each matrix of an operand transposed, and how far apart are its lines, and they, in elements?"""

    operation: int
    leading: int
    stride: int


def layout(shape: Sequence[int], strides: Strides) -> Layout | None:
    """The layout of matrices (..., rows, columns) in row order; None if they lie in no order of cuBLAS's."""
    rows, columns = shape[-2:]
    down, along = strides[-2:]
    stride = batch_stride(shape[:-2], strides[:-2])
    if stride is None or stride < 0:
        return None
    if (columns == 1 or along == 1) and (rows == 1 or down >= columns):
        return Layout(AS_IT_IS, down if rows > 1 else columns, stride)
    if (rows == 1 or down == 1) and (columns == 1 or along >= rows):
        return Layout(TRANSPOSED, along if columns > 1 else rows, stride)
    return None


def batch_stride(sizes: Sequence[int], strides: Strides) -> int | None:
    """The one step by which all matrices of a batch follow each other; None if there is no such step."""
    steps = [(size, step) for size, step in zip(sizes, strides, strict=True) if size != 1]
    for (_, outer), (size, inner) in pairwise(steps):
        if outer != inner * size:
            return None
    return steps[-1][1] if steps else 0


def folded(shape: Sequence[int], strides: Strides) -> tuple[int, int] | None:
    """(rows, step) if all dimensions but the last make the rows of one matrix, as they lie."""
    step = batch_stride(shape[:-1], strides[:-1])
    return None if step is None else (math.prod(shape[:-1]), step)


def in_elements(array: Any) -> Strides:
    """The strides of an array, counted in its elements."""
    return tuple(stride // array.itemsize for stride in array.strides)


# ------------------------------------------------------------------------------------------------ the product


def binding(cupy: Any) -> tuple[Callable, Callable] | None:
    """(cublasGemmStridedBatchedEx, the handle for it) as CuPy binds them; None where it has no such name."""
    from cupy_backends.cuda.libs import cublas

    gemm = getattr(cublas, "gemmStridedBatchedEx", None)
    return None if gemm is None else (gemm, cupy.cuda.device.get_cublas_handle)


def multiplier(cupy: Any) -> Callable:
    """A function that takes the place of cupy.matmul: the same arguments, the same numbers."""
    bound = binding(cupy)
    if bound is None:
        return cupy.matmul
    gemm, handle = bound

    def matmul(a: Any, b: Any, out: Any = None) -> Any:
        """a b, for vectors, matrices and batches of them, as numpy.matmul has it."""
        same = a.dtype is b.dtype or a.dtype == b.dtype
        if not same or a.dtype.name not in TYPES or not a.ndim or not b.ndim or not a.size or not b.size:
            return cupy.matmul(a, b) if out is None else cupy.matmul(a, b, out=out)
        first = a if a.ndim > 1 else a.reshape(1, -1)
        second = b if b.ndim > 1 else b.reshape(-1, 1)
        if first.shape[-1] != second.shape[-2]:
            raise ValueError(f"matmul: inner sizes {first.shape[-1]} and {second.shape[-2]} differ")
        batch = numpy.broadcast_shapes(first.shape[:-2], second.shape[:-2])
        shape = (*batch, first.shape[-2], second.shape[-1])
        C = cupy.empty(shape, a.dtype) if out is None else out.reshape(shape)  # a view, or C is not out
        if out is not None and not _fits(C, out):
            out[...] = matmul(a, b)
            return out
        if second.ndim == 2 and first.ndim > 2 and (flat := folded(first.shape, in_elements(first))):
            first = first.reshape(flat[0], first.shape[-1])
            C = C.reshape(flat[0], shape[-1])
        _launch(cupy, gemm, handle(), first, second, C)
        if out is not None:
            return out
        return C.reshape(batch + shape[-2:][: a.ndim > 1] + shape[-1:][: b.ndim > 1])

    return matmul


def _fits(C: Any, out: Any) -> bool:
    """Is C the memory of `out`, row after row?"""
    return C.flags.c_contiguous and C.data.ptr == out.data.ptr


def _launch(cupy: Any, gemm: Callable, handle: int, a: Any, b: Any, C: Any) -> None:
    """Write a b to C, whose rows and matrices lie one behind the other.

    cuBLAS sees addresses only: DeviceError unless all three are of the GPU that computes.
    """
    current = cupy.cuda.get_device_id()
    for place in (a.data.device_id, b.data.device_id, C.data.device_id):
        if place != current:
            raise DeviceError(
                f"matmul(): an operand on cuda:{place}, and cuda:{current} computes; move it with .to(), or "
                f"compute within `with mg.cuda.device({place}):`"
            )
    M, N = C.shape[-2:]
    batch = C.shape[:-2]
    a, of_a = _laid_out(cupy, a, batch)
    b, of_b = _laid_out(cupy, b, batch)
    code, single = TYPES[a.dtype.name], a.dtype.itemsize < 8
    compute = COMPUTE_64F
    if single:
        compute = COMPUTE_32F_FAST_TF32 if ways.allow_tf32 and a.dtype.itemsize == 4 else COMPUTE_32F
    one = NUMBERS["float32" if single else "float64"].ctypes.data
    zero = one + (4 if single else 8)
    gemm(
        *(handle, of_b.operation, of_a.operation, N, M, a.shape[-1], one),
        *(b.data.ptr, code, of_b.leading, of_b.stride),
        *(a.data.ptr, code, of_a.leading, of_a.stride, zero),
        *(C.data.ptr, code, N, M * N, math.prod(batch), compute, DEFAULT_ALGORITHM),
    )


def _laid_out(cupy: Any, x: Any, batch: tuple[int, ...]) -> tuple[Any, Layout]:
    """An operand and its layout, for as many matrices as the batch has; a copy if it lies in no order."""
    sizes, strides = (*batch, *x.shape[-2:]), in_elements(x)
    missing = (0,) * (len(batch) + 2 - x.ndim)
    repeated = [0 if size == 1 else stride for size, stride in zip(x.shape[:-2], strides, strict=False)]
    found = layout(sizes, (*missing, *repeated, *strides[-2:]))
    if found is None:
        x = cupy.ascontiguousarray(cupy.broadcast_to(x, sizes))
        found = layout(sizes, in_elements(x))
        assert found is not None, "rows that lie in order"
    return x, found
