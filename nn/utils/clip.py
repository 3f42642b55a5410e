"""Clipping of gradients, between `loss.backward()` and `optimizer.step()`."""

import math
from collections.abc import Iterable
from typing import Any

from minigrad.backend import Array, accumulator, common_namespace, known, namespace
from minigrad.creation import tensor
from minigrad.tensor import Tensor


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,  # noqa: ARG001 (PyTorch's choice between two ways; here there is one)
) -> Tensor:
    """g ← g · min(1, max_norm / (‖g‖ + 10⁻⁶)), in place, with ‖g‖ taken over all gradients together

    norm_type             2 for Euclid's norm, `math.inf` for the largest magnitude, p > 0 for (Σ|g|ᵖ)^(1/p)
    error_if_nonfinite    RuntimeError, and no change, if the norm is not finite; without it the gradients
                          become zero (or NaN, where they were not finite)

    Returns the norm before clipping, of shape ().  Parameters without a gradient do not count.

    Reference: Pascanu, Mikolov and Bengio 2013, "On the difficulty of training recurrent neural networks",
    algorithm 1.

    >>> import minigrad as mg
    >>> w = mg.zeros(2, requires_grad=True)
    >>> (w * mg.tensor([3.0, 4.0])).sum().backward()
    >>> clip_grad_norm_([w], max_norm=1.0)
    tensor(5.)
    >>> [round(g, 3) for g in w.grad.tolist()]
    [0.6, 0.8]
    """
    _check_max_norm("clip_grad_norm_", max_norm)
    grads = _gradients("clip_grad_norm_", parameters)
    total = _total_norm("clip_grad_norm_", grads, norm_type, error_if_nonfinite=error_if_nonfinite)
    _scale(grads, max_norm, total)
    return total


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,  # noqa: ARG001 (as above)
) -> Tensor:
    """The norm of all elements of all tensors together, of shape (): what `clip_grad_norm_` returns.

    >>> import minigrad as mg
    >>> get_total_norm([mg.tensor([3.0]), mg.tensor([[0.0, 4.0]])])
    tensor(5.)
    """
    listed = _listed("get_total_norm", tensors)
    return _total_norm("get_total_norm", listed, norm_type, error_if_nonfinite=error_if_nonfinite)


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    total_norm: Tensor,
    foreach: bool | None = None,  # noqa: ARG001 (as above)
) -> None:
    """g ← g · min(1, max_norm / (total_norm + 10⁻⁶)), in place, with a norm that is known already."""
    _check_max_norm("clip_grads_with_norm_", max_norm)
    grads = _gradients("clip_grads_with_norm_", parameters)
    common_namespace("clip_grads_with_norm_", [total_norm.array, *(grad.array for grad in grads)])
    _scale(grads, max_norm, total_norm)


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor],
    clip_value: float,
    foreach: bool | None = None,  # noqa: ARG001 (as above)
) -> None:
    """g ← min(max(g, -clip_value), clip_value), in place, for every gradient.

    >>> import minigrad as mg
    >>> w = mg.zeros(2, requires_grad=True)
    >>> (w * mg.tensor([3.0, 0.5])).sum().backward()
    >>> clip_grad_value_([w], 1.0)
    >>> w.grad
    tensor([1. , 0.5])
    """
    if not clip_value >= 0:
        raise ValueError(f"clip_grad_value_(): clip_value — got {clip_value!r}, expected a number >= 0")
    for grad in _gradients("clip_grad_value_", parameters):
        grad.bump_version()
        namespace(grad.array).clip(grad.array, -clip_value, clip_value, out=grad.array)


def _check_max_norm(caller: str, max_norm: float) -> None:
    if not max_norm >= 0:
        raise ValueError(f"{caller}(): max_norm — got {max_norm!r}, expected a number >= 0")


def _listed(caller: str, tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """The tensors, of which one may stand for a list."""
    found: list[Any] = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    for position, given in enumerate(found):
        if not isinstance(given, Tensor):
            kind = type(given).__name__
            raise TypeError(f"{caller}(): parameters[{position}] — got a {kind}, expected a tensor")
    return found


def _gradients(caller: str, parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """The gradients that are there."""
    return [param.grad for param in _listed(caller, parameters) if param.grad is not None]


def _scale(grads: list[Tensor], max_norm: float, total_norm: Tensor) -> None:
    """Shorten the gradients, whose norm is known, to max_norm; on a GPU without waiting for the norm."""
    xp = namespace(total_norm.array)
    limit = xp.asarray(xp.minimum(max_norm / (total_norm.array + 1e-6), 1.0))
    if known(limit) == 1:
        return
    for grad in grads:  # a NaN goes on into the gradients, as in PyTorch
        grad.bump_version()
        grad.array *= limit.astype(grad.dtype)


def _total_norm(caller: str, tensors: list[Tensor], norm_type: float, *, error_if_nonfinite: bool) -> Tensor:
    """The norm of the norms."""
    if not norm_type > 0:
        raise ValueError(f"{caller}(): norm_type — got {norm_type!r}, expected a number > 0, or inf")
    if not tensors:
        return tensor(0.0)
    xp = common_namespace(caller, [one.array for one in tensors])
    total = _norm(xp, xp.stack([_norm(xp, one.array, norm_type) for one in tensors]), norm_type)
    if error_if_nonfinite and not math.isfinite(total):
        raise RuntimeError(
            f"{caller}(): the norm of the gradients is {float(total)}; they were left as they are. "
            "Pass error_if_nonfinite=False to scale them all the same"
        )
    return Tensor(xp.asarray(total))


def _norm(xp: Any, array: Array, order: float) -> Array:
    """(Σ|x|ᵖ)^(1/p) with p = order; float16 is summed in float32."""
    flat = array.reshape(-1).astype(accumulator(array.dtype), copy=False)
    if order == 2:
        return xp.sqrt(xp.vdot(flat, flat))
    if order == math.inf:
        return xp.abs(flat).max() if flat.size else xp.zeros((), flat.dtype)
    return (xp.abs(flat) ** order).sum() ** (1 / order)
