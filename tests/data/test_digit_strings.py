"""Pictures of digits in a row: of one size, within 0 and 1, and showing what their strings say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data import Digits, digit_strings
from minigrad.data.digit_strings import drawn_digits, resampled

QUIET = {"noise": 0.0, "scales": (1.0, 1.0)}


@given(
    st.integers(0, 2**64 - 1),
    st.integers(0, 5),
    st.tuples(st.integers(1, 4), st.integers(1, 4)).map(sorted),
    st.integers(1, 16),
    st.floats(0, 0.5),
)
def test_pictures_have_one_size_and_strings_their_lengths(seed, count, lengths, size, noise):
    images, strings = digit_strings(seed, count, lengths=tuple(lengths), size=size, noise=noise)
    assert images.shape == (count, 1, size, size * lengths[1])
    assert images.dtype == np.float32
    assert ((images >= 0) & (images <= 1)).all()
    assert len(strings) == count
    assert all(lengths[0] <= len(text) <= lengths[1] and text.isdigit() for text in strings)


def test_the_digits_stand_where_the_string_says():
    glyphs = {str(digit): image[0] for digit, image in enumerate(drawn_digits().images)}
    images, strings = digit_strings(0, 20, lengths=(3, 3), size=7, **QUIET)
    for image, text in zip(images[:, 0], strings, strict=True):
        for place, digit in enumerate(text):
            square = image[:, 7 * place : 7 * place + 7]
            shifts = [square[:, left : left + 5] for left in range(3)]
            assert any(np.allclose(shift, glyphs[digit], atol=1e-6) for shift in shifts)
            assert np.isclose(square.sum(), glyphs[digit].sum())


def test_a_short_row_stands_anywhere_and_a_digit_anywhere_in_its_square():
    images, strings = digit_strings(1, 200, lengths=(1, 5), noise=0.0)
    ones = images[[len(text) == 1 for text in strings], 0]
    left = (ones.max(axis=1) > 0.5).argmax(axis=1)
    assert left.min() < 8
    assert left.max() > 40
    top = (ones.max(axis=2) > 0.5).argmax(axis=1)
    assert len(set(top)) > 2


def test_digits_differ_in_height_as_asked():
    images, _ = digit_strings(2, 100, lengths=(1, 1), size=20, scales=(0.5, 1.0), noise=0.0)
    heights = (images.max(axis=3) > 0.2).sum(axis=2).ravel()
    assert heights.min() <= 11
    assert heights.max() >= 19


def test_handwritten_digits_may_take_the_place_of_the_font():
    pictures = np.zeros((4, 1, 8, 8), dtype=np.float32)
    pictures[:2, :, :, :4] = 1  # a 3: the left half is ink
    pictures[2:, :, :, 4:] = 1  # an 8: the right half
    digits = Digits(pictures, np.array([3, 3, 8, 8]))
    images, strings = digit_strings(3, 30, lengths=(2, 2), digits=digits, **QUIET)
    assert images.shape == (30, 1, 8, 16)
    for image, text in zip(images[:, 0], strings, strict=True):
        ink = image.mean(axis=0).reshape(2, 2, 4).mean(axis=2)  # of each half of each square
        assert ["83"[int(left)] for left, _ in ink.round()] == list(text)


def test_the_seed_decides():
    one, other = digit_strings(1, 5), digit_strings(2, 5)
    again = digit_strings(1, 5)
    assert (one.images == again.images).all()
    assert one.strings == again.strings
    assert (one.images != other.images).any()


def test_noise_lies_everywhere_on_the_paper():
    images, _ = digit_strings(4, 50, lengths=(1, 1), size=30, noise=0.2)
    corner = images[:, 0, 0, 0]
    assert 0.3 < (corner > 0).mean() < 0.7


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 12), st.integers(1, 12))
def test_another_size_keeps_the_share_of_ink(height, width, new_height, new_width):
    picture = np.random.default_rng(height * 10 + width).uniform(size=(height, width))
    made = resampled(picture, new_height, new_width)
    assert made.shape == (new_height, new_width)
    np.testing.assert_allclose(made.mean(), picture.mean())
    np.testing.assert_allclose(resampled(picture, height, width), picture)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": -1}, "count is -1"),
        ({"lengths": (0, 2)}, r"lengths are \(0, 2\), expected at least 0, and 1 <= shortest <= longest"),
        ({"lengths": (3, 2)}, r"lengths are \(3, 2\)"),
        ({"scales": (0.0, 1.0)}, r"scales are \(0.0, 1.0\), .* expected 0 < least <= greatest <= 1"),
        ({"scales": (0.5, 1.1)}, "scales are"),
        ({"noise": -1.0}, "noise is -1.0"),
        ({"noise": float("nan")}, "noise is nan"),
        ({"size": 0}, "size 0, .* a size of at least 1"),
        (
            {"digits": Digits(np.zeros((2, 8, 8)), np.zeros(2))},
            r"images \(2, 8, 8\) and labels \(2,\), expected \(N, 1, H, W\) and \(N,\), as read_digits",
        ),
        ({"digits": Digits(np.zeros((2, 1, 8, 8)), np.zeros(3))}, r"labels \(3,\)"),
        ({"digits": Digits(np.zeros((0, 1, 8, 8)), np.zeros(0))}, r"images \(0, 1, 8, 8\)"),
    ],
)
def test_pictures_that_cannot_be_drawn_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        digit_strings(**{"seed": 0, "count": 1, **options})
