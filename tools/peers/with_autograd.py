"""HIPS autograd: functions of a dictionary of arrays, differentiated by `value_and_grad`; Adam by hand."""

import autograd.numpy as np
from autograd import value_and_grad
from autograd.scipy.special import logsumexp


def mlp(weights, x, target):
    """An MLP with relu."""
    layers = sorted({name.split(".")[0] for name in weights}, key=int)

    def loss(weights):
        y = x
        for number, layer in enumerate(layers):
            y = y if number == 0 else np.maximum(y, 0)
            y = np.dot(y, weights[layer + ".weight"].T) + weights[layer + ".bias"]
        return cross_entropy(y, target)

    return training(weights, loss)


def lstm(weights, tokens, target, layers):
    """A language model: embedding, layers of an LSTM step by step, one output for every place."""

    def loss(weights):
        embedded = weights["embedding.weight"][tokens]  # (T, B, D)
        inputs = [embedded[t] for t in range(len(tokens))]
        for layer in range(layers):
            inputs = lstm_layer(weights, f"_l{layer}", inputs)
        states = np.concatenate(inputs)  # (T*B, H)
        return cross_entropy(np.dot(states, weights["output.weight"].T) + weights["output.bias"], target)

    return training(weights, loss)


def lstm_layer(weights, layer, inputs):
    """The state after each input."""
    input_weight, state_weight = weights["cells.weight_ih" + layer].T, weights["cells.weight_hh" + layer].T
    bias = weights["cells.bias_ih" + layer] + weights["cells.bias_hh" + layer]
    h = c = np.zeros((len(inputs[0]), len(state_weight)), dtype="float32")
    states = []
    for x in inputs:
        gates = np.dot(x, input_weight) + np.dot(h, state_weight) + bias
        i, f, g, o = np.split(gates, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return states


def sigmoid(x):
    """As the examples of autograd write it."""
    return 0.5 * (np.tanh(0.5 * x) + 1)


def cross_entropy(logits, target):
    """The mean of -log p(target)."""
    return np.mean(logsumexp(logits, axis=1) - logits[np.arange(len(target)), target])


def training(weights, loss, rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Adam, in place."""
    value_and_gradient = value_and_grad(loss)
    m = {name: np.zeros_like(weight) for name, weight in weights.items()}
    v = {name: np.zeros_like(weight) for name, weight in weights.items()}
    count = 0

    def step():
        nonlocal count
        count += 1
        value, gradients = value_and_gradient(weights)
        for name, g in gradients.items():
            m[name] += (1 - beta1) * (g - m[name])
            v[name] += (1 - beta2) * (g * g - v[name])
            scale = np.sqrt(v[name] / (1 - beta2**count)) + epsilon
            weights[name] -= rate / (1 - beta1**count) * m[name] / scale
        return value

    return step
