"""The task of a language model: a user's text, the end of which is held out."""

from collections.abc import Mapping
from typing import Any

from minigrad.data import read_text

from .errors import CommandError
from .examples import Task

SHARE = 10  # one character in so many is held out
LEAST = 100  # characters


def text(data: Mapping[str, Any], seed: int) -> Task:  # noqa: ARG001 (nothing is drawn)
    """The user's files one after the other, cut at the end of a line or a word."""
    if not data["files"]:
        raise CommandError("text learns from your own text: --data FILE, in UTF-8")
    whole = "\n".join(read_text(path) for path in data["files"])
    if len(whole) < LEAST:
        raise CommandError(
            f"{data['files'][0]} has {len(whole)} characters, expected {LEAST} or more: a tenth is held out"
        )
    place = len(whole) * (SHARE - 1) // SHARE
    for end in "\n ":
        found = whole.find(end, place, place + len(whole) // (2 * SHARE))
        if found >= 0:
            place = found + 1
            break
    return Task([whole[:place]], [whole[place:]])
