"""Schedules by a function of the user's."""

from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any, ClassVar, TypeAlias

from minigrad.optim.optimizer import Optimizer

from .scheduler import LRScheduler, for_each_group

Factor: TypeAlias = Callable[[int], float]


class LambdaLR(LRScheduler):
    """γ = γ₀ · λ(t), for a function λ, or one for each group.

    A function is not part of the state; of an object that can be called, its attributes are.

    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = mg.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (t + 1))
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    not_saved: ClassVar[tuple[str, ...]] = ("optimizer", "lr_lambdas")

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1
    ) -> None:
        name = type(self).__name__
        self.lr_lambdas = for_each_group(name, "lr_lambda", lr_lambda, optimizer)
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(f"{name}(): lr_lambda — got a {type(function).__name__}, expected a function")
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The first rates, each times its function's value."""
        return self._times_functions(self.base_lrs)

    def _times_functions(self, rates: list[float]) -> list[float]:
        return [
            rate * function(self.last_epoch) for rate, function in zip(rates, self.lr_lambdas, strict=True)
        ]

    def state_dict(self) -> dict[str, Any]:
        """The state without the functions, which a file could only hold as code."""
        attributes = [attributes_of(function) for function in self.lr_lambdas]
        return {**super().state_dict(), "lr_lambdas": attributes}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from what `state_dict()` returned; the functions are those of this schedule."""
        super().load_state_dict(state_dict)
        for function, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            vars(function).update(attributes or {})


class MultiplicativeLR(LambdaLR):
    """γ ← γ · λ(t), for a function λ, or one for each group; the first rate is γ₀."""

    def get_lr(self) -> list[float]:
        """The rates before, each times its function's value."""
        return self._times_functions(self.rates())

    def first_lr(self) -> list[float]:
        """The rates as they are."""
        return self.rates()


def attributes_of(function: Callable[..., Any] | None) -> dict[str, Any] | None:
    """What can be saved of a function: the attributes of an object, nothing of a mere function."""
    return None if function is None or isinstance(function, FunctionType) else dict(vars(function))
