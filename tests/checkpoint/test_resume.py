"""minigrad.training_state: a run resumed in the middle of an epoch has the bits of one that never stopped."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules import OURS, SCHEDULES
from training_run import AVERAGES, MODELS, OPTIMIZERS, ORDERS, STEPS, Run


def check_resumed(folder, stop, *settings):
    random.seed(7)
    np.random.seed(7)  # noqa: NPY002
    run = Run(*settings).train(stop)
    run.save(folder / "stopped")
    whole = run.train(STEPS).save(folder / "whole").read_bytes()
    random.seed(8)
    np.random.seed(8)  # noqa: NPY002
    resumed = Run(*settings)
    resumed.resume(folder / "stopped").train(STEPS)
    assert resumed.losses == run.losses[stop:]
    assert (
        resumed.save(folder / "resumed").read_bytes() == whole
    )  # parameters, buffers, states, random numbers, order


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_resumed_run_has_the_same_bits_with_every_optimiser(tmp_path, optimizer):
    check_resumed(tmp_path, 6, "MLP", optimizer, "StepLR", "EMA", "the default generator")


@pytest.mark.parametrize("schedule", sorted(SCHEDULES | OURS))
def test_a_resumed_run_has_the_same_bits_with_every_schedule(tmp_path, schedule):
    check_resumed(tmp_path, 6, "MLP", "AdamW of two groups", schedule, "mean", "its own generator")


FEW = ["StepLR", "CosineAnnealingLR", "SequentialLR", "ChainedScheduler", "ReduceLROnPlateau", "NoamLR"]


@given(
    st.integers(1, STEPS - 1),
    st.sampled_from(sorted(MODELS)),
    st.sampled_from(sorted(OPTIMIZERS)),
    st.sampled_from(FEW),
    st.sampled_from(sorted(AVERAGES)),
    st.sampled_from(sorted(ORDERS)),
)
def test_a_run_stopped_at_any_step_and_resumed_has_the_same_bits(
    tmp_path_factory, stop, model, optimizer, schedule, average, order
):
    folder = tmp_path_factory.mktemp("run")
    check_resumed(folder, stop, model, optimizer, schedule, average, order)
