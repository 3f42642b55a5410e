"""minigrad.optim.lr_scheduler: each schedule by its closed form, resumed half-way, and against PyTorch."""

import math
from inspect import signature

import numpy as np
import pytest

import minigrad as mg
from minigrad.checkpoint import load_checkpoint, save_checkpoint
from minigrad.optim import lr_scheduler
from minigrad.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    NoamLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)
from schedules import OURS, RATES, SCHEDULES, STEPS, metric


def optimizer_of(library, name="Adam", leaf=lambda: mg.tensor(np.ones(2), requires_grad=True), **options):
    """An optimiser of `library` with two groups."""
    groups = [{"params": [leaf()], "lr": lr} for lr in RATES]
    return getattr(library.optim, name)(groups, **options)


def history(optimizer, scheduler, steps=STEPS, first=0):
    """Rates and momenta from the first step on."""
    found = []
    for step in range(first, first + steps):
        momenta = [
            group["betas"][0] if "betas" in group else group["momentum"] for group in optimizer.param_groups
        ]
        found.append([group["lr"] for group in optimizer.param_groups] + momenta)
        assert scheduler.get_last_lr() == found[-1][:2]
        optimizer.step()
        scheduler.step(*([metric(step)] if "Plateau" in type(scheduler).__name__ else []))
    return found


each_schedule = pytest.mark.parametrize(
    "make", [*SCHEDULES.values(), *OURS.values()], ids=[*SCHEDULES, *OURS]
)


@pytest.mark.filterwarnings("default:Detected call of `lr_scheduler.step", "default:To get the last learning")
@pytest.mark.oracle
@pytest.mark.parametrize("kind", [("Adam", {}), ("SGD", {"momentum": 0.9})], ids=["Adam", "SGD"])
@pytest.mark.parametrize("make", SCHEDULES.values(), ids=SCHEDULES)
def test_eighty_steps_agree_with_pytorch(make, kind):
    import torch

    torch.optim.lr_scheduler.SWALR = torch.optim.swa_utils.SWALR  # where ours is
    ours = optimizer_of(mg, kind[0], **kind[1])
    theirs = optimizer_of(torch, kind[0], lambda: torch.ones(2, requires_grad=True), **kind[1])
    found = history(ours, make(lr_scheduler, ours))
    expected = history(theirs, make(torch.optim.lr_scheduler, theirs))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


TAKES_LAST_EPOCH = [name for name, make in SCHEDULES.items() if signature(make).parameters.get("k")]


@pytest.mark.filterwarnings("default:Detected call of `lr_scheduler.step", "default:To get the last learning")
@pytest.mark.oracle
@pytest.mark.parametrize("last_epoch", [0, 6, 18])
@pytest.mark.parametrize("name", TAKES_LAST_EPOCH)
def test_beginning_at_a_later_step_agrees_with_pytorch(name, last_epoch):
    import torch

    found = []
    for library, leaf in ((mg, mg.ones), (torch, torch.ones)):
        optimizer = optimizer_of(library, leaf=lambda leaf=leaf: leaf(2, requires_grad=True))
        for group in optimizer.param_groups:
            group["initial_lr"] = 2 * group["lr"]
        scheduler = SCHEDULES[name](library.optim.lr_scheduler, optimizer, last_epoch=last_epoch)
        found.append(history(optimizer, scheduler, 40))
    np.testing.assert_allclose(*found, rtol=0, atol=1e-10)


@each_schedule
def test_a_schedule_resumed_half_way_sets_the_same_bits(tmp_path, make):
    optimizer = optimizer_of(mg)
    whole = history(optimizer, make(lr_scheduler, optimizer))

    first = optimizer_of(mg)
    scheduler = make(lr_scheduler, first)
    history(first, scheduler, 33)
    save_checkpoint({"o": first.state_dict(), "s": scheduler.state_dict()}, tmp_path / "file")
    second = optimizer_of(mg)
    resumed = make(lr_scheduler, second)
    state = load_checkpoint(tmp_path / "file")
    second.load_state_dict(state["o"])
    resumed.load_state_dict(state["s"])
    assert history(second, resumed, STEPS - 33, first=33) == whole[33:]


def rates(scheduler, steps):
    """What the first group's rate is at each step."""
    found = []
    for _ in range(steps):
        found.append(scheduler.get_last_lr()[0])
        scheduler.step()
    return found


def warm_restarts(optimizer):
    return CosineAnnealingWarmRestarts(optimizer, 3, 2)


thirds, sixths, twelfths = ([t / n for t in range(n)] for n in (3, 6, 12))  # of the periods that have passed
CLOSED_FORMS = [
    (lambda o: StepLR(o, 3, 0.5), lambda t: 0.5 ** (t // 3)),
    (lambda o: MultiStepLR(o, [2, 5, 5], 0.5), lambda t: 0.5 ** ((t >= 2) + 2 * (t >= 5))),
    (lambda o: ConstantLR(o, 0.25, 4), lambda t: 0.25 if t < 4 else 1.0),
    (lambda o: LinearLR(o, 0.5, 0.1, 8), lambda t: 0.5 - 0.05 * min(t, 8)),
    (lambda o: ExponentialLR(o, 0.9), lambda t: 0.9**t),
    (lambda o: PolynomialLR(o, 9, 2.0), lambda t: (1 - min(t, 9) / 9) ** 2),
    (lambda o: lr_scheduler.MultiplicativeLR(o, lambda t: 1 / (t + 1)), lambda t: 1 / math.factorial(t + 1)),
    (warm_restarts, lambda t: (1 + math.cos(math.pi * [*thirds, *sixths, *twelfths][t])) / 2),
    (lambda o: NoamLR(o, 64, 6), lambda t: 64**-0.5 * min((t + 1) ** -0.5, (t + 1) * 6**-1.5)),
]


@pytest.mark.parametrize(("make", "factor"), CLOSED_FORMS)
def test_a_schedule_follows_its_closed_form(make, factor):
    found = rates(make(optimizer_of(mg)), 16)
    np.testing.assert_allclose(found, [RATES[0] * factor(t) for t in range(16)], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("make", [make for make, _ in CLOSED_FORMS if make is not warm_restarts])
def test_a_change_of_the_rate_by_others_is_kept_in_proportion(make):
    optimizer, other = optimizer_of(mg), optimizer_of(mg)
    scheduler, undisturbed = make(optimizer), make(other)
    for _ in range(2):
        scheduler.step()
        undisturbed.step()
    for group in optimizer.param_groups:
        group["lr"] /= 2
    halved = [rate / 2 for rate in rates(undisturbed, 8)]
    np.testing.assert_allclose(rates(scheduler, 8)[1:], halved[1:], rtol=1e-12, atol=1e-15)


def test_noam_is_the_schedule_of_attention_is_all_you_need():
    optimizer = mg.optim.Adam([mg.zeros(2, requires_grad=True)], lr=1.0)
    found = rates(NoamLR(optimizer, d_model=512), 8000)
    assert found.index(max(found)) + 1 == 4000
    assert max(found) == pytest.approx((512 * 4000) ** -0.5)
    assert found[0] == pytest.approx(512**-0.5 * 4000**-1.5)


def test_a_cycle_goes_from_limit_to_limit_and_momentum_the_other_way():
    optimizer = optimizer_of(mg)
    found = history(optimizer, CyclicLR(optimizer, 0.01, 0.1, 4, 8, mode="triangular2"), 29)
    at = {step: found[step][0] for step in (0, 4, 12, 16, 24, 28)}
    assert at == pytest.approx({0: 0.01, 4: 0.1, 12: 0.01, 16: 0.055, 24: 0.01, 28: 0.0325})
    assert [found[step][2] for step in (0, 4, 12)] == pytest.approx([0.9, 0.8, 0.9])


def test_a_plateau_lowers_the_rate_after_its_patience_and_rests_for_its_cooldown():
    optimizer = optimizer_of(mg)
    scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=1, cooldown=2, min_lr=0.02)
    found = []
    for loss in [3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, mg.tensor(1.0), 2.0, 2.0, 2.0]:
        scheduler.step(loss)
        found.append(scheduler.get_last_lr())
    assert [rate for rate, _ in found] == [0.1] * 3 + [0.05] * 4 + [0.025] * 4 + [0.02]
    assert [rate for _, rate in found] == [0.02] * 12


def test_a_plateau_of_nan_is_no_improvement():
    scheduler = ReduceLROnPlateau(optimizer_of(mg), patience=0)
    scheduler.step(math.nan)
    assert scheduler.get_last_lr()[0] == pytest.approx(0.01)


def test_warm_restarts_go_to_a_step_between_two():
    scheduler = CosineAnnealingWarmRestarts(optimizer_of(mg), 4, 2)
    for epoch in (0.5, 3.75, 4.0, 8.0, 12.0, 27.9):
        scheduler.step(epoch)
        into, period = [(epoch, 4), (epoch - 4, 8), (epoch - 12, 16)][(epoch >= 4) + (epoch >= 12)]
        expected = RATES[0] * (1 + math.cos(math.pi * into / period)) / 2
        assert scheduler.get_last_lr()[0] == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match=r"step\(\): epoch — got -1, expected a number >= 0"):
        scheduler.step(-1)


def test_swa_ends_at_its_rate_whatever_another_schedule_did():
    optimizer = optimizer_of(mg)
    found = rates(lr_scheduler.SWALR(optimizer, 0.5, anneal_epochs=4, anneal_strategy="linear"), 8)
    assert found == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.5, 0.5])


def test_a_state_of_another_schedule_is_refused():
    state = StepLR(optimizer_of(mg), 3).state_dict()
    with pytest.raises(
        ValueError, match=r"ConstantLR.load_state_dict\(\): got no 'start_factor'; was it saved"
    ):
        ConstantLR(optimizer_of(mg)).load_state_dict(state)


def test_functions_are_no_part_of_a_state_and_objects_are():
    optimizer = optimizer_of(mg)
    scheduler, twin = (SCHEDULES["LambdaLR of an object"](lr_scheduler, optimizer) for _ in range(2))
    scheduler.step()
    assert scheduler.state_dict()["lr_lambdas"] == [{"calls": 2}, {"calls": 2}]
    twin.load_state_dict(scheduler.state_dict())
    assert [function.calls for function in twin.lr_lambdas] == [2, 2]
    assert LambdaLR(optimizer, lambda t: 1.0).state_dict()["lr_lambdas"] == [None, None]
    assert SCHEDULES["CyclicLR by an object"](lr_scheduler, optimizer).state_dict()["custom_scale"] == {
        "calls": 1
    }


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
    plateau = ReduceLROnPlateau(optimizer)
    optimizer.add_param_group({"params": mg.ones(1, requires_grad=True)})
    with pytest.raises(RuntimeError, match="has 4 groups, and had 3 when the schedule was made"):
        plateau.step(1.0)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda o: LambdaLR([1], lambda t: 1.0), TypeError, "got a list, expected an Optimizer"),
        (
            lambda o: LambdaLR(o, [lambda t: 1.0]),
            ValueError,
            "lr_lambda — got 1 values, expected 2, one for each group",
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
        (lr_scheduler.multiple.Multiple, NotImplementedError, "define factor"),
        (lambda o: LambdaLR(o, 0.5), TypeError, "lr_lambda — got a float, expected a function"),
        (lambda o: StepLR(o, 0), ValueError, "step_size — got 0, expected a number of steps > 0"),
        (lambda o: ConstantLR(o, 1.5), ValueError, "factor — got 1.5, expected 0 < factor <= 1"),
        (lambda o: ConstantLR(o, total_iters=0), ValueError, "ConstantLR.*total_iters — got 0"),
        (lambda o: LinearLR(o, 0.0), ValueError, "start_factor — got 0.0"),
        (lambda o: LinearLR(o, end_factor=-1), ValueError, "end_factor — got -1"),
        (lambda o: LinearLR(o, total_iters=0), ValueError, "LinearLR.*total_iters — got 0"),
        (lambda o: PolynomialLR(o, 0), ValueError, "PolynomialLR.*total_iters — got 0"),
        (lambda o: NoamLR(o, 0), ValueError, "d_model — got 0, expected a width > 0"),
        (lambda o: NoamLR(o, 8, -1), ValueError, "warmup_steps — got -1"),
        (lambda o: CosineAnnealingWarmRestarts(o, 0), ValueError, "T_0 — got 0, expected an integer > 0"),
        (lambda o: CosineAnnealingWarmRestarts(o, 2.5), ValueError, "T_0 — got 2.5"),
        (lambda o: CosineAnnealingWarmRestarts(o, 2, 0), ValueError, "T_mult — got 0"),
        (lambda o: CyclicLR(o, [0.1], 0.2), ValueError, "base_lr — got 1 values, expected 2"),
        (lambda o: CyclicLR(o, 0.1, [0.2]), ValueError, "max_lr — got 1 values, expected 2"),
        (lambda o: CyclicLR(o, 0.1, 0.2, 0), ValueError, "step_size_up — got 0"),
        (lambda o: CyclicLR(o, 0.1, 0.2, 5, 0), ValueError, "step_size_down — got 0"),
        (lambda o: CyclicLR(o, 0.1, 0.2, mode="square"), ValueError, "mode — got 'square'"),
        (lambda o: CyclicLR(o, 0.1, 0.2, scale_mode="x"), ValueError, "scale_mode — got 'x'"),
        (lambda o: ReduceLROnPlateau(o, "least"), ValueError, "mode — got 'least'"),
        (lambda o: ReduceLROnPlateau(o, factor=1.0), ValueError, "factor — got 1.0, expected a number < 1"),
        (lambda o: ReduceLROnPlateau(o, threshold_mode="x"), ValueError, "threshold_mode — got 'x'"),
        (lambda o: ReduceLROnPlateau(o, min_lr=[0.1]), ValueError, "min_lr — got 1 values, expected 2"),
        (lambda o: lr_scheduler.SWALR(o, 0.1, -1), ValueError, "anneal_epochs — got -1"),
        (lambda o: lr_scheduler.SWALR(o, 0.1, 1, "sin"), ValueError, "anneal_strategy — got 'sin'"),
        (lambda o: ChainedScheduler([]), ValueError, "schedulers — got none"),
        (lambda o: ChainedScheduler([3], o), TypeError, r"schedulers\[0\] — got a int, expected a schedule"),
        (
            lambda o: ChainedScheduler([ReduceLROnPlateau(o)]),
            ValueError,
            "got a ReduceLROnPlateau, which steps by a metric",
        ),
        (
            lambda o: SequentialLR(optimizer_of(mg), [ConstantLR(o)], []),
            ValueError,
            "its optimiser is another one",
        ),
        (
            lambda o: SequentialLR(o, [ConstantLR(o), ChainedScheduler([ConstantLR(o)])], [3]),
            TypeError,
            r"schedulers\[1\] — got a ChainedScheduler, which cannot begin a second time",
        ),
        (lambda o: SequentialLR(o, [ConstantLR(o)], [3]), ValueError, "milestones — got 1, expected 0"),
    ],
)
def test_a_schedule_of_bad_arguments_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make(optimizer_of(mg))
