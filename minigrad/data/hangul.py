"""Hangul syllables into the letters they are written with, the jamo, and back.

Unicode numbers the syllables by their letters (The Unicode Standard, section 3.12): with L of 19 leading
consonants, V of 21 vowels and T of 27 trailing consonants or none,

    S = 0xAC00 + (L · 21 + V) · 28 + T                                          (1)

So 11 172 syllables become 67 letters, and a model that has never met a syllable can still read and write it.
"""

import re

SYLLABLES, LEADING, VOWELS, TRAILING = 0xAC00, 0x1100, 0x1161, 0x11A7  # TRAILING + 0 stands for no letter

KEEPER = "\u034f"
"""Unicode's grapheme joiner. It stands before a jamo that was no part of a syllable, to keep it so."""

_TO_TAKE_APART = re.compile(f"[가-힣\u1100-\u1112\u1161-\u1175\u11a8-\u11c2{KEEPER}]")
_TO_PUT_TOGETHER = re.compile(f"{KEEPER}(.)|[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?", re.DOTALL)


def decompose(text: str) -> str:
    """Write every syllable as its two or three jamo; all else stays as it is.

    >>> [f"{ord(jamo):04X}" for jamo in decompose("한")]
    ['1112', '1161', '11AB']
    """
    return _TO_TAKE_APART.sub(_letters, text)


def compose(text: str) -> str:
    """Put jamo together into syllables: `compose(decompose(text)) == text` for every text.

    >>> compose(decompose("한국어 3급"))
    '한국어 3급'
    """
    return _TO_PUT_TOGETHER.sub(_syllable, text)


def _letters(match: re.Match[str]) -> str:
    character = match[0]
    if ord(character) < SYLLABLES:
        return KEEPER + character
    pair, trailing = divmod(ord(character) - SYLLABLES, 28)  # (1)
    leading, vowel = divmod(pair, 21)
    return chr(LEADING + leading) + chr(VOWELS + vowel) + (chr(TRAILING + trailing) if trailing else "")


def _syllable(match: re.Match[str]) -> str:
    kept: str | None = match[1]
    if kept is not None:
        return kept
    leading, vowel, *trailing = map(ord, match[0])
    number = ((leading - LEADING) * 21 + vowel - VOWELS) * 28  # (1)
    return chr(SYLLABLES + number + (trailing[0] - TRAILING if trailing else 0))
