"""Initialisers: bounds and moments, each with a fixed seed."""

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn import init

SHAPE = (200, 300)  # fan_in 300, fan_out 200


def drawn(function, *args, **keywords):
    weight = mg.empty(SHAPE, dtype=mg.float64)
    assert function(weight, *args, generator=mg.Generator(7), **keywords) is weight
    return weight.numpy()


def assert_moments(values, mean, variance):
    """A z-test at p = 1e-4 of the mean and, by its asymptotic spread, of the variance."""
    count, spread = values.size, 3.9
    assert abs(values.mean() - mean) < spread * math.sqrt(variance / count)
    fourth = np.mean((values - values.mean()) ** 4)
    assert abs(values.var() - variance) < spread * math.sqrt((fourth - variance**2) / count)


def test_uniform_fills_its_interval():
    values = drawn(init.uniform_, -2.0, 1.0)
    assert values.min() >= -2.0
    assert values.max() < 1.0
    assert_moments(values, -0.5, 9 / 12)


def test_normal_has_its_mean_and_deviation():
    assert_moments(drawn(init.normal_, 1.5, 0.25), 1.5, 0.25**2)


@pytest.mark.parametrize(
    ("function", "arguments", "variance"),
    [
        (init.xavier_uniform_, {"gain": 2.0}, 4 * 2 / (300 + 200)),
        (init.xavier_normal_, {"gain": 2.0}, 4 * 2 / (300 + 200)),
        (init.kaiming_uniform_, {"nonlinearity": "relu"}, 2 / 300),
        (init.kaiming_uniform_, {"a": math.sqrt(5)}, 1 / 3 / 300),
        (init.kaiming_normal_, {"mode": "fan_out", "nonlinearity": "tanh"}, (5 / 3) ** 2 / 200),
        (init.kaiming_normal_, {}, 2 / 300),
    ],
)
def test_the_variance_is_that_of_the_paper(function, arguments, variance):
    assert_moments(drawn(function, **arguments), 0.0, variance)


@pytest.mark.parametrize(("mean", "std", "a", "b"), [(0.0, 1.0, -2.0, 2.0), (1.0, 2.0, -1.0, 1.5)])
def test_a_truncated_normal_has_the_moments_of_its_interval(mean, std, a, b):
    values = drawn(init.trunc_normal_, mean, std, a, b)
    assert values.min() >= a
    assert values.max() <= b
    low, high = (a - mean) / std, (b - mean) / std
    density = [math.exp(-x * x / 2) / math.sqrt(2 * math.pi) for x in (low, high)]
    mass = (math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2))) / 2
    shift = (density[0] - density[1]) / mass  # Johnson, Kotz and Balakrishnan 1994, §13.10
    variance = 1 + (low * density[0] - high * density[1]) / mass - shift**2
    assert_moments(values, mean + std * shift, std**2 * variance)


@pytest.mark.parametrize(("sparsity", "zeros"), [(0.0, 0), (0.25, 50), (0.301, 61), (1.0, 200)])
def test_sparse_columns_have_their_share_of_zeros(sparsity, zeros):
    values = drawn(init.sparse_, sparsity, std=0.5)
    assert ((values == 0).sum(axis=0) == zeros).all()
    others = values[values != 0]
    if others.size:
        assert_moments(others, 0.0, 0.25)


def test_the_zeros_of_sparse_columns_favour_no_row():
    counts = (drawn(init.sparse_, 0.5) == 0).sum(axis=1)
    assert abs(counts - 150).max() < 4.5 * math.sqrt(300 * 0.25)


def test_eye_is_the_identity_as_far_as_there_is_room():
    assert init.eye_(mg.empty(2, 3)).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]


def test_dirac_copies_channels():
    weight = init.dirac_(mg.empty(4, 2, 3), groups=2).tolist()
    one, none = [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]
    assert weight == [[one, none], [none, one], [one, none], [none, one]]


def test_constants_fill_every_element():
    weight = mg.empty(2, 2)
    assert init.constant_(weight, 3.0).tolist() == [[3.0, 3.0], [3.0, 3.0]]
    assert init.ones_(weight).tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert init.zeros_(weight).tolist() == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (2, 3, 2), (1, 1)])
def test_orthogonal_rows_or_columns_have_length_gain_and_right_angles(shape):
    weight = mg.empty(shape, dtype=mg.float64)
    init.orthogonal_(weight, gain=2.0, generator=mg.Generator(1))
    matrix = weight.numpy().reshape(shape[0], -1)
    product = matrix @ matrix.T if shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, 4 * np.eye(min(matrix.shape)), atol=1e-12)


def test_orthogonal_matrices_favour_no_sign():
    signs = [init.orthogonal_(mg.empty(1, 1), generator=mg.Generator(seed)).item() for seed in range(400)]
    assert abs(sum(signs)) < 3.9 * math.sqrt(400)


def test_an_empty_tensor_stays_empty():
    assert init.orthogonal_(mg.empty(0, 3)).shape == (0, 3)
    assert init.uniform_(mg.empty(0)).shape == (0,)


def test_convolution_weights_count_their_kernel():
    assert init.fans(mg.empty(8, 4, 3, 3)) == (36, 72)


def test_gains_are_those_of_the_nonlinearities():
    assert init.calculate_gain("linear") == init.calculate_gain("sigmoid") == 1
    assert init.calculate_gain("tanh") == 5 / 3
    assert init.calculate_gain("relu") == math.sqrt(2)
    assert init.calculate_gain("selu") == 0.75
    assert init.calculate_gain("leaky_relu") == math.sqrt(2 / 1.0001)
    assert init.calculate_gain("leaky_relu", 1.0) == 1.0


def test_initialising_is_not_recorded_and_is_a_write():
    weight = mg.zeros(2, 2, requires_grad=True)
    init.xavier_uniform_(weight)
    assert weight.is_leaf
    assert weight._version == 1


def test_the_same_seed_gives_the_same_numbers():
    first, second = (drawn(init.normal_) for _ in range(2))
    assert first.tobytes() == second.tobytes()
    mg.manual_seed(3)
    first = init.uniform_(mg.empty(3)).tolist()
    mg.manual_seed(3)
    assert init.uniform_(mg.empty(3)).tolist() == first


@pytest.mark.parametrize(
    ("attempt", "error", "message"),
    [
        (lambda: init.xavier_uniform_(mg.empty(3)), ValueError, r"at least 2 dimensions, got shape \(3,\)"),
        (lambda: init.orthogonal_(mg.empty(3)), ValueError, r"got shape \(3,\), expected at least 2"),
        (lambda: init.kaiming_normal_(mg.empty(2, 2), mode="fan"), ValueError, "expected fan_in or fan_out"),
        (
            lambda: init.trunc_normal_(mg.empty(2), std=0.0),
            ValueError,
            "std=0.0.* expected std > 0 and a < b",
        ),
        (lambda: init.trunc_normal_(mg.empty(2), a=1.0, b=1.0), ValueError, "a=1.0, b=1.0"),
        (lambda: init.eye_(mg.empty(3)), ValueError, r"eye_\(\): got shape \(3,\), expected 2 dimensions"),
        (lambda: init.sparse_(mg.empty(3), 0.1), ValueError, "expected 2 dimensions"),
        (lambda: init.sparse_(mg.empty(3, 3), 1.1), ValueError, "sparsity=1.1, expected a share"),
        (
            lambda: init.dirac_(mg.empty(3, 3)),
            ValueError,
            r"got shape \(3, 3\), expected \(out, in, \*kernel\)",
        ),
        (lambda: init.dirac_(mg.empty(3, 3, 1), groups=2), ValueError, "a divisor of the 3 output channels"),
        (lambda: init.calculate_gain("swish"), ValueError, "'swish', expected leaky_relu, linear, sigmoid"),
    ],
)
def test_what_cannot_be_is_refused(attempt, error, message):
    with pytest.raises(error, match=message):
        attempt()
