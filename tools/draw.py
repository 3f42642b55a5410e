"""A computation graph as Graphviz DOT text: values flow along solid edges, gradients back along dashed ones."""

from __future__ import annotations

import html
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

WEIGHTS = {"op": "4", "leaf": "2", "constant": "2", "parameter": "1"}  # ops stay close, a shared parameter is far
LONG = 12  # ops on the longest path: beyond it a picture reads better from left to right


def to_dot(graph: Graph, *, markup: bool = True, legend: bool = True, direction: str | None = None) -> str:
    """DOT text of `graph`, for `dot` and its kin.

    `markup` sets names in bold and details small through HTML-like labels, which Graphviz needs expat for;
    without it the labels are plain lines. `direction` is "TB" or "LR"; by default long graphs go from left to right.

    >>> from minigrad.graph import Graph, GraphNode
    >>> print(to_dot(Graph((GraphNode(0, "leaf", "x"),), (), (0,)), legend=False).splitlines()[0])
    digraph "minigrad" {
    """
    if direction is None:
        direction = "LR" if _depth(graph) > LONG else "TB"
    gradients = any(node.gradient for node in graph.nodes)
    lines = [
        'digraph "minigrad" {',
        f"  graph {_attributes({**GRAPH_STYLE, 'rankdir': direction, 'label': _escape(graph.title)})};",
        f"  node {_attributes(NODE_STYLE)};",
        f"  edge {_attributes(EDGE_STYLE)};",
        *_nodes(graph, markup=markup),
        *_forward_edges(graph),
    ]
    if gradients:
        lines += _backward_edges(graph)
    if legend:
        lines += _legend(graph, gradients=gradients)
    return "\n".join([*lines, "}", ""])


def _depth(graph: Graph) -> int:
    """The number of edges on the longest path; nodes come in the order of their birth."""
    depth = {node.id: 0 for node in graph.nodes}
    for edge in sorted(graph.edges, key=lambda edge: edge.target):
        depth[edge.target] = max(depth[edge.target], depth[edge.source] + 1)
    return max(depth.values(), default=0)


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
    if node.static:
        yield ", ".join(f"{name}={text}" for name, text in node.static)
    yield f"{node.shape} {node.dtype}".rstrip()
    if node.saved:
        yield "keeps " + ", ".join(node.saved)
    if node.gradient:
        yield node.gradient


def _tooltip(node: GraphNode) -> str:
    return "\n".join(text for text in (node.tooltip or node.label, node.module, node.line) if text)


def _forward_edges(graph: Graph) -> Iterator[str]:
    weight = {node.id: WEIGHTS[node.kind] for node in graph.nodes}
    for edge in graph.edges:
        style = {"headlabel": _escape(_edge_label(edge)), "weight": weight[edge.source]}
        yield f"  n{edge.source} -> n{edge.target} {_attributes(style)};"


def _edge_label(edge: GraphEdge) -> str:
    return f" {edge.label} [{edge.output_index}]" if edge.output_index else f" {edge.label}"


def _backward_edges(graph: Graph) -> Iterator[str]:
    """Against every edge that a gradient came along, one in the gradient's colour; and the seed it began with."""
    reached = {node.id for node in graph.nodes if node.gradient}
    for edge in graph.edges:
        if edge.source in reached and edge.target in reached:
            yield f"  n{edge.source} -> n{edge.target} {_attributes(BACKWARD)};"
    for output in graph.outputs:
        if output in reached:
            seed = {"label": "seed", "shape": "plaintext", "class": "seed", "fontcolor": GRADIENT, "fontsize": "10"}
            yield f"  seed{output} {_attributes(seed)};"
            yield f"  n{output} -> seed{output} {_attributes(BACKWARD)};"


def _legend(graph: Graph, *, gradients: bool) -> Iterator[str]:
    """A last row (a last column, from left to right) that says what each shape and each kind of edge means."""
    small = {"fontsize": "9", "height": "0.2", "margin": "0.08,0.03", "class": "legend"}
    entries = {kind: {**STYLES[kind], **small, "label": MEANING[kind]} for kind in _kinds(graph)}
    entries["value"] = {**small, "shape": "plaintext", "fontcolor": FAINT, "label": "solid: values"}
    if gradients:
        entries["gradient"] = {**entries["value"], "fontcolor": GRADIENT, "label": "dashed: gradients"}
    anchors = [f"seed{output}" if gradients else f"n{output}" for output in graph.outputs[:1]]
    yield "  { rank=same;"
    for name, style in entries.items():
        yield f"    legend_{name} {_attributes(style)};"
    yield "  }"
    for anchor in anchors:
        yield f"  {anchor} -> {{ {' '.join(f'legend_{name}' for name in entries)} }} [style=invis weight=0];"


def _kinds(graph: Graph) -> list[str]:
    present = {node.kind for node in graph.nodes}
    return [kind for kind in STYLES if kind in present]


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
