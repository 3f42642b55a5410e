"""Floor 5: functions that write or add to elements by number; see functions/__init__.py.

Each gives a new tensor; its form with an underscore writes to the tensor itself. Of several values that are
written to one element the last one stays, and it alone gets a gradient.
"""

from collections.abc import Callable, Sequence
from typing import Any

from minigrad import ops
from minigrad.backend import namespace
from minigrad.errors import ShapeError, normalise_dim
from minigrad.indexing import ALL, checked_index, dimensions_taken, numbered_along
from minigrad.tensor import Tensor, wrap

from .convert import to
from .index_checks import (
    broadcast_shape,
    check_along,
    check_integers,
    check_mask,
    check_range,
    check_same_type,
    check_shape,
    check_vector,
    one_dimensional,
)
from .joining import cat
from .shape import expand, permute, reshape

__all__ = [
    "diagonal_scatter", "index_add", "index_copy", "index_fill", "index_put", "index_reduce",
    "masked_scatter", "put", "scatter", "scatter_add", "scatter_reduce", "select_scatter", "slice_scatter",
]  # fmt: skip
METHODS = tuple(__all__)
IN_PLACE = (
    *("index_add", "index_copy", "index_fill", "index_put", "index_reduce"),
    *("masked_scatter", "put", "scatter", "scatter_add", "scatter_reduce"),
)

# ------------------------------------------------------------------------------------------------ elements


def scatter(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """The input with y[index[i][j]][j] = src[i][j] for dim 0; `src` is a Tensor, or one number for all.

    reduce="add" and reduce="multiply" are scatter_reduce with "sum" and "prod".
    """
    if (src is None) == (value is None):
        raise TypeError("scatter(): expected either src, a Tensor, or value, a number")
    if reduce not in (None, "add", "multiply"):
        raise ValueError(f"scatter(): reduce must be 'add' or 'multiply', got {reduce!r}")
    check_integers("scatter", index)
    source = value if src is None else src
    if not isinstance(source, Tensor):
        source = wrap(namespace(input.array).full(index.shape, source, input.dtype))
    if reduce is not None:
        return scatter_reduce(input, dim, index, source, "sum" if reduce == "add" else "prod")
    (x, values, numbers), place = _matched("scatter", input, dim, index, source)
    return _shaped(ops.scatter_(x, values, numbers, dim=place), input)


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """The input with y[index[i][j]][j] += src[i][j] for dim 0; what is sent to one element adds up.

    >>> import minigrad as mg
    >>> mg.scatter_add(mg.zeros(3), 0, mg.tensor([0, 2, 2]), mg.tensor([1.0, 2.0, 3.0])).tolist()
    [1.0, 0.0, 5.0]
    """
    operands, place = _matched("scatter_add", input, dim, index, src)
    return _shaped(_sum(*operands, dim=place, include_self=True), input)


def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """The "sum", "prod", "mean", "amax" or "amin" of each element and all that `src` sends to it.

    src[i][j] is sent to y[index[i][j]][j], for dim 0. With include_self=False an element to which something
    is sent does not count itself.
    """
    if reduce not in REDUCTIONS:
        raise ValueError(f"scatter_reduce(): reduce must be one of {', '.join(REDUCTIONS)}, got {reduce!r}")
    operands, place = _matched("scatter_reduce", input, dim, index, src)
    return _shaped(REDUCTIONS[reduce](*operands, dim=place, include_self=include_self), input)


def _matched(name: str, input: Tensor, dim: int, index: Tensor, source: Any) -> tuple[tuple, int]:
    """((x, source, index), dim) as the cards want them: no 0-d tensor, and a source as long as the index."""
    x, values, numbers = one_dimensional(input), one_dimensional(source), one_dimensional(index)
    place = check_along(name, x, dim, numbers)
    check_same_type(name, input, values)
    if values.shape != numbers.shape:
        sizes = zip(numbers.shape, values.shape, strict=False)
        if values.ndim != numbers.ndim or any(n > size for n, size in sizes):
            raise ShapeError(
                f"{name}(): index of shape {index.shape} does not fit a source of shape {source.shape}; it "
                "must have as many dimensions and be no longer"
            )
        values = ops.getitem(values, index=tuple(slice(n) for n in numbers.shape))
    return (x, values, numbers), place


def _shaped(y: Tensor, input: Tensor) -> Tensor:
    """A result of 0-d input, which was computed as a vector, without its dimension again."""
    return y if input.ndim else reshape(y, ())


def _everywhere(index: Tensor, dtype: Any, *, ones: bool) -> Tensor:
    """Ones or zeros, one for each number of the index."""
    return ops.cast(ops.greater_equal(index, 0) if ones else ops.less(index, 0), dtype=dtype)


def _own(x: Tensor, index: Tensor, dim: int, *, include_self: bool, neutral: bool) -> Tensor:
    """x, with include_self=False one or zero, the neutral element, where something is sent."""
    return x if include_self else ops.scatter_(x, _everywhere(index, x.dtype, ones=neutral), index, dim=dim)


def _sum(x: Tensor, source: Tensor, index: Tensor, *, dim: int, include_self: bool) -> Tensor:
    sent = ops.scatter_sum(source, index, shape=x.shape, dim=dim)
    return ops.add(_own(x, index, dim, include_self=include_self, neutral=False), sent)


def _mean(x: Tensor, source: Tensor, index: Tensor, *, dim: int, include_self: bool) -> Tensor:
    if x.dtype.kind == "f" and x.dtype.itemsize == 2:  # the sum of many float16 would overflow
        wide = (to(x, "float32"), to(source, "float32"), index)
        return to(_mean(*wide, dim=dim, include_self=include_self), x.dtype)
    total = _sum(x, source, index, dim=dim, include_self=include_self)
    ones = _everywhere(index, x.dtype if x.dtype.kind == "f" else "int64", ones=True)
    count = ops.scatter_sum(ones, index, shape=x.shape, dim=dim)
    count = count + 1 if include_self else ops.maximum(count, 1)
    return total / count if x.dtype.kind == "f" else wrap((total.array // count.array).astype(x.dtype))


def _product(x: Tensor, source: Tensor, index: Tensor, *, dim: int, include_self: bool) -> Tensor:
    """The factors, in the order of their targets, in rounds: each times the one 1 further, 2 further, 4, ...

    After k rounds each has become the product of itself and of the 2ᵏ - 1 that follow, as far as they have
    the same target. So the gradient is right at zeros, too, and to any order.
    """
    own, xp = _own(x, index, dim, include_self=include_self, neutral=True), namespace(x.array)
    factors = cat([reshape(own, -1), reshape(source, -1)])
    sent = numbered_along(index.array, x.shape, dim).reshape(-1)
    target = xp.concatenate([xp.arange(x.array.size), sent])
    order = xp.argsort(target)
    factors, target, step = ops.getitem(factors, index=(order,)), target[order], 1
    while bool((related := target[step:] == target[:-step]).any()):
        following = ops.where(related, factors[step:], 1)
        factors, step = cat([factors[:-step] * following, factors[-step:]]), 2 * step
    first = xp.searchsorted(target, xp.arange(x.array.size))
    return to(reshape(ops.getitem(factors, index=(first,)), x.shape), x.dtype)


REDUCTIONS: dict[str, Callable[..., Tensor]] = {
    "sum": _sum,
    "prod": _product,
    "mean": _mean,
    "amax": ops.scatter_amax,
    "amin": ops.scatter_amin,
}

# ------------------------------------------------------------------------------------------------ slices


def _slices(
    name: str, input: Tensor, dim: int, index: Tensor, source: Tensor, *, from_end: bool = False
) -> tuple:
    """(x, source, the index of the slices of x that the source is meant for)."""
    check_same_type(name, input, source)
    x, values = one_dimensional(input), one_dimensional(source)
    place, numbers = check_vector(name, x, dim, index, from_end=from_end)
    check_shape(
        name, values, (*x.shape[:place], numbers.size, *x.shape[place + 1 :]), "the slices of the input"
    )
    return x, values, (*[ALL] * place, numbers)


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """The input with `alpha` times slice i of the source along `dim` added to its slice number index[i]."""
    x, values, places = _slices("index_add", input, dim, index, source if alpha == 1 else source * alpha)
    return _shaped(x + ops.put_sum(values, shape=x.shape, index=places), input)


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """The input with slice i of the source along `dim` in place of its slice number index[i]."""
    x, values, places = _slices("index_copy", input, dim, index, source)
    return _shaped(ops.setitem(x, values, index=places), input)


def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """The input with `value`, a number or a 0-d Tensor, all over its slices number index[i] along `dim`."""
    if isinstance(value, Tensor) and value.ndim:
        raise ShapeError(f"index_fill(): value must be a number or 0-d, got shape {value.shape}")
    x = one_dimensional(input)
    place, numbers = check_vector("index_fill", x, dim, index, from_end=True)
    return _shaped(ops.setitem(x, value, index=(*[ALL] * place, numbers)), input)


def index_reduce(
    input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """scatter_reduce for whole slices: slice i of the source along `dim` is sent to slice number index[i]."""
    x, values, (*_, numbers) = _slices("index_reduce", input, dim, index, source)
    place = normalise_dim("index_reduce", dim, x.ndim)
    column = wrap(numbers.reshape(-1, *[1] * (x.ndim - 1 - place)))
    y = scatter_reduce(x, place, expand(column, values.shape), values, reduce, include_self=include_self)
    return _shaped(y, input)


# ------------------------------------------------------------------------------------------------ any places


def index_put(input: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False) -> Tensor:
    """The input with y[indices] = values; accumulate=True: += values, each as often as it is named."""
    check_same_type("index_put", input, values)
    for index in indices:
        if not isinstance(index, Tensor):
            raise TypeError(f"index_put(): indices must be Tensors, got {type(index).__name__}")
    (places,) = checked_index(input.array, tuple(one_dimensional(index) for index in indices))
    picked = [(int(part.sum()),) if part.dtype.kind == "b" else part.shape for part in places]
    taken = sum(map(dimensions_taken, places))
    shape = (*broadcast_shape("index_put", *picked), *input.shape[taken:])
    if broadcast_shape("index_put", values.shape, shape) != shape:
        raise ShapeError(f"index_put(): values of shape {values.shape} do not broadcast to {shape}")
    if accumulate:
        return input + ops.put_sum(expand(values, shape), shape=input.shape, index=places)
    return ops.setitem(input, values, index=places)


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """The input, flattened, with y[index] = source, or with accumulate=True +=, in its own shape again."""
    check_same_type("put", input, source)
    check_integers("put", index)
    check_range("put", index.array, input.array.size, "the flattened input", from_end=True)
    if source.array.size != index.array.size:
        raise ShapeError(
            f"put(): source of shape {source.shape} must have as many elements as index {index.shape}"
        )
    y = index_put(reshape(input, -1), (reshape(index, -1),), reshape(source, -1), accumulate)
    return reshape(y, input.shape)


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """The input with the elements of the source, in their order, where the bool mask holds."""
    check_mask("masked_scatter", input, mask)
    check_same_type("masked_scatter", input, source)
    shape = broadcast_shape("masked_scatter", input.shape, mask.shape)
    chosen = one_dimensional(expand(mask, shape)).array.copy()
    count = int(chosen.sum())
    if count > source.array.size:
        raise ShapeError(f"masked_scatter(): the mask holds {count} times, got a source of {source.shape}")
    values = ops.getitem(reshape(source, -1), index=(slice(count),))
    y = ops.setitem(one_dimensional(expand(input, shape)), values, index=(chosen,))
    return reshape(y, shape)


# ------------------------------------------------------------------------------------------------ views


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """The input with `src` in place of its slice number `index` along `dim`."""
    place = normalise_dim("select_scatter", dim, input.ndim)
    check_shape("select_scatter", src, (*input.shape[:place], *input.shape[place + 1 :]), "what it replaces")
    (places,) = checked_index(input.array, (*[ALL] * place, index))
    return ops.setitem(input, src, index=places)


def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """The input with `src` in place of start:end:step along `dim`."""
    if step <= 0:
        raise ValueError(f"slice_scatter(): step must be positive, got {step}")
    place = normalise_dim("slice_scatter", dim, input.ndim)
    part = slice(start, end, step)
    length = len(range(*part.indices(input.shape[place])))
    check_shape(
        "slice_scatter", src, (*input.shape[:place], length, *input.shape[place + 1 :]), "what it replaces"
    )
    return ops.setitem(input, src, index=(*[ALL] * place, part))


def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The input with `src` in place of its diagonals over `dim1` and `dim2`, the last dimension of `src`."""
    first = normalise_dim("diagonal_scatter", dim1, input.ndim)
    second = normalise_dim("diagonal_scatter", dim2, input.ndim)
    if first == second:
        raise ValueError(f"diagonal_scatter(): dim1 and dim2 must differ, got {dim1} and {dim2}")
    order = (*[d for d in range(input.ndim) if d not in (first, second)], first, second)
    rows, columns = input.shape[first], input.shape[second]
    length = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    x = permute(input, order)
    check_shape("diagonal_scatter", src, (*x.shape[:-2], length), "what it replaces")
    along = namespace(input.array).arange(length)
    y = ops.setitem(x, src, index=(*[ALL] * (x.ndim - 2), along - min(offset, 0), along + max(offset, 0)))
    return permute(y, ops.inverse_permutation(order))
