"""MyGrad: tensors with NumPy's functions, layers from `mygrad.nnet`; it has no optimiser: Adam by hand."""

import mygrad as mg
import numpy as np
from mygrad.nnet.activations import relu, sigmoid
from mygrad.nnet.losses import softmax_crossentropy


def mlp(weights, x, target):
    """An MLP with relu."""
    tensors = {name: mg.tensor(weight) for name, weight in weights.items()}
    layers = sorted({name.split(".")[0] for name in weights}, key=int)

    def loss():
        y = mg.tensor(x, constant=True)
        for number, layer in enumerate(layers):
            y = y if number == 0 else relu(y)
            y = mg.matmul(y, tensors[layer + ".weight"].T) + tensors[layer + ".bias"]
        return softmax_crossentropy(y, target)

    return training(tensors, loss)


def lstm(weights, tokens, target, layers):
    """A language model: embedding, layers of an LSTM step by step, one output for every place."""
    tensors = {name: mg.tensor(weight) for name, weight in weights.items()}

    def loss():
        inputs = [tensors["embedding.weight"][now] for now in tokens]
        for layer in range(layers):
            inputs = lstm_layer(tensors, f"_l{layer}", inputs)
        states = mg.concatenate(inputs)  # (T*B, H)
        logits = mg.matmul(states, tensors["output.weight"].T) + tensors["output.bias"]
        return softmax_crossentropy(logits, target)

    return training(tensors, loss)


def lstm_layer(tensors, layer, inputs):
    """The state after each input."""
    input_weight, state_weight = tensors["cells.weight_ih" + layer].T, tensors["cells.weight_hh" + layer].T
    bias = tensors["cells.bias_ih" + layer] + tensors["cells.bias_hh" + layer]
    width = state_weight.shape[0]
    h = c = mg.zeros((len(inputs[0]), width), dtype="float32", constant=True)
    states = []
    for x in inputs:
        gates = mg.matmul(x, input_weight) + mg.matmul(h, state_weight) + bias
        i, f, g, o = (gates[:, gate * width : (gate + 1) * width] for gate in range(4))
        c = sigmoid(f) * c + sigmoid(i) * mg.tanh(g)
        h = sigmoid(o) * mg.tanh(c)
        states.append(h)
    return states


def training(tensors, loss, rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Adam, in place."""
    m = {name: np.zeros_like(tensor.data) for name, tensor in tensors.items()}
    v = {name: np.zeros_like(tensor.data) for name, tensor in tensors.items()}
    count = 0

    def step():
        nonlocal count
        count += 1
        value = loss()
        value.backward()
        for name, tensor in tensors.items():
            g = tensor.grad
            m[name] += (1 - beta1) * (g - m[name])
            v[name] += (1 - beta2) * (g * g - v[name])
            scale = np.sqrt(v[name] / (1 - beta2**count)) + epsilon
            tensor.data -= rate / (1 - beta1**count) * m[name] / scale
            tensor.null_grad()
        return value.item()

    return step
