"""Floor 5: the one table that puts operations on Tensor: operators, methods, in-place forms, and NumPy's functions."""

from collections.abc import Callable
from typing import Any

import numpy

from . import functions, ops
from .backend import HostArray, is_array
from .errors import DTypeError, GraphError, ShapeError
from .indexing import checked_index
from .modes import mode
from .tape import Leaf
from .tensor import VIEWED, Tensor, wrap

# ------------------------------------------------------------------------------------------------ operators

def _reflected(operation: Callable) -> Callable:
    """The method for `b + a` where b is no Tensor."""
    return lambda self, other: operation(other, self)


def _power(a: Any, b: Any) -> Any:
    return functions.pow(a, b)


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
    setattr(Tensor, f"__{_name}__", _operation)
Tensor.__neg__ = ops.neg.fast  # type: ignore[method-assign]
Tensor.__invert__ = lambda self: ops.invert(self)  # type: ignore[method-assign]
Tensor.__abs__ = lambda self: ops.abs_(self)  # type: ignore[attr-defined]
Tensor.__getitem__ = functions.getitem  # type: ignore[method-assign]

# ------------------------------------------------------------------------------------------------ methods

FUNCTIONS: dict[str, Callable] = {
    **{name: getattr(functions, name) for name in (
        "all any amax amin argmax argmin chunk clamp clone contiguous cumsum expand expand_as flatten flip gather "
        "log_softmax logsumexp masked_fill max mean min narrow permute pow reshape softmax split square squeeze std sum "
        "sum_to_size t to transpose tril triu unbind unsqueeze var view"
    ).split() if hasattr(functions, name)},
    **{op.name: op for op in (
        ops.abs_, ops.add, ops.cos, ops.div, ops.erf, ops.exp, ops.expm1, ops.isfinite, ops.isinf, ops.isnan, ops.log,
        ops.log1p, ops.logical_and, ops.logical_not, ops.logical_or, ops.matmul, ops.maximum, ops.minimum, ops.mul,
        ops.neg, ops.relu, ops.sigmoid, ops.sign, ops.sin, ops.sqrt, ops.sub, ops.tanh,
    )},
    "eq": ops.equal, "ne": ops.not_equal, "lt": ops.less, "le": ops.less_equal,
    "gt": ops.greater, "ge": ops.greater_equal, "dot": ops.dot, "mm": ops.matmul, "bmm": ops.matmul,
}


def _method(function: Callable) -> Callable:
    """A function whose first argument is the tensor; operations are objects, so they are wrapped to bind as methods."""

    def method(self: Tensor, *args: Any, **keywords: Any) -> Any:
        return function(self, *args, **keywords)

    method.__name__, method.__doc__ = getattr(function, "__name__", ""), function.__doc__
    return method


for _name, _function in FUNCTIONS.items():
    setattr(Tensor, _name, _method(_function))

_DTYPES = {"double": "float64", "float": "float32", "half": "float16", "long": "int64", "int": "int32", "bool": "bool"}
for _name, _dtype in _DTYPES.items():
    setattr(Tensor, _name, (lambda dtype: lambda self: functions.to(self, dtype))(_dtype))
Tensor.cpu = lambda self: functions.to(self, "cpu")  # type: ignore[attr-defined]
Tensor.cuda = lambda self, index=0: functions.to(self, f"cuda:{index}")  # type: ignore[attr-defined]
Tensor.type_as = lambda self, other: functions.to(self, other.dtype)  # type: ignore[attr-defined]
Tensor.T = property(functions.t)  # type: ignore[attr-defined]
Tensor.mT = property(lambda self: ops.mT(self))  # type: ignore[attr-defined]

# ------------------------------------------------------------------------------------------------ in place


def _writable(self: Tensor, name: str) -> None:
    """GraphError where a write in place would falsify a gradient."""
    if not mode.recording:
        return
    if type(self.node) is Leaf:
        raise GraphError(f"{name}: a leaf that requires grad is changed in place; use no_grad() or a copy")
    if VIEWED in self.version:
        raise GraphError(
            f"{name}: a tensor whose memory is shared by a recorded view is changed in place, and the other's gradient "
            "would be wrong; write to a .clone(), or under no_grad()"
        )


def write(self: Tensor, made: Any, name: str) -> Tensor:
    """Let the tensor take over the values and the history of `made`: the last step of every operation in place."""
    array = made.array if isinstance(made, Tensor) else made
    if array.shape != self.shape:
        raise ShapeError(f"{name}: the result has shape {array.shape}, expected the tensor's own {self.shape}")
    if array.dtype.kind == "f" and self.dtype.kind != "f":
        raise DTypeError(f"{name}: a result of {array.dtype} cannot be stored in a tensor of {self.dtype}")
    self.bump_version()
    self.array[...] = array
    if isinstance(made, Tensor) and made.node is not None:
        self.node = functions.to(made, self.dtype).node
    return self


def _in_place(operation: Callable, name: str) -> Callable:
    """The in-place form of an operation: computed on a copy that the rules may keep, then written back."""

    def method(self: Tensor, *args: Any, **keywords: Any) -> Tensor:
        _writable(self, name)
        recorded = mode.recording and (
            self.node is not None or any(isinstance(a, Tensor) and a.node is not None for a in args)
        )
        source = wrap(self.array.copy(), self.node) if recorded else self
        return write(self, operation(source, *args, **keywords), name)

    method.__name__, method.__doc__ = name, f"In place: {operation.__doc__}"
    return method


def _copied(self: Tensor, source: Any) -> Tensor:
    """y = the values of `source`, at the shape and in the type of self"""
    values = source if isinstance(source, Tensor) else wrap(numpy.asarray(source))
    return functions.to(ops.broadcast_to(values, shape=self.shape), dtype=self.dtype, device=self.device)


def _constant(self: Tensor, value: float) -> Tensor:
    """y = `value` everywhere"""
    array = self.array.copy()
    array[...] = value
    return wrap(array)


IN_PLACE: dict[str, Callable] = {
    **{f"{name}_": FUNCTIONS[name] for name in (
        "abs add clamp div exp log masked_fill mul neg pow relu sigmoid sqrt sub tanh"
    ).split()},
    "copy_": _copied,
    "fill_": _constant,
    "zero_": lambda self: _constant(self, 0),
}
for _name, _function in IN_PLACE.items():
    setattr(Tensor, _name, _in_place(_function, _name))
for _name in ("add", "sub", "mul", "truediv", "pow"):
    setattr(Tensor, f"__i{_name}__", _in_place(BINARY[_name], f"{_name}_"))


def _setitem(self: Tensor, index: Any, value: Any) -> None:
    """self[index] = value, recorded like every other operation in place."""
    name = "x[index] = value"
    _writable(self, name)
    clean = checked_index(self.array, index)
    if mode.recording and (self.node is not None or (isinstance(value, Tensor) and value.node is not None)):
        write(self, ops.setitem(wrap(self.array, self.node), value, index=clean), name)
        return
    self.bump_version()
    self.array[clean] = value.array if isinstance(value, Tensor) else value


Tensor.__setitem__ = _setitem  # type: ignore[method-assign]

# ------------------------------------------------------------------------------------------------ NumPy on the left

UFUNCS: dict[Any, Callable] = {
    numpy.add: ops.add, numpy.subtract: ops.sub, numpy.multiply: ops.mul, numpy.true_divide: ops.div,
    numpy.power: functions.pow, numpy.negative: ops.neg, numpy.matmul: ops.matmul, numpy.exp: ops.exp,
    numpy.expm1: ops.expm1, numpy.log: ops.log, numpy.log1p: ops.log1p, numpy.sqrt: ops.sqrt, numpy.tanh: ops.tanh,
    numpy.sin: ops.sin, numpy.cos: ops.cos, numpy.absolute: ops.abs_, numpy.sign: ops.sign,
    numpy.maximum: ops.maximum, numpy.minimum: ops.minimum, numpy.square: functions.square,
    numpy.equal: ops.equal, numpy.not_equal: ops.not_equal, numpy.less: ops.less, numpy.less_equal: ops.less_equal,
    numpy.greater: ops.greater, numpy.greater_equal: ops.greater_equal, numpy.isnan: ops.isnan,
    numpy.isinf: ops.isinf, numpy.isfinite: ops.isfinite, numpy.logical_and: ops.logical_and,
    numpy.logical_or: ops.logical_or, numpy.logical_not: ops.logical_not,
}  # fmt: skip


def _array_ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
    """A ufunc of NumPy on a Tensor is our operation of that name; one that we lack is refused, never half done."""
    operation = UFUNCS.get(ufunc)
    if method != "__call__" or keywords or operation is None:
        raise TypeError(
            f"numpy.{ufunc.__name__} with a Tensor (method {method!r}, keywords {sorted(keywords)}) would lose the "
            "gradient; use a function of minigrad, or .detach().numpy()"
        )
    return operation(*[wrap(a) if isinstance(a, HostArray) else a for a in inputs])


def _array_function(self: Tensor, function: Any, types: Any, args: Any, keywords: Any) -> Any:
    """Functions of NumPy other than ufuncs take a Tensor only as an array, so one that requires grad is refused."""

    def plain(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.numpy()
        return type(value)(plain(item) for item in value) if isinstance(value, list | tuple) else value

    return function(*plain(args), **{name: plain(value) for name, value in keywords.items()})


Tensor.__array_ufunc__ = _array_ufunc  # type: ignore[attr-defined]
Tensor.__array_function__ = _array_function  # type: ignore[attr-defined]
