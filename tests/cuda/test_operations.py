"""Every operation and both its derivatives are the same on a GPU."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fakecupy
import minigrad as mg
from minigrad.backend import to_device, to_numpy
from minigrad.testing.card import assert_close, cases, cotangents, few_examples, gradients, listed
from minigrad.testing.cards import CARDS


def there(value, device):
    """An array, or an index that holds arrays, on the device."""
    if isinstance(value, tuple):
        return tuple(there(part, device) for part in value)
    return to_device(value, device) if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize("card", [card for card in CARDS if card.name != "move"], ids=str)
@few_examples
@given(data=st.data())
def test_values_and_derivatives_are_the_same_on_a_gpu(card, device, data):
    case = data.draw(cases(card))
    loose = 1 if fakecupy.is_installed() else 1e3  # a GPU rounds elsewhere
    here = case.tensors()
    away = [
        t if t is None else mg.Tensor(there(t.array, device), requires_grad=t.requires_grad) for t in here
    ]
    outputs = case.run(here)
    found = listed(card.op(*away, **{name: there(value, device) for name, value in case.statics.items()}))
    for output, expected in zip(found, outputs, strict=True):
        assert output.device == device
        assert_close(to_numpy(output.array), expected.array, 1e-13 * loose, case)
    if card.differentiable:
        weights = cotangents(outputs)
        there_weights = [mg.Tensor(there(w, device)) for w in weights]
        expected = gradients(outputs, here, weights, create_graph=True)
        for create_graph in (True, False):
            slopes = gradients(found, away, there_weights, create_graph=create_graph)
            for g, other in zip(slopes, expected, strict=True):
                assert_close(to_numpy(g.array), other.array, 1e-12 * loose, case)
