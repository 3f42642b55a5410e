"""CyclicLR: the rate goes up and down between two limits."""

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from minigrad.optim.optimizer import Optimizer

from .functions import attributes_of
from .scheduler import LRScheduler, expect, for_each_group, prepare_momentum, set_momentum

MODES = ("triangular", "triangular2", "exp_range")


class CyclicLR(LRScheduler):
    """γ = base_lr + (max_lr - base_lr) · h · s, with h rising from 0 to 1 and falling back in each cycle.

    base_lr, max_lr       the limits: numbers, or lists of one for each group
    step_size_up          how many steps h rises
    step_size_down        how many steps it falls; None means as many
    mode                  what s is: "triangular" 1, "triangular2" 1/2^(cycle - 1), "exp_range" gammaᵗ
    scale_fn, scale_mode  s as a function of the user's, of the "cycle", from 1 on, or of the "iterations"
    cycle_momentum        let the momentum (Adam's β₁) go the other way, from max_momentum to base_momentum

    Reference: Smith 2017, "Cyclical learning rates for training neural networks", section 3.2.
    """

    not_saved: ClassVar[tuple[str, ...]] = ("optimizer", "custom_scale")

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        name = type(self).__name__
        lower = for_each_group(name, "base_lr", base_lr, optimizer)
        self.max_lrs = for_each_group(name, "max_lr", max_lr, optimizer)
        down = step_size_up if step_size_down is None else step_size_down
        expect(step_size_up > 0, name, "step_size_up", step_size_up, "a number of steps > 0")
        expect(down > 0, name, "step_size_down", step_size_down, "a number of steps > 0")
        expect(mode in MODES or scale_fn is not None, name, "mode", mode, f"one of {MODES}, or a scale_fn")
        expect(
            scale_mode in ("cycle", "iterations"), name, "scale_mode", scale_mode, "'cycle' or 'iterations'"
        )
        self.total_size, self.step_ratio = step_size_up + down, step_size_up / (step_size_up + down)
        self.mode, self.gamma, self.custom_scale = mode, gamma, scale_fn
        by_cycle = scale_mode == "cycle" if scale_fn is not None else mode != "exp_range"
        self.scale_mode, self.cycle_momentum = "cycle" if by_cycle else "iterations", cycle_momentum
        if cycle_momentum:
            prepare_momentum(name, optimizer, base_momentum, max_momentum, begin=last_epoch == -1)
        for group, rate in zip(optimizer.param_groups, lower, strict=True) if last_epoch == -1 else ():
            group["lr"] = rate
        super().__init__(optimizer, last_epoch)
        self.base_lrs = lower

    def scale_fn(self, x: float) -> float:
        """s, of the number of the cycle or of the step."""
        if self.custom_scale is not None:
            return self.custom_scale(x)
        if self.mode == "exp_range":
            return self.gamma**x
        return 1.0 if self.mode == "triangular" else 0.5 ** (x - 1)

    def get_lr(self) -> list[float]:
        """The rates at this point of the cycle; the momenta are set along the way."""
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle  # how much of the cycle has passed
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        height *= self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        for group in self.optimizer.param_groups if self.cycle_momentum else ():
            lower, upper = group["base_momentum"], group["max_momentum"]
            set_momentum(group, upper - (upper - lower) * height)
        limits = zip(self.base_lrs, self.max_lrs, strict=True)
        return [lower + (upper - lower) * height for lower, upper in limits]

    def state_dict(self) -> dict[str, Any]:
        """The state without `scale_fn`, unless it is an object with attributes."""
        return {**super().state_dict(), "custom_scale": attributes_of(self.custom_scale)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from what `state_dict()` returned; a `scale_fn` is that of this schedule."""
        super().load_state_dict(state_dict)
        if state_dict["custom_scale"]:
            vars(self.custom_scale).update(state_dict["custom_scale"])
