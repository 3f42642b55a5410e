"""Signatures of operations that look up, gather and scatter."""

import math

import numpy as np
from hypothesis import strategies as st

from minigrad.testing.strategies import (
    MASK,
    Domain,
    arrays,
    broadcastable,
    dims,
    indices,
    shapes,
    sides,
    slices,
)


@st.composite
def indexed(draw):
    """One input, and an index."""
    shape = draw(shapes())
    return (shape,), {"index": draw(indices(shape))}


@st.composite
def put_back(draw):
    """What an index would pick from a tensor of `shape`."""
    ((shape,), statics) = draw(indexed())
    return (np.empty(shape)[statics["index"]].shape,), {"shape": shape, **statics}


@st.composite
def replaced(draw):
    """One input, an index, and values that broadcast to what it picks."""
    shape = draw(shapes())
    index = draw(indices(shape))
    values = np.empty(shape)[index].shape
    ones = draw(st.integers(0, 2 ** len(values) - 1))
    return (shape, tuple(1 if ones >> i & 1 else n for i, n in enumerate(values))), {"index": index}


@st.composite
def gathered(draw, scattered=False):
    """An input and an index that is no longer than the input, save along `dim`."""
    shape = draw(shapes(min_dims=1, min_side=1))
    dim = draw(dims(len(shape)))
    place = dim % len(shape)
    picked = tuple(draw(sides() if i == place else st.integers(1, n)) for i, n in enumerate(shape))
    if scattered:
        return (picked, picked), {"shape": shape, "dim": place}
    return (shape, picked), {"dim": dim}


@st.composite
def looked_up(draw, backward=False):
    """A matrix, and indices of its rows; backward: rows to add up, of which one may not count."""
    rows, width, picked = draw(sides(min_side=1)), draw(sides()), draw(shapes())
    if backward:
        padding = draw(st.one_of(st.none(), st.integers(0, rows - 1)))
        return ((*picked, width), picked), {"rows": rows, "padding_idx": padding}
    return ((rows, width), picked), {}


@st.composite
def sent(draw, **statics):
    """An input, a source, and an index for the first part of the source; each statics by its own strategy."""
    ((shape, picked), found) = draw(gathered())
    source = tuple(n + draw(st.sampled_from((0, 0, 1))) for n in picked)
    return (shape, source, picked), {**found, **{name: draw(each) for name, each in statics.items()}}


@st.composite
def numbered_slices(draw, source=True, **statics):
    """An input, slices for some of its places along `dim` (or none), and the numbers of these places."""
    shape = draw(shapes(min_dims=1, min_side=1))
    dim, count = draw(dims(len(shape))), draw(sides())
    picked = (*shape[: dim % len(shape)], count, *shape[dim % len(shape) + 1 :])
    found = {"dim": dim, **{name: draw(each) for name, each in statics.items()}}
    return ((shape, picked, (count,)) if source else (shape, (count,))), found


@st.composite
def numbered_elements(draw, source=False, **statics):
    """An input, perhaps an element for each number, and numbers of its elements in any shape."""
    shape, numbers = draw(shapes(min_side=1)), draw(shapes(max_dims=2))
    found = {name: draw(each) for name, each in statics.items()}
    return ((shape, numbers, numbers) if source else (shape, numbers)), found


@st.composite
def numbered_along(draw):
    """An input and indices that broadcast together save along `dim`, where each has a length of its own."""
    first, second = (list(shape) for shape in draw(broadcastable(2, min_side=1)))
    count = max(len(first), len(second), 1)
    first, second = ([1] * (count - len(shape)) + shape for shape in (first, second))
    dim = draw(dims(count))
    first[dim], second[dim] = draw(sides(min_side=1)), draw(sides())
    return (tuple(first), tuple(second)), {"dim": dim}


@st.composite
def masked(draw, source=False):
    """An input and a mask that broadcast together, and perhaps a source with enough elements for them."""
    pair = draw(broadcastable(2))
    count = math.prod(np.broadcast_shapes(*pair))
    return ((*pair, (count + draw(st.integers(0, 2)),)) if source else pair), {}


@st.composite
def put_in(draw):
    """An input, values that broadcast to what integer arrays or a mask pick from it, and these arrays."""
    shape = draw(shapes(min_dims=1, min_side=1))
    if draw(st.booleans()):
        index = (draw(arrays(shape[: draw(st.integers(1, len(shape)))], "bool", MASK)),)
    else:
        each = draw(broadcastable(draw(st.integers(1, len(shape))), max_dims=2))
        index = tuple(
            draw(arrays(where, "int64", Domain(dtype="int64", below=max), 2 * size)) - size
            for where, size in zip(each, shape, strict=False)
        )
        index = tuple(np.asarray(part) for part in index)
    values = np.empty(shape)[index].shape
    values = tuple(draw(st.sampled_from((1, n))) for n in values)[draw(st.integers(0, len(values))) :]
    return (shape, values), {"index": index, "accumulate": draw(st.booleans())}


@st.composite
def one_selected(draw):
    """An input, a slice in place of number `index` along `dim`, and both of these."""
    shape = draw(shapes(min_dims=1, min_side=1))
    dim = draw(dims(len(shape)))
    place = dim % len(shape)
    index = draw(st.integers(-shape[place], shape[place] - 1))
    return (shape, (*shape[:place], *shape[place + 1 :])), {"dim": dim, "index": index}


@st.composite
def one_sliced(draw):
    """An input, what takes the place of start:end:step along `dim`, and these four."""
    shape = draw(shapes(min_dims=1))
    dim = draw(dims(len(shape)))
    place, cut = dim % len(shape), draw(slices(shape[dim], negative_steps=False))
    length = len(range(*cut.indices(shape[place])))
    statics = {"dim": dim, "start": cut.start, "end": cut.stop, "step": cut.step or 1}
    return (shape, (*shape[:place], length, *shape[place + 1 :])), statics


@st.composite
def diagonals_replaced(draw):
    """An input, its new diagonals number `offset` over two dimensions, and these three."""
    shape = draw(shapes(min_dims=2))
    first, second, *others = draw(st.permutations(range(len(shape))))
    offset = draw(st.integers(-min(shape[first], 2), min(shape[second], 2)))
    length = np.diagonal(np.empty(shape), offset, first, second).shape[-1]
    others = [shape[d] for d in sorted(others)]
    dim1, dim2 = (d - len(shape) if draw(st.booleans()) else d for d in (first, second))
    return (shape, (*others, length)), {"offset": offset, "dim1": dim1, "dim2": dim2}


@st.composite
def searched(draw):
    """Sequences to be sorted, and values: a vector and any shape, or the same shape but for the last size."""
    length = draw(sides(5))
    if draw(st.booleans()):
        sequence, values = (length,), draw(shapes())
    else:
        outer = draw(shapes(min_dims=1, max_dims=2))
        sequence, values = (*outer, length), (*outer, draw(sides()))
    return (sequence, values), {"right": draw(st.booleans())}
