"""Adagrad: a coordinate that has had large gradients takes smaller steps from then on."""

from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.backend import Array

from .elementwise import Elementwise, penalised
from .optimizer import Group, Params, check_ways


class Adagrad(Elementwise):
    """The rate of each coordinate falls with the sum of its squared gradients.

        g ← ∇f(θ) + λ θ                              (1)
        s ← s + g²                                   (2)  the first s is initial_accumulator_value
        θ ← θ - γ / (1 + (t - 1) η) · g / (√s + ε)   (3)

    with γ = lr, η = lr_decay, λ = weight_decay, ε = eps, at step t.  `maximize` climbs: it takes -∇f(θ).

    Reference: Duchi, Hazan and Singer 2011, "Adaptive subgradient methods for online learning and stochastic
    optimization", figure 1 with diagonal matrices; η and ε are PyTorch's.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
        **ways: bool | None,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "maximize": maximize,
        }
        check_ways(type(self).__name__, ways)
        super().__init__(params, defaults)
        for group in self.param_groups:
            for param in group["params"]:
                self.remember(param, group)  # before the first step already, as in PyTorch

    def buffers(self, group: Group) -> dict[str, float]:
        """The sum of the squared gradients, s."""
        return {"sum": group["initial_accumulator_value"]}

    def update(
        self, xp: Any, p: Array, g: Array, state: Mapping[str, Any], group: Group, scratch: Sequence[Array]
    ) -> None:
        """The equations, a stretch at a time."""
        t, s = scratch[0], state["sum"]
        g = penalised(xp, p, g, group, scratch[1])  # (1)
        s += xp.multiply(g, g, out=t)  # (2)
        xp.sqrt(s, out=t)
        t += group["eps"]
        xp.divide(g, t, out=t)
        t *= float(group["lr"]) / (1.0 + (state["step"] - 1) * group["lr_decay"])
        p -= t  # (3)
