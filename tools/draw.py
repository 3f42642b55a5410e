"""A computation graph as Graphviz DOT text: values flow along solid edges, gradients back along dashed ones."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator

from minigrad.graph import Graph, GraphEdge, GraphNode

# Okabe and Ito (2008), "Color universal design": told apart by colour-blind readers; shapes say the same again.
INK, FAINT, GRADIENT = "#1f2933", "#5f6c7b", "#c44e00"
STYLES = {
    "op": {"shape": "box", "style": "rounded,filled", "fillcolor": "#eaf1f8", "color": "#5b7c99"},
    "parameter": {"shape": "cylinder", "style": "filled", "fillcolor": "#ffd98a", "color": "#a86a00"},
    "leaf": {"shape": "ellipse", "style": "filled", "fillcolor": "#bfe3f7", "color": "#0072b2"},
    "constant": {"shape": "box", "style": "filled,dashed", "fillcolor": "#efefef", "color": "#8a8a8a"},
}
MEANING = {"op": "op", "parameter": "parameter", "leaf": "input", "constant": "constant"}

GRAPH_STYLE = {"bgcolor": "white", "fontname": "Helvetica", "fontsize": "15", "fontcolor": INK, "labelloc": "t"}
NODE_STYLE = {"fontname": "Helvetica", "fontsize": "12", "fontcolor": INK, "margin": "0.13,0.06", "height": "0.35"}
EDGE_STYLE = {"fontname": "Helvetica", "fontsize": "9", "fontcolor": FAINT, "color": FAINT, "arrowsize": "0.6", "labeldistance": "1.4"}
BACKWARD = {"dir": "back", "style": "dashed", "color": GRADIENT, "fontcolor": GRADIENT, "penwidth": "0.8"}
CLUSTER_STYLE = {"style": "rounded", "color": "#b8c4ce", "fontsize": "10", "fontcolor": FAINT, "labeljust": "l"}

SMALL = {"fontsize": "9", "height": "0.2", "margin": "0.08,0.03", "class": "small"}
WEIGHTS = {"op": "4", "leaf": "2", "constant": "2", "parameter": "1"}  # ops stay close, a shared parameter is far
LONG = 12  # edges on the longest path: beyond it a picture reads better from left to right
FEW = 60  # edges: up to here there is room, and time, for their labels in the middle
MANY = 6  # uses of one tensor: beyond it the further ones are drawn apart
WIDTH = 36  # characters on a line of details


def to_dot(graph: Graph, *, markup: bool = True, legend: bool = True, direction: str | None = None) -> str:
    """DOT text of `graph`, for `dot` and its kin.

    `markup` sets names in bold and details small through HTML-like labels, which Graphviz needs expat for;
    without it the labels are plain lines. `direction` is "TB" or "LR"; by default long graphs go from left to right.

    >>> from minigrad.graph import Graph, GraphNode
    >>> print(to_dot(Graph((GraphNode(0, "leaf", "x"),), (), (0,)), legend=False).splitlines()[0])
    digraph "minigrad" {
    """
    direction = direction or ("LR" if _depth(graph) > LONG else "TB")
    graph_style = {**GRAPH_STYLE, "rankdir": direction, "label": _escape(graph.title)}
    lines = [
        'digraph "minigrad" {',
        f"  graph {_attributes(graph_style)};",
        f"  node {_attributes(NODE_STYLE)};",
        f"  edge {_attributes(EDGE_STYLE)};",
        *_nodes(graph, markup=markup),
        *_edges(graph),
    ]
    if _has_gradients(graph):
        lines += _seeds(graph)
    if legend:
        lines += _legend(graph)
    return "\n".join([*lines, "}", ""])


def _depth(graph: Graph) -> int:
    """The number of edges on the longest path; nodes come in the order of their birth."""
    depth = {node.id: 0 for node in graph.nodes}
    for edge in sorted(graph.edges, key=lambda edge: edge.target):
        depth[edge.target] = max(depth[edge.target], depth[edge.source] + 1)
    return max(depth.values(), default=0)


def _has_gradients(graph: Graph) -> bool:
    return any(node.gradient for node in graph.nodes)


# ---------------------------------------------------------------------------------------------- nodes


def _nodes(graph: Graph, *, markup: bool) -> Iterator[str]:
    """Every node inside the clusters of its module path: "encoder.lstm" is a box within the box "encoder"."""
    folders: dict[tuple[str, ...], list[GraphNode]] = {(): []}
    for node in graph.nodes:
        path = tuple(node.module.split(".")) if node.module else ()
        for end in range(len(path) + 1):
            folders.setdefault(path[:end], [])
        folders[path].append(node)
    opened: tuple[str, ...] = ()
    for path in sorted(folders):
        while opened != path[: len(opened)]:
            yield "  " * len(opened) + "}"
            opened = opened[:-1]
        if path:
            yield "  " * len(path) + f'subgraph "cluster_{_escape(".".join(path))}" {{'
            style = {**CLUSTER_STYLE, "label": _escape(path[-1])}
            yield "  " * (len(path) + 1) + f"graph {_attributes(style)};"
            opened = path
        for node in folders[path]:
            yield "  " * (len(path) + 1) + _node(node, markup=markup, is_output=node.id in graph.outputs)
    for depth in range(len(opened), 0, -1):
        yield "  " * depth + "}"


def _node(node: GraphNode, *, markup: bool, is_output: bool) -> str:
    names = f"{node.kind} reached" if node.gradient else node.kind
    style = {**STYLES[node.kind], "class": names, "tooltip": _escape(_tooltip(node))}
    if is_output:
        style["penwidth"] = "2.2"
    details = list(_details(node))
    if markup:
        label = f"<b>{_markup(node.label)}</b>" + "".join(
            f'<br/><font point-size="9" color="{GRADIENT if text == node.gradient else FAINT}">{_markup(text)}</font>'
            for text in details
        )
        return f"n{node.id} [label=<{label}> {_attributes(style)[1:]};"
    plain = _escape("\n".join([node.label, *details]))
    return f"n{node.id} {_attributes({'label': plain, **style})};"


def _details(node: GraphNode) -> Iterator[str]:
    """The small lines under a node's name."""
    yield from _wrapped("", [f"{name}={text}" for name, text in node.static])
    if node.dtype:
        several = bool(node.shape) and isinstance(node.shape[0], tuple)
        shape = ", ".join(map(str, node.shape)) if several else str(node.shape)
        yield f"{shape} {node.dtype}"
    yield from _wrapped("keeps ", list(node.saved))
    if node.gradient:
        yield node.gradient


def _wrapped(opening: str, items: list[str]) -> Iterator[str]:
    """The items behind one another, on lines of about WIDTH characters."""
    line = opening
    for position, item in enumerate(items):
        last = position == len(items) - 1
        line += item if last else f"{item}, "
        if last or len(line) + len(items[position + 1]) > WIDTH:
            yield line.rstrip()
            line = ""


def _tooltip(node: GraphNode) -> str:
    return "\n".join(text for text in (node.tooltip or node.label, node.module, node.line) if text)


# ---------------------------------------------------------------------------------------------- edges


def _edges(graph: Graph) -> Iterator[str]:
    """A solid edge for every value; against it, where a gradient came back, a dashed one.

    A tensor with MANY uses is drawn once, and again in small at each further use: long edges to everywhere would hide
    the graph, and dot takes minutes to lay them out.
    """
    nodes = {node.id: node for node in graph.nodes}
    uses = Counter(edge.source for edge in graph.edges)
    met: Counter[int] = Counter()
    place = "label" if len(graph.edges) <= FEW else "headlabel"
    for edge in graph.edges:
        source = nodes[edge.source]
        met[source.id] += 1
        start = f"n{source.id}"
        if uses[source.id] > MANY and met[source.id] > 1:
            start = f"n{source.id}_{met[source.id]}"
            yield f"  {start} {_attributes(_again(source))};"
        style = {place: _escape(_edge_label(edge)), "weight": WEIGHTS[source.kind]}
        yield f"  {start} -> n{edge.target} {_attributes(style)};"
        if source.gradient and nodes[edge.target].gradient:
            yield f"  {start} -> n{edge.target} {_attributes(BACKWARD)};"


def _again(node: GraphNode) -> dict[str, str]:
    """How a tensor looks where it is used again."""
    style = {**STYLES[node.kind], **SMALL, "label": _escape(node.label), "tooltip": _escape(_tooltip(node))}
    return {**style, "style": f"{style['style']},dotted"}


def _edge_label(edge: GraphEdge) -> str:
    return f" {edge.label} [{edge.output_index}]" if edge.output_index else f" {edge.label}"


def _seeds(graph: Graph) -> Iterator[str]:
    """Where the backward began: the gradient of each output with respect to itself."""
    seed = {"label": "seed", "shape": "plaintext", "class": "seed", "fontcolor": GRADIENT, "fontsize": "10"}
    for output in _reached_outputs(graph):
        yield f"  seed{output} {_attributes(seed)};"
        yield f"  n{output} -> seed{output} {_attributes(BACKWARD)};"


def _reached_outputs(graph: Graph) -> list[int]:
    reached = {node.id for node in graph.nodes if node.gradient}
    return [output for output in graph.outputs if output in reached]


# ---------------------------------------------------------------------------------------------- the legend


def _legend(graph: Graph) -> Iterator[str]:
    """A last row (a last column, from left to right) that says what each shape and each kind of edge means."""
    present = {node.kind for node in graph.nodes}
    entries = {kind: {**STYLES[kind], **SMALL, "label": MEANING[kind]} for kind in STYLES if kind in present}
    if max(Counter(edge.source for edge in graph.edges).values(), default=0) > MANY:
        entries["again"] = {**SMALL, "shape": "box", "style": "rounded,dotted", "label": "used again"}
    entries["value"] = {**SMALL, "shape": "plaintext", "fontcolor": FAINT, "label": "solid: values"}
    if _has_gradients(graph):
        entries["gradient"] = {**entries["value"], "fontcolor": GRADIENT, "label": "dashed: gradients"}
    yield "  { rank=same;"
    for name, style in entries.items():
        yield f"    legend_{name} {_attributes(style)};"
    yield "  }"
    last = [f"seed{output}" for output in _reached_outputs(graph)] or [f"n{output}" for output in graph.outputs]
    for anchor in last[:1]:  # invisible edges hold the legend below (behind) the graph
        yield f"  {anchor} -> {{ {' '.join(f'legend_{name}' for name in entries)} }} [style=invis weight=0];"


# ---------------------------------------------------------------------------------------------- DOT


def _attributes(values: dict[str, str]) -> str:
    return "[" + " ".join(f'{name}="{text}"' for name, text in values.items()) + "]"


def _printable(text: str) -> str:
    """`text` without characters that neither DOT nor XML may hold."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def _escape(text: str) -> str:
    """`text` as the inside of a quoted DOT string in which nothing is special.

    >>> print(_escape('a "quoted" back\\\\slash & {record|field}'))
    a \\"quoted\\" back\\\\slash &amp; {record|field}
    """
    text = _printable(text).replace("&", "&amp;")
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _markup(text: str) -> str:
    """`text` inside an HTML-like label."""
    return html.escape(_printable(text)).replace("\n", "<br/>")
