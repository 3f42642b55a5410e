"""Numbers that follow a distribution, and categories that are drawn by their weights."""

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import DTypeError, ShapeError

MANY = 20_000
SURE = 4.0  # standard errors: the seed is fixed, so this fails for good or never


def standard_errors(values, mean, deviation):
    """How far the mean of the values is from the one expected."""
    return abs(values.mean() - mean) / (deviation / math.sqrt(len(values)))


@pytest.fixture(autouse=True)
def seeded():
    mg.manual_seed(11)


MOMENTS = {  # what is drawn, what is looked at, its mean and its standard deviation
    "uniform_": (lambda x: x.uniform_(2, 4), lambda v: v, 3, 2 / math.sqrt(12)),
    "normal_": (lambda x: x.normal_(1, 3), lambda v: v, 1, 3),
    "log_normal_": (lambda x: x.log_normal_(1, 2), np.log, 1, 2),
    "exponential_": (lambda x: x.exponential_(4), lambda v: v, 1 / 4, 1 / 4),
    "cauchy_": (lambda x: x.cauchy_(1, 2), lambda v: np.abs(v - 1) < 2, 1 / 2, 1 / 2),
    "geometric_": (lambda x: x.geometric_(0.2), lambda v: v, 5, math.sqrt(0.8) / 0.2),
    "random_": (lambda x: x.random_(3, 8), lambda v: v, 5, math.sqrt(2)),
    "bernoulli_": (lambda x: x.bernoulli_(0.3), lambda v: v, 0.3, math.sqrt(0.21)),
    "bernoulli_ by tensor": (lambda x: x.bernoulli_(mg.tensor(0.3)), lambda v: v, 0.3, math.sqrt(0.21)),
    "bernoulli": (lambda x: mg.bernoulli(x + 0.3), lambda v: v, 0.3, math.sqrt(0.21)),
    "bernoulli of p": (lambda x: mg.bernoulli(x, 0.3), lambda v: v, 0.3, math.sqrt(0.21)),
    "normal of means": (lambda x: mg.normal(x + 1, 3.0), lambda v: v, 1, 3),
    "normal of deviations": (lambda x: mg.normal(1.0, x + 3), lambda v: v, 1, 3),
    "normal of a size": (lambda x: mg.normal(1.0, 3.0, x.shape, dtype=x.dtype), lambda v: v, 1, 3),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_a_distribution_has_its_moments(name):
    draw, seen, mean, deviation = MOMENTS[name]
    x = mg.zeros(MANY, dtype=mg.float64)
    found = draw(x)
    assert (found.shape, found.dtype) == (x.shape, x.dtype)
    assert standard_errors(seen(found.numpy()), mean, deviation) < SURE


def test_a_tensor_without_dimensions_is_drawn_for_as_well():
    assert mg.bernoulli(mg.tensor(1.0)).tolist() == 1.0
    assert mg.normal(mg.tensor(2.0), 0.0).tolist() == 2.0
    assert mg.normal(2.0, 0.0, ()).tolist() == 2.0


WEIGHTS = [1.0, 0.0, 4.0, 3.0]  # need not sum to 1


@pytest.mark.parametrize("replacement", [True, False])
def test_a_category_is_drawn_as_often_as_its_weight_says(replacement):
    rows = mg.tensor(WEIGHTS).expand(MANY, 4)
    drawn = mg.multinomial(rows, 1, replacement)
    assert (drawn.shape, drawn.dtype) == ((MANY, 1), mg.int64)
    for category, weight in enumerate(WEIGHTS):
        share = weight / 8
        hits = drawn.numpy()[:, 0] == category
        assert standard_errors(hits, share, math.sqrt(share * (1 - share)) or 1e-9) < SURE


def test_with_replacement_each_draw_is_from_all():
    drawn = mg.multinomial(mg.tensor(WEIGHTS), MANY, replacement=True).numpy()
    assert drawn.shape == (MANY,)
    assert standard_errors((drawn[1:] == 2) & (drawn[:-1] == 2), 1 / 4, 0.5) < SURE


def test_without_replacement_nothing_is_drawn_twice_and_the_second_is_by_the_weights_that_are_left():
    drawn = mg.multinomial(mg.tensor(WEIGHTS).expand(MANY, 4), 3).numpy()
    assert (np.sort(drawn, axis=1) == [0, 2, 3]).all()
    after_two = drawn[drawn[:, 0] == 2, 1]
    assert standard_errors(after_two == 3, 3 / 4, math.sqrt(3) / 4) < SURE


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: mg.bernoulli(mg.tensor([1])), DTypeError, "must be floating, got int64; or pass p"),
        (lambda: mg.bernoulli(mg.tensor([0.5, 1.5])), ValueError, "expected probabilities in [0, 1]"),
        (lambda: mg.bernoulli(mg.tensor([math.nan])), ValueError, "expected probabilities in [0, 1]"),
        (lambda: mg.zeros(2).bernoulli_(mg.ones(3)), ShapeError, "do not broadcast"),
        (lambda: mg.zeros(3).bernoulli_(mg.ones(2, 3)), ShapeError, "(2, 3) does not expand to (3,)"),
        (lambda: mg.normal(0.0, -1.0, (2,)), ValueError, "a standard deviation must not be negative"),
        (lambda: mg.multinomial(mg.tensor([1, 2]), 1), DTypeError, "weights must be floating, got int64"),
        (lambda: mg.multinomial(mg.ones(1, 2, 3), 1), ShapeError, "got shape (1, 2, 3), expected a vector"),
        (lambda: mg.multinomial(mg.tensor([1.0, -1.0]), 1), ValueError, "finite, not negative"),
        (lambda: mg.multinomial(mg.tensor([1.0, math.inf]), 1), ValueError, "finite, not negative"),
        (lambda: mg.multinomial(mg.tensor([1.0, math.nan]), 1), ValueError, "finite, not negative"),
        (lambda: mg.multinomial(mg.zeros(2, 3), 1), ValueError, "in no row all 0"),
        (lambda: mg.multinomial(mg.zeros(0), 1, replacement=True), ValueError, "here 0"),
        (lambda: mg.multinomial(mg.ones(3), 0), ValueError, "num_samples 0, expected at least 1"),
        (lambda: mg.multinomial(mg.ones(3), 4), ValueError, "of positive weight, here 3"),
        (lambda: mg.multinomial(mg.tensor(WEIGHTS), 4), ValueError, "of positive weight, here 3"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert message in str(raised.value)
