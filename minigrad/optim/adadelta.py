"""Adadelta: steps in the units of the parameter, so that the rate need not be chosen."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from minigrad.backend import Array

from .elementwise import Elementwise, penalised
from .optimizer import Group, Params, check_ways


class Adadelta(Elementwise):
    """The step is to the gradient as recent steps were to recent gradients, in the root of the mean square.

        g ← ∇f(θ) + λ θ                              (1)
        v ← ρ v + (1 - ρ) g²                         (2)
        Δ = √(u + ε) / √(v + ε) · g                  (3)
        u ← ρ u + (1 - ρ) Δ²                         (4)
        θ ← θ - γ Δ                                  (5)

    with γ = lr, ρ = rho, ε = eps, λ = weight_decay.  `maximize` climbs: it takes -∇f(θ).

    Reference: Zeiler 2012, "ADADELTA: an adaptive learning rate method", algorithm 1 (there γ = 1).
    """

    scratch_arrays: ClassVar[int] = 3

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **ways: bool | None,
    ) -> None:
        defaults = {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        check_ways(type(self).__name__, ways)
        super().__init__(params, defaults)

    def check_options(self, group: Group) -> None:
        """Beyond the ranges of all: an average has its weights between 0 and 1."""
        super().check_options(group)
        self.expect(0 <= group["rho"] <= 1, group, "rho", "0 <= rho <= 1")

    def buffers(self, group: Group) -> dict[str, float]:
        """The mean squares of gradients and steps, v and u."""
        return {"square_avg": 0.0, "acc_delta": 0.0}

    def update(
        self, xp: Any, p: Array, g: Array, state: Mapping[str, Any], group: Group, scratch: Sequence[Array]
    ) -> None:
        """The equations, a stretch at a time."""
        (t, _, delta), v, u = scratch, state["square_avg"], state["acc_delta"]
        rho, eps = group["rho"], group["eps"]
        g = penalised(xp, p, g, group, scratch[1])  # (1)
        v *= rho
        xp.multiply(g, g, out=t)
        t *= 1.0 - rho
        v += t  # (2)
        xp.sqrt(xp.add(u, eps, out=delta), out=delta)
        delta /= xp.sqrt(xp.add(v, eps, out=t), out=t)
        delta *= g  # (3)
        u *= rho
        xp.multiply(delta, delta, out=t)
        t *= 1.0 - rho
        u += t  # (4)
        delta *= float(group["lr"])
        p -= delta  # (5)
