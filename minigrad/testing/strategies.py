"""What Hypothesis draws for the tests: numbers, shapes, memory layouts, dimensions, indices.

Numbers are multiples of 1/32 (exact in every floating type) and are drawn as bytes, so that they are quick
to draw and a counter-example shrinks to numbers that can be read.  They keep their distance from kinks and
poles by construction, never by `assume`.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

GAP = 0.05  # how far numbers stay away from a kink or a pole: finite differences must not step over it

# ------------------------------------------------------------------------------------------------ numbers


@dataclass(frozen=True)
class Domain:
    """The numbers that an input may hold: low, low + step, ... up to high, but none near a point of `away`.

    distinct: no two elements are alike, for operations with a kink where elements tie.
    diagonal: what is added to the diagonal of a matrix, once to its first element, twice to the second, ...
    below: integers in [first, below(shapes, statics)) instead: an index, or a length.
    differentiable: may a gradient be asked for?
    """

    low: float = -3.0
    high: float = 3.0
    away: tuple[float, ...] = ()
    step: float = 1 / 32
    distinct: bool = False
    diagonal: float = 0.0
    dtype: str | None = None  # None: the type that the test asks for
    first: int = 0
    below: Callable[[Any, Any], int] | None = None
    differentiable: bool = True


REAL = Domain()
NONZERO = Domain(away=(0.0,))
POSITIVE = Domain(low=0.25)
DISTINCT = Domain(distinct=True)
REGULAR = Domain(low=-0.5, high=0.5, diagonal=4.0)  # matrices of full rank, singular values well apart
MASK = Domain(dtype="bool", differentiable=False)


def index_below(limit: Callable[[Any, Any], int], first: int = 0) -> Domain:
    """Integers from `first` to below `limit(shapes, statics)`."""
    return Domain(dtype="int64", first=first, below=limit, differentiable=False)


@functools.cache
def levels(domain: Domain, dtype: str) -> np.ndarray:
    """The numbers of a domain, the simplest first: what drawn bytes stand for."""
    kind = np.dtype(dtype).kind
    step = domain.step if kind == "f" else 1
    first = domain.low if kind == "f" else max(math.ceil(domain.low), 0 if kind in "bu" else -math.inf)
    grid = np.arange(first, min(domain.high, 1 if kind == "b" else math.inf) + step / 2, step)
    apart = [value for value in grid if all(abs(value - point) >= GAP for point in domain.away)]
    return np.array(sorted(apart, key=lambda value: abs(value - 1)), dtype)


def seeds(shape):
    """A byte for each element of an array of `shape`: the numbers of a domain are chosen by it."""
    size = math.prod(shape)
    return st.binary(min_size=size, max_size=size)


def grown(seed, shape, dtype="float64", domain=REAL, limit=None):
    """The array of numbers of `domain` that a seed stands for; `limit` ends the range of an index."""
    drawn = np.frombuffer(seed, np.uint8)
    if domain.below is not None:
        values = domain.first + drawn.astype("int64") % max(limit - domain.first, 1)
    elif domain.distinct:
        ranks = np.argsort(np.argsort(drawn, kind="stable"), kind="stable") - len(drawn) // 2
        values = ranks * 0.125 if np.dtype(dtype).kind == "f" else ranks
    else:
        numbers = levels(domain, domain.dtype or dtype)
        values = numbers[drawn % len(numbers)]
    if domain.diagonal:
        values = values.reshape(shape) + domain.diagonal * np.diag(range(1, 9))[: shape[-2], : shape[-1]]
    return values.astype(domain.dtype or dtype).reshape(shape)


def arrays(shape, dtype="float64", domain=REAL, limit=None):
    """An array of `shape` with numbers of `domain`."""
    return seeds(shape).map(lambda seed: grown(seed, shape, dtype, domain, limit))


# ------------------------------------------------------------------------------------------------ shapes


def sides(max_side=3, min_side=0):
    """The size of one dimension; 0 comes seldom, since little happens in an empty tensor."""
    usual = range(max(min_side, 1), max_side + 1)
    return st.sampled_from((*usual, *usual, *usual, *usual, *([0] if min_side == 0 else [])))


def shapes(min_dims=0, max_dims=3, max_side=3, min_side=0):
    """Small shapes, from 0-d on."""
    return st.lists(sides(max_side, min_side), min_size=min_dims, max_size=max_dims).map(tuple)


@st.composite
def broadcastable(draw, count, max_dims=3, max_side=3, min_side=0):
    """`count` shapes that broadcast together: each is one shape, with dimensions cut off or made 1."""
    whole = draw(shapes(0, max_dims, max_side, min_side))
    found = []
    for _ in range(count):
        ones = draw(st.integers(0, 2 ** len(whole) - 1))
        shape = tuple(1 if ones >> i & 1 else size for i, size in enumerate(whole))
        found.append(shape[draw(st.integers(0, len(whole))) :])
    return tuple(found)


# ------------------------------------------------------------------------------------------------ layouts


def _in_order(array):
    return array.copy(order="C")


def _fortran(array):
    return array.copy(order="F")


def _transposed(array):
    return array.swapaxes(0, -1).copy().swapaxes(0, -1) if array.ndim else array.copy()


def _sliced(array):
    every_second = (*[slice(None, None, 2)] * array.ndim, ...)
    wide = np.ones([2 * size for size in array.shape], array.dtype)
    wide[every_second] = array
    return wide[every_second]


def _reversed(array):
    backwards = (*[slice(None, None, -1)] * array.ndim, ...)
    return array[backwards].copy()[backwards]


def _read_only(array):
    locked = array.copy()
    locked.flags.writeable = False
    return locked


LAYOUTS = {  # name -> the same values, lying otherwise in memory
    "in order": _in_order,
    "Fortran": _fortran,
    "transposed": _transposed,
    "sliced": _sliced,
    "reversed": _reversed,
    "read-only": _read_only,
}


def repeated(array):
    """One row (the first) seen again and again with stride 0, at the shape of `array`; read-only, too."""
    return np.broadcast_to(array[:1], array.shape) if array.ndim else array


# ------------------------------------------------------------------------------------------------ dimensions


def dims(ndim):
    """One dimension, counted from either end; a 0-d tensor accepts 0 and -1."""
    span = max(ndim, 1)
    return st.integers(-span, span - 1)


@st.composite
def several_dims(draw, ndim):
    """A tuple of dimensions, none of them twice, each counted from either end."""
    chosen = draw(st.permutations(range(ndim)))[: draw(st.integers(0, ndim))]
    return tuple(dim - ndim if draw(st.booleans()) else dim for dim in chosen)


def reduced(ndim):
    """What `dim=` of a reduction may be: None, one dimension, several."""
    return st.one_of(st.none(), dims(ndim), several_dims(ndim))


# ------------------------------------------------------------------------------------------------ indices


@st.composite
def slices(draw, size, negative_steps=True):
    """A slice, its bounds inside, outside, negative or absent."""
    bound = st.one_of(st.none(), st.integers(-size - 1, size + 1))
    steps = (None, 1, 2, 3, -1, -2) if negative_steps else (None, 1, 2, 3)
    return slice(draw(bound), draw(bound), draw(st.sampled_from(steps)))


@st.composite
def basic_indices(draw, shape, negative_steps=True):
    """Integers, slices, None and at most one Ellipsis, which stands for the dimensions left out."""
    count = draw(st.integers(0, len(shape)))
    front = draw(st.integers(0, count))
    parts = [_basic(draw, size, negative_steps) for size in shape[:front]]
    if front < count or draw(st.booleans()):
        parts += [..., *[_basic(draw, size, negative_steps) for size in shape[len(shape) - count + front :]]]
    return _with_nones(draw, parts)


def _basic(draw, size, negative_steps):
    """An integer or a slice, for a dimension of `size`."""
    number = draw(st.booleans()) and size > 0
    return draw(st.integers(-size, size - 1) if number else slices(size, negative_steps))


def _with_nones(draw, parts):
    """The index made of `parts`, with None put in here and there; one part may also stand alone."""
    parts = list(parts)
    for _ in range(draw(st.sampled_from((0, 0, 1, 2)))):
        parts.insert(draw(st.integers(0, len(parts))), None)
    return parts[0] if len(parts) == 1 and draw(st.booleans()) else tuple(parts)


@st.composite
def integer_indices(draw, shape, negative_steps=True, repeats=True):
    """Integer arrays that broadcast together, among integers, slices and None; `repeats`: an entry twice."""
    places = draw(st.permutations(range(len(shape))))[: draw(st.integers(1, len(shape))) if repeats else 1]
    lengths = iter(draw(broadcastable(len(places), max_dims=2)))
    parts = []
    for place, size in enumerate(shape):
        if place not in places:
            parts.append(_basic(draw, size, negative_steps))
        elif repeats:
            numbers = arrays(next(lengths), "int64", Domain(dtype="int64", below=max), 2 * size)
            parts.append(draw(numbers) - size)
        else:
            parts.append(np.array(draw(st.permutations(range(size)))[: draw(st.integers(0, size))], "int64"))
    return _with_nones(draw, parts)


@st.composite
def mask_indices(draw, shape, negative_steps=True):
    """One bool mask over some neighbouring dimensions, with integers, slices and None before it."""
    start = draw(st.integers(0, len(shape) - 1))
    end = draw(st.integers(start + 1, len(shape)))
    before = [_basic(draw, size, negative_steps) for size in shape[:start]]
    return _with_nones(draw, [*before, draw(arrays(shape[start:end], "bool", MASK))])


def indices(shape, negative_steps=True, repeats=True):
    """Every kind of index that NumPy and PyTorch share; with repeats=False no element is picked twice."""
    kinds = [basic_indices(shape, negative_steps)]
    if shape:
        kinds.append(mask_indices(shape, negative_steps))
        if 0 not in shape:
            kinds.append(integer_indices(shape, negative_steps, repeats))
    return st.one_of(kinds)


def with_bools(draw, index):
    """The index with bools put in here and there: masks without dimensions."""
    parts = list(index) if isinstance(index, tuple) else [index]
    chosen = st.just(value=True) if any(isinstance(part, np.ndarray) for part in parts) else st.booleans()
    for _ in range(draw(st.sampled_from((0, 0, 1, 2)))):
        parts.insert(draw(st.integers(0, len(parts))), draw(chosen))
    return tuple(parts)


def steps(index):
    """(first, second) such that x[index] is x[first][second]: PyTorch takes integers before arrays.

    The first step is a view. A bool picks from a new dimension of size 1.
    """
    first, second = [], []
    for part in index if isinstance(index, tuple) else (index,):
        if isinstance(part, bool):
            first.append(None)
            second.append(np.arange(int(part)))
        elif isinstance(part, np.ndarray):
            first += [slice(None)] * (part.ndim if part.dtype == bool else 1)
            second.append(part)
        else:
            first.append(part)
            second += [part] if part is Ellipsis else [] if hasattr(part, "__index__") else [slice(None)]
    return (*first, *([] if any(part is Ellipsis for part in first) else [...])), tuple(second)


def picked(x, index):
    """x[index] as PyTorch means it."""
    first, second = steps(index)
    return x[first][second]
