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
    """`value` on both sides of the last dimension.

    >>> from minigrad import tensor
    >>> from minigrad.nn import ConstantPad1d
    >>> ConstantPad1d((2, 1), 7.0)(tensor([[1.0, 2.0]])).tolist()
    [[7.0, 7.0, 1.0, 2.0, 7.0]]
    """

    dims = 1


class ConstantPad2d(_ConstantPad):
    """`value` around the last two dimensions."""

    dims = 2


class ConstantPad3d(_ConstantPad):
    """`value` around the last three dimensions."""

    dims = 3


class ZeroPad1d(_Pad):
    """0 on both sides of the last dimension."""

    dims = 1


class ZeroPad2d(_Pad):
    """0 around the last two dimensions."""

    dims = 2


class ZeroPad3d(_Pad):
    """0 around the last three dimensions."""

    dims = 3


class ReflectionPad1d(_Pad):
    """What mirrors at the first and the last element show: fewer than there are elements.

    >>> from minigrad import tensor
    >>> from minigrad.nn import ReflectionPad1d
    >>> ReflectionPad1d(2)(tensor([[1.0, 2.0, 3.0]])).tolist()
    [[3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0]]
    """

    dims, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """What mirrors at the borders of an image show: ReflectionPad1d of two dimensions."""

    dims, mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """What mirrors at the borders of a volume show: ReflectionPad1d of three dimensions."""

    dims, mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """The first and the last element again.

    >>> from minigrad import tensor
    >>> from minigrad.nn import ReplicationPad1d
    >>> ReplicationPad1d(2)(tensor([[1.0, 2.0, 3.0]])).tolist()
    [[1.0, 1.0, 1.0, 2.0, 3.0, 3.0, 3.0]]
    """

    dims, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """The border of an image again: ReplicationPad1d of two dimensions."""

    dims, mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """The border of a volume again: ReplicationPad1d of three dimensions."""

    dims, mode = 3, "replicate"


class CircularPad1d(_Pad):
    """What stands at the opposite end, as if the dimension were a circle.

    >>> from minigrad import tensor
    >>> from minigrad.nn import CircularPad1d
    >>> CircularPad1d(2)(tensor([[1.0, 2.0, 3.0]])).tolist()
    [[2.0, 3.0, 1.0, 2.0, 3.0, 1.0, 2.0]]
    """

    dims, mode = 1, "circular"


class CircularPad2d(_Pad):
    """What stands at the opposite border: CircularPad1d of two dimensions."""

    dims, mode = 2, "circular"


class CircularPad3d(_Pad):
    """What stands at the opposite border: CircularPad1d of three dimensions."""

    dims, mode = 3, "circular"
