"""Text into tokens and back.

The tokenisers of this file first normalise the text, so that what looks alike is the same token: "é" typed
as one code point or as two, a space of whatever width or breaking. Those that are learnt from texts have
files of their own: byte_pair.py and sentence_piece.py.
"""

import unicodedata
from collections.abc import Sequence
from itertools import groupby
from typing import Any, ClassVar, Protocol

from .hangul import compose, decompose

JOINER = "\uffed"
"""Marks the side on which a token touches its neighbour: the sign that OpenNMT uses, a small square."""

_JOINER_IN_TEXT = "\u25a0"
"""The compatibility equivalent that Unicode gives for JOINER; it replaces a JOINER met in a text."""

_CONTROLS_INSIDE_WORDS = "\u200c\u200d"
"""The zero-width non-joiner and joiner, which shape the letters of Persian and of the scripts of India."""

_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
"""Every space of Unicode but the plain one: of fixed width, narrow, ideographic, not to be broken."""

_TO_PLAIN_SPACE = str.maketrans(dict.fromkeys(_SPACES, " "))


def normalise(text: str) -> str:
    """Bring a text into Unicode's normal form C (composed), and make each of its spaces a plain one.

    >>> normalise("2026\u202fг.")
    '2026 г.'
    """
    return unicodedata.normalize("NFC", text).translate(_TO_PLAIN_SPACE)


class Tokeniser(Protocol):
    """What a tokeniser offers: its name in a run's configuration, and the two directions."""

    name: ClassVar[str]

    def tokenise(self, text: str) -> list[str]:
        """Cut a text into tokens."""

    def detokenise(self, tokens: Sequence[str]) -> str:
        """Join tokens into a text."""

    def to_json(self) -> dict[str, Any]:
        """Give a plain dictionary for the run's configuration; `tokeniser_from_json` reads it back."""


class CharacterTokeniser:
    """One token per code point of the normalised text; `detokenise` gives the normalised text back exactly.

    >>> CharacterTokeniser().tokenise("4 März")
    ['4', ' ', 'M', 'ä', 'r', 'z']
    """

    name: ClassVar[str] = "character"

    def tokenise(self, text: str) -> list[str]:
        """Cut a text into its characters."""
        return list(normalise(text))

    def detokenise(self, tokens: Sequence[str]) -> str:
        """Join characters into a text."""
        return "".join(tokens)

    def to_json(self) -> dict[str, Any]:
        """Give the name: there is nothing else to remember."""
        return {"kind": self.name}


class JamoTokeniser:
    """One token per character, and per letter of a Hangul syllable; see hangul.py.

    >>> [len(JamoTokeniser().tokenise(text)) for text in ("한글", "Han")]
    [6, 3]
    """

    name: ClassVar[str] = "jamo"

    def tokenise(self, text: str) -> list[str]:
        """Cut a text into its characters, and these into jamo."""
        return list(decompose(normalise(text)))

    def detokenise(self, tokens: Sequence[str]) -> str:
        """Join characters into a text, and jamo into syllables."""
        return compose("".join(tokens))

    def to_json(self) -> dict[str, Any]:
        """Give the name: there is nothing else to remember."""
        return {"kind": self.name}


class WordTokeniser:
    """One token per word, number or mark of punctuation, in any script.

    A word is a run of letters, digits, combining marks and underscores. Every other character that is not a
    space is a token of its own, and carries the joiner on each side where no space parted it from its
    neighbour, so that a word is the same token wherever it stands and the text can be put together again:
    `detokenise(tokenise(text))` is the normalised text with each run of white space made one space and none
    at its ends. (A joiner sign in the text itself comes back as its equivalent, U+25A0.)

    Chinese and Japanese put no space between words, so a whole clause is one token there: use
    CharacterTokeniser.

    >>> WordTokeniser().tokenise("Hello, world!")
    ['Hello', '￭,', 'world', '￭!']
    >>> WordTokeniser().detokenise(['Hello', '￭,', 'world', '￭!'])
    'Hello, world!'
    """

    name: ClassVar[str] = "word"

    def tokenise(self, text: str) -> list[str]:
        """Cut a text into words and marks of punctuation."""
        chunks = normalise(text).replace(JOINER, _JOINER_IN_TEXT).split()
        return [token for chunk in chunks for token in _cut_chunk(chunk)]

    def detokenise(self, tokens: Sequence[str]) -> str:
        """Join words and marks, with a space wherever no joiner forbids it."""
        return " ".join(tokens).replace(f" {JOINER}", "").replace(f"{JOINER} ", "").replace(JOINER, "")

    def to_json(self) -> dict[str, Any]:
        """Give the name: there is nothing else to remember."""
        return {"kind": self.name}


def _cut_chunk(chunk: str) -> list[str]:
    """Cut a piece of text without spaces into words and single marks; only marks carry joiners."""
    pieces: list[str] = []
    for is_word, run in groupby(chunk, key=is_word_character):
        text = "".join(run)
        pieces += [text] if is_word else text  # a mark is a piece of its own
    tokens = []
    for position, piece in enumerate(pieces):
        is_mark = not is_word_character(piece[0])
        joined_left = is_mark and position > 0
        joined_right = is_mark and position + 1 < len(pieces) and is_word_character(pieces[position + 1][0])
        tokens.append(JOINER * joined_left + piece + JOINER * joined_right)
    return tokens


def is_word_character(character: str) -> bool:
    """Is it a letter, a digit, a combining mark or an underscore, in any script?"""
    return (
        character.isalnum()
        or character == "_"
        or character in _CONTROLS_INSIDE_WORDS
        or unicodedata.category(character).startswith("M")
    )


_TOKENISERS: dict[str, type[Tokeniser]] = {
    kind.name: kind for kind in (CharacterTokeniser, WordTokeniser, JamoTokeniser)
}


def tokeniser_by_name(name: str) -> Tokeniser:
    """Give the tokeniser whose `name` a run's configuration holds; ValueError for a name not known.

    >>> tokeniser_by_name("word").tokenise("one two")
    ['one', 'two']
    """
    if name not in _TOKENISERS:
        raise ValueError(f"tokeniser_by_name(): got {name!r}, expected one of {', '.join(_TOKENISERS)}")
    return _TOKENISERS[name]()
