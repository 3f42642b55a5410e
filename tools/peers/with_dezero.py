"""DeZero: models of layers, steps of an LSTM one by one, the optimiser of the library.

The library has one bias for each gate: it starts as the sum of the two that the others have.
"""

import numpy as np

np.int = int  # type: ignore[attr-defined]  # version 0.0.13 writes it, and NumPy from 1.24 on has no such name

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero.models import MLP
from dezero.optimizers import Adam


def mlp(weights, x, target):
    """The library's own MLP, with relu."""
    layers = sorted({name.split(".")[0] for name in weights}, key=int)
    model = MLP([len(weights[layer + ".bias"]) for layer in layers], activation=F.relu)
    for layer, own in zip(layers, model.layers, strict=True):
        set_linear(own, weights[layer + ".weight"], weights[layer + ".bias"])
    return training(model, lambda: F.softmax_cross_entropy(model(x), target))


class LanguageModel(dezero.Model):
    """Token ids of one place -> logits; the state is kept in the layers."""

    def __init__(self, vocabulary, width, layers):
        super().__init__()
        self.embedding = L.EmbedID(vocabulary, width)
        self.cells = [L.LSTM(width, width) for _ in range(layers)]
        for number, cell in enumerate(self.cells):
            setattr(self, f"cell{number}", cell)
        self.output = L.Linear(vocabulary, in_size=width)

    def reset_state(self):
        """Forget the sentence."""
        for cell in self.cells:
            cell.reset_state()

    def forward(self, tokens):
        """(B,) -> (B, V)"""
        x = self.embedding(tokens)
        for cell in self.cells:
            x = cell(x)
        return self.output(x)


def lstm(weights, tokens, target, layers):
    """A language model, one place after the other, the losses added up."""
    vocabulary, width = weights["embedding.weight"].shape
    model = LanguageModel(vocabulary, width, layers)
    model.embedding.W.data = weights["embedding.weight"].copy()
    set_linear(model.output, weights["output.weight"], weights["output.bias"])
    for number, cell in enumerate(model.cells):
        set_cell(cell, weights, f"_l{number}")
    targets = target.reshape(tokens.shape)

    def loss():
        model.reset_state()
        total = 0
        for now, following in zip(tokens, targets, strict=True):
            total += F.softmax_cross_entropy(model(now), following)
        return total / np.float32(len(tokens))

    return training(model, loss)


def set_linear(layer, weight, bias=None):
    """Weights of a layer, which keeps them (inputs, outputs)."""
    layer.W.data = np.ascontiguousarray(weight.T)
    if bias is not None:
        layer.b.data = bias.copy()


def set_cell(cell, weights, layer):
    """Weights of a cell, whose gates are layers of their own."""
    bias = weights["cells.bias_ih" + layer] + weights["cells.bias_hh" + layer]
    of_input, of_state = weights["cells.weight_ih" + layer], weights["cells.weight_hh" + layer]
    for gate, name in enumerate("ifuo"):  # u is what others call g
        part = slice(gate * len(bias) // 4, (gate + 1) * len(bias) // 4)
        set_linear(getattr(cell, "x2" + name), of_input[part], bias[part])
        set_linear(getattr(cell, "h2" + name), of_state[part])


def training(model, loss):
    """One training step with Adam."""
    optimizer = Adam().setup(model)

    def step():
        value = loss()
        model.cleargrads()
        value.backward()
        optimizer.update()
        return value.data

    return step
