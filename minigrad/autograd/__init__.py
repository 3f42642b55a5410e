"""Floor 6: what users call to get gradients."""

import importlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from minigrad.backend import check_together, is_array, namespace, numpy
from minigrad.errors import DTypeError, GraphError, ShapeError
from minigrad.modes import enable_grad, inference_mode, mode, no_grad, set_grad_enabled
from minigrad.tape import Leaf, Node, is_sole_holder, pullback
from minigrad.tensor import Tensor, wrap

from . import hooks
from .anomaly import detect_anomaly, set_detect_anomaly
from .batched import all_rows, without_rows
from .function import Function

if TYPE_CHECKING:
    from minigrad.gradcheck import gradcheck, gradgradcheck

    from . import functional

__all__ = [
    "Function", "backward", "detect_anomaly", "enable_grad", "functional", "grad", "gradcheck",
    "gradgradcheck", "inference_mode", "no_grad", "set_detect_anomaly", "set_grad_enabled",
]  # fmt: skip


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    *,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add to `.grad` of every leaf the gradient of the tensors (numbers, or weighted by `grad_tensors`).

    retain_graph keeps what was saved, so that a second backward is possible; create_graph records the
    backward pass itself, so that the gradients can be differentiated; inputs are the only tensors, leaves or
    not, whose `.grad` is to change. Raises GraphError when there is no graph; all gradients then, and after
    any other error, are as they were.

    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """
    wanted = None
    if inputs is not None:
        wanted = dict(zip(_targets("backward", inputs), _listed(inputs), strict=True))
    if wanted is not None and not wanted:
        raise ValueError("backward(): inputs is empty, expected at least one tensor; leave it out for all")
    create_graph = create_graph and not mode.inference
    roots, cotangents = _seeds("backward", _listed(tensors), grad_tensors, create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    arrived = pullback(roots, cotangents, targets=wanted, retain_graph=keep, create_graph=create_graph)
    del cotangents
    deliver(arrived, wanted)


def deliver(arrived: dict[Node, Any], wanted: dict[Node, Tensor] | None = None) -> None:
    """Add what arrived at leaves, or at the nodes of `wanted`, to their `.grad`; at an error, to none."""
    receivers = [
        (tensor, node)
        for node in arrived
        if (tensor := _receiver(node) if wanted is None else wanted[node]) is not None
    ]
    for tensor, node in receivers:
        if tensor.grad is not None:
            _check_grad(tensor.grad, arrived[node])
    for tensor, node in receivers:
        _deliver(tensor, arrived, node)
    for tensor, node in receivers:
        hooks.run_after(tensor, node)


def _receiver(node: Node) -> Tensor | None:
    """The tensor in whose `.grad` a gradient is to be left, unless it is gone."""
    if type(node) is Leaf:
        return node.tensor()
    return None if node.hooks is None or node.hooks.retaining is None else node.hooks.retaining()


def _check_grad(held: Any, g: Any) -> None:
    """An error if what a user left in `.grad` is nothing that the gradient g can be added to."""
    if not isinstance(held, Tensor):
        raise TypeError(f"backward(): .grad is a {type(held).__name__}, expected a Tensor or None")
    if held.shape != g.shape:
        raise ShapeError(f"backward(): .grad has shape {held.shape}, expected the tensor's shape {g.shape}")
    if held.dtype.kind != "f":
        raise DTypeError(f"backward(): .grad has dtype {held.dtype}, expected a floating one")
    check_together("backward", held.array, getattr(g, "array", g))


def _deliver(tensor: Tensor, arrived: dict[Node, Any], node: Node) -> None:
    """tensor.grad += arrived[node].  An array that somebody else may hold is neither kept nor written to."""
    held = tensor.grad
    if isinstance(arrived[node], Tensor) or (held is not None and held.node is not None):
        with enable_grad():  # create_graph: the copy and the sum are themselves recorded
            g = _as_tensor(arrived[node])
            tensor.grad = g.clone() if held is None else held + g
    elif held is None:
        tensor.grad = _owned(arrived, node)
    elif _is_private(held):
        held.array += arrived[node]
        held.bump_version()
    else:
        tensor.grad = _as_tensor(held.array + arrived[node])


def _owned(arrived: dict[Node, Any], node: Node) -> Tensor:
    """arrived[node] as a Tensor; a copy, if somebody else may hold the same memory."""
    if is_sole_holder(arrived, node):
        return _as_tensor(arrived[node])
    if isinstance(arrived[node], Tensor):
        with enable_grad():  # the copy is recorded
            return arrived[node].clone()
    return _as_tensor(arrived[node].copy())


def _as_tensor(g: Any) -> Tensor:
    """A gradient (a Tensor, an array, or the scalar that NumPy makes of a 0-d one) as a Tensor."""
    return g if isinstance(g, Tensor) else wrap(g if is_array(g) else numpy.asarray(g))


def _is_private(tensor: Tensor) -> bool:
    """Is the array of a tensor memory of its own, writeable, and known to nobody else?"""
    writeable = getattr(tensor.array.flags, "writeable", True)  # CuPy's arrays have no such flag
    return writeable and tensor.array.base is None and _references(tensor) == _SOLE_REFERENCE


def _references(tensor: Tensor) -> int:
    """How many places refer to the array of a tensor, as Python counts them here."""
    array = tensor.array
    return sys.getrefcount(array)


_SOLE_REFERENCE = _references(wrap(numpy.zeros(1)))  # measured, since Python versions count differently


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of `outputs` with respect to `inputs`, as a tuple; no `.grad` is touched.

    An input that the outputs do not depend on is refused, unless allow_unused=True (its gradient is then
    None) or materialize_grads=True (zeros). With is_grads_batched=True each of grad_outputs holds several
    cotangents along its first dimension, and the gradients do; they walk back together, by vmap.

    >>> import minigrad as mg
    >>> x = mg.tensor(3.0, requires_grad=True)
    >>> (g,) = mg.autograd.grad(x**3, x, create_graph=True)
    >>> mg.autograd.grad(g, x)
    (tensor(18.),)
    """
    if not only_inputs:
        raise ValueError("grad(): only_inputs must be True; use backward() for the gradients of all leaves")
    create_graph = create_graph and not mode.inference
    keep = create_graph if retain_graph is None else retain_graph
    if is_grads_batched:
        with all_rows(_listed_seeds(grad_outputs)) as (seeds, size):
            rows = grad(
                outputs,
                inputs,
                seeds,
                retain_graph=keep,
                create_graph=True,
                allow_unused=allow_unused,
                materialize_grads=materialize_grads,
            )
        return without_rows(rows, size, create_graph)
    wanted, targets = _listed(inputs), _targets("grad", inputs)
    roots, cotangents = _seeds("grad", _listed(outputs), grad_outputs, create_graph)
    arrived = pullback(roots, cotangents, targets=set(targets), retain_graph=keep, create_graph=create_graph)
    found: list[Tensor | None] = []
    for i, (tensor, node) in enumerate(zip(wanted, targets, strict=True)):
        if node in arrived:
            found.append(_owned(arrived, node))
        elif materialize_grads:
            found.append(wrap(namespace(tensor.array).zeros_like(tensor.array)))
        elif allow_unused:
            found.append(None)
        else:
            raise GraphError(
                f"grad(): the outputs do not depend on input {i}; use allow_unused=True to get None for it"
            )
    return tuple(found)


def _targets(name: str, inputs: Tensor | Sequence[Tensor]) -> list[Node]:
    """The nodes of the tensors whose gradients are asked for."""
    targets = []
    for i, tensor in enumerate(_listed(inputs)):
        if tensor.node is None:
            raise GraphError(
                f"{name}(): input {i} does not require grad; set requires_grad before computing the outputs"
            )
        targets.append(tensor.node)
    return targets


def _listed(tensors: Tensor | Sequence[Tensor]) -> list[Tensor]:
    listed = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    for tensor in listed:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"expected a Tensor or a sequence of them, got {type(tensor).__name__}")
    return listed


def _seeds(name: str, tensors: list[Tensor], given: Any, create_graph: bool) -> tuple[list[Node], list[Any]]:
    """The nodes to start from, and the gradients to start with: 1 for a number, else what was given."""
    weights = [None] * len(tensors) if given is None else _listed_seeds(given)
    if len(weights) != len(tensors):
        raise ValueError(
            f"{name}(): got {len(tensors)} tensors and {len(weights)} gradients, expected as many"
        )
    roots, cotangents = [], []
    for tensor, weight in zip(tensors, weights, strict=True):
        if tensor.node is None:
            raise GraphError(
                f"{name}(): the tensor of shape {tensor.shape} does not require grad; "
                "was it created under no_grad or detached?"
            )
        roots.append(tensor.node)
        cotangents.append(_seed(name, tensor, weight, create_graph))
    return roots, cotangents


def _listed_seeds(given: Any) -> list[Any]:
    return [given] if isinstance(given, Tensor) else list(given or ())


def _seed(name: str, tensor: Tensor, weight: Any, create_graph: bool) -> Any:
    """The gradient to start with at one tensor."""
    if weight is None:
        if tensor.array.size != 1:
            raise GraphError(
                f"{name}(): a gradient starts by itself only from one number, got shape {tensor.shape}; "
                "pass gradient= of that shape, or reduce with .sum() or .mean()"
            )
        ones = namespace(tensor.array).ones_like(tensor.array)
        return wrap(ones) if create_graph else ones
    seed = weight if isinstance(weight, Tensor) else Tensor(weight)
    check_together(name, tensor.array, seed.array)
    if seed.shape != tensor.shape:
        raise ShapeError(
            f"{name}(): gradient has shape {seed.shape}, expected the tensor's shape {tensor.shape}"
        )
    if seed.dtype.kind != "f":
        raise TypeError(f"{name}(): gradient has dtype {seed.dtype}, expected the tensor's {tensor.dtype}")
    seed = seed.to(tensor.dtype)
    return seed if create_graph else seed.array


def _backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add to `.grad` of every leaf the gradient of this tensor; see `minigrad.autograd.backward`."""
    backward([self], [gradient], retain_graph, create_graph, inputs=inputs)


Tensor.backward = _backward  # type: ignore[attr-defined]


def __getattr__(name: str) -> Any:
    """Import what imports this file when it is first asked for (PEP 562)."""
    if name == "functional":
        return importlib.import_module(".functional", __name__)
    if name in ("gradcheck", "gradgradcheck"):
        return getattr(importlib.import_module("minigrad.gradcheck"), name)
    raise AttributeError(f"module 'minigrad.autograd' has no attribute {name!r}")
