"""Many examples into one batch of Tensors."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.creation import as_tensor
from minigrad.errors import ShapeError
from minigrad.functions import stack
from minigrad.tensor import Tensor


def default_collate(batch: Sequence[Any]) -> Any:
    """Stack the examples of `batch` along a new first dimension, inside whatever structure they have.

    Numbers become a Tensor (bool, int64 or float64; NumPy's scalars keep their dtype), arrays and Tensors are
    stacked, strings and bytes stay a list; tuples and lists are collated position by position into a list,
    named tuples into one of their own type, mappings key by key into a dictionary, as in PyTorch.

    >>> labels, names = default_collate([(1, "a"), (2, "b")])
    >>> labels.tolist(), names
    ([1, 2], ['a', 'b'])
    """
    if not batch:
        raise ValueError("default_collate(): got no example, expected at least one")
    for kinds, collate in _COLLATORS:
        if isinstance(batch[0], kinds):
            for position, example in enumerate(batch):
                if not isinstance(example, kinds):
                    raise TypeError(
                        f"default_collate(): example {position} is of type {type(example).__name__}, "
                        f"expected {type(batch[0]).__name__} as in example 0"
                    )
            return collate(batch)
    raise TypeError(
        f"default_collate(): got an example of type {type(batch[0]).__name__}, expected numbers, arrays, "
        "Tensors, strings, or tuples, lists and mappings of them; pass a collate_fn of your own"
    )


def _collate_numbers(batch: Sequence[Any]) -> Tensor:
    return as_tensor(np.array(batch))


def _collate_arrays(batch: Sequence[np.ndarray]) -> Tensor:
    _refuse_unequal_shapes(batch)
    return as_tensor(np.stack(batch))


def _collate_tensors(batch: Sequence[Tensor]) -> Tensor:
    _refuse_unequal_shapes(batch)
    return stack(batch)


def _collate_mappings(batch: Sequence[Mapping[Any, Any]]) -> dict[Any, Any]:
    for position, example in enumerate(batch):
        if example.keys() != batch[0].keys():
            raise ValueError(
                f"default_collate(): example {position} has the keys {list(example)}, expected "
                f"{list(batch[0])} as in example 0"
            )
    return {key: default_collate([example[key] for example in batch]) for key in batch[0]}


def _collate_sequences(batch: Sequence[Sequence[Any]]) -> Any:
    for position, example in enumerate(batch):
        if len(example) != len(batch[0]):
            raise ValueError(
                f"default_collate(): example {position} has {len(example)} items, expected {len(batch[0])} "
                "as in example 0; pass a collate_fn that pads them, such as collate_pairs"
            )
    columns = [default_collate(column) for column in zip(*batch, strict=True)]
    return type(batch[0])(*columns) if hasattr(batch[0], "_fields") else columns


def _refuse_unequal_shapes(batch: Sequence[Any]) -> None:
    for position, example in enumerate(batch):
        if example.shape != batch[0].shape:
            raise ShapeError(
                f"default_collate(): example {position} has shape {tuple(example.shape)}, expected "
                f"{tuple(batch[0].shape)} as in example 0; pass a collate_fn that pads them"
            )


_COLLATORS: tuple[tuple[Any, Callable[[Sequence[Any]], Any]], ...] = (
    (Tensor, _collate_tensors),
    (np.ndarray, _collate_arrays),
    ((bool, int, float, np.number, np.bool_), _collate_numbers),
    ((str, bytes), list),
    (Mapping, _collate_mappings),
    ((tuple, list), _collate_sequences),
)
