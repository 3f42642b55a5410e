"""What `bench steps` times: whole training steps, written once for minigrad and for PyTorch.

Only the import differs: `library` is one or the other.  A step is forward, loss, backward and Adam.

Letters in comments: B batch, S source positions, T target positions, E embedding, H hidden, V vocabulary.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

# One size for everything that a step of the date model has: those of `minigrad train dates`.
B, S, T, E, H = 64, 20, 11, 64, 128
SOURCES, TARGETS = 105, 15  # characters


def mlp(library: Any, *sizes: int) -> Any:
    """Layers from one size to the next with a ReLU between two."""
    nn, layers = library.nn, []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def classification(library: Any, sizes: tuple[int, ...], batch: int) -> Callable[[], Any]:
    """A step of an MLP that tells classes apart."""
    random = np.random.default_rng(0)
    model = mlp(library, *sizes)
    x = library.tensor(random.standard_normal((batch, sizes[0]), dtype=np.float32))  # (B, inputs)
    target = library.tensor(random.integers(0, sizes[-1], batch))  # (B,)
    return _step(library, model, lambda: library.nn.functional.cross_entropy(model(x), target))


def translation(library: Any) -> Callable[[], Any]:
    """A step of the attention seq2seq that reads dates: dot score, bidirectional encoder, teacher forcing."""
    nn = library.nn
    random = np.random.default_rng(0)
    source = library.tensor(random.integers(4, SOURCES, (S, B)))
    target = library.tensor(random.integers(4, TARGETS, (T + 1, B)))

    class Translator(nn.Module):  # type: ignore[name-defined]  # of either library
        """The equations of minigrad.models.AttentionSeq2Seq for sources of one length."""

        def __init__(self) -> None:
            super().__init__()
            self.source_embedding, self.target_embedding = nn.Embedding(SOURCES, E), nn.Embedding(TARGETS, E)
            self.encoder, self.decoder = nn.LSTM(E, H // 2, bidirectional=True), nn.LSTM(E, H)
            self.first_h, self.first_c = nn.Linear(H, H), nn.Linear(H, H)
            self.attentional, self.output = nn.Linear(2 * H, H), nn.Linear(H, TARGETS)

        def forward(self, source: Any, target: Any) -> Any:
            memory, (h, c) = self.encoder(self.source_embedding(source))  # (S, B, H), (2, B, H/2)
            h = self.first_h(library.cat([h[0], h[1]], dim=1)).tanh().unsqueeze(0)  # (1, B, H)
            c = self.first_c(library.cat([c[0], c[1]], dim=1)).unsqueeze(0)
            states, _ = self.decoder(self.target_embedding(target), (h, c))  # (T, B, H)
            states, memory = states.transpose(0, 1), memory.transpose(0, 1)  # (B, T, H), (B, S, H)
            weights = (states @ memory.transpose(1, 2)).softmax(2)  # (B, T, S)
            context = weights @ memory  # (B, T, H)
            return self.output(self.attentional(library.cat([context, states], dim=2)).tanh())  # (B, T, V)

    model = Translator()
    tokens, expected = target[:-1], target[1:].transpose(0, 1).reshape(-1)  # (T, B), (B T,)

    def loss() -> Any:
        logits = model(source, tokens).reshape(-1, TARGETS)  # (B T, V)
        return nn.functional.cross_entropy(logits, expected)

    return _step(library, model, loss)


def _step(library: Any, model: Any, loss: Callable[[], Any]) -> Callable[[], Any]:
    """One training step with Adam, which gives the loss before it."""
    optimizer = library.optim.Adam(model.parameters(), lr=1e-3)

    def step() -> Any:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        return value

    return step


WORKLOADS: dict[str, Callable[[Any], Callable[[], Any]]] = {
    "MLP 784-512-512-10, batch 128": lambda library: classification(library, (784, 512, 512, 10), 128),
    "MLP 64-64-64-10, batch 16": lambda library: classification(library, (64, 64, 64, 10), 16),
    "attention seq2seq 128, batch 64": translation,
}
