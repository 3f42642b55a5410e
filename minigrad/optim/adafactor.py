"""Adafactor: the second moments of a matrix, kept as one number for each row and each column."""

import math
from typing import Any

from minigrad.backend import Array, namespace
from minigrad.tensor import Tensor

from .optimizer import Group, Optimizer, Params, check_ways


class Adafactor(Optimizer):
    """Steps relative to the size of the parameter, by second moments that take the memory of a vector.

        ρₜ = min(γ, 1/√t),  α = max(ε₂, RMS(θ)) ρₜ                             (1)
        θ ← (1 - γ λ) θ                                                        (2)
        r ← r + t^τ (mean of g² over columns - r)                              (3)  for each row
        c ← c + t^τ (mean of g² over rows - c)                                 (4)  for each column
        v̂ = r c / max(mean of r, ε₁)                                           (5)
        u = g / √max(v̂, ε₁²)                                                   (6)
        θ ← θ - α u / max(1, RMS(u) / d)                                       (7)

    with γ = lr, λ = weight_decay, τ = beta2_decay < 0, (ε₁, ε₂) = eps, at step t; RMS is the root of the mean
    square.  ε₁ = None stands for the distance from 1 to the next number of the parameter's type.  A vector
    or a number has its v̂ in full, v̂ ← v̂ + t^τ (g² - v̂); of more than two dimensions, the last two are rows
    and columns.  `maximize` climbs: it takes -g.

    Reference: Shazeer and Stern 2018, "Adafactor: adaptive learning rates with sublinear memory cost",
    algorithms 4 and 5; ε₁ is used as PyTorch does, which names the bounds in (5) and (6).
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **ways: bool | None,
    ) -> None:
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        check_ways(type(self).__name__, ways)
        super().__init__(params, defaults)

    def check_options(self, group: Group) -> None:
        """Beyond the ranges of all: two ε, an exponent that is not positive, a threshold of 1 at least."""
        super().check_options({**group, "eps": 0.0})
        eps1, eps2 = group["eps"]
        self.expect(
            (eps1 is None or eps1 >= 0) and eps2 >= 0, group, "eps", "two numbers >= 0, or (None, eps2)"
        )
        self.expect(group["beta2_decay"] <= 0, group, "beta2_decay", "a number <= 0")
        self.expect(group["d"] >= 1, group, "d", "a number >= 1")

    def numbers(self, group: Group) -> dict[str, float]:
        """The count of steps."""
        return {"step": 0}

    def shapes(self, param: Tensor, group: Group) -> dict[str, tuple[int, ...]]:
        """One number for each row and each column; for a vector all of them."""
        if param.ndim < 2:
            return {"variance": param.shape}
        *outer, rows, columns = param.shape
        return {"row_var": (*outer, rows, 1), "col_var": (*outer, 1, columns)}

    def update_group(self, index: int, group: Group) -> None:
        """Move each parameter that has a gradient, by itself: (1) and (7) look at all of its elements."""
        for param in group["params"]:
            if param.grad is None:
                continue
            if param not in self.state:
                xp, shapes = namespace(param.array), self.shapes(param, group)
                zeros = {name: Tensor(xp.zeros(shape, param.dtype)) for name, shape in shapes.items()}
                self.state[param] = {"step": 0, **zeros}
            self.state[param]["step"] += 1
            if param.numel():
                param.bump_version()
                self._move(param.array, param.grad.array, self.state[param], group)

    def _move(self, p: Array, g: Array, state: dict[str, Any], group: Group) -> None:
        """The equations, of one parameter."""
        xp, lr = namespace(p), float(group["lr"])
        eps1, eps2 = group["eps"]
        eps1 = float(xp.finfo(p.dtype).eps) if eps1 is None else eps1
        if group["maximize"]:
            g = -g
        alpha = xp.maximum(eps2, root_mean_square(xp, p)) * min(lr, 1.0 / math.sqrt(state["step"]))  # (1)
        p *= 1.0 - lr * group["weight_decay"]  # (2)
        share, square = state["step"] ** group["beta2_decay"], g * g
        if p.ndim < 2:
            v = blend(state["variance"].array, square, share)
        else:
            r = blend(state["row_var"].array, square.mean(axis=-1, keepdims=True), share)  # (3)
            c = blend(state["col_var"].array, square.mean(axis=-2, keepdims=True), share)  # (4)
            v = r * c / xp.maximum(r.mean(axis=-2, keepdims=True), eps1)  # (5)
        u = g / xp.sqrt(xp.maximum(v, eps1 * eps1))  # (6)
        p -= u * (alpha / xp.maximum(1.0, root_mean_square(xp, u) / group["d"]))  # (7)


def root_mean_square(xp: Any, array: Array) -> Any:
    """√(mean of the squares), a number of the array's type, where the array is."""
    return xp.sqrt(xp.mean(xp.square(array)))


def blend(average: Array, new: Array, share: float) -> Array:
    """average ← average + share (new - average), in place."""
    average += share * (new - average)
    return average
