"""Dropout: elements are set to zero at random, and the others scaled so that the mean stays."""

from collections.abc import Sequence
from typing import Any

from minigrad import ops
from minigrad.backend import device, to_device
from minigrad.generator import Generator, default_generator
from minigrad.tensor import Tensor

from .checks import check_probability, tensor_expected

__all__ = ["dropout"]


def dropout(
    input: Tensor, p: float = 0.5, training: bool = True, *, generator: Generator | None = None
) -> Tensor:
    """y = x m / (1 - p), with m = 0 with probability p and else 1; the input itself unless `training`."""
    check_probability("dropout", p)
    if not isinstance(input, Tensor):
        raise tensor_expected("Dropout", input)
    if not training or p == 0:
        return input
    mask, scale = keep_mask(input.shape, p, input.device, generator)
    return ops.masked_scale(input, mask, scale=scale)


def keep_mask(
    shape: Sequence[int], p: float, where: device, generator: Generator | None
) -> tuple[Any, float]:
    """What dropout keeps, as an array on the device `where`, and 1 / (the rate of what is kept)."""
    mask, scale = (generator or default_generator()).keep_mask(shape, p)
    return to_device(mask, where), scale
