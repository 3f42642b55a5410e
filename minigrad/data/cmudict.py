"""The pronouncing dictionary of Carnegie Mellon University: 126 000 English words and how they sound.

From letters to sounds ("through" to TH R UW1, "though" to DH OW1) is a task that a model must learn rather
than look up: Yao and Zweig (2015, arXiv 1506.00196) measured encoder-decoders on it, Toshniwal and Livescu
(2016, arXiv 1610.06540) attention.
"""

import re
from pathlib import Path

from .errors import DataError
from .pairs import Pair
from .text_file import excerpt, file_lines

_FORMAT = "expected CMUdict: a word and its phonemes on each line"
_VARIANT = re.compile(r"\(\d+\)$")
_PHONEMES = re.compile(r"[A-Z]{1,2}[0-2]?(?: [A-Z]{1,2}[0-2]?)*")
_IN_JAVASCRIPT = re.compile(r'"(\S+)": "([^"]*)",?')
_AROUND_JAVASCRIPT = re.compile(r"/\*.*\*/|(export|const|module).*= \{|\};?")


def read_cmudict(path: str | Path, *, stress: bool = True) -> list[Pair]:
    """Read every pronunciation of every word, in the order of the file.

    Both of the dictionary's own forms are read (`ABOUT  AH0 B AW1 T`, comments after ;;; or #), and the one
    that npm carries (`"about": "AH0 B AW1 T",`). Words are written small, a variant loses its number ("a(2)"
    is "a" again). Vowels bear their stress, 0 to 2; `stress=False` leaves it out, as most papers do, and the
    pairs that are then alike are kept once. DataError, with file and line, for a line of another form.
    """
    pairs = []
    for number, whole in file_lines("read_cmudict()", path, _FORMAT):
        line = whole.strip()
        if not line or line.startswith(";;;") or _AROUND_JAVASCRIPT.fullmatch(line):
            continue
        match = _IN_JAVASCRIPT.fullmatch(line)
        word, sounds = match.groups() if match else [*line.split(maxsplit=1), ""][:2]
        phonemes = " ".join(sounds.partition("#")[0].split())
        if not _PHONEMES.fullmatch(phonemes):
            raise DataError(
                f"read_cmudict(): {path}, line {number}: got {excerpt(line)}, expected a word and its "
                "phonemes, such as 'ABOUT  AH0 B AW1 T'"
            )
        pairs.append(Pair(_VARIANT.sub("", word).lower(), phonemes))
    if not pairs:
        raise DataError(f"read_cmudict(): {path} is empty, {_FORMAT}")
    return pairs if stress else _without_stress(pairs)


def _without_stress(pairs: list[Pair]) -> list[Pair]:
    """The pairs with 0, 1 and 2 left out of their phonemes, each once."""
    digits = str.maketrans("", "", "012")
    return list(dict.fromkeys(Pair(pair.source, pair.target.translate(digits)) for pair in pairs))
