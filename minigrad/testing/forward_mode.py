"""Forward mode in one class, on NumPy alone: an engine so small that the tape can be held against it."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np


class Dual:
    """x + ε x′ with ε² = 0: forward mode in one class."""

    def __init__(self, value: Any, slope: Any = 0.0) -> None:
        self.value = np.asarray(value, "float64")
        self.slope = np.broadcast_to(slope, self.value.shape)

    def __add__(self, other: Any) -> "Dual":
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other: Any) -> "Dual":
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> "Dual":
        return self * -1

    def __sub__(self, other: Any) -> "Dual":
        return self + other * -1

    def __truediv__(self, other: Any) -> "Dual":
        return self * Dual.unary(lambda x: 1 / x, lambda x: -1 / x**2)(
            other if isinstance(other, Dual) else Dual(other)
        )

    def __matmul__(self, other: "Dual") -> "Dual":
        return Dual(self.value @ other.value, self.slope @ other.value + self.value @ other.slope)

    def __getitem__(self, index: Any) -> "Dual":
        return Dual(self.value[index], self.slope[index])

    def transpose(self, *dims: int) -> "Dual":
        """Two dimensions exchanged."""
        return Dual(self.value.swapaxes(*dims), self.slope.swapaxes(*dims))

    def mean(self, dim: int, keepdim: bool) -> "Dual":
        """The mean along a dimension."""
        return Dual(*(part.mean(dim, keepdims=keepdim) for part in (self.value, self.slope)))

    def sum(self) -> "Dual":
        """The sum of all."""
        return Dual(self.value.sum(), self.slope.sum())

    @staticmethod
    def unary(function: Callable, slope: Callable) -> Callable:
        """f(x + ε x′) = f(x) + ε f′(x) x′"""
        return lambda x: Dual(function(x.value), x.slope * slope(x.value))

    @staticmethod
    def stack(duals: Sequence["Dual"]) -> "Dual":
        """Behind each other along a new dimension."""
        return Dual(np.stack([d.value for d in duals]), np.stack([d.slope for d in duals]))


def logistic(x: Any) -> Any:
    """1 / (1 + e⁻ˣ)"""
    return 1 / (1 + np.exp(-x))


DUALS = SimpleNamespace(
    tensor=Dual,
    stack=Dual.stack,
    sin=Dual.unary(np.sin, np.cos),
    cos=Dual.unary(np.cos, lambda x: -np.sin(x)),
    exp=Dual.unary(np.exp, np.exp),
    log=Dual.unary(np.log, lambda x: 1 / x),
    tanh=Dual.unary(np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    sigmoid=Dual.unary(logistic, lambda x: logistic(x) * (1 - logistic(x))),
)
