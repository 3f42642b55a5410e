"""The tape as plain nodes and edges."""

import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import GraphError
from minigrad.graph import GraphEdge, trace
from minigrad.modes import tracing


def leaf(*shape):
    return mg.ones(*shape, requires_grad=True)


def node(graph, label):
    (found,) = [node for node in graph.nodes if node.label == label]
    return found


def perceptron():
    leaves = {"x": leaf(2, 3), "w": leaf(3, 4), "b": leaf(4)}
    return mg.tanh(leaves["x"] @ leaves["w"] + leaves["b"]).sum(), leaves


def test_nodes_are_what_was_computed_in_the_order_of_birth():
    value, leaves = perceptron()
    graph = trace(value, names=leaves, title="a perceptron")
    assert [(n.kind, n.label, n.shape) for n in graph.nodes] == [
        ("leaf", "x", (2, 3)),
        ("leaf", "w", (3, 4)),
        ("leaf", "b", (4,)),
        ("op", "matmul", (2, 4)),
        ("op", "add", (2, 4)),
        ("op", "tanh", (2, 4)),
        ("op", "sum", ()),
    ]
    assert [n.id for n in graph.nodes] == list(range(7))
    assert {n.dtype for n in graph.nodes} == {"float32"}
    assert (graph.outputs, graph.title) == ((6,), "a perceptron")


def test_an_edge_bears_the_name_of_the_input():
    value, leaves = perceptron()
    assert trace(value, names=leaves).edges == (
        GraphEdge(0, 3, "a"),
        GraphEdge(1, 3, "b"),
        GraphEdge(3, 4, "a"),
        GraphEdge(2, 4, "b"),
        GraphEdge(4, 5, "x"),
        GraphEdge(5, 6, "x"),
    )


def test_tracing_twice_gives_the_same_graph():
    value, leaves = perceptron()
    assert trace(value, names=leaves) == trace(value, names=leaves)


def test_the_tooltip_is_the_equation_of_the_card():
    value, _ = perceptron()
    assert node(trace(value), "tanh").tooltip == mg.tanh.__doc__.strip().splitlines()[0]


def test_a_tensor_used_twice_is_one_node_with_two_edges():
    x = leaf(3)
    graph = trace(x * x)
    assert [(n.kind, n.label) for n in graph.nodes] == [("leaf", "leaf"), ("op", "mul")]
    assert graph.edges == (GraphEdge(0, 1, "a"), GraphEdge(0, 1, "b"))


def test_a_weight_shared_by_four_steps_is_one_node_with_four_edges():
    W, h = leaf(3, 3), leaf(2, 3)
    for _ in range(4):
        h = mg.tanh(h @ W)
    graph = trace(h, names={"W": W})
    assert sum(edge.source == node(graph, "W").id for edge in graph.edges) == 4


def test_statics_are_shown_without_the_defaults():
    x = leaf(2, 3)
    assert node(trace(x.sum()), "sum").static == ()
    assert dict(node(trace(x.sum(dim=1, keepdim=True)), "sum").static)["keepdim"] == "True"
    assert dict(node(trace(x.permute(1, 0)), "permute").static) == {"dims": "(1, 0)"}


def test_a_long_static_is_cut():
    x = leaf(100)
    index = mg.arange(100)
    (text,) = (text for name, text in node(trace(x[index]), "getitem").static if name == "index")
    assert len(text) == 40
    assert text.endswith("…")


def test_what_the_rules_ask_for_is_named_with_its_shape_also_after_the_backward():
    value, _ = perceptron()
    before = trace(value)
    assert node(before, "matmul").saved == ("a (2, 3)", "b (3, 4)")
    assert node(before, "tanh").saved == ("y (2, 4)",)
    assert node(before, "add").saved == ()
    value.backward()
    assert [n.saved for n in trace(value).nodes] == [n.saved for n in before.nodes]


def test_names_with_dots_place_a_leaf_in_its_module():
    w = leaf(2)
    (found,) = trace(w, names={"encoder.lstm.weight": w}).nodes
    assert (found.module, found.label) == ("encoder.lstm", "weight")


def test_a_parameter_is_told_from_an_input():
    layer, x = nn.Linear(3, 2), leaf(4, 3)
    graph = trace(layer(x), names={"x": x, **dict(layer.named_parameters())})
    kinds = {n.label: n.kind for n in graph.nodes}
    assert kinds == {"x": "leaf", "weight": "parameter", "bias": "parameter", "linear": "op"}


def test_a_leaf_whose_tensor_is_gone_is_still_drawn():
    assert [n.kind for n in trace(mg.exp(leaf(2))).nodes] == ["leaf", "op"]


def test_constants_modules_and_lines_are_known_while_tracing():
    layer = nn.Linear(3, 2)
    data = mg.ones(4, 3)
    with tracing():
        value = layer(data).sum() * 2.5
    graph = trace(value)
    x = node(graph, "x")
    assert (x.kind, x.shape, x.dtype) == ("constant", (4, 3), "float32")
    assert GraphEdge(x.id, node(graph, "linear").id, "x") in graph.edges
    assert node(graph, "2.5").kind == "constant"
    assert node(graph, "linear").module == "Linear"
    assert node(graph, "linear").line.startswith("test_graph.py:")


def test_without_tracing_constants_are_left_out():
    graph = trace(leaf(3) * 2.5)
    assert [n.label for n in graph.nodes] == ["leaf", "mul"]
    assert all(n.line == n.module == "" for n in graph.nodes)


def test_an_absent_input_has_no_edge():
    x, w = leaf(4, 3), leaf(2, 3)
    with tracing():
        graph = trace(nn.functional.linear(x, w), names={"x": x, "weight": w})
    assert [edge.label for edge in graph.edges] == ["x", "weight"]


def test_an_output_among_several_is_an_edge_with_its_number():
    lstm, x = nn.LSTM(3, 2), leaf(5, 1, 3)
    states, (h, c) = lstm(x)
    graph = trace(states.sum() + c.sum() + h.sum())
    call = node(graph, "lstm")
    assert call.shape == ((5, 1, 2), (1, 2), (1, 2))
    assert sorted(edge.output_index for edge in graph.edges if edge.source == call.id) == [0, 1, 2]


def test_gradients_appear_once_a_backward_has_run():
    x = mg.tensor([3.0, 4.0], requires_grad=True)
    with tracing():
        value = (x * x).sum()
        assert all(n.gradient is None for n in trace(value).nodes)
        value.backward()
    graph = trace(value, names={"x": x})
    assert {n.label: n.gradient for n in graph.nodes} == {"x": "|g| 10", "mul": "|g| 1.41", "sum": "|g| 1"}


def test_the_gradient_of_a_leaf_is_known_without_tracing():
    x = mg.tensor([3.0, 4.0], requires_grad=True)
    value = (x * x).sum()
    value.backward()
    assert [n.gradient for n in trace(value).nodes] == ["|g| 10", None, None]


def test_each_output_of_a_call_has_its_own_gradient():
    lstm, x = nn.LSTM(3, 2), leaf(5, 1, 3)
    with tracing():
        states, (_, c) = lstm(x)
        value = states.sum() + c.sum()
        value.backward()
    assert node(trace(value), "lstm").gradient == "|g| 3.16, –, 1.41"  # √10 and √2 ones


def test_several_outputs_are_marked_each_once():
    x = leaf(3)
    y = mg.tanh(x)
    graph = trace(y, y.sum(), y)
    assert graph.outputs == (1, 2)
    assert trace(x).outputs == (0,)


def test_every_edge_points_forward():
    lstm = nn.LSTM(3, 2, num_layers=2, bidirectional=True)
    graph = trace(lstm(leaf(5, 1, 3))[0].sum())
    assert all(edge.source < edge.target for edge in graph.edges)


def test_a_deep_graph_is_walked_without_recursion():
    value = x = leaf(1)
    for _ in range(20_000):
        value = value + x
    assert len(trace(value).nodes) == 20_001


def test_an_output_without_a_graph_is_refused():
    with pytest.raises(GraphError, match=r"output 1 of shape \(2,\) has no graph.*requires grad"):
        trace(leaf(2), mg.ones(2))


def test_a_backward_that_was_traced_alone_does_not_hinder_the_graph():
    x = mg.ones(3, requires_grad=True)
    y = mg.tanh(x).sum()
    with tracing():
        y.backward()
    assert [node.label for node in trace(y).nodes] == ["leaf", "tanh", "sum"]
