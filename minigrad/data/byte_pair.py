"""Byte-pair encoding: frequent words are one token, rare ones are spelled out of frequent pieces.

A vocabulary of words leaves a translator speechless at a name it has never seen, and one of characters makes
every sentence six times as long. Byte-pair encoding lies between the two, and learns where: it begins with
characters, joins the pair of neighbours that occurs most often into one new token, and does so again, as
often as it is told.

Reference: Sennrich, Haddow, Birch (2016), "Neural Machine Translation of Rare Words with Subword Units",
arXiv 1508.07909, section 3.2 and algorithm 1. What differs from it:

1. A word's mark is the space before it, which belongs to its first token; so tokens join to the text itself.
2. A character outside the alphabet learnt is written as its bytes in UTF-8, "<0xE2>" and so on, as in
   SentencePiece (Kudo, Richardson 2018): no text has a token that is not in `vocabulary()`.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby, pairwise
from typing import Any, ClassVar

from .errors import DataError
from .hangul import compose, decompose
from .tokeniser import is_word_character
from .vocabulary import SPECIAL_TOKENS, Vocabulary

Merge = tuple[str, str]

BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
_NUMBER_OF_BYTE = {token: byte for byte, token in enumerate(BYTES)}
_RESERVED = frozenset(BYTES) | frozenset(SPECIAL_TOKENS)  # never the result of a merge

_LONGEST_PIECE = 100  # characters that are looked at together; it bounds the work for text without spaces
_CACHED_PIECES = 200_000


class BytePairTokeniser:
    """The tokens that `merges`, applied in their order, make of the characters of a text.

    `learn` finds alphabet and merges in texts. `jamo=True` begins with the letters of Hangul syllables
    instead of whole syllables. No text is normalised: `detokenise(tokenise(text)) == text` for every text.

    >>> tokeniser = BytePairTokeniser.learn(["slow lower lowest, slowest"], merges=3)
    >>> tokeniser.tokenise("low slow é")
    ['low', ' ', 's', 'low', ' ', '<0xC3>', '<0xA9>']
    >>> tokeniser.detokenise(tokeniser.tokenise("low slow é"))
    'low slow é'
    """

    name: ClassVar[str] = "byte_pair"

    def __init__(self, alphabet: Iterable[str], merges: Iterable[Merge], *, jamo: bool = False) -> None:
        self.alphabet = tuple(alphabet)
        self.merges = tuple(merges)
        self.jamo = jamo
        self._letters = frozenset(self.alphabet)
        self._rank = {pair: rank for rank, pair in reversed([*enumerate(self.merges)])}
        self._cache: dict[str, list[str]] = {}
        self._refuse_unreachable()

    @classmethod
    def learn(
        cls, texts: Iterable[str], *, merges: int = 8000, minimum: int = 2, jamo: bool = False
    ) -> "BytePairTokeniser":
        """Join the most frequent pair in `texts` `merges` times, or until none occurs `minimum` times.

        The alphabet is every character that occurs `minimum` times. Of pairs equally frequent the first by
        code points is joined first, so the same texts always give the same merges, whatever their order.
        """
        if merges < 0 or minimum < 1:
            raise ValueError(
                f"BytePairTokeniser.learn(): merges is {merges} and minimum {minimum}, expected 0 or more "
                "and 1 or more"
            )
        words = Counter(piece for text in texts for piece in _pieces(decompose(text) if jamo else text))
        letters: Counter[str] = Counter()
        for word, count in words.items():
            for letter in word:
                letters[letter] += count
        alphabet = sorted(letter for letter, count in letters.items() if count >= minimum)
        return cls(alphabet, _learn_merges(words, merges, minimum), jamo=jamo)

    def tokenise(self, text: str) -> list[str]:
        """Cut a text into tokens."""
        tokens: list[str] = []
        for piece in _pieces(decompose(text) if self.jamo else text):
            found = self._cache.get(piece)
            if found is None:
                if len(self._cache) >= _CACHED_PIECES:
                    self._cache.clear()
                found = self._cache[piece] = self._merged(piece)
            tokens += found
        return tokens

    def detokenise(self, tokens: Sequence[str]) -> str:
        """Join tokens into a text; bytes that are no UTF-8, as a model may write, become U+FFFD."""
        runs = []
        for is_byte, run in groupby(tokens, key=_NUMBER_OF_BYTE.__contains__):
            if is_byte:
                runs.append(bytes(_NUMBER_OF_BYTE[token] for token in run).decode("utf-8", "replace"))
            else:
                runs.append("".join(run))
        text = "".join(runs)
        return compose(text) if self.jamo else text

    def vocabulary(self) -> Vocabulary:
        """Every token there can be: the bytes, the alphabet, the results of the merges."""
        joined = (left + right for left, right in self.merges)
        return Vocabulary(dict.fromkeys([*BYTES, *self.alphabet, *joined]))

    def to_json(self) -> dict[str, Any]:
        """Give a plain dictionary that `json` can write and `from_json` reads back."""
        return {
            "kind": self.name,
            "jamo": self.jamo,
            "alphabet": list(self.alphabet),
            "merges": [list(pair) for pair in self.merges],
        }

    @classmethod
    def from_json(cls, data: Any) -> "BytePairTokeniser":
        """Rebuild the tokeniser that `to_json` wrote; DataError when `data` is not such a dictionary."""
        if not isinstance(data, dict) or data.keys() != {"kind", "jamo", "alphabet", "merges"}:
            found = sorted(map(str, data)) if isinstance(data, dict) else type(data).__name__
            raise DataError(
                f"BytePairTokeniser.from_json(): got {found}, expected a dictionary with kind, jamo, "
                "alphabet and merges"
            )
        alphabet, merges = data["alphabet"], data["merges"]
        if data["kind"] != cls.name or not isinstance(data["jamo"], bool):
            raise DataError(
                f"BytePairTokeniser.from_json(): kind is {data['kind']!r} and jamo {data['jamo']!r}, "
                f"expected {cls.name!r} and true or false"
            )
        if not isinstance(alphabet, list) or not isinstance(merges, list):
            raise DataError("BytePairTokeniser.from_json(): alphabet and merges are to be lists")
        if not all(isinstance(pair, list) and len(pair) == 2 for pair in merges):
            raise DataError("BytePairTokeniser.from_json(): merges are to be lists of two tokens")
        try:
            return cls(alphabet, [(left, right) for left, right in merges], jamo=data["jamo"])
        except (TypeError, ValueError) as error:
            raise DataError(f"BytePairTokeniser.from_json(): {error}") from error

    def _merged(self, piece: str) -> list[str]:
        """The tokens of one piece: its characters, joined again and again by the earliest merge there is."""
        symbols = [
            symbol
            for letter in piece
            for symbol in ([letter] if letter in self._letters else _bytes_of(letter))
        ]
        rank = self._rank
        while len(symbols) > 1:
            pair = min(pairwise(symbols), key=lambda pair: rank.get(pair, len(rank)))
            if pair not in rank:
                break
            symbols = _joined(symbols, pair)
        return symbols

    def _refuse_unreachable(self) -> None:
        """Raise ValueError for a letter that is none, and for a merge of tokens that cannot have arisen."""
        known = set(self.alphabet)
        if len(known) < len(self.alphabet) or not all(isinstance(c, str) and len(c) == 1 for c in known):
            raise ValueError(
                "BytePairTokeniser(): the alphabet is to be single characters, each of them once"
            )
        for number, (left, right) in enumerate(self.merges):
            if left not in known or right not in known or left + right in _RESERVED:
                raise ValueError(
                    f"BytePairTokeniser(): merge {number} joins {left!r} and {right!r}, expected two letters "
                    "of the alphabet or results of earlier merges that make no reserved token"
                )
            known.add(left + right)


def _learn_merges(words: Counter[str], number: int, minimum: int) -> list[Merge]:
    """Algorithm 1 of Sennrich et al. (2016), where a merge recounts only the words it changes.

    `holders` says which words hold a pair. `queue` holds each pair with a count it once had, the most
    frequent first; an entry whose count has changed since is passed over, for a newer one is there too.
    """
    spelled = [list(word) for word in words]
    frequency = list(words.values())
    counts: Counter[Merge] = Counter()
    holders: defaultdict[Merge, set[int]] = defaultdict(set)
    for index, symbols in enumerate(spelled):
        for pair in pairwise(symbols):
            counts[pair] += frequency[index]
            holders[pair].add(index)
    queue = [(-count, pair) for pair, count in counts.items()]
    heapq.heapify(queue)
    merges: list[Merge] = []
    while queue and len(merges) < number:
        negative, pair = heapq.heappop(queue)
        if counts[pair] != -negative or "".join(pair) in _RESERVED:
            continue
        if -negative < minimum:
            break
        merges.append(pair)
        changed = set()
        for index in holders.pop(pair):
            old, new = spelled[index], _joined(spelled[index], pair)
            spelled[index] = new
            for gone in pairwise(old):
                counts[gone] -= frequency[index]
                changed.add(gone)
            for come in pairwise(new):
                counts[come] += frequency[index]
                holders[come].add(index)
                changed.add(come)
        for one in changed:
            if counts[one]:
                heapq.heappush(queue, (-counts[one], one))
    return merges


def _joined(symbols: list[str], pair: Merge) -> list[str]:
    """The symbols with each occurrence of the pair, from the left, made one.

    >>> _joined(["a", "a", "a", "b"], ("a", "a"))
    ['aa', 'a', 'b']
    """
    joined: list[str] = []
    position, last = 0, len(symbols) - 1
    while position <= last:
        if position < last and symbols[position] == pair[0] and symbols[position + 1] == pair[1]:
            joined.append(pair[0] + pair[1])
            position += 2
        else:
            joined.append(symbols[position])
            position += 1
    return joined


def _pieces(text: str) -> Iterator[str]:
    """Words, runs of marks and runs of spaces, which join to the text; no token goes beyond one of them.

    >>> list(_pieces("Hello,  wide world!"))
    ['Hello', ',', ' ', ' wide', ' world', '!']
    """
    space = ""
    for kind, run in groupby(text, key=_kind):
        part = "".join(run)
        if kind == "space":
            part, space = (part[:-1], " ") if part[-1] == " " else (part, "")
        else:
            part, space = space + part, ""
        for start in range(0, len(part), _LONGEST_PIECE):
            yield part[start : start + _LONGEST_PIECE]
    if space:
        yield space


@cache
def _kind(character: str) -> str:
    if is_word_character(character):
        return "word"
    return "space" if character.isspace() else "mark"


def _bytes_of(character: str) -> list[str]:
    return [BYTES[byte] for byte in character.encode("utf-8", "surrogatepass")]
