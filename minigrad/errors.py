"""What went wrong, said in one sentence: the name of the function, what came, what was expected, one remedy.

Each class inherits the built-in error that a Python programmer would expect *and* the one that a PyTorch
programmer would expect, so that an `except` clause written for either of them still works.
"""

from collections.abc import Sequence
from typing import Any

import numpy


class ShapeError(ValueError, RuntimeError):
    """Shapes that do not fit together."""


class DTypeError(TypeError, RuntimeError):
    """A data type that the operation cannot work on."""


class GraphError(RuntimeError):
    """A backward pass that the recorded graph does not allow."""


class DeviceError(RuntimeError):
    """Arrays on different devices, or a device that is not there."""


class OutOfMemoryError(DeviceError, MemoryError):
    """More memory was asked for than a GPU has left."""


class CheckpointError(ValueError):
    """A file that is not a checkpoint, or a damaged one."""


class LinAlgError(numpy.linalg.LinAlgError, RuntimeError):
    """A matrix without an inverse, or without the decomposition that was asked for."""


class DivisionError(ZeroDivisionError, RuntimeError):
    """A whole number divided by 0."""


class AnomalyError(RuntimeError):
    """A NaN or an infinity, found where it was born."""


def broadcast_error(name: str, shapes: Sequence[tuple[int, ...]]) -> ShapeError:
    """The error for shapes that do not broadcast, with the first dimension at which they disagree."""
    width = max(len(shape) for shape in shapes)
    padded = [(1,) * (width - len(shape)) + tuple(shape) for shape in shapes]
    for dim in range(width):
        sizes = sorted({shape[dim] for shape in padded} - {1}, reverse=True)
        if len(sizes) > 1:
            came = [shape[dim] for shape in padded if shape[dim] != 1]
            return ShapeError(
                f"{name}(): shapes {' and '.join(map(str, shapes))} do not broadcast at dimension {dim} "
                f"({' vs '.join(map(str, came))}); sizes must be equal or 1, aligned from the right"
            )
    return ShapeError(f"{name}(): shapes {' and '.join(map(str, shapes))} do not fit together")


def matmul_error(a: tuple[int, ...], b: tuple[int, ...]) -> ShapeError:
    """The error for operands that cannot be multiplied as matrices."""
    if not a or not b:
        return ShapeError(
            f"matmul(): got shapes {a} and {b}, expected at least one dimension each; use * for scalars"
        )
    inner = (a[-1], b[-2] if len(b) > 1 else b[0])
    if inner[0] != inner[1]:
        return ShapeError(
            f"matmul(): shapes {a} and {b}: inner sizes {inner[0]} and {inner[1]} differ; "
            "the last dimension of the first must equal the last but one of the second"
        )
    return broadcast_error("matmul", (a[:-2], b[:-2]))


def normalise_sizes(name: str, given: tuple, named: Any = None) -> tuple:
    """`f(x, 2, 3)`, `f(x, (2, 3))` and `f(x, shape=(2, 3))` all mean (2, 3)."""
    if named is not None:
        if given:
            raise TypeError(f"{name}(): got {given} and, by name, {named}; pass one of them")
        return (named,) if hasattr(named, "__index__") else tuple(named)
    return tuple(given[0]) if len(given) == 1 and isinstance(given[0], tuple | list) else given


def normalise_dim(name: str, dim: int, ndim: int) -> int:
    """`dim` counted from the front; IndexError when a tensor of `ndim` dimensions has no such dimension."""
    if type(dim) is int and -ndim <= dim < ndim:
        return dim % ndim  # the usual case first
    if not hasattr(dim, "__index__"):
        raise TypeError(f"{name}(): dim must be an int, got {type(dim).__name__} {dim!r}")
    span = max(ndim, 1)  # a 0-d tensor accepts 0 and -1, as in PyTorch
    if not -span <= dim < span:
        raise IndexError(
            f"{name}(): dim {dim} out of range for {ndim}-d tensor, expected [{-span}, {span - 1}]"
        )
    return int(dim) % span


def normalise_dims(name: str, dims: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """`dims` as a tuple counted from the front; None and () mean every dimension; no dimension twice."""
    if isinstance(dims, int):  # the usual case first: asking for a Sequence takes 0.5 µs
        return (normalise_dim(name, dims, ndim),)
    listed = tuple(dims or range(ndim)) if isinstance(dims, Sequence) or dims is None else (dims,)
    found = tuple(normalise_dim(name, dim, ndim) for dim in listed)
    for dim in found:
        if found.count(dim) > 1:
            raise ValueError(f"{name}(): dim {dim} appears twice in {listed}; name each dimension once")
    return found


def check_sizes(config: Any, *names: str) -> None:
    """ValueError unless each of these fields of a configuration is at least 1."""
    for name in names:
        if getattr(config, name) < 1:
            raise ValueError(f"{name} is {getattr(config, name)}, expected at least 1")
