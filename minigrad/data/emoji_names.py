"""Names of emoji in many languages: 🌶 is "hot pepper", "piment rouge", "고추".

Short texts with rare words, of which every language has the same two thousand. Three packages carry them,
each in a form of its own, one JSON file for each language:

    cldr-annotations    {"annotations": {"annotations": {"🌶": {"tts": ["hot pepper"], ...}, ...}}}
    emojibase           [{"emoji": "🌶️", "label": "hot pepper", ...}, ...]
    emoji               {"🌶️": ":hot_pepper:", ...}, or {"🌶️": {"en": ":hot_pepper:", ...}, ...} for English
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import DataError
from .pairs import Pair
from .text_file import decoded, file_bytes
from .tokeniser import normalise

_FORMAT = "expected the names of emoji in JSON, as cldr-annotations, emojibase or emoji have them"
_SELECTOR = "\ufe0f"  # "as a picture, please": some sets write it behind an emoji, some do not


def read_emoji_names(path: str | Path) -> dict[str, str]:
    """Read the name of each emoji from one file of any of the three packages, in its order.

    Emoji lose their variation selectors, so that files of different packages can be put side by side; the
    first name of one that comes twice is kept. DataError, with the file, for anything else.
    """
    text = decoded("read_emoji_names()", path, file_bytes("read_emoji_names()", path), _FORMAT)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"read_emoji_names(): {path} is no JSON ({error}), {_FORMAT}") from error
    names: dict[str, str] = {}
    try:
        for emoji, name in _entries(content):
            clean = " ".join(normalise(name).split())
            if clean:
                names.setdefault(emoji.replace(_SELECTOR, ""), clean)
    except (TypeError, KeyError, AttributeError, IndexError) as error:
        raise DataError(
            f"read_emoji_names(): {path} has an entry without a name ({error!r}), {_FORMAT}"
        ) from error
    if not names:
        raise DataError(f"read_emoji_names(): {path} has no names in it, {_FORMAT}")
    return names


def read_emoji_pairs(source: str | Path, target: str | Path) -> list[Pair]:
    """Read the names of the emoji that two files of two languages share, in the order of the first.

    Names that are alike in both languages are kept. DataError where the files share no emoji.
    """
    names, others = read_emoji_names(source), read_emoji_names(target)
    pairs = [Pair(name, others[emoji]) for emoji, name in names.items() if emoji in others]
    if not pairs:
        raise DataError(f"read_emoji_pairs(): {source} and {target} share no emoji, expected two languages")
    return list(dict.fromkeys(pairs))


def _entries(content: Any) -> Iterator[tuple[str, str]]:
    """Every emoji with its name as the file writes it."""
    if isinstance(content, list):
        yield from ((entry["emoji"], entry["label"]) for entry in content)
    elif "annotations" in content:
        named = content["annotations"]["annotations"].items()
        yield from ((emoji, entry["tts"][0]) for emoji, entry in named if "tts" in entry)
    else:
        for emoji, entry in content.items():
            name = entry if isinstance(entry, str) else entry["en"]
            yield emoji, name.strip(":").replace("_", " ")
