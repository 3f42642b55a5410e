"""Dropout: elements are set to zero at random, and the others scaled so that the mean stays.

Each is the input itself unless `training`, and draws from `generator`, or the default one.
"""

from collections.abc import Sequence
from typing import Any

from minigrad import ops
from minigrad.backend import device
from minigrad.errors import ShapeError
from minigrad.generator import Generator, default_generator
from minigrad.tensor import Tensor, wrap

from .activation import SELU_ALPHA, SELU_SCALE, applied
from .checks import check_probability, check_tensors, tensor_expected

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]


def dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """y = x m / (1 - p), with m = 0 with probability p and else 1; the input itself unless `training`."""
    check_probability("dropout", p)
    if not isinstance(input, Tensor):
        raise tensor_expected("Dropout", input)
    if not training or p == 0:
        return input
    mask, scale = keep_mask(input.shape, p, input.device, generator)
    return applied("dropout", ops.masked_scale, input, inplace, mask=mask, scale=scale)


def keep_mask(
    shape: Sequence[int], p: float, where: device, generator: Generator | None
) -> tuple[Any, float]:
    """What dropout keeps, as an array on the device `where`, and 1 / (the rate of what is kept)."""
    return (generator or default_generator()).keep_mask(shape, p, where)


# --------------------------------------------------------------------------------------------- whole channels


def dropout1d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Dropout of whole channels of (N, C, L) or (C, L)    (Tompson et al. 2015, §3.2)"""
    return _channel_dropout("dropout1d", input, (2, 3), p, training, inplace, generator)


def dropout2d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Dropout of whole channels of (N, C, H, W); as in PyTorch, three dimensions are taken as (N, C, L)."""
    return _channel_dropout("dropout2d", input, (3, 4), p, training, inplace, generator, channel_dim=1)


def dropout3d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W)."""
    return _channel_dropout("dropout3d", input, (4, 5), p, training, inplace, generator)


def _channel_dropout(
    caller: str,
    input: Tensor,
    dimensions: tuple[int, int],
    p: float,
    training: bool,
    inplace: bool,
    generator: Generator | None,
    channel_dim: int | None = None,
) -> Tensor:
    check_probability(caller, p)
    check_tensors(caller, input)
    if input.ndim not in dimensions:
        raise ShapeError(f"{caller}(): input {input.shape}, expected one of {dimensions} dimensions")
    if not training or p == 0:
        return input
    channel_dim = input.ndim - dimensions[0] if channel_dim is None else channel_dim
    mask, scale = keep_mask(_per_channel(input.shape, channel_dim), p, input.device, generator)
    return applied(caller, ops.masked_scale, input, inplace, mask=mask, scale=scale)


def _per_channel(shape: tuple[int, ...], channel_dim: int) -> tuple[int, ...]:
    """The shape of one number for each channel: those after `channel_dim` become 1."""
    return (*shape[: channel_dim + 1], *[1] * (len(shape) - channel_dim - 1))


# ------------------------------------------------------------------------------------------------ beside selu


def alpha_dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """What is dropped becomes selu(-∞), and mean 0 and variance 1 are kept    (Klambauer et al. 2017, §3)"""
    return _alpha_dropout("alpha_dropout", input, None, p, training, inplace, generator)


def feature_alpha_dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """`alpha_dropout` of whole channels, which dimension 1 counts."""
    return _alpha_dropout("feature_alpha_dropout", input, 1, p, training, inplace, generator)


def _alpha_dropout(
    caller: str,
    input: Tensor,
    channel_dim: int | None,
    p: float,
    training: bool,
    inplace: bool,
    generator: Generator | None,
) -> Tensor:
    check_probability(caller, p)
    check_tensors(caller, input)
    if channel_dim is not None and input.ndim <= channel_dim:
        raise ShapeError(f"{caller}(): input {input.shape}, expected (N, C, ...)")
    if not training or p == 0:
        return input
    shape = input.shape if channel_dim is None else _per_channel(input.shape, channel_dim)
    mask, scale = keep_mask(shape, p, input.device, generator)
    return applied(caller, _standardised_selu, input, inplace, mask=wrap(mask), scale=scale)


def _standardised_selu(input: Tensor, *, mask: Tensor, scale: float) -> Tensor:
    """a x + b where the mask holds, else a limit + b, such that mean 0 and variance 1 are kept."""
    if scale == 0:  # nothing is kept
        return input * 0.0
    rate, limit = 1 / scale, -SELU_ALPHA * SELU_SCALE
    a = (rate * (1 + (1 - rate) * limit * limit)) ** -0.5
    return ops.where(mask, input, limit) * a - a * (1 - rate) * limit
