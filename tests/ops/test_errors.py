"""A wrong call gets the error that its card declares: the type, and a message that names what came."""

import pytest

from minigrad.testing.cards import CARDS

REFUSALS = [
    pytest.param(refusal, id=f"{card}, {i}") for card in CARDS for i, refusal in enumerate(card.errors)
]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_wrong_call_is_refused_as_declared(refusal):
    with pytest.raises(refusal.error) as caught:
        refusal.call()
    assert refusal.message in str(caught.value)
