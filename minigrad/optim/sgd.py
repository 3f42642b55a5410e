"""Stochastic gradient descent, with momentum."""

from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.backend import Array
from minigrad.tensor import Tensor

from .elementwise import Elementwise, penalised
from .optimizer import Group, Params, check_ways


class SGD(Elementwise):
    """Stochastic gradient descent: against the gradient, or against a running sum of gradients.

        g ← ∇f(θ) + λ θ                (1)
        b ← μ b + (1 - τ) g            (2)  the first b is g
        θ ← θ - γ b                    (3)  without momentum θ - γ g
        θ ← θ - γ (g + μ b)            (4)  in the place of (3) under `nesterov`

    with γ = lr, μ = momentum, τ = dampening, λ = weight_decay.  `maximize` climbs: it takes -∇f(θ).

    References: Robbins and Monro 1951, "A stochastic approximation method", Annals of Mathematical Statistics
    22, pages 400 to 407, for (3) without momentum; Sutskever, Martens, Dahl and Hinton 2013, "On the
    importance of initialization and momentum in deep learning", eqs. 1 to 4 (there b holds γ as well; this is
    PyTorch's form, which differs when γ changes).

    >>> import minigrad as mg
    >>> w = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = mg.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8, 1.6], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        **ways: bool | None,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        check_ways(type(self).__name__, ways)
        super().__init__(params, defaults)

    def check_options(self, group: Group) -> None:
        """Beyond the ranges: Nesterov's momentum is defined for a momentum, and without dampening."""
        super().check_options(group)
        if group["nesterov"] and not (group["momentum"] > 0 and group["dampening"] == 0):
            raise ValueError(
                f"SGD(): nesterov — got momentum {group['momentum']!r} and dampening {group['dampening']!r}, "
                "expected momentum > 0 and dampening = 0"
            )

    def load_entry(self, param: Tensor, entry: Mapping[str, Any], group: Group, place: str) -> dict[str, Any]:
        """A copy of one parameter's state; in PyTorch's there is no count of steps, only a b or none."""
        if entry.get("momentum_buffer") is None:
            return {}
        return super().load_entry(param, {"step": 1, **entry}, group, place)

    def save_entry(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """One parameter's state, without the count of steps that PyTorch's does not have."""
        return {name: value for name, value in entry.items() if name != "step"}

    def buffers(self, group: Group) -> dict[str, float]:
        """The running sum of gradients, b."""
        return {"momentum_buffer": 0.0} if group["momentum"] else {}

    def update(
        self, xp: Any, p: Array, g: Array, state: Mapping[str, Any], group: Group, scratch: Sequence[Array]
    ) -> None:
        """The equation, a stretch at a time."""
        lr, momentum, t = float(group["lr"]), group["momentum"], scratch[0]
        g = penalised(xp, p, g, group, scratch[1])  # (1)
        if momentum:
            b = state["momentum_buffer"]
            if state["step"] == 1:
                b[...] = g
            else:
                b *= momentum
                b += xp.multiply(g, 1.0 - group["dampening"], out=t)  # (2)
            g = xp.add(g, xp.multiply(b, momentum, out=t), out=t) if group["nesterov"] else b
        p -= xp.multiply(g, lr, out=t)  # (3), (4)
