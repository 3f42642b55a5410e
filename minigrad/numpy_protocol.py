"""Floor 6: what NumPy's own functions make of a Tensor.

`np.exp(t)` and `np.sum(t, axis=0)` are our operations, and so differentiable; NumPy asks for them by the two
protocols `__array_ufunc__` (NEP 13) and `__array_function__` (NEP 18).  What is not on the lists below works
on a tensor that needs no gradient, as on an array; one that does is refused, or its gradient would be lost.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy

from . import creation, functions, linalg
from .backend import HostArray
from .tensor import Tensor, wrap

F: Any = functions

# ------------------------------------------------------------------------------------------------ ufuncs

RENAMED = {  # NumPy's names of ufuncs that PyTorch names otherwise
    "subtract": "sub", "multiply": "mul", "true_divide": "div", "divide": "div", "power": "pow",
    "negative": "neg", "absolute": "abs", "fabs": "abs", "equal": "eq", "not_equal": "ne", "less": "lt",
    "less_equal": "le", "greater": "gt", "greater_equal": "ge", "rint": "round", "invert": "bitwise_not",
    "left_shift": "bitwise_left_shift", "right_shift": "bitwise_right_shift", "arctan2": "atan2",
    "degrees": "rad2deg", "radians": "deg2rad",
}  # fmt: skip
ALIKE = (
    *("add", "floor_divide", "remainder", "fmod", "sign", "square", "sqrt", "reciprocal", "exp", "exp2"),
    *("expm1", "log", "log2", "log10", "log1p", "logaddexp", "logaddexp2", "sin", "cos", "tan", "arcsin"),
    *("arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "hypot", "heaviside"),
    *("copysign", "signbit", "rad2deg", "deg2rad", "ceil", "floor", "trunc", "maximum", "minimum", "fmax"),
    *("fmin", "isnan", "isinf", "isfinite", "logical_and", "logical_or", "logical_xor", "logical_not"),
    *("bitwise_and", "bitwise_or", "bitwise_xor", "matmul"),
)
UFUNCS: dict[str, Callable] = {
    **{name: getattr(F, name) for name in ALIKE},
    **{name: getattr(F, ours) for name, ours in RENAMED.items()},
}
REDUCTIONS: dict[str, Callable] = {  # np.add.reduce and its like
    "add": F.sum, "multiply": F.prod, "maximum": F.amax, "minimum": F.amin, "logical_and": F.all,
    "logical_or": F.any,
}  # fmt: skip


def array_ufunc(_self: Tensor, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
    """A ufunc of NumPy on a Tensor is our operation of that meaning; one that we lack is refused."""
    operation = UFUNCS.get(ufunc.__name__) if method == "__call__" and not keywords else None
    if method == "reduce" and ufunc.__name__ in REDUCTIONS and set(keywords) <= {"axis", "keepdims"}:
        dim = keywords.get("axis", 0)  # unlike np.sum, np.add.reduce goes along the first dimension only
        return REDUCTIONS[ufunc.__name__](*inputs, dim=dim, keepdim=keywords.get("keepdims", False))
    if operation is not None:
        return operation(*[wrap(a) if isinstance(a, HostArray) else a for a in inputs])
    if keywords.get("out") is None and not _needs_grad((inputs, keywords)):
        return _tensors(getattr(ufunc, method)(*_arrays(inputs), **_arrays(keywords)))
    raise TypeError(
        f"numpy.{ufunc.__name__} with a Tensor (method {method!r}, keywords {sorted(keywords)}) would "
        "lose the gradient; use a function of minigrad, or .detach().numpy()"
    )


# ------------------------------------------------------------------------------------------------ functions


def _flat_unless(axis: int | None, a: Tensor) -> tuple[Tensor, int]:
    """NumPy's axis=None: of all elements, one behind the other."""
    return (a.reshape(-1), 0) if axis is None else (a, axis)


def _norm(x: Tensor, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    return linalg.norm(x, ord=ord, dim=axis, keepdim=keepdims)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    if min(a.ndim, b.ndim) == 0:
        return F.mul(a, b)
    if b.ndim > 2:
        raise TypeError("numpy.dot of a Tensor with more than 2 dimensions; use matmul or tensordot")
    return F.matmul(a, b)


def _reduction(function: Callable) -> Callable:
    return lambda a, axis=None, *, keepdims=False: function(a, axis, keepdims)


def _deviation(function: Callable) -> Callable:
    """NumPy's var and std divide by n unless told, PyTorch's by n - 1."""
    return lambda a, axis=None, *, ddof=0, keepdims=False: function(
        a, axis, correction=ddof, keepdim=keepdims
    )


def _along(function: Callable) -> Callable:
    return lambda a, axis=None: function(*_flat_unless(axis, a))


FUNCTIONS: dict[Any, Callable] = {
    # reductions and scans
    numpy.sum: lambda a, axis=None, dtype=None, *, keepdims=False: F.sum(a, axis, keepdims, dtype=dtype),
    numpy.mean: lambda a, axis=None, dtype=None, *, keepdims=False: F.mean(a, axis, keepdims, dtype=dtype),
    **{getattr(numpy, name): _reduction(getattr(F, name)) for name in ("amax", "amin", "all", "any")},
    numpy.max: _reduction(F.amax), numpy.min: _reduction(F.amin),
    **{getattr(numpy, name): _deviation(getattr(F, name)) for name in ("var", "std")},
    **{getattr(numpy, name): _along(getattr(F, name)) for name in ("cumsum", "cumprod")},
    numpy.prod: lambda a, axis=None, *, keepdims=False: (
        F.prod(a) if axis is None and not keepdims else F.prod(a, axis, keepdims)
    ),
    numpy.nansum: _reduction(F.nansum), numpy.nanmean: _reduction(F.nanmean),
    numpy.argmax: lambda a, axis=None, *, keepdims=False: F.argmax(a, axis, keepdims),
    numpy.argmin: lambda a, axis=None, *, keepdims=False: F.argmin(a, axis, keepdims),
    numpy.count_nonzero: lambda a, axis=None: F.count_nonzero(a, axis),
    numpy.sort: lambda a, axis=-1: F.sort(*_flat_unless(axis, a))[0],
    numpy.argsort: lambda a, axis=-1: F.argsort(*_flat_unless(axis, a), stable=True),
    # element by element
    numpy.clip: lambda a, a_min=None, a_max=None, *, min=None, max=None: F.clamp(
        a, a_min if min is None else min, a_max if max is None else max
    ),
    numpy.where: lambda condition, *two: F.where(condition, *two),
    numpy.round: lambda a, decimals=0: F.round(a, decimals=decimals),
    numpy.nan_to_num: lambda x, *, nan=0.0, posinf=None, neginf=None: F.nan_to_num(x, nan, posinf, neginf),
    numpy.isclose: lambda a, b, rtol=1e-05, atol=1e-08, equal_nan=False: F.isclose(
        a, b, rtol, atol, equal_nan
    ),
    numpy.allclose: lambda a, b, rtol=1e-05, atol=1e-08, equal_nan=False: F.allclose(
        a, b, rtol, atol, equal_nan
    ),
    numpy.array_equal: lambda a1, a2: F.equal(a1, a2),
    numpy.copy: lambda a: a.clone(),
    # shapes
    numpy.shape: lambda a: a.shape, numpy.ndim: lambda a: a.ndim,
    numpy.size: lambda a, axis=None: a.numel() if axis is None else a.shape[axis],
    numpy.reshape: lambda a, shape: a.reshape(shape), numpy.ravel: lambda a: a.reshape(-1),
    numpy.transpose: lambda a, axes=None: a.permute(*(axes or range(a.ndim - 1, -1, -1))),
    numpy.swapaxes: lambda a, axis1, axis2: a.transpose(axis1, axis2),
    numpy.moveaxis: lambda a, source, destination: F.movedim(a, source, destination),
    numpy.squeeze: lambda a, axis=None: F.squeeze(a, axis) if axis is not None else F.squeeze(a),
    numpy.expand_dims: lambda a, axis: F.unsqueeze(a, axis),
    numpy.broadcast_to: lambda array, shape: F.broadcast_to(array, shape),
    numpy.concatenate: lambda arrays, axis=0: F.cat(_all_tensors(arrays), axis),
    numpy.stack: lambda arrays, axis=0: F.stack(_all_tensors(arrays), axis),
    numpy.hstack: lambda tup: F.hstack(_all_tensors(tup)),
    numpy.vstack: lambda tup: F.vstack(_all_tensors(tup)),
    numpy.split: lambda ary, indices_or_sections, axis=0: list(
        F.tensor_split(ary, indices_or_sections, axis)
    ),
    numpy.flip: lambda m, axis=None: F.flip(m, tuple(range(m.ndim)) if axis is None else axis),
    numpy.roll: lambda a, shift, axis=None: F.roll(a, shift, axis),
    numpy.tile: lambda A, reps: F.tile(A, reps if isinstance(reps, tuple | list) else (reps,)),
    numpy.repeat: lambda a, repeats, axis=None: F.repeat_interleave(a, repeats, axis),
    numpy.tril: lambda m, k=0: F.tril(m, k), numpy.triu: lambda m, k=0: F.triu(m, k),
    numpy.diag: lambda v, k=0: F.diag(v, k), numpy.trace: lambda a: F.trace(a),
    numpy.take: lambda a, indices, axis=None: (
        F.take(a, creation.as_tensor(indices)) if axis is None
        else F.index_select(a, axis, creation.as_tensor(indices))
    ),
    numpy.take_along_axis: lambda arr, indices, axis: F.take_along_dim(arr, indices, axis),
    numpy.zeros_like: lambda a: creation.zeros_like(a), numpy.ones_like: lambda a: creation.ones_like(a),
    # products
    numpy.dot: _dot, numpy.outer: lambda a, b: F.outer(a, b), numpy.kron: lambda a, b: F.kron(a, b),
    numpy.einsum: lambda subscripts, *operands: F.einsum(subscripts, *operands),
    numpy.tensordot: lambda a, b, axes=2: F.tensordot(a, b, axes),
    numpy.linalg.norm: _norm, numpy.linalg.inv: lambda a: linalg.inv(a),
    numpy.linalg.det: lambda a: linalg.det(a),
    numpy.linalg.solve: lambda a, b: linalg.solve(a, b), numpy.linalg.cholesky: lambda a: linalg.cholesky(a),
    numpy.linalg.pinv: lambda a: linalg.pinv(a),
}  # fmt: skip


def array_function(_self: Tensor, function: Any, _types: Any, args: Any, keywords: Any) -> Any:
    """One of NumPy's other functions on a Tensor: ours, or NumPy's where no gradient is at stake."""
    ours = FUNCTIONS.get(function)
    if ours is not None and _fits(ours, args, keywords):
        return ours(*_tensors(args), **_tensors(keywords))
    if not _needs_grad((args, keywords)):
        return function(*_arrays(args), **_arrays(keywords))
    raise TypeError(
        f"numpy.{function.__name__} with a tensor that requires grad, called like this, would lose the "
        "gradient; use a function of minigrad, or .detach().numpy()"
    )


def _fits(function: Callable, args: tuple, keywords: dict[str, Any]) -> bool:
    """Does our function take these arguments?"""
    try:
        inspect.signature(function).bind(*args, **keywords)
    except TypeError:
        return False
    return True


# ------------------------------------------------------------------------------------------------ arguments


def _mapped(convert: Callable, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _mapped(convert, item) for name, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_mapped(convert, item) for item in value)
    return convert(value)


def _arrays(value: Any) -> Any:
    """Every Tensor as an array; what requires grad refuses."""
    return _mapped(lambda item: item.numpy() if isinstance(item, Tensor) else item, value)


def _tensors(value: Any) -> Any:
    """Every array as a Tensor."""
    return _mapped(
        lambda item: wrap(numpy.asarray(item)) if isinstance(item, numpy.generic | HostArray) else item, value
    )


def _all_tensors(values: Any) -> list[Tensor]:
    return [value if isinstance(value, Tensor) else creation.as_tensor(value) for value in values]


def _needs_grad(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_needs_grad(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(_needs_grad(item) for item in value)
    return isinstance(value, Tensor) and value.requires_grad


Tensor.__array_ufunc__ = array_ufunc  # type: ignore[attr-defined]
Tensor.__array_function__ = array_function  # type: ignore[attr-defined]
