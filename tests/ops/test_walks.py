"""Every operation on other ways back: many cotangents at once, checkpointed, written down, watched."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.testing.card import assert_close, cases, cotangents, few_examples, floating, gradients
from minigrad.testing.cards import CARDS
from minigrad.utils.checkpoint import checkpoint

ROWS = 3
DIFFERENTIABLE = [card for card in CARDS if card.differentiable]
ONE_TRIANGLE = ("cholesky", "eigh", "eigvalsh")  # is read, but the gradient is that of symmetric changes
WITHOUT_RULE = ("overlay",)  # a chain of views of one example has no counterpart for all of them
each_card = pytest.mark.parametrize("card", DIFFERENTIABLE, ids=str)


def attached(outputs):
    """Those outputs that a gradient can start from."""
    return [out for out in floating(outputs) if out.requires_grad]


@pytest.mark.parametrize("card", [card for card in DIFFERENTIABLE if card.name not in WITHOUT_RULE], ids=str)
@few_examples
@given(data=st.data())
def test_rows_of_cotangents_walk_back_together_as_one_by_one(card, data):
    case = data.draw(cases(card))
    tensors = case.tensors()
    outputs = attached(case.run(tensors))
    assume(outputs)  # unbind of no rows has none
    wanted = [tensors[i] for i in case.differentiable]
    rows = [cotangents(outputs, seed) for seed in range(ROWS)]
    matrices = [mg.tensor(np.stack(column)) for column in zip(*rows, strict=True)]
    options = {"retain_graph": True, "materialize_grads": True}
    together = mg.autograd.grad(outputs, wanted, matrices, is_grads_batched=True, **options)
    alone = [mg.autograd.grad(outputs, wanted, [mg.tensor(u) for u in row], **options) for row in rows]
    for found, expected in zip(together, zip(*alone, strict=True), strict=True):
        assert_close(found.array, np.stack([g.array for g in expected]), 1e-9, case)


@each_card
@few_examples
@given(data=st.data())
def test_a_checkpointed_operation_has_the_same_gradients(card, data):
    case = data.draw(cases(card))
    found, expected = case.tensors(), case.tensors()
    outputs, plain = checkpoint(case.run, found), case.run(expected)
    weights = cotangents(plain)
    pairs = zip(gradients(outputs, found, weights), gradients(plain, expected, weights), strict=True)
    for g, wanted in pairs:
        np.testing.assert_array_equal(g.array, wanted.array)


@pytest.mark.parametrize("card", [card for card in DIFFERENTIABLE if card.name not in ONE_TRIANGLE], ids=str)
@few_examples
@given(data=st.data())
def test_each_step_that_is_written_down_agrees_with_finite_differences(card, data):
    case = data.draw(cases(card))
    tensors = case.tensors()
    with mg.record() as tape:
        outputs = attached(case.run(tensors))
        mg.autograd.backward(outputs, [mg.tensor(u) for u in cotangents(outputs)])
    wrong = [(step.op, agreement) for step in tape for agreement in step.check() if not agreement.holds]
    assert not wrong, case
    assert all(step.call is not None for step in tape)
    assert str(tape).count("\n") >= len(tape)


@each_card
@few_examples
@given(data=st.data())
def test_anomaly_mode_finds_nothing_where_nothing_is_wrong(card, data):
    case = data.draw(cases(card))
    tensors, plain = case.tensors(), case.tensors()
    expected = case.run(plain)
    if any(np.isnan(out.array).any() for out in floating(expected)):
        return
    weights = cotangents(expected)
    wanted = gradients(expected, plain, weights)
    if any(np.isnan(g.array).any() for g in wanted):
        return
    with mg.autograd.detect_anomaly():
        found = gradients(case.run(tensors), tensors, weights)
    for g, w in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(g.array, w.array)
