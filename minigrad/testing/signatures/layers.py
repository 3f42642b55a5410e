"""Signatures of layers and losses, and of recurrent ones."""

import numpy as np
from hypothesis import strategies as st

from minigrad.testing.strategies import broadcastable, dims, shapes, sides

# ------------------------------------------------------------------------------------------------ layers


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
def projected_and_classified(draw):
    """Rows (N, D) or one vector (D,), a weight (C, D), a target for each, and perhaps a bias (C,)."""
    rows, size, classes = (
        draw(shapes(max_dims=1, min_side=1)),
        draw(sides(min_side=1)),
        draw(sides(min_side=1)),
    )
    bias = draw(st.sampled_from((None, (classes,))))
    statics = {"reduction": draw(st.sampled_from(("sum", "none", "mean")))}
    return ((*rows, size), (classes, size), rows, bias), statics


@st.composite
def projected_by_rows(draw):
    """Rows (N, D), a weight (C, D), a target for each, perhaps a bias (C,); how many rows at a time."""
    count, size, classes = (draw(sides(min_side=1)) for _ in range(3))
    statics = {
        "rows": draw(st.integers(1, 3)),
        "reduction": draw(st.sampled_from(("sum", "mean"))),
        "ignore_index": draw(st.sampled_from((None, -100))),
    }
    return ((count, size), (classes, size), (count,), draw(st.sampled_from((None, (classes,))))), statics


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


@st.composite
def projected_into_heads(draw, memory):
    """x (N, L, E), W (3 E, E), b (3 E,) or None, and a memory (N, S, E), for a number of heads."""
    batch, queries, keys, heads, width = (draw(sides(min_side=1)) for _ in range(5))
    size = heads * width
    bias = draw(st.sampled_from((None, (3 * size,))))
    memory = (batch, keys, size) if memory else None
    return ((batch, queries, size), (3 * size, size), bias, memory), {"heads": heads}


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
