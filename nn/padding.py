"""Padding as modules: elements around a tensor, of which `padding` says how many.

`padding` is one int for every side, or the widths (left, right), (left, right, top, bottom) or (left, right,
top, bottom, front, back): those of the last dimension first.  A negative width takes elements away.

Shape: input (N, C, *) or (C, *), where * are the 1, 2 or 3 dimensions that grow.
"""

from collections.abc import Sequence
from typing import ClassVar

from minigrad.errors import ShapeError
from minigrad.tensor import Tensor

from . import functional as F
from .functional.checks import check_tensors
from .module import Module

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _Pad(Module):
    """What all have in common: two widths for each of the last `dims` dimensions."""

    dims: ClassVar[int]
    mode: ClassVar[str] = "constant"

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        widths = (padding,) * (2 * self.dims) if isinstance(padding, int) else tuple(padding)
        if len(widths) != 2 * self.dims:
            raise ValueError(
                f"{type(self).__name__}(): padding {padding!r}, expected an int or {2 * self.dims} of them"
            )
        self.padding = widths

    def forward(self, input: Tensor) -> Tensor:
        check_tensors(type(self).__name__, input)
        if self.mode != "constant" and input.ndim not in (self.dims + 1, self.dims + 2):
            raise ShapeError(
                f"{type(self).__name__}(): input {input.shape}, expected {self.dims + 1} dimensions, or "
                f"{self.dims + 2} with a batch"
            )
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    """Padding with `value`; the input may have any number of dimensions."""

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        check_tensors(type(self).__name__, input)
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """y[i] = x[i - l], and `value` where that is before the first element or behind the last

    No reference: elements are only moved.

    Args:
        padding: (l, r), how many elements come before and behind, or an int for both; a negative one takes
            elements away.
        value: what they are.

    Shape: input (*, L), output (*, l + L + r).

    >>> from minigrad import tensor
    >>> from minigrad.nn import ConstantPad1d
    >>> ConstantPad1d((2, 1), 7.0)(tensor([[1.0, 2.0]])).tolist()
    [[7.0, 7.0, 1.0, 2.0, 7.0]]
    """

    dims = 1


class ConstantPad2d(_ConstantPad):
    """y[i] = x[i - l], and `value` outside, in each of the last two dimensions: ConstantPad1d of images

    Args:
        padding: (left, right, top, bottom), or an int for all.
        value: what the new elements are.

    Shape: input (*, H, W), output (*, top + H + bottom, left + W + right).
    """

    dims = 2


class ConstantPad3d(_ConstantPad):
    """y[i] = x[i - l], and `value` outside, in each of the last three dimensions: ConstantPad1d of volumes

    Args:
        padding: (left, right, top, bottom, front, back), or an int for all.
        value: what the new elements are.

    Shape: input (*, D, H, W), output (*, front + D + back, top + H + bottom,
    left + W + right).
    """

    dims = 3


class ZeroPad1d(_Pad):
    """y[i] = x[i - l], and 0 where that is before the first element or behind the last

    No reference: elements are only moved.

    Args:
        padding: (l, r), how many elements come before and behind, or an int for both; a negative one takes
            elements away.

    Shape: input (*, L), output (*, l + L + r).
    """

    dims = 1


class ZeroPad2d(_Pad):
    """y[i] = x[i - l], and 0 outside, in each of the last two dimensions: ZeroPad1d of images

    Args:
        padding: (left, right, top, bottom), or an int for all.

    Shape: input (*, H, W), output (*, top + H + bottom, left + W + right).
    """

    dims = 2


class ZeroPad3d(_Pad):
    """y[i] = x[i - l], and 0 outside, in each of the last three dimensions: ZeroPad1d of volumes

    Args:
        padding: (left, right, top, bottom, front, back), or an int for all.

    Shape: input (*, D, H, W), output (*, front + D + back, top + H + bottom,
    left + W + right).
    """

    dims = 3


class ReflectionPad1d(_Pad):
    """y[i] = x[|i - l|], and in the same way at the other end: what mirrors at both ends show

    No reference: elements are only moved.

    Args:
        padding: (l, r), how many elements come before and behind, or an int for both; a negative one takes
            elements away; fewer than L on either side.

    Shape: input (N, C, L) or (C, L), output (N, C, l + L + r) or (C, l + L + r).

    >>> from minigrad import tensor
    >>> from minigrad.nn import ReflectionPad1d
    >>> ReflectionPad1d(2)(tensor([[1.0, 2.0, 3.0]])).tolist()
    [[3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0]]
    """

    dims, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """y[i] = x[|i - l|], and so on, in each of the last two dimensions: ReflectionPad1d of images

    Args:
        padding: (left, right, top, bottom), or an int for all.

    Shape: input (N, C, H, W) or (C, H, W), with top + H + bottom, left + W + right
    in the output.
    """

    dims, mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """y[i] = x[|i - l|], and so on, in each of the last three dimensions: ReflectionPad1d of volumes

    Args:
        padding: (left, right, top, bottom, front, back), or an int for all.

    Shape: input (N, C, D, H, W) or (C, D, H, W), with front + D + back, top + H + bottom, left + W + right
    in the output.
    """

    dims, mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """y[i] = x[min(max(i - l, 0), L - 1)]: the first and the last element again

    No reference: elements are only moved.

    Args:
        padding: (l, r), how many elements come before and behind, or an int for both; a negative one takes
            elements away.

    Shape: input (N, C, L) or (C, L), output (N, C, l + L + r) or (C, l + L + r).

    >>> from minigrad import tensor
    >>> from minigrad.nn import ReplicationPad1d
    >>> ReplicationPad1d(2)(tensor([[1.0, 2.0, 3.0]])).tolist()
    [[1.0, 1.0, 1.0, 2.0, 3.0, 3.0, 3.0]]
    """

    dims, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """y[i] = x[min(max(i - l, 0), L - 1)], in each of the last two dimensions: ReplicationPad1d of images

    Args:
        padding: (left, right, top, bottom), or an int for all.

    Shape: input (N, C, H, W) or (C, H, W), with top + H + bottom, left + W + right
    in the output.
    """

    dims, mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """y[i] = x[min(max(i - l, 0), L - 1)], in each of the last three dimensions: ReplicationPad1d of volumes

    Args:
        padding: (left, right, top, bottom, front, back), or an int for all.

    Shape: input (N, C, D, H, W) or (C, D, H, W), with front + D + back, top + H + bottom, left + W + right
    in the output.
    """

    dims, mode = 3, "replicate"


class CircularPad1d(_Pad):
    """y[i] = x[(i - l) mod L]: what stands at the opposite end, as if the dimension were a circle

    No reference: elements are only moved.

    Args:
        padding: (l, r), how many elements come before and behind, or an int for both; a negative one takes
            elements away; at most L on either side.

    Shape: input (N, C, L) or (C, L), output (N, C, l + L + r) or (C, l + L + r).

    >>> from minigrad import tensor
    >>> from minigrad.nn import CircularPad1d
    >>> CircularPad1d(2)(tensor([[1.0, 2.0, 3.0]])).tolist()
    [[2.0, 3.0, 1.0, 2.0, 3.0, 1.0, 2.0]]
    """

    dims, mode = 1, "circular"


class CircularPad2d(_Pad):
    """y[i] = x[(i - l) mod L], in each of the last two dimensions: CircularPad1d of images

    Args:
        padding: (left, right, top, bottom), or an int for all.

    Shape: input (N, C, H, W) or (C, H, W), with top + H + bottom, left + W + right
    in the output.
    """

    dims, mode = 2, "circular"


class CircularPad3d(_Pad):
    """y[i] = x[(i - l) mod L], in each of the last three dimensions: CircularPad1d of volumes

    Args:
        padding: (left, right, top, bottom, front, back), or an int for all.

    Shape: input (N, C, D, H, W) or (C, D, H, W), with front + D + back, top + H + bottom, left + W + right
    in the output.
    """

    dims, mode = 3, "circular"
