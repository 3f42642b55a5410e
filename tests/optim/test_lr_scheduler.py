"""minigrad.optim.lr_scheduler: each schedule by its closed form, resumed half-way, and against PyTorch."""

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.checkpoint import load_checkpoint, save_checkpoint
from minigrad.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler, OneCycleLR

STEPS = 80
RATES = [0.1, 0.02]


def optimizer_of(library, name="Adam", leaf=lambda: mg.tensor(np.ones(2), requires_grad=True), **options):
    """An optimiser of `library` with two groups."""
    groups = [{"params": [leaf()], "lr": lr} for lr in RATES]
    return getattr(library.optim, name)(groups, **options)


def history(optimizer, scheduler, steps=STEPS):
    """Rates and momenta from the first step on."""
    found = []
    for _ in range(steps):
        momenta = [
            group["betas"][0] if "betas" in group else group["momentum"] for group in optimizer.param_groups
        ]
        found.append([group["lr"] for group in optimizer.param_groups] + momenta)
        assert scheduler.get_last_lr() == found[-1][:2]
        optimizer.step()
        scheduler.step()
    return found


SCHEDULES = {
    "LambdaLR": ("LambdaLR", {"lr_lambda": lambda t: 0.95**t}),
    "LambdaLR of each group": (
        "LambdaLR",
        {"lr_lambda": [lambda t: 1 / (t + 1), lambda t: min(t / 10, 1.0)]},
    ),
    "CosineAnnealingLR": ("CosineAnnealingLR", {"T_max": 80}),
    "CosineAnnealingLR and back": ("CosineAnnealingLR", {"T_max": 15, "eta_min": 0.001}),
    "CosineAnnealingLR of one step": ("CosineAnnealingLR", {"T_max": 1}),
    "OneCycleLR": ("OneCycleLR", {"max_lr": 0.5, "total_steps": 80}),
    "OneCycleLR linear": (
        "OneCycleLR",
        {"max_lr": [0.5, 0.1], "epochs": 8, "steps_per_epoch": 10, "anneal_strategy": "linear"},
    ),
    "OneCycleLR of three phases": (
        "OneCycleLR",
        {"max_lr": 0.5, "total_steps": 90, "three_phase": True, "pct_start": 0.25},
    ),
    "OneCycleLR without momentum": (
        "OneCycleLR",
        {"max_lr": 0.5, "total_steps": 81, "cycle_momentum": False, "div_factor": 5},
    ),
}
each_schedule = pytest.mark.parametrize(("name", "options"), SCHEDULES.values(), ids=SCHEDULES)


def schedule(library, optimizer, name, options, **more):
    return getattr(library.optim.lr_scheduler, name)(optimizer, **options, **more)


@pytest.mark.filterwarnings("default:Detected call of `lr_scheduler.step")
@pytest.mark.oracle
@pytest.mark.parametrize("kind", [("Adam", {}), ("SGD", {"momentum": 0.9})], ids=["Adam", "SGD"])
@each_schedule
def test_eighty_steps_agree_with_pytorch(name, options, kind):
    import torch

    ours = optimizer_of(mg, kind[0], **kind[1])
    theirs = optimizer_of(torch, kind[0], lambda: torch.ones(2, requires_grad=True), **kind[1])
    found = history(ours, schedule(mg, ours, name, options))
    expected = history(theirs, schedule(torch, theirs, name, options))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


@each_schedule
def test_a_schedule_resumed_half_way_sets_the_same_bits(tmp_path, name, options):
    optimizer = optimizer_of(mg)
    whole = history(optimizer, schedule(mg, optimizer, name, options))

    first = optimizer_of(mg)
    scheduler = schedule(mg, first, name, options)
    history(first, scheduler, 33)
    save_checkpoint({"o": first.state_dict(), "s": scheduler.state_dict()}, tmp_path / "file")
    second = optimizer_of(mg)
    resumed = schedule(mg, second, name, options)
    state = load_checkpoint(tmp_path / "file")
    second.load_state_dict(state["o"])
    resumed.load_state_dict(state["s"])
    assert history(second, resumed, STEPS - 33) == whole[33:]


def test_lambda_lr_multiplies_the_first_rate():
    optimizer = optimizer_of(mg)
    found = history(optimizer, LambdaLR(optimizer, lambda t: 0.5**t), 5)
    assert [row[0] for row in found] == [0.1 * 0.5**t for t in range(5)]


def test_cosine_annealing_follows_its_closed_form_down_and_up_again():
    optimizer = optimizer_of(mg)
    found = history(optimizer, CosineAnnealingLR(optimizer, T_max=20, eta_min=0.01))
    for column, start in enumerate(RATES):
        expected = [0.01 + (start - 0.01) * (1 + math.cos(math.pi * t / 20)) / 2 for t in range(STEPS)]
        np.testing.assert_allclose([row[column] for row in found], expected, rtol=1e-12)


def test_cosine_annealing_keeps_a_change_by_others_in_proportion():
    optimizer = optimizer_of(mg)
    scheduler = CosineAnnealingLR(optimizer, T_max=20)
    history(optimizer, scheduler, 5)
    for group in optimizer.param_groups:
        group["lr"] /= 2
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.05 * (1 + math.cos(math.pi * 6 / 20)) / 2)


def test_one_cycle_starts_culminates_and_ends_where_it_says():
    optimizer = optimizer_of(mg)
    found = history(optimizer, OneCycleLR(optimizer, max_lr=0.5, total_steps=STEPS, pct_start=0.25))
    rates, momenta = [row[0] for row in found], [row[2] for row in found]
    assert rates[0] == pytest.approx(0.5 / 25)
    assert rates[19] == max(rates) == pytest.approx(0.5)
    assert rates[-1] == pytest.approx(0.5 / 25 / 1e4)
    assert (momenta[0], momenta[19], momenta[-1]) == pytest.approx((0.95, 0.85, 0.95))
    sgd = optimizer_of(mg, "SGD", momentum=0.1)
    assert [
        row[2] for row in history(sgd, OneCycleLR(sgd, 0.5, total_steps=STEPS, pct_start=0.25))
    ] == momenta
    assert rates[:20] == sorted(rates[:20])
    assert rates[19:] == sorted(rates[19:], reverse=True)


def test_one_cycle_beyond_its_end_is_refused():
    optimizer = optimizer_of(mg)
    scheduler = OneCycleLR(optimizer, max_lr=0.5, total_steps=3)
    for _ in range(3):
        scheduler.step()
    with pytest.raises(ValueError, match="step 4 of a cycle of 3; make total_steps larger"):
        scheduler.step()


def test_a_schedule_can_begin_at_a_later_step():
    whole_run, later = optimizer_of(mg), optimizer_of(mg)
    whole = history(whole_run, LambdaLR(whole_run, lambda t: 0.9**t), 10)
    for group in later.param_groups:
        group["initial_lr"] = group["lr"]
    assert history(later, LambdaLR(later, lambda t: 0.9**t, last_epoch=4), 5) == whole[5:]


def test_a_group_added_after_the_schedule_was_made_is_an_error():
    optimizer = optimizer_of(mg)
    scheduler = CosineAnnealingLR(optimizer, T_max=20)
    optimizer.add_param_group({"params": mg.ones(1, requires_grad=True)})
    with pytest.raises(RuntimeError, match="has 3 groups, and had 2 when the schedule was made"):
        scheduler.step()


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda o: LambdaLR([1], lambda t: 1.0), TypeError, "got a list, expected an Optimizer"),
        (
            lambda o: LambdaLR(o, [lambda t: 1.0]),
            ValueError,
            "got 1 functions, expected one, or one for each of the 2",
        ),
        (
            lambda o: LambdaLR(o, lambda t: 1.0, last_epoch=3),
            KeyError,
            r"param_groups\[0\] has no 'initial_lr'",
        ),
        (lambda o: CosineAnnealingLR(o, 0), ValueError, "T_max — got 0"),
        (
            lambda o: OneCycleLR(o, 0.1),
            ValueError,
            "expected total_steps, or both epochs and steps_per_epoch",
        ),
        (lambda o: OneCycleLR(o, 0.1, total_steps=0), ValueError, "total_steps — got 0"),
        (lambda o: OneCycleLR(o, 0.1, total_steps=9, pct_start=2), ValueError, "pct_start — got 2"),
        (
            lambda o: OneCycleLR(o, 0.1, total_steps=9, anneal_strategy="sin"),
            ValueError,
            "got 'sin', expected 'cos'",
        ),
        (lambda o: OneCycleLR(o, [0.1], total_steps=9), ValueError, "max_lr — got 1 values, expected 2"),
        (
            lambda o: OneCycleLR(mg.optim.Optimizer([mg.ones(1)], {}), 0.1, total_steps=9),
            ValueError,
            "neither momentum",
        ),
        (LRScheduler, NotImplementedError, "define get_lr"),
    ],
)
def test_a_schedule_of_bad_arguments_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make(optimizer_of(mg))
