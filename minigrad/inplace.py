"""Floor 5: writing in place, as PyTorch has it.

A tensor that is written to stays the same object, with another history: its node becomes that of the result.
Tensors that share its memory see the write, and so must their histories:

    y = x * 2          y.node  = mul
    v = y[0]           v.node  = getitem(y)
    v.mul_(w)          y.node  = overlay(mul, mul(getitem(y), w))     what owns the memory
                       v.node  = getitem(overlay(...))                each of its views, taken once again

What a rule has saved before the write is not there any more; the version box tells the backward pass so.
"""

from collections.abc import Callable
from typing import Any

from . import ops
from .backend import CATEGORY, check_together, is_array, misplaced
from .batching import Batched
from .creation import as_tensor
from .errors import DTypeError, GraphError, ShapeError
from .functions import convert
from .indexing import checked_index
from .kernels.writing import put
from .modes import mode
from .tape import Leaf, Node, hooks_of
from .tensor import Tensor, wrap
from .versions import views_of

# ------------------------------------------------------------------------------------------------ histories


def path_to(tensor: Tensor) -> tuple[Tensor, tuple]:
    """The tensor that owns the memory, and the chain of (operation, static) from it to `tensor`."""
    path: list[tuple] = []
    while tensor.view_of is not None:
        tensor, *link = tensor.view_of
        path.append(tuple(link))
    return tensor, tuple(reversed(path))


def rebase(tensor: Tensor, node: Node | None) -> None:
    """Give a tensor that was written to its new history, and let all that share its memory follow."""
    base, path = path_to(tensor)
    if path:
        value = wrap(tensor.array, node)
        node = ops.overlay.record(base.array, (base, value), {"path": path}, base.version)
    _attach(base, node)
    for view in views_of(base.version):
        if path_to(view)[0] is base:  # a detached tensor, and its views, only share the memory
            source, op, static = view.view_of
            _attach(view, op.record(view.array, (source,), static, view.version))


def _attach(tensor: Tensor, node: Node | None) -> None:
    """Put a tensor at its new place on the tape; a gradient to be retained is now the one that arrives there.

    Hooks stay where they are: they were registered for the gradient of the values before the write.
    """
    old, tensor.node = tensor.node, node
    if old is None or old.hooks is None or old.hooks.retaining is None or node is None:
        return
    if old.hooks.retaining() is tensor:
        hooks_of(node).retaining, old.hooks.retaining = old.hooks.retaining, None


# ------------------------------------------------------------------------------------------------ writing


def is_recorded(*operands: Any) -> bool:
    """Will the tape hear of an operation on these operands?"""
    return bool(mode.recording) and any(isinstance(a, Tensor) and a.node is not None for a in operands)


def check_writable(tensor: Tensor, recorded: bool, name: str) -> None:
    """RuntimeError for read-only memory, GraphError where a write would lose or falsify a gradient."""
    if mode.vmaps and isinstance(tensor, Batched):
        raise NotImplementedError(f"{name}: vmap: a batched tensor is not changed in place; make a new one")
    if not getattr(tensor.array.flags, "writeable", True):  # CuPy's arrays have no such flag
        raise RuntimeError(f"{name}: the memory of shape {tensor.shape} is read-only; write to a .clone()")
    if not mode.recording:
        return
    base, path = path_to(tensor)
    if type(base.node) is Leaf:
        what = "a view of a leaf" if path else "a leaf"
        raise GraphError(f"{name}: {what} that requires grad is changed in place; use no_grad() or a copy")
    if (recorded or base.node is not None) and any(op is None for op, _ in path):
        raise GraphError(
            f"{name}: a view made under no_grad is changed in place where the change is recorded, and the "
            "tensor that it is a view of cannot follow; take the view again outside no_grad, or use no_grad()"
        )


def write(tensor: Tensor, made: Any, name: str) -> Tensor:
    """Let the tensor take over values and history of `made`: the last step of an operation in place."""
    array = made.array if isinstance(made, Tensor) else made
    if array.shape != tensor.shape:
        raise ShapeError(f"{name}: the result has shape {array.shape}, expected the tensor's {tensor.shape}")
    if CATEGORY[array.dtype.kind] > CATEGORY[tensor.dtype.kind]:
        raise DTypeError(f"{name}: a result of {array.dtype} cannot be stored in a tensor of {tensor.dtype}")
    tensor.bump_version()
    tensor.array[...] = array
    if isinstance(made, Tensor) and (made.node is not None or is_recorded(tensor)):
        rebase(tensor, convert.to(made, tensor.dtype).node)
    return tensor


def in_place(operation: Callable, name: str) -> Callable:
    """The in-place form of an operation: computed on a copy that the rules may keep, then written back."""

    def method(self: Tensor, *args: Any, **keywords: Any) -> Tensor:
        recorded = is_recorded(self, *args, *keywords.values())
        check_writable(self, recorded, name)
        source = wrap(self.array.copy(), self.node) if recorded else self
        others = [source if a is self else a for a in args]
        return write(self, operation(source, *others, **keywords), name)

    method.__name__, method.__doc__ = name, f"In place: {operation.__doc__}"
    return method


def assign(tensor: Tensor, index: Any, value: Any, name: str) -> Tensor:
    """tensor[index] = value, recorded like every other operation in place."""
    if not isinstance(value, Tensor | bool | int | float):
        value = as_tensor(value, tensor.dtype)
        if type(value.array) is not type(tensor.array):
            value = convert.to(value, device=tensor.device)
    values = value
    if isinstance(value, Tensor):
        values = value.array
        check_together(name, tensor.array, values)
    recorded = is_recorded(tensor, value)
    check_writable(tensor, recorded, name)
    if recorded and tensor.dtype.kind != "f":
        raise DTypeError(f"{name}: a tensor of {tensor.dtype} cannot hold values that require grad")
    *views, clean = checked_index(tensor.array, index)
    if views:
        assign(ops.getitem(tensor, index=views[0]), clean, value, name)
        return tensor
    try:
        put(tensor.array, clean, values)
    except ValueError as error:
        raise misplaced(name, (tensor.array, values)) or ShapeError(f"{name}: {error}") from None
    tensor.bump_version()
    if recorded:
        rebase(tensor, ops.setitem.record(tensor.array, (tensor, value), {"index": clean}, tensor.version))
    return tensor


def setitem(self: Tensor, index: Any, value: Any) -> None:
    """self[index] = value"""
    assign(self, index, value, "x[index] = value")


def copy_(self: Tensor, source: Any) -> Tensor:
    """Take over the values of `source`, at the tensor's own shape, type and device. Returns the tensor."""
    values = wrap(source) if is_array(source) else source
    if isinstance(values, Tensor):
        values = convert.to(values, device=self.device)
    return assign(self, Ellipsis, values, "copy_")


def fill_(self: Tensor, value: Any) -> Tensor:
    """Set every element to `value`. Returns the tensor."""
    return assign(self, Ellipsis, value, "fill_")


def zero_(self: Tensor) -> Tensor:
    """Set every element to 0. Returns the tensor."""
    return assign(self, Ellipsis, 0, "zero_")
