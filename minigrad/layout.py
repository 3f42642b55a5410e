"""Floor 5: questions about where the elements of a tensor lie, under PyTorch's names."""

from .backend import HostArray, device, device_of
from .errors import normalise_dim
from .tensor import Tensor

METHODS = ("data_ptr", "get_device", "is_contiguous", "stride")


def is_contiguous(input: Tensor) -> bool:
    """Do the elements lie row after row, without gaps?"""
    return bool(input.array.flags.c_contiguous)


def stride(input: Tensor, dim: int | None = None) -> tuple[int, ...] | int:
    """How many elements of memory lie between neighbours along each dimension, or along one."""
    steps = tuple(step // input.array.itemsize for step in input.array.strides)
    return steps if dim is None else steps[normalise_dim("stride", dim, input.ndim)]


def data_ptr(input: Tensor) -> int:
    """The address of the first element, on its device."""
    array = input.array
    return int(array.ctypes.data if isinstance(array, HostArray) else array.data.ptr)


def get_device(input: Tensor) -> int:
    """The number of the GPU that holds the tensor; -1 for the CPU."""
    index = device(device_of(input.array)).index
    return -1 if index is None else index
