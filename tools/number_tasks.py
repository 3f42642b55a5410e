"""Tasks whose examples are numbers: pictures of digits, series, the adding problem."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.data import Digits, adding_problem, digit_strings, noisy_sine, read_digits, read_series
from minigrad.generator import Generator

from .errors import CommandError
from .examples import Task

SHARE = 10  # one observation of a user's series in so many is held out, and one handwritten digit


def digits(data: Mapping[str, Any], seed: int) -> Task:
    """Pictures of digits in a row, drawn with our own font or made of handwritten ones."""
    known: tuple[Digits | None, Digits | None] = (None, None)
    if data["files"]:
        known = _divided(read_digits(data["files"][0]), seed)
    parts = []
    for number, (count, glyphs) in enumerate(zip((data["pairs"], data["heldout"]), known, strict=True)):
        lengths = (1, data["digits"])
        made = digit_strings(2 * seed + number, count, lengths=lengths, digits=glyphs)
        parts.append(list(zip(made.images, made.strings, strict=True)))
    return Task(*parts)


def _divided(found: Digits, seed: int) -> tuple[Digits, Digits]:
    """Handwritten digits to train on, and others to test on."""
    order = Generator(seed).permutation(len(found.labels))
    heldout, train = np.split(order, [max(1, len(order) // SHARE)])
    return Digits(*(part[train] for part in found)), Digits(*(part[heldout] for part in found))


def series(data: Mapping[str, Any], seed: int) -> Task:
    """A sine in noise, or a column of a user's table; its end is held out."""
    if data["files"]:
        if not data["column"]:
            raise CommandError("series reads a column of a CSV file: name it by --column NAME")
        found, name = read_series(data["files"][0], data["column"]), data["files"][0]
        place = len(found) - max(20, len(found) // SHARE)
    else:
        found, name = noisy_sine(seed, data["pairs"] + data["heldout"]), "the series"
        place = data["pairs"]
    if place < 2 * data["length"] or len(found) - place < 20:
        raise CommandError(
            f"{name} has {len(found)} observations, {len(found) - place} of them held out; expected "
            f"{2 * data['length']} or more to train on and 20 to test on, or a smaller --length"
        )
    return Task([found[:place]], [(found[place - data["length"] : place], found[place:])])


def adding(data: Mapping[str, Any], seed: int) -> Task:
    """Series of numbers, two of which are to be added."""
    parts = [
        list(zip(*adding_problem(2 * seed + number, data[name], data["length"]), strict=True))
        for number, name in enumerate(("pairs", "heldout"))
    ]
    return Task(*parts)
