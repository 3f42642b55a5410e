"""Images in another size, or in another arrangement, as modules."""

from collections.abc import Sequence

from minigrad.tensor import Tensor

from . import functional as F
from .module import Module

__all__ = [
    "ChannelShuffle", "Fold", "PixelShuffle", "PixelUnshuffle", "Unfold", "Upsample", "UpsamplingBilinear2d",
    "UpsamplingNearest2d",
]  # fmt: skip

Size = int | Sequence[int]

# ------------------------------------------------------------------------------------------------ resizing


class Upsample(Module):
    """y = A x in each dimension, A the weights of nearest, linear or cubic neighbours: x in another size

    See `functional.interpolate`.

    Reference: Keys 1981, "Cubic convolution interpolation for digital image processing", eq. 2 and 4.

    Args:
        size: the new size, for all dimensions or for each; or instead
        scale_factor: what the old size is multiplied by.
        mode: "nearest", "linear", "bilinear", "bicubic" or "trilinear".
        align_corners: whether the middles of the outermost elements stay where they are, rather than their
            outer borders.
        recompute_scale_factor: whether places are found by the ratio of the sizes, and not by scale_factor.

    Shape: input (N, C, L), (N, C, H, W) or (N, C, D, H, W), output alike.

    >>> from minigrad import tensor
    >>> from minigrad.nn import Upsample
    >>> Upsample(scale_factor=2)(tensor([[[0.0, 4.0]]])).tolist()
    [[[0.0, 0.0, 4.0, 4.0]]]
    """

    def __init__(
        self,
        size: Size | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.size, self.mode, self.align_corners = size, mode, align_corners
        self.recompute_scale_factor = recompute_scale_factor
        self.scale_factor: float | Sequence[float] | None = scale_factor
        if isinstance(scale_factor, Sequence):
            self.scale_factor = tuple(float(factor) for factor in scale_factor)
        elif scale_factor is not None:
            self.scale_factor = float(scale_factor)

    def forward(self, input: Tensor) -> Tensor:
        return F.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self) -> str:
        given = "size" if self.scale_factor is None else "scale_factor"
        return f"{given}={getattr(self, given)!r}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """y[c, i, j] = x[c, ⌊i H / H'⌋, ⌊j W / W'⌋]: images in another size, each element the nearest before it

    Args:
        size, scale_factor: as for Upsample.

    Shape: input (N, C, H, W), output (N, C, H', W').
    """

    def __init__(self, size: Size | None = None, scale_factor: float | Sequence[float] | None = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """y = A x Bᵀ, A and B the weights of linear interpolation: images in another size, with the same corners

    Args:
        size, scale_factor: as for Upsample.

    Shape: input (N, C, H, W), output (N, C, H', W').
    """

    def __init__(self, size: Size | None = None, scale_factor: float | Sequence[float] | None = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)


# ------------------------------------------------------------------------------------------------ windows


class Unfold(Module):
    """y[c k, i] = x[c, s i + d k - p]: the windows of images as columns

    Reference: Chellapilla, Puri and Simard 2006, "High performance convolutional neural networks for document
    processing", §3.

    Args:
        kernel_size, dilation, padding, stride: as for Conv2d, which is a product with these columns.

    Shape: input (N, C, H, W) or (C, H, W), output (N, C K, I) or (C K, I): K places in each of I windows.
    """

    def __init__(self, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> None:
        super().__init__()
        self.kernel_size, self.dilation = kernel_size, dilation
        self.padding, self.stride = padding, stride

    def forward(self, input: Tensor) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return ", ".join(
            f"{name}={getattr(self, name)}" for name in ("kernel_size", "dilation", "padding", "stride")
        )


class Fold(Unfold):
    """y[c, s i + d k - p] += x[c k, i]: images as sums of windows, each laid where Unfold finds it

    Args:
        output_size: (H, W), or one number for both.
        kernel_size, dilation, padding, stride: as for Unfold.

    Shape: input (N, C K, I) or (C K, I), output (N, C, H, W) or (C, H, W).
    """

    def __init__(
        self, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
    ) -> None:
        super().__init__(kernel_size, dilation, padding, stride)
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}, {super().extra_repr()}"


# ------------------------------------------------------------------------------------------------ shuffling


class PixelShuffle(Module):
    """y[c, r i + a, r j + b] = x[r² c + r a + b, i, j]: r² channels become the r rows and columns of a place

    Reference: Shi et al. 2016, "Real-time single image and video super-resolution using an efficient
    sub-pixel convolutional neural network", eq. 4.

    Args:
        upscale_factor: r.

    Shape: input (*, C r², H, W), output (*, C, H r, W r).
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """y[r² c + r a + b, i, j] = x[c, r i + a, r j + b]: the reverse of PixelShuffle, see PixelShuffle

    Args:
        downscale_factor: r.

    Shape: input (*, C, H r, W r), output (*, C r², H, W).
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """y[G c + g] = x[C/G g + c]: the channels, one of each of G groups in turn

    Reference: Zhang, Zhou, Lin and Sun 2018, "ShuffleNet: An extremely efficient convolutional neural network
    for mobile devices", fig. 1.

    Args:
        groups: G.

    Shape: input (N, C, *), output the same.
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
