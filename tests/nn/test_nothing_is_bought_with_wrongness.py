"""What makes training fast changes no number: kernels train as their definitions do, threads as one alone."""

import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, ops
from minigrad.fused import Fused
from minigrad.nn import functional as F

FUSED = {name: op for name, op in vars(ops).items() if isinstance(op, Fused)}
VOCABULARY, T, B, H = 11, 5, 3, 8


class Tagger(nn.Module):
    """Embedding, LSTM, GRU, self-attention, layer norm, GELU, output: most fused operations in one model."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, H)
        self.lstm, self.gru = nn.LSTM(H, H), nn.GRU(H, H)
        self.attention = nn.MultiheadAttention(H, 2)
        self.norm, self.middle, self.output = nn.LayerNorm(H), nn.Linear(H, H), nn.Linear(H, VOCABULARY)

    def forward(self, tokens):
        x, _ = self.gru(self.lstm(self.embedding(tokens))[0])
        x = self.norm(x + self.attention(x, x, x, need_weights=False)[0])
        return self.output(F.gelu(self.middle(x)))


OPTIMISERS = {
    "Adam": lambda parameters: mg.optim.Adam(parameters, lr=3e-3),
    "SGD": lambda parameters: mg.optim.SGD(parameters, lr=0.05),
}


def losses(steps, seed=0, optimiser="Adam", dtype="float32"):
    """The loss before each of so many steps."""
    random = np.random.default_rng(seed)
    model = weights_from(seed).to(dtype)
    optimizer = OPTIMISERS[optimiser](model.parameters())
    tokens = mg.tensor(random.integers(0, VOCABULARY, (T, B)))
    target = mg.tensor(random.integers(0, VOCABULARY, T * B))
    found = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(tokens).reshape(-1, VOCABULARY), target)
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


def weights_from(seed):
    """A model whose weights follow from a generator of its own, so that threads do not share one."""
    model = Tagger()
    random = np.random.default_rng(seed)
    with mg.no_grad():
        for parameter in model.parameters():
            parameter.copy_(mg.tensor(random.uniform(-0.4, 0.4, parameter.shape).astype("float32")))
    return model


# Adam divides by the size of a gradient, and so lets a rounding of a small one grow: in float64 it shows that
# the two ways are one; in float32, gradient descent does.
@pytest.mark.parametrize(
    ("optimiser", "dtype", "rtol"), [("Adam", "float64", 1e-9), ("SGD", "float32", 1e-4)]
)
def test_over_200_steps_kernels_train_as_their_definitions_do(optimiser, dtype, rtol, monkeypatch):
    expected, called = losses(200, 0, optimiser, dtype), set()

    def by_definition(name, op):
        def run(*args, **static):
            called.add(name)
            return op.definition(*args, **static)

        run.fast = run
        return run

    for name, op in FUSED.items():
        monkeypatch.setattr(ops, name, by_definition(name, op))
    found = losses(200, 0, optimiser, dtype)
    assert {"lstm", "gru", "layer_norm", "linear", "cross_entropy", "scaled_dot_product_attention"} <= called
    assert expected[-1] < 0.95 * expected[0]
    np.testing.assert_allclose(found, expected, rtol=rtol)


def test_two_threads_train_two_models_as_one_thread_does_one_after_the_other():
    alone = {seed: losses(40, seed) for seed in (1, 2)}
    together = {}
    threads = [
        threading.Thread(target=lambda seed=seed: together.update({seed: losses(40, seed)})) for seed in alone
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


@pytest.mark.parametrize("again", range(2))
def test_the_same_seed_gives_the_same_losses_to_the_last_bit(again):
    assert losses(20, 3) == losses(20, 3), again
