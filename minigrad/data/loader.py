"""A loader turns a dataset into batches: a sampler says which items, a collate function joins them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from minigrad.generator import Generator

from .collate import default_collate
from .dataset import Dataset
from .sampler import BatchSampler, RandomSampler, SequentialSampler


class DataLoader:
    """Iterate over a dataset in batches, as PyTorch's loader does in its main process.

    Either give `batch_sampler`, an iterable of lists of indices such as BucketBatchSampler; or `batch_size`,
    `drop_last`, and the order of the single indices: `shuffle=True`, or a `sampler` of your own. The order of
    `shuffle=True` comes from `generator`, or from a new one with `seed`, or else from the library's default
    generator. `collate_fn` turns the list of a batch's items into the batch (default_collate).

    >>> [batch.tolist() for batch in DataLoader([1, 2, 3], batch_size=2)]
    [[1, 2], [3]]
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
        self.collate_fn = default_collate if collate_fn is None else collate_fn

    def __iter__(self) -> Iterator[Any]:
        for indices in self.batch_sampler:
            yield self.collate_fn([self.dataset[index] for index in indices])

    def __len__(self) -> int:
        """The number of batches in one pass; TypeError when the sampler given has no length."""
        return len(self.batch_sampler)  # type: ignore[arg-type]
