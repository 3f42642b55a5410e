"""What samplers of whole batches share: the order is a function of the epoch, so a run can stop anywhere."""

from collections.abc import Iterator

import numpy as np

from minigrad.generator import WORDS, Generator

from .errors import DataError


class ResumableBatchSampler:
    """The base of samplers that give lists of indices: a subclass says in `batches_of` those of an epoch.

    After an epoch has been read to its end the sampler stands at the next; `set_epoch` chooses one.
    `state_dict` tells epoch and position (batches handed out), and a sampler that loads it goes on with the
    very batches that were still to come.
    """

    def __init__(self) -> None:
        self.epoch = 0
        self.position = 0
        self._start = 0  # where the next iteration begins: 0, or the position loaded

    def batches_of(self, epoch: int) -> list[list[int]]:
        """Every batch of `epoch` in its order."""
        raise NotImplementedError(f"{type(self).__name__} must define batches_of(self, epoch)")

    def number_of_batches(self, epoch: int) -> int:
        """How many batches `epoch` has."""
        return len(self.batches_of(epoch))

    def __len__(self) -> int:
        """The number of batches in the whole epoch, also when the next iteration resumes in its middle."""
        return self.number_of_batches(self.epoch)

    def __iter__(self) -> Iterator[list[int]]:
        epoch, start, self._start = self.epoch, self._start, 0
        batches = self.batches_of(epoch)
        for index in range(start, len(batches)):
            self.position = index + 1
            yield batches[index]
        self.epoch, self.position = epoch + 1, 0

    def set_epoch(self, epoch: int) -> None:
        """Go to the beginning of `epoch`, but stay where `load_state_dict` put the sampler in that epoch."""
        if epoch < 0:
            raise ValueError(f"{type(self).__name__}.set_epoch(): epoch is {epoch}, expected 0 or more")
        if epoch != self.epoch:
            self.epoch, self.position, self._start = epoch, 0, 0

    def state_dict(self) -> dict[str, int]:
        """The epoch, and how many of its batches have been handed out."""
        return {"epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Let the next iteration begin after the batches that `state` counts; DataError if it cannot."""
        function = f"{type(self).__name__}.load_state_dict()"
        if state.keys() != {"epoch", "position"} or not all(type(value) is int for value in state.values()):
            raise DataError(f"{function}: got {state}, expected the integers epoch and position")
        most = self.number_of_batches(state["epoch"]) if state["epoch"] >= 0 else 0
        if state["epoch"] < 0 or not 0 <= state["position"] <= most:
            raise DataError(
                f"{function}: got {state}, expected epoch >= 0 and position from 0 to {most}; was it saved "
                "with other data or another batch_size?"
            )
        self.epoch = state["epoch"]
        self.position = self._start = state["position"]


def generator_of_epoch(seed: int, epoch: int) -> Generator:
    """A generator of its own for each epoch, the same for the same seed."""
    generator = Generator(seed)
    block, word = divmod(epoch, WORDS)
    generator.set_state({**generator.get_state(), "offset": block})
    return Generator(int(generator.raw(WORDS)[word]))


def check_lengths(function: str, lengths: object, *, most_dimensions: int = 1) -> np.ndarray:
    """Give `lengths` as an array of integers, a row for each example; TypeError if they are none."""
    array = np.asarray(lengths)
    if not 1 <= array.ndim <= most_dimensions or (array.size and array.dtype.kind not in "iu"):
        each = "one integer" if most_dimensions == 1 else "one integer, or a row of integers,"
        raise TypeError(
            f"{function}: lengths has shape {array.shape} and dtype {array.dtype}, expected {each} per "
            "example"
        )
    return array


def check_window(function: str, window: int | None) -> int | None:
    """Give `window` back if it is None or a positive number of batches; ValueError otherwise."""
    if window is not None and window < 1:
        raise ValueError(f"{function}: window is {window}, expected 1 or more batches, or None")
    return window
