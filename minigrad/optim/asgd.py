"""ASGD: gradient descent that also remembers the average of the points it has passed."""

from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.backend import Array

from .elementwise import Elementwise, penalised
from .optimizer import Group, Params, check_ways


class ASGD(Elementwise):
    """Gradient descent at a falling rate, and the mean of θ from step t₀ on.

        g ← ∇f(θ) + w θ                              (1)
        θ ← (1 - λ η) θ - η g                        (2)
        ā ← ā + μ (θ - ā)                            (3)
        η = γ / (1 + λ γ t)^α                        (4)  of the next step; the first is γ
        μ = 1 / max(1, t - t₀)                       (5)  of the next step; the first is 1

    with γ = lr, λ = lambd, α = alpha, t₀ = t0, w = weight_decay, at step t.  ā is kept as `state[p]["ax"]`:
    it is up to the user to take it for the parameters in the end.  `maximize` climbs: it takes -∇f(θ).

    References: Polyak and Juditsky 1992, "Acceleration of stochastic approximation by averaging", section
    2, for (3); Xu 2011, "Towards optimal one pass large scale learning with averaged stochastic gradient
    descent", arXiv 1107.2490, for (4).
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **ways: bool | None,
    ) -> None:
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        check_ways(type(self).__name__, ways)
        super().__init__(params, defaults)

    def buffers(self, group: Group) -> dict[str, float]:
        """The average ā."""
        return {"ax": 0.0}

    def numbers(self, group: Group) -> dict[str, float]:
        """The count of steps, and η and μ of the next one."""
        return {"step": 0, "eta": float(group["lr"]), "mu": 1.0}

    def advance(self, numbers: dict[str, Any], group: Group) -> dict[str, Any]:
        """Count a step: its η and μ; kept are those of the next."""
        now = {"eta": numbers["eta"], "mu": numbers["mu"]}
        numbers["step"] += 1
        lr, step = float(group["lr"]), numbers["step"]
        numbers["eta"] = lr / (1.0 + group["lambd"] * lr * step) ** group["alpha"]  # (4)
        numbers["mu"] = 1.0 / max(1.0, step - group["t0"])  # (5)
        return now

    def update(
        self, xp: Any, p: Array, g: Array, state: Mapping[str, Any], group: Group, scratch: Sequence[Array]
    ) -> None:
        """The equations, a stretch at a time."""
        t, eta, mu, mean = scratch[0], state["eta"], state["mu"], state["ax"]
        g = penalised(xp, p, g, group, scratch[1])  # (1)
        p *= 1.0 - group["lambd"] * eta
        p -= xp.multiply(g, eta, out=t)  # (2)
        xp.subtract(p, mean, out=t)
        t *= mu
        mean += t  # (3)
