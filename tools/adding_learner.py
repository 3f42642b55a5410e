"""Learning the adding problem: a sum of two numbers that lie far apart in a long series."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from minigrad.creation import as_tensor
from minigrad.data import move_batch
from minigrad.modes import no_grad
from minigrad.tensor import Tensor

from .examples import Task
from .learner import Learner
from .recipes import built
from .scores import Scores

TESTED_AT_ONCE = 250  # series


class AddingBatch(NamedTuple):
    """Series and the sums that they ask for."""

    x: Tensor  # (B, T, 2)
    sums: Tensor  # (B,)
    tokens: int


class AddingLearner(Learner):
    """A recurrent network that says one number at the end; an example is a series (T, 2) and the sum."""

    units: ClassVar[str] = "series"

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.model = built("adding", config["model"])

    @staticmethod
    def decided(task: Task, settings: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG004
        """Nothing but the settings."""
        return {"model": {}}

    def dataset(self, examples: Sequence[Any]) -> Sequence[Any]:
        """The examples are numbers already."""
        return examples

    def collate(self, items: list[Any]) -> AddingBatch:
        """Side by side."""
        x, sums = zip(*items, strict=True)
        return AddingBatch(as_tensor(np.stack(x)), as_tensor(np.array(sums)), len(items))

    def loss(self, batch: AddingBatch) -> Tensor:
        """The mean squared error."""
        return ((self.model(batch.x) - batch.sums) ** 2).mean()

    @no_grad()
    def evaluate(self, examples: Sequence[Any]) -> Scores:
        """The mean squared error; who always says 1 has 0.167."""
        was_training = self.model.training
        self.model.eval()
        total = 0.0
        for start in range(0, len(examples), TESTED_AT_ONCE):
            batch = self.collate(list(examples[start : start + TESTED_AT_ONCE]))
            batch = move_batch(batch, self.place)
            total += self.loss(batch).item() * batch.tokens
        self.model.train(was_training)
        return Scores({"squared_error": total / len(examples)})

    def example(self, task: Task) -> str:
        """The two numbers of the first series."""
        x, total = task.train[0]
        first, second = x[x[:, 1] == 1, 0]
        return f"{len(x)} numbers, two of them marked: {first:.3f} + {second:.3f} -> {total:.3f}"

    def try_it(self, folder: str, task: Task) -> list[str]:  # noqa: ARG002
        """Test it again."""
        return ["minigrad", "evaluate", folder]
