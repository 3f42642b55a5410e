"""Scores against their definitions, on short sequences; BLEU and chrF where the answer is known."""

import functools
import math
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.metrics import (
    TOKENIZE,
    bits_per_character,
    bleu,
    by_length,
    chrf,
    edit_distance,
    error_rate,
    exact_match,
    perplexity,
    token_accuracy,
)
from minigrad.nn import functional as F

words = st.text("abc", max_size=6)
corpora = st.lists(st.tuples(words, words), min_size=1, max_size=6)
sentences = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "dog"]), min_size=4, max_size=7).map(" ".join),
    min_size=1,
    max_size=4,
)


@functools.cache
def by_recursion(a, b):
    if not a or not b:
        return len(a) + len(b)
    return min(
        by_recursion(a[:-1], b) + 1,
        by_recursion(a, b[:-1]) + 1,
        by_recursion(a[:-1], b[:-1]) + (a[-1] != b[-1]),
    )


@given(words, words)
def test_the_edit_distance_is_its_recursive_definition(a, b):
    assert edit_distance(a, b) == by_recursion(a, b)


@given(words, words, words)
def test_the_edit_distance_is_a_metric(a, b, c):
    assert (edit_distance(a, b) == 0) == (a == b)
    assert edit_distance(a, b) == edit_distance(b, a)
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)
    assert abs(len(a) - len(b)) <= edit_distance(a, b) <= max(len(a), len(b))


def test_the_edit_distance_is_that_of_any_tokens():
    assert edit_distance(["TH", "R", "UW1"], ["DH", "OW1"]) == 3
    assert edit_distance([4, 5, 6], np.array([4, 6])) == 1
    assert edit_distance("가나다", "가다") == 1


@given(corpora)
def test_exact_match_is_the_share_of_equal_pairs(pairs):
    predicted, expected = zip(*pairs, strict=True)
    assert exact_match(predicted, expected) == sum(a == b for a, b in pairs) / len(pairs)
    assert exact_match(expected, expected) == 1
    assert exact_match([list(a) for a in predicted], expected) == exact_match(predicted, expected)


def test_a_beginning_is_no_match():
    assert exact_match([[1, 2]], [[1, 2, 3]]) == exact_match([[1, 2, 3]], [[1, 2]]) == 0


@given(corpora.filter(lambda pairs: any(b for _, b in pairs)))
def test_token_accuracy_counts_the_expected_places(pairs):
    predicted, expected = zip(*pairs, strict=True)
    hits = sum(x == y for a, b in pairs for x, y in zip(a, b, strict=False))
    assert token_accuracy(predicted, expected) == hits / sum(map(len, expected))
    assert token_accuracy(expected, expected) == 1


def test_padding_is_not_expected():
    predicted, expected = np.array([[4, 5, 7], [4, 0, 0]]), np.array([[4, 6, 7], [5, 0, 0]])
    assert token_accuracy(predicted, expected, ignore=0) == 2 / 4
    assert token_accuracy(predicted, expected) == 4 / 6


def test_an_error_rate_is_of_the_corpus_and_not_a_mean_of_rates():
    assert error_rate(["a", "bbbb"], ["x", "bbbb"]) == 1 / 5
    assert error_rate([["the", "cat"]], [["the", "black", "cat", "sat"]]) == 0.5
    assert error_rate(["aaaa"], ["b"]) == 4


@given(corpora.filter(lambda pairs: any(b for _, b in pairs)))
def test_the_error_rate_is_a_sum_over_a_sum(pairs):
    predicted, expected = zip(*pairs, strict=True)
    distance = sum(by_recursion(a, b) for a, b in pairs)
    assert error_rate(predicted, expected) == distance / sum(map(len, expected))
    assert error_rate(expected, expected) == 0


@given(st.integers(2, 1000), st.integers(1, 50))
def test_a_model_that_knows_nothing_is_as_perplexed_as_the_vocabulary_is_large(vocabulary, tokens):
    logits = mg.zeros(tokens, vocabulary, dtype=mg.float64)
    nats = F.cross_entropy(logits, mg.zeros(tokens, dtype=mg.int64), reduction="sum").item()
    assert math.isclose(perplexity(nats, tokens), vocabulary, rel_tol=1e-9)
    assert math.isclose(bits_per_character(nats, tokens), math.log2(vocabulary), rel_tol=1e-9)


def test_bits_per_character_do_not_depend_on_how_a_text_is_cut():
    text = "abracadabra"
    share = {letter: count / len(text) for letter, count in Counter(text).items()}
    nats = -sum(math.log(share[letter]) for letter in text)
    entropy = -sum(p * math.log2(p) for p in share.values())
    assert math.isclose(bits_per_character(nats, len(text)), entropy)


def test_a_perplexity_beyond_all_numbers_is_infinite():
    assert perplexity(1e6, 1) == math.inf
    assert perplexity(0.0, 5) == 1


@given(sentences)
def test_identical_texts_have_all_of_bleu_and_chrf(texts):
    assert bleu(texts, texts) == pytest.approx(100)
    assert chrf(texts, texts) == pytest.approx(100)


@given(st.data())
def test_scores_lie_between_0_and_100_and_a_further_reference_costs_nothing(data):
    predicted = data.draw(sentences)
    expected = data.draw(
        st.lists(st.sampled_from(predicted), min_size=len(predicted), max_size=len(predicted))
    )
    for score in (bleu, chrf):
        assert 0 <= score(predicted, expected) <= 100
        assert score(predicted, expected, predicted) == pytest.approx(100)


def test_bleu_is_its_formula():
    said, wanted = "the cat sat on the black mat", "the cat sat on the mat"
    shares = []
    for n in range(1, 5):
        a, b = (Counter(zip(*(text.split()[i:] for i in range(n)))) for text in (said, wanted))  # noqa: B905
        shares.append((a & b).total() / a.total())
    assert bleu([said], [wanted]) == pytest.approx(100 * math.prod(shares) ** 0.25)
    short = "the cat sat on the"
    assert bleu([short], [wanted]) == pytest.approx(100 * math.exp(1 - 6 / 5))


def test_bleu_cuts_a_text_as_it_is_told():
    said, wanted = ["나는 학교에 갔다"], ["나는 학교에 가다"]
    assert bleu(said, wanted) < bleu(said, wanted, tokenize="char")
    for name in TOKENIZE:
        assert bleu(["a b c d, e"], ["a b c d, e"], tokenize=name) == pytest.approx(100)


@given(st.lists(st.tuples(st.integers(0, 9), words, words), min_size=1, max_size=12), st.integers(1, 4))
def test_by_length_is_the_score_of_each_group(rows, step):
    found = by_length(exact_match, *zip(*rows, strict=True), step=step)
    assert list(found) == sorted({length // step * step for length, _, _ in rows})
    for first, share in found.items():
        group = [(a, b) for length, a, b in rows if first <= length < first + step]
        assert share == sum(a == b for a, b in group) / len(group)


ONE, TWO = ["a"], ["a", "b"]


@pytest.mark.parametrize("score", [exact_match, token_accuracy, error_rate, bleu, chrf])
@pytest.mark.parametrize(("predicted", "expected"), [(ONE, TWO), (TWO, ONE), ([], []), (ONE, [])])
def test_lists_of_other_lengths_and_empty_ones_are_refused(score, predicted, expected):
    message = f"{score.__name__}.*: got {len(predicted)} predicted and {len(expected)} expected sequences"
    with pytest.raises(ValueError, match=message):
        score(predicted, expected)


@pytest.mark.parametrize("score", [exact_match, token_accuracy, error_rate, bleu, chrf])
def test_one_string_is_no_list_of_them(score):
    with pytest.raises(TypeError, match=r"got one string, expected lists of sequences; put it into a list"):
        score("text", "text")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: error_rate(["a"], [""]), ValueError, "error_rate.*: got 0 tokens or characters"),
        (lambda: token_accuracy([[0]], [[0]], ignore=0), ValueError, "token_accuracy.*: got 0 tokens"),
        (lambda: perplexity(1.0, 0), ValueError, "expected at least 1 to divide by"),
        (lambda: bits_per_character(1.0, 0), ValueError, "expected at least 1 to divide by"),
        (lambda: perplexity(math.nan, 1), ValueError, "nats is nan, expected -log p, at least 0"),
        (lambda: bits_per_character(-1.0, 1), ValueError, "nats is -1.0, .*; did training diverge"),
        (lambda: by_length(exact_match, [1], TWO, TWO), ValueError, "1 lengths for 2 pairs and a step of 1"),
        (lambda: by_length(exact_match, [-1], ONE, ONE), ValueError, "one length of at least 0 for each"),
        (lambda: by_length(exact_match, [1], ONE, ONE, step=0), ValueError, "a step of 0, expected one"),
        (lambda: by_length(exact_match, [], [], []), ValueError, "got 0 predicted and 0 expected"),
        (lambda: bleu(ONE), ValueError, "bleu.*: got no references, expected a list of them"),
        (lambda: bleu(ONE, ONE, TWO), ValueError, "got 1 predicted and 2 expected"),
        (lambda: bleu(ONE, ONE, tokenize="spm"), ValueError, "tokenize is 'spm', expected one of 13a, intl"),
        (lambda: chrf([["a"]], ONE), TypeError, "got list among the texts, expected strings; join tokens"),
        (lambda: bleu(ONE, [None]), TypeError, "got NoneType among the texts"),
    ],
)
def test_what_has_no_score_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("score", [bleu, chrf])
def test_without_sacrebleu_the_error_names_the_extra(score, monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(ImportError, match=rf'{score.__name__}\(\) .*pip install "minigrad\[scores\]"'):
        score(ONE, ONE)
