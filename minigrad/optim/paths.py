"""Optimisers on surfaces of two variables, where the whole way down can be looked at.

    bowl         x²/20 + y²                    long and narrow: a small step along x is a large one along y
    rosenbrock   (1 - x)² + 100 (y - x²)²      a bent valley, steep to its floor and flat along it
    saddle       (x² - y²)/2 + y⁴/4            flat at (0, 0), which is no minimum; those are at (0, ±1)

The valley is Howard Rosenbrock's, "An automatic method for finding the greatest or least value of a
function", The Computer Journal 3, 1960.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minigrad.creation import tensor
from minigrad.errors import ShapeError
from minigrad.functions import stack
from minigrad.tensor import Tensor

from .adagrad import Adagrad
from .adam import Adam, AdamW
from .optimizer import Optimizer
from .rmsprop import RMSprop
from .sgd import SGD


class Surface(NamedTuple):
    """A function of two variables, where a way down may begin, and its minima."""

    formula: str
    height: Callable[[Any, Any], Any]  # of x and y, Tensors or arrays
    start: tuple[float, float]
    minima: tuple[tuple[float, float], ...]


SURFACES = {
    "bowl": Surface("x²/20 + y²", lambda x, y: x**2 / 20 + y**2, (-7.0, 2.0), ((0.0, 0.0),)),
    "rosenbrock": Surface(
        "(1 - x)² + 100 (y - x²)²",
        lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
        (-1.2, 1.0),
        ((1.0, 1.0),),
    ),
    "saddle": Surface(
        "(x² - y²)/2 + y⁴/4",
        lambda x, y: (x**2 - y**2) / 2 + y**4 / 4,
        (-1.5, 0.01),
        ((0.0, 1.0), (0.0, -1.0)),
    ),
}

RULES: dict[str, Callable[..., Optimizer]] = {
    "SGD": SGD,
    "momentum": lambda params, lr: SGD(params, lr=lr, momentum=0.9),
    "Nesterov": lambda params, lr: SGD(params, lr=lr, momentum=0.9, nesterov=True),
    "Adagrad": Adagrad,
    "RMSprop": RMSprop,
    "Adam": Adam,
    "AdamW": lambda params, lr: AdamW(params, lr=lr, weight_decay=0.1),
}
"""The rules by their names in the story; momentum is 0.9, AdamW's decay 0.1."""


def descent_path(
    rule: Callable[..., Optimizer],
    surface: Callable[[Tensor, Tensor], Tensor],
    start: tuple[float, float],
    lr: float,
    steps: int,
) -> np.ndarray:
    """The points that an optimiser passes, (steps + 1, 2), float64; the first is `start`.

    Args:
        rule: makes an optimiser of a list of parameters and a learning rate, one of `RULES`.
        surface: the function of x and y that it goes down, `SURFACES["bowl"].height`.
        start: x and y.
        lr: the learning rate.
        steps: how many.

    >>> descent_path(RULES["SGD"], SURFACES["bowl"].height, (-7.0, 2.0), lr=0.5, steps=1).tolist()
    [[-7.0, 2.0], [-6.65, 0.0]]
    """
    if steps < 0:
        raise ValueError(f"descent_path(): steps={steps}, expected at least 0")
    point = tensor(np.array(start, dtype=np.float64), requires_grad=True)
    if point.shape != (2,):
        raise ShapeError(f"descent_path(): start of shape {point.shape}, expected two numbers, x and y")
    optimizer = rule([point], lr=lr)
    passed = [point.detach().clone()]
    for _ in range(steps):
        optimizer.zero_grad()
        surface(point[0], point[1]).backward()
        optimizer.step()
        passed.append(point.detach().clone())
    return stack(passed).numpy()
