"""Text to tokens and back: nothing is lost but what normalising makes alike."""

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minigrad.data import (
    CharacterTokeniser,
    DataError,
    JamoTokeniser,
    WordTokeniser,
    tokeniser_by_name,
    tokeniser_from_json,
)
from minigrad.data.tokeniser import JOINER, normalise

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=JOINER), max_size=30)
sentences = st.text(st.sampled_from("aé한字 \u00a0\t.,!?'()-_7²ि\u0301\u200d"), max_size=30)


@given(texts | sentences)
def test_characters_join_to_the_normalised_text(text):
    tokeniser = CharacterTokeniser()
    found = tokeniser.tokenise(text)
    assert tokeniser.detokenise(found) == normalise(text)
    assert all(len(token) == 1 for token in found)


@given(texts | sentences)
@example("a.b (c), d!")
@example("...a...")
@example("'")
def test_words_join_to_the_normalised_text_with_single_spaces(text):
    tokeniser = WordTokeniser()
    assert tokeniser.detokenise(tokeniser.tokenise(text)) == " ".join(normalise(text).split())


@given(texts | sentences)
def test_normalising_twice_changes_nothing(text):
    assert normalise(normalise(text)) == normalise(text)


def test_every_space_of_unicode_becomes_a_plain_one():
    spaces = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Zs"]
    assert {normalise(space) for space in spaces} == {" "}


def test_composed_and_decomposed_letters_are_the_same_tokens():
    for tokeniser in (CharacterTokeniser(), WordTokeniser()):
        decomposed = unicodedata.normalize("NFD", "März 한글")
        assert tokeniser.tokenise(decomposed) == tokeniser.tokenise("März 한글")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Hello, world!", ["Hello", "￭,", "world", "￭!"]),
        ("(hello)", ["(￭", "hello", "￭)"]),
        ("don't", ["don", "￭'￭", "t"]),
        ("Was?! - Ja...", ["Was", "￭?", "￭!", "-", "Ja", "￭.", "￭.", "￭."]),
        ("2026년 11월 21일", ["2026년", "11월", "21일"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("今日は、世界", ["今日は", "￭、￭", "世界"]),
        ("snake_case 3,14", ["snake_case", "3", "￭,￭", "14"]),
        ("￭", ["■"]),
        (" \t\n", []),
    ],
)
def test_words_and_punctuation_are_cut_apart(text, tokens):
    assert WordTokeniser().tokenise(text) == tokens


@pytest.mark.parametrize("kind", [CharacterTokeniser, WordTokeniser, JamoTokeniser])
def test_a_tokeniser_is_found_by_the_name_it_bears_and_by_what_it_saves(kind):
    assert type(tokeniser_by_name(kind.name)) is kind
    assert type(tokeniser_from_json(kind().to_json())) is kind


@pytest.mark.parametrize("wrong", [None, [], {}, {"kind": []}, {"kind": "x"}, {"kind": "word", "more": 1}])
def test_what_no_tokeniser_has_saved_is_refused(wrong):
    with pytest.raises(DataError, match="'kind' is one of character, word, jamo, byte_pair, sentencepiece"):
        tokeniser_from_json(wrong)


def test_an_unknown_tokeniser_is_refused_with_the_known_names():
    with pytest.raises(ValueError, match=r"got 'subword', expected one of character, word"):
        tokeniser_by_name("subword")
