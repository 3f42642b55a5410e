"""Disturbed sentences: what is left out, exchanged or cut, and how often."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad import Generator
from minigrad.data import disturbed

SHARES = st.floats(0, 1)


@given(st.integers(0, 12), SHARES, SHARES, SHARES, st.integers(0, 2**32))
def test_tokens_are_lost_or_moved_by_one_and_never_made(length, drop, swap, cut, seed):
    made = disturbed(range(length), Generator(seed), drop=drop, swap=swap, cut=cut)
    assert len(set(made)) == len(made)
    assert set(made) <= set(range(length))
    assert bool(made) == bool(length)
    whole = disturbed(range(length), Generator(seed), swap=swap)
    assert sorted(whole) == list(range(length))
    assert all(abs(token - place) <= 1 for place, token in enumerate(whole))


@given(st.text(max_size=9), st.integers(0, 99))
def test_without_probability_nothing_happens(text, seed):
    assert disturbed(text, Generator(seed)) == list(text)


def test_with_certainty_everything_does():
    assert disturbed("abcde", Generator(0), swap=1.0) == list("badce")
    assert disturbed("abcde", Generator(0), drop=1.0) == ["a"]
    assert disturbed(range(1000), Generator(0), cut=1.0) == list(
        range(len(disturbed(range(1000), Generator(0), cut=1.0)))
    )
    lengths = [len(disturbed(range(10), Generator(seed), cut=1.0)) for seed in range(300)]
    assert set(lengths) == set(range(1, 11))


def test_shares_are_what_was_asked_for():
    generator = Generator(5)
    lengths = [len(disturbed(range(50), generator, drop=0.3)) for _ in range(100)]
    assert np.mean(lengths) == pytest.approx(35, abs=1)
    cut = [len(disturbed(range(50), generator, cut=0.25)) < 50 for _ in range(1000)]
    assert np.mean(cut) == pytest.approx(0.25 * 49 / 50, abs=0.04)


@pytest.mark.parametrize("name", ["drop", "swap", "cut"])
@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(name, share):
    with pytest.raises(ValueError, match=rf"{name} is {share}, expected 0 to 1"):
        disturbed("abc", Generator(0), **{name: share})
