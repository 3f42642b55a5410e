"""Tasks made here: what is asked for is drawn, once, with its right answer, and alike on every machine."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data import TOY_TASKS, Pair, adding_problem, toy_pairs

ANSWERS = {
    "reverse": lambda source: "".join(reversed(source)),
    "copy": lambda source: source,
    "sort": lambda source: "".join(sorted(source)),
    "addition": lambda source: str(int(source.split("+")[0]) + int(source.split("+")[1])),
}


@pytest.mark.parametrize("task", TOY_TASKS)
def test_every_target_is_the_right_answer_and_no_source_comes_twice(task):
    train, heldout = toy_pairs(task, 3, 400, 50)
    assert (len(train), len(heldout)) == (400, 50)
    assert all(pair.target == ANSWERS[task](pair.source) for pair in train + heldout)
    assert len({pair.source for pair in train + heldout}) == 450


def test_the_pairs_of_a_seed_are_these():
    assert toy_pairs("reverse", 7, 2, 1, lengths=(3, 4)) == (
        [Pair("jugz", "zguj"), Pair("vll", "llv")],
        [Pair("mdq", "qdm")],
    )
    assert toy_pairs("addition", 7, 2, 1)[0] == [Pair("9+74", "83"), Pair("4+4", "8")]


def test_the_hash_seed_of_the_process_changes_nothing():
    program = "from minigrad.data import toy_pairs; print(toy_pairs('sort', 1, 5, 5))"
    runs = [
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "1")
    ]
    assert runs[0] == runs[1]
    assert runs[0].decode().strip() == str(toy_pairs("sort", 1, 5, 5))


def test_the_seed_decides_and_the_size_of_the_training_part_does_not_move_the_border():
    train, heldout = toy_pairs("copy", 1, 100, 20)
    assert toy_pairs("copy", 1, 100, 20) == (train, heldout)
    assert toy_pairs("copy", 1, 900, 20)[1] == heldout
    assert toy_pairs("copy", 2, 100, 20) != (train, heldout)


@given(
    st.sampled_from(TOY_TASKS),
    st.integers(0, 2**64 - 1),
    st.tuples(st.integers(1, 3), st.integers(1, 3)).map(sorted),
    st.integers(0, 60),
    st.integers(0, 20),
)
def test_what_exists_is_drawn_and_more_is_refused(task, seed, lengths, train, heldout):
    shortest, longest = lengths
    if task == "addition":
        numbers = [10] + [9 * 10**digits for digits in range(1, 3)]
        sizes = [a * b for a in numbers[shortest - 1 : longest] for b in numbers[shortest - 1 : longest]]
    else:
        sizes = [2**length for length in range(shortest, longest + 1)]
    if heldout > sum(size // 2 for size in sizes) or train > sum(sizes) - heldout:
        with pytest.raises(ValueError, match=r"expected 0 to \d[\d,]*; ask for fewer, or for longer sources"):
            toy_pairs(task, seed, train, heldout, lengths=(shortest, longest), alphabet="ab")
        return
    drawn = toy_pairs(task, seed, train, heldout, lengths=(shortest, longest), alphabet="ab")
    sources = [pair.source for part in drawn for pair in part]
    assert (len(drawn[0]), len(drawn[1]), len(set(sources))) == (train, heldout, train + heldout)
    for part in (part for source in sources for part in source.split("+")):
        assert shortest <= len(part) <= longest
        assert part == str(int(part)) if task == "addition" else set(part) <= {"a", "b"}


def test_every_source_there_is_can_be_drawn():
    train, heldout = toy_pairs("copy", 0, 11, 3, lengths=(1, 3), alphabet="ab")
    words = {f"{number:0{length}b}" for length in (1, 2, 3) for number in range(2**length)}
    assert {pair.source.translate(str.maketrans("ab", "01")) for pair in train + heldout} == words


def test_lengths_come_equally_often_and_the_few_short_ones_stay_in_the_training_part():
    train, heldout = toy_pairs("copy", 5, 250, 60, lengths=(1, 4), alphabet="abcd")
    counts = np.bincount([len(pair.source) for pair in train], minlength=5)
    assert counts[1:].tolist() == [2, 8, 39, 201]
    assert np.bincount([len(pair.source) for pair in heldout])[1:].tolist() == [2, 8, 25, 25]
    train, _ = toy_pairs("copy", 5, 300, 0, lengths=(3, 5))
    assert np.bincount([len(pair.source) for pair in train])[3:].tolist() == [100, 100, 100]


def test_long_sources_use_every_letter_at_every_place():
    train, _ = toy_pairs("copy", 9, 200, 0, lengths=(100, 100), alphabet="ab")
    share = np.array([[letter == "a" for letter in pair.source] for pair in train]).mean(axis=0)
    assert share.shape == (100,)
    assert (np.abs(share - 0.5) < 0.2).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"task": "reversal"}, "task is 'reversal', expected one of reverse, copy, sort, addition"),
        ({"lengths": (0, 3)}, r"lengths are \(0, 3\), expected 1 <= shortest <= longest"),
        ({"lengths": (4, 3)}, r"lengths are \(4, 3\)"),
        ({"alphabet": ""}, "alphabet is '', expected letters, each once, and no space"),
        ({"alphabet": "aa"}, "alphabet is 'aa'"),
        ({"alphabet": "a b"}, "alphabet is 'a b'"),
        ({"train": -1}, "train is -1, expected 0 to"),
        ({"heldout": 10**14}, "heldout is 100,000,000,000,000, expected 0 to 108,"),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        toy_pairs(**{"task": "copy", "seed": 0, "train": 5, "heldout": 5, **arguments})


@given(st.integers(0, 2**64 - 1), st.integers(0, 8), st.integers(2, 30))
def test_the_adding_problem_marks_one_number_in_each_half(seed, count, length):
    inputs, sums = adding_problem(seed, count, length)
    assert inputs.shape == (count, length, 2)
    assert inputs.dtype == sums.dtype == np.float32
    numbers, marks = inputs[:, :, 0], inputs[:, :, 1]
    assert ((numbers >= 0) & (numbers < 1)).all()
    assert (marks[:, : length // 2].sum(axis=1) == 1).all()
    assert (marks[:, length // 2 :].sum(axis=1) == 1).all()
    np.testing.assert_allclose(sums, (numbers * marks).sum(axis=1), rtol=1e-6)


def test_the_mean_of_the_adding_problem_leaves_an_error_of_a_sixth():
    _, sums = adding_problem(0, 20_000, 4)
    assert abs(((sums - 1) ** 2).mean() - 1 / 6) < 0.005


@pytest.mark.parametrize(("count", "length"), [(-1, 10), (1, 1)])
def test_an_adding_problem_that_cannot_be_drawn_is_refused(count, length):
    with pytest.raises(ValueError, match=f"count is {count}, length {length}, expected at least 0, and"):
        adding_problem(0, count, length)
