"""OneCycleLR: one climb of the rate and one long fall."""

import math

from minigrad.optim.optimizer import Optimizer

from .scheduler import LRScheduler, expect, for_each_group, prepare_momentum, set_momentum


class OneCycleLR(LRScheduler):
    """From max_lr / div_factor up to max_lr and down to far below the start, with the momentum mirrored.

    max_lr              the highest rate: a number, or a list of one for each group
    total_steps         how many steps the cycle has; or `epochs` times `steps_per_epoch`
    pct_start           the share of them in which the rate climbs
    anneal_strategy     "cos" or "linear": the shape of climb and fall
    cycle_momentum      let the momentum (Adam's β₁) fall from max_momentum to base_momentum and climb back
    div_factor          the highest rate divided by the first
    final_div_factor    the first rate divided by the last
    three_phase         fall to the first rate as steeply as the climb was, and then on to the last

    Reference: Smith and Topin 2018, "Super-convergence: very fast training of neural networks using large
    learning rates", section 3.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        name = type(self).__name__
        tops = for_each_group(name, "max_lr", max_lr, optimizer)
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError(f"{name}(): expected total_steps, or both epochs and steps_per_epoch")
            total_steps = epochs * steps_per_epoch
        expect(total_steps > 0, name, "total_steps", total_steps, "a number > 0")
        expect(0 <= pct_start <= 1, name, "pct_start", pct_start, "a share from 0 to 1")
        known = anneal_strategy in ("cos", "linear")
        expect(known, name, "anneal_strategy", anneal_strategy, "'cos' or 'linear'")
        self.total_steps, self.anneal_strategy = total_steps, anneal_strategy
        self.cycle_momentum = cycle_momentum
        # The corners of the cycle, as the options in which a group keeps its rate and its momentum there.
        first, top, last = (
            ("initial_lr", "max_momentum"),
            ("max_lr", "base_momentum"),
            ("min_lr", "max_momentum"),
        )
        climb = pct_start * total_steps - 1  # the step at which the climb ends
        if three_phase:
            self.phases = [(climb, first, top), (2 * climb, top, first), (total_steps - 1, first, last)]
        else:
            self.phases = [(climb, first, top), (total_steps - 1, top, last)]
        if cycle_momentum:
            prepare_momentum(name, optimizer, base_momentum, max_momentum, begin=last_epoch == -1)
        for group, top in zip(optimizer.param_groups, tops, strict=True) if last_epoch == -1 else ():
            group["initial_lr"], group["max_lr"] = top / div_factor, top
            group["min_lr"] = group["initial_lr"] / final_div_factor
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rates at this point of the cycle; the momenta are set along the way."""
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(
                f"OneCycleLR(): got step {step} of a cycle of {self.total_steps}; make total_steps larger"
            )
        current = next((i for i, (stop, *_) in enumerate(self.phases) if step <= stop), len(self.phases) - 1)
        begin = self.phases[current - 1][0] if current else 0.0
        stop, (rate_from, momentum_from), (rate_to, momentum_to) = self.phases[current]
        share = (step - begin) / (stop - begin) if stop != begin else 1.0
        groups = self.optimizer.param_groups
        if self.cycle_momentum:
            for group in groups:
                set_momentum(group, self._anneal(group[momentum_from], group[momentum_to], share))
        return [self._anneal(group[rate_from], group[rate_to], share) for group in groups]

    def _anneal(self, start: float, end: float, share: float) -> float:
        """From start to end, after a share of the way."""
        if self.anneal_strategy == "cos":
            return end + (start - end) / 2 * (1 + math.cos(math.pi * share))
        return start + (end - start) * share
