"""JAX: functions of a dictionary of arrays, the whole step under `jit`, time by `lax.scan`; Adam by hand.

Letters: B batch, T positions, D width, H heads.
"""

import jax
import jax.numpy as jnp
from jax import lax, nn


def mlp(weights, x, target):
    """An MLP with relu."""
    layers = sorted({name.split(".")[0] for name in weights}, key=int)

    def loss(weights, x, target):
        for layer in layers[:-1]:
            x = nn.relu(linear(weights, layer, x))
        return cross_entropy(linear(weights, layers[-1], x), target)

    return training(weights, loss, x, target)


def lstm(weights, tokens, target, layers):
    """A language model: embedding, layers of an LSTM by `lax.scan`, one output for every place."""

    def loss(weights, tokens, target):
        x = weights["embedding.weight"][tokens]  # (T, B, D)
        for layer in range(layers):
            x = lstm_layer(weights, f"_l{layer}", x)
        return cross_entropy(linear(weights, "output", x).reshape(len(target), -1), target)

    return training(weights, loss, tokens, target)


def lstm_layer(weights, layer, x):
    """(T, B, D) -> the state after each input, (T, B, D)"""
    state_weight = weights["cells.weight_hh" + layer].T
    bias = weights["cells.bias_ih" + layer] + weights["cells.bias_hh" + layer]
    from_input = x @ weights["cells.weight_ih" + layer].T + bias  # (T, B, 4D)

    def step(state, from_input):
        h, c = state
        i, f, g, o = jnp.split(from_input + h @ state_weight, 4, axis=1)
        c = nn.sigmoid(f) * c + nn.sigmoid(i) * jnp.tanh(g)
        h = nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    start = jnp.zeros((x.shape[1], len(state_weight)), x.dtype)
    _, states = lax.scan(step, (start, start), from_input)
    return states


def transformer(weights, source, tokens, target, layers, heads):
    """Encoder and decoder with layer norm after each block, as nn.Transformer has it."""

    def loss(weights, source, tokens, target):
        causal = jnp.tril(jnp.ones((tokens.shape[1], tokens.shape[1]), bool))
        memory = weights["source.weight"][source] + weights["position"]
        for number in range(layers):
            name = f"transformer.encoder.layers.{number}."
            memory = layer_norm(
                weights, name + "norm1", memory + self_attention(weights, name, heads, memory)
            )
            memory = layer_norm(weights, name + "norm2", memory + feed_forward(weights, name, memory))
        memory = layer_norm(weights, "transformer.encoder.norm", memory)
        y = weights["target.weight"][tokens] + weights["position"]
        for number in range(layers):
            name = f"transformer.decoder.layers.{number}."
            y = layer_norm(weights, name + "norm1", y + self_attention(weights, name, heads, y, causal))
            y = layer_norm(weights, name + "norm2", y + cross_attention(weights, name, heads, y, memory))
            y = layer_norm(weights, name + "norm3", y + feed_forward(weights, name, y))
        y = layer_norm(weights, "transformer.decoder.norm", y)
        return cross_entropy(linear(weights, "output", y).reshape(len(target), -1), target)

    return training(weights, loss, source, tokens, target)


def self_attention(weights, name, heads, x, mask=None):
    """(B, T, D) -> (B, T, D), every place looks at those that the mask allows."""
    name += "self_attn."
    q, k, v = jnp.split(x @ weights[name + "in_proj_weight"].T + weights[name + "in_proj_bias"], 3, axis=-1)
    return attention(weights, name, heads, q, k, v, mask)


def cross_attention(weights, name, heads, x, memory):
    """(B, T, D), (B, S, D) -> (B, T, D)"""
    name += "multihead_attn."
    weight, bias = weights[name + "in_proj_weight"], weights[name + "in_proj_bias"]
    width = x.shape[-1]
    k, v = jnp.split(memory @ weight[width:].T + bias[width:], 2, axis=-1)
    return attention(weights, name, heads, x @ weight[:width].T + bias[:width], k, v)


def attention(weights, name, heads, q, k, v, mask=None):
    """jax.nn's attention between the projections."""

    def split(x):
        return x.reshape(*x.shape[:2], heads, -1)  # (B, T, H, D/H)

    mixed = nn.dot_product_attention(split(q), split(k), split(v), mask=mask)
    return linear(weights, name + "out_proj", mixed.reshape(q.shape))


def feed_forward(weights, name, x):
    """Two layers with relu between."""
    return linear(weights, name + "linear2", nn.relu(linear(weights, name + "linear1", x)))


def layer_norm(weights, name, x):
    """Mean 0 and variance 1 over the last dimension, then scaled and moved."""
    x = nn.standardize(x, axis=-1, epsilon=1e-5)
    return x * weights[name + ".weight"] + weights[name + ".bias"]


def linear(weights, name, x):
    """x W' + b"""
    return x @ weights[name + ".weight"].T + weights[name + ".bias"]


def cross_entropy(logits, target):
    """The mean of -log p(target)."""
    chosen = jnp.take_along_axis(logits, target[:, None], axis=1)[:, 0]
    return jnp.mean(nn.logsumexp(logits, axis=1) - chosen)


def training(weights, loss, *data, rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Adam; what the old weights and moments held is given to the new ones."""

    def update(state, *data):
        weights, m, v, count = state
        value, gradients = jax.value_and_grad(loss)(weights, *data)
        count += 1
        m = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, m, gradients)
        v = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, v, gradients)
        weights = jax.tree.map(
            lambda w, m, v: (
                w - rate * (m / (1 - beta1**count)) / (jnp.sqrt(v / (1 - beta2**count)) + epsilon)
            ),
            weights, m, v,
        )  # fmt: skip
        return (weights, m, v, count), value

    compiled = jax.jit(update, donate_argnums=0)
    weights = jax.tree.map(jnp.asarray, weights)
    data = tuple(map(jnp.asarray, data))
    zeros = jax.tree.map(jnp.zeros_like, weights)
    state = (weights, zeros, jax.tree.map(jnp.copy, zeros), jnp.zeros(()))

    def step():
        nonlocal state
        state, value = compiled(state, *data)
        jax.block_until_ready(state)
        return value

    return step
