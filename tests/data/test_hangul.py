"""Hangul syllables and the letters they are written with."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data import JamoTokeniser
from minigrad.data.hangul import KEEPER, compose, decompose
from minigrad.data.tokeniser import normalise

jamo = st.sampled_from("\u1100\u1112\u1161\u1175\u11a8\u11c2\u11c3\u115f가각힣a" + KEEPER)
texts = st.text() | st.text(jamo) | st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3))


def test_the_formula_is_unicodes_canonical_decomposition_of_every_syllable():
    for code in range(0xAC00, 0xD7A4):
        assert decompose(chr(code)) == unicodedata.normalize("NFD", chr(code))
        assert compose(decompose(chr(code))) == chr(code)


@given(texts)
def test_nothing_is_lost_by_taking_apart(text):
    assert compose(decompose(text)) == text


@given(texts)
def test_the_tokeniser_gives_the_normalised_text_back(text):
    tokeniser = JamoTokeniser()
    tokens = tokeniser.tokenise(text)
    assert tokeniser.detokenise(tokens) == normalise(text)
    assert all(len(token) == 1 for token in tokens)


@pytest.mark.parametrize("written", ["\u1112\u1161\u11ab", "\u1112\u1161\u11ab\u1100"])
def test_letters_that_a_model_has_written_become_syllables(written):
    assert compose(written).startswith("한")


def test_no_syllable_is_a_token():
    assert JamoTokeniser().tokenise("한a") == ["\u1112", "\u1161", "\u11ab", "a"]
