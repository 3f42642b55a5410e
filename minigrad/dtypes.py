"""Floor 5: questions about types, under PyTorch's names: which one comes out, and what can it hold?"""

from typing import Any

import numpy

from .backend import as_dtype, default_dtype, promote, result_dtype
from .errors import DTypeError
from .tensor import Tensor

__all__ = [
    "finfo", "get_default_dtype", "iinfo", "is_floating_point", "is_tensor", "numel", "promote_types",
    "result_type",
]  # fmt: skip

get_default_dtype = default_dtype


def is_tensor(obj: Any) -> bool:
    """Is it a Tensor?"""
    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> bool:
    """Is the type of the tensor float64, float32 or float16?"""
    return input.is_floating_point()


def numel(input: Tensor) -> int:
    """The number of elements."""
    return input.numel()


def promote_types(type1: Any, type2: Any) -> numpy.dtype:
    """The smallest type that holds both, where a float beats every integer, whatever their sizes.

    >>> promote_types("int64", "float16")
    dtype('float16')
    """
    return promote(as_dtype(type1), as_dtype(type2))


def result_type(tensor1: Any, tensor2: Any) -> numpy.dtype:
    """The type of a sum of two tensors or numbers.

    >>> import minigrad as mg
    >>> result_type(mg.ones(2, dtype="float16"), 3.0)
    dtype('float16')
    """
    return result_dtype([a.array if isinstance(a, Tensor) else a for a in (tensor1, tensor2)])


class finfo:  # noqa: N801 (PyTorch's name)
    """What a floating type can hold, as Python numbers.

    eps              the distance from 1 to the next larger number
    tiny             the smallest normal number, also called smallest_normal
    min, max         the numbers farthest from 0
    resolution       ten to the minus the decimal digits that are kept
    bits             how many bits a number takes

    >>> finfo("float64").eps == 2.0**-52
    True
    """

    def __init__(self, type: Any = None) -> None:
        kind = default_dtype() if type is None else as_dtype(type)
        if kind.kind != "f":
            raise DTypeError(f"finfo(): expected a floating type, got {kind}; use iinfo")
        found = numpy.finfo(kind)
        self.dtype, self.bits = kind.name, int(found.bits)
        self.eps, self.tiny, self.resolution = float(found.eps), float(found.tiny), float(found.resolution)
        self.min, self.max, self.smallest_normal = float(found.min), float(found.max), self.tiny

    def __repr__(self) -> str:
        numbers = ", ".join(f"{name}={getattr(self, name):g}" for name in ("min", "max", "eps", "tiny"))
        return f"finfo({numbers}, dtype={self.dtype})"


class iinfo:  # noqa: N801 (PyTorch's name)
    """The least and the greatest number of an integer type, and its bits.

    >>> iinfo("int8")
    iinfo(min=-128, max=127, dtype=int8)
    """

    def __init__(self, type: Any) -> None:
        kind = as_dtype(type)
        if kind.kind not in "iu":
            raise DTypeError(f"iinfo(): expected an integer type, got {kind}; use finfo")
        found = numpy.iinfo(kind)
        self.dtype, self.bits = kind.name, int(found.bits)
        self.min, self.max = int(found.min), int(found.max)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
