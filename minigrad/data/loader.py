"""A loader turns a dataset into batches: a sampler says which items, a collate function joins them."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from minigrad import cuda
from minigrad.generator import Generator

from .collate import default_collate
from .dataset import Dataset
from .errors import DataError
from .placement import pin_batch
from .sampler import BatchSampler, RandomSampler, SequentialSampler


class DataLoader:
    """Iterate over a dataset in batches, as PyTorch's loader does in its main process.

    Either give `batch_sampler`, an iterable of lists of indices such as BucketBatchSampler; or `batch_size`,
    `drop_last`, and the order of the single indices: `shuffle=True`, or a `sampler` of your own. The order of
    `shuffle=True` comes from `generator`, or from a new one with `seed`, or else from the library's default
    generator. `collate_fn` turns the list of a batch's items into the batch (default_collate). With
    `pin_memory` its tensors lie in page-locked memory, from which `.to("cuda", non_blocking=True)` copies
    beside the program's work; without a GPU that changes nothing.

    >>> [batch.tolist() for batch in DataLoader([1, 2, 3], batch_size=2)]
    [[1, 2], [3]]

    `state_dict` tells how far the pass under way has come, and a loader that loads it begins its next pass
    with the very batches that were still to come. A batch_sampler that has a `state_dict` counts for itself;
    a sampler of your own, that is none of this library's, must give the same order again.
    """

    def __init__(
        self,
        dataset: Dataset[Any] | Sequence[Any],
        batch_size: int = 1,
        shuffle: bool = False,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[list[int]] | None = None,
        *,
        drop_last: bool = False,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        generator: Generator | None = None,
        seed: int | None = None,
        pin_memory: bool = False,
    ) -> None:
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ValueError(
                "DataLoader(): batch_sampler excludes batch_size, shuffle, sampler, drop_last; leave them out"
            )
        if sampler is not None and shuffle:
            raise ValueError("DataLoader(): sampler excludes shuffle=True; let the sampler give the order")
        if generator is not None and seed is not None:
            raise ValueError("DataLoader(): got both generator and seed, expected one of them")
        if seed is not None:
            generator = Generator(seed)
        if sampler is None:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset = dataset
        self.batch_sampler = batch_sampler
        self.pin_memory = pin_memory
        self.collate_fn = default_collate if collate_fn is None else collate_fn
        random = getattr(batch_sampler, "sampler", None)
        self._generator = random.generator if isinstance(random, RandomSampler) else None
        self._position = self._start = 0  # batches handed out in this pass; where the next one begins
        self._before: dict[str, int] | None = None  # the generator's state before the pass

    def __iter__(self) -> Iterator[Any]:
        start, self._start = self._start, 0
        for position, indices in enumerate(self._order(resumed=start > 0)):
            if position >= start:
                self._position = position + 1
                batch = self.collate_fn([self.dataset[index] for index in indices])
                yield pin_batch(batch) if self.pin_memory and cuda.is_available() else batch
        self._position = 0

    def _order(self, *, resumed: bool) -> Iterable[list[int]]:
        """The batches of a pass; a random order is drawn at once, for a resumed pass as it was before."""
        if self._generator is None:
            return self.batch_sampler
        now = self._generator.get_state()
        if not resumed or self._before is None:
            self._before = now
            return list(self.batch_sampler)
        self._generator.set_state(self._before)
        order = list(self.batch_sampler)
        self._generator.set_state(now)
        return order

    def state_dict(self) -> dict[str, Any]:
        """How many batches of the pass under way are handed out, and what its order was drawn from."""
        if hasattr(self.batch_sampler, "state_dict"):
            return {"batch_sampler": self.batch_sampler.state_dict()}
        generator = None if self._generator is None else self._generator.get_state()
        before = self._before if self._position else None
        return {"position": self._position, "before": before, "generator": generator}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Let the next pass begin after the batches that `state` counts; DataError if it cannot."""
        counted = hasattr(self.batch_sampler, "state_dict")
        if set(state) != ({"batch_sampler"} if counted else {"position", "before", "generator"}):
            raise DataError(
                f"DataLoader.load_state_dict(): got the keys {sorted(state)}, which another kind of loader "
                "has saved; make the loader as it was made for that run"
            )
        if counted:
            self.batch_sampler.load_state_dict(state["batch_sampler"])  # type: ignore[attr-defined]
            return
        position, most = state["position"], len(self) if hasattr(self.batch_sampler, "__len__") else math.inf
        if type(position) is not int or not 0 <= position <= most:
            raise DataError(
                f"DataLoader.load_state_dict(): got position {position!r}, expected 0 to {most}; was it "
                "saved with other data or another batch_size?"
            )
        if (state["generator"] is None) != (self._generator is None):
            raise DataError(
                "DataLoader.load_state_dict(): one of the two loaders shuffles and the other does not; make "
                "the loader as it was made for that run"
            )
        if self._generator is not None:
            self._generator.set_state(state["generator"])
        self._before = state["before"]
        self._position = self._start = position

    def __len__(self) -> int:
        """The number of batches in one pass; TypeError when the sampler given has no length."""
        return len(self.batch_sampler)  # type: ignore[arg-type]
