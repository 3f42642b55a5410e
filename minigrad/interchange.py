"""Floor 5: arrays handed over to other libraries, and taken over from them, without a copy (DLPack).

    torch.from_dlpack(t)         a PyTorch tensor on the memory of ours
    mg.from_dlpack(tensor)       a Tensor on the memory of PyTorch's

Whoever writes to the memory through one library is not seen by the version counter of the other.
"""

from typing import Any

from .backend import HostArray, array_from_dlpack, as_dtype
from .errors import DTypeError
from .tensor import Tensor, wrap


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A Tensor on the memory of an array of any library that speaks DLPack; no gradient flows between them.

    Raises TypeError for what does not, and what the other library raises for what it does not hand out
    (PyTorch: a tensor that requires grad).

    >>> import minigrad as mg
    >>> import numpy as np
    >>> values = np.zeros(2)
    >>> x = mg.from_dlpack(values)
    >>> values[0] = 7.0
    >>> x
    tensor([7., 0.], dtype=float64)
    """
    if isinstance(ext_tensor, HostArray):  # NumPy would refuse one that is read-only; as a Tensor it stays so
        return _checked(ext_tensor)
    if not hasattr(ext_tensor, "__dlpack__"):
        raise TypeError(
            f"from_dlpack(): expected an array with __dlpack__, got {type(ext_tensor).__name__}; "
            "use minigrad.tensor()"
        )
    return _checked(array_from_dlpack(ext_tensor))


def _checked(array: Any) -> Tensor:
    as_dtype(array.dtype)
    return wrap(array)


def _dlpack(self: Tensor, **keywords: Any) -> Any:
    """Hand the memory over (the DLPack protocol); a tensor that requires grad has to be detached first."""
    if self.node is not None:
        raise BufferError("__dlpack__: the tensor requires grad, which would be lost; use .detach()")
    if not self.array.dtype.isnative:
        raise DTypeError(f"__dlpack__: {self.array.dtype} is not in the byte order of this machine")
    return self.array.__dlpack__(**keywords)


def _dlpack_device(self: Tensor) -> tuple[int, int]:
    """(1, 0) on the CPU, (2, index) on a GPU."""
    return self.array.__dlpack_device__()


def _copy(self: Tensor) -> Tensor:
    """copy.copy: another leaf on the same memory; what an operation made has no second self."""
    if not self.is_leaf:
        raise RuntimeError(
            "copy(): only leaf tensors can be copied; use .detach(), or .clone() to keep the graph"
        )
    twin = object.__new__(type(self))
    Tensor.__init__(twin, self.array, requires_grad=self.requires_grad)
    twin.version = self.version
    return twin


Tensor.__dlpack__, Tensor.__dlpack_device__ = _dlpack, _dlpack_device  # type: ignore[attr-defined]
Tensor.__copy__ = _copy  # type: ignore[attr-defined]
