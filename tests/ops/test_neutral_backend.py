"""Every operation and both its derivatives run on an array library stricter than NumPy, as CuPy is."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fakecupy
import minigrad as mg
from minigrad import backend
from minigrad.testing.card import assert_close, cases, cotangents, few_examples, gradients, listed
from minigrad.testing.cards import CARDS


@pytest.fixture(scope="module", autouse=True)
def fake_library():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "cupy", fakecupy.cupy)
        patch.setitem(backend.NAMESPACES, fakecupy.FakeArray, fakecupy.cupy)
        yield


def there(value):
    """An array, or an index that holds arrays, on the fake device."""
    if isinstance(value, tuple):
        return tuple(there(part) for part in value)
    return fakecupy.FakeArray(value.copy()) if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize("card", [card for card in CARDS if card.name != "move"], ids=str)
@few_examples
@given(data=st.data())
def test_values_and_derivatives_are_the_same_on_another_array_library(card, data):
    case = data.draw(cases(card))
    here = case.tensors()
    away = [t if t is None else mg.Tensor(there(t.array), requires_grad=t.requires_grad) for t in here]
    outputs = case.run(here)
    found = listed(card.op(*away, **{name: there(value) for name, value in case.statics.items()}))
    for output, expected in zip(found, outputs, strict=True):
        assert type(output.array) is fakecupy.FakeArray
        assert_close(output.array.get(), expected.array, 1e-13, case)
    if card.differentiable:
        weights = cotangents(outputs)
        there_weights = [mg.Tensor(there(w)) for w in weights]
        expected = gradients(outputs, here, weights, create_graph=True)
        for create_graph in (True, False):
            slopes = gradients(found, away, there_weights, create_graph=create_graph)
            for g, other in zip(slopes, expected, strict=True):
                assert_close(g.array.get(), other.array, 1e-12, case)
