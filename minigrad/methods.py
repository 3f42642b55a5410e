"""Floor 5: the table that puts operations on Tensor: operators, methods, in-place forms, NumPy."""

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy

from . import functions, ops
from .backend import HostArray
from .creation import as_tensor
from .errors import DTypeError, GraphError, ShapeError
from .functions import convert, elementwise, index, shape
from .indexing import checked_index
from .modes import mode
from .tape import Leaf
from .tensor import VIEWED, Tensor, wrap

# ------------------------------------------------------------------------------------------------ operators


def _reflected(operation: Callable) -> Callable:
    """The method for `b + a` where b is no Tensor."""
    return lambda self, other: operation(other, self)


def _equality(operation: Callable) -> Callable:
    """The method for == or !=; beside None or a text the answer is Python's: they are not the same thing."""
    return lambda self, other: (
        NotImplemented if other is None or isinstance(other, str) else operation(self, other)
    )


def _power(a: Any, b: Any) -> Any:
    return elementwise.pow(a, b)


BINARY = {
    "add": ops.add.fast,
    "sub": ops.sub.fast,
    "mul": ops.mul.fast,
    "truediv": ops.div.fast,
    "matmul": ops.matmul.fast,
    "pow": _power,
    "and": ops.bitwise_and.fast,
    "or": ops.bitwise_or.fast,
}
COMPARISONS = {
    "eq": ops.equal.fast,
    "ne": ops.not_equal.fast,
    "lt": ops.less.fast,
    "le": ops.less_equal.fast,
    "gt": ops.greater.fast,
    "ge": ops.greater_equal.fast,
}

for _name, _operation in BINARY.items():
    setattr(Tensor, f"__{_name}__", _operation)
    setattr(Tensor, f"__r{_name}__", _reflected(_operation))
for _name, _operation in COMPARISONS.items():
    setattr(Tensor, f"__{_name}__", _equality(_operation) if _name in ("eq", "ne") else _operation)
Tensor.__neg__ = ops.neg.fast  # type: ignore[method-assign]
Tensor.__invert__ = ops.invert.fast  # type: ignore[method-assign]
Tensor.__abs__ = ops.abs_.fast  # type: ignore[attr-defined]
Tensor.__getitem__ = index.getitem  # type: ignore[method-assign]

# ------------------------------------------------------------------------------------------------ methods

METHODS: dict[str, Callable] = {
    name: getattr(family, name) for family in functions.FAMILIES for name in family.METHODS
}


def _method(function: Callable) -> Callable:
    """A function of the tensor, wrapped so that it binds as a method (an operation is an object)."""
    if isinstance(direct := getattr(function, "fast", function), FunctionType):
        return direct  # which binds as it is, and is quicker

    def method(self: Tensor, *args: Any, **keywords: Any) -> Any:
        return function(self, *args, **keywords)

    method.__name__, method.__doc__ = getattr(function, "__name__", ""), function.__doc__
    return method


for _name, _function in METHODS.items():
    setattr(Tensor, _name, _method(_function))


def _converted(dtype: str) -> Callable:
    """The method that casts to one type, such as `x.float()`."""
    return lambda self: convert.to(self, dtype)


DTYPES = {
    "double": "float64",
    "float": "float32",
    "half": "float16",
    "long": "int64",
    "int": "int32",
    "bool": "bool",
}
for _name, _dtype in DTYPES.items():
    setattr(Tensor, _name, _converted(_dtype))
Tensor.cpu = lambda self: convert.to(self, "cpu")  # type: ignore[attr-defined]
Tensor.cuda = lambda self, index=0: convert.to(self, f"cuda:{index}")  # type: ignore[attr-defined]
Tensor.type_as = lambda self, other: convert.to(self, other.dtype)  # type: ignore[attr-defined]
Tensor.T = property(shape.t)  # type: ignore[attr-defined]
Tensor.mT = property(_method(ops.mT))  # type: ignore[attr-defined]

# ------------------------------------------------------------------------------------------------ in place


def _is_recorded(*operands: Any) -> bool:
    """Will the tape hear of an operation on these operands?"""
    return bool(mode.recording) and any(isinstance(a, Tensor) and a.node is not None for a in operands)


def _check_writable(self: Tensor, recorded: bool, name: str) -> None:
    """RuntimeError for read-only memory, GraphError where a write would falsify a gradient."""
    if not getattr(self.array.flags, "writeable", True):  # CuPy's arrays have no such flag
        raise RuntimeError(f"{name}: the memory of shape {self.shape} is read-only; write to a .clone()")
    if not mode.recording:
        return
    if type(self.node) is Leaf:
        raise GraphError(f"{name}: a leaf that requires grad is changed in place; use no_grad() or a copy")
    behind_its_back = self.node is None and self.base is not None and self.base.node is not None
    if behind_its_back or (recorded and VIEWED in self.version):
        raise GraphError(
            f"{name}: a tensor whose memory is shared by a view is changed in place, and the gradient of the "
            "other would be wrong; write to a .clone(), or under no_grad()"
        )


def write(self: Tensor, made: Any, name: str) -> Tensor:
    """Let the tensor take over values and history of `made`: the last step of every operation in place."""
    array = made.array if isinstance(made, Tensor) else made
    if array.shape != self.shape:
        raise ShapeError(f"{name}: the result has shape {array.shape}, expected the tensor's {self.shape}")
    if array.dtype.kind == "f" and self.dtype.kind != "f":
        raise DTypeError(f"{name}: a result of {array.dtype} cannot be stored in a tensor of {self.dtype}")
    self.bump_version()
    self.array[...] = array
    if isinstance(made, Tensor) and made.node is not None:
        self.node = convert.to(made, self.dtype).node
    return self


def _in_place(operation: Callable, name: str) -> Callable:
    """The in-place form of an operation: computed on a copy that the rules may keep, then written back."""

    def method(self: Tensor, *args: Any, **keywords: Any) -> Tensor:
        recorded = _is_recorded(self, *args, *keywords.values())
        _check_writable(self, recorded, name)
        source = wrap(self.array.copy(), self.node) if recorded else self
        others = [source if a is self else a for a in args]
        return write(self, operation(source, *others, **keywords), name)

    method.__name__, method.__doc__ = name, f"In place: {operation.__doc__}"
    return method


IN_PLACE: dict[str, Callable] = {
    f"{name}_": METHODS[name] for family in functions.FAMILIES for name in family.IN_PLACE
}
for _name, _function in IN_PLACE.items():
    setattr(Tensor, _name, _in_place(_function, _name))
for _name in ("add", "sub", "mul", "truediv", "pow"):
    setattr(Tensor, f"__i{_name}__", _in_place(BINARY[_name], f"{_name}_"))


def _assigned(self: Tensor, index: Any, value: Any, name: str) -> Tensor:
    """The tensor after self[index] = value, recorded like every other operation in place."""
    if not isinstance(value, Tensor | bool | int | float):
        value = as_tensor(value, self.dtype)
    recorded = _is_recorded(self, value)
    _check_writable(self, recorded, name)
    if recorded and self.dtype.kind != "f":
        raise DTypeError(f"{name}: a tensor of {self.dtype} cannot hold values that require grad")
    clean = checked_index(self.array, index)
    try:
        if recorded:
            return write(self, ops.setitem(wrap(self.array, self.node), value, index=clean), name)
        self.bump_version()
        self.array[clean] = value.array if isinstance(value, Tensor) else value
    except ValueError as error:
        raise ShapeError(f"{name}: {error}") from None
    return self


def _setitem(self: Tensor, index: Any, value: Any) -> None:
    """self[index] = value"""
    _assigned(self, index, value, "x[index] = value")


def _copy(self: Tensor, source: Any) -> Tensor:
    """Take over the values of `source`, at the tensor's own shape, type and device. Returns the tensor."""
    values = convert.to(source, device=self.device) if isinstance(source, Tensor) else source
    return _assigned(self, Ellipsis, values, "copy_")


def _fill(self: Tensor, value: Any) -> Tensor:
    """Set every element to `value`. Returns the tensor."""
    return _assigned(self, Ellipsis, value, "fill_")


def _zero(self: Tensor) -> Tensor:
    """Set every element to 0. Returns the tensor."""
    return _assigned(self, Ellipsis, 0, "zero_")


Tensor.__setitem__ = _setitem  # type: ignore[method-assign]
Tensor.copy_, Tensor.fill_, Tensor.zero_ = _copy, _fill, _zero  # type: ignore[attr-defined]

# ------------------------------------------------------------------------------------------------ NumPy

UFUNCS: dict[Any, Callable] = {
    numpy.add: ops.add, numpy.subtract: ops.sub, numpy.multiply: ops.mul, numpy.true_divide: ops.div,
    numpy.power: elementwise.pow, numpy.negative: ops.neg, numpy.matmul: ops.matmul, numpy.exp: ops.exp,
    numpy.expm1: ops.expm1, numpy.log: ops.log, numpy.log1p: ops.log1p, numpy.sqrt: ops.sqrt, numpy.tanh:
    ops.tanh, numpy.sin: ops.sin, numpy.cos: ops.cos, numpy.absolute: ops.abs_, numpy.sign: ops.sign,
    numpy.maximum: ops.maximum, numpy.minimum: ops.minimum, numpy.square: elementwise.square, numpy.equal:
    ops.equal, numpy.not_equal: ops.not_equal, numpy.less: ops.less, numpy.less_equal: ops.less_equal,
    numpy.greater: ops.greater, numpy.greater_equal: ops.greater_equal, numpy.isnan: ops.isnan, numpy.isinf:
    ops.isinf, numpy.isfinite: ops.isfinite, numpy.logical_and: ops.logical_and, numpy.logical_or:
    ops.logical_or, numpy.logical_not: ops.logical_not,
}  # fmt: skip


def _array_ufunc(_self: Tensor, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
    """A ufunc of NumPy on a Tensor is our operation of that name; one that we lack is refused."""
    operation = UFUNCS.get(ufunc)
    if method != "__call__" or keywords or operation is None:
        raise TypeError(
            f"numpy.{ufunc.__name__} with a Tensor (method {method!r}, keywords {sorted(keywords)}) would "
            "lose the gradient; use a function of minigrad, or .detach().numpy()"
        )
    return operation(*[wrap(a) if isinstance(a, HostArray) else a for a in inputs])


def _array_function(_self: Tensor, function: Any, _types: Any, args: Any, keywords: Any) -> Any:
    """NumPy's other functions take a Tensor as an array, so one that requires grad is refused."""

    def plain(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.numpy()
        return type(value)(plain(item) for item in value) if isinstance(value, list | tuple) else value

    return function(*plain(args), **{name: plain(value) for name, value in keywords.items()})


Tensor.__array_ufunc__ = _array_ufunc  # type: ignore[attr-defined]
Tensor.__array_function__ = _array_function  # type: ignore[attr-defined]
