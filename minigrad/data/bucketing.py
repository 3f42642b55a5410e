"""Batches of sequences of nearly equal length, so that little of a batch is padding."""

from collections.abc import Iterator, Sequence

import numpy as np

from minigrad.generator import Generator

from .errors import DataError
from .sampler import check_batch_size, number_of_batches


class BucketBatchSampler:
    """Lists of indices whose lengths are close; a different order in each epoch, the same for the same seed.

    The indices are shuffled and cut into windows of `window` batches; each window is sorted by length and cut
    into batches; then the batches of the whole epoch are shuffled. A wide window wastes less padding, a
    narrow one mixes the examples better; `window=None` sorts the whole dataset at once. With `shuffle=False`
    there is nothing random: all indices go by length, then by position, the same in every epoch.

    The order is a function of (`seed`, epoch) alone. After an epoch has been read to its end the sampler
    stands at the next; `set_epoch` chooses one. `state_dict` tells epoch and position (batches handed out),
    and a sampler that loads it goes on with the very batches that were still to come:

    >>> sampler = BucketBatchSampler([3, 1, 2, 5, 4], batch_size=2, seed=7)
    >>> batches = iter(sampler)
    >>> first = next(batches)
    >>> resumed = BucketBatchSampler([3, 1, 2, 5, 4], batch_size=2, seed=7)
    >>> resumed.load_state_dict(sampler.state_dict())
    >>> list(resumed) == list(batches)
    True
    """

    def __init__(
        self,
        lengths: Sequence[int] | np.ndarray,
        batch_size: int,
        *,
        shuffle: bool = True,
        seed: int = 0,
        window: int | None = 100,
        drop_last: bool = False,
    ) -> None:
        self.lengths = np.asarray(lengths)
        if self.lengths.ndim != 1 or (self.lengths.size and self.lengths.dtype.kind not in "iu"):
            raise TypeError(
                f"BucketBatchSampler(): lengths has shape {self.lengths.shape} and dtype "
                f"{self.lengths.dtype}, expected one integer per example"
            )
        if window is not None and window < 1:
            raise ValueError(f"BucketBatchSampler(): window is {window}, expected 1 or more batches, or None")
        self.batch_size = check_batch_size("BucketBatchSampler()", batch_size)
        self.shuffle = shuffle
        self.seed = seed
        self.window = window
        self.drop_last = drop_last
        self.epoch = 0
        self.position = 0
        self._start = 0  # where the next iteration begins: 0, or the position loaded

    def __len__(self) -> int:
        """The number of batches in a whole epoch, also when the next iteration resumes in its middle."""
        return number_of_batches(len(self.lengths), self.batch_size, drop_last=self.drop_last)

    def __iter__(self) -> Iterator[list[int]]:
        epoch, start, self._start = self.epoch, self._start, 0
        batches = self._batches(epoch)
        for index in range(start, len(batches)):
            self.position = index + 1
            yield batches[index]
        self.epoch, self.position = epoch + 1, 0

    def set_epoch(self, epoch: int) -> None:
        """Go to the beginning of `epoch`, but stay where `load_state_dict` put the sampler in that epoch."""
        if epoch < 0:
            raise ValueError(f"BucketBatchSampler.set_epoch(): epoch is {epoch}, expected 0 or more")
        if epoch != self.epoch:
            self.epoch, self.position, self._start = epoch, 0, 0

    def state_dict(self) -> dict[str, int]:
        """The epoch, and how many of its batches have been handed out."""
        return {"epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Let the next iteration begin after the batches that `state` counts; DataError if it cannot."""
        if state.keys() != {"epoch", "position"} or not all(type(value) is int for value in state.values()):
            raise DataError(
                f"BucketBatchSampler.load_state_dict(): got {state}, expected the integers epoch and position"
            )
        if state["epoch"] < 0 or not 0 <= state["position"] <= len(self):
            raise DataError(
                f"BucketBatchSampler.load_state_dict(): got {state}, expected epoch >= 0 and position from 0 "
                f"to {len(self)}; was it saved with other data or another batch_size?"
            )
        self.epoch = state["epoch"]
        self.position = self._start = state["position"]

    def _batches(self, epoch: int) -> list[list[int]]:
        """Every batch of `epoch` in its order."""
        size = len(self.lengths)
        if not self.shuffle:
            return self._cut(np.argsort(self.lengths, kind="stable"))
        key = Generator(self.seed).raw(epoch + 1)[epoch]  # each epoch has its own
        generator = Generator(int(key))
        order = generator.permutation(size)
        if self.drop_last:  # drop at random, before sorting, or the longest would be dropped in every epoch
            order = order[: len(self) * self.batch_size]
        width = max(size, 1) if self.window is None else self.window * self.batch_size
        windows = [order[start : start + width] for start in range(0, len(order), width)]
        by_length = [window[np.argsort(self.lengths[window], kind="stable")] for window in windows]
        batches = self._cut(np.concatenate([order[:0], *by_length]))
        return [batches[index] for index in generator.permutation(len(batches))]

    def _cut(self, order: np.ndarray) -> list[list[int]]:
        """The indices of `order` in consecutive batches."""
        kept = order[: len(self) * self.batch_size].tolist()
        return [kept[start : start + self.batch_size] for start in range(0, len(kept), self.batch_size)]
