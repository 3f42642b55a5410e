"""Every optimiser's equations, written out in NumPy for one parameter, and the options they are tried with.

An equation takes the parameter, its gradients of all steps and the options, and returns the last parameter.
"""

import math

import numpy as np


def regularised(x, gradient, weight_decay=0.0, maximize=False):
    return (-gradient if maximize else gradient) + weight_decay * x


def sgd(x, gradients, lr=1e-3, momentum=0.0, dampening=0.0, nesterov=False, **penalty):
    b = None
    for gradient in gradients:
        g = regularised(x, gradient, **penalty)
        b = g if b is None else momentum * b + (1 - dampening) * g
        x = x - lr * (g + momentum * b if nesterov else b if momentum else g)
    return x


def moments(x, gradients, lr, betas, weight_decay=0.0, maximize=False, decoupled=False):
    """Step, gradient, the two means, and the parameter after decay: what the family of Adam has in common."""
    m = v = np.zeros_like(x)
    for t, gradient in enumerate(gradients, start=1):
        if decoupled:
            x = x - lr * weight_decay * x
        g = regularised(x, gradient, 0.0 if decoupled else weight_decay, maximize)
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        x = yield t, g, m, v, x


def follow(steps, step):
    """Drive `moments`: `step` turns what it yields into the next parameter."""
    found = next(steps)
    while True:
        x = step(*found)
        try:
            found = steps.send(x)
        except StopIteration:
            return x


def adam(
    x,
    gradients,
    lr=1e-3,
    betas=(0.9, 0.999),
    eps=1e-8,
    amsgrad=False,
    decoupled_weight_decay=False,
    **penalty,
):
    largest = np.zeros_like(x)

    def step(t, g, m, v, x):
        nonlocal largest
        largest = np.maximum(largest, v)
        v_hat = (largest if amsgrad else v) / (1 - betas[1] ** t)
        return x - lr * m / (1 - betas[0] ** t) / (np.sqrt(v_hat) + eps)

    return follow(moments(x, gradients, lr, betas, **penalty, decoupled=decoupled_weight_decay), step)


def adamw(x, gradients, weight_decay=1e-2, **options):
    return adam(x, gradients, weight_decay=weight_decay, decoupled_weight_decay=True, **options)


def adamax(x, gradients, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, **penalty):
    u = np.zeros_like(x)

    def step(t, g, m, v, x):
        nonlocal u
        u = np.maximum(betas[1] * u, np.abs(g) + eps)
        return x - lr / (1 - betas[0] ** t) * m / u

    return follow(moments(x, gradients, lr, betas, **penalty), step)


def nadam(
    x,
    gradients,
    lr=2e-3,
    betas=(0.9, 0.999),
    eps=1e-8,
    momentum_decay=4e-3,
    decoupled_weight_decay=False,
    **penalty,
):
    def mu(t):
        return betas[0] * (1 - 0.5 * 0.96 ** (t * momentum_decay))

    def step(t, g, m, v, x):
        passed = math.prod(mu(i) for i in range(1, t + 1))
        m_hat = mu(t + 1) * m / (1 - passed * mu(t + 1)) + (1 - mu(t)) * g / (1 - passed)
        return x - lr * m_hat / (np.sqrt(v / (1 - betas[1] ** t)) + eps)

    return follow(moments(x, gradients, lr, betas, **penalty, decoupled=decoupled_weight_decay), step)


def radam(x, gradients, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, decoupled_weight_decay=False, **penalty):
    most = 2 / (1 - betas[1]) - 1

    def step(t, g, m, v, x):
        m_hat = m / (1 - betas[0] ** t)
        rho = most - 2 * t * betas[1] ** t / (1 - betas[1] ** t)
        if rho <= 5:
            return x - lr * m_hat
        r = math.sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho))
        return x - lr * m_hat * r * math.sqrt(1 - betas[1] ** t) / (np.sqrt(v) + eps)

    return follow(moments(x, gradients, lr, betas, **penalty, decoupled=decoupled_weight_decay), step)


def adagrad(x, gradients, lr=1e-2, lr_decay=0.0, initial_accumulator_value=0.0, eps=1e-10, **penalty):
    s = np.full_like(x, initial_accumulator_value)
    for t, gradient in enumerate(gradients, start=1):
        g = regularised(x, gradient, **penalty)
        s = s + g**2
        x = x - lr / (1 + (t - 1) * lr_decay) * g / (np.sqrt(s) + eps)
    return x


def adadelta(x, gradients, lr=1.0, rho=0.9, eps=1e-6, **penalty):
    v = u = np.zeros_like(x)
    for gradient in gradients:
        g = regularised(x, gradient, **penalty)
        v = rho * v + (1 - rho) * g**2
        delta = np.sqrt(u + eps) / np.sqrt(v + eps) * g
        u = rho * u + (1 - rho) * delta**2
        x = x - lr * delta
    return x


def rmsprop(x, gradients, lr=1e-2, alpha=0.99, eps=1e-8, momentum=0.0, centered=False, **penalty):
    v = a = b = np.zeros_like(x)
    for gradient in gradients:
        g = regularised(x, gradient, **penalty)
        v = alpha * v + (1 - alpha) * g**2
        a = alpha * a + (1 - alpha) * g
        b = momentum * b + g / (np.sqrt(v - a**2 if centered else v) + eps)
        x = x - lr * b
    return x


def rprop(x, gradients, lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50.0), maximize=False):
    before, size = np.zeros_like(x), np.full_like(x, lr)
    for gradient in gradients:
        g = regularised(x, gradient, maximize=maximize)
        sign = np.sign(g * before)
        size = np.clip(size * np.where(sign > 0, etas[1], np.where(sign < 0, etas[0], 1.0)), *step_sizes)
        before = np.where(sign < 0, 0.0, g)
        x = x - np.sign(before) * size
    return x


def asgd(x, gradients, lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, **penalty):
    eta = lr
    for t, gradient in enumerate(gradients, start=1):
        x = (1 - lambd * eta) * x - eta * regularised(x, gradient, **penalty)
        eta = lr / (1 + lambd * lr * t) ** alpha
    return x


def adafactor(
    x, gradients, lr=1e-2, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, weight_decay=0.0, maximize=False
):
    eps1, eps2 = eps
    eps1 = np.finfo(x.dtype).eps if eps1 is None else eps1
    r = c = v = 0.0
    for t, gradient in enumerate(gradients, start=1):
        g, beta = regularised(x, gradient, maximize=maximize), 1 - t**beta2_decay
        alpha = max(eps2, np.sqrt(np.mean(x**2))) * min(lr, 1 / math.sqrt(t))
        x = (1 - lr * weight_decay) * x
        if x.ndim < 2:
            v = beta * v + (1 - beta) * g**2
        else:
            r = beta * r + (1 - beta) * (g**2).mean(-1)
            c = beta * c + (1 - beta) * (g**2).mean(-2)
            v = np.einsum("...r,...c->...rc", r, c) / np.maximum(r.mean(-1), eps1)[..., None, None]
        u = g / np.maximum(np.sqrt(v), eps1)
        x = x - alpha * u / max(1.0, np.sqrt(np.mean(u**2)) / d)
    return x


def muon(
    x,
    gradients,
    lr=1e-3,
    weight_decay=0.1,
    momentum=0.95,
    nesterov=True,
    ns_coefficients=(3.4445, -4.7750, 2.0315),
    eps=1e-7,
    ns_steps=5,
    adjust_lr_fn=None,
):
    """By singular values, each of which Newton and Schulz's iteration maps by a polynomial of its own."""
    b, (rows, columns) = np.zeros_like(x), x.shape
    alike = adjust_lr_fn == "match_rms_adamw"
    scale = 0.2 * math.sqrt(max(rows, columns)) if alike else math.sqrt(max(1, rows / columns))
    for gradient in gradients:
        b = momentum * b + (1 - momentum) * gradient
        left, s, right = np.linalg.svd(
            (1 - momentum) * gradient + momentum * b if nesterov else b, full_matrices=False
        )
        s = s / max(math.sqrt((s**2).sum()), eps)
        for _ in range(ns_steps):
            s = ns_coefficients[0] * s + ns_coefficients[1] * s**3 + ns_coefficients[2] * s**5
        x = (1 - lr * weight_decay) * x - lr * scale * (left * s) @ right
    return x


EQUATIONS = {
    "SGD": sgd,
    "Adam": adam,
    "AdamW": adamw,
    "Adamax": adamax,
    "NAdam": nadam,
    "RAdam": radam,
    "Adagrad": adagrad,
    "Adadelta": adadelta,
    "RMSprop": rmsprop,
    "Rprop": rprop,
    "ASGD": asgd,
    "Adafactor": adafactor,
    "Muon": muon,
}

OPTIONS = {
    "SGD": [
        {"lr": 0.1},
        {"lr": 0.1, "maximize": True},
        {"lr": 0.1, "weight_decay": 0.2},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.3},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.2, "maximize": True},
        {"lr": 0.1, "momentum": 0.5, "dampening": 0.5, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.0, "momentum": 0.9},
    ],
    "Adam": [
        {},
        {"lr": 0.1, "betas": (0.5, 0.7)},
        {"lr": 0.1, "betas": (0.0, 0.0), "eps": 0.1},
        {"lr": 0.1, "eps": 1e-3, "weight_decay": 0.2},
        {"lr": 0.1, "weight_decay": 0.0, "maximize": True},
        {"lr": 0.1, "amsgrad": True},
        {"lr": 0.1, "amsgrad": True, "weight_decay": 0.3, "maximize": True, "betas": (0.8, 0.99)},
        {"lr": 0.1, "weight_decay": 0.3, "decoupled_weight_decay": True},
    ],
    "AdamW": [
        {},
        {"lr": 0.1, "betas": (0.5, 0.7)},
        {"lr": 0.1, "betas": (0.0, 0.0), "eps": 0.1},
        {"lr": 0.1, "eps": 1e-3, "weight_decay": 0.2},
        {"lr": 0.1, "weight_decay": 0.0, "maximize": True},
        {"lr": 0.1, "amsgrad": True},
        {"lr": 0.1, "amsgrad": True, "weight_decay": 0.3, "maximize": True, "betas": (0.8, 0.99)},
    ],
    "Adamax": [
        {},
        {"lr": 0.1, "betas": (0.5, 0.7)},
        {"lr": 0.1, "betas": (0.0, 0.0), "eps": 0.1},
        {"lr": 0.1, "weight_decay": 0.2},
        {"lr": 0.1, "maximize": True},
        {"lr": 0.1, "weight_decay": 0.2, "maximize": True, "eps": 1e-3},
    ],
    "NAdam": [
        {},
        {"lr": 0.1, "betas": (0.5, 0.7)},
        {"lr": 0.1, "betas": (0.0, 0.0), "eps": 0.1},
        {"lr": 0.1, "weight_decay": 0.2},
        {"lr": 0.1, "weight_decay": 0.2, "decoupled_weight_decay": True},
        {"lr": 0.1, "momentum_decay": 0.1},
        {"lr": 0.1, "maximize": True, "weight_decay": 0.1, "eps": 1e-3},
    ],
    "RAdam": [
        {},
        {"lr": 0.1, "betas": (0.5, 0.7)},
        {"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-3},
        {"lr": 0.1, "weight_decay": 0.2},
        {"lr": 0.1, "weight_decay": 0.2, "decoupled_weight_decay": True},
        {"lr": 0.1, "maximize": True},
        {"lr": 0.1, "maximize": True, "weight_decay": 0.1, "betas": (0.9, 0.99)},
    ],
    "Adagrad": [
        {},
        {"lr": 0.1, "lr_decay": 0.1},
        {"lr": 0.1, "weight_decay": 0.2},
        {"lr": 0.1, "initial_accumulator_value": 0.5},
        {"lr": 0.1, "eps": 0.1},
        {"lr": 0.1, "maximize": True},
        {"lr": 0.1, "maximize": True, "weight_decay": 0.2, "lr_decay": 0.01, "initial_accumulator_value": 1},
    ],
    "Adadelta": [
        {},
        {"lr": 0.1},
        {"rho": 0.5},
        {"eps": 1e-3},
        {"weight_decay": 0.2},
        {"maximize": True},
        {"rho": 0.99, "weight_decay": 0.2, "maximize": True, "lr": 2.0},
    ],
    "RMSprop": [
        {},
        {"lr": 0.1, "alpha": 0.5},
        {"eps": 0.1},
        {"weight_decay": 0.2},
        {"momentum": 0.9},
        {"centered": True},
        {"centered": True, "momentum": 0.5, "weight_decay": 0.1},
        {"maximize": True, "centered": True, "momentum": 0.5, "weight_decay": 0.1, "alpha": 0.9},
    ],
    "Rprop": [
        {},
        {"lr": 0.1},
        {"etas": (0.1, 3.0)},
        {"step_sizes": (0.005, 0.02)},
        {"maximize": True, "lr": 0.05},
    ],
    "ASGD": [
        {},
        {"lr": 0.1, "lambd": 0.1},
        {"lr": 0.1, "lambd": 0.1, "alpha": 0.5},
        {"lr": 0.1, "t0": 20},
        {"lr": 0.1, "weight_decay": 0.2},
        {"lr": 0.1, "maximize": True, "t0": 0, "weight_decay": 0.1},
    ],
    "Adafactor": [
        {},
        {"lr": 0.1, "beta2_decay": -0.5},
        {"lr": 0.1, "eps": (1e-3, 0.1)},
        {"lr": 0.1, "d": 2.0},
        {"lr": 0.1, "weight_decay": 0.2},
        {"lr": 0.1, "maximize": True, "weight_decay": 0.1},
    ],
    "Muon": [
        {},
        {"lr": 0.1, "nesterov": False},
        {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.0},
        {"lr": 0.1, "adjust_lr_fn": "match_rms_adamw"},
        {"lr": 0.1, "adjust_lr_fn": "original", "ns_steps": 2, "eps": 1.0},
        {"lr": 0.1, "ns_coefficients": (2.0, -1.5, 0.5)},
    ],
}
CASES = [(name, options) for name, sets in OPTIONS.items() for options in sets]

SHAPES = [(3, 4), (), (5,), (0, 2), (70, 70)]  # four that are packed, and one that goes in blocks
MATRICES = [(3, 4), (7, 2), (70, 70)]
SHAPES_OF = {"Adafactor": [(3, 4), (), (5,), (2, 3, 4), (70, 70)], "Muon": MATRICES}  # others have SHAPES


def shapes_of(name):
    return SHAPES_OF.get(name, SHAPES)


def start(position, shape):
    """The first values of a parameter."""
    return np.random.default_rng([1, position]).standard_normal(shape)


def gradient(step, position, shape):
    """Gradients that shrink with time, so that the largest second moment of amsgrad is not the newest."""
    return np.random.default_rng([2, step, position]).standard_normal(shape) / math.sqrt(step + 1)
