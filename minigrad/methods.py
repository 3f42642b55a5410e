"""Floor 5: the table that puts operations on Tensor: operators, methods, in-place forms."""

from collections.abc import Callable
from types import FunctionType
from typing import Any

from . import creation, functions, layout, ops, random
from .functions import convert, elementwise, exponential, index, shape
from .inplace import copy_, fill_, in_place, setitem, zero_
from .tensor import Tensor

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
    return exponential.pow(a, b)


BINARY = {
    "add": ops.add.fast,
    "sub": ops.sub.fast,
    "mul": ops.mul.fast,
    "truediv": ops.div.fast,
    "matmul": ops.matmul.fast,
    "pow": _power,
    "floordiv": ops.floor_divide.fast,
    "mod": ops.remainder.fast,
    "and": ops.bitwise_and.fast,
    "or": ops.bitwise_or.fast,
    "xor": ops.bitwise_xor.fast,
    "lshift": ops.left_shift.fast,
    "rshift": ops.right_shift.fast,
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
Tensor.__pos__ = elementwise.positive  # type: ignore[operator]
Tensor.__neg__ = ops.neg.fast  # type: ignore[method-assign]
Tensor.__invert__ = ops.invert.fast  # type: ignore[method-assign]
Tensor.__abs__ = ops.abs_.fast  # type: ignore[attr-defined]
Tensor.__getitem__ = index.getitem  # type: ignore[method-assign]

# ------------------------------------------------------------------------------------------------ methods

METHODS: dict[str, Callable] = {
    name: getattr(family, name)
    for family in (*functions.FAMILIES, creation, layout, random)
    for name in family.METHODS
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
Tensor.type_as = lambda self, other: convert.to(self, other.dtype)  # type: ignore[attr-defined]
Tensor.where = lambda self, condition, other: ops.where(condition, self, other)  # type: ignore[attr-defined]
Tensor.polygamma = lambda self, n: exponential.polygamma(n, self)  # type: ignore[attr-defined]
Tensor.T = property(shape.t)  # type: ignore[attr-defined]
Tensor.mT = property(_method(ops.mT))  # type: ignore[attr-defined]

# ------------------------------------------------------------------------------------------------ in place

IN_PLACE: dict[str, Callable] = {
    f"{name}_": METHODS[name] for family in functions.FAMILIES for name in family.IN_PLACE
}
for _name, _function in IN_PLACE.items():
    setattr(Tensor, _name, in_place(_function, _name))
for _name, _operation in BINARY.items():
    if _name != "matmul":
        setattr(Tensor, f"__i{_name}__", in_place(_operation, f"{_name}_"))
Tensor.__setitem__ = setitem  # type: ignore[method-assign]
Tensor.copy_, Tensor.fill_, Tensor.zero_ = copy_, fill_, zero_  # type: ignore[attr-defined]
