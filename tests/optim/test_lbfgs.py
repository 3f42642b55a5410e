"""minigrad.optim.LBFGS and its line search: the dense formula, the conditions of Wolfe, and PyTorch."""

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.checkpoint import load_checkpoint, save_checkpoint
from minigrad.optim.line_search import ARMIJO, CURVATURE, Point, strong_wolfe
from minigrad.tensor import Tensor

STEPS = 50
OPTIONS = [
    {"lr": 0.1},
    {"lr": 0.05, "max_iter": 3, "history_size": 2},
    {"lr": 0.1, "max_iter": 1},
    {"line_search_fn": "strong_wolfe", "max_iter": 4},
    {"line_search_fn": "strong_wolfe", "max_iter": 2, "history_size": 3, "lr": 0.5},
    {"line_search_fn": "strong_wolfe", "max_iter": 5, "max_eval": 4},
    {"line_search_fn": "strong_wolfe", "tolerance_grad": 1e-3, "tolerance_change": 1e-4},
]
each_set = pytest.mark.parametrize("options", OPTIONS, ids=str)
RANDOM = np.random.default_rng(0)
X, LABELS, WEIGHTS = RANDOM.standard_normal((20, 3)), RANDOM.choice([-1.0, 1.0], 20), RANDOM.random((3, 2))


def logistic(library, weights, scale, bias):
    """A convex loss of three parameters: a matrix, a number and one that is left without a gradient."""
    x, labels = library.tensor(X), library.tensor(LABELS)
    scores = (x @ weights).sum(1) * labels + scale
    return (1 + (-scores).exp()).log().mean() + 0.1 * (weights * weights).sum() + 0.05 * (scale * scale)


def run(library, options, steps=STEPS):
    """The parameters after some steps, with the optimiser, of either library."""
    starts = [WEIGHTS, np.array(0.5), np.ones(2)]
    params = [library.tensor(start, requires_grad=True) for start in starts]
    optimizer = library.optim.LBFGS(params, **options)
    go_on(library, params, optimizer, steps)
    return params, optimizer


def go_on(library, params, optimizer, steps):
    for _ in range(steps):

        def closure():
            optimizer.zero_grad()
            loss = logistic(library, *params)
            loss.backward()
            return loss

        optimizer.step(closure)


@pytest.mark.oracle
@each_set
def test_fifty_steps_agree_with_pytorch(options):
    import torch

    for ours, theirs in zip(run(mg, options)[0], run(torch, options)[0], strict=True):
        np.testing.assert_allclose(ours.array, theirs.detach().numpy(), rtol=1e-7, atol=1e-7)


@pytest.mark.oracle
@pytest.mark.parametrize("line_search", [None, "strong_wolfe"])
def test_the_way_through_rosenbrock_s_valley_is_pytorch_s(line_search):
    import torch

    found = []
    for library in (mg, torch):
        x = library.tensor([-1.0, 1.5], dtype=library.float64, requires_grad=True)
        optimizer = library.optim.LBFGS(
            [x], lr=0.01 if line_search is None else 1, line_search_fn=line_search
        )
        way = []

        def closure(x=x, optimizer=optimizer, way=way):
            optimizer.zero_grad()
            loss = (1 - x[0]) ** 2 + 10 * (x[1] - x[0] ** 2) ** 2
            loss.backward()
            way.append(x.tolist())
            return loss

        for _ in range(4):
            optimizer.step(closure)
        found.append(way)
    np.testing.assert_allclose(*found, rtol=1e-7, atol=1e-7)


@pytest.mark.oracle
@each_set
def test_state_has_the_structure_of_pytorch_s_and_moves_there_and_back(options):
    import torch

    def converted(value, kind, made):
        if isinstance(value, dict):
            return {key: converted(entry, kind, made) for key, entry in value.items()}
        if isinstance(value, list):
            return [converted(entry, kind, made) for entry in value]
        return made(value) if isinstance(value, kind) else value

    params, ours = run(mg, options, 2)
    torch_params = [torch.tensor(param.array, requires_grad=True) for param in params]
    theirs = torch.optim.LBFGS(torch_params, **options)
    theirs.load_state_dict(converted(ours.state_dict(), Tensor, lambda ours: torch.tensor(ours.array)))
    go_on(torch, torch_params, theirs, 2)

    mine, other = ours.state_dict(), theirs.state_dict()
    assert [set(group) for group in mine["param_groups"]] == [set(group) for group in other["param_groups"]]
    # "al" is memory that PyTorch writes before it reads
    assert set(mine["state"][0]) == set(other["state"][0]) - {"al"}

    returned = [mg.tensor(param.detach().numpy(), requires_grad=True) for param in torch_params]
    again = mg.optim.LBFGS(returned, **options)
    again.load_state_dict(converted(other, torch.Tensor, lambda theirs: mg.tensor(theirs.detach().numpy())))
    go_on(mg, returned, again, 2)
    go_on(mg, params, ours, 4)
    for a, b in zip(returned, params, strict=True):
        np.testing.assert_allclose(a.array, b.array, rtol=1e-7, atol=1e-7)


def test_iterations_follow_the_dense_formula():
    """H ← (I - ρ s yᵀ) H (I - ρ y sᵀ) + ρ s sᵀ from yᵀs / yᵀy I, over the last pairs (Nocedal, eq. 7.16)."""
    matrix = np.diag([1.0, 3.0, 10.0]) + 0.1
    target = np.array([1.0, -1.0, 2.0])
    x = mg.tensor(np.zeros(3), requires_grad=True)
    optimizer = mg.optim.LBFGS([x], lr=0.5, max_iter=1, history_size=3)
    here, before, pairs = np.zeros(3), None, []
    for iteration in range(12):

        def closure():
            optimizer.zero_grad()
            rest = x - mg.tensor(target)
            loss = 0.5 * rest @ (mg.tensor(matrix) @ rest)
            loss.backward()
            return loss

        optimizer.step(closure)
        g = matrix @ (here - target)
        if iteration == 0:
            step = -0.5 * min(1.0, 1.0 / np.abs(g).sum()) * g
        else:
            s, y = here - before[0], g - before[1]
            pairs = [*pairs, (s, y)][-3:]
            inverse = np.eye(3) * (y @ s) / (y @ y)
            for s, y in pairs:
                rho = 1 / (y @ s)
                left = np.eye(3) - rho * np.outer(s, y)
                inverse = left @ inverse @ left.T + rho * np.outer(s, s)
            step = -0.5 * inverse @ g
        before, here = (here, g), here + step
        np.testing.assert_allclose(x.array, here, rtol=1e-10, atol=1e-12)


@each_set
def test_a_run_resumed_from_a_file_has_the_bits_of_an_uninterrupted_one(tmp_path, options):
    params, optimizer = run(mg, options, 3)
    state = {"model": [param.detach() for param in params], "optimizer": optimizer.state_dict()}
    save_checkpoint(state, tmp_path / "file")
    go_on(mg, params, optimizer, 3)

    state = load_checkpoint(tmp_path / "file")
    resumed = [Tensor(tensor.array, requires_grad=True) for tensor in state["model"]]
    again = mg.optim.LBFGS(resumed, **options)
    again.load_state_dict(state["optimizer"])
    go_on(mg, resumed, again, 3)
    assert [param.array.tobytes() for param in resumed] == [param.array.tobytes() for param in params]


def test_a_step_gives_the_loss_before_it_and_counts_evaluations():
    x, calls = mg.tensor([4.0], requires_grad=True), []
    optimizer = mg.optim.LBFGS([x], line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        calls.append(loss.item())
        return loss

    with mg.no_grad():
        assert optimizer.step(closure).item() == 16.0
    assert optimizer.state[x]["func_evals"] == len(calls)
    assert x.item() == pytest.approx(0.0, abs=1e-6)
    done = len(calls)
    optimizer.step(closure)  # nothing is left to do
    assert len(calls) == done + 1


FUNCTIONS = {
    "parabola": (lambda t: (t - 3) ** 2, lambda t: 2 * (t - 3)),
    "far away": (lambda t: 1e-4 * (t - 300) ** 2, lambda t: 2e-4 * (t - 300)),
    "near by": (lambda t: (t - 0.001) ** 2, lambda t: 2 * (t - 0.001)),
    "quartic": (lambda t: (t - 2) ** 4 - t, lambda t: 4 * (t - 2) ** 3 - 1),
    "waves": (lambda t: math.sin(5 * t) - t + 0.1 * t * t, lambda t: 5 * math.cos(5 * t) - 1 + 0.2 * t),
    "steep wall": (lambda t: math.exp(t) - 5 * t, lambda t: math.exp(t) - 5),
    "of Moré and Thuente": (lambda t: -t / (t * t + 2), lambda t: (t * t - 2) / (t * t + 2) ** 2),
}


@pytest.mark.parametrize("first", [0.01, 1.0, 10.0])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_point_found_meets_the_strong_wolfe_conditions(name, first):
    f, slope = FUNCTIONS[name]
    sign = -1.0 if slope(0) > 0 else 1.0  # downhill
    tried = []

    def probe(t):
        tried.append(t)
        return Point(t, f(sign * t), t, sign * slope(sign * t), abs(slope(sign * t)))

    start = Point(0.0, f(0), None, sign * slope(0), abs(slope(0)))
    found = strong_wolfe(probe, start, first, 1.0, 25, 1e-9)
    assert found.t in tried
    assert found.gradient == found.t
    assert len(tried) <= 26
    assert found.loss <= start.loss + ARMIJO * found.t * start.slope
    assert abs(found.slope) <= -CURVATURE * start.slope


@pytest.mark.parametrize("slope", [-1.0, -1e-300, -1e300])
def test_a_line_search_on_a_line_stops_at_its_limit(slope):
    tried = []

    def probe(t):
        tried.append(t)
        return Point(t, slope * t, None, slope, abs(slope))

    found = strong_wolfe(probe, Point(0.0, 0.0, None, slope, abs(slope)), 1.0, 1.0, 4, 1e-9)
    assert len(tried) == 5
    assert found.t == tried[-1] == max(tried)


def test_a_bracket_that_is_too_small_is_not_refined():
    tried = []

    def probe(t):  # a step up at 0.3, which no cubic knows of
        tried.append(t)
        return Point(t, 10.0 if t > 0.3 else -t, None, -1.0, 1.0)

    found = strong_wolfe(probe, Point(0.0, 0.0, None, -1.0, 1.0), 1.0, 1.0, 1000, 1e-3)
    assert 0.29 < found.t <= 0.3
    assert len(tried) < 200


def test_trials_of_the_line_search_leave_the_parameters_where_they_were_if_the_loss_fails():
    x = mg.tensor(np.array([1.0, 2.0]), requires_grad=True)
    optimizer = mg.optim.LBFGS([x], line_search_fn="strong_wolfe")
    calls = []

    def closure():
        calls.append(x.tolist())
        if len(calls) == 2:
            raise OSError("the data is gone")
        optimizer.zero_grad()
        (x * x).sum().backward()
        return 5.0

    with pytest.raises(OSError, match="the data is gone"):
        optimizer.step(closure)
    assert calls[1] != [1.0, 2.0]
    assert x.tolist() == [1.0, 2.0]


def test_what_lbfgs_cannot_work_with_is_refused():
    x, y = mg.tensor([1.0], requires_grad=True), mg.tensor([1.0], dtype=mg.float64, requires_grad=True)
    with pytest.raises(ValueError, match=r"LBFGS\(\): params — got a second group, expected one"):
        mg.optim.LBFGS([{"params": [x]}, {"params": [mg.ones(1)]}])
    with pytest.raises(
        ValueError, match=r"params — got \['float32', 'float64'\], expected parameters of one type"
    ):
        mg.optim.LBFGS([x, y])
    with pytest.raises(TypeError, match=r"LBFGS.step\(\): closure — got None, expected a function"):
        mg.optim.LBFGS([x]).step()
    _, optimizer = run(mg, {}, 1)
    for change, error, words in [
        ({"d": mg.zeros(9)}, TypeError, r"\['d'\]: got float32, expected float64"),
        ({"d": mg.zeros(8, dtype=mg.float64)}, ValueError, r"\['d'\]: got shape \(8,\), expected \(9,\)"),
        ({"old_dirs": [3.0]}, TypeError, r"\['old_dirs'\]\[0\]: got a float, expected a Tensor"),
    ]:
        state = optimizer.state_dict()
        state["state"][0].update(change)
        with pytest.raises(error, match=words):
            optimizer.load_state_dict(state)


def test_a_gradient_of_another_shape_is_refused():
    x = mg.tensor([1.0, 2.0], requires_grad=True)

    def closure():
        x.grad = mg.ones(3)
        return 1.0

    with pytest.raises(ValueError, match=r"LBFGS.step\(\): got a gradient of shape \(3,\), expected \(2,\)"):
        mg.optim.LBFGS([x]).step(closure)
