"""Schedules that are a multiple of the first rate, γ = γ₀ f(t), after t steps.

The rate is computed from the one before, γ ← γ f(t) / f(t - 1), so that a change by others, such as another
schedule of the same optimiser, is kept in proportion.
"""

from bisect import bisect_right
from collections.abc import Iterable

from minigrad.optim.optimizer import Optimizer

from .scheduler import LRScheduler, expect


class Multiple(LRScheduler):
    """The base: a subclass gives f."""

    def factor(self, t: int) -> float:
        """f(t)"""
        raise NotImplementedError(f"{type(self).__name__} does not say its multiple: define factor")

    def get_lr(self) -> list[float]:
        """The rates before, times f(t) / f(t - 1)."""
        before, now = self.factor(self.last_epoch - 1), self.factor(self.last_epoch)
        return self.rates() if now == before else [rate * (now / before) for rate in self.rates()]

    def first_lr(self) -> list[float]:
        """At step 0 the rates times f(0); at a later one they are already in the groups."""
        return self.rates() if self.last_epoch else [rate * self.factor(0) for rate in self.rates()]

    def restart_lr(self) -> list[float]:
        """The first rates, times f(0)."""
        return [base * self.factor(0) for base in self.base_lrs]


class Stairs(Multiple):
    """The base of multiples that are constant but for some steps."""

    def first_lr(self) -> list[float]:
        """As in PyTorch, a stair that lies at the step to begin with is still to be taken."""
        return self.get_lr() if self.last_epoch else super().first_lr()


class StepLR(Stairs):
    """γ = γ₀ · gamma^⌊t / step_size⌋: every `step_size` steps, the rate is multiplied by gamma.

    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = mg.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(4):
    ...     print(scheduler.get_last_lr())
    ...     scheduler.step()
    [1.0]
    [1.0]
    [0.5]
    [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        expect(step_size > 0, "StepLR", "step_size", step_size, "a number of steps > 0")
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """f(t)"""
        return self.gamma ** (t // self.step_size)


class MultiStepLR(Stairs):
    """γ = γ₀ · gammaⁿ after n of the milestones; one that is given twice counts twice."""

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """f(t)"""
        return self.gamma ** bisect_right(self.milestones, t)


class ConstantLR(Stairs):
    """γ = γ₀ · factor for the first `total_iters` steps, and γ₀ from then on."""

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        expect(0 < factor <= 1, "ConstantLR", "factor", factor, "0 < factor <= 1")
        expect(total_iters > 0, "ConstantLR", "total_iters", total_iters, "a number of steps > 0")
        self.start_factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """f(t)"""
        return self.start_factor if t < self.total_iters else 1.0


class LinearLR(Multiple):
    """γ = γ₀ · (a + (b - a) min(t / T, 1)), with a = start_factor, b = end_factor and T = total_iters."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        expect(0 < start_factor <= 1, "LinearLR", "start_factor", start_factor, "0 < start_factor <= 1")
        expect(0 <= end_factor <= 1, "LinearLR", "end_factor", end_factor, "0 <= end_factor <= 1")
        expect(total_iters > 0, "LinearLR", "total_iters", total_iters, "a number of steps > 0")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """f(t)"""
        share = min(t / self.total_iters, 1.0)
        return self.start_factor + (self.end_factor - self.start_factor) * share


class ExponentialLR(Multiple):
    """γ = γ₀ · gammaᵗ"""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """f(t)"""
        return self.gamma**t

    def get_lr(self) -> list[float]:
        """The rates before, times gamma, where gammaᵗ itself may long be 0."""
        return [rate * self.gamma for rate in self.rates()]


class PolynomialLR(Multiple):
    """γ = γ₀ · (1 - min(t / T, 1))^power, with T = total_iters."""

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        expect(total_iters > 0, "PolynomialLR", "total_iters", total_iters, "a number of steps > 0")
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """f(t)"""
        return (1.0 - min(t / self.total_iters, 1.0)) ** self.power


class NoamLR(Multiple):
    """γ = γ₀ · d^(-1/2) · min(n^(-1/2), n · w^(-3/2)), with n = t + 1, d = d_model and w = warmup_steps.

    The rate grows in proportion to the steps for w steps, and then falls with the root of their number.  With
    an optimiser of lr=1.0 it is the paper's; PyTorch has no such schedule.

    Reference: Vaswani et al. 2017, "Attention is all you need", eq. 3 (there d = 512 and w = 4000).
    """

    def __init__(
        self, optimizer: Optimizer, d_model: int, warmup_steps: int = 4000, last_epoch: int = -1
    ) -> None:
        expect(d_model > 0, "NoamLR", "d_model", d_model, "a width > 0")
        expect(warmup_steps > 0, "NoamLR", "warmup_steps", warmup_steps, "a number of steps > 0")
        self.d_model, self.warmup_steps = d_model, warmup_steps
        super().__init__(optimizer, last_epoch)

    def factor(self, t: int) -> float:
        """f(t)"""
        n = t + 1
        return self.d_model**-0.5 * min(n**-0.5, n * self.warmup_steps**-1.5)
