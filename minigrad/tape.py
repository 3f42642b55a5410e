"""Floor 1: the tape.  What was computed from what, and how a gradient walks back along it.

Each operation on tensors that need a gradient leaves a `Node`: which operation it was, the nodes of its
inputs, and the values that its derivative rules will ask for.  Nodes are numbered in order of birth; inputs
are born before outputs, so descending numbers are a topological order, and the backward pass is one loop
over them:

    for node in the nodes reached, youngest first:
        g = the gradient that has gathered at node
        for each input: its gradient += rule(g, saved values)

That is all of backpropagation.  The rest of this file says who may be written to, and when.
"""

import operator
import sys
import weakref
from collections.abc import Callable, Collection, Sequence
from typing import Any

from .backend import unbroadcast
from .errors import GraphError, ShapeError
from .modes import mode, switch
from .versions import LAST_WRITE, WRITES, births, version_at
from .watch import watched

Gradient = Any  # an array in a plain backward pass, a Tensor under create_graph=True


# ------------------------------------------------------------------------------------------------ nodes

FREED = ("freed",)  # what `Node.saved` holds after a backward pass has let the values go


class Node:
    """One application of an operation.

    plan      which rules will run, and what they need (see primitive.py); None for a leaf
    edges     the node of each input, None for an input that needs no gradient
    saved     the values that the rules will ask for
    boxes     the version box of each saved array that somebody else can write to
    shape     of the output (a tuple of shapes, when the operation has several outputs); dtype likewise
    static    the keyword arguments of the operation
    hooks     what to call with the gradient that has gathered here
    note      what only drawings need
    """

    __slots__ = (
        "__weakref__",
        "boxes",
        "dtype",
        "edges",
        "hooks",
        "note",
        "plan",
        "saved",
        "seq",
        "shape",
        "static",
    )

    def __init__(self, plan: Any, edges: tuple, shape: tuple, dtype: Any) -> None:
        self.plan, self.edges, self.shape, self.dtype = plan, edges, shape, dtype
        self.saved: tuple = ()
        self.boxes: tuple = ()
        self.static: dict[str, Any] = {}
        self.hooks: Hooks | None = None
        self.note: Note | None = None
        self.seq = next(births)

    def name(self) -> str:
        """PyTorch's way to name it: `TanhBackward` for the node of tanh."""
        return "".join(part.capitalize() for part in self.plan.op.name.split("_")) + "Backward"

    def __repr__(self) -> str:
        return f"<{self.name()} of shape {self.shape}>"

    @property
    def next_functions(self) -> tuple[tuple["Node | None", int], ...]:
        """PyTorch's view of the edges: pairs of (node, output index)."""
        return tuple(
            (edge.edges[0], edge.index) if type(edge) is Output else (edge, 0) for edge in self.edges
        )


class Leaf(Node):
    """The end of a path: a tensor that the user made, where a gradient is to be left."""

    __slots__ = ("label", "tensor")

    def __init__(self, tensor: Any, label: str = "") -> None:
        super().__init__(None, (), tensor.shape, tensor.dtype)
        self.tensor, self.label = weakref.ref(tensor), label

    def name(self) -> str:
        """PyTorch's name for the place where a gradient is added to a leaf."""
        return "AccumulateGrad"


class Call(Node):
    """The node of an operation with several outputs: `shape` and `dtype` hold one entry for each."""

    __slots__ = ("_outputs",)

    def __init__(self, plan: Any, edges: tuple, shape: tuple, dtype: Any) -> None:
        super().__init__(plan, edges, shape, dtype)
        self._outputs: dict[int, weakref.ref[Output]] = {}

    def output(self, index: int) -> "Output":
        """The place of one output on the tape: one and the same as long as somebody refers to it."""
        known = self._outputs.get(index)
        output = None if known is None else known()
        if output is None:
            output = Output(self, index)
            self._outputs[index] = weakref.ref(output)
        return output


class Output(Node):
    """One output of a call that has several.  The call is one node; each output hangs on it by its index."""

    __slots__ = ("index",)

    def __init__(self, call: Call, index: int) -> None:
        super().__init__(None, (call,), call.shape[index], call.dtype[index])
        self.index = index

    def name(self) -> str:
        """The name of the call."""
        return self.edges[0].name()


class Hooks:
    """Functions to call with a gradient, and the tensor, if any, that wants to keep it (retain_grad).

    Those in `after` are called with a leaf, once its `.grad` is up to date.
    """

    __slots__ = ("after", "functions", "retaining")

    def __init__(self) -> None:
        self.functions: dict[int, Callable] = {}
        self.after: dict[int, Callable] = {}
        self.retaining: Callable[[], Any] | None = None


class Note:
    """What a drawing shows of a node beyond its operation."""

    __slots__ = ("gradient", "gradient_of", "inputs", "line", "module")

    def __init__(self, module: str, line: str, inputs: tuple, gradient_of: Node | None) -> None:
        self.module, self.line, self.inputs, self.gradient_of = module, line, inputs, gradient_of
        self.gradient: float | None = None  # the Euclidean norm of the gradient that passed


def hooks_of(node: Node) -> Hooks:
    """The hooks of a node, made on first need."""
    if node.hooks is None:
        node.hooks = Hooks()
    return node.hooks


# ------------------------------------------------------------------------------------------------ the walk


def pullback(
    roots: Sequence[Node],
    cotangents: Sequence[Gradient],
    *,
    targets: Collection[Node] | None = None,
    stop_at: Collection[Node] = (),
    retain_graph: bool = False,
    create_graph: bool = False,
) -> dict[Node, Gradient]:
    """The gradients that arrive when `cotangents` are sent back from `roots`.

    With targets=None they are those of every leaf (and of every node whose tensor retains its gradient);
    else of the targets only, and only paths that lead to one are walked.  The walk does not go beyond the
    nodes of `stop_at`. Nothing is written to any tensor: an error on the way leaves all gradients as they
    were.
    """
    nodes = _reached(roots, stop_at)
    useful = None if targets is None else _leading_to(targets, nodes, stop_at)
    gradients: dict[Node, Any] = {}
    arrived: dict[Node, Gradient] = {}
    tracing, gradient_of = mode.tracing, mode.gradient_of
    recording = switch(create_graph)
    try:
        for root, cotangent in zip(roots, cotangents, strict=True):
            _accumulate(gradients, root, cotangent, create_graph)
        for node in nodes:
            g = gradients.pop(node, None)
            if g is None:
                continue
            if node.hooks is not None:
                g = _run_hooks(node.hooks, g)
            plan = node.plan
            if tracing:
                _note_gradient(node, g)
                mode.gradient_of = node
                plan = watched(node, g)
            passing = plan is not None and node.hooks is None and targets is None  # as most nodes are
            if not passing and _is_wanted(node, targets):
                arrived[node] = g
            if node in stop_at or (useful is not None and useful.isdisjoint(node.edges)):
                continue  # nobody asks for what lies beyond, so nothing there is computed or freed
            if plan is None:
                if type(node) is Output:
                    _hand_to_call(gradients, node, g)
                continue
            contributions = plan.pull(node, g, create_graph)
            if not retain_graph and node.saved:
                node.saved = FREED
            for parent, contribution in contributions:
                if contribution is None or (useful is not None and parent not in useful):
                    continue
                if contribution.shape != parent.shape or contribution.dtype is not parent.dtype:
                    contribution = _fitted(contribution, parent, node)  # noqa: PLW2901
                if parent in gradients:
                    _accumulate(gradients, parent, contribution, create_graph)
                else:  # mostly: spared the call, 0.1 µs
                    gradients[parent] = contribution
    finally:
        switch(recording)
        mode.gradient_of = gradient_of
    return arrived


def _reached(roots: Sequence[Node], stop_at: Collection[Node]) -> list[Node]:
    """Every node on a path from `roots`, youngest first.  No recursion: an RNN may be 100,000 deep."""
    seen = set(roots)
    nodes = list(seen)
    for node in nodes:  # the list grows while it is walked
        if node in stop_at:
            continue
        for parent in node.edges:
            if parent is not None and parent not in seen:
                seen.add(parent)
                nodes.append(parent)
    nodes.sort(key=_birth, reverse=True)
    return nodes


_birth = operator.attrgetter("seq")


def _leading_to(targets: Collection[Node], nodes: list[Node], stop_at: Collection[Node]) -> set[Node]:
    """Those of `nodes` (youngest first) from which a target can be reached."""
    useful = set(targets)
    for node in reversed(nodes):
        if node not in stop_at and not useful.isdisjoint(node.edges):
            useful.add(node)
    return useful


def _is_wanted(node: Node, targets: Collection[Node] | None) -> bool:
    """Is this node a target, or, where none are named, a leaf or one whose tensor retains its gradient?"""
    if targets is not None:
        return node in targets
    return type(node) is Leaf or (node.hooks is not None and node.hooks.retaining is not None)


def _accumulate(gradients: dict[Node, Any], node: Node, g: Gradient, create_graph: bool) -> None:
    """gradients[node] += g, in place only into an array that nobody but this walk holds.

    Who holds it the reference count tells, so that a gradient that `add` hands to both its inputs is never
    written through.
    """
    if node not in gradients:
        gradients[node] = g
    elif not create_graph and is_sole_holder(gradients, node):
        gradients[node] += g
    else:
        gradients[node] = gradients[node] + g


def is_sole_holder(table: dict, key: Any) -> bool:
    """Is table[key] an array (or a Tensor) with its own memory, and the table all that refers to it?"""
    value = table[key]
    return sys.getrefcount(value) == _SOLE_HOLDER and getattr(value, "array", value).base is None


def _reference_count(table: dict, key: Any) -> int:
    value = table[key]
    return sys.getrefcount(value)


_SOLE_HOLDER = _reference_count({0: object()}, 0)  # measured, since Python versions count differently


def _hand_to_call(gradients: dict[Node, Any], output: Any, g: Gradient) -> None:
    """Leave the gradient of one output with its call: a list, with None for the outputs unused."""
    call = output.edges[0]
    gradients.setdefault(call, [None] * len(call.shape))[output.index] = g


def _fitted(g: Gradient, parent: Node, node: Node) -> Gradient:
    """Undo what was done to an input before the rule saw it: broadcasting, then the cast to a common type."""
    if not _could_broadcast(parent.shape, g.shape):
        raise ShapeError(
            f"{node.plan.op.name}: a rule gave a gradient of shape {g.shape} for an input of shape "
            f"{parent.shape}; expected the input's shape, or one that the input broadcasts to"
        )
    if mode.recording:  # under create_graph: the same two steps on Tensors
        if g.shape != parent.shape:
            g = g.sum_to_size(parent.shape)
        return g.to(parent.dtype)
    if g.shape != parent.shape:
        g = unbroadcast(g, parent.shape)
    return g.astype(parent.dtype, copy=False)


def _could_broadcast(shape: tuple[int, ...], wider: tuple[int, ...]) -> bool:
    """Does `shape` broadcast to `wider`?"""
    if len(shape) > len(wider):
        return False
    pairs = zip(reversed(shape), reversed(wider), strict=False)
    return all(size in (1, wide) for size, wide in pairs)


def _run_hooks(hooks: Hooks, g: Gradient) -> Gradient:
    """Call each hook with the gradient; one that returns something replaces it."""
    for function in list(hooks.functions.values()):
        replaced = function(g)
        if replaced is not None:
            g = replaced
    return g


def _note_gradient(node: Node, g: Gradient) -> None:
    """Write the norm of the gradient down beside the node, for drawings."""
    if isinstance(g, list):
        return
    if node.note is None:
        node.note = Note("", "", (), None)
    while hasattr(g, "value"):  # of a batched tensor: the values for all examples
        g = g.value
    array: Any = getattr(g, "array", g)
    values = array.astype("float64").ravel()
    node.note.gradient = float(values @ values) ** 0.5


def _line(node: Node) -> str:
    """Where the user called the operation, if it was noted: in anomaly mode."""
    return f" at {node.note.line}" if node.note is not None and node.note.line else ""


def check_versions(node: Node) -> None:
    """GraphError if a value that `node` saved was freed, or has been written to since."""
    if node.saved is FREED:
        raise GraphError(
            f"backward(): {node.plan.op.name}{_line(node)}: saved values were freed by an earlier backward; "
            "use retain_graph=True in the first of the two"
        )
    for box in node.boxes:
        if box[LAST_WRITE] > node.seq:
            raise GraphError(
                f"backward(): a value that {node.plan.op.name}{_line(node)} saved (its output has shape "
                f"{node.shape}) was changed in place after it was saved: saved at version "
                f"{version_at(box, node.seq)}, now at {box[WRITES]}; change a copy, or change it later"
            )
