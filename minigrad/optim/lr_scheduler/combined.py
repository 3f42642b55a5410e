"""Schedules made of schedules: one after another, or all at once."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from minigrad.optim.optimizer import Optimizer

from .plateau import ReduceLROnPlateau
from .scheduler import LRScheduler


class Combined(LRScheduler):
    """The base: several schedules of one optimiser, and a state that holds theirs."""

    not_saved: ClassVar[tuple[str, ...]] = ("optimizer", "_schedulers")

    def __init__(self, optimizer: Optimizer | None, schedulers: Sequence[LRScheduler]) -> None:
        name = type(self).__name__
        if not schedulers:
            raise ValueError(f"{name}(): schedulers — got none, expected at least one")
        for position, scheduler in enumerate(schedulers):
            place = f"{name}(): schedulers[{position}]"
            if not isinstance(scheduler, LRScheduler):
                raise TypeError(f"{place} — got a {type(scheduler).__name__}, expected a schedule")
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(  # noqa: TRY004 (PyTorch's)
                    f"{place} — got a ReduceLROnPlateau, which steps by a metric; step it by itself"
                )
            optimizer = optimizer or scheduler.optimizer
            if scheduler.optimizer is not optimizer:
                raise ValueError(f"{place} — its optimiser is another one; make all schedules with the same")
        self.optimizer: Optimizer = optimizer  # type: ignore[assignment]
        self._schedulers = list(schedulers)

    def undo(self) -> None:
        """Take one step off the count of every part."""
        for scheduler in self._schedulers:
            scheduler.undo()

    def state_dict(self) -> dict[str, Any]:
        """The state, with those of the parts."""
        parts = [scheduler.state_dict() for scheduler in self._schedulers]
        return {**super().state_dict(), "_schedulers": parts}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from what `state_dict()` returned."""
        super().load_state_dict(state_dict)
        for scheduler, part in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            scheduler.load_state_dict(part)


class ChainedScheduler(Combined):
    """All schedules at every step: each works on the rate that the one before has left.

    It is made for schedules that compute a rate from the one before, such as ConstantLR and ExponentialLR;
    one that does not (LambdaLR, OneCycleLR) overwrites what came before it.
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        super().__init__(optimizer, schedulers)
        self._last_lr = self.rates()

    def step(self) -> None:
        """A step of each."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self.rates()


class SequentialLR(Combined):
    """One schedule until the first milestone, the next until the second, each from its own step 0.

    >>> import minigrad as mg
    >>> from minigrad.optim.lr_scheduler import ConstantLR, ExponentialLR, SequentialLR
    >>> optimizer = mg.optim.SGD([mg.zeros(2, requires_grad=True)], lr=1.0)
    >>> parts = [ConstantLR(optimizer, factor=0.1, total_iters=9), ExponentialLR(optimizer, gamma=0.5)]
    >>> scheduler = SequentialLR(optimizer, parts, milestones=[2])
    >>> for _ in range(5):
    ...     print(scheduler.get_last_lr())
    ...     scheduler.step()
    [0.1]
    [0.1]
    [1.0]
    [0.5]
    [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        super().__init__(optimizer, schedulers)
        for position, scheduler in enumerate(schedulers):
            if isinstance(scheduler, Combined):
                kind = type(scheduler).__name__
                raise TypeError(
                    f"SequentialLR(): schedulers[{position}] — got a {kind}, which cannot begin a second "
                    "time; list its parts here"
                )
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR(): milestones — got {len(milestones)}, expected {len(schedulers) - 1}, one "
                f"between each two of the {len(schedulers)} schedules"
            )
        self._milestones, self.last_epoch = list(milestones), last_epoch + 1
        for group in optimizer.param_groups:  # as if none of the parts had been made yet
            group["lr"] = group["initial_lr"]
        self.undo()
        current = self._schedulers[bisect_right(self._milestones, 0)]
        current.begin()
        self._last_lr = current.get_last_lr()

    def step(self) -> None:
        """A step of the schedule whose turn it is; at its milestone, its beginning."""
        self.last_epoch += 1
        turn = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[turn]
        if turn > 0 and self._milestones[turn - 1] == self.last_epoch:
            scheduler.restart()
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()
