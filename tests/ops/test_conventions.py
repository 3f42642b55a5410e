"""Kinks, ties and poles: which value and which gradient is given there. PyTorch's, wherever it has one."""

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing.card import assert_close, listed
from minigrad.testing.cards import CARDS

# As in minigrad itself: PyTorch is silent where a logarithm of 0 is -inf, and so are we.
pytestmark = pytest.mark.filterwarnings(r"ignore::RuntimeWarning:minigrad\..*")

KINKS = [pytest.param(card, kink, id=f"{card} at {kink.inputs}") for card in CARDS for kink in card.kinks]
INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(("card", "kink"), KINKS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_value_and_gradient_at_a_kink_are_as_declared(card, kink, dtype):
    arrays = [np.array(values) for values in kink.inputs]
    tensors = [mg.tensor(a, dtype=dtype if a.dtype.kind == "f" else None) for a in arrays]
    for tensor, slope in zip(tensors, kink.gradients, strict=False):
        tensor.requires_grad = slope is not None
    output, *_ = listed(card.op(*tensors, **kink.statics))
    tolerance = card.within("value", dtype)
    assert_close(output.array, np.asarray(kink.value), tolerance)
    if output.requires_grad:
        output.backward(mg.ones_like(output))
        for tensor, slope in zip(tensors, kink.gradients, strict=False):
            if slope is not None:
                assert_close(tensor.grad.array, np.asarray(slope), tolerance)


@pytest.mark.parametrize("name", ["relu", "abs", "maximum", "minimum", "clamp", "amax", "max"])
def test_nan_goes_through(name):
    x = mg.tensor([NAN, 1.0])
    arguments = {"maximum": (mg.zeros(2),), "minimum": (mg.zeros(2),), "clamp": (0.0,)}.get(name, ())
    found = getattr(mg, name)(x, *arguments)
    assert math.isnan(found.item() if found.ndim == 0 else found[0].item())


def test_a_sum_of_nothing_is_zero_and_its_mean_is_nan():
    empty = mg.zeros(2, 0, requires_grad=True)
    assert empty.sum().item() == 0
    assert empty.sum(dim=1).tolist() == [0, 0]
    assert np.isnan(empty.mean().item())
    assert np.isnan(empty.mean(dim=1).array).all()
    assert empty.logsumexp(1).tolist() == [-INF, -INF]
    assert empty.all().item()
    assert not empty.any().item()
    empty.sum().backward()
    assert empty.grad.shape == (2, 0)


@pytest.mark.parametrize("function", [mg.var, mg.std])
def test_the_variance_of_one_number_is_nan_with_the_usual_correction(function):
    x = mg.tensor([2.0], requires_grad=True)
    assert math.isnan(function(x).item())
    assert function(x, correction=0).item() == 0


def test_the_first_of_equals_is_their_place_and_gets_the_gradient_of_max_along_a_dimension():
    x = mg.tensor([[1.0, 3.0, 3.0]], requires_grad=True)
    values, places = x.max(dim=1)
    assert places.tolist() == [1]
    values.sum().backward()
    assert x.grad.tolist() == [[0.0, 1.0, 0.0]]


@pytest.mark.parametrize("power", [1e-30, 1e30, 1e-40, 5e-324])
def test_very_large_and_very_small_numbers_keep_their_digits(power):
    x = mg.tensor([power], dtype="float64")
    for name in ("expm1", "log1p", "tanh", "sin") if power < 1 else ("log1p", "log", "tanh", "sqrt"):
        found, expected = getattr(mg, name)(x), getattr(np, name)(x.array)
        np.testing.assert_allclose(found.array, expected, rtol=1e-15)


def test_half_precision_means_do_not_overflow_in_their_sums():
    x = mg.full((300, 300), 8.0, dtype="float16")
    assert mg.mean(x).item() == 8.0
    assert mg.var(x).item() == 0.0
    assert mg.softmax(x, 0).dtype == "float16"
    np.testing.assert_allclose(mg.softmax(x, 0).array, 1 / 300, rtol=1e-3)
