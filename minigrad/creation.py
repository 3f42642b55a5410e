"""Floor 5: tensors from nothing, from Python's numbers, and from arrays, under PyTorch's names."""

from collections.abc import Sequence
from typing import Any

import numpy

from .backend import DTYPES, as_dtype, default_dtype, is_array, number_dtype, to_device, to_numpy
from .errors import DTypeError, ShapeError
from .generator import Generator, default_generator
from .tensor import Tensor, wrap


def tensor(data: Any, *, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """A new tensor with a copy of `data`: a number, nested sequences of numbers, an array, or a Tensor.

    Python floats become the default dtype (float32), ints int64, bools bool; arrays keep their type.

    >>> tensor([[1.0, 2.0], [3.0, 4.0]]).shape
    (2, 2)
    """
    return _made(_as_array(data, dtype, copy=True), device, requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: str | None = None) -> Tensor:
    """`data` as a tensor, without a copy where it is a Tensor or an array of the wanted type already."""
    if isinstance(data, Tensor):
        return data if dtype is None and device is None else data.to(dtype=dtype, device=device)
    return _made(_as_array(data, dtype, copy=False), device, requires_grad=False)


def from_numpy(array: numpy.ndarray) -> Tensor:
    """A tensor that shares the memory of `array`."""
    if not isinstance(array, numpy.ndarray):
        raise TypeError(f"from_numpy(): expected a numpy.ndarray, got {type(array).__name__}")
    return Tensor(array)


def _made(array: Any, device: str | None, requires_grad: bool) -> Tensor:
    return Tensor(array if device is None else to_device(array, device), requires_grad)


def _as_array(data: Any, dtype: Any, copy: bool) -> Any:
    """`data` as an array of the type that PyTorch would give it."""
    wanted = None if dtype is None else as_dtype(dtype)
    if isinstance(data, Tensor):
        data = data.array
    if is_array(data) or isinstance(data, numpy.generic):
        found = as_dtype(data.dtype) if data.dtype.kind != "O" else _refuse(data)
        array = data if is_array(data) else numpy.asarray(data)
        return array.astype(wanted or DTYPES[found.name], copy=copy)
    if isinstance(data, range):
        data = list(data)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        data = [numpy_of(item) for item in data] if _holds_tensors(data) else data
        _check_nesting(data, _expected_shape(data), ())
        array = numpy.array(data)
        if array.dtype.kind == "O":  # all are numbers, so that one of them is long
            raise ValueError(f"tensor(): an integer of {data!r}"[:80] + " does not fit into 64 bits")
        if array.dtype.kind not in "biuf":
            _refuse(data)
        if wanted is None and array.dtype == numpy.float64:
            wanted = default_dtype() if not _holds_arrays(data) else None
        return array.astype(wanted or array.dtype, copy=False)
    if isinstance(data, bool | int | float):
        return numpy.array(data, wanted or number_dtype(data))
    return _refuse(data)


def numpy_of(item: Any) -> Any:
    """A Tensor (also inside a list) as a NumPy array; anything else as it is."""
    if isinstance(item, Tensor):
        return to_numpy(item.detach().array)
    return [numpy_of(part) for part in item] if isinstance(item, list | tuple) else item


def _holds_tensors(data: Any) -> bool:
    return any(
        isinstance(item, Tensor) or (isinstance(item, list | tuple) and _holds_tensors(item)) for item in data
    )


def _holds_arrays(data: Any) -> bool:
    first = data
    while isinstance(first, list | tuple) and first:
        first = first[0]
    return isinstance(first, numpy.ndarray | numpy.generic)


def _expected_shape(data: Any) -> tuple[int, ...]:
    """The shape that the first element of each level announces."""
    shape = []
    while isinstance(data, list | tuple):
        shape.append(len(data))
        if not data:
            break
        data = data[0]
    return (*shape, *getattr(data, "shape", ()))


def _check_nesting(data: Any, shape: tuple[int, ...], path: tuple[int, ...]) -> None:
    """ShapeError at the first ragged place of nested sequences, TypeError at what is no number."""
    where = "".join(f"[{i}]" for i in path)
    if isinstance(data, numpy.ndarray) and data.shape != shape:
        raise ShapeError(f"tensor(): ragged nesting at {where}: got shape {data.shape}, expected {shape}")
    if isinstance(data, numpy.ndarray):
        return
    if not shape:
        if isinstance(data, list | tuple):
            raise ShapeError(f"tensor(): ragged nesting at {where}: got a sequence, expected a number")
        if not isinstance(data, bool | int | float | numpy.generic):
            _refuse(data)
        return
    if not isinstance(data, list | tuple):
        if isinstance(data, str | bytes) or data is None:
            _refuse(data)
        raise ShapeError(
            f"tensor(): ragged nesting at {where}: got a number, expected a sequence of {shape[0]}"
        )
    if len(data) != shape[0]:
        raise ShapeError(f"tensor(): ragged nesting at {where}: length {len(data)}, expected {shape[0]}")
    if len(shape) > 1 or any(type(item) not in (int, float, bool) for item in data):
        for i, item in enumerate(data):
            _check_nesting(item, shape[1:], (*path, i))


def _refuse(data: Any) -> Any:
    kind = (
        f"array of {data.dtype}"
        if isinstance(data, numpy.ndarray)
        else f"{type(data).__name__} {data!r}"[:80]
    )
    raise TypeError(
        f"tensor(): got {kind}, expected a number, nested sequences of numbers, an array or a Tensor"
    )


# ------------------------------------------------------------------------------------------------ filled


def _shape_of(name: str, size: tuple) -> tuple[int, ...]:
    """`f(2, 3)` and `f((2, 3))` both mean the shape (2, 3)."""
    shape = tuple(size[0]) if len(size) == 1 and isinstance(size[0], tuple | list) else size
    for entry in shape:
        if not hasattr(entry, "__index__"):
            raise TypeError(f"{name}(): sizes must be ints, got {type(entry).__name__} {entry!r}")
        if int(entry) < 0:
            raise ShapeError(f"{name}(): sizes must not be negative, got {shape}")
    return tuple(int(entry) for entry in shape)


def full(
    size: Sequence[int],
    fill_value: float,
    *,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of shape `size` with `fill_value` everywhere, of that number's type unless told."""
    kind = as_dtype(dtype) if dtype is not None else number_dtype(fill_value)
    return _made(numpy.full(_shape_of("full", (tuple(size),)), fill_value, kind), device, requires_grad)


def zeros(*size: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """A tensor of zeros."""
    kind = default_dtype() if dtype is None else as_dtype(dtype)
    return _made(numpy.zeros(_shape_of("zeros", size), kind), device, requires_grad)


def ones(*size: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """A tensor of ones."""
    kind = default_dtype() if dtype is None else as_dtype(dtype)
    return _made(numpy.ones(_shape_of("ones", size), kind), device, requires_grad)


def empty(*size: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """A tensor of which only the shape is set; its values are whatever the memory held."""
    kind = default_dtype() if dtype is None else as_dtype(dtype)
    return _made(numpy.empty(_shape_of("empty", size), kind), device, requires_grad)


def zeros_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of the shape, type and device of `input`."""
    return zeros(input.shape, dtype=dtype or input.dtype, device=input.device, requires_grad=requires_grad)


def ones_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of the shape, type and device of `input`."""
    return ones(input.shape, dtype=dtype or input.dtype, device=input.device, requires_grad=requires_grad)


def full_like(input: Tensor, fill_value: float, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """`fill_value` in the shape, type and device of `input`."""
    kind = dtype or input.dtype
    return full(input.shape, fill_value, dtype=kind, device=input.device, requires_grad=requires_grad)


def empty_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of the shape, type and device of `input`, its values not set."""
    return empty(input.shape, dtype=dtype or input.dtype, device=input.device, requires_grad=requires_grad)


def arange(
    *bounds: float, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """The numbers start, start + step, ... below end: `arange([start,] end[, step])`."""
    if not 1 <= len(bounds) <= 3:
        raise TypeError(
            f"arange(): expected end, or start and end, or start, end and step, got {len(bounds)} numbers"
        )
    if len(bounds) == 3 and bounds[2] == 0:
        raise ValueError("arange(): step must not be 0")
    kind = (
        as_dtype(dtype)
        if dtype is not None
        else (default_dtype() if any(isinstance(b, float) for b in bounds) else numpy.dtype("int64"))
    )
    return _made(numpy.arange(*bounds).astype(kind), device, requires_grad)


def linspace(
    start: float, end: float, steps: int, *, dtype: Any = None, requires_grad: bool = False
) -> Tensor:
    """`steps` numbers at equal distances, from `start` to `end`, both included."""
    kind = default_dtype() if dtype is None else as_dtype(dtype)
    return _made(numpy.linspace(start, end, steps).astype(kind), None, requires_grad)


def eye(n: int, m: int | None = None, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """The n × m matrix (m = n unless told) with ones on its diagonal."""
    kind = default_dtype() if dtype is None else as_dtype(dtype)
    return _made(numpy.eye(n, m, dtype=kind), None, requires_grad)


# ------------------------------------------------------------------------------------------------ random


def _floating(name: str, dtype: Any) -> numpy.dtype:
    kind = default_dtype() if dtype is None else as_dtype(dtype)
    if kind.kind != "f":
        raise DTypeError(f"{name}(): expected a floating dtype, got {kind}")
    return kind


def rand(
    *size: Any, generator: Generator | None = None, dtype: Any = None, requires_grad: bool = False
) -> Tensor:
    """Uniform random numbers in [0, 1)."""
    draw = (generator or default_generator()).uniform(_shape_of("rand", size), _floating("rand", dtype))
    return _made(draw, None, requires_grad)


def randn(
    *size: Any, generator: Generator | None = None, dtype: Any = None, requires_grad: bool = False
) -> Tensor:
    """Standard normal random numbers."""
    draw = (generator or default_generator()).normal(_shape_of("randn", size), _floating("randn", dtype))
    return _made(draw, None, requires_grad)


def randint(
    low: Any = 0, high: Any = None, size: Any = None, *, generator: Generator | None = None
) -> Tensor:
    """Random integers in [low, high), int64: `randint(high, size)` or `randint(low, high, size)`."""
    if size is None:
        low, high, size = 0, low, high
    if not isinstance(size, tuple | list) or not hasattr(low, "__index__") or not hasattr(high, "__index__"):
        raise TypeError(f"randint(): expected [low,] high and size, got {low!r}, {high!r} and {size!r}")
    draw = (generator or default_generator()).integers(int(low), int(high), _shape_of("randint", (size,)))
    return wrap(draw)


def randperm(n: int, *, generator: Generator | None = None) -> Tensor:
    """The integers 0 ... n - 1 in random order, int64."""
    if n < 0:
        raise ValueError(f"randperm(): n must not be negative, got {n}")
    return wrap((generator or default_generator()).permutation(n))
