"""What leaves a node on the tape, and what does not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.testing.card import cases, few_examples
from minigrad.testing.cards import CARDS

pytestmark = pytest.mark.filterwarnings(r"ignore::RuntimeWarning:minigrad\..*")

each_card = pytest.mark.parametrize("card", CARDS, ids=str)


@each_card
@few_examples
@given(data=st.data())
def test_only_a_floating_output_of_a_recorded_call_requires_grad(card, data):
    case = data.draw(cases(card))
    recorded, silent, constant = case.tensors(), case.tensors(), case.tensors(())
    for output in case.run(recorded):
        assert output.requires_grad == (output.dtype.kind == "f" and card.differentiable)
        assert output.is_leaf != output.requires_grad or any(output is x for x in recorded)
    with mg.no_grad():
        outputs = [output for output in case.run(silent) if not any(output is x for x in silent)]
    assert not any(output.requires_grad for output in [*outputs, *case.run(constant)])


@pytest.mark.parametrize("card", [card for card in CARDS if card.op is card.primitive], ids=str)
@few_examples
@given(data=st.data())
def test_an_operation_on_arrays_gives_arrays(card, data):
    case = data.draw(cases(card))
    found = card.op(*case.arrays, **case.statics)
    for ours, tensor in zip(
        found if isinstance(found, tuple) else [found], case.run(case.tensors(())), strict=True
    ):
        assert isinstance(ours, np.ndarray | np.generic)
        np.testing.assert_array_equal(ours, tensor.array)
