"""Floor 7: gradient checkpointing: memory for time.

The values that rules will ask for are not kept but computed again when they are needed, by calling the
function a second time (Chen, Xu, Zhang and Guestrin 2016, "Training deep nets with sublinear memory cost",
section 4):

    h = checkpoint(layer, x)       the nodes of `layer` stay, their saved values go
    loss(h).backward()             on the way back `layer(x)` runs again, and its nodes lend their values

The function is recorded as ever, so that parameters it uses are found, `autograd.grad`, hooks and second
derivatives work, and checkpoints nest.  Only the saved values are let go, and every node's plan is replaced
by one that sends for them.  PyTorch does the same for use_reentrant=False, by hooks on saved tensors.
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.errors import GraphError
from minigrad.generator import default_generator
from minigrad.modes import enable_grad, mode
from minigrad.tape import FREED, Leaf, Node, Output, check_versions
from minigrad.tensor import Tensor, wrap
from minigrad.trees import leaves_of, rebuilt
from minigrad.versions import births

LET_GO = ("let go",)  # what `Node.saved` holds until the values are computed again


def _no_contexts() -> tuple[Any, Any]:
    """Nothing is to be set while the function runs, the first time or the second."""
    return contextlib.nullcontext(), contextlib.nullcontext()


def checkpoint(
    function: Callable,
    *args: Any,
    use_reentrant: bool | None = None,  # noqa: ARG001 (see Args)
    context_fn: Callable[[], tuple[Any, Any]] = _no_contexts,
    determinism_check: str = "default",
    debug: bool = False,  # noqa: ARG001 (see Args)
    early_stop: bool = True,  # noqa: ARG001 (see Args)
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """function(*args, **kwargs), whose saved values are computed again in the backward pass.

    Args:
        function: is called twice and must do the same both times; GraphError if its operations differ.
        context_fn: makes two context managers, for the first call and for the second.
        determinism_check: "default" compares the shapes of both calls, "none" only their operations.
        preserve_rng_state: the second call sees the random numbers of the first (the default generator's).
        use_reentrant, debug, early_stop: accepted for PyTorch's sake. There is one way, which is that of
            use_reentrant=False; errors always say what debug=True would; the second call runs to its end.

    Each backward pass calls the function once more, also with retain_graph=True.

    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> y = checkpoint(lambda x: mg.tanh(mg.exp(x)), x)
    >>> y.sum().backward()
    """
    if determinism_check not in ("default", "none"):
        raise ValueError(
            f'checkpoint(): determinism_check {determinism_check!r}, expected "default" or "none"'
        )
    first, second = context_fn()
    if not mode.recording:
        with first:
            return function(*args, **kwargs)
    leaves = leaves_of((args, kwargs))
    kept = [wrap(a.array, a.node, a.version) if type(a) is Tensor else a for a in leaves]
    region = Region(function, rebuilt((args, kwargs), kept), second, determinism_check == "default")
    region.random = default_generator().get_state() if preserve_rng_state else None
    region.start = next(births)
    with first:
        outputs = function(*args, **kwargs)
    region.let_go([out for out in leaves_of(outputs) if isinstance(out, Tensor)])
    return outputs


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """The functions (or the layers of a Sequential) one after the other, in checkpointed segments.

    The last segment is not checkpointed: its backward comes at once. preserve_rng_state as in `checkpoint`.

    >>> import minigrad as mg
    >>> checkpoint_sequential([mg.exp, mg.log, mg.exp], 2, mg.zeros(2, requires_grad=True)).tolist()
    [1.0, 1.0]
    """
    layers = list(functions)
    if not 1 <= segments <= len(layers):
        raise ValueError(
            f"checkpoint_sequential(): segments {segments}, expected 1 to {len(layers)}, as many as functions"
        )
    length = len(layers) // segments
    for number in range(segments - 1):
        part = layers[number * length : (number + 1) * length]
        input = checkpoint(_run, part, input, use_reentrant=use_reentrant, **kwargs)
    return _run(layers[(segments - 1) * length :], input)


def _run(layers: Sequence[Callable], x: Any) -> Any:
    for layer in layers:
        x = layer(x)
    return x


class Region:
    """The nodes of one call, and how to call again."""

    def __init__(self, function: Callable, arguments: Any, context: Any, strict: bool) -> None:
        self.function, self.arguments, self.context, self.strict = function, arguments, context, strict
        self.random: dict[str, int] | None = None
        self.start = 0
        self.signature: list[tuple] = []  # of the first call, node by node
        self.values: dict[int, tuple[Any, Any]] = {}  # number of a node -> plan and saved values of its twin

    def let_go(self, outputs: list[Tensor]) -> None:
        """Take the saved values away from the nodes of the first call."""
        nodes = _calls_since(self.start, outputs)
        self.signature = [self._signature(node) for node in nodes]
        for number, node in enumerate(nodes):
            if node.saved:
                node.plan, node.saved = Recomputed(node.plan, self, number), LET_GO

    def lend(self, number: int, node: Node) -> tuple[Any, Any]:
        """Plan and saved values of the twin of a node, computed again if need be."""
        if number not in self.values:
            self._compute_again(node)
        return self.values.pop(number)

    def _compute_again(self, node: Node) -> None:
        """Call the function once more, as it was called first; keep what its nodes saved, and no more."""
        for leaf in leaves_of(self.arguments):
            if isinstance(leaf, Tensor) and leaf.version[1] > self.start:
                raise GraphError(
                    f"checkpoint(): an argument of shape {leaf.shape} was changed in place since the "
                    f"function was called, and the backward of {node.plan.op.name} needs it; "
                    "change a copy"
                )
        generator = default_generator()
        now, watchers = generator.get_state(), mode.watchers
        start, mode.watchers = next(births), ()
        try:
            if self.random is not None:
                generator.set_state(self.random)
            args, keywords = self.arguments
            with self.context, enable_grad():
                outputs = self.function(*args, **keywords)
        finally:
            mode.watchers = watchers
            if self.random is not None:
                generator.set_state(now)
        twins = _calls_since(start, [out for out in leaves_of(outputs) if isinstance(out, Tensor)])
        self._compare([self._signature(twin) for twin in twins])
        self.values = {number: (twin.plan, twin.saved) for number, twin in enumerate(twins) if twin.saved}

    def _signature(self, node: Node) -> tuple:
        """What two calls of the function must agree in."""
        return (node.plan.op.name, node.shape, node.dtype) if self.strict else (node.plan.op.name,)

    def _compare(self, found: list[tuple]) -> None:
        """GraphError if the second call was not like the first."""
        for number, (a, b) in enumerate(zip(self.signature, found, strict=False)):
            if a != b:
                raise GraphError(
                    f"checkpoint(): operation {number} was {_told(a)} in the first call and {_told(b)} in "
                    "the second; a checkpointed function must do the same each time"
                )
        if len(found) != len(self.signature):
            raise GraphError(
                f"checkpoint(): the function recorded {len(self.signature)} operations in the first call and "
                f"{len(found)} in the second; it must do the same each time"
            )


class Recomputed:
    """The plan of a node that has let its values go: it borrows them for one backward pass."""

    def __init__(self, plan: Any, region: Region, number: int) -> None:
        self._plan, self._region, self._number = plan, region, number

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plan, name)

    def kept(self, _node: Node) -> tuple:
        """Nothing is kept."""
        return ()

    def pull(self, node: Node, g: Any, create_graph: bool) -> Any:
        """What the plan itself gives."""
        if node.saved is FREED:
            check_versions(node)
        plan, node.saved = self._region.lend(self._number, node)
        try:
            return plan.pull(node, g, create_graph)
        finally:
            node.saved = LET_GO


def _told(signature: tuple) -> str:
    """`tanh of shape (2, 3)`"""
    return signature[0] if len(signature) == 1 else f"{signature[0]} of shape {signature[1]}"


def _calls_since(start: int, outputs: Sequence[Tensor]) -> list[Node]:
    """The calls born after `start` from which the outputs were computed, oldest first."""
    stack = [out.node for out in outputs if out.node is not None]
    seen = set(stack)
    while stack:
        for parent in stack.pop().edges:
            if parent is not None and parent.seq > start and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    calls = [n for n in seen if n.seq > start and not isinstance(n, Leaf | Output)]
    return sorted(calls, key=lambda node: node.seq)
