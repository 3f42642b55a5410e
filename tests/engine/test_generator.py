"""The generator is Philox4x64-10, bit by bit, and its numbers are distributed as they should be."""

import math
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg

WORD = 2**64 - 1

# Known answers of the authors' own library: counter, key, output.
KNOWN = [
    (
        "0000000000000000 0000000000000000 0000000000000000 0000000000000000",
        "0000000000000000 0000000000000000",
        "16554d9eca36314c db20fe9d672d0fdc d7e772cee186176b 7e68b68aec7ba23b",
    ),
    (
        "ffffffffffffffff ffffffffffffffff ffffffffffffffff ffffffffffffffff",
        "ffffffffffffffff ffffffffffffffff",
        "87b092c3013fe90b 438c3c67be8d0224 9cc7d7c69cd777b6 a09caebf594f0ba0",
    ),
    (
        "243f6a8885a308d3 13198a2e03707344 a4093822299f31d0 082efa98ec4e6c89",
        "452821e638d01377 be5466cf34e90c6c",
        "a528f45403e61d95 38c72dbd566e9788 a5a1610e72fd18b5 57bd43b5e52b7fe6",
    ),
]


def philox(counter, key):
    """Ten rounds of Philox4x64 (Salmon et al. 2011, section 3.3), on Python's integers."""
    a, b, c, d = counter
    for i in range(10):
        left, right = (key[0] + i * 0x9E3779B97F4A7C15) & WORD, (key[1] + i * 0xBB67AE8584CAA73B) & WORD
        one, other = a * 0xD2E7470EE14C6C93, c * 0xCA5A826395121157
        a, b, c, d = (other >> 64) ^ b ^ left, other & WORD, (one >> 64) ^ d ^ right, one & WORD
    return [a, b, c, d]


def words(text):
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "output"), KNOWN)
def test_the_reference_gives_the_known_answers(counter, key, output):
    assert philox(words(counter), words(key)) == words(output)


@given(st.integers(0, WORD), st.integers(0, WORD - 8))
def test_block_i_of_a_seed_is_the_image_of_the_counter_after_i(seed, offset):
    found = mg.Generator().set_state({"seed": seed, "offset": offset}).raw(12)
    expected = [word for i in range(1, 4) for word in philox([offset + i, 0, 0, 0], [seed, 0])]
    assert found.tolist() == expected


@given(st.integers(0, WORD))
def test_the_bits_are_those_of_numpys_philox(seed):
    expected = np.random.Philox(key=seed).random_raw(20)
    assert mg.Generator(seed).raw(20).tolist() == expected.tolist()


DRAWS = {
    "raw": lambda g, n: g.raw(n),
    "uniform": lambda g, n: g.uniform(n, "float32"),
    "normal": lambda g, n: g.normal((n, 2)),
    "integers": lambda g, n: g.integers(-5, 5, n),
    "permutation": lambda g, n: g.permutation(n),
    "keep_mask": lambda g, n: g.keep_mask((n,), 0.3)[0],
}


@given(
    st.lists(st.tuples(st.sampled_from(sorted(DRAWS)), st.integers(0, 9)), max_size=6), st.integers(0, WORD)
)
def test_a_generator_continues_from_its_state_whatever_was_drawn(draws, seed):
    generator = mg.Generator(seed)
    for name, count in draws:
        DRAWS[name](generator, count)
    twin = mg.Generator(99).set_state(generator.get_state())
    assert twin.get_state() == generator.get_state()
    assert twin.raw(8).tolist() == generator.raw(8).tolist()


@given(st.lists(st.integers(0, 30), max_size=8))
def test_the_offset_counts_whole_blocks(counts):
    generator = mg.Generator(3)
    for count in counts:
        assert generator.raw(count).shape == (count,)
    assert generator.get_state() == {"seed": 3, "offset": sum(-(-count // 4) for count in counts)}


@pytest.mark.parametrize("name", DRAWS)
def test_a_seed_repeats_its_numbers_and_another_does_not(name):
    one, same, other = (DRAWS[name](mg.Generator(seed), 40) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_a_seed_is_taken_modulo_two_to_the_sixty_four():
    assert mg.Generator(-1).initial_seed() == WORD
    assert mg.Generator(2**64 + 3).raw(4).tolist() == mg.Generator(3).raw(4).tolist()
    assert mg.Generator(np.int64(3)).initial_seed() == 3


@pytest.mark.parametrize("seed", [1.5, "1", None, True])
def test_a_seed_must_be_an_integer(seed):
    with pytest.raises(TypeError, match=r"manual_seed\(\): seed must be an int, got"):
        mg.Generator(seed)


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        ({"seed": 1}, ValueError, "expected the keys seed and offset, got"),
        ({"seed": 1, "offset": 0, "more": 2}, ValueError, "expected the keys"),
        ({"seed": -1, "offset": 0}, ValueError, r"must lie in \[0, 2\*\*64\)"),
        ({"seed": 0, "offset": 2**64}, ValueError, r"must lie in \[0, 2\*\*64\)"),
        ({"seed": 1.5, "offset": 0}, TypeError, "float"),
    ],
)
def test_a_state_must_be_one(state, error, message):
    generator = mg.Generator(4)
    with pytest.raises(error, match=message):
        generator.set_state(state)
    assert generator.get_state() == {"seed": 4, "offset": 0}


def test_manual_seed_starts_the_default_generator_again():
    assert mg.manual_seed(7) is mg.default_generator()
    first = mg.randn(3).tolist()
    assert mg.randn(3).tolist() != first
    mg.manual_seed(7)
    assert mg.randn(3).tolist() == first
    assert mg.randn(3, generator=mg.Generator(7)).tolist() == first


def test_threads_share_a_generator_without_drawing_a_block_twice():
    generator, drawn = mg.Generator(1), []

    def draw():
        drawn.extend(generator.raw(4).tolist() for _ in range(200))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = mg.Generator(1).raw(4 * 800).reshape(800, 4).tolist()
    assert sorted(drawn) == sorted(expected)
    assert generator.get_state()["offset"] == 800


# ------------------------------------------------------------------------------------------ distributions

MANY = 100_000
SURE = 4.0  # standard deviations: the seed is fixed, so this fails for good or never


def z(values, mean, deviation):
    """How many standard errors the mean of the values lies from `mean`."""
    return abs(values.mean() - mean) / (deviation / math.sqrt(values.size))


@pytest.mark.parametrize(("dtype", "bits"), [("float64", 53), ("float32", 24), ("float16", 11)])
def test_uniform_numbers_fill_the_unit_interval_evenly(dtype, bits):
    values = mg.Generator(11).uniform(MANY, dtype)
    assert values.dtype == dtype
    assert 0 <= values.min() < values.max() < 1
    steps = values.astype("float64") * 2.0**bits
    np.testing.assert_array_equal(steps, np.floor(steps))
    centred = values.astype("float64") - (0.5 - 2.0 ** -(bits + 1))
    assert z(centred, 0, math.sqrt(1 / 12)) < SURE
    assert z(centred**2, 1 / 12, math.sqrt(1 / 180)) < SURE
    counts = np.bincount((values.astype("float64") * 16).astype(int), minlength=16)
    assert chi_square(counts) < 15 + SURE * math.sqrt(30)


def chi_square(counts):
    expected = counts.sum() / len(counts)
    return ((counts - expected) ** 2 / expected).sum()


def test_normal_numbers_have_the_moments_of_the_normal_distribution():
    values = mg.Generator(12).normal(MANY, "float64")
    assert z(values, 0, 1) < SURE
    assert z(values**2, 1, math.sqrt(2)) < SURE
    assert z(values**3, 0, math.sqrt(15)) < SURE
    assert z(values**4, 3, math.sqrt(96)) < SURE
    assert z((np.abs(values) < 1).astype(float), math.erf(math.sqrt(0.5)), 0.466) < SURE
    assert z(values[: MANY // 2] * values[MANY // 2 :], 0, 1) < SURE  # the two halves of a polar pair


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
def test_any_number_of_normal_numbers_can_be_drawn(count):
    values = mg.Generator(1).normal(count)
    assert (values.shape, values.dtype) == ((count,), "float32")
    assert np.isfinite(values).all()


def test_integers_are_even_over_their_range():
    values = mg.Generator(13).integers(-3, 7, MANY)
    assert (values.min(), values.max(), values.dtype) == (-3, 6, "int64")
    assert chi_square(np.bincount(values + 3)) < 9 + SURE * math.sqrt(18)


@pytest.mark.parametrize(
    ("low", "high"), [(3, 3), (5, 2), (0, 2**63 + 1), (-(2**63), 1), (2**63 - 1, 2**63 + 1)]
)
def test_an_empty_or_too_wide_range_of_integers_is_refused(low, high):
    with pytest.raises(ValueError, match=f"low={low}, high={high}"):
        mg.Generator(1).integers(low, high)


@pytest.mark.parametrize("half", [2**30, 2**30 + 1, 2**52, 2**62])
def test_a_wide_range_of_integers_is_reached_at_both_ends(half):
    values = mg.Generator(14).integers(-half, half, MANY)
    assert -half <= values.min() < -half * 0.999
    assert half > values.max() > half * 0.999
    assert z(values / half, 0, math.sqrt(1 / 3)) < SURE


@given(st.integers(0, 50), st.integers(0, WORD))
def test_a_permutation_holds_each_number_once(count, seed):
    assert sorted(mg.Generator(seed).permutation(count).tolist()) == list(range(count))


def test_permutations_are_equally_likely():
    generator, counts = mg.Generator(15), {}
    for _ in range(6_000):
        order = tuple(generator.permutation(3).tolist())
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 6
    assert chi_square(np.array([*counts.values()])) < 5 + SURE * math.sqrt(10)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.25, 0.5, 0.9, 1.0])
def test_a_mask_keeps_at_its_rate_and_its_scale_undoes_it(p):
    mask, scale = mg.Generator(16).keep_mask((MANY,), p)
    kept = 1 - round(p * 65536) / 65536
    assert (mask.dtype, mask.shape) == (np.bool_, (MANY,))
    assert scale == (1 / kept if kept else 0.0)
    deviation = math.sqrt(kept * (1 - kept))
    assert mask.mean() == kept if deviation == 0 else z(mask.astype(float), kept, deviation) < SURE


def test_a_mask_takes_sixteen_bits_for_each_element():
    generator = mg.Generator(1)
    mask, _ = generator.keep_mask((5, 16), 0.5)
    assert (mask.shape, generator.get_state()["offset"]) == ((5, 16), 5)
