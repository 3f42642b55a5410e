"""Batches of sequences of nearly equal length, so that little of a batch is padding."""

from collections.abc import Sequence

import numpy as np

from .resumable import ResumableBatchSampler, check_lengths, check_window, generator_of_epoch
from .sampler import check_batch_size, number_of_batches


class BucketBatchSampler(ResumableBatchSampler):
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
        super().__init__()
        self.lengths = check_lengths("BucketBatchSampler()", lengths)
        self.batch_size = check_batch_size("BucketBatchSampler()", batch_size)
        self.shuffle = shuffle
        self.seed = seed
        self.window = check_window("BucketBatchSampler()", window)
        self.drop_last = drop_last

    def __len__(self) -> int:
        """The number of batches in a whole epoch, also when the next iteration resumes in its middle."""
        return number_of_batches(len(self.lengths), self.batch_size, drop_last=self.drop_last)

    def number_of_batches(self, epoch: int) -> int:  # noqa: ARG002 (every epoch has as many)
        """How many batches `epoch` has."""
        return len(self)

    def batches_of(self, epoch: int) -> list[list[int]]:
        """Every batch of `epoch` in its order."""
        size = len(self.lengths)
        if not self.shuffle:
            return self._cut(np.argsort(self.lengths, kind="stable"))
        generator = generator_of_epoch(self.seed, epoch)
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
