"""Connectionist temporal classification: conventions, long sequences, and the layer."""

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F


def log_probs(*shape, seed=0):
    scores = np.random.default_rng(seed).standard_normal(shape)
    return mg.tensor(scores, requires_grad=True).log_softmax(-1)


def test_a_blank_parts_two_equal_letters():
    chances = mg.tensor([[0.25, 0.75]] * 3).log()  # of the blank, of the letter
    assert F.ctc_loss(chances, mg.tensor([1, 1]), 3, 2).item() * 2 == pytest.approx(
        -math.log(0.75 * 0.25 * 0.75)
    )


def test_a_text_too_long_for_its_steps_has_an_infinite_loss_and_no_gradient():
    for zero_infinity, expected in ((False, math.inf), (True, 0.0)):
        scores = mg.zeros(2, 2, 3, requires_grad=True)
        losses = F.ctc_loss(
            scores.log_softmax(-1), mg.tensor([[1, 1], [1, 2]]), (2, 2), (2, 2), 0, "none", zero_infinity
        )
        assert losses.tolist() == [expected, pytest.approx(2 * math.log(3))]
        losses[0].backward()
        assert not scores.grad.array.any()


def test_letters_behind_the_end_of_a_text_do_not_count():
    x = log_probs(5, 2, 4)
    losses = [
        F.ctc_loss(x, targets, (5, 4), (1, 2), reduction="none").array
        for targets in (mg.tensor([[1, 2], [3, 3]]), mg.tensor([[1, -100], [3, 3]]), mg.tensor([1, 3, 3]))
    ]
    np.testing.assert_array_equal(losses[0], losses[1])
    np.testing.assert_array_equal(losses[0], losses[2])


def test_steps_behind_the_end_do_not_count():
    x = log_probs(5, 1, 4)
    other = mg.cat([x[:3], x[3:] * 2])
    targets = mg.tensor([[1, 2]])
    assert F.ctc_loss(x, targets, (3,), (2,)).item() == F.ctc_loss(other, targets, (3,), (2,)).item()


def test_lengths_may_be_tensors():
    x, targets = log_probs(5, 2, 4), mg.tensor([[1, 2], [3, 3]])
    lengths = mg.tensor([5, 4]), mg.tensor([1, 2])
    expected = F.ctc_loss(x, targets, (5, 4), (1, 2))
    assert F.ctc_loss(x, targets, *lengths).item() == expected.item()


def test_a_thousand_steps_in_single_precision_keep_their_digits():
    targets = mg.tensor(np.random.default_rng(1).integers(1, 20, (2, 100)))
    losses = []
    for dtype in ("float64", "float32"):
        x = log_probs(1000, 2, 20).to(dtype)
        losses.append(F.ctc_loss(x, targets, (1000, 900), (100, 90)).item())
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)


def test_the_shares_of_the_letters_at_a_step_sum_to_one():
    x = log_probs(6, 2, 4).detach().requires_grad_()
    F.ctc_loss(x, mg.tensor([[1, 2], [3, 0]]), (6, 4), (2, 1), reduction="sum").backward()
    np.testing.assert_allclose(-x.grad.array.sum(-1), [[1, 1]] * 4 + [[1, 0]] * 2, atol=1e-12)


def test_the_layer_passes_its_settings_on():
    layer = nn.CTCLoss(blank=3, reduction="none", zero_infinity=True)
    x, targets = log_probs(2, 2, 4), mg.tensor([[1, 1], [2, 0]])
    expected = F.ctc_loss(x, targets, (2, 2), (2, 2), 3, "none", zero_infinity=True)
    assert layer(x, targets, (2, 2), (2, 2)).tolist() == expected.tolist()
    assert repr(layer) == "CTCLoss()"
    with pytest.raises(ValueError, match=r"CTCLoss\(\): reduction 'all'"):
        nn.CTCLoss(reduction="all")


@pytest.mark.oracle
def test_the_layer_agrees_with_pytorch():
    import torch

    scores = np.random.default_rng(0).standard_normal((8, 3, 5))
    targets, lengths = np.array([[1, 2, 2], [3, 3, 0], [4, 0, 0]]), ((8, 7, 3), (3, 2, 1))
    found = []
    for library in (mg, torch):
        x = library.tensor(scores, requires_grad=True)
        loss = library.nn.CTCLoss()(library.log_softmax(x, -1), library.tensor(targets), *lengths)
        loss.backward()
        found.append((loss.item(), x.grad.numpy()))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-12)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=1e-12)
