"""Adam, and AdamW, which keeps weight decay out of the moments."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.backend import Array
from minigrad.kernels.adam import adam_step

from .elementwise import Elementwise, penalised
from .optimizer import Group, Params, check_ways


class Adam(Elementwise):
    """Steps of about γ in every coordinate, whatever the size of its gradient.

        g ← ∇f(θ) + λ θ                              (1)
        m ← β₁ m + (1 - β₁) g                        (2)
        v ← β₂ v + (1 - β₂) g²                       (3)
        m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ)        (4)
        θ ← θ - γ m̂ / (√v̂ + ε)                       (5)

    with γ = lr, (β₁, β₂) = betas, ε = eps, λ = weight_decay, at step t.  `amsgrad` puts the largest v so far
    in the place of v in (4).  `decoupled_weight_decay` makes it AdamW.  `maximize` climbs: it takes -∇f(θ).

    References: Kingma and Ba 2015, "Adam: a method for stochastic optimization", algorithm 1; Reddi, Kale
    and Kumar 2018, "On the convergence of Adam and beyond", algorithm 2 (amsgrad).

    >>> import minigrad as mg
    >>> w = mg.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = mg.optim.Adam([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5, -1.5], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        **ways: bool | None,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        check_ways(type(self).__name__, ways)
        super().__init__(params, defaults)

    def buffers(self, group: Group) -> dict[str, float]:
        """The moments m and v, and the largest v under amsgrad."""
        moments = {"exp_avg": 0.0, "exp_avg_sq": 0.0}
        return {**moments, "max_exp_avg_sq": 0.0} if group["amsgrad"] else moments

    def update(
        self, xp: Any, p: Array, g: Array, state: Mapping[str, Any], group: Group, scratch: Sequence[Array]
    ) -> None:
        """The equation, a stretch at a time."""
        lr, betas, t = float(group["lr"]), group["betas"], state["step"]
        g = penalised(xp, p, g, group, scratch[1])  # (1)
        # (5): γ m̂ / (√v̂ + ε) = γ √c₂ / c₁ · m / (√v + ε √c₂), with c₁ = 1 - β₁ᵗ and c₂ = 1 - β₂ᵗ of (4)
        root = math.sqrt(1.0 - betas[1] ** t)
        rate, shift = lr * root / (1.0 - betas[0] ** t), group["eps"] * root
        m, v, largest = state["exp_avg"], state["exp_avg_sq"], state.get("max_exp_avg_sq")
        adam_step(xp, p, g, m, v, largest, scratch[0], betas=betas, rate=rate, shift=shift)  # (2) to (5)


class AdamW(Adam):
    """θ ← (1 - γ λ) θ, and then Adam's step without decay: λ does not pass through the moments.

    with γ = lr and λ = weight_decay; all else is Adam's.

    Reference: Loshchilov and Hutter 2019, "Decoupled weight decay regularization", algorithm 2, line 12.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        **ways: bool | None,
    ) -> None:
        check_ways(type(self).__name__, ways)
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True
        )

    def check_options(self, group: Group) -> None:
        """Beyond the ranges: a group of Adam's, loaded here, would silently stay Adam's."""
        super().check_options(group)
        self.expect(
            group["decoupled_weight_decay"], group, "decoupled_weight_decay", "True, as AdamW saves it"
        )
