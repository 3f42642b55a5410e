"""Schedules that fall as a cosine does, once or again and again."""

import math

from minigrad.optim.optimizer import Optimizer

from .scheduler import LRScheduler, expect


class CosineAnnealingLR(LRScheduler):
    """γ = γ_min + (γ₀ - γ_min) (1 + cos(π t / T)) / 2

    with T = T_max and γ_min = eta_min; after T the rate climbs back, as the cosine does.  It is computed from
    the rate before, so that a change of it by others is kept in proportion.

    Reference: Loshchilov and Hutter 2017, "SGDR: stochastic gradient descent with warm restarts", eq. 5, with
    no restart.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        expect(T_max > 0, "CosineAnnealingLR", "T_max", T_max, "a number of steps > 0")
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate before, its height above eta_min scaled by the ratio of the cosines."""
        before, now = (1 + math.cos(math.pi * t / self.T_max) for t in (self.last_epoch - 1, self.last_epoch))
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # the height before was zero
            pairs = zip(self.rates(), self.base_lrs, strict=True)
            return [rate + (base - self.eta_min) * now / 2 for rate, base in pairs]
        return [self.eta_min + (rate - self.eta_min) * now / before for rate in self.rates()]

    def first_lr(self) -> list[float]:
        """The rates as they are: the cosine begins at its top."""
        return self.rates()

    def restart_lr(self) -> list[float]:
        """The first rates."""
        return list(self.base_lrs)


class CosineAnnealingWarmRestarts(LRScheduler):
    """γ = γ_min + (γ₀ - γ_min) (1 + cos(π T_cur / T_i)) / 2

    with γ_min = eta_min.  T_cur counts the steps since the last restart.  The first restart comes after T_0
    steps, each later one after T_mult times as many as the one before.

    Reference: Loshchilov and Hutter 2017, "SGDR: stochastic gradient descent with warm restarts", eq. 5.
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        name = type(self).__name__
        expect(isinstance(T_0, int) and T_0 > 0, name, "T_0", T_0, "an integer > 0")
        expect(isinstance(T_mult, int) and T_mult >= 1, name, "T_mult", T_mult, "an integer >= 1")
        self.T_0, self.T_i, self.T_mult, self.eta_min = T_0, T_0, T_mult, eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The first rates, as far down as the cosine of this period is."""
        height = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]

    def begin(self) -> None:
        """Find the place of the first step in its period."""
        self.step(self.last_epoch + 1)

    def restart(self) -> None:
        """Begin at step 0, now."""
        self.step(0)

    def step(self, epoch: float | None = None) -> None:
        """Count a step; or go to the step `epoch`, which may lie between two: epoch + batch / batches."""
        if epoch is None:
            self.last_epoch += 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        else:
            expect(epoch >= 0, f"{type(self).__name__}.step", "epoch", epoch, "a number >= 0")
            self.last_epoch = math.floor(epoch)
            self.T_cur, self.T_i = epoch, self.T_0
            while self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        self.set_lr(self.get_lr())
