"""RAdam: Adam that trusts the second moment only once enough gradients have gone into it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.backend import Array
from minigrad.kernels.adam import average

from .elementwise import Elementwise, penalised
from .optimizer import Group, Params, check_ways


class RAdam(Elementwise):
    """Adam's step, scaled by how reliable v is; and plain momentum while it is not.

        g ← ∇f(θ) + λ θ                                                        (1)
        m ← β₁ m + (1 - β₁) g,  v ← β₂ v + (1 - β₂) g²                         (2)
        ρ∞ = 2 / (1 - β₂) - 1,  ρₜ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ)                  (3)
        rₜ = √((ρₜ - 4) (ρₜ - 2) ρ∞ / ((ρ∞ - 4) (ρ∞ - 2) ρₜ))                  (4)
        θ ← θ - γ m / (1 - β₁ᵗ) · rₜ √(1 - β₂ᵗ) / (√v + ε)    if ρₜ > 5        (5)
        θ ← θ - γ m / (1 - β₁ᵗ)                               otherwise        (6)

    with γ = lr, (β₁, β₂) = betas, ε = eps, λ = weight_decay, at step t.  `decoupled_weight_decay` shrinks θ
    by 1 - γ λ instead of (1)'s λ θ, as AdamW does.  `maximize` climbs: it takes -∇f(θ).

    Reference: Liu, Jiang, He, Chen, Liu, Gao and Han 2020, "On the variance of the adaptive learning rate
    and beyond", algorithm 2; the bound 5 in the place of its 4 is PyTorch's.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
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
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        check_ways(type(self).__name__, ways)
        super().__init__(params, defaults)

    def buffers(self, group: Group) -> dict[str, float]:
        """The moments m and v."""
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def update(
        self, xp: Any, p: Array, g: Array, state: Mapping[str, Any], group: Group, scratch: Sequence[Array]
    ) -> None:
        """The equations, a stretch at a time."""
        (beta1, beta2), step, t = group["betas"], state["step"], scratch[0]
        m, v = state["exp_avg"], state["exp_avg_sq"]
        g = penalised(xp, p, g, group, scratch[1])  # (1)
        average(xp, m, v, g, (beta1, beta2), t)  # (2)
        rate = float(group["lr"]) / (1.0 - beta1**step)
        trust = rectification(beta2, step)
        if trust is None:
            xp.multiply(m, rate, out=t)  # (6)
        else:
            xp.sqrt(v, out=t)
            t += group["eps"]
            xp.divide(m, t, out=t)
            t *= rate * trust * math.sqrt(1.0 - beta2**step)  # (5)
        p -= t


def rectification(beta2: float, step: int) -> float | None:
    """rₜ of (4), or None while ρₜ is 5 or less: until then the variance of the step is not known."""
    most = 2.0 / (1.0 - beta2) - 1.0
    rho = most - 2.0 * step * beta2**step / (1.0 - beta2**step)  # (3)
    if rho <= 5.0:
        return None
    return math.sqrt((rho - 4.0) * (rho - 2.0) * most / ((most - 4.0) * (most - 2.0) * rho))
