"""PyDyNet: PyTorch's idiom, layers and optimiser of the library, in float32.

Its LSTM has one bias for each gate: it starts as the sum of the two that the others have.
"""

import numpy as np
import pydynet as pdn
from pydynet import nn
from pydynet.nn import functional as F
from pydynet.optim import Adam


def mlp(weights, x, target):
    """An MLP with relu."""
    layers = sorted({name.split(".")[0] for name in weights}, key=int)
    parts = []
    for layer in layers:
        linear = nn.Linear(*weights[layer + ".weight"].T.shape, dtype=np.float32)
        set_linear(linear, weights, layer)
        parts += [linear, nn.ReLU()]
    model = nn.Sequential(*parts[:-1])
    x = pdn.Tensor(x, dtype=np.float32)
    return training(model, lambda: F.cross_entropy_loss(model(x), pdn.Tensor(target)))


class LanguageModel(nn.Module):
    """Token ids (T, B) -> logits (T*B, V)."""

    def __init__(self, vocabulary, width, layers):
        super().__init__()
        self.width = width
        self.embedding = nn.Embedding(vocabulary, width, dtype=np.float32)
        self.cells = nn.LSTM(width, width, num_layers=layers, dtype=np.float32)
        self.output = nn.Linear(width, vocabulary, dtype=np.float32)

    def forward(self, tokens):
        """The logits of every place."""
        states, _ = self.cells(self.embedding(tokens))
        return self.output(states.reshape(-1, self.width))


def lstm(weights, tokens, target, layers):
    """A language model on the LSTM of the library."""
    vocabulary, width = weights["embedding.weight"].shape
    model = LanguageModel(vocabulary, width, layers)
    model.embedding.weight.data[...] = weights["embedding.weight"]
    set_linear(model.output, weights, "output")
    for number in range(layers):
        set_cell(getattr(model.cells, f"lstm_{number}"), weights, f"_l{number}")
    tokens, target = pdn.Tensor(tokens), pdn.Tensor(target)
    return training(model, lambda: F.cross_entropy_loss(model(tokens), target))


def set_linear(layer, weights, name):
    """Weights of a layer, which keeps them (inputs, outputs)."""
    layer.weight.data[...] = weights[name + ".weight"].T
    layer.bias.data[...] = weights[name + ".bias"]


def set_cell(cell, weights, layer):
    """Weights of a cell, whose gates are in the order f, i, o, g."""

    def reordered(array):
        i, f, g, o = np.split(array, 4)
        return np.concatenate([f, i, o, g])

    cell.Wx.data[...] = reordered(weights["cells.weight_ih" + layer]).T
    cell.Wh.data[...] = reordered(weights["cells.weight_hh" + layer]).T
    bias = weights["cells.bias_ih" + layer] + weights["cells.bias_hh" + layer]
    cell.bias.data[...] = reordered(bias)


def training(model, loss):
    """One training step with Adam."""
    optimizer = Adam(model.parameters(), lr=1e-3)

    def step():
        value = loss()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        return value.item()

    return step
