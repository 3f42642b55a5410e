"""Floor 0: which library an array belongs to, the data types and how they combine, and where arrays live.

Everything above asks `namespace(array)` for the array library and then speaks to that library alone, so
that one text of an operation runs on NumPy, on CuPy, and on whatever a test registers in their place.
Arrays on a GPU belong to CuPy as kernels/cupy_library.py completes it; whether it can be used is found out
in backend_cuda.py, and what a user may ask is in cuda.py.
"""

import importlib
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any, Self

import numpy

from .backend_cuda import import_cupy
from .errors import DeviceError, DTypeError

Array = Any  # a numpy.ndarray or a cupy.ndarray
HostArray = numpy.ndarray

# ------------------------------------------------------------------------------------------------ libraries

NAMESPACES: dict[type, ModuleType] = {numpy.ndarray: numpy}


def register_namespace(array_type: type, module: ModuleType) -> None:
    """Make arrays of `array_type` belong to `module`, which offers NumPy's functions under their names."""
    NAMESPACES[array_type] = module


def is_array(value: object) -> bool:
    """Is `value` an array of a library that we know?"""
    return type(value) in NAMESPACES or _adopt(type(value))


def namespace(array: Array) -> ModuleType:
    """The library that `array` belongs to: numpy, or cupy."""
    try:
        return NAMESPACES[type(array)]
    except KeyError:
        if _adopt(type(array)):
            return NAMESPACES[type(array)]
        raise TypeError(f"expected an array, got {type(array).__name__}") from None


def _adopt(kind: type) -> bool:
    """Register, on first sight, a subclass of ndarray or the array type of CuPy."""
    if issubclass(kind, numpy.ndarray):
        register_namespace(kind, numpy)
    elif kind.__module__.partition(".")[0] == "cupy" and kind.__name__ == "ndarray":
        cuda_library()
    return kind in NAMESPACES


def common_namespace(name: str, arrays: Sequence[Array]) -> ModuleType:
    """The one library of all arrays in the list; DeviceError when they live in two places."""
    found = {namespace(array): array for array in arrays if is_array(array)}
    if len(found) > 1 or (found and numpy not in found):
        places = _places(arrays)
        if len(places) > 1:
            raise _scattered(name, places)
    return next(iter(found), numpy)


def check_together(name: str, a: Array, b: Array) -> None:
    """DeviceError, which names both devices, unless two arrays (or numbers) are in one place."""
    if not type(a) is HostArray is type(b):  # usually they are: 1 µs less
        common_namespace(name, (a, b))


def misplaced(name: str, arrays: Sequence[Array]) -> DeviceError | None:
    """The error for arrays in two places, or on a GPU that is not the current one; None where all is well.

    CuPy finds it out while it computes, so this is asked only once an operation has failed.
    """
    places = _places(arrays)
    if len(places) > 1:
        return _scattered(name, places)
    current = next((device_of(namespace(array).empty(0)) for array in arrays if is_array(array)), None)
    if not places or places[0] == current:
        return None
    return DeviceError(
        f"{name}(): operands on {places[0]}, and {current} computes; move them with .to(), or compute "
        f"within `with mg.cuda.device({device(places[0]).index}):`"
    )


def _places(arrays: Sequence[Array]) -> list[str]:
    """The devices on which the arrays in the list live, each once."""
    return list(dict.fromkeys(device_of(array) for array in arrays if is_array(array)))


def _scattered(name: str, places: Sequence[str]) -> DeviceError:
    """The error for arrays in several places."""
    return DeviceError(
        f"{name}(): operands on different devices, {' and '.join(places)}; move one of them with .to()"
    )


def device_of(array: Array) -> str:
    """`"cpu"`, or `"cuda:<index>"`."""
    return "cpu" if namespace(array) is numpy else f"cuda:{array.device.id}"


def to_numpy(array: Array) -> numpy.ndarray:
    """The same values in main memory (no copy if they are there already)."""
    if isinstance(array, numpy.ndarray):
        return array
    values = array.get()
    namespace(array).raise_noted()  # all that was computed before is done by now
    return values


def array_from_dlpack(owner: Any) -> Array:
    """An array on the memory of another library's, by the DLPack protocol, where 2 is the number of CUDA."""
    kind, index = owner.__dlpack_device__()
    if kind != 2:
        return numpy.from_dlpack(owner)
    cupy = import_cupy("from_dlpack()")
    with cupy.cuda.Device(index):
        return cupy.from_dlpack(owner)


# ------------------------------------------------------------------------------------------------ data types

float64, float32, float16 = numpy.dtype("float64"), numpy.dtype("float32"), numpy.dtype("float16")
int64, int32, int16 = numpy.dtype("int64"), numpy.dtype("int32"), numpy.dtype("int16")
int8, uint8, bool_ = numpy.dtype("int8"), numpy.dtype("uint8"), numpy.dtype("bool")
uint16, uint32, uint64 = numpy.dtype("uint16"), numpy.dtype("uint32"), numpy.dtype("uint64")
DTYPES = {
    d.name: d
    for d in (float64, float32, float16, int64, int32, int16, int8, uint8, uint16, uint32, uint64, bool_)
}


class _Defaults(threading.local):
    floating = float32


class _Ways:
    """How a GPU computes where it has a choice, for all threads."""

    deterministic = False  # sums by number in a fixed order
    allow_tf32 = False  # float32 matrices multiplied by way of ten bits each


_defaults = _Defaults()
ways = _Ways()


def use_deterministic_algorithms(mode: bool) -> None:
    """With True, a GPU adds up in a fixed order what an index sends to one place: two runs give one result.

    It sorts where it would add atomically, and is slower. The CPU is deterministic always.
    """
    ways.deterministic = bool(mode)


def are_deterministic_algorithms_enabled() -> bool:
    """Was `use_deterministic_algorithms(True)` said last?"""
    return ways.deterministic


def default_dtype() -> numpy.dtype:
    """The type of a float that came without one: float32 unless `set_default_dtype` said otherwise."""
    return _defaults.floating


def set_default_dtype(dtype: Any) -> None:
    """Let Python floats become `dtype` (a floating type) in this thread."""
    found = as_dtype(dtype)
    if found.kind != "f":
        raise DTypeError(f"set_default_dtype(): expected a floating type, got {found}")
    _defaults.floating = found


def as_dtype(dtype: Any) -> numpy.dtype:
    """`dtype` (a NumPy dtype, a name, or Python's float, int, bool) as a dtype that a Tensor can have."""
    if dtype is float:
        return default_dtype()
    try:
        found = numpy.dtype(dtype)
    except TypeError:
        raise DTypeError(f"expected a dtype such as minigrad.float32, got {dtype!r}") from None
    if found.name not in DTYPES:
        raise DTypeError(f"dtype {found} cannot be held by a Tensor; expected one of {', '.join(DTYPES)}")
    return DTYPES[found.name]


def promote(a: numpy.dtype, b: numpy.dtype) -> numpy.dtype:
    """The type of two types combined: a float beats every integer, whatever their sizes, as in PyTorch."""
    if (a.kind == "f") != (b.kind == "f"):
        return a if a.kind == "f" else b
    return numpy.promote_types(a, b)


CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2}


def _combine(higher: numpy.dtype | None, lower: numpy.dtype | None) -> numpy.dtype | None:
    """The type of operands of two ranks: the lower rank counts only if it is of a higher category."""
    if higher is None or lower is None:
        return higher if lower is None else lower
    return promote(higher, lower) if CATEGORY[lower.kind] > CATEGORY[higher.kind] else higher


def result_dtype(operands: list[Any]) -> numpy.dtype:
    """The common type of arrays and Python numbers, as PyTorch has it.

    Operands fall into three ranks: arrays with dimensions, 0-d arrays, Python numbers. A lower rank changes
    the result only if it is of a higher category (bool < int < float), so `float32_matrix * float64_scalar`
    is float32.
    """
    ranks: list[numpy.dtype | None] = [None, None, None]
    for operand in operands:
        if type(operand) in NAMESPACES or is_array(operand):
            rank, dtype = int(operand.ndim == 0), operand.dtype
        elif isinstance(operand, numpy.generic):
            rank, dtype = 1, operand.dtype
        else:
            rank, dtype = 2, number_dtype(operand)
        previous = ranks[rank]
        ranks[rank] = dtype if previous is None else promote(previous, dtype)
    found = _combine(ranks[0], _combine(ranks[1], ranks[2]))
    assert found is not None, "at least one operand"
    return found


def number_dtype(value: object) -> numpy.dtype:
    """The type that a Python number has beside tensors: bool, int64, or the default floating type."""
    if isinstance(value, bool):
        return bool_
    if isinstance(value, int):
        return int64
    if isinstance(value, float):
        return default_dtype()
    raise TypeError(f"expected a Tensor, an array or a number, got {type(value).__name__} {value!r}"[:200])


def accumulator(dtype: numpy.dtype) -> numpy.dtype:
    """The type in which sums over `dtype` are kept: float32 for float16, int64 for integers and bools."""
    if dtype.kind != "f":
        return int64
    return float32 if dtype == float16 else dtype


# ------------------------------------------------------------------------------------------------ helpers


def unbroadcast(array: Array, shape: tuple[int, ...]) -> Array:
    """The sum of `array` over the dimensions that broadcasting from `shape` added or stretched."""
    extra = array.ndim - len(shape)
    stretched = tuple(i + extra for i, size in enumerate(shape) if size == 1 and array.shape[i + extra] != 1)
    dims = tuple(range(extra)) + stretched
    total = array.sum(axis=dims, keepdims=True, dtype=accumulator(array.dtype)).astype(
        array.dtype, copy=False
    )
    return total.reshape(shape)


def refuse_outside(
    numbers: Array,
    low: int,
    high: int,
    error: Callable[[object, object], str],
    kind: type[Exception] = IndexError,
    ignored: int | None = None,
) -> bool:
    """An error, as `error(the wrong one, its place)` words it, unless each number lies in [low, high).

    `ignored` may stand among them; returns whether it is known not to. On a GPU a wrong number is found
    there, without waiting, its place counted through the whole array, and the error is raised when values
    next reach the host: see kernels/cupy_library.py.
    """
    if numbers.size == 0:
        return True
    if namespace(numbers) is not numpy:
        namespace(numbers).check_numbers(numbers, low, high, error("{value}", "{position}"), ignored, kind)
        return ignored is None
    least = numbers.min()
    if least >= (ignored if ignored == low - 1 else low) and numbers.max() < high:
        return bool(least >= low)
    outside = (numbers < low) | (numbers >= high)
    if ignored is not None:
        outside &= numbers != ignored
    if outside.any():
        place = tuple(int(i) for i in numpy.unravel_index(int(outside.argmax()), numbers.shape))
        raise kind(error(int(numbers[place]), place[0] if len(place) == 1 else place))
    return False


def known(array: Array) -> Any:
    """The values of an array, as Python's, where one need not wait for them: None on a GPU."""
    return array.tolist() if namespace(array) is numpy else None


def refuse_where(wrong: Array, message: str) -> None:
    """ValueError if one of the bools holds; on a GPU when values next reach the host."""
    refuse_outside(wrong.astype("uint8").reshape(-1), 0, 1, lambda _wrong, _place: message, ValueError)


def strided(array: Array, shape: Sequence[int], strides: Sequence[int], writeable: bool) -> Array:
    """A view of the memory of `array` from its first element on, with strides of its own, in bytes."""
    library = namespace(array)
    options = {"writeable": writeable} if library is numpy else {}  # CuPy's arrays have no such flag
    return library.lib.stride_tricks.as_strided(array, shape, strides, **options)


class device(str):  # noqa: N801 (PyTorch's name)
    """Where a tensor lives: `device("cpu")` or `device("cuda:0")`; equal to its name as a string."""

    __slots__ = ()

    def __new__(cls, name: str = "cpu", index: int | None = None) -> Self:
        """The device of that name; a GPU also by `device("cuda", 1)`."""
        whole = str(name) if index is None else f"{name}:{index}"
        kind, _, number = whole.partition(":")
        if kind not in ("cpu", "cuda") or (number and not number.isdigit()):
            raise DeviceError(f"device {whole!r}: expected 'cpu', 'cuda' or 'cuda:<index>'")
        return super().__new__(cls, "cpu" if kind == "cpu" else f"cuda:{number or 0}")

    @property
    def type(self) -> str:
        """`"cpu"` or `"cuda"`."""
        return self.partition(":")[0]

    @property
    def index(self) -> int | None:  # type: ignore[override]
        """The number of the GPU; None for the CPU."""
        number = self.partition(":")[2]
        return int(number) if number else None

    def __repr__(self) -> str:
        return f"device({str(self)!r})"


def library_of(where: str) -> ModuleType:
    """The array library of a device: numpy, or CuPy's. DeviceError if there is no such device."""
    return numpy if where == "cpu" else cuda_library(device(where))


HERE = nullcontext()


def on_device(where: str) -> AbstractContextManager[Any]:
    """Inside, a GPU is the one that new arrays are made on; on the CPU it changes nothing."""
    if where == "cpu":
        return HERE
    place = device(where)
    return library_of(where).cuda.Device(place.index)


def to_device(array: Array, where: str, *, non_blocking: bool = False) -> Array:
    """The array on the device `where`, itself if it is there. DeviceError if there is no such device.

    With `non_blocking` a copy from pinned memory goes on while the program does: what it is copied from must
    stay as it is until then.
    """
    place = device(where)
    if device_of(array) == place:
        return array
    if place.type == "cpu":
        return to_numpy(array)
    return cuda_library(place).moved(array, place.index, non_blocking=non_blocking)


def pinned(array: HostArray) -> HostArray:
    """A copy in page-locked memory of the host. DeviceError without a usable GPU."""
    copy = cuda_library().empty_pinned(array.shape, array.dtype)
    copy[...] = array
    return copy


def in_pinned_memory(array: Array) -> bool:
    """Does an array, or what it is a view of, lie in page-locked memory of the host?"""
    owner = array
    while isinstance(owner, numpy.ndarray | memoryview):
        owner = owner.obj if isinstance(owner, memoryview) else owner.base
    return type(owner).__name__ == "PinnedMemoryPointer"


# ------------------------------------------------------------------------------------------------ the GPU


def cuda_library(place: device | None = None) -> ModuleType:
    """CuPy, completed by what it lacks; made when it is first needed. DeviceError without a usable GPU."""
    cupy = import_cupy("a GPU" if place is None else f"device {str(place)!r}")
    library = NAMESPACES.get(cupy.ndarray)
    if library is None:
        library = importlib.import_module("minigrad.kernels.cupy_library").Library(cupy)
        register_namespace(cupy.ndarray, library)
    if place is not None and (count := cupy.cuda.runtime.getDeviceCount()) <= (place.index or 0):
        raise DeviceError(
            f"device {str(place)!r}: there {'is' if count == 1 else 'are'} {count} GPU"
            f"{'' if count == 1 else 's'} here; expected an index below {count}"
        )
    return library
