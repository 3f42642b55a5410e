"""ReduceLROnPlateau: the rate falls when the loss no longer does."""

import math
from typing import SupportsFloat

from minigrad.optim.optimizer import Optimizer

from .scheduler import LRScheduler, expect, for_each_group


class ReduceLROnPlateau(LRScheduler):
    """γ ← max(factor · γ, min_lr), once a metric has not improved for more than `patience` steps.

    mode             "min" if a smaller metric is better, "max" if a larger one is
    factor           what the rate is multiplied by
    patience         how many steps without improvement are put up with
    threshold        an improvement is one by more than this: a share of the best metric so far if
    threshold_mode   is "rel", or the difference itself if it is "abs"
    cooldown         how many steps are not counted after a reduction
    min_lr           the lowest rate: a number, or a list of one for each group
    eps              a reduction by no more than this is left out

    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = mg.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     scheduler.step(loss)
    >>> scheduler.get_last_lr()
    [0.1]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        name = type(self).__name__
        self.min_lrs = for_each_group(name, "min_lr", min_lr, optimizer)
        expect(factor < 1, name, "factor", factor, "a number < 1")
        expect(mode in ("min", "max"), name, "mode", mode, "'min' or 'max'")
        expect(threshold_mode in ("rel", "abs"), name, "threshold_mode", threshold_mode, "'rel' or 'abs'")
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.cooldown, self.eps = cooldown, eps
        self.best = math.inf if mode == "min" else -math.inf
        self.cooldown_counter = self.num_bad_epochs = self.last_epoch = 0
        self._last_lr = self.rates()

    def step(self, metrics: SupportsFloat) -> None:  # type: ignore[override]
        """Count a step with its metric, such as the loss on held-out data."""
        if len(self.optimizer.param_groups) != len(self.min_lrs):
            raise RuntimeError(
                f"{type(self).__name__}.step(): the optimiser has {len(self.optimizer.param_groups)} groups, "
                f"and had {len(self.min_lrs)} when the schedule was made; add groups before"
            )
        self.last_epoch += 1
        current = float(metrics)
        self.num_bad_epochs += 1
        if self._is_better(current):
            self.best, self.num_bad_epochs = current, 0
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
            lower = [
                max(rate * self.factor, least) for rate, least in zip(self.rates(), self.min_lrs, strict=True)
            ]
            self.set_lr(
                [new if old - new > self.eps else old for old, new in zip(self.rates(), lower, strict=True)]
            )
        self._last_lr = self.rates()

    def _is_better(self, metric: float) -> bool:
        """Is this an improvement on the best so far?"""
        sign = 1.0 if self.mode == "max" else -1.0
        if self.threshold_mode == "rel":
            bound = self.best * (1.0 + sign * self.threshold)
        else:
            bound = self.best + sign * self.threshold
        return sign * metric > sign * bound
