"""SWALR: from the rate of training to the constant rate at which weights are averaged."""

import math

from minigrad.optim.optimizer import Optimizer

from .scheduler import LRScheduler, expect, for_each_group


class SWALR(LRScheduler):
    """γ = (1 - α) γ₀ + α γ_swa, with α = min(t / n, 1), or (1 - cos(π min(t / n, 1))) / 2

    γ_swa = swa_lr is a number, or a list of one for each group; n = anneal_epochs, and anneal_strategy is
    "linear" or "cos".  γ₀ is computed from the rate before, so that another schedule may have a part in it.

    Reference: Izmailov, Podoprikhin, Garipov, Vetrov and Wilson 2018, "Averaging weights leads to wider
    optima and better generalization", section 3.2 (the constant rate).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        name, known = type(self).__name__, anneal_strategy in ("cos", "linear")
        targets = for_each_group(name, "swa_lr", swa_lr, optimizer)
        expect(known, name, "anneal_strategy", anneal_strategy, "'cos' or 'linear'")
        counts = isinstance(anneal_epochs, int) and anneal_epochs >= 0
        expect(counts, name, "anneal_epochs", anneal_epochs, "an integer >= 0")
        for group, target in zip(optimizer.param_groups, targets, strict=True):
            group["swa_lr"] = target
        self.anneal_epochs, self.anneal_strategy = anneal_epochs, anneal_strategy
        self.first_epoch = last_epoch + 1
        super().__init__(optimizer, last_epoch)

    def share(self, t: int) -> float:
        """α"""
        way = max(0.0, min(1.0, t / max(1, self.anneal_epochs)))
        return way if self.anneal_strategy == "linear" else (1 - math.cos(math.pi * way)) / 2

    def get_lr(self) -> list[float]:
        """The rates before, as much nearer to γ_swa as the share has grown."""
        t = self.last_epoch - self.first_epoch
        if self.anneal_epochs == 0:
            t = max(1, t)
        before, now = self.share(t - 1), self.share(t)
        rates = []
        for group in self.optimizer.param_groups:
            target = group["swa_lr"]
            start = target if before == 1 else (group["lr"] - before * target) / (1 - before)
            rates.append(target * now + start * (1 - now))
        return rates
