"""Signatures of linear algebra."""

from hypothesis import strategies as st

from minigrad.testing.strategies import broadcastable, dims, shapes, sides


@st.composite
def products(draw):
    """Two operands of matmul: vectors, matrices, and batches of matrices that broadcast."""
    rows, inner, columns = draw(sides()), draw(sides()), draw(sides())
    first, second = draw(broadcastable(2, max_dims=2))
    a = draw(st.sampled_from(((inner,), (rows, inner), (*first, rows, inner))))
    b = draw(st.sampled_from(((inner,), (inner, columns), (*second, inner, columns))))
    return (a, b), {}


@st.composite
def of_sizes(draw, *inputs, **statics):
    """Inputs whose shapes are told by letters, "nm" and "mp"; each letter is a size, the same in all."""
    sizes = {letter: draw(sides()) for letter in sorted({*"".join(inputs)})}
    found = {name: draw(strategy) for name, strategy in statics.items()}
    return tuple(tuple(sizes[letter] for letter in letters) for letters in inputs), found


@st.composite
def added(draw, *inputs, result, **statics):
    """`of_sizes` behind an input that expands to the shape `result`."""
    sizes = {letter: draw(sides()) for letter in sorted({*"".join(inputs)})}
    ones, start = draw(st.integers(0, 2 ** len(result) - 1)), draw(st.integers(0, len(result)))
    first = tuple(1 if ones >> i & 1 else sizes[letter] for i, letter in enumerate(result))[start:]
    found = {name: draw(strategy) for name, strategy in statics.items()}
    return (first, *[tuple(sizes[letter] for letter in letters) for letters in inputs]), found


@st.composite
def batches(draw, square=False, min_side=0, **statics):
    """Matrices (..., m, n), or (..., n, n)."""
    rows, columns = draw(sides(min_side=min_side)), draw(sides(min_side=min_side))
    found = {name: draw(strategy) for name, strategy in statics.items()}
    return ((*draw(shapes(max_dims=2, min_side=min_side)), columns if square else rows, columns),), found


@st.composite
def systems(draw, vectors=True, square=True, **statics):
    """A (..., n, n) and B (..., n, k), whose leading dimensions broadcast; or B (n) or (..., n)."""
    rows, columns, count = draw(sides(min_side=1)), draw(sides(min_side=1)), draw(sides())
    if square:
        columns = rows
    first, second = draw(broadcastable(2, max_dims=2))
    found = {name: draw(strategy) for name, strategy in statics.items()}
    kind = draw(st.sampled_from(("matrices", "vector", "vectors") if vectors else ("matrices",)))
    if kind == "matrices":
        own = (rows, count) if found.get("left", True) else (count, rows)
        looks_like_vectors = (*second, *own) == (*first, rows)
        return ((*first, rows, columns), (*(first if looks_like_vectors else second), *own)), found
    if "left" in found:
        found["left"] = True
    return ((*first, rows, columns), (rows,) if kind == "vector" else (*first, rows)), found


@st.composite
def crossed(draw):
    """Two inputs that broadcast, but for one dimension of size 3 along which both have vectors."""
    whole = draw(shapes(max_dims=2))
    place = draw(st.integers(0, len(whole)))
    found = []
    for _ in range(2):
        ones = draw(st.integers(0, 2 ** len(whole) - 1))
        shape = [1 if ones >> i & 1 else size for i, size in enumerate(whole)]
        found.append((*shape[:place], 3, *shape[place:]))
    return tuple(found), {"dim": place - draw(st.sampled_from((0, len(whole) + 1)))}


@st.composite
def pairs_along(draw):
    """Two inputs that broadcast, and a dimension of what they broadcast to."""
    pair = draw(broadcastable(2).filter(lambda pair: pair[0] or pair[1]))
    return pair, {"dim": draw(dims(max(map(len, pair))))}


@st.composite
def normed(draw, orders, **statics):
    """Square matrices, another order of their dimensions, where the matrices are then, and which norm."""
    size, rest = draw(sides(min_side=1)), draw(shapes(max_dims=1, min_side=1))
    ndim = len(rest) + 2
    order = draw(st.permutations(range(ndim)))
    last_two = draw(st.permutations((ndim - 2, ndim - 1)))
    pair = [order.index(d) - ndim * draw(st.integers(0, 1)) for d in last_two]
    found = {name: draw(strategy) for name, strategy in statics.items()}
    found |= {"order": tuple(order), "ord": draw(st.sampled_from(orders)), "dim": tuple(pair)}
    return ((*rest, size, size),), found


@st.composite
def contractions(draw):
    """One to three inputs, and an equation of einsum: labels once or twice, an ellipsis, sizes of 1."""
    count = draw(st.integers(1, 3))
    letters = [draw(st.lists(st.sampled_from("abC"), max_size=3)) for _ in range(count)]
    sizes = {letter: draw(sides()) for letter in "abC"}
    hidden = draw(broadcastable(count, max_dims=2))
    terms, found = [], []
    for own, under_dots in zip(letters, hidden, strict=True):
        stretched = draw(st.sampled_from(("", *own)))
        visible = [1 if own.count(letter) == 1 and letter == stretched else sizes[letter] for letter in own]
        place = draw(st.integers(0, len(own)))
        dots = bool(under_dots) or draw(st.booleans())
        terms.append("".join([*own[:place], "..." * dots, *own[place:]]))
        found.append((*visible[:place], *under_dots, *visible[place:]))
    kept = draw(st.permutations(sorted(set().union(*letters))))
    kept = kept[: draw(st.integers(0, len(kept)))]
    kept.insert(draw(st.integers(0, len(kept))), "..." if any("." in term for term in terms) else "")
    end = draw(st.sampled_from(("", f"->{''.join(kept)}")))
    return tuple(found), {"equation": ", ".join(terms) + end}


@st.composite
def dotted(draw):
    """Two inputs for tensordot, and the dimensions over which it sums."""
    shared, first, second = (draw(shapes(max_dims=2)) for _ in range(3))
    if draw(st.booleans()):
        return ((*first, *shared), (*shared, *second)), {"dims": len(shared)}
    order = draw(st.permutations(range(len(shared))))
    inputs, dims_of = [], []
    for own in (first, second):
        sizes = draw(st.permutations([*enumerate(shared), *((-1, size) for size in own)]))
        numbers = [number for number, _ in sizes]
        inputs.append(tuple(size for _, size in sizes))
        dims_of.append([numbers.index(i) - (i % 2) * len(sizes) for i in order])  # some from the end
    return tuple(inputs), {"dims": tuple(dims_of)}


@st.composite
def chains(draw, vectors=False):
    """Two to four matrices, each with as many rows as the one before has columns; the ends may be vectors."""
    count = draw(st.integers(2, 4))
    sizes = [draw(sides()) for _ in range(count + 1)]
    found = [tuple(sizes[i : i + 2]) for i in range(count)]
    if vectors:
        found[0] = found[0][draw(st.integers(0, 1)) :]
        found[-1] = found[-1][: draw(st.integers(1, 2))]
    return tuple(found), {}
