"""Signatures of operations on each element, and of reductions."""

from hypothesis import strategies as st

from minigrad.testing.strategies import broadcastable, dims, reduced, shapes

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
