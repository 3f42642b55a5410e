"""A fused operation is its definition: in value, in the first and in the second derivative."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.fused import Fused
from minigrad.testing.card import Case, assert_close, cases_by_type, cotangents, gradients, listed
from minigrad.testing.cards import CARDS

FUSED = {name: op for name, op in vars(ops).items() if isinstance(op, Fused)}
OF_FUSED = [card for card in CARDS if isinstance(card.op, Fused)]
each_card = pytest.mark.parametrize("card", OF_FUSED, ids=str)
TYPES = ("float64", "float32")


def derivatives(function, case):
    """The outputs, the gradients, and the gradients of the gradients' weighted sum."""
    tensors = case.tensors()
    outputs = listed(function(*tensors, **case.statics))
    weights = [mg.tensor(w, requires_grad=True) for w in cotangents(outputs)]
    first = gradients(outputs, tensors, weights, retain_graph=True)
    recorded = gradients(outputs, tensors, weights, create_graph=True)
    again = [g for g in recorded if g.requires_grad]
    second = gradients(again, [*tensors, *weights], cotangents(again, seed=1)) if again else []
    return outputs, first, recorded, second


def test_the_fused_operations_are_found_by_looking():
    assert {"gelu_", "linear", "layer_norm", "cross_entropy", "lstm_cell", "lstm"} <= set(FUSED)
    assert len(FUSED) >= 7


@pytest.mark.parametrize("name", FUSED)
def test_every_fused_operation_has_a_card_that_calls_it_directly(name):
    assert any(card.op is FUSED[name] for card in CARDS)


@each_card
@given(data=st.data())
def test_a_fused_operation_equals_its_definition(card, data):
    for dtype, case in data.draw(cases_by_type(card)).items():
        if dtype in TYPES:
            found = derivatives(card.primitive, case)
            expected = derivatives(card.primitive.definition, case)
            within = card.within("fused", dtype)
            for ours, theirs in zip(found, expected, strict=True):
                assert len(ours) == len(theirs)
                for tensor, other in zip(ours, theirs, strict=True):
                    assert tensor.dtype == dtype
                    assert_close(tensor.array, other.array, within, case)


@each_card
@given(data=st.data())
def test_the_kernel_and_the_definition_give_one_gradient(card, data):
    case = data.draw(cases_by_type(card))["float64"]
    _, by_kernel, by_definition, _ = derivatives(card.primitive, case)
    for g, recorded in zip(by_kernel, by_definition, strict=True):
        assert_close(g.array, recorded.array, card.within("fused", "float64"), case)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_equals_its_definition_where_some_rows_do_not_count(label_smoothing, weighted):
    random = np.random.default_rng(0)
    scores, target = random.standard_normal((6, 3, 2)), random.integers(0, 3, (6, 2))
    weight = np.array([0.5, 2.0, 1.0]) if weighted else None
    statics = {"dim": 1, "ignore_index": 0, "label_smoothing": label_smoothing, "reduction": "mean"}
    assert 0 < (target == 0).sum() < 12
    (card,) = [card for card in OF_FUSED if card.name == "cross_entropy"]
    case = Case(card, (scores, target, weight), statics)
    found, expected = derivatives(ops.cross_entropy, case), derivatives(ops.cross_entropy.definition, case)
    for ours, theirs in zip(found, expected, strict=True):
        for tensor, other in zip(ours, theirs, strict=True):
            assert_close(tensor.array, other.array, 1e-12)


def test_a_fused_operation_leaves_one_node():
    x = mg.ones(2, 3, requires_grad=True)
    y = ops.layer_norm(x, mg.ones(3), mg.zeros(3))
    assert y.grad_fn.next_functions[0][0].name() == "AccumulateGrad"
