"""What may be passed to an operation: strategies for (the shapes of its inputs, its static arguments).

An input that is left out has the shape None.
"""

import math

import numpy as np
from hypothesis import strategies as st

from strategies import broadcastable, dims, indices, reduced, several_dims, shapes, sides

# ------------------------------------------------------------------------------------------------ elementwise


def unary(min_side=0, **statics):
    """One input of any shape; each static argument by its own strategy."""
    return st.tuples(st.tuples(shapes(min_side=min_side)), st.fixed_dictionaries(statics))


def elementwise(count, min_side=0, **statics):
    """`count` inputs that broadcast together."""
    return st.tuples(broadcastable(count, min_side=min_side), st.fixed_dictionaries(statics))


@st.composite
def limits(draw):
    """One input, and limits that lie between the numbers of the domain."""
    low = draw(st.sampled_from((None, -2.0625, -0.9375)))
    high = draw(st.sampled_from((0.0625, 1.0625) if low is None else (None, 0.0625, 1.0625)))
    return (draw(shapes()),), {"min": low, "max": high}


@st.composite
def tensor_limits(draw):
    """One input, and tensors as limits, one of which may be left out."""
    x, low, high = draw(broadcastable(3))
    return (x, *draw(st.sampled_from(((low, high), (low, None), (None, high))))), {}


# ------------------------------------------------------------------------------------------------ reductions


@st.composite
def reduction(draw, dim=reduced, min_dims=0, min_side=0, **statics):
    """One input, and the dimensions that disappear."""
    shape = draw(shapes(min_dims, min_side=min_side))
    found = {name: draw(strategy) for name, strategy in statics.items()}
    return (shape,), {"dim": draw(dim(len(shape))), "keepdim": draw(st.booleans()), **found}


@st.composite
def along(draw, count=1, min_side=1, front=False, **statics):
    """Inputs of one shape, and one dimension of it; with front=True counted from the front."""
    shape = draw(shapes(min_dims=count - 1, min_side=min_side))
    found = {name: draw(strategy) for name, strategy in statics.items()}
    dim = draw(dims(len(shape)))
    return (shape,) * count, {"dim": dim % max(len(shape), 1) if front else dim, **found}


@st.composite
def ranked(draw, lowest=0, **statics):
    """One input, a dimension of it, and a number k of the elements there."""
    shape = draw(shapes(min_dims=1, min_side=lowest))
    found = {name: draw(strategy) for name, strategy in statics.items()}
    dim = draw(dims(len(shape)))
    return (shape,), {"k": draw(st.integers(lowest, shape[dim])), "dim": dim, **found}


@st.composite
def slices_apart(draw):
    """One input, and perhaps the dimension along which its slices are compared."""
    shape = draw(shapes(min_side=1))
    return (shape,), {"dim": draw(st.one_of(st.none(), dims(len(shape)))) if shape else None}


@st.composite
def quantiles(draw):
    """One input, the quantiles wanted (one, or a vector), and between which elements they lie."""
    shape = draw(shapes(min_side=1))
    statics = {
        "dim": draw(st.one_of(st.none(), dims(len(shape)))),
        "keepdim": draw(st.booleans()),
        "interpolation": draw(st.sampled_from(("linear", "lower", "higher", "midpoint", "nearest"))),
    }
    return (shape, draw(st.sampled_from(((), (1,), (2,))))), statics


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


# ------------------------------------------------------------------------------------------------ indices


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


# ------------------------------------------------------------------------------------------------ matrices


@st.composite
def products(draw):
    """Two operands of matmul: vectors, matrices, and batches of matrices that broadcast."""
    rows, inner, columns = draw(sides()), draw(sides()), draw(sides())
    first, second = draw(broadcastable(2, max_dims=2))
    a = draw(st.sampled_from(((inner,), (rows, inner), (*first, rows, inner))))
    b = draw(st.sampled_from(((inner,), (inner, columns), (*second, inner, columns))))
    return (a, b), {}


@st.composite
def linear_layers(draw):
    """x (..., I), W (O, I) and perhaps b (O)."""
    outer, inner, width = draw(shapes(max_dims=2)), draw(sides()), draw(sides())
    return ((*outer, inner), (width, inner), draw(st.sampled_from((None, (width,))))), {}


@st.composite
def normalised(draw):
    """x, its last `dims` dimensions, and perhaps a weight and a bias for them."""
    shape = draw(shapes(min_dims=1, min_side=1))
    last = draw(st.integers(1, len(shape)))
    inner = shape[len(shape) - last :]
    weight, bias = draw(st.sampled_from((None, inner))), draw(st.sampled_from((None, inner)))
    return (shape, weight, bias), {"dims": last, "eps": draw(st.sampled_from((1e-5, 0.1)))}


@st.composite
def classified(draw):
    """Scores (C) or (N, C, ...), targets without the C, and perhaps a weight for each class."""
    classes, others = draw(sides(min_side=1)), draw(shapes(max_dims=2, min_side=1))
    scores = (*others[:1], classes, *others[1:])
    statics = {
        "dim": min(len(others), 1),
        "ignore_index": draw(st.sampled_from((-100, 0))),
        "label_smoothing": draw(st.sampled_from((0.0, 0.1))),
    }
    everything_counts = statics["ignore_index"] < 0  # else the mean may be one of none, nan
    statics["reduction"] = draw(
        st.sampled_from(("sum", "none", "mean") if everything_counts else ("sum", "none"))
    )
    return (scores, others, draw(st.sampled_from((None, (classes,))))), statics


@st.composite
def partly_classified(draw):
    """Scores (N, C) of two classes at least, of which class 0 does not count."""
    rows, classes = draw(sides(5, min_side=1)), draw(st.integers(2, 3))
    statics = {"dim": 1, "ignore_index": 0, "label_smoothing": draw(st.sampled_from((0.0, 0.1)))}
    weight = draw(st.sampled_from((None, (classes,))))
    return ((rows, classes), (rows,), weight), {**statics, "reduction": "mean"}


@st.composite
def attended(draw, mask, dropout=False):
    """Q (..., L, E), K (..., S, E), V (..., S, V), a mask that broadcasts to (..., L, S), weights to keep."""
    queries, keys, size, width = (draw(sides(min_side=1)) for _ in range(4))
    leading = draw(broadcastable(3, max_dims=2, min_side=1))
    whole = np.broadcast_shapes(*leading)
    shape = draw(st.sampled_from(((queries, keys), (keys,), (*whole, queries, keys), (queries, 1))))
    statics = {"scale": draw(st.sampled_from((1.0, 0.5)))}
    if dropout:
        statics["keep_scale"] = 1.25
    return (
        (*leading[0], queries, size),
        (*leading[1], keys, size),
        (*leading[2], keys, width),
        shape if mask else None,
        (*whole, queries, keys) if dropout else None,
    ), statics


# ------------------------------------------------------------------------------------------------ layers


@st.composite
def alike(draw, count, min_dims=0, min_side=1, **statics):
    """`count` inputs of one shape; each static argument by its own strategy."""
    shape = draw(shapes(min_dims, min_side=min_side))
    return (shape,) * count, {name: draw(strategy) for name, strategy in statics.items()}


@st.composite
def sloped(draw):
    """One input, and a slope for all of it, or one for each channel, which dimension 1 counts."""
    shape = draw(shapes())
    return (shape, draw(st.sampled_from(((1,), shape[1:2] or (1,))))), {}


@st.composite
def halved(draw):
    """One input, and a dimension of even size."""
    shape = draw(shapes(min_dims=1))
    dim = draw(dims(len(shape)))
    place = dim % len(shape)
    return ((*shape[:place], 2 * shape[place], *shape[place + 1 :]),), {"dim": dim}


@st.composite
def channelled(draw, running=False, max_side=3, **statics):
    """x (N, C, ...), N at least 2, perhaps running statistics, and perhaps a weight and a bias, all (C,)."""
    channels = draw(sides(max_side, min_side=1))
    shape = (draw(st.integers(2, 3)), channels, *draw(shapes(max_dims=2, max_side=2, min_side=1)))
    weight, bias = (draw(st.sampled_from((None, (channels,)))) for _ in range(2))
    found = {name: draw(strategy) for name, strategy in statics.items()}
    eps = draw(st.sampled_from((1e-5, 0.1)))
    return (shape, *[(channels,)] * 2 * running, weight, bias), {"eps": eps, **found}


@st.composite
def grouped(draw):
    """x (N, C, ...), perhaps a weight and a bias (C,), and the number of groups of channels."""
    size, groups = draw(sides(2, min_side=1)), draw(sides(min_side=1))
    others = draw(shapes(min_dims=1, max_dims=2, max_side=2, min_side=1))
    shape = (draw(sides(min_side=1)), size * groups, *others)
    weight, bias = (draw(st.sampled_from((None, (size * groups,)))) for _ in range(2))
    return (shape, weight, bias), {"groups": groups, "eps": draw(st.sampled_from((1e-5, 0.1)))}


@st.composite
def pairs_of_rows(draw, **statics):
    """Rows (..., P, M) and (..., R, M), whose leading dimensions broadcast."""
    one, other, length = draw(sides(min_side=1)), draw(sides(min_side=1)), draw(sides(min_side=1))
    first, second = draw(broadcastable(2, max_dims=1, min_side=1))
    found = {name: draw(strategy) for name, strategy in statics.items()}
    return ((*first, one, length), (*second, other, length)), found


@st.composite
def bilinear_layers(draw):
    """x₁ (..., I), x₂ (..., J), W (O, I, J) and perhaps b (O)."""
    outer, one, other, width = draw(shapes(max_dims=2)), *(draw(sides(min_side=1)) for _ in range(3))
    bias = draw(st.sampled_from((None, (width,))))
    return ((*outer, one), (*outer, other), (width, one, other), bias), {}


@st.composite
def bags(draw, weighted=False):
    """Indices (B, L) or (n,), a table (rows, width), how the bags lie, perhaps a factor for each index."""
    rows, width = draw(sides(min_side=1)), draw(sides(min_side=1))
    padding = draw(st.sampled_from((None, 0, -1)))
    statics = {
        "padding_idx": padding,
        "mode": "sum" if weighted else draw(st.sampled_from(("sum", "mean", "max"))),
    }
    if draw(st.booleans()):
        shape = (draw(sides(min_side=1)), draw(sides(min_side=1)))
    else:
        shape = (draw(st.integers(0, 5)),)
        count = draw(st.integers(1, 3))
        starts = [0, *sorted(draw(st.lists(st.integers(0, *shape), min_size=count, max_size=count)))]
        statics["include_last_offset"] = draw(st.booleans())
        statics["offsets"] = [*starts[:-1], *shape] if statics["include_last_offset"] else starts
    return (shape, (rows, width), *[shape] * weighted), statics


@st.composite
def margins(draw, lists=False, **statics):
    """Scores (N, C) or (C,), and the class of each row (or a list of them), perhaps with class weights."""
    classes, rows = draw(sides(min_side=1)), draw(st.sampled_from(((), (1,), (3,))))
    found = {name: draw(strategy) for name, strategy in statics.items()}
    scores = (*rows, classes)
    if lists:
        return (scores, scores), found
    return (scores, rows, draw(st.sampled_from((None, (classes,))))), found


# ------------------------------------------------------------------------------------------------ recurrent


@st.composite
def lstm_steps(draw):
    """x (B, I), h and c (B, H), the weights (4H, I) and (4H, H), and perhaps the biases (4H)."""
    ((x, *rest, _), _) = draw(recurrent_sequences(gates=4, states=2))
    return (x[1:], *rest), {}


@st.composite
def recurrent_sequences(draw, gates, states=1, projected=False, **statics):
    """x (T, B, I), states (B, H), weights (GH, I) and (GH, H), perhaps biases (GH) and lengths (B).

    With `projected` the first state is perhaps (B, P), and (P, H) the weight that makes it.
    """
    steps, batch, inputs, hidden = (draw(sides(min_side=1)) for _ in range(4))
    given = [draw(st.booleans()) for _ in range(3)]
    bias = (gates * hidden,) if given[0] else None
    lengths = (batch,) if given[1] else None
    output = draw(sides(min_side=1)) if projected and given[2] else hidden
    projection = [(output, hidden) if given[2] else None] if projected else []
    state = [(batch, output), *[(batch, hidden)] * (states - 1)]
    weights = [(gates * hidden, inputs), (gates * hidden, output), bias, bias, *projection]
    chosen = {name: draw(strategy) for name, strategy in statics.items()}
    reverse = {"reverse": draw(st.booleans())}
    return ((steps, batch, inputs), *state, *weights, lengths), chosen | reverse
