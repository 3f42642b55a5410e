"""Tokens and their numbers.

Four numbers are reserved in every vocabulary: <pad> = 0 fills a batch up to its longest sequence, <sos> = 1
starts a target, <eos> = 2 ends it, <unk> = 3 stands for every token that the vocabulary does not hold.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from .errors import DataError

SPECIAL_TOKENS = ("<pad>", "<sos>", "<eos>", "<unk>")
PAD, SOS, EOS, UNK = range(len(SPECIAL_TOKENS))


class Vocabulary:
    """A two-way table between tokens and the numbers 0, 1, 2, ...; the four special tokens come first.

    `tokens` are the ordinary tokens in the order of their numbers, from 4 on. `Vocabulary.build` counts them
    out of training data.

    >>> vocabulary = Vocabulary(["a", "b"])
    >>> vocabulary.encode(["b", "a", "z"])
    [5, 4, 3]
    >>> vocabulary.decode([5, 4, 3])
    ['b', 'a', '<unk>']
    """

    __slots__ = ("_index", "_tokens")

    def __init__(self, tokens: Iterable[str]) -> None:
        self._tokens = (*SPECIAL_TOKENS, *tokens)
        self._index: dict[str, int] = {}
        for index, token in enumerate(self._tokens):
            if not isinstance(token, str):
                raise TypeError(
                    f"Vocabulary(): token {index} is {token!r}, of type {type(token).__name__}; expected str"
                )
            if token in self._index:
                raise ValueError(
                    f"Vocabulary(): token {token!r} appears twice, as {self._index[token]} and as {index}"
                )
            self._index[token] = index

    @classmethod
    def build(
        cls, sequences: Iterable[Sequence[str]], *, min_frequency: int = 1, max_size: int | None = None
    ) -> "Vocabulary":
        """Count the tokens of `sequences` and number them by falling count, ties by code point.

        A token seen fewer than `min_frequency` times is left out. `max_size` bounds the length of the
        vocabulary, special tokens included. A special token met in the data keeps its own number and is not
        counted.

        >>> Vocabulary.build([["b", "a"], ["b"]]).tokens
        ('<pad>', '<sos>', '<eos>', '<unk>', 'b', 'a')
        """
        if min_frequency < 1:
            raise ValueError(f"Vocabulary.build(): min_frequency is {min_frequency}, expected 1 or more")
        if max_size is not None and max_size < len(SPECIAL_TOKENS):
            raise ValueError(
                f"Vocabulary.build(): max_size is {max_size}, but the special tokens alone are 4"
            )
        counts: Counter[str] = Counter()
        for sequence in sequences:
            _refuse_string("Vocabulary.build()", sequence)
            counts.update(sequence)
        for token in SPECIAL_TOKENS:
            del counts[token]
        frequent = (token for token, count in counts.items() if count >= min_frequency)
        ordered = sorted(frequent, key=lambda token: (-counts[token], token))
        return cls(ordered if max_size is None else ordered[: max_size - len(SPECIAL_TOKENS)])

    @property
    def tokens(self) -> tuple[str, ...]:
        """Every token in the order of its number, the four special ones first."""
        return self._tokens

    def __len__(self) -> int:
        return len(self._tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._index

    def __getitem__(self, token: str) -> int:
        """Give the number of `token`, that of <unk> when the vocabulary does not hold it."""
        return self._index.get(token, UNK)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self._tokens == other._tokens

    def __hash__(self) -> int:
        return hash(self._tokens)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} tokens)"

    def encode(self, tokens: Sequence[str], *, add_sos: bool = False, add_eos: bool = False) -> list[int]:
        """Give the number of each token, with <sos> before and <eos> after where asked for."""
        _refuse_string("Vocabulary.encode()", tokens)
        numbers = [self._index.get(token, UNK) for token in tokens]
        return [SOS] * add_sos + numbers + [EOS] * add_eos

    def decode(self, indices: Iterable[int]) -> list[str]:
        """Give the tokens up to the first <eos>, without <pad> and <sos>; <unk> is shown.

        `indices` is a list, an integer array or an integer Tensor of one dimension. IndexError for a number
        outside the vocabulary.
        """
        tokens = []
        for position, number in enumerate(indices):
            index = int(number)
            if not 0 <= index < len(self._tokens):
                raise IndexError(
                    f"Vocabulary.decode(): index {index} at position {position} is out of range, "
                    f"expected 0 to {len(self) - 1}; was it encoded with another vocabulary?"
                )
            if index == EOS:
                break
            if index not in (PAD, SOS):
                tokens.append(self._tokens[index])
        return tokens

    def to_json(self) -> dict[str, Any]:
        """Give a plain dictionary that `json` can write and `from_json` reads back."""
        return {"special": list(SPECIAL_TOKENS), "tokens": list(self._tokens[len(SPECIAL_TOKENS) :])}

    @classmethod
    def from_json(cls, data: Any) -> "Vocabulary":
        """Rebuild the vocabulary that `to_json` wrote; DataError when `data` is not such a dictionary."""
        if not isinstance(data, dict) or data.keys() != {"special", "tokens"}:
            found = sorted(map(str, data)) if isinstance(data, dict) else type(data).__name__
            raise DataError(
                f"Vocabulary.from_json(): got {found}, expected a dictionary with 'special' and 'tokens'"
            )
        if data["special"] != list(SPECIAL_TOKENS):
            raise DataError(
                f"Vocabulary.from_json(): special tokens {data['special']}, expected {list(SPECIAL_TOKENS)}"
            )
        if not isinstance(data["tokens"], list):
            raise DataError(
                f"Vocabulary.from_json(): 'tokens' is a {type(data['tokens']).__name__}, expected a list"
            )
        try:
            return cls(data["tokens"])
        except (TypeError, ValueError) as error:
            raise DataError(f"Vocabulary.from_json(): {error}") from error


def _refuse_string(function: str, tokens: object) -> None:
    """Raise TypeError for a bare string, whose characters would be taken for tokens in silence."""
    if isinstance(tokens, str):
        raise TypeError(
            f"{function}: got the string {tokens!r}, expected a list of tokens; call a tokeniser on it first"
        )
