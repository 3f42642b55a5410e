"""Rprop: only the sign of the gradient counts; every element has a step size of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.backend import Array

from .elementwise import Elementwise
from .optimizer import Group, Params, check_ways


class Rprop(Elementwise):
    """Steps that grow while the gradient keeps its sign, and shrink when it changes.

        s = sign(gₜ gₜ₋₁)                                                      (1)
        Δ ← min(η⁺ Δ, Δmax) if s > 0,  max(η⁻ Δ, Δmin) if s < 0,  Δ otherwise  (2)  the first Δ is γ
        gₜ ← 0 if s < 0                                                        (3)
        θ ← θ - sign(gₜ) Δ                                                     (4)

    element by element, with gₜ = ∇f(θ), γ = lr, (η⁻, η⁺) = etas and (Δmin, Δmax) = step_sizes.  It is meant
    for gradients of the whole data, not of batches.  `maximize` climbs: it takes -∇f(θ).

    Reference: Riedmiller and Braun 1993, "A direct adaptive method for faster backpropagation learning: the
    RPROP algorithm", section III, for (2) and (4); without its way back after a change of sign, and with (3),
    it is iRprop⁻ of Igel and Hüsken 2003, "Empirical evaluation of the improved Rprop learning algorithms".
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        *,
        maximize: bool = False,
        **ways: bool | None,
    ) -> None:
        defaults = {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize}
        check_ways(type(self).__name__, ways)
        super().__init__(params, defaults)

    def check_options(self, group: Group) -> None:
        """Beyond the ranges of all: η⁻ shrinks, η⁺ lets grow, and the limits are in order."""
        super().check_options(group)
        self.expect(0 < group["etas"][0] < 1 < group["etas"][1], group, "etas", "0 < etas[0] < 1 < etas[1]")
        least, most = group["step_sizes"]
        self.expect(0 <= least <= most, group, "step_sizes", "0 <= step_sizes[0] <= step_sizes[1]")

    def buffers(self, group: Group) -> dict[str, float]:
        """The gradient of the step before, and the step sizes Δ."""
        return {"prev": 0.0, "step_size": float(group["lr"])}

    def update(
        self, xp: Any, p: Array, g: Array, state: Mapping[str, Any], group: Group, scratch: Sequence[Array]
    ) -> None:
        """The equations, a stretch at a time."""
        t, before, size = scratch[0], state["prev"], state["step_size"]
        if group["maximize"]:
            g = xp.negative(g, out=scratch[1])
        agreement = xp.multiply(g, before, out=t)  # (1)
        changed, (shrink, grow) = agreement < 0, group["etas"]
        size *= xp.where(agreement > 0, grow, xp.where(changed, shrink, 1.0)).astype(size.dtype, copy=False)
        xp.clip(size, *group["step_sizes"], out=size)  # (2)
        xp.copyto(before, g)
        xp.copyto(before, 0, where=changed)  # (3)
        xp.sign(before, out=t)
        t *= size
        p -= t  # (4)
