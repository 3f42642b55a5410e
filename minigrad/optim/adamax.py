"""Adamax: Adam with the largest recent gradient in the place of the root of the second moment."""

from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.backend import Array

from .elementwise import Elementwise, penalised
from .optimizer import Group, Params, check_ways


class Adamax(Elementwise):
    """Steps of at most about γ, in units of the largest gradient that each coordinate has lately seen.

        g ← ∇f(θ) + λ θ                              (1)
        m ← β₁ m + (1 - β₁) g                        (2)
        u ← max(β₂ u, |g| + ε)                       (3)
        θ ← θ - γ / (1 - β₁ᵗ) · m / u                (4)

    with γ = lr, (β₁, β₂) = betas, ε = eps, λ = weight_decay, at step t.  `maximize` climbs: it takes -∇f(θ).

    Reference: Kingma and Ba 2015, "Adam: a method for stochastic optimization", algorithm 2; the ε, which
    keeps u from 0, is PyTorch's.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **ways: bool | None,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        check_ways(type(self).__name__, ways)
        super().__init__(params, defaults)

    def buffers(self, group: Group) -> dict[str, float]:
        """The first moment m, and u."""
        return {"exp_avg": 0.0, "exp_inf": 0.0}

    def update(
        self, xp: Any, p: Array, g: Array, state: Mapping[str, Any], group: Group, scratch: Sequence[Array]
    ) -> None:
        """The equations, a stretch at a time."""
        (beta1, beta2), t, m, u = group["betas"], scratch[0], state["exp_avg"], state["exp_inf"]
        g = penalised(xp, p, g, group, scratch[1])  # (1)
        m *= beta1
        m += xp.multiply(g, 1.0 - beta1, out=t)  # (2)
        u *= beta2
        xp.absolute(g, out=t)
        t += group["eps"]
        xp.maximum(u, t, out=u)  # (3)
        xp.divide(m, u, out=t)
        t *= float(group["lr"]) / (1.0 - beta1 ** state["step"])
        p -= t  # (4)
