"""Every optimiser with every option, against its equations written out, and against PyTorch."""

import numpy as np
import pytest

import minigrad as mg
from equations import CASES, EQUATIONS, OPTIONS, gradient, shapes_of, start
from minigrad.kernels import rows

STEPS = 50
cases = pytest.mark.parametrize(("name", "options"), CASES, ids=str)


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch):
    monkeypatch.setattr(rows, "BLOCK", 1000)


def run(name, options, dtype=np.float64, shapes=None, steps=STEPS):
    """The parameters after `steps` steps of our optimiser."""
    params = [
        mg.tensor(start(i, shape).astype(dtype), requires_grad=True)
        for i, shape in enumerate(shapes or shapes_of(name))
    ]
    optimizer = getattr(mg.optim, name)(params, **options)
    for step in range(steps):
        for i, param in enumerate(params):
            param.grad = mg.tensor(gradient(step, i, param.shape).astype(dtype))
        optimizer.step()
    return [param.array for param in params]


@cases
def test_fifty_steps_follow_the_equation(name, options):
    for i, (shape, found) in enumerate(zip(shapes_of(name), run(name, options), strict=True)):
        gradients = [gradient(step, i, shape) for step in range(STEPS)]
        expected = EQUATIONS[name](start(i, shape), gradients, **options)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)


CHAOTIC = ("Rprop",)  # a step turns on the sign of a product: float32 need not see the sign that float64 sees


@pytest.mark.parametrize(("name", "options"), [case for case in CASES if case[0] not in CHAOTIC], ids=str)
def test_float32_follows_float64(name, options):
    for narrow, wide in zip(run(name, options, np.float32), run(name, options), strict=True):
        assert narrow.dtype == np.float32
        np.testing.assert_allclose(narrow, wide, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("name", OPTIONS)
def test_float16_parameters_stay_float16(name):
    needs_more = ("Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "Adagrad")  # float16 begins at 6e-8
    tiny = {"eps": 1e-3} if name in needs_more else {}
    shapes = [(3, 2), (100, 100)] if name == "Muon" else [(3,), (100, 100)]
    for array in run(name, {"lr": 0.01, **tiny}, np.float16, shapes, steps=3):
        assert array.dtype == np.float16
        assert np.isfinite(array).all()


@cases
@pytest.mark.oracle
def test_fifty_steps_agree_with_pytorch(name, options, monkeypatch):
    import torch

    # Muon's iteration runs in bfloat16 there; in float64 it must be ours.
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    params = [torch.tensor(start(i, shape), requires_grad=True) for i, shape in enumerate(shapes_of(name))]
    optimizer = getattr(torch.optim, name)(params, **options)
    for step in range(STEPS):
        for i, param in enumerate(params):
            param.grad = torch.tensor(gradient(step, i, tuple(param.shape)))
        optimizer.step()
    for found, param in zip(run(name, options), params, strict=True):
        np.testing.assert_allclose(found, param.detach().numpy(), rtol=1e-7, atol=1e-7)


@pytest.mark.oracle
@pytest.mark.parametrize("name", OPTIONS)
def test_groups_closures_and_a_late_group_agree_with_pytorch(name, monkeypatch):
    import torch

    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    decay = {"weight_decay": 0.1} if name != "Rprop" else {"etas": (0.3, 1.5)}

    def run(library):
        x = [library.tensor(start(i, (3, 4)), requires_grad=True) for i in range(4)]
        optimizer = getattr(library.optim, name)(
            [{"params": x[:2], **decay}, {"params": [x[2]], "lr": 0.03}], lr=0.01
        )

        def closure():
            optimizer.zero_grad()
            loss = sum(((p - i) ** 2).sum() * (p**2).mean() for i, p in enumerate(x))
            loss.backward()
            return loss

        losses = []
        for step in range(50):
            if step == 10:
                optimizer.add_param_group({"params": x[3], "maximize": False, "lr": 0.02})
            losses.append(optimizer.step(closure).item())
        return losses, [p.detach().numpy() for p in x]

    for found, expected in zip(run(mg), run(torch), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7)


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "Adagrad"])
def test_parameters_that_share_memory_move_as_in_pytorch(name):
    import torch

    def run(library):
        whole = library.tensor(start(0, (6,)), requires_grad=True)
        parts = [whole.detach()[:3].requires_grad_(), whole.detach()[2:5].requires_grad_()]
        optimizer = getattr(library.optim, name)([parts[0], whole, parts[1]], lr=0.05, foreach=False)
        for step in range(20):
            for i, p in enumerate((parts[0], whole, parts[1])):
                p.grad = library.tensor(gradient(step, i, tuple(p.shape)))
            optimizer.step()
        return whole.detach().numpy()

    np.testing.assert_allclose(run(mg), run(torch), rtol=1e-7, atol=1e-7)


@pytest.mark.oracle
def test_muon_stays_near_pytorch_s_which_iterates_in_bfloat16():
    import torch

    values, slope = start(0, (6, 9)), gradient(0, 0, (6, 9))
    there, here = torch.tensor(values, requires_grad=True), mg.tensor(values, requires_grad=True)
    there.grad, here.grad = torch.tensor(slope), mg.tensor(slope)
    torch.optim.Muon([there], lr=1.0).step()
    mg.optim.Muon([here], lr=1.0).step()
    np.testing.assert_allclose(here.array, there.detach().numpy(), atol=0.03)


def test_adam_takes_its_first_step_at_the_learning_rate_whatever_the_gradient():
    x = mg.tensor(np.zeros(3), requires_grad=True)
    x.grad = mg.tensor(np.array([1e-3, 1.0, -1e6]))
    mg.optim.Adam([x], lr=0.5).step()
    np.testing.assert_allclose(x.array, [-0.5, -0.5, 0.5], rtol=1e-4)


def test_asgd_remembers_the_average_of_the_points_it_passed_since_t0():
    x = mg.tensor(start(0, (5,)), requires_grad=True)
    optimizer = mg.optim.ASGD([x], lr=0.1, t0=10)
    passed = []
    for step in range(30):
        x.grad = mg.tensor(gradient(step, 0, (5,)))
        optimizer.step()
        passed.append(x.array.copy())
    # the point of step 12 replaces what was there; from then on it is a mean
    np.testing.assert_allclose(optimizer.state[x]["ax"].array, np.mean(passed[11:], axis=0), rtol=1e-12)


def test_muon_steps_by_the_same_amount_in_every_direction():
    x = mg.tensor(np.zeros((4, 6)), requires_grad=True)
    x.grad = mg.tensor(start(0, (4, 6)) * np.array([1e-2, 1.0, 10.0, 3.0])[:, None])
    mg.optim.Muon([x], lr=1.0, ns_steps=60, ns_coefficients=(1.875, -1.25, 0.375)).step()
    np.testing.assert_allclose(np.linalg.svd(x.array, compute_uv=False), np.ones(4), rtol=1e-6)


def test_an_empty_parameter_is_passed_over():
    for name in OPTIONS:
        x = mg.tensor(np.zeros((0, 3)), requires_grad=True)
        x.grad = mg.tensor(np.zeros((0, 3)))
        getattr(mg.optim, name)([x]).step()
        assert x.shape == (0, 3)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"lr": 0.02}),
        ("SGD", {"lr": 0.02, "momentum": 0.9}),
        ("Adam", {"lr": 0.1}),
        ("AdamW", {"lr": 0.1}),
        ("Adamax", {"lr": 0.1}),
        ("NAdam", {"lr": 0.1}),
        ("RAdam", {"lr": 0.1}),
        ("Adagrad", {"lr": 1.0}),
        ("Adadelta", {"lr": 10.0}),
        ("RMSprop", {"lr": 0.02}),
        ("Rprop", {}),
        ("ASGD", {"lr": 0.02}),
        ("Adafactor", {"lr": 0.05}),
    ],
)
def test_a_quadratic_is_minimised(name, options):
    x = mg.tensor(np.array([3.0, -2.0]), requires_grad=True)
    optimizer = getattr(mg.optim, name)([x], **options)
    target = mg.tensor(np.array([1.0, 2.0]))
    for _ in range(400):
        optimizer.zero_grad()
        ((x - target) * (x - target) * mg.tensor(np.array([1.0, 10.0]))).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(x.array, [1.0, 2.0], atol=0.05)
