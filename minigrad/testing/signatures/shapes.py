"""Signatures of operations that move, join and cut."""

import math

import numpy as np
from hypothesis import strategies as st

from minigrad.testing.strategies import broadcastable, dims, several_dims, shapes, sides

# ------------------------------------------------------------------------------------------------ shapes


@st.composite
def reshaped(draw, known=False):
    """One input, and another shape for its elements; one size may be -1."""
    shape = draw(shapes())
    left = math.prod(shape)
    if left == 0:
        return (shape,), {"shape": draw(st.permutations(shape).map(tuple))}
    sizes = []
    while left > 1:
        sizes.append(draw(st.sampled_from([n for n in range(1, left + 1) if left % n == 0])))
        left //= sizes[-1]
    sizes += [1] * draw(st.integers(0, 1))
    if sizes and not known and draw(st.booleans()):
        sizes[draw(st.integers(0, len(sizes) - 1))] = -1
    return (shape,), {"shape": tuple(sizes)}


@st.composite
def permuted(draw):
    """One input, and an order of its dimensions, some counted from the end."""
    shape = draw(shapes())
    order = draw(st.permutations(range(len(shape))))
    return (shape,), {"dims": tuple(dim - len(shape) if draw(st.booleans()) else dim for dim in order)}


@st.composite
def two_dims(draw, ordered=False):
    """One input, and two of its dimensions."""
    shape = draw(shapes())
    pair = [draw(dims(len(shape))) for _ in range(2)]
    if ordered:
        pair.sort(key=lambda dim: dim % max(len(shape), 1))
        return (shape,), {"start_dim": pair[0], "end_dim": pair[1]}
    return (shape,), {"dim0": pair[0], "dim1": pair[1]}


@st.composite
def one_dim(draw, min_dims=0, extra=0, **statics):
    """One input, and one dimension of it; `extra` dimensions more may be named."""
    shape = draw(shapes(min_dims))
    found = {name: draw(strategy) for name, strategy in statics.items()}
    return (shape,), {"dim": draw(dims(len(shape) + extra)), **found}


@st.composite
def squeezed(draw):
    """One input with sizes of 1, and which of them go: all, one, several."""
    shape = draw(shapes(max_side=2))
    several = [several_dims(len(shape)).filter(bool)] if shape else []
    return (shape,), {"dim": draw(st.one_of(st.none(), dims(len(shape)), *several))}


@st.composite
def expanded(draw):
    """One input, and a larger shape that it broadcasts to."""
    small, large = draw(broadcastable(2))
    return (small,), {"size": tuple(np.broadcast_shapes(small, large))}


@st.composite
def summed_to(draw):
    """One input, and a smaller shape that broadcasts to its own."""
    small, large = draw(broadcastable(2))
    return (tuple(np.broadcast_shapes(small, large)),), {"size": small}


@st.composite
def flipped(draw):
    """One input, and the dimensions to reverse."""
    shape = draw(shapes(min_dims=1))
    return (shape,), {"dims": draw(several_dims(len(shape)).filter(bool))}


@st.composite
def joined(draw, stacked=False):
    """One to three inputs to lie one behind the other, or side by side along a new dimension."""
    shape, count = draw(shapes(min_dims=0 if stacked else 1)), draw(st.integers(1, 3))
    dim = draw(dims(len(shape) + stacked))
    if stacked:
        return (shape,) * count, {"dim": dim}
    place = dim % len(shape)
    lengths = [draw(sides()) for _ in range(count)]
    return tuple((*shape[:place], n, *shape[place + 1 :]) for n in lengths), {"dim": dim}


@st.composite
def pieces(draw):
    """One input, and how to cut it: into pieces of one size, or of the sizes listed."""
    shape = draw(shapes(min_dims=1, max_side=5))
    dim = draw(dims(len(shape)))
    total = shape[dim]
    first = draw(st.integers(0, total))
    listed = [first, total - first]
    return (shape,), {"sections": draw(st.one_of(st.integers(1, 4), st.just(listed))), "dim": dim}


@st.composite
def narrowed(draw):
    """One input, and a run of entries along a dimension."""
    shape = draw(shapes(min_dims=1))
    dim = draw(dims(len(shape)))
    start = draw(st.integers(0, shape[dim]))
    length = draw(st.integers(0, shape[dim] - start))
    return (shape,), {"dim": dim, "start": start, "length": length}


@st.composite
def widened(draw):
    """The reverse of `narrowed`."""
    ((shape,), statics) = draw(narrowed())
    dim = statics["dim"] % len(shape)
    part = (*shape[:dim], statics["length"], *shape[dim + 1 :])
    return (part,), {"dim": statics["dim"], "start": statics["start"], "size": shape[dim]}


@st.composite
def selected(draw):
    """One input, and one entry along a dimension."""
    shape = draw(shapes(min_dims=1, min_side=1))
    dim = draw(dims(len(shape)))
    return (shape,), {"dim": dim, "index": draw(st.integers(-shape[dim], shape[dim] - 1))}


@st.composite
def matrices(draw):
    """Matrices in any number, and the number of a diagonal."""
    shape = draw(shapes(min_dims=2))
    return (shape,), {"diagonal": draw(st.integers(-3, 3))}


@st.composite
def unflattened(draw):
    """One input, and what becomes of one of its dimensions; one size may be -1."""
    before, after = draw(shapes(max_dims=1)), draw(shapes(max_dims=1))
    ((inner,), statics) = draw(reshaped().filter(lambda drawn: drawn[1]["shape"]))
    shape = (*before, int(np.prod(inner)), *after)
    dim = len(before) - len(shape) * draw(st.booleans())
    return (shape,), {"dim": dim, "sizes": statics["shape"]}


@st.composite
def moved(draw):
    """One input, dimensions of it, and where they go; or one dimension."""
    shape = draw(shapes())
    source = draw(several_dims(len(shape)))
    places = draw(st.permutations(range(-len(shape), 0)))[: len(source)]
    if len(source) == 1 and draw(st.booleans()):
        return (shape,), {"source": source[0], "destination": places[0]}
    return (shape,), {"source": source, "destination": tuple(places)}


def several(shape, min_count=1):
    """Up to three inputs, each of a shape drawn from `shape`."""
    return st.lists(shape, min_size=min_count, max_size=3).map(lambda found: (tuple(found), {}))


def broadcasting():
    """One to three inputs that broadcast together."""
    return st.integers(1, 3).flatmap(broadcastable).map(lambda found: (found, {}))


# ------------------------------------------------------------------------------------------------ joining


@st.composite
def side_by_side(draw, dim, smaller):
    """Matrices, or tensors of more dimensions, that differ along `dim`; or smaller ones."""
    length = draw(sides())
    if draw(st.booleans()):
        found = draw(st.lists(smaller(length), min_size=1, max_size=3))
    else:
        shape = draw(shapes(min_dims=max(dim + 1, 2)))
        found = [(*shape[:dim], draw(sides()), *shape[dim + 1 :]) for _ in range(draw(st.integers(1, 3)))]
    return tuple(found), {}


def in_a_row(_length):
    """For hstack."""
    return shapes(max_dims=1)


def below_each_other(length):
    """For vstack."""
    return sides().map(lambda n: (n, length)) | st.just((length,))


def behind_each_other(length):
    """For dstack."""
    return sides().map(lambda n: (1, length, n)) | st.sampled_from(((length,), (1, length)))


def in_columns(length):
    """For column_stack."""
    return sides().map(lambda n: (length, n)) | st.just((length,))


@st.composite
def grids(draw):
    """Vectors, and which way their grid lies."""
    (found, _) = draw(several(shapes(max_dims=1)))
    return found, {"indexing": draw(st.sampled_from(("ij", "xy")))}


def chosen():
    """A vector, and how many of its elements to take."""
    statics = {"r": st.integers(1, 3), "with_replacement": st.booleans()}
    return st.tuples(st.tuples(shapes(min_dims=1, max_dims=1)), st.fixed_dictionaries(statics))


# ------------------------------------------------------------------------------------------------ cutting


@st.composite
def cut(draw):
    """One input, and into how many pieces it is cut, or before which places."""
    shape = draw(shapes(min_dims=1, max_side=5))
    cuts = draw(st.integers(1, 4) | st.lists(st.integers(-6, 6), max_size=3))
    return (shape,), {"cuts": cuts, "dim": draw(dims(len(shape)))}


@st.composite
def cut_evenly(draw, least, dim):
    """One input, and a number that divides a dimension (the last, unless `dim` says); or places to cut."""
    shape = draw(shapes(min_dims=least, min_side=1, max_side=4))
    size = shape[min(dim, len(shape) - 1)]
    divisors = [n for n in range(1, size + 1) if size % n == 0]
    return (shape,), {"cuts": draw(st.sampled_from(divisors) | st.lists(st.integers(0, 4), max_size=2))}


@st.composite
def sized(draw):
    """One input, and the sizes of two pieces."""
    ((shape,), statics) = draw(narrowed())
    first = statics["length"]
    return (shape,), {"split_sizes": (first, shape[statics["dim"]] - first), "dim": statics["dim"]}


@st.composite
def windowed(draw):
    """One input, and windows along one dimension."""
    shape = draw(shapes(min_dims=1, max_side=5))
    dim = draw(dims(len(shape)))
    return (shape,), {
        "dimension": dim,
        "size": draw(st.integers(0, shape[dim])),
        "step": draw(st.integers(1, 3)),
    }


@st.composite
def windows_taken(draw):
    """What `windowed` shows, the length of what it was taken from, and how."""
    ((shape,), statics) = draw(windowed())
    place, size, step = statics["dimension"] % len(shape), statics["size"], statics["step"]
    count = (shape[place] - size) // step + 1
    taken = (*shape[:place], count, *shape[place + 1 :], size)
    return (taken,), {"dim": place - len(shape), "length": shape[place], "step": step}


# ------------------------------------------------------------------------------------------------ rearranging


@st.composite
def repeated_along(draw):
    """One input, and how often it is laid along each dimension, and along some more."""
    shape = draw(shapes(max_dims=2))
    count = len(shape) + draw(st.integers(0, 1))
    return (shape,), {"repeats": tuple(draw(st.integers(0, 2)) for _ in range(count))}


@st.composite
def tiled(draw):
    """One input, and how often it is laid along its last dimensions."""
    return (draw(shapes()),), {"dims": tuple(draw(st.lists(st.integers(0, 2), max_size=4)))}


@st.composite
def interleaved(draw):
    """One input, and how often each entry stands in a row: a number, or a list with one for each."""
    shape = draw(shapes(min_dims=1))
    dim = draw(st.none() | dims(len(shape)))
    size = int(np.prod(shape)) if dim is None else shape[dim]
    listed = st.lists(st.integers(0, 2), min_size=size, max_size=size)
    return (shape,), {"repeats": draw(st.integers(0, 2) | listed), "dim": dim}


@st.composite
def rolled(draw):
    """One input, and by how much it moves, along some dimensions or in its order."""
    shape = draw(shapes(min_dims=1))
    chosen_dims = draw(several_dims(len(shape)))
    steps = tuple(draw(st.integers(-4, 4)) for _ in chosen_dims or (0,))
    if len(chosen_dims) < 2 and draw(st.booleans()):
        return (shape,), {"shifts": steps[0], "dims": chosen_dims[0] if chosen_dims else None}
    return (shape,), {"shifts": steps, "dims": chosen_dims or None}


@st.composite
def planes(draw, extra=0, **statics):
    """One input, two different dimensions of it (`extra` more may be named), and other arguments."""
    shape = draw(shapes(min_dims=2 - extra))
    found = {name: draw(each) for name, each in statics.items()}
    ndim = len(shape) + extra
    first, second = draw(st.permutations(range(ndim)))[:2]
    return (shape,), {"dim1": first - ndim * draw(st.booleans()), "dim2": second, **found}


@st.composite
def bordered(draw):
    """One input, and how much wider, or narrower, it becomes at each end of its last dimensions."""
    shape = draw(shapes())
    widths = []
    for size in reversed(shape[draw(st.integers(0, len(shape))) :]):
        before = draw(st.integers(-size, 2))
        widths += [before, draw(st.integers(-size - min(before, 0), 2))]
    return (shape,), {"pad": tuple(widths), "value": draw(st.sampled_from((None, 1.0)))}


@st.composite
def continued(draw):
    """One input (N, C, L) or (N, C, H, W), as PyTorch has it, and its widths, small enough for every mode."""
    count = draw(st.integers(1, 2))
    shape = (*draw(shapes(1, 2, 2, 1)), *[draw(st.integers(3, 4)) for _ in range(count)])
    pairs = ((0, 0), (1, 0), (0, 2), (2, 1), (-1, 1), (1, -1), (-1, -1))
    return (shape,), {"pad": tuple(width for _ in range(count) for width in draw(st.sampled_from(pairs)))}
