"""Pooling as modules: one number for all that a window sees, in each channel by itself.

Sizes are an int for all dimensions, or one for each; the input is (N, C, L), (N, C, H, W) or (N, C, D, H, W),
or the same without N.  The functions are those of `minigrad.nn.functional`.

Letters: s the stride, p the padding, d the dilation, K the places of a window; c counts channels, i windows,
k the places of a window, l those of the input, L of them.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

from minigrad.tensor import Tensor

from . import functional as F
from .functional.checks import sizes
from .module import Module

__all__ = [
    "AvgPool1d", "AvgPool2d", "AvgPool3d", "LPPool1d", "LPPool2d", "LPPool3d",
    "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d",
]  # fmt: skip

Size = int | Sequence[int]


class Pool(Module):
    """What all have in common: their function, and the settings that their text shows."""

    function: ClassVar[Callable]
    shown: ClassVar[tuple[str, ...]] = ("kernel_size", "stride", "padding")

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={getattr(self, name)}" for name in self.shown)


# ------------------------------------------------------------------------------------------------ largest


class _MaxPool(Pool):
    """The largest of each window."""

    shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        return type(self).function(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            self.return_indices,
        )  # fmt: skip


class MaxPool1d(_MaxPool):
    """y[c, i] = max_k x[c, s i + d k - p]: the largest number of each window

    The first of equals gets the gradient.

    Reference: Ranzato, Huang, Boureau and LeCun 2007, "Unsupervised learning of invariant feature hierarchies
    with applications to object recognition", §2.

    Args:
        kernel_size: how many places a window holds.
        stride: s, how far a window is from the next; None: as far as it is long.
        padding: p, how many places, which never are the largest, stand at each end; at most half a window.
        dilation: d, how far the places of a window are apart.
        return_indices: return, too, the number of the place where each of them stands, for MaxUnpool1d.
        ceil_mode: let the last window go beyond the end, so that no place of the input is left out.

    Shape: input (N, C, L) or (C, L), output (N, C, L') or (C, L') with
    L' = ⌊(L + 2 padding - dilation (kernel_size - 1) - 1) / stride⌋ + 1, or ⌈⌉ with ceil_mode.

    >>> from minigrad import tensor
    >>> from minigrad.nn import MaxPool1d
    >>> MaxPool1d(2)(tensor([[1.0, 3.0, 2.0, 0.0, 5.0]])).tolist()
    [[3.0, 2.0]]
    """

    function = F.max_pool1d


class MaxPool2d(_MaxPool):
    """y[c, i] = max_k x[c, s i + d k - p], i and k places of an image: MaxPool1d of images

    Indices count the places of an image row by row.

    Shape: input (N, C, H, W) or (C, H, W), output alike; see MaxPool1d.
    """

    function = F.max_pool2d


class MaxPool3d(_MaxPool):
    """y[c, i] = max_k x[c, s i + d k - p], i and k places of a volume: MaxPool1d of volumes

    Shape: input (N, C, D, H, W) or (C, D, H, W), output alike; see MaxPool1d.
    """

    function = F.max_pool3d


class _MaxUnpool(Pool):
    """Numbers at the places where pooling found them."""

    dims: ClassVar[int]

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        super().__init__()
        name = type(self).__name__
        self.kernel_size = sizes(name, "kernel_size", kernel_size, self.dims)
        self.stride = sizes(name, "stride", kernel_size if stride is None else stride, self.dims)
        self.padding = sizes(name, "padding", padding, self.dims, least=0)

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        return type(self).function(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool1d(_MaxUnpool):
    """y[c, l[c, i]] = x[c, i], and 0 elsewhere: each number at the place where MaxPool1d found it

    Reference: Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks", §2.1.

    Args:
        kernel_size, stride, padding: those of the MaxPool1d, of which this is the reverse.

    Shape: input x and indices l, both as MaxPool1d returned them, (N, C, L') or (C, L'); output (N, C, L) or
    (C, L) with L = (L' - 1) stride - 2 padding + kernel_size, or the output_size that forward is given.

    >>> from minigrad import tensor
    >>> from minigrad.nn import MaxPool1d, MaxUnpool1d
    >>> MaxUnpool1d(2)(*MaxPool1d(2, return_indices=True)(tensor([[1.0, 3.0, 2.0, 0.0]]))).tolist()
    [[0.0, 3.0, 2.0, 0.0]]
    """

    function, dims = F.max_unpool1d, 1


class MaxUnpool2d(_MaxUnpool):
    """y[c, l[c, i]] = x[c, i], and 0 elsewhere, i and l places of an image: MaxUnpool1d of images

    Shape: input and indices (N, C, H, W) or (C, H, W), output alike; see MaxUnpool1d.
    """

    function, dims = F.max_unpool2d, 2


class MaxUnpool3d(_MaxUnpool):
    """y[c, l[c, i]] = x[c, i], and 0 elsewhere, i and l places of a volume: MaxUnpool1d of volumes

    Shape: input and indices (N, C, D, H, W) or (C, D, H, W), output alike; see MaxUnpool1d.
    """

    function, dims = F.max_unpool3d, 3


# ------------------------------------------------------------------------------------------------ mean


class AvgPool1d(Pool):
    """y[c, i] = 1/K Σ_k x[c, s i + k - p]: the mean of each window

    Reference: LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document
    recognition", §II-B, there with a weight and a bias.

    Args:
        kernel_size, stride, padding, ceil_mode: K, s, p and the last, as for MaxPool1d; the padding is of
            zeros.
        count_include_pad: the padding counts; otherwise the sum is divided by the number of places of the
            input that the window sees.

    Shape: input (N, C, L) or (C, L), output alike, as for MaxPool1d.

    >>> from minigrad import tensor
    >>> from minigrad.nn import AvgPool1d
    >>> AvgPool1d(2)(tensor([[1.0, 3.0, 2.0, 0.0]])).tolist()
    [[2.0, 1.0]]
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = sizes("AvgPool1d", "kernel_size", kernel_size, 1)
        self.stride = sizes("AvgPool1d", "stride", kernel_size if stride is None else stride, 1)
        self.padding = sizes("AvgPool1d", "padding", padding, 1, least=0)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )


class _AvgPool(Pool):
    """The mean of each window, in several dimensions."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
            self.divisor_override,
        )  # fmt: skip


class AvgPool2d(_AvgPool):
    """y[c, i] = 1/K Σ_k x[c, s i + k - p], i and k places of an image: AvgPool1d of images

    Args:
        divisor_override: what every sum is divided by, in place of K.

    Shape: input (N, C, H, W) or (C, H, W), output alike; see AvgPool1d.
    """

    function = F.avg_pool2d


class AvgPool3d(_AvgPool):
    """y[c, i] = 1/K Σ_k x[c, s i + k - p], i and k places of a volume: AvgPool1d of volumes

    Args:
        divisor_override: what every sum is divided by, in place of K.

    Shape: input (N, C, D, H, W) or (C, D, H, W), output alike; see AvgPool1d.
    """

    function = F.avg_pool3d


# ------------------------------------------------------------------------------------------------ norms


class _LPPool(Pool):
    """The norm of each window."""

    shown = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(
        self, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type, self.kernel_size = norm_type, kernel_size
        self.stride, self.ceil_mode = stride, ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )


class LPPool1d(_LPPool):
    """y[c, i] = (Σ_k x[c, s i + k]ᵖ)^(1/p): a norm of each window

    Reference: Sermanet, Chintala and LeCun 2012, "Convolutional neural networks applied to house numbers
    digit classification", §2.2.

    Args:
        norm_type: p; 1 is the sum, ∞ the largest |x|.
        kernel_size, stride, ceil_mode: as for MaxPool1d.

    Shape: input (N, C, L) or (C, L), output alike, as for MaxPool1d.
    """

    function = F.lp_pool1d


class LPPool2d(_LPPool):
    """y[c, i] = (Σ_k x[c, s i + k]ᵖ)^(1/p), i and k places of an image: LPPool1d of images

    Shape: input (N, C, H, W) or (C, H, W), output alike; see LPPool1d.
    """

    function = F.lp_pool2d


class LPPool3d(_LPPool):
    """y[c, i] = (Σ_k x[c, s i + k]ᵖ)^(1/p), i and k places of a volume: LPPool1d of volumes

    Shape: input (N, C, D, H, W) or (C, D, H, W), output alike; see LPPool1d.
    """

    function = F.lp_pool3d
