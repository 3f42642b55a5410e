"""Schedules: the learning rate of each group as a function of the number of steps taken.

for batch in loader:
    ...
    optimizer.step()
    scheduler.step()
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .optimizer import Group, Optimizer


class LRScheduler:
    """The base of all schedules; a subclass gives the learning rates after `last_epoch` steps in `get_lr`.

    optimizer    the "lr" of its groups is set, at once and at every `step()`; the first is kept beside it, as
                 "initial_lr"
    last_epoch   -1 to begin, also before `load_state_dict`; or the number of the last step of a run whose
                 groups have kept their "initial_lr"
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        name = type(self).__name__
        for position, group in enumerate(_groups_of(name, optimizer)):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{name}(): last_epoch — got {last_epoch}, but param_groups[{position}] has no "
                    "'initial_lr'; load the optimiser's state first, or begin with last_epoch=-1"
                )
        self.optimizer = optimizer
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self.step()

    def get_lr(self) -> list[float]:
        """The learning rate of each group, now that `last_epoch` steps have been taken."""
        raise NotImplementedError(
            f"{type(self).__name__} does not say what the learning rate is: define get_lr"
        )

    def step(self) -> None:
        """Count a step and set the learning rates that belong to it."""
        if len(self.optimizer.param_groups) != len(self.base_lrs):
            raise RuntimeError(
                f"{type(self).__name__}.step(): the optimiser has {len(self.optimizer.param_groups)} groups, "
                f"and had {len(self.base_lrs)} when the schedule was made; add groups before"
            )
        self.last_epoch += 1
        self._last_lr = self.get_lr()
        for group, lr in zip(self.optimizer.param_groups, self._last_lr, strict=True):
            group["lr"] = lr

    def get_last_lr(self) -> list[float]:
        """The learning rate that was set last, of each group."""
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser: numbers, texts and lists of them."""
        return {name: value for name, value in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from what `state_dict()` returned.  The optimiser's own state has its learning rates."""
        vars(self).update(state_dict)


def _groups_of(name: str, optimizer: Optimizer) -> list[Group]:
    """The groups of an optimiser; TypeError if it is none."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{name}(): optimizer — got a {type(optimizer).__name__}, expected an Optimizer")
    return optimizer.param_groups


class LambdaLR(LRScheduler):
    """γ = γ₀ · λ(t), for a function λ, or one for each group.  A function is not part of the state.

    Warming up over 4000 steps, then falling with √t (Vaswani et al. 2017, section 5.3):

    >>> import minigrad as mg
    >>> optimizer = mg.optim.Adam([mg.zeros(2, requires_grad=True)], lr=512**-0.5)
    >>> noam = mg.optim.lr_scheduler.LambdaLR(optimizer, lambda t: min((t + 1) ** -0.5, (t + 1) * 4000**-1.5))
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        count = len(_groups_of("LambdaLR", optimizer))
        self.lr_lambdas = [lr_lambda] * count if callable(lr_lambda) else list(lr_lambda)
        if len(self.lr_lambdas) != count:
            raise ValueError(
                f"LambdaLR(): lr_lambda — got {len(self.lr_lambdas)} functions, expected one, or one for "
                f"each of the {count} groups"
            )
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The first rates, each times its function's value."""
        pairs = zip(self.base_lrs, self.lr_lambdas, strict=True)
        return [base * function(self.last_epoch) for base, function in pairs]

    def state_dict(self) -> dict[str, Any]:
        """The state without the functions, which a file could only hold as code."""
        return {name: value for name, value in super().state_dict().items() if name != "lr_lambdas"}


class CosineAnnealingLR(LRScheduler):
    """γ = γ_min + (γ₀ - γ_min) (1 + cos(π t / T)) / 2

    with T = T_max and γ_min = eta_min; after T the rate climbs back, as the cosine does.  It is computed from
    the rate before, so that a change of it by others is kept in proportion.

    Reference: Loshchilov and Hutter 2017, "SGDR: stochastic gradient descent with warm restarts", equation
    5, with no restart.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        if T_max <= 0:
            raise ValueError(f"CosineAnnealingLR(): T_max — got {T_max!r}, expected a number of steps > 0")
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate before, its height above eta_min scaled by the ratio of the cosines."""
        rates = [group["lr"] for group in self.optimizer.param_groups]
        if self.last_epoch == 0:
            return rates
        before, now = (1 + math.cos(math.pi * t / self.T_max) for t in (self.last_epoch - 1, self.last_epoch))
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # the height before was zero
            return [
                rate + (base - self.eta_min) * now / 2
                for rate, base in zip(rates, self.base_lrs, strict=True)
            ]
        return [self.eta_min + (rate - self.eta_min) * now / before for rate in rates]


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
        groups = _groups_of("OneCycleLR", optimizer)
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR(): expected total_steps, or both epochs and steps_per_epoch")
            total_steps = epochs * steps_per_epoch
        if total_steps <= 0:
            raise ValueError(f"OneCycleLR(): total_steps — got {total_steps!r}, expected a number > 0")
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR(): pct_start — got {pct_start!r}, expected a share from 0 to 1")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"OneCycleLR(): anneal_strategy — got {anneal_strategy!r}, expected 'cos' or 'linear'"
            )
        if cycle_momentum and not {"momentum", "betas"} & set(optimizer.defaults):
            raise ValueError(
                f"OneCycleLR(): cycle_momentum — {type(optimizer).__name__} has neither momentum nor betas; "
                "pass cycle_momentum=False"
            )
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
        if last_epoch == -1:
            options = {"max_lr": max_lr, "base_momentum": base_momentum, "max_momentum": max_momentum}
            self._prepare(groups, options, div_factor, final_div_factor)
        super().__init__(optimizer, last_epoch)

    @staticmethod
    def _prepare(
        groups: list[Group], options: dict[str, Any], div_factor: float, final_div_factor: float
    ) -> None:
        """Write the corners of its cycle into each group."""
        for name, value in options.items():
            values = value if isinstance(value, list | tuple) else [value] * len(groups)
            if len(values) != len(groups):
                raise ValueError(f"OneCycleLR(): {name} — got {len(values)} values, expected {len(groups)}")
            for group, of_group in zip(groups, values, strict=True):
                group[name] = of_group
        for group in groups:
            group["initial_lr"] = group["max_lr"] / div_factor
            group["min_lr"] = group["initial_lr"] / final_div_factor

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
                self._set_momentum(group, self._anneal(group[momentum_from], group[momentum_to], share))
        return [self._anneal(group[rate_from], group[rate_to], share) for group in groups]

    def _anneal(self, start: float, end: float, share: float) -> float:
        """From start to end, after a share of the way."""
        if self.anneal_strategy == "cos":
            return end + (start - end) / 2 * (1 + math.cos(math.pi * share))
        return start + (end - start) * share

    @staticmethod
    def _set_momentum(group: Group, momentum: float) -> None:
        """SGD's momentum, or the first of Adam's betas."""
        if "betas" in group:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum
