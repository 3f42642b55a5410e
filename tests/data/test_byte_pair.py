"""Byte-pair encoding: nothing is lost, and the merges are those of the paper's algorithm."""

import json
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minigrad.data import UNK, BytePairTokeniser, DataError, tokeniser_from_json
from minigrad.data.byte_pair import BYTES

TEXTS = [
    "the lower the newest",
    "die neueste, die niedrigste",
    "한국어를 한글로 쓴다",
    "the <pad> <0xE2> <pad>",
]
LEARNT = [BytePairTokeniser.learn(TEXTS * 3, merges=60, jamo=jamo) for jamo in (False, True)]

words = st.lists(st.text("abc ", max_size=12), min_size=1, max_size=8)
sentences = st.text(st.sampled_from("the <0xE2>pad한국ᄒ \t\n\u0301é-1"), max_size=40)


def by_the_paper(texts, merges):
    """Algorithm 1 as it is printed: every pair of every word counted anew before each merge."""
    counts = Counter(piece for text in texts for piece in spaced(text))
    spelled = {word: list(word) for word in counts}
    found = []
    for _ in range(merges):
        pairs = Counter()
        for word, symbols in spelled.items():
            for pair in pairwise(symbols):
                pairs[pair] += counts[word]
        if not pairs or max(pairs.values()) < 2:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        found.append(best)
        spelled = {word: joined(symbols, best) for word, symbols in spelled.items()}
    return tuple(found)


def joined(symbols, pair):
    """The symbols with every occurrence of the pair joined, from the left."""
    found = []
    while symbols:
        both = tuple(symbols[:2]) == pair
        found.append("".join(symbols[: 1 + both]))
        symbols = symbols[1 + both :]
    return found


def spaced(text):
    """The words of a text of letters and plain spaces, each with the space before it."""
    pieces, space = [], ""
    for part in text.replace(" ", "\0 \0").split("\0"):
        if part == " ":
            pieces += [space] * bool(space)
            space = " "
        elif part:
            pieces.append(space + part)
            space = ""
    return pieces + [space] * bool(space)


@given(words, st.integers(0, 12))
@example(["aaaa aaa aa a"], 5)
@example(["a  b   c", "  "], 5)
def test_the_incremental_counts_give_the_merges_of_the_algorithm_as_printed(texts, merges):
    texts = [text.replace("   ", " ").replace("  ", " ") for text in texts]
    assert BytePairTokeniser.learn(texts, merges=merges).merges == by_the_paper(texts, merges)


@pytest.mark.parametrize("tokeniser", LEARNT, ids=["syllables", "jamo"])
@given(text=st.text() | sentences)
@example(text="x" * 1000)
@example(text="<0xE2><pad><0x41>")
def test_every_text_comes_back_by_way_of_tokens_and_of_numbers(tokeniser, text):
    tokens = tokeniser.tokenise(text)
    assert tokeniser.detokenise(tokens) == text
    vocabulary = tokeniser.vocabulary()
    numbers = vocabulary.encode(tokens)
    assert UNK not in numbers
    assert tokeniser.detokenise(vocabulary.decode(numbers)) == text


@given(texts=st.lists(st.text() | sentences, max_size=6), jamo=st.booleans())
def test_whatever_is_learnt_from_loses_nothing_and_survives_json(texts, jamo):
    tokeniser = BytePairTokeniser.learn(texts, merges=20, jamo=jamo)
    again = tokeniser_from_json(json.loads(json.dumps(tokeniser.to_json())))
    assert again.to_json() == tokeniser.to_json()
    for text in texts:
        assert again.detokenise(again.tokenise(text)) == text
        assert again.tokenise(text) == tokeniser.tokenise(text)


@given(st.permutations(TEXTS))
def test_the_order_of_the_texts_does_not_matter(texts):
    assert (
        BytePairTokeniser.learn(texts, merges=40).to_json()
        == BytePairTokeniser.learn(TEXTS, merges=40).to_json()
    )


def test_a_tie_goes_to_the_pair_that_comes_first_by_code_points():
    assert BytePairTokeniser.learn(["cd ab", "cd ab"], merges=1).merges == ((" ", "a"),)
    assert BytePairTokeniser.learn(["cd\nab", "cd\nab"], merges=2).merges == (("a", "b"), ("c", "d"))


def test_a_frequent_word_is_one_token_and_a_new_one_is_spelled_of_pieces():
    tokeniser = BytePairTokeniser.learn(["low lower lowest newest widest"] * 4, merges=50)
    assert tokeniser.tokenise("low newest") == ["low", " newest"]
    assert tokeniser.tokenise("slowest") == ["s", "low", "est"]


def test_marks_and_spaces_are_no_part_of_a_word():
    tokeniser = BytePairTokeniser.learn(["end. end, end! (end)"] * 9, merges=50)
    assert tokeniser.tokenise("end, end.") == ["end", ",", " end", "."]


def test_no_merge_makes_a_reserved_token():
    tokeniser = BytePairTokeniser.learn(["<pad>pad<pad> <0xE2>"] * 9, merges=99)
    assert "<pad>" not in tokeniser.tokenise("<pad> <pad>")
    tokens = tokeniser.vocabulary().tokens
    assert tokens.count("<pad>") == tokens.count("<0xE2>") == 1


def test_bytes_that_are_no_text_become_the_replacement_character():
    assert LEARNT[0].detokenise(["a", BYTES[0xE2], "b"]) == "a\ufffdb"


def test_the_memory_of_pieces_is_bounded(monkeypatch):
    monkeypatch.setattr("minigrad.data.byte_pair._CACHED_PIECES", 3)
    tokeniser = BytePairTokeniser.learn(TEXTS, merges=9)
    text = " ".join(str(number) for number in range(50))
    assert tokeniser.detokenise(tokeniser.tokenise(text)) == text
    assert len(tokeniser._cache) <= 3


@pytest.mark.parametrize("wrong", [{"merges": -1}, {"minimum": 0}])
def test_impossible_counts_are_refused(wrong):
    with pytest.raises(ValueError, match=r"learn\(\): merges is .* expected 0 or more and 1 or more"):
        BytePairTokeniser.learn([], **wrong)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"jamo": 1}, "jamo 1, expected 'byte_pair' and true or false"),
        ({"alphabet": "ab"}, "are to be lists"),
        ({"alphabet": ["a", "a"]}, "single characters, each of them once"),
        ({"alphabet": ["a", "bc"]}, "single characters"),
        ({"alphabet": ["a", 1]}, "single characters"),
        ({"alphabet": ["a", []]}, "unhashable"),
        ({"merges": ["ab"]}, "lists of two tokens"),
        ({"merges": [["a", "b", "c"]]}, "lists of two tokens"),
        ({"merges": [["a", "z"]]}, "merge 0 joins 'a' and 'z'"),
        ({"merges": [["ab", "a"], ["a", "b"]]}, "merge 0 joins 'ab' and 'a'"),
        ({"extra": 1}, r"got \['alphabet', 'extra', 'jamo', 'kind', 'merges'\]"),
    ],
)
def test_a_changed_configuration_is_refused(change, message):
    data = {"kind": "byte_pair", "jamo": False, "alphabet": ["a", "b"], "merges": [["a", "b"]], **change}
    with pytest.raises(DataError, match=message):
        tokeniser_from_json(data)


def test_a_configuration_that_is_no_dictionary_is_refused():
    with pytest.raises(DataError, match="got list, expected a dictionary"):
        BytePairTokeniser.from_json([])
