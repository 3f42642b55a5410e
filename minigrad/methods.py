"""Floor 5: the table that puts operations on Tensor: operators, methods, in-place forms, NumPy."""

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy

from . import functions, ops
from .backend import HostArray
from .functions import convert, elementwise, index, shape
from .inplace import copy_, fill_, in_place, setitem, zero_
from .tensor import Tensor, wrap

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
Tensor.where = lambda self, condition, other: ops.where(condition, self, other)  # type: ignore[attr-defined]
Tensor.T = property(shape.t)  # type: ignore[attr-defined]
Tensor.mT = property(_method(ops.mT))  # type: ignore[attr-defined]

# ------------------------------------------------------------------------------------------------ in place

IN_PLACE: dict[str, Callable] = {
    f"{name}_": METHODS[name] for family in functions.FAMILIES for name in family.IN_PLACE
}
for _name, _function in IN_PLACE.items():
    setattr(Tensor, _name, in_place(_function, _name))
for _name in ("add", "sub", "mul", "truediv", "pow"):
    setattr(Tensor, f"__i{_name}__", in_place(BINARY[_name], f"{_name}_"))
Tensor.__setitem__ = setitem  # type: ignore[method-assign]
Tensor.copy_, Tensor.fill_, Tensor.zero_ = copy_, fill_, zero_  # type: ignore[attr-defined]

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
