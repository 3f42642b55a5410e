"""In which order a loader visits a dataset: a sampler is an iterable of indices, or of lists of indices."""

from collections.abc import Iterable, Iterator, Sized

from minigrad.generator import Generator, default_generator


class SequentialSampler:
    """The indices 0, 1, 2, ... of `data_source`."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler:
    """The indices of `data_source` in random order, a new order at each iteration.

    `replacement=True` draws each index independently; `num_samples` is how many are drawn (the length of the
    dataset by default; more than that without replacement starts further permutations). The order comes from
    `generator`, the library's default generator when it is None.
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        if num_samples is not None and num_samples < 1:
            raise ValueError(f"RandomSampler(): num_samples is {num_samples}, expected 1 or more")
        self.data_source = data_source
        self.replacement = replacement
        self.generator = default_generator() if generator is None else generator
        self._num_samples = num_samples

    def __iter__(self) -> Iterator[int]:
        size, remaining = len(self.data_source), len(self)
        if self.replacement and size:
            yield from self.generator.integers(0, size, remaining).tolist()
            return
        while remaining and size:
            order = self.generator.permutation(size)[:remaining]
            yield from order.tolist()
            remaining -= len(order)

    def __len__(self) -> int:
        return len(self.data_source) if self._num_samples is None else self._num_samples


class BatchSampler:
    """The indices of `sampler` in lists of `batch_size`; `drop_last` leaves out a last one that is shorter.

    >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        self.sampler = sampler
        self.batch_size = check_batch_size("BatchSampler()", batch_size)
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        batch: list[int] = []
        for index in self.sampler:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        return number_of_batches(len(self.sampler), self.batch_size, drop_last=self.drop_last)  # type: ignore[arg-type]


def number_of_batches(size: int, batch_size: int, *, drop_last: bool) -> int:
    """How many batches `size` indices make: rounded down when the incomplete batch is dropped, else up."""
    return size // batch_size if drop_last else -(-size // batch_size)


def check_batch_size(function: str, batch_size: object) -> int:
    """Give `batch_size` back if it is a positive int; TypeError or ValueError naming `function` otherwise."""
    if not isinstance(batch_size, int) or isinstance(batch_size, bool):
        raise TypeError(
            f"{function}: batch_size is {batch_size!r}, of type {type(batch_size).__name__}; expected int"
        )
    if batch_size < 1:
        raise ValueError(f"{function}: batch_size is {batch_size}, expected 1 or more")
    return batch_size
