"""Adaptive pooling as modules: as many windows as the output is to have.

The input is (N, C, L), (N, C, H, W) or (N, C, D, H, W), or the same without N.

Letters: c counts channels, i the S windows, l the L places of the input.
"""

from collections.abc import Sequence

from minigrad.tensor import Tensor

from . import functional as F
from .pooling import Pool

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
]  # fmt: skip


# ------------------------------------------------------------------------------------------------ mean


class _AdaptiveAvgPool(Pool):
    """The mean of each of so many windows that the output has a given size."""

    shown = ("output_size",)

    def __init__(self, output_size: int | Sequence[int | None] | None) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(input, self.output_size)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """y[c, i] = the mean of x[c, l] over l from ⌊i L / S⌋ to ⌈(i + 1) L / S⌉

    Reference: He, Zhang, Ren and Sun 2015, "Spatial pyramid pooling in deep convolutional networks for
    visual recognition", §2.2, for the idea; the borders of the windows are PyTorch's.

    Args:
        output_size: S, how many windows there are; None: as many as places.

    Shape: input (N, C, L) or (C, L), output (N, C, S) or (C, S).

    >>> from minigrad import tensor
    >>> from minigrad.nn import AdaptiveAvgPool1d
    >>> AdaptiveAvgPool1d(2)(tensor([[1.0, 3.0, 2.0, 0.0]])).tolist()
    [[2.0, 1.0]]
    """

    function = F.adaptive_avg_pool1d


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """y[c, i] = the mean of x[c, l] over the places l of window i: AdaptiveAvgPool1d of images

    Args:
        output_size: an int, or two, where None leaves a size as it is.

    Shape: input (N, C, H, W) or (C, H, W), output alike; see AdaptiveAvgPool1d.
    """

    function = F.adaptive_avg_pool2d


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """y[c, i] = the mean of x[c, l] over the places l of window i: AdaptiveAvgPool1d of volumes

    Args:
        output_size: an int, or three, where None leaves a size as it is.

    Shape: input (N, C, D, H, W) or (C, D, H, W), output alike; see AdaptiveAvgPool1d.
    """

    function = F.adaptive_avg_pool3d


# ------------------------------------------------------------------------------------------------ largest


class _AdaptiveMaxPool(Pool):
    """The largest of each of so many windows that the output has a given size."""

    shown = ("output_size",)

    def __init__(self, output_size: int | Sequence[int | None] | None, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size, self.return_indices = output_size, return_indices

    def forward(self, input: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        return type(self).function(input, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """y[c, i] = the largest x[c, l] over l from ⌊i L / S⌋ to ⌈(i + 1) L / S⌉

    Args:
        output_size: S, as for AdaptiveAvgPool1d.
        return_indices: return, too, the number of the place where each of them stands.

    Shape: input (N, C, L) or (C, L), output (N, C, S) or (C, S).
    """

    function = F.adaptive_max_pool1d


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """y[c, i] = the largest x[c, l] over the places l of window i: AdaptiveMaxPool1d of images

    Args:
        output_size: an int, or two, where None leaves a size as it is.

    Shape: input (N, C, H, W) or (C, H, W), output alike; see AdaptiveMaxPool1d.
    """

    function = F.adaptive_max_pool2d


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """y[c, i] = the largest x[c, l] over the places l of window i: AdaptiveMaxPool1d of volumes

    Args:
        output_size: an int, or three, where None leaves a size as it is.

    Shape: input (N, C, D, H, W) or (C, D, H, W), output alike; see AdaptiveMaxPool1d.
    """

    function = F.adaptive_max_pool3d
