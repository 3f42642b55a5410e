"""Sums as products, and the softmax that may shift all rows at once: both its branches are the softmax."""

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


@pytest.mark.parametrize(("n", "m"), [(0, 3), (3, 0), (5, 2), (1, 200_000), (7, 40_000)])
def test_blocks_cover_every_row_once(n, m):
    covered = [row for part in rows.blocks(np, np.empty((n, m), bool)) for row in range(n)[part]]
    assert covered == list(range(n))


def expected(scores, mask):
    """The softmax row by row, in float64."""
    wide = scores.astype("float64")
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
@pytest.mark.parametrize(("scale", "together"), [(3, True), (300, False)])
def test_the_softmax_of_scores_close_together_and_far_apart(name, scale, together):
    mask = MASKS[name]
    scores = (scale * np.random.default_rng(0).standard_normal((5, 6))).astype("float32")
    assert softmax._close_together(scores, mask) == (together and name != "large numbers")
    found = softmax.softmax_(np, scores.copy(), mask)
    np.testing.assert_allclose(found, expected(scores, mask), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_takes_the_careful_branch(odd):
    scores = np.zeros((2, 3), "float32")
    scores[0, 1] = odd
    assert not softmax._close_together(scores, None)
    with np.errstate(invalid="ignore"):
        assert softmax.softmax_(np, scores, None)[1].tolist() == pytest.approx([1 / 3] * 3)
