"""Tokens to numbers and back: reserved numbers, a reproducible order, refusals."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data import EOS, PAD, SOS, SPECIAL_TOKENS, UNK, DataError, Vocabulary

tokens = st.text(min_size=1, max_size=3)
sequences = st.lists(st.lists(tokens, max_size=8), max_size=8)


def test_the_four_special_tokens_have_the_first_four_numbers():
    assert (PAD, SOS, EOS, UNK) == (0, 1, 2, 3)
    assert Vocabulary([]).tokens == SPECIAL_TOKENS == ("<pad>", "<sos>", "<eos>", "<unk>")


def test_tokens_are_ordered_by_falling_count_then_by_code_point():
    vocabulary = Vocabulary.build([["é", "b", "a"], ["é", "z", "z"], ["é"]])
    assert vocabulary.tokens[4:] == ("é", "z", "a", "b")


@given(sequences, st.randoms(use_true_random=False))
def test_the_order_of_the_data_does_not_matter(data, random):
    shuffled = random.sample(data, len(data))
    assert Vocabulary.build(shuffled) == Vocabulary.build(data)


@given(sequences)
def test_decoding_what_was_encoded_gives_the_tokens_back(data):
    vocabulary = Vocabulary.build(data)
    for sequence in data:
        numbers = vocabulary.encode(sequence, add_sos=True, add_eos=True)
        assert numbers[0] == SOS
        assert numbers[-1] == EOS
        assert vocabulary.decode([*numbers, PAD, PAD]) == sequence


@given(sequences, st.integers(1, 4), st.integers(4, 12))
def test_a_frequency_and_a_size_bound_what_is_kept(data, min_frequency, max_size):
    vocabulary = Vocabulary.build(data, min_frequency=min_frequency, max_size=max_size)
    everything = [token for sequence in data for token in sequence]
    assert len(vocabulary) <= max_size
    assert all(everything.count(token) >= min_frequency for token in vocabulary.tokens[4:])


@given(sequences)
def test_a_vocabulary_survives_json(data):
    vocabulary = Vocabulary.build(data)
    assert Vocabulary.from_json(json.loads(json.dumps(vocabulary.to_json()))) == vocabulary


def test_an_unknown_token_becomes_unk():
    vocabulary = Vocabulary(["a"])
    assert vocabulary.encode(["a", "b"]) == [4, UNK]
    assert vocabulary["b"] == UNK
    assert "a" in vocabulary
    assert "b" not in vocabulary
    assert vocabulary.decode([4, UNK]) == ["a", "<unk>"]


def test_a_special_token_in_the_data_keeps_its_number():
    vocabulary = Vocabulary.build([["<unk>", "a", "<unk>"]])
    assert vocabulary.tokens[4:] == ("a",)
    assert vocabulary.encode(["<unk>"]) == [UNK]


def test_decoding_stops_at_the_first_eos_and_accepts_an_array():
    vocabulary = Vocabulary(["a", "b"])
    assert vocabulary.decode(np.array([SOS, 4, EOS, 5])) == ["a"]


def test_equal_vocabularies_have_equal_hashes():
    assert len({Vocabulary(["a"]), Vocabulary(["a"]), Vocabulary(["b"])}) == 2
    assert Vocabulary(["a"]) != ["a"]
    assert repr(Vocabulary(["a"])) == "Vocabulary(5 tokens)"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Vocabulary(["a", "b", "a"]), ValueError, "'a' appears twice, as 4 and as 6"),
        (lambda: Vocabulary(["<pad>"]), ValueError, "'<pad>' appears twice, as 0 and as 4"),
        (lambda: Vocabulary([7]), TypeError, "token 4 is 7, of type int; expected str"),
        (lambda: Vocabulary.build(["abc"]), TypeError, "call a tokeniser on it first"),
        (lambda: Vocabulary.build([], min_frequency=0), ValueError, "min_frequency is 0"),
        (lambda: Vocabulary.build([], max_size=3), ValueError, "max_size is 3"),
        (lambda: Vocabulary(["a"]).encode("a"), TypeError, "got the string 'a'"),
        (lambda: Vocabulary(["a"]).decode([4, 5]), IndexError, "index 5 at position 1 is out of range"),
        (lambda: Vocabulary(["a"]).decode([-1]), IndexError, "index -1 at position 0"),
        (lambda: Vocabulary.from_json(["a"]), DataError, "got list, expected a dictionary"),
        (lambda: Vocabulary.from_json({"tokens": []}), DataError, "'special' and 'tokens'"),
        (lambda: Vocabulary.from_json({"special": ["<s>"], "tokens": []}), DataError, "special tokens"),
        (
            lambda: Vocabulary.from_json({"special": list(SPECIAL_TOKENS), "tokens": "ab"}),
            DataError,
            "'tokens' is a str, expected a list",
        ),
        (
            lambda: Vocabulary.from_json({"special": list(SPECIAL_TOKENS), "tokens": ["a", "a"]}),
            DataError,
            "'a' appears twice",
        ),
    ],
)
def test_what_is_not_a_vocabulary_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
