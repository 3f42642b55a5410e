"""Pictures of several digits in a row, and the strings that they show: what a model with attention can read.

The digits are drawn, with a small font of our own, or taken from a set of handwritten ones (`read_digits`).

Shapes: N pictures, H rows, W columns.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from minigrad.errors import ShapeError
from minigrad.generator import Generator

from .digits import Digits

_FONT = """
.###.  ..#..  .###.  .###.  ...#.  #####  .###.  #####  .###.  .###.
#...#  .##..  #...#  #...#  ..##.  #....  #....  ....#  #...#  #...#
#..##  ..#..  ....#  ....#  .#.#.  ####.  #....  ...#.  #...#  #...#
#.#.#  ..#..  ...#.  ..##.  #..#.  ....#  ####.  ...#.  .###.  .####
##..#  ..#..  ..#..  ....#  #####  ....#  #...#  ..#..  #...#  ....#
#...#  ..#..  .#...  #...#  ...#.  #...#  #...#  ..#..  #...#  ....#
.###.  .###.  #####  .###.  ...#.  .###.  .###.  ..#..  .###.  .###.
"""


class DigitStrings(NamedTuple):
    """Pictures, and the digits that each shows from left to right."""

    images: np.ndarray  # (N, 1, H, W), float32 from 0, paper, to 1, ink
    strings: list[str]


def drawn_digits() -> Digits:
    """The ten digits of the font, 7 x 5 pixels each, in their order.

    >>> drawn_digits().images.shape
    (10, 1, 7, 5)
    """
    rows = [[list(glyph) for glyph in line.split()] for line in _FONT.split("\n") if line]  # (7, 10, 5)
    ink = np.array(rows) == "#"
    return Digits(ink.transpose(1, 0, 2)[:, None].astype(np.float32), np.arange(10))


def digit_strings(
    seed: int,
    count: int,
    *,
    lengths: tuple[int, int] = (1, 5),
    digits: Digits | None = None,
    size: int | None = None,
    scales: tuple[float, float] = (0.8, 1.0),
    noise: float = 0.1,
) -> DigitStrings:
    """Draw pictures of `count` strings of digits, all alike in size: `size` rows, `size` columns a digit.

    A digit stands anywhere in its square, and a short row anywhere between left and right.

    Args:
        seed: decides everything.
        count: N.
        lengths: the fewest and the most digits of a string.
        digits: what the digits look like; None for `drawn_digits`. To hold some out, divide them first.
        size: of a digit's square; None for the height of a handwritten digit, for 12 where they are drawn.
        scales: the least and the greatest height of a digit, as a share of its square.
        noise: the deviation of what is added to every pixel, before all are cut to 0 to 1.

    ValueError for what cannot be drawn.

    >>> images, strings = digit_strings(seed=0, count=3, lengths=(2, 4))
    >>> images.shape, strings
    ((3, 1, 12, 48), ['021', '52', '2171'])
    """
    shortest, longest = lengths
    if count < 0 or not 1 <= shortest <= longest:
        raise ValueError(
            f"digit_strings(): count is {count}, lengths are {lengths}, expected at least 0, and 1 <= "
            "shortest <= longest"
        )
    if not 0 < scales[0] <= scales[1] <= 1 or not 0 <= noise < np.inf or (size is not None and size < 1):
        raise ValueError(
            f"digit_strings(): scales are {scales}, noise is {noise}, size {size}, expected 0 < least <= "
            "greatest <= 1, noise of at least 0, a size of at least 1, or None"
        )
    images, labels = drawn_digits() if digits is None else digits
    if images.ndim != 4 or images.shape[1] != 1 or labels.shape != images.shape[:1] or not len(images):
        raise ShapeError(
            f"digit_strings(): digits with images {images.shape} and labels {labels.shape}, expected "
            "(N, 1, H, W) and (N,), as read_digits() gives them"
        )
    side = size if size is not None else 12 if digits is None else images.shape[2]
    generator = Generator(seed)
    chosen = generator.integers(0, len(images), (count, longest))  # which digit stands where
    number = generator.integers(shortest, longest + 1, count)
    drawn = generator.uniform((count, longest, 3))  # of each digit its height, and its place in its square
    margins = generator.uniform(count)
    canvas = np.zeros((count, side, side * longest))
    for row in range(count):
        left = int(margins[row] * (side * (longest - number[row]) + 1))
        for place in range(number[row]):
            glyph = images[chosen[row, place], 0]
            scale, down, right = drawn[row, place]
            height = max(round(side * (scales[0] + scale * (scales[1] - scales[0]))), 1)
            width = min(max(round(height * glyph.shape[1] / glyph.shape[0]), 1), side)
            top = int(down * (side - height + 1))
            start = left + side * place + int(right * (side - width + 1))
            canvas[row, top : top + height, start : start + width] = resampled(glyph, height, width)
    canvas += noise * generator.normal(canvas.shape, np.float64)
    strings = ["".join(map(str, labels[which[:n]])) for which, n in zip(chosen, number, strict=True)]
    return DigitStrings(canvas.clip(0, 1).astype(np.float32)[:, None], strings)


def resampled(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """A picture (H, W) in another size: each pixel the mean of the part of the picture that it covers.

    >>> resampled(np.array([[0.0, 1.0], [0.0, 1.0]]), 1, 4).tolist()
    [[0.0, 0.0, 1.0, 1.0]]
    """
    rows, columns = _covered(picture.shape[0], height), _covered(picture.shape[1], width)
    return rows @ picture @ columns.T


@cache
def _covered(old: int, new: int) -> np.ndarray:
    """Which share of each of `new` pixels lies over each of `old` ones, in a row: (new, old)."""
    edges, borders = np.arange(old + 1) / old, np.arange(new + 1) / new
    overlap = np.minimum(borders[1:, None], edges[1:]) - np.maximum(borders[:-1, None], edges[:-1])
    return overlap.clip(0) * new
