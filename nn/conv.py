"""Convolutions: each output sees a window of the input, all windows with the same weights."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from minigrad.creation import empty
from minigrad.tensor import Tensor

from . import functional as F
from . import init
from .functional.checks import sizes, with_batch
from .module import Module
from .parameter import Parameter

__all__ = [
    "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d",
]  # fmt: skip

PADDING_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


class _Convolution(Module):
    """What all have in common: sizes, one for each of the `dims` dimensions, and the parameters."""

    dims: ClassVar[int]
    transposed: ClassVar[bool] = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int],
        padding: str | int | Sequence[int],
        dilation: int | Sequence[int],
        output_padding: int | Sequence[int],
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride = self._each("kernel_size", kernel_size), self._each("stride", stride)
        self.padding: str | tuple[int, ...] = (
            padding if isinstance(padding, str) else self._each("padding", padding, 0)
        )
        self.dilation = self._each("dilation", dilation)
        self.output_padding = self._each("output_padding", output_padding, 0)
        self.padding_mode = padding_mode
        self._check()
        channels = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (channels[0], channels[1] // groups, *self.kernel_size)
        self.weight = Parameter(empty(shape, device=device, dtype=dtype))
        self.register_parameter(
            "bias", Parameter(empty(out_channels, device=device, dtype=dtype)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        fan_in, _ = init.fans(self.weight)
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        said = [f"{self.in_channels}, {self.out_channels}"]
        said += [f"kernel_size={self.kernel_size}, stride={self.stride}"]
        usual = {"padding": 0, "dilation": 1, "output_padding": 0}
        for name, number in usual.items():
            if (value := getattr(self, name)) != (number,) * self.dims:
                said.append(f"{name}={value}")
        said += [f"groups={self.groups}"] if self.groups != 1 else []
        said += ["bias=False"] if self.bias is None else []
        said += [f"padding_mode={self.padding_mode}"] if self.padding_mode != "zeros" else []
        return ", ".join(said)

    def _each(self, name: str, value: int | Sequence[int], least: int = 1) -> tuple[int, ...]:
        """A size for each dimension."""
        return sizes(type(self).__name__, name, value, self.dims, least)

    def _check(self) -> None:
        name, groups = type(self).__name__, self.groups
        if groups <= 0 or self.in_channels % groups or self.out_channels % groups:
            raise ValueError(
                f"{name}(): groups={groups}, expected a divisor of in_channels={self.in_channels} and of "
                f"out_channels={self.out_channels}"
            )
        words = () if self.transposed else ("same", "valid")
        if isinstance(self.padding, str) and self.padding not in words:
            raise ValueError(
                f"{name}(): padding {self.padding!r}, expected {' or '.join((*words, 'numbers'))}"
            )
        if self.padding == "same" and any(step != 1 for step in self.stride):
            raise ValueError(f'{name}(): padding "same" with stride {self.stride}, expected a stride of 1')
        modes = ["zeros"] if self.transposed else list(PADDING_MODES)
        if self.padding_mode not in modes:
            raise ValueError(f"{name}(): padding_mode {self.padding_mode!r}, expected one of {modes}")


# ------------------------------------------------------------------------------------------- convolution


class _Conv(_Convolution):
    """A convolution; the subclasses say in how many dimensions."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: str | int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias, padding_mode,
            device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor) -> Tensor:
        convolve = (F.conv1d, F.conv2d, F.conv3d)[self.dims - 1]
        padding = self.padding
        if self.padding_mode != "zeros":
            with_batch(type(self).__name__, input, self.dims)
            input, padding = F.pad(input, self._widths(), PADDING_MODES[self.padding_mode]), (0,)
        return convolve(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _widths(self) -> list[int]:
        """How much is put around the input: before and after, the last dimension first."""
        if not isinstance(self.padding, str):
            return [width for width in reversed(self.padding) for _ in ("before", "after")]
        if self.padding == "valid":
            return [0] * (2 * self.dims)
        added = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
        return [width for total in reversed(added) for width in (total // 2, total - total // 2)]


class Conv1d(_Conv):
    """y[o, t] = b[o] + Σ_c Σ_k W[o, c, k] x[c, s t + d k - p]

    Reference: LeCun, Boser, Denker, Henderson, Howard, Hubbard and Jackel 1989, "Backpropagation applied to
    handwritten zip code recognition"; as in all deep learning, it is a cross-correlation: W is not mirrored.

    Args:
        in_channels: how many numbers x has at each place.
        out_channels: how many y has.
        kernel_size: how many places a window holds.
        stride: s, how far a window is from the next.
        padding: p, how many places are added at each end; "valid" for none, "same" for as many as give y the
            length of x.
        dilation: d, how far the places of a window are apart.
        groups: the channels are divided into so many groups, which do not see each other.
        bias: whether b is there.
        padding_mode: what is there: "zeros", "reflect", "replicate" or "circular".

    Shape: input (N, C, L) or (C, L), output (N, out_channels, L') or (out_channels, L') with
    L' = ⌊(L + 2p - d (k - 1) - 1) / s⌋ + 1; `weight` (out_channels, in_channels / groups, k), `bias`
    (out_channels,). Both start uniform in ±1/√n, where n = k in_channels / groups numbers make one output.

    >>> from minigrad import ones
    >>> from minigrad.nn import Conv1d
    >>> Conv1d(2, 4, kernel_size=3, padding=1, stride=2)(ones(5, 2, 8)).shape
    (5, 4, 4)
    """

    dims = 1


class Conv2d(_Conv):
    """y[o, i, j] = b[o] + Σ_c Σ_kl W[o, c, k, l] x[c, s₀i + d₀k - p₀, s₁j + d₁l - p₁]: Conv1d of images

    Args:
        kernel_size, stride, padding, dilation: an int for both dimensions, or one for each.

    Shape: input (N, C, H, W) or (C, H, W); see Conv1d.
    """

    dims = 2


class Conv3d(_Conv):
    """y[o, i] = b[o] + Σ_c Σ_k W[o, c, k] x[c, s i + d k - p], i and k of three numbers: Conv1d of volumes

    Args and reference: those of Conv1d; kernel_size, stride, padding and dilation are an int for all three
    dimensions, or one for each.

    Shape: input (N, C, D, H, W) or (C, D, H, W); see Conv1d.
    """

    dims = 3


# ------------------------------------------------------------------------------------------- transposed


class _ConvTranspose(_Convolution):
    """A transposed convolution; the subclasses say in how many dimensions."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        output_padding: int | Sequence[int] = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | Sequence[int] = 1,
        padding_mode: str = "zeros",
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        convolve = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[self.dims - 1]
        padding, added = self.padding, self.output_padding
        assert not isinstance(padding, str), "the constructor refuses it"
        if output_size is not None:
            added = self._added(input, tuple(output_size), padding)
        return convolve(
            input, self.weight, self.bias, self.stride, padding, added, self.groups, self.dilation
        )

    def _added(
        self, input: Tensor, output_size: tuple[int, ...], padding: tuple[int, ...]
    ) -> tuple[int, ...]:
        """What is to be added at the end of each dimension, so that the output has this size."""
        with_batch(type(self).__name__, input, self.dims)
        wanted = output_size[-self.dims :]
        each = zip(
            input.shape[-self.dims :], self.kernel_size, self.stride, padding, self.dilation, strict=True
        )
        smallest = tuple((n - 1) * s - 2 * p + d * (k - 1) + 1 for n, k, s, p, d in each)
        added = tuple(size - least for size, least in zip(wanted, smallest, strict=False))
        if len(output_size) not in (self.dims, input.ndim) or any(
            not 0 <= a < s for a, s in zip(added, self.stride, strict=True)
        ):
            largest = tuple(least + s - 1 for least, s in zip(smallest, self.stride, strict=True))
            raise ValueError(
                f"{type(self).__name__}(): output_size {output_size}, expected from {smallest} to {largest}"
            )
        return added


class ConvTranspose1d(_ConvTranspose):
    """y[o, s t + d k - p] += Σ_c W[c, o, k] x[c, t], and b[o] to each: the gradient of Conv1d as a layer

    Reference: Zeiler, Krishnan, Taylor and Fergus 2010, "Deconvolutional networks"; Dumoulin and Visin 2016,
    "A guide to convolution arithmetic for deep learning", §4.

    Args:
        in_channels, out_channels, kernel_size, stride, groups, bias, dilation: as for Conv1d, of which this
            is the reverse: it makes L of L'.
        padding: p, how many places Conv1d would have added, which are left out here.
        output_padding: how many places are added at one end, since a stride s makes one L' of s different L.
        padding_mode: "zeros" is all there is.

    Shape: input (N, C, L') or (C, L'), output (N, out_channels, L) or (out_channels, L) with
    L = (L' - 1) s - 2p + d (k - 1) + output_padding + 1, or the `output_size` that forward is given; `weight`
    (in_channels, out_channels / groups, k), `bias` (out_channels,). Both start uniform in ±1/√n with
    n = k out_channels / groups, as in PyTorch.

    >>> from minigrad import ones
    >>> from minigrad.nn import ConvTranspose1d
    >>> ConvTranspose1d(4, 2, kernel_size=3, padding=1, stride=2, output_padding=1)(ones(5, 4, 4)).shape
    (5, 2, 8)
    """

    dims = 1


class ConvTranspose2d(_ConvTranspose):
    """y[o, s i + d k - p] += Σ_c W[c, o, k] x[c, i], i and k of two numbers: the gradient of Conv2d

    Args and reference: those of ConvTranspose1d; kernel_size, stride, padding, output_padding and dilation
    are an int for both dimensions, or one for each.

    Shape: input (N, C, H, W) or (C, H, W); see ConvTranspose1d.
    """

    dims = 2


class ConvTranspose3d(_ConvTranspose):
    """y[o, s i + d k - p] += Σ_c W[c, o, k] x[c, i], i and k of three numbers: the gradient of Conv3d

    Args and reference: those of ConvTranspose1d; kernel_size, stride, padding, output_padding and dilation
    are an int for all three dimensions, or one for each.

    Shape: input (N, C, D, H, W) or (C, D, H, W); see ConvTranspose1d.
    """

    dims = 3
