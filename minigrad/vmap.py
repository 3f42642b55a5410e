"""Floor 6: vmap, which makes of a function of one example a function of many, without a loop.

    distances = vmap(lambda a, b: ((a - b) ** 2).sum())(A, B)      (n, d), (n, d) -> (n,)

The function is called once, on batched tensors (see batching.py), so that n examples cost one pass over
larger arrays.  The idea is that of JAX's `vmap` (Bradbury et al. 2018), the
signature that of `torch.func.vmap`.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

from . import ops
from .batching import Batched
from .errors import ShapeError, normalise_dim
from .functions.joining import cat
from .generator import default_generator
from .modes import mode
from .tensor import Tensor
from .trees import leaves_of, rebuilt

Dims = Any  # an int, None, or a tuple, list or dict of them that mirrors the arguments


def vmap(
    func: Callable,
    in_dims: Dims = 0,
    out_dims: Dims = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable:
    """A function that applies `func` to every entry along a dimension of its arguments.

    Args:
        func: takes tensors (or tuples, lists, dicts of them) of one example and returns such.
        in_dims: the dimension of each argument that counts the examples; None: the same for all of them.
        out_dims: where that dimension is to stand in the outputs.
        randomness: "error" refuses a function that draws random numbers; "same" lets all examples see the
            same ones. "different" is refused: draw outside, and pass the numbers in.
        chunk_size: how many examples are computed at once; None: all.

    Errors name an operation that has no batching rule, and a function that asks for the value of a tensor.

    >>> import minigrad as mg
    >>> mg.vmap(mg.dot)(mg.ones(3, 2), mg.ones(3, 2))
    tensor([2., 2., 2.])
    """
    if randomness not in ("error", "same"):
        raise ValueError(
            f'vmap(): randomness {randomness!r}, expected "error" or "same"; for "different", draw '
            "outside and pass the numbers in"
        )
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap(): chunk_size must be positive, got {chunk_size}")

    @functools.wraps(func)
    def mapped(*args: Any, **keywords: Any) -> Any:
        places = _mirrored(in_dims, args, "in_dims") + [0] * len(leaves_of(keywords))
        leaves = leaves_of((args, keywords))
        size = _batch_size(leaves, places)
        if chunk_size is None or chunk_size >= size:
            return _one_pass(func, args, keywords, places, size, out_dims, randomness)
        parts = []
        for start in range(0, size, chunk_size):
            length = min(chunk_size, size - start)
            pieces = [
                leaf if place is None else _slice(leaf, place, start, length)
                for leaf, place in zip(leaves, places, strict=True)
            ]
            some_args, some_keywords = rebuilt((args, keywords), pieces)
            parts.append(_one_pass(func, some_args, some_keywords, places, length, out_dims, randomness))
        return _joined(parts, out_dims)

    return mapped


def _one_pass(
    func: Callable, args: tuple, keywords: dict, places: list, size: int, out_dims: Dims, randomness: str
) -> Any:
    """All examples at once."""
    level = mode.vmaps + 1
    batched = [
        leaf if place is None else Batched(_first(leaf, place), level)
        for leaf, place in zip(leaves_of((args, keywords)), places, strict=True)
    ]
    some_args, some_keywords = rebuilt((args, keywords), batched)
    before = default_generator().get_state()
    outer, mode.vmaps, mode.examples = mode.examples, level, size
    try:
        outputs = func(*some_args, **some_keywords)
    finally:
        mode.vmaps, mode.examples = level - 1, outer
    if randomness == "error" and before != default_generator().get_state():
        raise RuntimeError(
            'vmap(): the function drew random numbers; say randomness="same" if all examples shall see the '
            "same ones, or draw outside vmap and pass them in"
        )
    found = leaves_of(outputs)
    for out in found:
        if not isinstance(out, Tensor):
            raise TypeError(f"vmap(): the function must return tensors, got {type(out).__name__}")
    where = _mirrored(out_dims, (outputs,), "out_dims")
    return rebuilt(
        outputs, [_unwrapped(out, level, size, place) for out, place in zip(found, where, strict=True)]
    )


def _first(leaf: Any, place: int) -> Tensor:
    """A tensor with dimension `place` in front."""
    place = normalise_dim("vmap", place, leaf.ndim)
    order = (place, *[d for d in range(leaf.ndim) if d != place])
    return leaf if place == 0 else ops.permute(leaf, dims=order)


def _unwrapped(out: Tensor, level: int, size: int, place: int | None) -> Tensor:
    """The output of all examples, with their dimension at `place`."""
    if place is None:
        if isinstance(out, Batched) and out.level == level:
            raise ValueError("vmap(): out_dims is None for an output that differs from example to example")
        return out
    if isinstance(out, Batched) and out.level == level:
        value = out.value
    else:
        value = ops.broadcast_to(out, shape=(size, *out.shape))
    place = normalise_dim("vmap", place, value.ndim)
    order = list(range(1, value.ndim))
    order.insert(place, 0)
    return value if place == 0 else ops.permute(value, dims=tuple(order))


def _slice(leaf: Tensor, place: int, start: int, length: int) -> Tensor:
    return ops.narrow(leaf, dim=normalise_dim("vmap", place, leaf.ndim), start=start, length=length)


def _joined(parts: Sequence[Any], out_dims: Dims) -> Any:
    """The outputs of the chunks, one behind the other."""
    where = _mirrored(out_dims, (parts[0],), "out_dims")
    columns = zip(*[leaves_of(part) for part in parts], strict=True)
    joined = [
        column[0] if place is None else cat(column, place)
        for column, place in zip(columns, where, strict=True)
    ]
    return rebuilt(parts[0], joined)


def _batch_size(leaves: list, places: list) -> int:
    """The number of examples, on which all arguments must agree."""
    sizes = {}
    for number, (leaf, place) in enumerate(zip(leaves, places, strict=True)):
        if place is None:
            continue
        if not isinstance(leaf, Tensor):
            raise TypeError(
                f"vmap(): argument {number} is {type(leaf).__name__}, expected a Tensor; say None in in_dims "
                "for what is the same for all examples"
            )
        if leaf.ndim == 0:
            raise ShapeError(f"vmap(): argument {number} is 0-d and has no dimension {place} to map over")
        sizes[number] = leaf.shape[normalise_dim("vmap", place, leaf.ndim)]
    if not sizes:
        raise ValueError("vmap(): no argument is mapped over; in_dims must name a dimension of at least one")
    if len(set(sizes.values())) > 1:
        raise ShapeError(f"vmap(): the arguments have different numbers of examples, {list(sizes.values())}")
    return next(iter(sizes.values()))


# ------------------------------------------------------------------------------------------------ trees


def _mirrored(dims: Dims, tree: Any, name: str) -> list:
    """One dimension for each leaf of `tree`; one that is given for a branch counts for all of it."""
    if dims is None or isinstance(dims, int):
        return [dims] * len(leaves_of(tree))
    if isinstance(tree, tuple) and len(tree) == 1 and name == "out_dims":
        (tree,) = tree
        if not isinstance(tree, tuple | list | dict):
            (dims,) = dims if isinstance(dims, tuple | list) else (dims,)
            return _mirrored(dims, tree, name)
    fits = isinstance(tree, dict) == isinstance(dims, dict) and isinstance(tree, tuple | list | dict)
    if not fits or len(dims) != len(tree):
        raise ValueError(f"vmap(): {name} {dims!r} does not mirror what it describes, of {len(tree)} parts")
    pairs = (
        [(dims[key], tree[key]) for key in tree] if isinstance(tree, dict) else zip(dims, tree, strict=True)
    )
    return [place for branch_dims, branch in pairs for place in _mirrored(branch_dims, branch, name)]
