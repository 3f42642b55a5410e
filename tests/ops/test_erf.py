"""erf of every floating type, to the accuracy of that type."""

import math

import numpy as np
import pytest

from minigrad.kernels.erf import BLOCK, erf_of, quotient

WITHIN = {"float64": 4e-15, "float32": 5e-7, "float16": 1e-3}  # relative; float32 keeps some six roundings


@pytest.mark.parametrize("dtype", WITHIN)
def test_erf_is_accurate_relative_to_its_size(dtype):
    x = np.concatenate([np.linspace(-6.5, 6.5, 5001), 10.0 ** np.arange(-30.0, 0.0)]).astype(dtype)
    x = x[np.abs(x) > np.finfo(dtype).tiny]
    exact = np.array([math.erf(value) for value in x.astype("float64")])
    assert erf_of(np, x).dtype == dtype
    assert np.max(np.abs(erf_of(np, x) / exact - 1)) < WITHIN[dtype]


@pytest.mark.parametrize("dtype", WITHIN)
def test_erf_stays_within_one_and_has_its_limits(dtype):
    x = np.array([math.inf, -math.inf, math.nan, 0.0, -0.0, 1e4, -7.0], dtype)
    np.testing.assert_array_equal(erf_of(np, x), np.array([1, -1, math.nan, 0, -0.0, 1, -1], dtype))
    assert np.abs(erf_of(np, np.linspace(2, 8, 10_001).astype(dtype))).max() <= 1


def test_the_quotient_is_smooth_where_it_is_used():
    above, below = quotient()
    assert min(below) > 0  # no pole, for u >= 0
    assert len(above) == len(below) == 6


@pytest.mark.parametrize("size", [0, 1, BLOCK, BLOCK + 1])
def test_blocks_are_seamless(size):
    x = np.linspace(-3, 3, size).astype("float32").reshape(-1, 1)
    np.testing.assert_array_equal(erf_of(np, x)[:, 0], [erf_of(np, part)[0] for part in x])
