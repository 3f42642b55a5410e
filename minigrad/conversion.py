"""Floor 5: tensors from Python's numbers and from arrays, under PyTorch's names."""

from collections.abc import Sequence
from typing import Any

import numpy

from .backend import DTYPES, as_dtype, default_dtype, is_array, number_dtype, to_device, to_numpy
from .errors import ShapeError
from .tensor import Tensor


def tensor(data: Any, *, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """A new tensor with a copy of `data`: a number, nested sequences of numbers, an array, or a Tensor.

    Python floats become the default dtype (float32), ints int64, bools bool; arrays keep their type.

    >>> tensor([[1.0, 2.0], [3.0, 4.0]]).shape
    (2, 2)
    """
    return made(_as_array(data, dtype, copy=True), device, requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: str | None = None) -> Tensor:
    """`data` as a tensor, without a copy where it is a Tensor or an array of the wanted type already."""
    if isinstance(data, Tensor):
        return data if dtype is None and device is None else data.to(dtype=dtype, device=device)
    return made(_as_array(data, dtype, copy=False), device, requires_grad=False)


def from_numpy(array: numpy.ndarray) -> Tensor:
    """A tensor that shares the memory of `array`."""
    if not isinstance(array, numpy.ndarray):
        raise TypeError(f"from_numpy(): expected a numpy.ndarray, got {type(array).__name__}")
    return Tensor(array)


def made(array: Any, device: str | None, requires_grad: bool) -> Tensor:
    """An array as a tensor on a device."""
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
