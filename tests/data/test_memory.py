"""Problems of memory: what is to be remembered, where it stands, and what chance would say."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.data import copy_memory, copy_memory_baseline, recall
from minigrad.nn import functional as F

SEEDS = st.integers(0, 2**64 - 1)


@given(SEEDS, st.integers(0, 5), st.integers(1, 40))
def test_ten_symbols_are_read_and_to_be_said_behind_the_sign(seed, count, delay):
    inputs, targets = copy_memory(seed, count, delay)
    assert inputs.shape == targets.shape == (count, delay + 20)
    assert ((inputs[:, :10] >= 1) & (inputs[:, :10] <= 8)).all()
    assert (inputs[:, :10] == targets[:, -10:]).all()
    assert (inputs[:, 10:] == [9 * (step == delay - 1) for step in range(delay + 10)]).all()
    assert (targets[:, :-10] == 0).all()


def test_the_baseline_is_the_loss_of_whoever_remembers_nothing():
    _, targets = copy_memory(1, 200, 30)
    logits = np.full((200, 50, 10), -math.inf)
    logits[:, :40, 0] = 0  # certain of the blanks
    logits[:, 40:, 1:9] = 0  # and at a loss for the symbols
    loss = F.cross_entropy(mg.tensor(logits.reshape(-1, 10)), mg.tensor(targets.reshape(-1)))
    assert loss.item() == pytest.approx(copy_memory_baseline(30))
    assert copy_memory_baseline(30) == pytest.approx(10 * math.log(8) / 50)


def test_every_symbol_is_drawn():
    inputs, _ = copy_memory(2, 100, 1)
    assert set(inputs[:, :10].ravel()) == set(range(1, 9))


@given(SEEDS, st.integers(0, 5), st.integers(1, 20), st.integers(2, 9), st.data())
def test_the_answer_stands_so_many_steps_before_the_last(seed, count, length, symbols, data):
    distance = data.draw(st.integers(0, length - 1))
    inputs, answers = recall(seed, count, length, distance, symbols=symbols)
    assert inputs.shape == (count, length)
    assert ((inputs >= 0) & (inputs < symbols)).all()
    assert [row[::-1][distance] for row in inputs.tolist()] == answers.tolist()


def test_a_seed_gives_the_same_again():
    assert (copy_memory(3, 4, 5).inputs == copy_memory(3, 4, 5).inputs).all()
    assert (copy_memory(3, 4, 5).inputs != copy_memory(4, 4, 5).inputs).any()
    assert (recall(3, 4, 5, 1).inputs == recall(3, 4, 5, 1).inputs).all()
    assert (recall(3, 4, 5, 1).inputs != recall(4, 4, 5, 1).inputs).any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: copy_memory(0, -1, 5), "count is -1, delay 5, expected at least 0, and at least 1"),
        (lambda: copy_memory(0, 1, 0), "delay 0"),
        (lambda: recall(0, -1, 5, 1), "count is -1"),
        (lambda: recall(0, 1, 5, 5), "length 5, distance 5, .* expected count of at least 0, 0 <= distance"),
        (lambda: recall(0, 1, 5, -1), "distance -1"),
        (lambda: recall(0, 1, 5, 1, symbols=1), "symbols 1, .* and two symbols or more"),
    ],
)
def test_a_problem_that_cannot_be_drawn_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
