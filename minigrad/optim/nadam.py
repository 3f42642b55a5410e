"""NAdam: Adam with Nesterov's momentum, which looks one step ahead."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.backend import Array
from minigrad.kernels.adam import average

from .elementwise import Elementwise, penalised
from .optimizer import Group, Params, check_ways


class NAdam(Elementwise):
    """Adam's step, with the momentum that the next step will have, and a momentum that grows with time.

        g ← ∇f(θ) + λ θ                                                        (1)
        m ← β₁ m + (1 - β₁) g,  v ← β₂ v + (1 - β₂) g²                         (2)
        μₜ = β₁ (1 - 0.96^(tψ) / 2)                                            (3)
        m̂ = μₜ₊₁ m / (1 - μ₁ μ₂ ⋯ μₜ₊₁) + (1 - μₜ) g / (1 - μ₁ μ₂ ⋯ μₜ)        (4)
        θ ← θ - γ m̂ / (√(v / (1 - β₂ᵗ)) + ε)                                   (5)

    with γ = lr, (β₁, β₂) = betas, ε = eps, λ = weight_decay, ψ = momentum_decay, at step t.
    `decoupled_weight_decay` shrinks θ by 1 - γ λ instead of (1)'s λ θ, as AdamW does.  `maximize` climbs: it
    takes -∇f(θ).

    Reference: Dozat 2016, "Incorporating Nesterov momentum into Adam", algorithm 2.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        **ways: bool | None,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        check_ways(type(self).__name__, ways)
        super().__init__(params, defaults)

    def buffers(self, group: Group) -> dict[str, float]:
        """The moments m and v."""
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def numbers(self, group: Group) -> dict[str, float]:
        """The count of steps, and μ₁ μ₂ ⋯ μₜ."""
        return {"step": 0, "mu_product": 1.0}

    def advance(self, numbers: dict[str, Any], group: Group) -> dict[str, Any]:
        """Count a step; the shares of the gradient and of m in (4), times γ."""
        beta1, lr, decay = group["betas"][0], float(group["lr"]), group["momentum_decay"]
        numbers["step"] += 1
        step = numbers["step"]
        now, ahead = (beta1 * (1.0 - 0.5 * 0.96 ** (t * decay)) for t in (step, step + 1))  # (3)
        numbers["mu_product"] *= now
        product = numbers["mu_product"]
        of_gradient, of_moment = lr * (1.0 - now) / (1.0 - product), lr * ahead / (1.0 - product * ahead)
        return {"step": step, "of_gradient": of_gradient, "of_moment": of_moment}

    def update(
        self, xp: Any, p: Array, g: Array, state: Mapping[str, Any], group: Group, scratch: Sequence[Array]
    ) -> None:
        """The equations, a stretch at a time."""
        t, direction, m, v = *scratch, state["exp_avg"], state["exp_avg_sq"]
        g = penalised(xp, p, g, group, direction)  # (1)
        average(xp, m, v, g, group["betas"], t)  # (2)
        xp.multiply(g, state["of_gradient"], out=direction)
        direction += xp.multiply(m, state["of_moment"], out=t)  # (4)
        xp.sqrt(v, out=t)
        t /= math.sqrt(1.0 - group["betas"][1] ** state["step"])
        t += group["eps"]
        direction /= t
        p -= direction  # (5)
