"""Message catalogues: what programs say, and what their translators made of it.

GNU gettext keeps them in two forms: .po is text that a translator edits (po.py), .mo the same compiled for
the program (mo.py). Debian's packages alone hold tens of thousands of sentences in dozens of languages.

Reference: GNU gettext manual, sections "The Format of PO Files" and "The Format of GNU MO Files".
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import DataError
from .pairs import Pair
from .tokeniser import normalise


@dataclass(frozen=True, slots=True)
class Message:
    """A message and its translations: one, or one for each plural form of the language.

    The message with the singular "" is the header of its catalogue, which names the encoding. A `fuzzy`
    translation is a guess that nobody has looked at yet.
    """

    singular: str
    translations: tuple[str, ...]
    plural: str | None = None
    context: str | None = None
    fuzzy: bool = False


def message_pairs(messages: Iterable[Message]) -> Iterator[Pair]:
    """The translated texts: without the header, fuzzy and empty translations, and those equal to the message.

    The singular goes with the first plural form, the plural with the last: they are the forms for one and
    for many in nearly every language, and in one like Korean, which has a single form, the same.

    >>> messages = [Message("one file", ("1 Datei", "%d Dateien"), "%d files"), Message("OK", ("OK",))]
    >>> list(message_pairs(messages))
    [Pair(source='one file', target='1 Datei'), Pair(source='%d files', target='%d Dateien')]
    """
    for message in messages:
        if message.fuzzy or not message.singular:
            continue
        sides = [(message.singular, message.translations[0])]
        if message.plural is not None:
            sides.append((message.plural, message.translations[-1]))
        for side in sides:
            pair = Pair(*(normalise(text).strip() for text in side))
            if pair.source and pair.target and pair.source != pair.target:
                yield pair


def pairs_of(function: str, path: str | Path, messages: Iterable[Message]) -> list[Pair]:
    """The pairs of a catalogue; DataError in the name of `function` if it has none."""
    pairs = list(message_pairs(messages))
    if not pairs:
        raise DataError(f"{function}: {path} holds no translated message, expected one or more")
    return pairs
