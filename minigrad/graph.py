"""Floor 7: the tape as plain nodes and edges: what was computed from what, what is kept for the backward.

Nothing is drawn here; `minigrad.tools.draw` turns a `Graph` into a picture.  Compute, and go backward, under
`minigrad.modes.tracing()`, and the graph also knows constants, modules, source lines and norms of gradients.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from .backend import to_numpy
from .errors import GraphError
from .tape import Leaf, Node, Output
from .tensor import Tensor

Kind = Literal["op", "parameter", "leaf", "constant"]
LONGEST = 40  # characters of a static argument: an index may hold a whole array


@dataclass(frozen=True)
class GraphNode:
    """One application of an operation, or one tensor that no operation made."""

    id: int
    kind: Kind
    label: str  # the operation's name, or the leaf's
    tooltip: str = ""  # the first line of the card's docstring: its equation
    shape: tuple[Any, ...] = ()  # of the output; a tuple of shapes if there are several
    dtype: str = ""
    static: tuple[tuple[str, str], ...] = ()  # (("dim", "-1"), ("keepdim", "True")), without the defaults
    saved: tuple[str, ...] = ()  # what the rules ask for: ("y (2, 4)",)
    module: str = ""  # "encoder.lstm", known only while tracing
    line: str = ""  # "model.py:12", known only while tracing
    gradient: str | None = None  # "|g| 0.031", once a backward has run


@dataclass(frozen=True)
class GraphEdge:
    """One input of an operation: output `output_index` of node `source` is what `target` calls `label`."""

    source: int
    target: int
    label: str = ""
    output_index: int = 0


@dataclass(frozen=True)
class Graph:
    """Nodes in the order of their birth, so that every edge points forward; `outputs` are node ids."""

    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    outputs: tuple[int, ...]
    title: str = ""


def trace(*outputs: Tensor, names: Mapping[str, Tensor] | None = None, title: str = "") -> Graph:
    """The graph that `outputs` were computed by.

    `names` says what the leaves are called (`dict(model.named_parameters())` will do); the part of a name
    before its last dot is taken for the module that the leaf lies in.

    GraphError if an output does not require grad.

    >>> import minigrad as mg
    >>> w = mg.ones(3, requires_grad=True)
    >>> graph = trace(mg.tanh(w).sum(), names={"w": w})
    >>> [node.label for node in graph.nodes], [(edge.source, edge.target) for edge in graph.edges]
    (['w', 'tanh', 'sum'], [(0, 1), (1, 2)])
    """
    for position, output in enumerate(outputs):
        if output.node is None:
            raise GraphError(
                f"trace(): output {position} of shape {output.shape} has no graph, expected a tensor that "
                "requires grad; was it computed under no_grad, or from constants only?"
            )
    roots = [output.node for output in outputs if output.node is not None]
    walk = _Walk({tensor.node: name for name, tensor in (names or {}).items() if tensor.node is not None})
    for node in _ancestors(roots):
        walk.visit(node)
    ends = tuple(dict.fromkeys(walk.ids[_call(root)] for root in roots))
    return Graph(tuple(walk.nodes), tuple(walk.edges), ends, title)


def _ancestors(roots: list[Node]) -> list[Node]:
    """Every node that `roots` depend on, oldest first; a loop, for graphs are deeper than Python's stack."""
    seen, stack = set(roots), list(roots)
    while stack:
        for parent in stack.pop().edges:
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return sorted(seen, key=lambda node: node.seq)


def _call(node: Node) -> Node:
    """The call that a node stands for: one of several outputs stands for the call that made them."""
    return node.edges[0] if type(node) is Output else node


class _Walk:
    """The nodes and edges gathered so far, and the number of each call and leaf of the tape."""

    def __init__(self, names: dict[Node, str]) -> None:
        self.names = names
        self.nodes: list[GraphNode] = []
        self.edges: list[GraphEdge] = []
        self.ids: dict[Node, int] = {}
        self.norms: dict[Node, list[str]] = {}  # of the gradients of a call's outputs

    def visit(self, node: Node) -> None:
        """Add a node whose parents have been added: a leaf, a call, or what one output adds to its call."""
        if type(node) is Output:
            self._gather_gradient(node)
        elif isinstance(node, Leaf):
            self.ids[node] = self._add(self._leaf(node))
        else:
            self._call(node)

    def _add(self, node: GraphNode) -> int:
        self.nodes.append(replace(node, id=len(self.nodes)))
        return len(self.nodes) - 1

    def _leaf(self, node: Leaf) -> GraphNode:
        tensor = node.tensor()
        module, _, label = self.names.get(node, node.label).rpartition(".")
        return GraphNode(
            id=0,
            kind="leaf" if tensor is None or type(tensor) is Tensor else "parameter",
            label=label or "leaf",
            shape=node.shape,
            dtype=node.dtype.name,
            module=module,
            gradient=_gradient_text(node, tensor),
        )

    def _call(self, node: Node) -> None:
        op, note = node.plan.op, node.note
        noted = (note.inputs if note else ()) or (None,) * len(node.edges)
        module = note.module if note else ""
        names = _input_names(node)
        sources = [self._source(*source, module) for source in zip(node.edges, noted, names, strict=True)]
        several = isinstance(node.dtype, tuple)
        target = self.ids[node] = self._add(
            GraphNode(
                id=0,
                kind="op",
                label=op.name,
                tooltip=(op.__doc__ or "").strip().partition("\n")[0],
                shape=node.shape,
                dtype=node.dtype[0].name if several else node.dtype.name,
                static=_statics(node),
                saved=_saved(node, names, noted),
                module=module,
                line=note.line if note else "",
                gradient=_gradient_text(node),
            )
        )
        for name, source in zip(names, sources, strict=True):
            if source is not None:
                self.edges.append(replace(source, target=target, label=name))

    def _source(self, parent: Node | None, noted: Any, name: str, module: str) -> GraphEdge | None:
        """The edge that an input comes by; None for an input that is absent, or that nothing is known of."""
        if parent is not None:
            return GraphEdge(self.ids[_call(parent)], 0, output_index=getattr(parent, "index", 0))
        if noted is None or noted == "None":
            return None
        constant = GraphNode(0, "constant", noted if isinstance(noted, str) else name, module=module)
        if not isinstance(noted, str):
            constant = replace(constant, shape=noted[0], dtype=noted[1])
        return GraphEdge(self._add(constant), 0)

    def _gather_gradient(self, output: Output) -> None:
        """A call with several outputs shows a norm for each of them, and a dash for one that was not used."""
        call = output.edges[0]
        norm = _gradient_norm(output)
        if norm is not None:
            norms = self.norms.setdefault(call, ["–"] * len(call.shape))
            norms[output.index] = f"{norm:.3g}"
            number = self.ids[call]
            self.nodes[number] = replace(self.nodes[number], gradient=f"|g| {', '.join(norms)}")


def _input_names(node: Node) -> tuple[str, ...]:
    """What the card calls each input; the inputs of a list go by their number."""
    names: tuple[str, ...] = node.plan.op.inputs
    return names if len(names) == len(node.edges) else tuple(str(i) for i in range(len(node.edges)))


def _statics(node: Node) -> tuple[tuple[str, str], ...]:
    """The static arguments that are not at their defaults, each in at most LONGEST characters."""
    op = node.plan.op
    defaults = {name: repr(value) for name, value in op.defaults.items() if name not in op.required}
    texts = {name: repr(value) for name, value in node.static.items()}
    return tuple(
        (name, text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")
        for name, text in texts.items()
        if text != defaults.get(name)
    )


def _saved(node: Node, names: tuple[str, ...], noted: tuple) -> tuple[str, ...]:
    """The arrays that the rules ask for, with their shapes: also after a backward has let them go."""
    shapes = {"y": node.shape}
    for name, parent, note in zip(names, node.edges, noted, strict=True):
        if parent is not None:
            shapes[name] = parent.shape
        elif isinstance(note, tuple):
            shapes[name] = note[0]
    return tuple(
        f"{name} {shapes[name]}" for name in (*names, "y") if name in shapes and name in node.plan.names
    )


def _gradient_text(node: Node, tensor: Tensor | None = None) -> str | None:
    """The norm of the gradient, if one is known."""
    norm = _gradient_norm(node)
    if norm is None and tensor is not None and tensor.grad is not None:
        values = to_numpy(tensor.grad.array).astype("float64").ravel()
        norm = float(values @ values) ** 0.5
    return None if norm is None else f"|g| {norm:.3g}"


def _gradient_norm(node: Node) -> float | None:
    """The norm of the gradient that last passed here while tracing was on."""
    return None if node.note is None else node.note.gradient
