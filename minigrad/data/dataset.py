"""A dataset is anything with a length and an item for each index below it."""

from collections.abc import Sequence
from itertools import accumulate
from math import floor, isclose
from typing import Any, Generic, TypeVar

from minigrad.errors import ShapeError
from minigrad.generator import Generator, default_generator

Item = TypeVar("Item")


class Dataset(Generic[Item]):
    """The base of datasets reached by index: a subclass gives `__getitem__` and `__len__`."""

    def __getitem__(self, index: int) -> Item:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(self, index)")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must define __len__(self)")


class TensorDataset(Dataset[tuple[Any, ...]]):
    """Item i is the tuple of the i-th rows of each tensor (or array); all have the same first dimension.

    >>> import minigrad as mg
    >>> dataset = TensorDataset(mg.eye(2), mg.tensor([7, 8]))
    >>> row, number = dataset[1]
    >>> row.tolist(), number.item()
    ([0.0, 1.0], 8)
    """

    def __init__(self, *tensors: Any) -> None:
        if not tensors:
            raise ValueError("TensorDataset(): got no tensor, expected at least one")
        for position, tensor in enumerate(tensors):
            if not tensor.shape:
                raise ShapeError(
                    f"TensorDataset(): tensor {position} has no dimension, expected one or more; unsqueeze it"
                )
            if tensor.shape[0] != tensors[0].shape[0]:
                raise ShapeError(
                    f"TensorDataset(): tensor {position} has shape {tuple(tensor.shape)}, expected "
                    f"{tensors[0].shape[0]} rows as in tensor 0; give one row per example in each"
                )
        self.tensors = tensors

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])


class Subset(Dataset[Item]):
    """The items of `dataset` at `indices`, in that order."""

    def __init__(self, dataset: Dataset[Item] | Sequence[Item], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: int) -> Item:
        return self.dataset[int(self.indices[index])]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(
    dataset: Dataset[Item] | Sequence[Item],
    lengths: Sequence[int | float],
    generator: Generator | None = None,
) -> list[Subset[Item]]:
    """Cut a dataset at random into parts that share no item and leave none out.

    `lengths` are numbers of items that sum to `len(dataset)`, or fractions that sum to 1: each part then gets
    its fraction rounded down, and what remains is dealt out one by one from the first part on, as in PyTorch.
    The order comes from `generator`, the library's default generator when it is None.

    >>> large, small = random_split(range(10), [0.7, 0.3], Generator(0))
    >>> len(large), len(small), sorted([*large, *small]) == [*range(10)]
    (7, 3, True)
    """
    sizes = _part_sizes(len(dataset), lengths)
    order = (default_generator() if generator is None else generator).permutation(len(dataset)).tolist()
    ends = list(accumulate(sizes))
    return [Subset(dataset, order[end - size : end]) for size, end in zip(sizes, ends, strict=True)]


def _part_sizes(total: int, lengths: Sequence[int | float]) -> list[int]:
    """The number of items in each part of `random_split`."""
    if any(length < 0 for length in lengths):
        raise ValueError(f"random_split(): lengths are {list(lengths)}, expected none below 0")
    if all(isinstance(length, int) for length in lengths):
        if sum(lengths) != total:
            raise ValueError(
                f"random_split(): lengths {list(lengths)} sum to {sum(lengths)}, expected {total}, the "
                "length of the dataset; or give fractions that sum to 1"
            )
        return [int(length) for length in lengths]
    if not isclose(sum(lengths), 1):
        raise ValueError(f"random_split(): fractions {list(lengths)} sum to {sum(lengths)}, expected 1")
    sizes = [floor(total * fraction) for fraction in lengths]
    for position in range(total - sum(sizes)):
        sizes[position % len(sizes)] += 1
    return sizes
