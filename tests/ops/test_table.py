"""The table of cards is complete: an operation without a declaration is an operation without tests."""

import pkgutil

import numpy as np
import pytest

import minigrad as mg
from minigrad import functions, nn, ops
from minigrad.primitive import Primitive
from minigrad.testing.card import TOLERANCES
from minigrad.testing.cards import CARDS

PRIMITIVES = {name: op for name, op in vars(ops).items() if isinstance(op, Primitive)}
MOST_OVERRIDES = 8


@pytest.mark.parametrize("name", PRIMITIVES)
def test_every_operation_has_a_card(name):
    assert any(card.primitive is PRIMITIVES[name] for card in CARDS), "give it one in tests/cards/"


def test_the_operations_are_found_by_looking():
    assert len(set(PRIMITIVES.values())) >= 70
    assert {"tanh", "sum_", "cat", "getitem", "matmul", "lstm"} <= set(PRIMITIVES)


@pytest.mark.parametrize("name", PRIMITIVES)
def test_the_docstring_of_a_card_opens_with_its_equation(name):
    first = PRIMITIVES[name].__doc__.splitlines()[0]
    assert "=" in first or first.startswith("The softmax"), f"{name}: {first}"


def test_no_two_cards_have_one_name():
    names = [card.name for card in CARDS]
    assert sorted(names) == sorted(set(names))


def test_tolerances_are_overridden_seldom_and_with_a_reason():
    overrides = [(card.name, key, *card.tolerance[key]) for card in CARDS for key in card.tolerance]
    assert len(overrides) <= MOST_OVERRIDES, overrides
    for _, key, number, reason in overrides:
        assert number > TOLERANCES[key]
        assert reason


def test_tolerances_fit_their_types():
    for (kind, dtype), number in TOLERANCES.items():
        assert np.finfo(dtype).eps < number < 1e-2, kind


OF_DEVICES = {"cpu", "cuda", "is_pinned", "pin_memory"}  # they need two devices: see tests/cuda


@pytest.mark.parametrize("family", functions.FAMILIES, ids=lambda family: family.__name__)
def test_every_public_function_has_a_card(family):
    public = {  # a second name for a function needs no second card
        value.__name__
        for name, value in vars(family).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == family.__name__
    }
    declared = {card.name.partition(" ")[0] for card in CARDS}
    assert public - OF_DEVICES <= declared


LAYERS = [getattr(nn.functional, module.name) for module in pkgutil.iter_modules(nn.functional.__path__)]


@pytest.mark.parametrize("module", LAYERS, ids=lambda module: module.__name__)
def test_every_function_of_a_layer_has_a_card(module):
    declared = {card.name.partition(" ")[0] for card in CARDS}
    assert {name.rstrip("_") for name in getattr(module, "__all__", ())} <= declared


def test_what_a_family_offers_is_what_users_find():
    for family in functions.FAMILIES:
        for name in family.__all__:
            assert getattr(mg, name) is getattr(family, name)
        for name in family.METHODS:
            assert callable(getattr(mg.Tensor, name))
        for name in family.IN_PLACE:
            assert callable(getattr(mg.Tensor, f"{name}_"))
