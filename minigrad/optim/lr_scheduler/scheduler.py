"""The base of all schedules, and what several of them check."""

from collections.abc import Mapping
from typing import Any, ClassVar

from minigrad.optim.optimizer import Group, Optimizer


class LRScheduler:
    """The base of all schedules; a subclass gives the learning rates after `last_epoch` steps in `get_lr`.

    optimizer    the "lr" of its groups is set, at once and at every `step()`; the first is kept beside it, as
                 "initial_lr"
    last_epoch   -1 to begin, also before `load_state_dict`; or the number of the last step of a run whose
                 groups have kept their "initial_lr"
    """

    not_saved: ClassVar[tuple[str, ...]] = ("optimizer",)

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        name = type(self).__name__
        for position, group in enumerate(groups_of(name, optimizer)):
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
        self.begin()

    def get_lr(self) -> list[float]:
        """The learning rate of each group, now that `last_epoch` steps have been taken."""
        raise NotImplementedError(
            f"{type(self).__name__} does not say what the learning rate is: define get_lr"
        )

    def first_lr(self) -> list[float]:
        """The learning rates that the schedule begins with; with a `last_epoch`, the groups may hold them."""
        return self.get_lr()

    def restart_lr(self) -> list[float]:
        """The learning rates of step 0, whatever the groups hold now."""
        return self.get_lr()

    def step(self) -> None:
        """Count a step and set the learning rates that belong to it."""
        if len(self.optimizer.param_groups) != len(self.base_lrs):
            raise RuntimeError(
                f"{type(self).__name__}.step(): the optimiser has {len(self.optimizer.param_groups)} groups, "
                f"and had {len(self.base_lrs)} when the schedule was made; add groups before"
            )
        self.last_epoch += 1
        self.set_lr(self.get_lr())

    def begin(self) -> None:
        """Count the step before the first and set the learning rates to begin with."""
        self.last_epoch += 1
        self.set_lr(self.first_lr())

    def undo(self) -> None:
        """Take one step off the count; SequentialLR lets schedules begin a second time."""
        self.last_epoch -= 1

    def restart(self) -> None:
        """Begin at step 0, now: what SequentialLR does at a milestone."""
        self.last_epoch = 0
        self.set_lr(self.restart_lr())

    def rates(self) -> list[float]:
        """The learning rates that the groups hold now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def set_lr(self, rates: list[float]) -> None:
        """Write the learning rates into the groups."""
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        self._last_lr = rates

    def get_last_lr(self) -> list[float]:
        """The learning rate that was set last, of each group."""
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser and functions: numbers, texts and lists of them."""
        return {name: value for name, value in vars(self).items() if name not in self.not_saved}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from what `state_dict()` returned.  The optimiser's own state has its learning rates."""
        missing = [name for name in self.state_dict() if name not in state_dict]
        if missing:
            kind = type(self).__name__
            raise ValueError(f"{kind}.load_state_dict(): got no {missing[0]!r}; was it saved by {kind}?")
        vars(self).update({name: value for name, value in state_dict.items() if name not in self.not_saved})


def groups_of(name: str, optimizer: Optimizer) -> list[Group]:
    """The groups of an optimiser; TypeError if it is none."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{name}(): optimizer — got a {type(optimizer).__name__}, expected an Optimizer")
    return optimizer.param_groups


def for_each_group(name: str, option: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """A value for each group: from a list of as many, or one for all."""
    count = len(groups_of(name, optimizer))
    values = list(value) if isinstance(value, list | tuple) else [value] * count
    if len(values) != count:
        raise ValueError(
            f"{name}(): {option} — got {len(values)} values, expected {count}, one for each group"
        )
    return values


def expect(condition: bool, name: str, option: str, value: Any, expected: str) -> None:
    """Raise ValueError with an option's value, if the condition does not hold."""
    if not condition:
        raise ValueError(f"{name}(): {option} — got {value!r}, expected {expected}")


def prepare_momentum(name: str, optimizer: Optimizer, base: Any, most: Any, begin: bool) -> None:
    """Write the limits of a momentum that is cycled into the groups, and the highest one as the momentum."""
    if not {"momentum", "betas"} & set(optimizer.defaults):
        raise ValueError(
            f"{name}(): cycle_momentum — {type(optimizer).__name__} has neither momentum nor betas; "
            "pass cycle_momentum=False"
        )
    lower = for_each_group(name, "base_momentum", base, optimizer)
    upper = for_each_group(name, "max_momentum", most, optimizer)
    for group, low, high in zip(optimizer.param_groups, lower, upper, strict=True) if begin else ():
        group["base_momentum"], group["max_momentum"] = low, high
        set_momentum(group, high)


def set_momentum(group: Group, momentum: float) -> None:
    """SGD's momentum, or the first of Adam's betas."""
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum
