"""CuPy under NumPy's names, completed: what it does otherwise than the library expects is put right.

`namespace(array)` gives this library for an array on a GPU.  A name that is not defined here is CuPy's own.
Beyond NumPy's names it has the kernels of cupy_sources.py, and the check of indices that CuPy leaves out.
"""

import math
import threading
import types
from typing import Any

import numpy

from minigrad.backend import in_pinned_memory, ways
from minigrad.errors import OutOfMemoryError

from .cupy_gemm import multiplier
from .cupy_sources import PREAMBLE, SOURCES


class Library(types.ModuleType):
    """The array library of GPUs, over the module `cupy`."""

    def __init__(self, cupy: Any) -> None:
        super().__init__("minigrad.cupy")
        self.cupy = cupy
        self.matmul = multiplier(cupy)
        self.kernels = {
            name: cupy.ElementwiseKernel(
                source.inputs, source.outputs, source.body, f"minigrad_{name}", preamble=PREAMBLE
            )
            for name, source in SOURCES.items()
        }
        self.peaks: dict[int, int] = {}  # by the number of a GPU: the most bytes in use since last asked
        self._reports: dict[int, Any] = {}  # by the number of a GPU: what `note_outside` has found there
        self._checks: dict[tuple[str, int, int, type], int] = {}  # message, limits, error -> its number
        self._noted = False  # has a check been launched since the reports were read, or is one unread?
        self._copying: list[tuple[Any, numpy.ndarray]] = []  # a mark behind each copy, and what it copies
        self._lock = threading.Lock()  # of the reports, the checks and the copies
        self._malloc = cupy.cuda.get_allocator()  # the pool's, unless the user has set another
        cupy.cuda.set_allocator(self._allocate)

    def __getattr__(self, name: str) -> Any:
        """A name of CuPy's, kept, so that it is found at once the next time."""
        found = getattr(self.cupy, name)
        setattr(self, name, found)
        return found

    # -------------------------------------------------------------------------------- memory

    def moved(self, array: Any, index: int, *, non_blocking: bool) -> Any:
        """A copy of an array, of the host or of another GPU, in the memory of the GPU `index`.

        With `non_blocking` the array is held until it has been copied: pinned memory that nobody holds is
        given to the next who asks, and the copy may still be queued then.
        """
        with self.cupy.cuda.Device(index):
            if not isinstance(array, numpy.ndarray):
                return self.cupy.array(array)
            if not non_blocking:
                # What is not pinned CuPy first copies to memory of its own, and need not wait.
                return self.cupy.array(array, blocking=in_pinned_memory(array))
            source, stream = numpy.ascontiguousarray(array), self.cupy.cuda.get_current_stream()
            copy, mark = self.cupy.empty(array.shape, array.dtype), self.cupy.cuda.Event(disable_timing=True)
            copy.set(source, stream=stream)
            mark.record(stream)
            self.release_copied()
            with self._lock:
                self._copying.append((mark, source))
            return copy

    def release_copied(self) -> None:
        """Let go of the arrays of the host that have been copied by now."""
        with self._lock:
            self._copying = [pair for pair in self._copying if not pair[0].done]

    def empty_pinned(self, shape: tuple[int, ...], dtype: Any) -> numpy.ndarray:
        """An array of the host's in page-locked memory, its values not set."""
        self.release_copied()
        count = math.prod(shape)
        memory = self.cupy.cuda.alloc_pinned_memory(max(1, count * numpy.dtype(dtype).itemsize))
        return numpy.frombuffer(memory, dtype, count).reshape(shape)

    def _allocate(self, size: int) -> Any:
        """Memory by CuPy's allocator; an error that says what was asked and what is free."""
        pool = self.cupy.get_default_memory_pool()
        try:
            memory = self._malloc(size)
        except self.cupy.cuda.memory.OutOfMemoryError:
            free, total = self.cupy.cuda.runtime.memGetInfo()
            raise OutOfMemoryError(
                f"cuda:{self.cupy.cuda.get_device_id()}: asked for {size:,} bytes, {free:,} of {total:,} are "
                f"free, and tensors hold {pool.used_bytes():,}; use a smaller batch, or del what is no "
                "longer needed"
            ) from None
        place, used = self.cupy.cuda.get_device_id(), pool.used_bytes()
        if used > self.peaks.get(place, 0):
            self.peaks[place] = used
        return memory

    # -------------------------------------------------------------------------------- indices out of range

    def check_numbers(
        self,
        numbers: Any,
        low: int,
        high: int,
        message: str,
        ignored: int | None,
        kind: type[Exception] = IndexError,
    ) -> None:
        """Note on the GPU, without waiting for it, whether a number is neither in [low, high) nor `ignored`.

        CuPy would take it modulo the size. The error, of that kind, comes when values next reach the host.
        `message` is formatted with `value`, and with `position`, counted through the whole array.
        """
        place, accepted = numbers.device.id, low if ignored is None else ignored
        with self._lock, self.cupy.cuda.Device(place):
            if place not in self._reports:
                self._reports[place] = self.cupy.zeros(3, "uint64")
            check = self._checks.setdefault((message, low, high, kind), len(self._checks) + 1)
            self.kernels["note_outside"](numbers, low, high, accepted, check, self._reports[place])
            self._noted = True

    def raise_noted(self) -> None:
        """The error of a check that has found a number out of range since this was last asked."""
        if not self._noted:
            return
        with self._lock:
            for place, report in self._reports.items():
                check, value, position = report.get().tolist()
                if check:  # those of other GPUs are still to be read
                    with self.cupy.cuda.Device(place):
                        report.fill(0)
                    message, *_, kind = next(key for key, number in self._checks.items() if number == check)
                    signed = value - 2**64 if value >= 2**63 else value
                    raise kind(message.format(value=signed, position=position))
            self._noted = False

    # -------------------------------------------------------------------------------- kernels

    def philox_words(self, seed: int, first: int, blocks: int) -> Any:
        """Blocks `first`, `first` + 1, ... of four random words of 64 bits."""
        words = self.cupy.empty(4 * blocks, "uint64")
        self.kernels["philox_words"](numpy.uint64(seed), numpy.uint64(first), words, size=blocks)
        return words

    def philox_keep(self, seed: int, first: int, count: int, threshold: int) -> Any:
        """For each of `count` elements, is its random number of 16 bits at least the threshold?"""
        keep = self.cupy.empty(count, "bool")
        key = numpy.uint64(seed), numpy.uint64(first)
        self.kernels["philox_keep"](*key, count, threshold, keep, size=-(-count // 16))
        return keep

    def drawn_by_weight(self, weights: Any, points: Any) -> Any:
        """For weights (N, C) and points (N, K) of [0, 1), the category of each point."""
        return self.kernels["drawn_by_weight"](weights, points, weights.shape[1], points.shape[1])

    def row_sums_by_number(self, values: Any, rows: Any, count: int, width: int) -> Any:
        """`count` rows of zeros, to which row i of the values is added as row rows[i]; all of it flat.

        In whatever order the GPU comes to it, or, in deterministic mode, in the order of the values.
        """
        if not ways.deterministic:
            total = self.cupy.zeros(count * width, values.dtype)
            if values.size:
                self.kernels["scatter_add"](values, rows, count, width, total)
            return total
        rows = self.cupy.where(rows < 0, rows + count, rows)
        order = self.cupy.argsort(rows, kind="stable")
        starts = self.cupy.searchsorted(rows[order], self.cupy.arange(count + 1))
        total = self.cupy.empty(count * width, values.dtype)
        if total.size:
            self.kernels["sorted_add"](values, order, starts, width, total)
        return total

    def erf(self, x: Any) -> Any:
        """The error function of each element, of float32 or float64."""
        return self.kernels["erf"](x)

    def erfc(self, x: Any) -> Any:
        """1 - erf of each element, of float32 or float64."""
        return self.kernels["erfc"](x)

    def adam(
        self, p: Any, m: Any, v: Any, g: Any, *, betas: tuple[float, float], rate: float, shift: float
    ) -> None:
        """One step of Adam, in place: p, m and v are read and written once."""
        self.kernels["adam"](g, *betas, 1.0 - betas[0], 1.0 - betas[1], rate, shift, p, m, v)
