"""What happens to real sentences: a word is left out, two change places, a speaker trails off."""

from collections.abc import Sequence
from typing import TypeVar

from minigrad.generator import Generator

Token = TypeVar("Token")


def disturbed(
    tokens: Sequence[Token], generator: Generator, *, drop: float = 0.0, swap: float = 0.0, cut: float = 0.0
) -> list[Token]:
    """A sequence with tokens left out, then neighbours exchanged, then its end missing.

    How well a model still translates it says how robust the model is. One token is always left.

    Args:
        tokens: words, characters or numbers.
        generator: where chance comes from.
        drop: the probability with which each token is left out.
        swap: the probability with which each pair of neighbours changes places, from the left; no token moves
            twice.
        cut: the probability with which the sequence ends too early, anywhere.

    >>> disturbed("this is all that i wanted to say".split(), Generator(4), drop=0.2, swap=0.2)
    ['is', 'i', 'all', 'wanted', 'say']
    """
    for name, share in (("drop", drop), ("swap", swap), ("cut", cut)):
        if not 0 <= share <= 1:
            raise ValueError(f"disturbed(): {name} is {share}, expected 0 to 1")
    draw = generator.uniform((2, len(tokens)))
    ending = generator.uniform(2)
    kept = [token for token, chance in zip(tokens, draw[0], strict=True) if chance >= drop] or list(
        tokens[:1]
    )
    place = 0
    while place + 1 < len(kept):
        if draw[1, place] < swap:
            kept[place], kept[place + 1] = kept[place + 1], kept[place]
            place += 1
        place += 1
    return kept[: 1 + int(ending[1] * len(kept))] if ending[0] < cut else kept
