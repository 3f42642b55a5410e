"""The tokeniser of a run, from what the run's configuration says of it."""

from typing import Any

from .byte_pair import BytePairTokeniser
from .errors import DataError
from .sentence_piece import SentencePieceTokeniser
from .tokeniser import CharacterTokeniser, JamoTokeniser, Tokeniser, WordTokeniser, tokeniser_by_name

_WITHOUT_MEMORY = {kind.name: kind for kind in (CharacterTokeniser, WordTokeniser, JamoTokeniser)}
_LEARNT = {kind.name: kind for kind in (BytePairTokeniser, SentencePieceTokeniser)}


def tokeniser_from_json(data: Any) -> Tokeniser:
    """Rebuild the tokeniser whose `to_json` gave `data`; DataError when it is nothing of the kind.

    >>> tokeniser_from_json({"kind": "character"}).tokenise("ab")
    ['a', 'b']
    """
    kind = data.get("kind") if isinstance(data, dict) else None
    if isinstance(kind, str) and kind in _WITHOUT_MEMORY and data.keys() == {"kind"}:
        return tokeniser_by_name(kind)
    if isinstance(kind, str) and kind in _LEARNT:
        return _LEARNT[kind].from_json(data)
    expected = ", ".join([*_WITHOUT_MEMORY, *_LEARNT])
    raise DataError(
        f"tokeniser_from_json(): got {str(data)[:60]!r}, expected a dictionary whose 'kind' is one of "
        f"{expected}"
    )
