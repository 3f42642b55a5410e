"""Graphs for the tests of the drawings, written by hand: what the tape would give, without the tape."""

from minigrad.graph import Graph, GraphEdge, GraphNode


class Sketch:
    """Nodes and edges, added one by one."""

    def __init__(self, gradients=False):
        self.gradients, self.nodes, self.edges = gradients, [], []

    def add(self, kind, label, shape=(), inputs=(), **details):
        """One node; `inputs` are pairs of (id of the source, name of the input). Returns its id."""
        number = len(self.nodes)
        gradient = f"|g| {1 / (1 + number):.3g}" if self.gradients and kind != "constant" else None
        node = GraphNode(number, kind, label, shape=shape, dtype="float32", gradient=gradient, **details)
        self.nodes.append(node)
        self.edges += [GraphEdge(source, number, name) for source, name in inputs]
        return number

    def graph(self, output, title=""):
        return Graph(tuple(self.nodes), tuple(self.edges), (output,), title)


def perceptron(gradients=False):
    """tanh(x @ w + b).sum()"""
    sketch = Sketch(gradients)
    x, w = sketch.add("leaf", "x", (2, 3)), sketch.add("parameter", "w", (3, 4))
    product = sketch.add("op", "matmul", (2, 4), [(x, "a"), (w, "b")], saved=("a (2, 3)", "b (3, 4)"))
    total = sketch.add("op", "add", (2, 4), [(product, "a"), (sketch.add("parameter", "bias", (4,)), "b")])
    y = sketch.add("op", "tanh", (2, 4), [(total, "x")], tooltip="y = tanh x", saved=("y (2, 4)",))
    return sketch.graph(sketch.add("op", "sum", (), [(y, "x")], static=(("dim", "1"),)), "a perceptron")


def rnn(steps, gradients=False):
    """h' = tanh(h W + x U), so many times, with one W and one U."""
    sketch = Sketch(gradients)
    W, U = (sketch.add("parameter", name, (8, 8), module="rnn.cell") for name in "WU")
    h = sketch.add("leaf", "h0", (2, 8))
    for step in range(1, steps + 1):
        x = sketch.add("constant", f"x{step}", (2, 8))
        parts = [
            sketch.add("op", "matmul", (2, 8), [(value, "a"), (weight, "b")], module="rnn.cell")
            for value, weight in ((h, W), (x, U))
        ]
        total = sketch.add("op", "add", (2, 8), list(zip(parts, "ab", strict=True)), module="rnn.cell")
        h = sketch.add("op", "tanh", (2, 8), [(total, "x")], module="rnn")
    return sketch.graph(h, f"an RNN of {steps} steps")
