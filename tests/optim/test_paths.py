"""Optimisers traced on surfaces of two variables."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.errors import ShapeError
from minigrad.optim.paths import RULES, SURFACES, descent_path

BOWL = SURFACES["bowl"]
SLOPES = st.floats(1e-3, 1e6) | st.floats(-1e6, -1e-3)


def test_the_elongated_bowl_is_followed_by_hand():
    """SGD multiplies x by 1 - lr/10 and y by 1 - 2 lr in every step."""
    found = descent_path(RULES["SGD"], BOWL.height, (-7.0, 2.0), lr=0.4, steps=6)
    steps = np.arange(7)
    np.testing.assert_allclose(found, np.stack([-7 * 0.96**steps, 2 * 0.2**steps], axis=1), atol=1e-12)


def test_momentum_goes_on_where_the_slope_was_and_nesterov_looks_ahead():
    lr, beta = 0.1, 0.9
    slope = np.array([0.1, 2.0])
    for rule in ("momentum", "Nesterov"):
        point, velocity, passed = np.array([-7.0, 2.0]), np.zeros(2), [np.array([-7.0, 2.0])]
        for _ in range(10):
            g = slope * point
            velocity = beta * velocity + g
            point = point - lr * (g + beta * velocity if rule == "Nesterov" else velocity)
            passed.append(point)
        found = descent_path(RULES[rule], BOWL.height, (-7.0, 2.0), lr, 10)
        np.testing.assert_allclose(found, passed, atol=1e-12)


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("rule", RULES)
def test_every_rule_goes_down_every_surface(rule, surface):
    height, start = SURFACES[surface].height, SURFACES[surface].start
    path = descent_path(RULES[rule], height, start, lr=1e-3, steps=20)
    assert path.shape == (21, 2)
    assert tuple(path[0]) == start
    assert height(*path[-1]) < height(*start)


@pytest.mark.parametrize("surface", SURFACES)
def test_a_minimum_is_where_nothing_moves(surface):
    _, height, start, minima = SURFACES[surface]
    for minimum in minima:
        path = descent_path(RULES["SGD"], height, minimum, lr=0.1, steps=3)
        np.testing.assert_allclose(path, [minimum] * 4, atol=1e-12)
        assert height(*minimum) < height(*start)


def test_the_saddle_s_middle_is_flat_but_no_minimum():
    saddle = SURFACES["saddle"].height
    assert (descent_path(RULES["SGD"], saddle, (0.0, 0.0), lr=0.1, steps=5) == 0).all()
    assert saddle(0.0, 0.1) < saddle(0.0, 0.0) < saddle(0.1, 0.0)


@given(SLOPES, SLOPES)
def test_adam_s_bias_correction_makes_the_first_step_the_learning_rate_whatever_the_slope(a, b):
    """m̂ = g and v̂ = g²: the step is lr g / |g|; without the correction it would be 0.1/√0.001 of it."""
    path = descent_path(RULES["Adam"], lambda x, y: a * x + b * y, (0.0, 0.0), lr=0.5, steps=1)
    np.testing.assert_allclose(path[1], -0.5 * np.sign([a, b]), rtol=1e-4)


def test_adamw_s_decay_pulls_to_the_origin_beside_the_step():
    adam, adamw = (
        descent_path(RULES[name], BOWL.height, (-7.0, 2.0), 0.5, 1)[1] for name in ("Adam", "AdamW")
    )
    np.testing.assert_allclose(adamw - adam, -0.5 * 0.1 * np.array([-7.0, 2.0]), atol=1e-12)


def test_the_narrow_bowl_throws_sgd_from_side_to_side_and_not_adagrad():
    sgd = descent_path(RULES["SGD"], BOWL.height, (-7.0, 2.0), 0.95, 10)
    adagrad = descent_path(RULES["Adagrad"], BOWL.height, (-7.0, 2.0), 1.5, 10)
    assert (np.sign(sgd[1:, 1]) != np.sign(sgd[:-1, 1])).all()
    assert (np.diff(abs(adagrad[:, 1])) < 0).all()
    assert (adagrad[:, 1] > 0).all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (((0.0, 1.0), 0.1, -1), ValueError, "steps=-1, expected at least 0"),
        (((0.0, 1.0, 2.0), 0.1, 1), ShapeError, r"start of shape \(3,\), expected two numbers, x and y"),
        ((0.0, 0.1, 1), ShapeError, r"start of shape \(\), expected two numbers"),
        (((0.0, 1.0), -0.1, 1), ValueError, "lr"),
    ],
)
def test_a_path_that_cannot_be_walked_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        descent_path(mg.optim.SGD, BOWL.height, *arguments)
