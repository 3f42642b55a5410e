"""Floor 5: tensors of a given shape, filled by a rule; those that take data are in conversion.py."""

import math
from collections.abc import Sequence
from typing import Any

import numpy

from .backend import as_dtype, default_dtype, int64, number_dtype
from .conversion import as_tensor, from_numpy, made, tensor
from .errors import DTypeError, ShapeError, normalise_sizes
from .tensor import Tensor

__all__ = [
    "arange", "as_tensor", "empty", "empty_like", "eye", "from_numpy", "full", "full_like", "linspace",
    "logspace", "ones", "ones_like", "tensor", "tril_indices", "triu_indices", "zeros", "zeros_like",
]  # fmt: skip
METHODS = ("new_empty", "new_full", "new_ones", "new_tensor", "new_zeros")


def sizes_of(name: str, given: tuple, named: Any = None) -> tuple[int, ...]:
    """`f(2, 3)`, `f((2, 3))` and `f(size=(2, 3))` all mean the shape (2, 3)."""
    shape = normalise_sizes(name, given, named)
    for entry in shape:
        if not hasattr(entry, "__index__"):
            raise TypeError(f"{name}(): sizes must be ints, got {type(entry).__name__} {entry!r}")
        if int(entry) < 0:
            raise ShapeError(f"{name}(): sizes must not be negative, got {shape}")
    return tuple(int(entry) for entry in shape)


def _type_of(dtype: Any) -> numpy.dtype:
    """The dtype asked for, or the default one."""
    return default_dtype() if dtype is None else as_dtype(dtype)


# ------------------------------------------------------------------------------------------------ one value


def full(
    size: Sequence[int],
    fill_value: Any,
    *,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of shape `size` with `fill_value` everywhere, of that number's type unless told."""
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    kind = number_dtype(value) if dtype is None else as_dtype(dtype)
    return made(numpy.full(sizes_of("full", (), size), value, kind), device, requires_grad)


def zeros(
    *sizes: Any,
    size: Any = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of zeros."""
    return made(numpy.zeros(sizes_of("zeros", sizes, size), _type_of(dtype)), device, requires_grad)


def ones(
    *sizes: Any,
    size: Any = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of ones."""
    return made(numpy.ones(sizes_of("ones", sizes, size), _type_of(dtype)), device, requires_grad)


def empty(
    *sizes: Any,
    size: Any = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of which only the shape is set; its values are whatever the memory held."""
    return made(numpy.empty(sizes_of("empty", sizes, size), _type_of(dtype)), device, requires_grad)


# ------------------------------------------------------------------------------------------------ alike


def like(input: Tensor, dtype: Any, device: str | None) -> dict[str, Any]:
    """The type and the device of a new tensor that takes after `input`, unless told otherwise."""
    return {
        "dtype": input.dtype if dtype is None else dtype,
        "device": input.device if device is None else device,
    }


def zeros_like(
    input: Tensor, *, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Zeros of the shape, type and device of `input`."""
    return zeros(input.shape, requires_grad=requires_grad, **like(input, dtype, device))


def ones_like(
    input: Tensor, *, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Ones of the shape, type and device of `input`."""
    return ones(input.shape, requires_grad=requires_grad, **like(input, dtype, device))


def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`fill_value` in the shape, type and device of `input`."""
    return full(input.shape, fill_value, requires_grad=requires_grad, **like(input, dtype, device))


def empty_like(
    input: Tensor, *, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of the shape, type and device of `input`, its values not set."""
    return empty(input.shape, requires_grad=requires_grad, **like(input, dtype, device))


def new_zeros(
    input: Tensor,
    *sizes: Any,
    size: Any = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Zeros of the type and device of `input`."""
    return zeros(*sizes, size=size, requires_grad=requires_grad, **like(input, dtype, device))


def new_ones(
    input: Tensor,
    *sizes: Any,
    size: Any = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones of the type and device of `input`."""
    return ones(*sizes, size=size, requires_grad=requires_grad, **like(input, dtype, device))


def new_empty(
    input: Tensor,
    *sizes: Any,
    size: Any = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of the type and device of `input`, its values not set."""
    return empty(*sizes, size=size, requires_grad=requires_grad, **like(input, dtype, device))


def new_full(
    input: Tensor,
    size: Sequence[int],
    fill_value: Any,
    *,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`fill_value` in the shape `size`, of the type and device of `input`."""
    return full(size, fill_value, requires_grad=requires_grad, **like(input, dtype, device))


def new_tensor(
    input: Tensor, data: Any, *, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """A new tensor with a copy of `data`, of the type and device of `input`."""
    return tensor(data, requires_grad=requires_grad, **like(input, dtype, device))


# ------------------------------------------------------------------------------------------------ sequences


def arange(
    start: Any = None,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers start, start + step, ... below end: `arange(end)` or `arange(start, end[, step])`.

    int64 if all three are integers, else the default type.

    >>> arange(1, 6, 2).tolist()
    [1, 3, 5]
    """
    if start is None and end is None:
        raise TypeError("arange(): expected end, or start and end, got neither")
    first, last = (0, start) if end is None else (0 if start is None else start, end)
    first, last, step = (a.item() if hasattr(a, "item") else a for a in (first, last, step))
    if step == 0 or not math.isfinite(first - last) or (last - first) * step < 0:
        raise ValueError(
            f"arange(): from {first} to {last} by {step}, expected a step other than 0 that leads from start "
            "to end"
        )
    whole = all(hasattr(a, "__index__") for a in (first, last, step))
    count = len(range(first, last, step)) if whole else math.ceil((last - first) / step)
    kind = (int64 if whole else default_dtype()) if dtype is None else as_dtype(dtype)
    return made((first + step * numpy.arange(count)).astype(kind), device, requires_grad)


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers at equal distances, from `start` to `end`, both included."""
    _check_steps("linspace", steps)
    values = numpy.linspace(float(start), float(end), steps)
    return made(values.astype(_type_of(dtype)), device, requires_grad)


def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The powers of `base` whose exponents are linspace(start, end, steps)."""
    _check_steps("logspace", steps)
    values = numpy.float64(base) ** numpy.linspace(float(start), float(end), steps)
    return made(values.astype(_type_of(dtype)), device, requires_grad)


def _check_steps(name: str, steps: int) -> None:
    if not hasattr(steps, "__index__"):
        raise TypeError(f"{name}(): steps must be an int, got {type(steps).__name__} {steps!r}")
    if steps < 0:
        raise ValueError(f"{name}(): steps must not be negative, got {steps}")


# ------------------------------------------------------------------------------------------------ matrices


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The n × m matrix (m = n unless told) with ones on its diagonal."""
    rows, columns = sizes_of("eye", (n, n if m is None else m))
    return made(numpy.eye(rows, columns, dtype=_type_of(dtype)), device, requires_grad)


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = int64, device: str | None = None
) -> Tensor:
    """The rows and the columns of the lower triangle of a matrix, as `tril` keeps it: (2, elements).

    >>> tril_indices(2, 2).tolist()
    [[0, 1, 1], [0, 0, 1]]
    """
    rows, columns = sizes_of("tril_indices", (row, col))
    found = numpy.tril_indices(rows, offset, columns)
    return made(numpy.stack(found).astype(_whole("tril_indices", dtype)), device, requires_grad=False)


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = int64, device: str | None = None
) -> Tensor:
    """The rows and the columns of the upper triangle of a matrix, as `triu` keeps it: (2, elements)."""
    rows, columns = sizes_of("triu_indices", (row, col))
    found = numpy.triu_indices(rows, offset, columns)
    return made(numpy.stack(found).astype(_whole("triu_indices", dtype)), device, requires_grad=False)


def _whole(name: str, dtype: Any) -> numpy.dtype:
    kind = as_dtype(dtype)
    if kind.kind not in "iu":
        raise DTypeError(f"{name}(): expected an integer dtype, got {kind}")
    return kind
