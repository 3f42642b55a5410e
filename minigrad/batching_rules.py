"""Floor 5: how each family of operations does for all examples what was asked for one.

A rule gets the operation, its operands (batching.Operand: `value` with the batch first if `batched`, and the
`shape` of one example) and its static arguments, and returns the outputs with the batch first.

Letters: B the number of examples, n the number of dimensions of one example.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from . import ops
from .backend import default_dtype, is_array, namespace, result_dtype
from .batching import RULES, Operand
from .tensor import Tensor


def rule(*families: str) -> Callable[[Callable], Callable]:
    """Make the decorated function the batching rule of `families`."""

    def register(function: Callable) -> Callable:
        RULES.update(dict.fromkeys(families, function))
        return function

    return register


# ------------------------------------------------------------------------------------------------ tools


def batch_size(operands: Sequence[Operand]) -> int:
    """B."""
    return next(operand.value.shape[0] for operand in operands if operand.batched)


def with_batch(operand: Operand, size: int) -> Tensor:
    """The operand with the batch first; one that is the same for all examples is repeated, without a copy."""
    if operand.batched:
        return operand.value
    return ops.broadcast_to(operand.value, shape=(size, *operand.shape))


def aligned(operand: Operand, ndim: int) -> Any:
    """The operand with its example dimensions on the right of `ndim`, as broadcasting wants them."""
    if not operand.batched or operand.ndim == ndim:
        return operand.value
    size, *shape = operand.value.shape
    return ops.reshape(operand.value, shape=(size, *[1] * (ndim - operand.ndim), *shape))


def shifted(dim: Any, ndim: int) -> Any:
    """A dimension, or several, of one example, counted in all of them."""
    if isinstance(dim, int):
        return dim % max(ndim, 1) + 1
    return tuple(shifted(d, ndim) for d in (range(ndim) if dim is None else dim))


# ------------------------------------------------------------------------------------------------ families


@rule("elementwise")
def elementwise(op: Any, operands: list[Operand], static: dict[str, Any]) -> Any:
    """Operands that broadcast: (B, 1, ..., 1, *shape), so that the batch stays in front."""
    ndim = max(operand.ndim for operand in operands)
    values = [aligned(operand, ndim) for operand in operands]
    if op.promoted:  # by the shapes of one example: a 0-d tensor has less to say than one with dimensions
        places = [p for p in op.promoted if operands[p].given is not None]
        common = result_dtype([getattr(operands[p].given, "array", operands[p].given) for p in places])
        if op.floating and common.kind != "f":
            common = default_dtype()
        for p in places:
            if isinstance(values[p], Tensor) and values[p].dtype != common:
                values[p] = ops.cast(values[p], dtype=common)
    return op(*values, **static)


@rule("axis")
def axis(op: Any, operands: list[Operand], static: dict[str, Any]) -> Any:
    """Operations along `dim` (or `dims`): one dimension further to the right."""
    first, *others = operands
    size, ndim = batch_size(operands), first.ndim
    values = [with_batch(first, size), *[aligned(operand, ndim) for operand in others]]
    if ndim == 0:  # along a dimension that is not there: along one of size 1, which is then forgotten
        values = [ops.reshape(value, shape=(-1, 1)) for value in values]
    moved = dict(static)
    for name in ("dim", "dims"):
        if name in static:
            moved[name] = shifted(static[name], max(ndim, 1))
    if op.name in ("argmax", "argmin") and static["dim"] is None:
        flat = ops.reshape(values[0], shape=(size, -1))
        return _reshaped(op(flat, dim=1), (size, *([1] * ndim if static["keepdim"] else [])))
    outputs = op(*values, **moved)
    return _reshaped(outputs, (size,)) if ndim == 0 else outputs


def _reshaped(outputs: Any, shape: tuple[int, ...]) -> Any:
    if isinstance(outputs, tuple):
        return tuple(_reshaped(out, shape) for out in outputs)
    return outputs if outputs.shape == shape else ops.reshape(outputs, shape=shape)


@rule("trailing")
def trailing(op: Any, operands: list[Operand], static: dict[str, Any]) -> Any:
    """Operations on the last dimensions only: more of them in front are nothing new."""
    return op(*[operand.value for operand in operands], **static)


@rule("matmul")
def matrix_product(op: Any, operands: list[Operand], static: dict[str, Any]) -> Any:
    """Matrices line up from the right; a vector becomes a matrix of one row or column, and back."""
    a, b = operands
    ndim = max(a.ndim, b.ndim, 2)
    left = ops.reshape(a.value, shape=(*a.value.shape[:-1], 1, a.shape[0])) if a.ndim == 1 else a.value
    right = ops.reshape(b.value, shape=(*b.value.shape, 1)) if b.ndim == 1 else b.value
    product = op(_with_room(left, a.batched, ndim), _with_room(right, b.batched, ndim), **static)
    shape: tuple[int, ...] = product.shape
    if a.ndim == 1:
        shape = (*shape[:-2], *shape[-1:])
    if b.ndim == 1:
        shape = shape[:-1]
    return _reshaped(product, shape)


def _with_room(value: Tensor, batched: bool, ndim: int) -> Tensor:
    """(B, *shape) with so many ones behind B that each example has `ndim` dimensions."""
    if not batched or value.ndim == ndim + 1:
        return value
    size, *shape = value.shape
    return ops.reshape(value, shape=(size, *[1] * (ndim - len(shape)), *shape))


# ------------------------------------------------------------------------------------------------ images


@rule("images")
def images(op: Any, operands: list[Operand], static: dict[str, Any]) -> Any:
    """Operations on each image of x (N, C, ...) by itself: there are B N of them."""
    (x,) = operands
    outputs = op(_merged(x.value, 0), **static)
    if isinstance(outputs, tuple):
        return tuple(_parted(out, 0, x.value.shape[0]) for out in outputs)
    return _parted(outputs, 0, x.value.shape[0])


@rule("convolution")
def convolution(op: Any, operands: list[Operand], static: dict[str, Any]) -> Any:
    """An example more is so many groups more: images (N, B C, ...), a weight (B O, C, ...), a bias (B O).

    If only the images differ from example to example, it is so many images more.
    """
    size = batch_size(operands)
    if "weight" in op.inputs and not any(operand.batched for operand in operands[1:]):
        first, *others = operands
        return _parted(op(_merged(first.value, 0), *[operand.value for operand in others], **static), 0, size)
    values: list[Any] = []
    for name, operand in zip(op.inputs, operands, strict=True):
        value = None if operand.given is None else with_batch(operand, size)
        if name in ("x", "z"):
            values.append(_merged(_exchanged(value), 1))  # (B, N, C, ...) -> (N, B C, ...)
        else:
            values.append(value if value is None else _merged(value, 0))
    grid = replace(static["grid"], groups=size * static["grid"].groups)
    y = op(*values, **{**static, "grid": grid})
    return _parted(y, 0, size) if op.name == "convolve_weight" else _exchanged(_parted(y, 1, size))


def _merged(value: Any, dim: int) -> Any:
    """A dimension and the next one as one."""
    shape = value.shape
    return ops.reshape(value, shape=(*shape[:dim], shape[dim] * shape[dim + 1], *shape[dim + 2 :]))


def _parted(value: Any, dim: int, size: int) -> Any:
    """A dimension as two, the first of which has this size."""
    shape = value.shape
    return ops.reshape(value, shape=(*shape[:dim], size, shape[dim] // size, *shape[dim + 1 :]))


def _exchanged(value: Any) -> Any:
    """The first two dimensions exchanged."""
    return ops.permute(value, dims=(1, 0, *range(2, len(value.shape))))


# ------------------------------------------------------------------------------------------------ shapes


@rule("reshape")
def reshape(op: Any, operands: list[Operand], static: dict[str, Any]) -> Any:
    """The batch stays in front of the new shape."""
    (x,) = operands
    return op(x.value, shape=(x.value.shape[0], *static["shape"]))


@rule("permute")
def permute(op: Any, operands: list[Operand], static: dict[str, Any]) -> Any:
    """The batch stays where it is."""
    (x,) = operands
    return op(x.value, dims=(0, *shifted(static["dims"], x.ndim)))


@rule("broadcast_to")
def broadcast_to(op: Any, operands: list[Operand], static: dict[str, Any]) -> Any:
    """New dimensions come between the batch and the example's."""
    (x,) = operands
    return op(aligned(x, len(static["shape"])), shape=(x.value.shape[0], *static["shape"]))


@rule("sum_to")
def sum_to(op: Any, operands: list[Operand], static: dict[str, Any]) -> Any:
    """First the sum over the dimensions that one example has too many, then over those that are stretched."""
    (x,) = operands
    extra = tuple(range(1, 1 + x.ndim - len(static["shape"])))
    value = ops.sum_(x.value, dim=extra) if extra else x.value
    return op(value, shape=(value.shape[0], *static["shape"]))


@rule("join")
def join(op: Any, operands: list[Operand], static: dict[str, Any]) -> Any:
    """cat and stack: every tensor with the batch in front."""
    size = batch_size(operands)
    ndim = operands[0].ndim + (op.name == "stack")
    return op(*[with_batch(operand, size) for operand in operands], dim=shifted(static["dim"], ndim))


# ------------------------------------------------------------------------------------------------ indices


@rule("getitem")
def getitem(op: Any, operands: list[Operand], static: dict[str, Any]) -> Any:
    """x[index] of each example: x[:, index] of all."""
    (x,) = operands
    return op(x.value, index=_behind_batch(static["index"], x.value.shape[0]))


@rule("put")
def put(op: Any, operands: list[Operand], static: dict[str, Any]) -> Any:
    """The adjoint of getitem."""
    (x,) = operands
    size = x.value.shape[0]
    return op(x.value, shape=(size, *static["shape"]), index=_behind_batch(static["index"], size))


@rule("setitem")
def setitem(op: Any, operands: list[Operand], static: dict[str, Any]) -> Any:
    """x[index] = v of each example."""
    x, v = operands
    size = batch_size(operands)
    index = _behind_batch(static["index"], size)
    target = with_batch(x, size)
    if not isinstance(v.value, Tensor):
        return op(target, v.value, index=index)
    picked = ops.getitem(target, index=index)
    return op(target, aligned(v, picked.ndim - 1), index=index)


def _behind_batch(index: Any, size: int) -> tuple:
    """The index of one example behind a slice that takes all of them.

    Where arrays stand apart, the dimensions that they pick come first; an array in place of the slice puts
    that of the batch before them.
    """
    parts = index if isinstance(index, tuple) else (index,)
    arrays = [part for part in parts if is_array(part)]
    numbers = [i for i, part in enumerate(parts) if is_array(part) or hasattr(part, "__index__")]
    if not arrays or numbers == list(range(numbers[0], numbers[-1] + 1)):
        return (slice(None), *parts)
    ndim = max(1 if array.dtype.kind == "b" else array.ndim for array in arrays)
    return (namespace(arrays[0]).arange(size).reshape(-1, *[1] * ndim), *parts)


@rule("gather")
def gather(op: Any, operands: list[Operand], static: dict[str, Any]) -> Any:
    """gather and scatter: the index, too, has one for each example."""
    size, ndim = batch_size(operands), operands[0].ndim
    moved = {**static, "dim": shifted(static["dim"], ndim)}
    if "shape" in static:
        moved["shape"] = (size, *static["shape"])
    return op(*[with_batch(operand, size) for operand in operands], **moved)


@rule("embedding")
def embedding(op: Any, operands: list[Operand], static: dict[str, Any]) -> Any:
    """Rows of one table for all examples, or of a table each: then of all tables, one below the other."""
    table, indices = operands
    if not table.batched:
        return op(table.value, indices.value, **static)
    size, rows, width = table.value.shape
    stacked = ops.reshape(table.value, shape=(size * rows, width))
    if static["padding_idx"] is not None:
        raise NotImplementedError("vmap: embedding with padding_idx and a table for each example")
    return op(stacked, _in_tables(indices, size, rows), **static)


@rule("embedding_gradient")
def embedding_gradient(op: Any, operands: list[Operand], static: dict[str, Any]) -> Any:
    """The rows of each example are added to a table of its own: of all tables, one below the other."""
    g, indices = operands
    size, rows = batch_size(operands), static["rows"]
    values = with_batch(g, size)
    if static["padding_idx"] is not None:
        kept = with_batch(indices, size) != static["padding_idx"]
        values = values * ops.reshape(kept, shape=(*kept.shape, 1))
    stacked = op(values, _in_tables(indices, size, rows), rows=size * rows)
    return ops.reshape(stacked, shape=(size, rows, values.shape[-1]))


def _in_tables(indices: Operand, size: int, rows: int) -> Any:
    """The indices of each example, counted in tables of so many rows that lie one below the other."""
    wide = with_batch(indices, size)
    starts = Tensor(namespace(wide.array).arange(size)) * rows
    return wide + ops.reshape(starts, shape=(size, *[1] * indices.ndim))
