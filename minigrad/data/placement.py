"""Where the tensors of a batch lie: in pinned memory, or on a device, whatever structure holds them."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from minigrad.tensor import Tensor


def move_batch(batch: Any, device: str, *, non_blocking: bool = False) -> Any:
    """The batch with its tensors on a device; from pinned memory to a GPU without waiting, if asked to.

    It may be a Tensor, a dataclass such as Batch, or tuples, lists and mappings of them; all else stays.

    >>> from minigrad.data import collate_pairs
    >>> move_batch(collate_pairs([([4], [5])]), "cpu").source.tolist()
    [[4]]
    """
    return _changed(batch, lambda tensor: tensor.to(device, non_blocking=non_blocking))


def pin_batch(batch: Any) -> Any:
    """The batch with its tensors in pinned memory. DeviceError without a usable GPU."""
    return _changed(batch, lambda tensor: tensor.pin_memory())


def _changed(batch: Any, change: Callable[[Any], Tensor]) -> Any:
    """The same structure, its tensors changed."""
    if isinstance(batch, Tensor):
        return change(batch)
    if isinstance(batch, Mapping):
        return {key: _changed(part, change) for key, part in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*[_changed(part, change) for part in batch])
    if isinstance(batch, tuple | list):
        return type(batch)(_changed(part, change) for part in batch)
    if dataclasses.is_dataclass(batch) and not isinstance(batch, type):
        parts = {
            field.name: _changed(getattr(batch, field.name), change) for field in dataclasses.fields(batch)
        }
        return dataclasses.replace(batch, **parts)
    return batch
