"""A computation graph as Graphviz DOT text: values flow along solid edges, gradients back along dashed ones.

Written by hand, so that DOT needs nothing installed.  https://graphviz.org/doc/info/lang.html
"""

import html
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from unicodedata import category

from minigrad.graph import Graph, GraphEdge, GraphNode

# Told apart by colour-blind readers too (Okabe and Ito 2008, "Color universal design"); shapes say it again.
INK, FAINT, GRADIENT = "#1f2933", "#5f6c7b", "#c44e00"
STYLES: dict[str, str] = {
    "op": 'shape=box style="rounded,filled" fillcolor="#eaf1f8" color="#5b7c99"',
    "parameter": 'shape=cylinder style="filled" fillcolor="#ffd98a" color="#a86a00"',
    "leaf": 'shape=ellipse style="filled" fillcolor="#bfe3f7" color="#0072b2"',
    "constant": 'shape=box style="filled,dashed" fillcolor="#efefef" color="#8a8a8a"',
}
MEANING = {"op": "op", "parameter": "parameter", "leaf": "input", "constant": "constant"}
AGAIN = 'style="filled,dotted"'  # a tensor drawn once more, where it is used again
SMALL = 'class=small fontsize=9 height=0.2 margin="0.08,0.03"'
TEXT = "shape=plaintext " + SMALL
BACKWARD = f'dir=back style=dashed penwidth=0.8 color="{GRADIENT}"'

GRAPH = f'bgcolor=white fontname=Helvetica fontsize=15 fontcolor="{INK}" labelloc=t'
NODE = f'fontname=Helvetica fontsize=12 fontcolor="{INK}" margin="0.13,0.06" height=0.35'
EDGE = f'fontname=Helvetica fontsize=9 fontcolor="{FAINT}" color="{FAINT}" arrowsize=0.6'
CLUSTER = f'style=rounded color="#b8c4ce" fontsize=10 fontcolor="{FAINT}" labeljust=l'

WEIGHTS = {
    "op": 4,
    "leaf": 2,
    "constant": 2,
    "parameter": 1,
}  # ops stay close together, a shared parameter need not
LONG = 12  # edges on the longest path: beyond it a picture reads better from left to right
FEW = 100  # edges: up to here there is room, and time, for their labels in the middle
MANY = 6  # uses of one tensor: beyond it the further ones are drawn apart
WIDTH = 36  # characters on a line of details

# What markup says, for an SVG that was drawn from plain labels, all their lines at PLAIN_SIZE.
PLAIN_SIZE = 10.5
STYLE_SHEET = f"""
.node text {{ font-size: 9px; fill: {FAINT} }}
.node text:first-of-type {{ font-size: 12px; font-weight: bold; fill: {INK} }}
.node.small text:first-of-type {{ font-size: 9px; font-weight: normal }}
.node.reached text:last-of-type, .node.small.backward text:first-of-type {{ fill: {GRADIENT} }}
"""


def to_dot(graph: Graph, *, markup: bool = True, legend: bool = True, direction: str | None = None) -> str:
    """DOT text of `graph`.

    `markup` sets names in bold and details small through HTML-like labels, which Graphviz needs expat for;
    without it the labels are plain lines. `direction` is "TB" or "LR"; by default long graphs go from left to
    right.

    >>> from minigrad.graph import Graph, GraphNode
    >>> print(to_dot(Graph((GraphNode(0, "leaf", "x"),), (), (0,)), legend=False).splitlines()[0])
    digraph minigrad {
    """
    direction = direction or ("LR" if _depth(graph) > LONG else "TB")
    starts = _starts(graph)
    lines = [
        "digraph minigrad {",
        f"  graph [{GRAPH} rankdir={direction} label={_quoted(graph.title)}];",
        f"  node [{NODE}{'' if markup else f' fontsize={PLAIN_SIZE}'}];",
        f"  edge [{EDGE}];",
        *_nodes(_boxes(graph), _statements(graph, starts, markup=markup)),
        *_edges(graph, starts),
        *_seeds(graph),
    ]
    if legend:
        lines += _legend(graph)
    return "\n".join([*lines, "}", ""])


def _depth(graph: Graph) -> int:
    """The number of edges on the longest path; nodes come in the order of their birth."""
    depth = {node.id: 0 for node in graph.nodes}
    for edge in sorted(graph.edges, key=lambda edge: edge.target):
        depth[edge.target] = max(depth[edge.target], depth[edge.source] + 1)
    return max(depth.values(), default=0)


# ------------------------------------------------------------------------------------------------ nodes


@dataclass
class _Box:
    """One call of a module: its own nodes, and the calls that it made."""

    name: str
    nodes: list[GraphNode] = field(default_factory=list)
    boxes: "list[_Box]" = field(default_factory=list)

    def enter(self, name: str) -> "_Box":
        """A new box within this one."""
        self.boxes.append(_Box(name))
        return self.boxes[-1]


def _boxes(graph: Graph) -> _Box:
    """The nodes, in a tree of module calls: "encoder.lstm" is a box within the box "encoder".

    A module that is called again, as a recurrent cell is, gets a box for each call. Leaves go into the first.
    """
    root = _Box("")
    first: dict[tuple[str, ...], _Box] = {(): root}
    opened: dict[tuple[str, ...], _Box] = {
        (): root
    }  # the boxes of the calls that are under way, by their paths
    for node in sorted(graph.nodes, key=lambda node: node.kind in ("leaf", "parameter")):  # these come last
        path = tuple(node.module.split(".")) if node.module else ()
        boxes = first if node.kind in ("leaf", "parameter") else opened
        if node.kind == "op":  # it ends the calls that it does not belong to
            opened = boxes = {known: box for known, box in opened.items() if known == path[: len(known)]}
        for end in range(len(path)):
            inner = path[: end + 1]
            if inner not in boxes:
                boxes[inner] = boxes[path[:end]].enter(path[end])
                first.setdefault(inner, boxes[inner])
        boxes[path].nodes.append(node)
    return root


def _nodes(box: _Box, statements: dict[int, list[str]], number: str = "") -> Iterator[str]:
    """The statements of all nodes, and around each box the lines that open and close it."""
    indent = "  " * (number.count("_") + 1)
    for node in box.nodes:
        yield from (indent + statement for statement in statements[node.id])
    for position, inner in enumerate(box.boxes):
        yield f"{indent}subgraph cluster{number}_{position} {{"
        yield f"{indent}  graph [{CLUSTER} label={_quoted(inner.name)}];"
        yield from _nodes(inner, statements, f"{number}_{position}")
        yield f"{indent}}}"


def _statements(graph: Graph, starts: list[str], *, markup: bool) -> dict[int, list[str]]:
    """For each node its statement, and those of the tensors that are drawn again beside it."""
    nodes = {node.id: node for node in graph.nodes}
    found = {
        node.id: [_node(node, markup=markup, is_output=node.id in graph.outputs)] for node in graph.nodes
    }
    for edge, start in zip(graph.edges, starts, strict=True):
        if start != f"n{edge.source}":
            source = nodes[edge.source]
            style = f"{STYLES[source.kind]} {AGAIN} {SMALL} tooltip={_quoted(_tooltip(source))}"
            found[edge.target].append(f"{start} [label={_quoted(source.label)} {style}];")
    return found


def _node(node: GraphNode, *, markup: bool, is_output: bool) -> str:
    """The statement of one node."""
    label = _markup_label(node) if markup else _plain_label(node)
    names = f"{node.kind} reached" if node.gradient else node.kind
    style = STYLES[node.kind] + (" penwidth=2.2" if is_output else "")
    return f'n{node.id} [label={label} {style} class="{names}" tooltip={_quoted(_tooltip(node))}];'


def _markup_label(node: GraphNode) -> str:
    """The name in bold, the details small below it, the gradient in its colour."""
    label = f"<b>{_in_markup(node.label)}</b>"
    for text in _details(node):
        colour = GRADIENT if text == node.gradient else FAINT
        label += f'<br/><font point-size="9" color="{colour}">{_in_markup(text)}</font>'
    return f"<{label}>"


def _plain_label(node: GraphNode) -> str:
    """The same lines without size or colour; spaces keep room for the larger name of the STYLE_SHEET."""
    room = " " * (len(node.label) // 4)
    return _quoted("\n".join([f"{room}{node.label}{room}", *_details(node)]))


def _details(node: GraphNode) -> Iterator[str]:
    """The lines under a node's name."""
    yield from _wrapped("", [f"{name}={text}" for name, text in node.static])
    if node.dtype:
        several = bool(node.shape) and isinstance(node.shape[0], tuple)
        yield f"{', '.join(map(str, node.shape)) if several else node.shape} {node.dtype}"
    yield from _wrapped("keeps ", list(node.saved))
    if node.gradient:
        yield node.gradient


def _wrapped(opening: str, items: list[str]) -> Iterator[str]:
    """The items behind one another, on lines of about WIDTH characters."""
    line = opening
    for position, item in enumerate(items):
        line += item
        if position == len(items) - 1:
            yield line
        elif len(line) + len(items[position + 1]) > WIDTH:
            yield f"{line},"
            line = ""
        else:
            line += ", "


def _tooltip(node: GraphNode) -> str:
    """What a viewer shows under the pointer: the equation, the module, the user's line."""
    text = "\n".join(text for text in (node.tooltip or node.label, node.module, node.line) if text)
    return text.replace("\\", "\\\\")  # Graphviz reads the escapes of a tooltip twice


# ------------------------------------------------------------------------------------------------ edges


def _starts(graph: Graph) -> list[str]:
    """Where each edge starts: at its source, or where that is drawn again.

    A tensor of more than MANY uses is drawn once, and again in small at each further use: long edges to
    everywhere would hide the graph, and dot takes minutes to lay them out.
    """
    uses = Counter(edge.source for edge in graph.edges)
    met: Counter[int] = Counter()
    starts = []
    for edge in graph.edges:
        met[edge.source] += 1
        again = uses[edge.source] > MANY and met[edge.source] > 1
        starts.append(f"n{edge.source}_{met[edge.source]}" if again else f"n{edge.source}")
    return starts


def _edges(graph: Graph, starts: list[str]) -> Iterator[str]:
    """A solid edge for every value; beside it, where a gradient came back, a dashed one."""
    nodes = {node.id: node for node in graph.nodes}
    place = "label" if len(graph.edges) <= FEW else "headlabel"
    for edge, start in zip(graph.edges, starts, strict=True):
        source = nodes[edge.source]
        label = f"{place}={_quoted(_edge_label(edge, source))}"
        yield f"  {start} -> n{edge.target} [{label} weight={WEIGHTS[source.kind]}];"
        if source.gradient and nodes[edge.target].gradient:
            yield f"  {start} -> n{edge.target} [{BACKWARD}];"


def _edge_label(edge: GraphEdge, source: GraphNode) -> str:
    """The input's name, a little off the line, unless its source says it; which output, unless the first."""
    name = "" if source.kind != "op" and source.label.startswith(edge.label) else f" {edge.label}"
    return f"{name} [{edge.output_index}]" if edge.output_index else name


def _seeds(graph: Graph) -> Iterator[str]:
    """Where the backward began: the gradient of each output with respect to itself."""
    for output in _reached_outputs(graph):
        yield f'  seed{output} [label=seed {TEXT} class="small backward" fontcolor="{GRADIENT}"];'
        yield f"  n{output} -> seed{output} [{BACKWARD}];"


def _reached_outputs(graph: Graph) -> list[int]:
    """The outputs that a gradient was sent back from."""
    reached = {node.id for node in graph.nodes if node.gradient}
    return [output for output in graph.outputs if output in reached]


# ------------------------------------------------------------------------------------------------ the legend


def _legend(graph: Graph) -> Iterator[str]:
    """A last row (from left to right: a column) that says what each shape and each kind of edge means."""
    present: set[str] = {node.kind for node in graph.nodes}
    entries: dict[str, str] = {
        kind: f"label={MEANING[kind]} {STYLES[kind]} {SMALL}" for kind in STYLES if kind in present
    }
    if max(Counter(edge.source for edge in graph.edges).values(), default=0) > MANY:
        entries["again"] = f'label="used again" shape=box {AGAIN} fillcolor=white {SMALL}'
    entries["value"] = f'label="solid: values" {TEXT}'
    last = [f"n{output}" for output in graph.outputs]
    if reached := _reached_outputs(graph):
        entries["gradient"] = (
            f'label="dashed: gradients" {TEXT} class="small backward" fontcolor="{GRADIENT}"'
        )
        last = [f"seed{output}" for output in reached]
    yield "  { rank=same;"
    for name, style in entries.items():
        yield f"    legend_{name} [{style}];"
    yield "  }"
    for anchor in last[:1]:  # invisible edges hold the legend below (behind) the graph
        yield f"  {anchor} -> {{ {' '.join(f'legend_{name}' for name in entries)} }} [style=invis weight=0];"


# ------------------------------------------------------------------------------------------------ quoting


def _printable(text: str) -> str:
    """`text` without the characters that DOT or XML may not hold."""
    return "".join(
        c if c.isprintable() or c == "\n" or category(c) == "Zs" else "\N{REPLACEMENT CHARACTER}"
        for c in text
    )


def _quoted(text: str) -> str:
    r"""`text` as a quoted DOT string, in which nothing is special: no escape, no entity, no record field.

    >>> print(_quoted('a "name" \\ & {x|y}'))
    "a \"name\" \\ &amp; {x|y}"
    """
    text = _printable(text).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    if text.startswith("\n"):
        text = f" {text}"  # Graphviz 16 in WebAssembly trips over an empty first line
    return '"' + text.replace("\n", "\\n") + '"'


def _in_markup(text: str) -> str:
    """`text` inside an HTML-like label, where Graphviz takes no tag for empty."""
    return html.escape(_printable(text)).replace("\n", "<br/>") or " "
