"""RMSprop: gradients divided by the root of their recent mean square."""

from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.backend import Array

from .elementwise import Elementwise, penalised
from .optimizer import Group, Params, check_ways


class RMSprop(Elementwise):
    """Steps of about γ, whatever the size of the gradients lately was.

        g ← ∇f(θ) + λ θ                              (1)
        v ← α v + (1 - α) g²                         (2)
        a ← α a + (1 - α) g,  ṽ = v - a²             (3)  under `centered`; otherwise ṽ = v
        b ← μ b + g / (√ṽ + ε)                       (4)
        θ ← θ - γ b                                  (5)

    with γ = lr, α = alpha, ε = eps, λ = weight_decay, μ = momentum.  `maximize` climbs: it takes -∇f(θ).

    References: Tieleman and Hinton 2012, "Neural networks for machine learning", lecture 6.5, for (2);
    Graves 2013, "Generating sequences with recurrent neural networks", eqs. 38 to 41, for (3) (there with ε
    under the root, and momentum on the step).
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
        **ways: bool | None,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        check_ways(type(self).__name__, ways)
        super().__init__(params, defaults)

    def buffers(self, group: Group) -> dict[str, float]:
        """The mean square v, the sum of steps b if there is momentum, and the mean a under `centered`."""
        wanted = {"square_avg": True, "momentum_buffer": group["momentum"], "grad_avg": group["centered"]}
        return {name: 0.0 for name, needed in wanted.items() if needed}

    def update(
        self, xp: Any, p: Array, g: Array, state: Mapping[str, Any], group: Group, scratch: Sequence[Array]
    ) -> None:
        """The equations, a stretch at a time."""
        alpha, momentum, t, v = group["alpha"], group["momentum"], scratch[0], state["square_avg"]
        g = penalised(xp, p, g, group, scratch[1])  # (1)
        v *= alpha
        xp.multiply(g, g, out=t)
        t *= 1.0 - alpha
        v += t  # (2)
        if group["centered"]:
            a = state["grad_avg"]
            a *= alpha
            a += xp.multiply(g, 1.0 - alpha, out=t)
            v = xp.subtract(v, xp.multiply(a, a, out=t), out=t)  # (3)
        xp.sqrt(v, out=t)
        t += group["eps"]
        step = xp.divide(g, t, out=t)
        if momentum:
            b = state["momentum_buffer"]
            b *= momentum
            b += step  # (4)
            step = b
        p -= xp.multiply(step, float(group["lr"]), out=t)  # (5)
