"""Floor 7: how good is what a model says?  Scores of texts and of probabilities.

    exact match          Σₙ [ŷₙ = yₙ] / N                                                               (1)
    token accuracy       Σₙₜ [ŷₙₜ = yₙₜ] / Σₙ |yₙ|                                                      (2)
    perplexity           exp(-log p(y) / |y|)           |y| tokens                                      (3)
    bits per character   -log₂ p(y) / characters        whatever the tokens are                         (4)
    edit distance        d(aₓ, b) = d(a, bᵧ) = …        below                                           (5)
    error rate           Σₙ d(ŷₙ, yₙ) / Σₙ |yₙ|         of words, phonemes or characters                (6)
    BLEU, chrF           by the package sacrebleu: pip install "minigrad[scores]"

(1) and (2) ask for the very sequence; (6) forgives a shift, and exceeds 1 where more is said than asked for.
(3) is the number of tokens between which a model hesitates, and only models with the same tokens can be
compared by it; by (4) all can.

(3) Jelinek, Mercer, Bahl and Baker 1977, "Perplexity, a measure of the difficulty of speech recognition
tasks"; (5) Levenshtein 1966, "Binary codes capable of correcting deletions, insertions, and reversals", by
the table of Wagner and Fischer 1974, "The string-to-string correction problem". BLEU: Papineni, Roukos, Ward
and Zhu 2002, "BLEU: a method for automatic evaluation of machine translation"; chrF: Popović 2015, "chrF:
character n-gram F-score for automatic MT evaluation"; as computed by Post 2018, "A call for clarity in
reporting BLEU scores", whose program is sacrebleu.
"""

import math
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

Tokens = Sequence[Any]
"""A sequence of tokens: a string, which is one of characters, or a list of words, phonemes or numbers."""

TOKENIZE = ("13a", "intl", "zh", "char", "none")
"""How BLEU cuts a text into words: sacrebleu's names of what needs no further package."""


def exact_match(predicted: Sequence[Tokens], expected: Sequence[Tokens]) -> float:
    """Σₙ [ŷₙ = yₙ] / N: the share of sequences that are right from the first token to the last, (1).

    >>> exact_match(["2026-11-21", "2026-11-22"], ["2026-11-21", "2026-11-23"])
    0.5
    """
    _check("exact_match", predicted, expected)
    hits = [_same(said, wanted) for said, wanted in zip(predicted, expected, strict=True)]
    return sum(hits) / len(hits)


def token_accuracy(predicted: Sequence[Tokens], expected: Sequence[Tokens], *, ignore: Any = None) -> float:
    """Σₙₜ [ŷₙₜ = yₙₜ] / Σₙ |yₙ|: the share of expected tokens that stand where they are expected, (2).

    A token that is `ignore`, padding for instance, is not expected. What is said beyond the expected end
    costs nothing.

    >>> token_accuracy([[4, 5, 2], [4, 2, 9]], [[4, 6, 2], [4, 2, 0]], ignore=0)
    0.8
    """
    _check("token_accuracy", predicted, expected)
    hits = total = 0
    for said, wanted in zip(predicted, expected, strict=True):
        places = [place for place, token in enumerate(wanted) if ignore is None or token != ignore]
        hits += sum(place < len(said) and bool(said[place] == wanted[place]) for place in places)
        total += len(places)
    return hits / _counted("token_accuracy", total)


def perplexity(nats: float, tokens: int) -> float:
    """exp(nats / tokens), (3): `nats` is -log p of all the tokens together, the sum of cross entropies.

    >>> round(perplexity(3 * math.log(50), tokens=3), 6)
    50.0
    """
    mean = _loss("perplexity", nats) / _counted("perplexity", tokens)
    return math.exp(mean) if mean < 700 else math.inf


def bits_per_character(nats: float, characters: int) -> float:
    """nats / (characters · log 2), (4): `nats` is -log p of the text, in however many tokens it was read.

    >>> bits_per_character(10 * math.log(2), characters=5)
    2.0
    """
    return _loss("bits_per_character", nats) / (_counted("bits_per_character", characters) * math.log(2))


def edit_distance(a: Tokens, b: Tokens) -> int:
    """The fewest tokens to be inserted, deleted or replaced that make b of a, (5).

    d(a x, b y) = min(d(a, b y) + 1, d(a x, b) + 1, d(a, b) + [x ≠ y]), and against nothing all are inserted.
    Row by row of the table, in |a| · |b| steps.

    >>> edit_distance("kitten", "sitting"), edit_distance(["DH", "OW1"], ["TH", "R", "UW1"])
    (3, 3)
    """
    above = list(range(len(b) + 1))  # d(nothing, b₁ … bⱼ)
    for i, x in enumerate(a, start=1):
        row = [i]
        for j, y in enumerate(b, start=1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + bool(x != y)))
        above = row
    return above[-1]


def error_rate(predicted: Sequence[Tokens], expected: Sequence[Tokens]) -> float:
    """Σₙ d(ŷₙ, yₙ) / Σₙ |yₙ|, (6): of characters for strings, of words or phonemes for lists of them.

    >>> error_rate(["the cat sat".split()], ["the black cat sat".split()])
    0.25
    """
    _check("error_rate", predicted, expected)
    total = _counted("error_rate", sum(map(len, expected)))
    pairs = zip(predicted, expected, strict=True)
    return sum(edit_distance(said, wanted) for said, wanted in pairs) / total


def bleu(predicted: Sequence[str], *expected: Sequence[str], tokenize: str = "13a") -> float:
    """BLEU of a corpus, 0 to 100: min(1, e^(1 - r/c)) (p₁ p₂ p₃ p₄)^¼, by sacrebleu.

    pₙ is the share of the n-grams said that stand in a reference, c and r are the lengths of what is said
    and of the references, in words. Texts with no four words in a row have a score of 0.

    Args:
        predicted: what was said, as whole texts, not cut into tokens.
        expected: one list of references, or several, each as long as `predicted`.
        tokenize: one of `TOKENIZE`; "char" for a language that is written without spaces.

    >>> bleu(["the cat sat on the mat"], ["the cat sat on the mat"])
    100.0
    """
    if tokenize not in TOKENIZE:
        raise ValueError(f"bleu(): tokenize is {tokenize!r}, expected one of {', '.join(TOKENIZE)}")
    _check_references("bleu", predicted, expected)
    score = _sacrebleu("bleu").corpus_bleu(predicted, expected, tokenize=tokenize, force=True).score
    return min(float(score), 100.0)  # rounding may lead above it


def chrf(predicted: Sequence[str], *expected: Sequence[str]) -> float:
    """chrF2 of a corpus, 0 to 100: (1 + 2²) P R / (2² P + R), by sacrebleu.

    P and R are precision and recall of the n-grams of characters, the mean for n = 1 to 6, spaces left out.
    The arguments are those of `bleu`.

    >>> chrf(["the cat"], ["the cat"])
    100.0
    """
    _check_references("chrf", predicted, expected)
    return float(_sacrebleu("chrf").corpus_chrf(predicted, expected).score)


def by_length(
    score: Callable[[Sequence[Any], Sequence[Any]], float],
    lengths: Sequence[int],
    predicted: Sequence[Any],
    expected: Sequence[Any],
    *,
    step: int = 1,
) -> dict[int, float]:
    """A score for each length, of the source for instance: what of a model is lost as sentences grow longer.

    Args:
        score: `exact_match`, `error_rate`, `bleu`, ...
        lengths: one for each pair.
        predicted, expected: see the score.
        step: how many lengths are put together; the keys are the first of each.

    >>> by_length(exact_match, [1, 2, 2], ["a", "bc", "de"], ["a", "bc", "ed"])
    {1: 1.0, 2: 0.5}
    """
    _check("by_length", predicted, expected)
    if len(lengths) != len(predicted) or step < 1 or min(lengths) < 0:
        raise ValueError(
            f"by_length(): {len(lengths)} lengths for {len(predicted)} pairs and a step of {step}, expected "
            "one length of at least 0 for each pair, and a step of at least 1"
        )
    groups: dict[int, list[int]] = {}
    for place, length in enumerate(lengths):
        groups.setdefault(int(length) // step * step, []).append(place)
    return {
        first: score(
            [predicted[place] for place in groups[first]], [expected[place] for place in groups[first]]
        )
        for first in sorted(groups)
    }


def _sacrebleu(name: str) -> ModuleType:
    """Give the package sacrebleu, imported when it is first needed; ImportError that names the remedy."""
    try:
        import sacrebleu
    except ImportError as error:
        raise ImportError(f'{name}() needs the package sacrebleu: pip install "minigrad[scores]"') from error
    return sacrebleu


def _same(a: Tokens, b: Tokens) -> bool:
    return len(a) == len(b) and all(bool(x == y) for x, y in zip(a, b, strict=True))


def _check(name: str, predicted: Sequence[Any], expected: Sequence[Any]) -> None:
    """ValueError unless there is one expected sequence for each predicted one, and one at all."""
    if isinstance(predicted, str) or isinstance(expected, str):
        raise TypeError(f"{name}(): got one string, expected lists of sequences; put it into a list")
    if len(predicted) != len(expected) or not len(predicted):
        raise ValueError(
            f"{name}(): got {len(predicted)} predicted and {len(expected)} expected sequences, expected as "
            "many of both, one or more"
        )


def _check_references(name: str, predicted: Sequence[str], references: Sequence[Sequence[str]]) -> None:
    """As `_check`, for each list of references; TypeError for what is no list of texts."""
    if not references:
        raise ValueError(f"{name}(): got no references, expected a list of them")
    for texts in (predicted, *references):
        _check(name, predicted, texts)
        wrong = [text for text in texts if not isinstance(text, str)]
        if wrong:
            raise TypeError(
                f"{name}(): got {type(wrong[0]).__name__} among the texts, expected strings; join tokens"
            )


def _counted(name: str, count: int) -> int:
    if count < 1:
        raise ValueError(f"{name}(): got {count} tokens or characters, expected at least 1 to divide by")
    return count


def _loss(name: str, nats: float) -> float:
    if not nats >= 0:
        raise ValueError(f"{name}(): nats is {nats}, expected -log p, at least 0; did training diverge?")
    return float(nats)
