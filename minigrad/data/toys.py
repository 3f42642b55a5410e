"""Tasks made here, which a model can learn in seconds or minutes and whose right answer is known.

    reverse     hello  ->  olleh     the first letter of the target is the last of the source
    copy        hello  ->  hello     nothing but memory
    sort        hello  ->  ehllo     a letter of the target may come from anywhere
    addition    77+85  ->  162       the first digit hangs on a carry from the last

And the adding problem: a long series of numbers, two of which are marked and are to be added.
"""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from minigrad.generator import WORDS, Generator

from .pairs import Pair

LETTERS = "abcdefghijklmnopqrstuvwxyz"

_ANSWERS = {
    "reverse": lambda source: source[::-1],
    "copy": lambda source: source,
    "sort": lambda source: "".join(sorted(source)),
    "addition": lambda source: str(sum(map(int, source.split("+")))),
}
TOY_TASKS = tuple(_ANSWERS)


def toy_pairs(
    task: str,
    seed: int,
    train: int,
    heldout: int,
    *,
    lengths: tuple[int, int] | None = None,
    alphabet: str = LETTERS,
) -> tuple[list[Pair], list[Pair]]:
    """Draw pairs to learn from and held-out ones; no source occurs twice, in one list or in both.

    All lengths are equally frequent as far as there are enough sources of each, and at most half of those of
    one length are held out. The held-out pairs do not depend on `train`. 1+2 and 2+1 are two sources.

    Args:
        task: one of `TOY_TASKS`.
        seed: decides everything, alike on every machine.
        train, heldout: the numbers of pairs.
        lengths: of the shortest and the longest source; of an addition, the digits of each summand. None for
            1 to 8 letters, 1 to 3 digits.
        alphabet: the letters of the sources; an addition has none.

    ValueError for more pairs than there are, or what else cannot be drawn.

    >>> train, heldout = toy_pairs("addition", seed=0, train=900, heldout=100)
    >>> len(train), len(heldout), set(train) & set(heldout)
    (900, 100, set())
    """
    if task not in _ANSWERS:
        raise ValueError(f"toy_pairs(): task is {task!r}, expected one of {', '.join(TOY_TASKS)}")
    shortest, longest = lengths or ((1, 3) if task == "addition" else (1, 8))
    if not 1 <= shortest <= longest:
        raise ValueError(f"toy_pairs(): lengths are {lengths}, expected 1 <= shortest <= longest")
    if not alphabet or len(set(alphabet)) != len(alphabet) or any(map(str.isspace, alphabet)):
        raise ValueError(f"toy_pairs(): alphabet is {alphabet!r}, expected letters, each once, and no space")
    spread = range(shortest, longest + 1)
    kinds: list[_Words | _Sums] = [_Words(alphabet, length) for length in spread]
    if task == "addition":
        kinds = [_Sums(*both) for both in product(spread, spread)]
    generator = Generator(seed)
    decks = [_Deck(kind.size, generator) for kind in kinds]
    kept = _dealt("heldout", heldout, [kind.size // 2 for kind in kinds])
    learnt = _dealt("train", train, [kind.size - taken for kind, taken in zip(kinds, kept, strict=True)])
    drawn = []
    for counts in (kept, learnt):
        dealt = zip(kinds, decks, counts, strict=True)
        sources = [kind.written(number) for kind, deck, count in dealt for number in deck.draw(count)]
        order = generator.permutation(len(sources)).tolist()
        drawn.append([Pair(sources[index], _ANSWERS[task](sources[index])) for index in order])
    return drawn[1], drawn[0]


class AddingProblem(NamedTuple):
    """Series and the sums that they ask for; `TensorDataset(*problem)` makes a dataset of them."""

    inputs: np.ndarray  # (N, T, 2), float32: a number from 0 to 1, and 1 where it counts, else 0
    sums: np.ndarray  # (N,), float32


def adding_problem(seed: int, count: int, length: int) -> AddingProblem:
    """Draw `count` series of T = `length` numbers, of which one in each half is marked: what is their sum?

    Whoever always says 1, the mean, has a squared error of 1/6, about 0.167: the variance of a sum of two.

    Sepp Hochreiter and Jürgen Schmidhuber, "Long short-term memory", Neural Computation 9, 1997; there the
    numbers lie between -1 and 1, both marks in the first half, and the target is 0.5 + sum / 4.

    >>> inputs, sums = adding_problem(seed=0, count=5, length=100)
    >>> inputs.shape, bool(((inputs[:, :, 0] * inputs[:, :, 1]).sum(axis=1) == sums).all())
    ((5, 100, 2), True)
    """
    if count < 0 or length < 2:
        raise ValueError(
            f"adding_problem(): count is {count}, length {length}, expected at least 0, and at least 2"
        )
    generator = Generator(seed)
    inputs = np.zeros((count, length, 2), dtype=np.float32)
    inputs[:, :, 0] = generator.uniform((count, length), dtype=np.float32)
    rows, half = np.arange(count), length // 2
    first, second = generator.integers(0, half, count), generator.integers(half, length, count)
    inputs[rows, first, 1] = inputs[rows, second, 1] = 1
    return AddingProblem(inputs, inputs[rows, first, 0] + inputs[rows, second, 0])


class _Words(NamedTuple):
    """All words of one length: the numbers from 0 on, written with the letters for digits."""

    alphabet: str
    length: int

    @property
    def size(self) -> int:
        return len(self.alphabet) ** self.length

    def written(self, number: int) -> str:
        letters = []
        for _ in range(self.length):
            number, place = divmod(number, len(self.alphabet))
            letters.append(self.alphabet[place])
        return "".join(letters)


class _Sums(NamedTuple):
    """All sums of two numbers of so many digits; no number begins with a 0 unless it is 0."""

    left: int
    right: int

    @property
    def size(self) -> int:
        return _numbers(self.left) * _numbers(self.right)

    def written(self, number: int) -> str:
        first, second = divmod(number, _numbers(self.right))
        return f"{_smallest(self.left) + first}+{_smallest(self.right) + second}"


def _smallest(digits: int) -> int:
    return 10 ** (digits - 1) if digits > 1 else 0


def _numbers(digits: int) -> int:
    return 10**digits - _smallest(digits)


class _Deck:
    """The numbers 0 … size - 1 as a shuffled deck of cards, of which only those drawn are ever written down.

    The shuffle of Fisher and Yates (Durstenfeld 1964, Algorithm 235): card i changes places with one that
    lies at i or below it. `_moved` holds the cards that do not lie where they did at first.
    """

    def __init__(self, size: int, generator: Generator) -> None:
        self.size, self.generator = size, generator
        self._moved: dict[int, int] = {}
        self._drawn = 0

    def draw(self, count: int) -> list[int]:
        """The next `count` cards."""
        blocks = self.size.bit_length() // (64 * WORDS) + 2  # enough bits for any size, and many to spare
        bits = self.generator.raw(count * blocks * WORDS).astype("<u8").reshape(count, blocks * WORDS)
        cards = []
        for row in bits:
            share = int.from_bytes(row.tobytes(), "little") * (self.size - self._drawn)
            place = self._drawn + (share >> 64 * WORDS * blocks)
            cards.append(self._moved.get(place, place))
            self._moved[place] = self._moved.pop(self._drawn, self._drawn)
            self._drawn += 1
        return cards


def _dealt(name: str, count: int, limits: Sequence[int]) -> list[int]:
    """So many of each kind that they are `count`, as equal as the limits of the kinds allow."""
    if not 0 <= count <= sum(limits):
        raise ValueError(
            f"toy_pairs(): {name} is {count:,}, expected 0 to {sum(limits):,}; ask for fewer, or for longer "
            "sources"
        )
    dealt = [0] * len(limits)
    while left := count - sum(dealt):
        still = [kind for kind, limit in enumerate(limits) if dealt[kind] < limit]
        share = max(left // len(still), 1)
        for kind in still[:left]:
            dealt[kind] += min(share, limits[kind] - dealt[kind])
    return dealt
