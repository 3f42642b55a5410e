"""All parameters of a model as one vector, and back."""

import math
from collections.abc import Iterable
from typing import Any

from minigrad import ops
from minigrad.errors import DeviceError, ShapeError
from minigrad.modes import no_grad
from minigrad.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters, one after the other, as one vector (N,); gradients flow through it.

    >>> import minigrad as mg
    >>> parameters_to_vector([mg.ones(2, 2), mg.zeros(1)])
    tensor([1., 1., 1., 1., 0.])
    """
    params = _checked("parameters_to_vector", parameters)
    if not params:
        raise ValueError("parameters_to_vector(): got no parameters, expected at least one tensor")
    return ops.cat(*[param.reshape(-1) for param in params], dim=0)


def vector_to_parameters(vec: Any, parameters: Iterable[Tensor]) -> None:
    """Write the elements of `vec` (N,) into the parameters, in place and outside the tape.

    >>> import minigrad as mg
    >>> w, b = mg.zeros(2, 2), mg.zeros(1)
    >>> vector_to_parameters(mg.arange(5.0), [w, b])
    >>> w.tolist(), b.tolist()
    ([[0.0, 1.0], [2.0, 3.0]], [4.0])
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"vector_to_parameters(): vec must be a Tensor, got {type(vec).__name__}")
    params = _checked("vector_to_parameters", parameters)
    sizes = [math.prod(param.shape) for param in params]
    if vec.shape != (sum(sizes),):
        raise ShapeError(
            f"vector_to_parameters(): vec {vec.shape}, expected one number for each element of the "
            f"parameters, ({sum(sizes)},)"
        )
    start = 0
    with no_grad():
        for param, size in zip(params, sizes, strict=True):
            param.copy_(vec[start : start + size].reshape(param.shape))
            start += size


def _checked(caller: str, parameters: Iterable[Any]) -> list[Tensor]:
    """The parameters as a list, all of them Tensors of one device."""
    params = list(parameters)
    for position, param in enumerate(params):
        if not isinstance(param, Tensor):
            kind = type(param).__name__
            raise TypeError(f"{caller}(): parameters[{position}] must be a Tensor, got {kind}")
        if param.device != params[0].device:
            raise DeviceError(
                f"{caller}(): parameters[{position}] is on {param.device}, the first on {params[0].device}; "
                "move all to one device"
            )
    return params
