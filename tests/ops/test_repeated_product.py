"""One matrix, many small products: in blocks or not, the product is the product."""

import numpy as np
import pytest

from minigrad.kernels.repeated import RepeatedProduct

SIZES = {
    "small as it is": (3, 5, 7),
    "one row": (1, 300, 320),
    "cut by columns": (32, 128, 320),
    "cut by columns and rows": (32, 1024, 64),
    "cut by rows alone": (40, 1200, 32),
    "of an odd size": (32, 1001, 64),
    "no rows": (0, 5, 7),
}


@pytest.mark.parametrize("size", SIZES)
def test_a_repeated_product_is_the_product_every_time(size):
    B, K, N = SIZES[size]
    random = np.random.default_rng(0)
    weight = random.standard_normal((N, K)).T
    product = RepeatedProduct(np, weight, B)
    assert product.blocks.size == weight.size
    for _ in range(2):
        x, out = random.standard_normal((B, 2 * K))[:, :K], np.empty((B, N))
        assert product(x, out=out) is out
        np.testing.assert_allclose(out, x @ weight, atol=1e-11)


def test_only_a_product_that_gains_by_it_is_cut():
    cut = {size: RepeatedProduct(np, np.ones(SIZES[size][1:]), SIZES[size][0]).blocks.shape for size in SIZES}
    assert cut["cut by columns"] == (1, 10, 128, 32)
    assert cut["cut by columns and rows"] == (2, 2, 512, 32)
    assert cut["cut by rows alone"] == (2, 1, 600, 32)
    for size in ("small as it is", "one row", "of an odd size", "no rows"):
        assert cut[size][:2] == (1, 1)
