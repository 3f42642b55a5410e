"""Every optimiser with every option, against its equation written out, and against PyTorch."""

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.optim import elementwise

STEPS = 50
SHAPES = [(3, 4), (), (5,), (0, 2), (70, 70)]  # four that are packed, and one that goes in blocks

SGD_OPTIONS = [
    {"lr": 0.1},
    {"lr": 0.1, "maximize": True},
    {"lr": 0.1, "weight_decay": 0.2},
    {"lr": 0.1, "momentum": 0.9},
    {"lr": 0.1, "momentum": 0.9, "dampening": 0.3},
    {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.2, "maximize": True},
    {"lr": 0.1, "momentum": 0.5, "dampening": 0.5, "weight_decay": 0.1, "maximize": True},
    {"lr": 0.0, "momentum": 0.9},
]
ADAM_OPTIONS = [
    {},
    {"lr": 0.1, "betas": (0.5, 0.7)},
    {"lr": 0.1, "betas": (0.0, 0.0), "eps": 0.1},
    {"lr": 0.1, "eps": 1e-3, "weight_decay": 0.2},
    {"lr": 0.1, "weight_decay": 0.0, "maximize": True},
    {"lr": 0.1, "amsgrad": True},
    {"lr": 0.1, "amsgrad": True, "weight_decay": 0.3, "maximize": True, "betas": (0.8, 0.99)},
]
CASES = [
    *(("SGD", options) for options in SGD_OPTIONS),
    *(("Adam", options) for options in ADAM_OPTIONS),
    *(("AdamW", options) for options in ADAM_OPTIONS),
]
cases = pytest.mark.parametrize(("name", "options"), CASES, ids=str)


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch):
    monkeypatch.setattr(elementwise, "BLOCK", 1000)


def gradient(seed, step, position, shape):
    """Gradients that shrink with time, so that the largest second moment of amsgrad is not the newest."""
    return np.random.default_rng([seed, step, position]).standard_normal(shape) / math.sqrt(step + 1)


def run(name, options, dtype=np.float64, shapes=SHAPES, steps=STEPS):
    """The parameters after `steps` steps of our optimiser."""
    starts = [np.random.default_rng([1, i]).standard_normal(shape) for i, shape in enumerate(shapes)]
    params = [mg.tensor(start.astype(dtype), requires_grad=True) for start in starts]
    optimizer = getattr(mg.optim, name)(params, **options)
    for step in range(steps):
        for i, param in enumerate(params):
            param.grad = mg.tensor(gradient(2, step, i, param.shape).astype(dtype))
        optimizer.step()
    return [param.array for param in params]


def sgd(x, gradients, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False):
    b = None
    for gradient_here in gradients:
        g = (-gradient_here if maximize else gradient_here) + weight_decay * x
        b = g if b is None else momentum * b + (1 - dampening) * g
        direction = g + momentum * b if nesterov else b if momentum else g
        x = x - lr * direction
    return x


def adam(
    x,
    gradients,
    lr=1e-3,
    betas=(0.9, 0.999),
    eps=1e-8,
    weight_decay=0.0,
    amsgrad=False,
    maximize=False,
    decoupled=False,
):
    m = v = largest = np.zeros_like(x)
    for t, gradient_here in enumerate(gradients, start=1):
        g = -gradient_here if maximize else gradient_here
        if decoupled:
            x = x - lr * weight_decay * x
        else:
            g = g + weight_decay * x
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        largest = np.maximum(largest, v)
        m_hat = m / (1 - betas[0] ** t)
        v_hat = (largest if amsgrad else v) / (1 - betas[1] ** t)
        x = x - lr * m_hat / (np.sqrt(v_hat) + eps)
    return x


def adamw(x, gradients, weight_decay=1e-2, **options):
    return adam(x, gradients, weight_decay=weight_decay, decoupled=True, **options)


@cases
def test_fifty_steps_follow_the_equation(name, options):
    equation = {"SGD": sgd, "Adam": adam, "AdamW": adamw}[name]
    for i, (shape, found) in enumerate(zip(SHAPES, run(name, options), strict=True)):
        start = np.random.default_rng([1, i]).standard_normal(shape)
        expected = equation(start, [gradient(2, step, i, shape) for step in range(STEPS)], **options)
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


@cases
def test_float32_follows_float64(name, options):
    for narrow, wide in zip(run(name, options, np.float32), run(name, options), strict=True):
        assert narrow.dtype == np.float32
        np.testing.assert_allclose(narrow, wide, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_float16_parameters_stay_float16(name):
    options = {"lr": 0.01} if name == "SGD" else {"lr": 0.01, "eps": 1e-3}  # the smallest float16 is 6e-8
    for array in run(name, options, np.float16, shapes=[(3,), (100, 100)], steps=3):
        assert array.dtype == np.float16
        assert np.isfinite(array).all()


@cases
@pytest.mark.oracle
def test_fifty_steps_agree_with_pytorch(name, options):
    import torch

    params = [
        torch.tensor(np.random.default_rng([1, i]).standard_normal(shape), requires_grad=True)
        for i, shape in enumerate(SHAPES)
    ]
    optimizer = getattr(torch.optim, name)(params, **options)
    for step in range(STEPS):
        for i, param in enumerate(params):
            param.grad = torch.tensor(gradient(2, step, i, tuple(param.shape)))
        optimizer.step()
    for found, param in zip(run(name, options), params, strict=True):
        np.testing.assert_allclose(found, param.detach().numpy(), rtol=1e-7, atol=1e-7)


def test_adam_takes_its_first_step_at_the_learning_rate_whatever_the_gradient():
    x = mg.tensor(np.zeros(3), requires_grad=True)
    x.grad = mg.tensor(np.array([1e-3, 1.0, -1e6]))
    mg.optim.Adam([x], lr=0.5).step()
    np.testing.assert_allclose(x.array, [-0.5, -0.5, 0.5], rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"lr": 0.02}),
        ("SGD", {"lr": 0.02, "momentum": 0.9}),
        ("Adam", {"lr": 0.1}),
        ("AdamW", {"lr": 0.1}),
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
    np.testing.assert_allclose(x.array, [1.0, 2.0], atol=0.03)
