"""Sums as products, and the softmax that may leave its rows unshifted: both its branches are the softmax."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.kernels import rows, softmax
from minigrad.testing.strategies import arrays

sizes = st.integers(0, 4)


@given(st.data(), sizes, sizes, st.sampled_from(("float32", "float64")))
def test_sums_and_products_along_rows_and_columns(data, n, m, dtype):
    a, b = data.draw(arrays((n, m), dtype)), data.draw(arrays((n, m), dtype))
    np.testing.assert_allclose(rows.row_sums(np, a), a.sum(1, keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(rows.row_dots(np, a, b), (a * b).sum(1, keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(rows.column_sums(np, a), a.sum(0), rtol=1e-5)


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [None, 0, 1, 2, (2,), (1, 2), (0, 2)])
@pytest.mark.parametrize("shape", [(30, 20, 10), (70, 1, 65), (9, 4, 129), (5000, 1, 1)])
def test_sums_over_dimensions_by_a_product_or_not(shape, dim, keepdim):
    x = np.random.default_rng(0).standard_normal(shape)
    for given_x in (x, x[::-1], x.transpose(2, 1, 0)):
        found = rows.sums(np, given_x, dim, keepdim)
        np.testing.assert_allclose(found, given_x.sum(axis=dim, keepdims=keepdim), rtol=1e-12, atol=1e-12)
        assert np.ndim(found) == 0 or found.base is None
    x[0, 0] = np.nan
    x[1, 0, 0] = np.inf
    np.testing.assert_array_equal(
        np.isfinite(rows.sums(np, x, dim, keepdim)), np.isfinite(x.sum(dim, keepdims=keepdim))
    )


@given(st.data(), sizes, st.integers(1, 4), st.sampled_from(("float32", "float64")))
def test_the_largest_of_each_row(data, n, m, dtype):
    matrix = data.draw(arrays((n, m), dtype))
    for few in (0, 100):  # elements at most for which NumPy's own reduction serves
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rows, "FEW", few)
            for x in (matrix, matrix[:, ::-1], matrix[None]):
                np.testing.assert_array_equal(rows.row_maxima(np, x), x.max(-1, keepdims=True))
            odd = np.where(np.arange(n)[:, None] == 1, np.nan, matrix)
            np.testing.assert_array_equal(rows.row_maxima(np, odd), odd.max(-1, keepdims=True))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [1, 40, 1000])  # all small, large in some of the blocks, all large
@pytest.mark.parametrize("shape", [(5, 6), (2, 7, 30), (3, 1), (1, 200), (9,)])
def test_the_softmax_of_rows_in_blocks_of_some(monkeypatch, shape, scale, dtype):
    x = (scale * np.random.default_rng(0).standard_normal(shape)).astype(dtype)
    whole = softmax.softmax(np, x)
    monkeypatch.setattr(rows, "BLOCK", 30)
    monkeypatch.setattr(softmax, "BLOCK", 30)
    digits = np.finfo(dtype).eps * (8 + 2 * abs(x).max())  # what x - max x and the exponential leave of them
    for found in (whole, softmax.softmax(np, x), softmax.softmax(np, x[..., ::-1])[..., ::-1]):
        np.testing.assert_allclose(found, expected(x.astype("longdouble"), None), rtol=digits, atol=1e-38)
    wide = x.astype("longdouble")
    logarithms = wide - np.logaddexp.reduce(wide, axis=-1, keepdims=True)
    for found in (softmax.log_softmax(np, x), softmax.log_softmax(np, x[..., ::-1])[..., ::-1]):
        np.testing.assert_allclose(found, logarithms, rtol=digits, atol=digits)


@pytest.mark.parametrize(("n", "m"), [(0, 3), (3, 0), (5, 2), (1, 200_000), (7, 40_000)])
def test_blocks_cover_every_row_once(n, m):
    covered = [row for part in rows.blocks(np, np.empty((n, m), bool)) for row in range(n)[part]]
    assert covered == list(range(n))


def expected(scores, mask):
    """The softmax row by row, in float64 or more."""
    wide = scores.astype(np.promote_types(scores.dtype, "float64"))
    if mask is not None:
        wide = np.where(mask, wide, -np.inf) if mask.dtype == bool else wide + mask
    top = wide.max(-1, keepdims=True)
    weights = np.exp(wide - np.where(np.isfinite(top), top, 0))
    total = weights.sum(-1, keepdims=True)
    return weights / np.where(total == 0, 1, total)


MASKS = {
    "none": None,
    "bool": np.tri(5, 6, dtype=bool),
    "a row that sees nothing": np.array([[False] * 6, *[[True] * 6] * 4]),
    "0 and -inf": np.where(np.tri(5, 6), 0, -np.inf).astype("float32"),
    "small numbers": np.linspace(-2, 1, 6, dtype="float32"),
    "large numbers": np.array([0, -1e9, 0, -1e9, 0, 50], "float32"),
    "of more dimensions": np.tri(5, 6, dtype=bool)[None].repeat(2, 0),
}


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize(("scale", "small"), [(3, True), (300, False)])
def test_the_softmax_of_small_scores_and_of_large_ones(name, scale, small):
    mask = MASKS[name]
    scores = (scale * np.random.default_rng(0).standard_normal((5, 6))).astype("float32")
    assert softmax._needs_no_shift(np, scores, mask) == (small and name != "large numbers")
    found = softmax.softmax_(np, scores.copy(), mask)
    np.testing.assert_allclose(found, expected(scores, mask), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_takes_the_careful_branch(odd):
    scores = np.zeros((2, 3), "float32")
    scores[0, 1] = odd
    assert not softmax._needs_no_shift(np, scores)
    with np.errstate(invalid="ignore"):
        assert softmax.softmax_(np, scores, None)[1].tolist() == pytest.approx([1 / 3] * 3)
