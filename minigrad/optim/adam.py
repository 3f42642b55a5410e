"""Adam, and AdamW, which keeps weight decay out of the moments."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.backend import Array

from .elementwise import Elementwise, penalised
from .optimizer import Group, Params


class Adam(Elementwise):
    """m ← β₁ m + (1 - β₁) g,  v ← β₂ v + (1 - β₂) g²,  θ ← θ - γ m̂ / (√v̂ + ε)

    with γ = lr, (β₁, β₂) = betas, ε = eps, at step t m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ), and g the
    gradient plus weight_decay · θ.  `amsgrad` puts the largest v so far in the place of v.  `maximize`
    climbs: it takes the negative of the gradient.

    References: Kingma and Ba 2015, "Adam: a method for stochastic optimization", algorithm 1; Reddi, Kale
    and Kumar 2018, "On the convergence of Adam and beyond" (amsgrad).

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
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def buffers(self, group: Group) -> tuple[str, ...]:
        """The moments m and v, and the largest v under amsgrad."""
        moments = ("exp_avg", "exp_avg_sq")
        return (*moments, "max_exp_avg_sq") if group["amsgrad"] else moments

    def update(
        self, xp: Any, p: Array, g: Array, state: Mapping[str, Any], group: Group, scratch: Sequence[Array]
    ) -> None:
        """The equation, a stretch at a time: twelve passes."""
        lr, (beta1, beta2), t = float(group["lr"]), group["betas"], scratch[0]
        m, v = state["exp_avg"], state["exp_avg_sq"]
        g = penalised(xp, p, g, group, scratch[1])

        m *= beta1
        m += xp.multiply(g, 1.0 - beta1, out=t)
        v *= beta2
        xp.multiply(g, g, out=t)
        t *= 1.0 - beta2
        v += t
        if group["amsgrad"]:
            v = xp.maximum(v, state["max_exp_avg_sq"], out=state["max_exp_avg_sq"])

        # γ m̂ / (√v̂ + ε) = γ √c₂ / c₁ · m / (√v + ε √c₂), with c₁ = 1 - β₁ᵗ and c₂ = 1 - β₂ᵗ
        root = math.sqrt(1.0 - beta2 ** state["step"])
        xp.sqrt(v, out=t)
        t += group["eps"] * root
        xp.divide(m, t, out=t)
        t *= lr * root / (1.0 - beta1 ** state["step"])
        p -= t


class AdamW(Adam):
    """θ ← (1 - γ λ) θ, then Adam's step, with λ = weight_decay: the decay does not pass through the moments.

    Reference: Loshchilov and Hutter 2019, "Decoupled weight decay regularization", algorithm 2.
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
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)

    def update(
        self, xp: Any, p: Array, g: Array, state: Mapping[str, Any], group: Group, scratch: Sequence[Array]
    ) -> None:
        """The decay, then Adam's equation without one."""
        if group["weight_decay"]:
            p *= 1.0 - float(group["lr"]) * group["weight_decay"]
        super().update(xp, p, g, state, {**group, "weight_decay": 0.0}, scratch)
