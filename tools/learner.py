"""What training asks of a kind of task: how its examples become batches, a loss, scores and pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from minigrad import nn
from minigrad.backend import device
from minigrad.data import BucketBatchSampler
from minigrad.data.resumable import ResumableBatchSampler
from minigrad.tensor import Tensor

from .errors import CommandError
from .examples import Task
from .recipes import recipe_of
from .scores import Scores


class Learner:
    """A model with all that belongs to it, made from the configuration of a run; a subclass for each kind.

    `by_gradient` is False where the model is fitted in one go, by `fit`. `units` is what examples are called,
    `picture` the file that `draw_examples` writes, `place` the device that the model is on.
    """

    units: ClassVar[str] = "examples"
    picture: str = ""
    model: nn.Module
    details: list[str]  # what the last evaluation has to say beside its scores

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config
        self.by_gradient = not recipe_of(config["kind"], config["model"]["name"]).fitted
        self.place = device("cpu")
        self.details = []

    @staticmethod
    def decided(task: Task, settings: Mapping[str, Any]) -> dict[str, Any]:
        """What the data decide, as entries of the configuration: vocabularies, lengths.

        Under "model" stand the arguments of the model's configuration that are no settings.
        """
        raise NotImplementedError

    def dataset(self, examples: Sequence[Any]) -> Any:
        """The examples as numbers: a sequence, with `lengths` if they differ in length."""
        raise NotImplementedError

    def sampler(self, dataset: Any) -> ResumableBatchSampler:
        """Which examples make a batch: those of like length."""
        if self.config["training"]["batch_tokens"]:
            raise CommandError("training.batch_tokens is for pairs of texts; take training.batch_size")
        batch_size: int = self.config["training"]["batch_size"]
        lengths = getattr(dataset, "lengths", np.ones(len(dataset), dtype=np.int64))
        return BucketBatchSampler(lengths, batch_size, seed=self.config["seed"])

    def to(self, place: device) -> Self:
        """Move the model; what it is asked from now on is computed there. Returns self."""
        self.model.to(place)
        self.place = place
        return self

    def collate(self, items: list[Any]) -> Any:
        """A batch of items, in main memory; its `tokens` say how much there is to learn in it."""
        raise NotImplementedError

    def loss(self, batch: Any) -> Tensor:
        """The mean loss of a batch that lies where the model does."""
        raise NotImplementedError

    def weight(self, batch: Any) -> int:
        """Of how many the gradient of its loss is a mean: what a batch weighs among those of its step."""
        tokens: int = batch.tokens
        return tokens

    def fit(self, dataset: Any) -> None:
        """Fit a model that is not trained by gradients."""
        raise NotImplementedError

    def evaluate(self, examples: Sequence[Any]) -> Scores:
        """How the model does on examples."""
        raise NotImplementedError

    def size(self, task: Task) -> str:
        """How much there is to learn, as it is said at the start of a run."""
        return f"{len(task.train):,} {self.units} to train on, {len(task.heldout):,} held out"

    def read(self, files: Sequence[str]) -> Sequence[Any]:
        """Other files as examples to test on; DataError or CommandError if they are none."""
        raise CommandError(
            f"--data {files[0]}: {self.config['task']} is tested on what it held out; --data is for texts"
        )

    def counted(self, examples: Sequence[Any]) -> str:
        """How many examples there are."""
        return f"{len(examples):,} {self.units}"

    def example(self, task: Task) -> str:
        """An example as it is shown at the start of a run."""
        raise NotImplementedError

    def try_it(self, folder: str, task: Task) -> list[str]:
        """The command by which a user may try the model."""
        raise NotImplementedError

    def draw_examples(self, examples: Sequence[Any], path: Path) -> None:
        """Draw what the model does, into a PNG; CommandError if there is nothing to be drawn."""
        raise NotImplementedError

    def small_batch(self, dataset: Any) -> Any:
        """A batch whose graph can be read."""
        return self.collate([dataset[position] for position in range(min(2, len(dataset)))])
