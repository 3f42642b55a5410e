"""Floor 6: hooks beyond `Tensor.register_hook`: on a node of the graph, and after a leaf has its gradient.

The order is PyTorch's: hooks of the tensor, in the order of their registration, then `retain_grad`, then the
rules of the node between its prehooks and its hooks; of a leaf, the sum into `.grad`, then the hooks after
it.
"""

from collections.abc import Callable
from typing import Any

from minigrad.backend import is_array, numpy
from minigrad.errors import GraphError
from minigrad.tape import Call, Leaf, Node, Output, hooks_of
from minigrad.tensor import RemovableHandle, Tensor, wrap

# ------------------------------------------------------------------------------------------------ of leaves


def register_post_accumulate_grad_hook(self: Tensor, hook: Callable[[Tensor], None]) -> RemovableHandle:
    """Call `hook(tensor)` on this leaf whenever a backward pass has added to its `.grad`.

    The hooks run once all leaves have their gradients (PyTorch: each leaf as soon as its own is there), so
    that an error on the way leaves every gradient as it was. Returns a handle with `remove()`.
    """
    if self.node is None:
        raise GraphError("register_post_accumulate_grad_hook(): the tensor does not require grad")
    if type(self.node) is not Leaf:
        raise GraphError(
            "register_post_accumulate_grad_hook(): the tensor is no leaf, so nothing is accumulated in it; "
            "use register_hook"
        )
    return RemovableHandle(hooks_of(self.node).after, hook)


def run_after(tensor: Tensor, node: Node) -> None:
    """Call the hooks of a leaf whose gradient is now up to date."""
    if node.hooks is not None:
        for hook in list(node.hooks.after.values()):
            hook(tensor)


Tensor.register_post_accumulate_grad_hook = register_post_accumulate_grad_hook  # type: ignore[attr-defined]

# ------------------------------------------------------------------------------------------------ of nodes


class HookedPlan:
    """A plan with hooks before and after its rules; nodes without hooks never meet it."""

    def __init__(self, plan: Any) -> None:
        self._plan = plan
        self.before: dict[int, Callable] = {}
        self.after: dict[int, Callable] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plan, name)

    def pull(self, node: Node, g: Any, create_graph: bool) -> Any:
        """The gradients of the inputs, as the hooks left them."""
        outgoing = _tensors(g if isinstance(node, Call) and isinstance(g, list) else (g,))
        for hook in list(self.before.values()):
            outgoing = _replaced(hook(outgoing), outgoing, "prehook")
        if self.before:
            several = isinstance(g, list)
            g = [_like(a, create_graph) for a in outgoing] if several else _like(outgoing[0], create_graph)
        pairs = self._plan.pull(node, g, create_graph)
        if not self.after:
            return pairs
        found = {place: pair[1] for place, pair in zip(self._plan.positions, pairs, strict=True)}
        gradients = _tensors([found.get(i) for i in range(len(node.edges))])
        for hook in list(self.after.values()):
            gradients = _replaced(hook(gradients, outgoing), gradients, "hook")
        return [(node.edges[p], _like(gradients[p], create_graph)) for p in self._plan.positions]


def register_hook(self: Node, fn: Callable) -> RemovableHandle:
    """Call `fn(grad_inputs, grad_outputs)` when the rules of this node have run: two tuples of tensors.

    A tuple that it returns takes the place of grad_inputs. Returns a handle with `remove()`.
    """
    return RemovableHandle(_hooked(self, "register_hook").after, fn)


def register_prehook(self: Node, fn: Callable) -> RemovableHandle:
    """Call `fn(grad_outputs)` before the rules of this node run; a tuple that it returns replaces them."""
    return RemovableHandle(_hooked(self, "register_prehook").before, fn)


def _hooked(node: Node, name: str) -> HookedPlan:
    """The plan with hooks of a node; one of several outputs stands for the call that made them."""
    if type(node) is Output:
        node = node.edges[0]
    if node.plan is None:
        raise GraphError(
            f"{name}(): an {node.name()} node runs no rule; use register_hook of its tensor, "
            "or register_post_accumulate_grad_hook"
        )
    if type(node.plan) is not HookedPlan:
        node.plan = HookedPlan(node.plan)
    return node.plan


def _tensors(gradients: Any) -> tuple[Tensor | None, ...]:
    """Gradients as hooks see them."""
    return tuple(
        a if a is None or isinstance(a, Tensor) else wrap(a if is_array(a) else numpy.asarray(a))
        for a in gradients
    )


def _like(gradient: Tensor | None, create_graph: bool) -> Any:
    """A gradient as the walk wants it: an array, or a Tensor under create_graph."""
    return gradient if gradient is None or create_graph else gradient.array


def _replaced(returned: Any, gradients: tuple, kind: str) -> tuple:
    """The gradients, or what a hook gave in their place."""
    if returned is None:
        return gradients
    returned = (returned,) if isinstance(returned, Tensor) else tuple(returned)
    if len(returned) != len(gradients):
        raise GraphError(f"{kind}: returned {len(returned)} gradients, expected {len(gradients)}, or None")
    return returned


Node.register_hook, Node.register_prehook = register_hook, register_prehook  # type: ignore[attr-defined]
