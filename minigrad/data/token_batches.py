"""Batches of about so many tokens, however many sequences that is.

A batch of 64 short sentences is little work, one of 64 long ones may not fit in memory. Vaswani et al. (2017,
section 5.1) count tokens: "Each training batch contained a set of sentence pairs containing approximately
25000 source tokens and 25000 target tokens."
"""

from collections.abc import Sequence

import numpy as np

from .resumable import ResumableBatchSampler, check_lengths, check_window, generator_of_epoch


class TokenBatchSampler(ResumableBatchSampler):
    """Lists of indices of close lengths, each batch of at most `tokens` tokens, padding counted.

    `lengths` has one integer per example, or a row of them: (source, target). A batch is as long as its
    longest example, on each side, and holds as many examples as make up to `tokens` on the larger side.

    The indices are shuffled and cut into windows of about `window` batches (None: one window for all), each
    window is sorted by length and cut into batches, and these are shuffled. With `shuffle=False` all indices
    go by length, then by position. The order is a function of (`seed`, epoch), and so is the number of
    batches; see ResumableBatchSampler for how a run goes on in mid-epoch.

    >>> list(TokenBatchSampler([3, 1, 2, 5, 4], tokens=6, shuffle=False))
    [[1, 2], [0], [4], [3]]
    """

    def __init__(
        self,
        lengths: Sequence[int] | Sequence[Sequence[int]] | np.ndarray,
        tokens: int,
        *,
        shuffle: bool = True,
        seed: int = 0,
        window: int | None = 100,
    ) -> None:
        super().__init__()
        table = check_lengths("TokenBatchSampler()", lengths, most_dimensions=2)
        self.lengths = table[:, None] if table.ndim == 1 else table  # (N, sides)
        self.tokens = tokens
        self.shuffle = shuffle
        self.seed = seed
        self.window = check_window("TokenBatchSampler()", window)
        self._longest = self.lengths.max(axis=1, initial=1)  # (N,)
        self._plan: tuple[int, list[list[int]]] | None = None  # an epoch and its batches
        too_long = np.flatnonzero(self._longest > tokens)
        if len(too_long):
            first = int(too_long[0])
            raise ValueError(
                f"TokenBatchSampler(): example {first} has {self._longest[first]} tokens, expected {tokens} "
                f"at most ({len(too_long)} of {len(self.lengths)} have more); leave them out, or raise tokens"
            )

    def batches_of(self, epoch: int) -> list[list[int]]:
        """Every batch of `epoch` in its order."""
        if self._plan is None or self._plan[0] != epoch:
            self._plan = (epoch, self._planned(epoch))
        return self._plan[1]

    def _planned(self, epoch: int) -> list[list[int]]:
        size = len(self.lengths)
        if not self.shuffle:
            return self._cut(self._by_length(np.arange(size)))
        generator = generator_of_epoch(self.seed, epoch)
        order = generator.permutation(size)
        width = max(size, 1)
        if self.window is not None and size:
            width = self.window * max(1, int(self.tokens / self._longest.mean()))
        windows = [self._by_length(order[start : start + width]) for start in range(0, size, width)]
        batches = self._cut(np.concatenate([order[:0], *windows]))
        return [batches[index] for index in generator.permutation(len(batches))]

    def _by_length(self, indices: np.ndarray) -> np.ndarray:
        """The indices by the longer side, then by the first, the second; equal ones stay in their order."""
        sides = self.lengths[indices].T[::-1]
        return indices[np.lexsort((*sides, self._longest[indices]))]

    def _cut(self, order: np.ndarray) -> list[list[int]]:
        """The indices of `order` in batches, each closed before it would have too many tokens."""
        batches: list[list[int]] = []
        longest = 0
        for index, length in zip(order.tolist(), self._longest[order].tolist(), strict=True):
            longest = max(longest, length)
            if not batches or (len(batches[-1]) + 1) * longest > self.tokens:
                batches.append([])
                longest = length
            batches[-1].append(index)
        return batches
