"""What `minigrad bench steps` times: whole training steps, written once for minigrad and for PyTorch.

Only the import differs: `library` is one or the other, and the text is what a user would write.  A step is
forward, cross entropy, backward and Adam; of decoding it is one greedy translation of a batch.

Letters in comments: B batch, S source positions, T target positions, D width, H hidden, V vocabulary.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

Step = Callable[[], Any]


@dataclass(frozen=True)
class Workload:
    """`build(library, **sizes)` gives the step; `small` are the sizes at which it is only tried."""

    title: str
    build: Callable[..., Step]
    sizes: dict[str, Any]
    small: dict[str, Any]
    threads: int | None = None  # None: as many as asked for

    def step(self, library: Any, quick: bool = False) -> Step:
        """A step of this workload, of a new model."""
        library.manual_seed(0)
        return self.build(library, **{**self.sizes, **(self.small if quick else {})})


def classification(library: Any, layers: tuple[int, ...], batch: int) -> Step:
    """An MLP that tells classes apart."""
    nn, parts = library.nn, []
    for inputs, outputs in pairwise(layers):
        parts += [nn.Linear(inputs, outputs), nn.ReLU()]
    model = nn.Sequential(*parts[:-1])
    random = np.random.default_rng(0)
    x = library.tensor(random.standard_normal((batch, layers[0]), dtype=np.float32))  # (B, inputs)
    target = library.tensor(random.integers(0, layers[-1], batch))  # (B,)
    return _training(library, model, lambda: nn.functional.cross_entropy(model(x), target))


def language_model(
    library: Any, cell: str, T: int, batch: int, width: int, layers: int, vocabulary: int
) -> Step:
    """A recurrent language model: embedding, `layers` of a cell, one output for every place."""
    nn = library.nn

    class Model(nn.Module):  # type: ignore[name-defined]  # of either library
        """Token ids (T, B) -> logits (T, B, V)."""

        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(vocabulary, width)
            self.cells = getattr(nn, cell)(width, width, layers)
            self.output = nn.Linear(width, vocabulary)

        def forward(self, tokens: Any) -> Any:
            states, _ = self.cells(self.embedding(tokens))
            return self.output(states)

    model = Model()
    tokens, target = _tokens(library, vocabulary, (T, batch), (T * batch,))
    return _training(
        library, model, lambda: nn.functional.cross_entropy(model(tokens).reshape(-1, vocabulary), target)
    )


def attention_seq2seq(library: Any, score: str, T: int, batch: int, width: int, vocabulary: int) -> Step:
    """A bidirectional LSTM reads, another writes with teacher forcing and attends to every place it read."""
    nn = library.nn

    class Model(nn.Module):  # type: ignore[name-defined]  # of either library
        """Source (S, B) and target (T, B) -> logits (B, T, V)."""

        def __init__(self) -> None:
            super().__init__()
            self.source, self.target = nn.Embedding(vocabulary, width), nn.Embedding(vocabulary, width)
            self.encoder = nn.LSTM(width, width // 2, bidirectional=True)
            self.decoder = nn.LSTM(width, width)
            self.query, self.key = nn.Linear(width, width), nn.Linear(width, width, bias=False)
            self.energy = nn.Linear(width, 1, bias=False)
            self.attentional, self.output = nn.Linear(2 * width, width), nn.Linear(width, vocabulary)

        def scores(self, states: Any, memory: Any) -> Any:
            """(B, T, H) and (B, S, H) -> (B, T, S)"""
            if score == "dot":  # Luong 2015
                return self.query(states) @ memory.transpose(1, 2)
            mixed = self.query(states).unsqueeze(2) + self.key(memory).unsqueeze(1)  # (B, T, S, H)
            return self.energy(mixed.tanh()).squeeze(-1)  # additive: Bahdanau 2015

        def forward(self, source: Any, target: Any) -> Any:
            memory, _ = self.encoder(self.source(source))  # (S, B, H)
            states, _ = self.decoder(self.target(target))  # (T, B, H)
            states, memory = states.transpose(0, 1), memory.transpose(0, 1)
            context = self.scores(states, memory).softmax(2) @ memory  # (B, T, H)
            return self.output(self.attentional(library.cat([context, states], dim=2)).tanh())

    model = Model()
    source, tokens, expected = _tokens(library, vocabulary, (T, batch), (T, batch), (batch * T,))
    return _training(
        library,
        model,
        lambda: nn.functional.cross_entropy(model(source, tokens).reshape(-1, vocabulary), expected),
    )


def _transformer(
    library: Any, T: int, width: int, heads: int, layers: int, ffn: int, vocabulary: int, dropout: float
) -> Any:
    """nn.Transformer between two embeddings with learned positions, and the output layer."""
    nn = library.nn

    class Model(nn.Module):  # type: ignore[name-defined]  # of either library
        """Source (B, S) and target (B, T) -> logits (B, T, V)."""

        def __init__(self) -> None:
            super().__init__()
            self.source, self.target = nn.Embedding(vocabulary, width), nn.Embedding(vocabulary, width)
            self.position = nn.Parameter(library.randn(T, width) * 0.02)
            self.transformer = nn.Transformer(width, heads, layers, layers, ffn, dropout, batch_first=True)
            self.output = nn.Linear(width, vocabulary)

        def forward(self, source: Any, target: Any, mask: Any) -> Any:
            x, y = self.source(source) + self.position, self.target(target) + self.position
            return self.output(self.transformer(x, y, tgt_mask=mask))

    return Model()


def translation(library: Any, T: int, batch: int, vocabulary: int, **sizes: Any) -> Step:
    """A training step of the Transformer."""
    nn = library.nn
    model = _transformer(library, T, vocabulary=vocabulary, **sizes)
    source, tokens, expected = _tokens(library, vocabulary, (batch, T), (batch, T), (batch * T,))
    mask = nn.Transformer.generate_square_subsequent_mask(T)

    def loss() -> Any:
        return nn.functional.cross_entropy(model(source, tokens, mask).reshape(-1, vocabulary), expected)

    return _training(library, model, loss)


def greedy_decoding(library: Any, T: int, batch: int, vocabulary: int, **sizes: Any) -> Step:
    """T tokens for each of B sources, one after the other.

    minigrad's decoder keeps keys and values; nn.TransformerDecoder of PyTorch has no such argument, so there
    every token is computed from the whole beginning, as its users do.
    """
    model = _transformer(library, T, vocabulary=vocabulary, dropout=0.0, **sizes).eval()
    (source,) = _tokens(library, vocabulary, (batch, T))
    first = library.zeros((batch, 1), dtype=library.int64)

    def cached() -> Any:
        memory = model.transformer.encoder(model.source(source) + model.position)
        cache, tokens = model.transformer.decoder.make_cache(), [first]
        for t in range(T):
            y = model.target(tokens[-1]) + model.position[t]
            y = model.transformer.decoder(y, memory, cache=cache)
            tokens.append(model.output(y).argmax(-1))
        return library.cat(tokens, dim=1)

    def uncached() -> Any:
        memory = model.transformer.encoder(model.source(source) + model.position)
        tokens = first
        for t in range(T):
            mask = library.nn.Transformer.generate_square_subsequent_mask(t + 1)
            y = model.target(tokens) + model.position[: t + 1]
            y = model.transformer.decoder(y, memory, tgt_mask=mask)
            tokens = library.cat([tokens, model.output(y[:, -1:]).argmax(-1)], dim=1)
        return tokens

    def decode() -> Any:
        with library.no_grad():
            return (cached if hasattr(model.transformer.decoder, "make_cache") else uncached)()

    return decode


def growing(library: Any, layer: str, T: int, batch: int, width: int, depth: int) -> Step:
    """Forward and backward of layers of one kind on (T, B, D)."""
    nn = library.nn
    random = np.random.default_rng(0)
    x = library.tensor(random.standard_normal((T, batch, width), dtype=np.float32), requires_grad=True)
    if layer == "rnn":
        model = nn.LSTM(width, width, depth)
        return lambda: model(x)[0].sum().backward()
    layers = [nn.MultiheadAttention(width, 4) for _ in range(depth)]

    def run() -> None:
        y = x
        for attention in layers:
            y, _ = attention(y, y, y, need_weights=False)
        y.sum().backward()

    return run


def _tokens(library: Any, vocabulary: int, *shapes: tuple[int, ...]) -> list[Any]:
    """Token ids at random, always the same ones."""
    random = np.random.default_rng(0)
    return [library.tensor(random.integers(0, vocabulary, shape)) for shape in shapes]


def _training(library: Any, model: Any, loss: Callable[[], Any]) -> Step:
    """One training step with Adam, which gives the loss before it."""
    optimizer = library.optim.Adam(model.parameters(), lr=1e-3)

    def step() -> Any:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        return value

    return step


_RECURRENT = {"T": 32, "batch": 32, "width": 256, "layers": 2, "vocabulary": 5000}
_SEQ2SEQ = {"T": 32, "batch": 32, "width": 256, "vocabulary": 5000}
_SMALL = {"T": 3, "batch": 2, "width": 8, "vocabulary": 11}
_D256 = {"T": 32, "batch": 32, "width": 256, "heads": 4, "layers": 3, "ffn": 1024, "vocabulary": 5000}
_BASE = {"T": 64, "batch": 16, "width": 512, "heads": 8, "layers": 6, "ffn": 2048, "vocabulary": 5000}
_TINY = {**_SMALL, "heads": 2, "layers": 1, "ffn": 16}

WORKLOADS: dict[str, Workload] = {
    "mlp": Workload(
        "MLP 784-512-512-10, batch 128", classification,
        {"layers": (784, 512, 512, 10), "batch": 128}, {"layers": (8, 6, 4), "batch": 3},
    ),
    "tiny-mlp": Workload(
        "MLP 64-64-64-10, batch 16", classification,
        {"layers": (64, 64, 64, 10), "batch": 16}, {"layers": (8, 6, 4), "batch": 3}, threads=1,
    ),
    "lstm": Workload("LSTM 2 x 256, T 32", language_model, {"cell": "LSTM", **_RECURRENT}, _SMALL),
    "gru": Workload("GRU 2 x 256, T 32", language_model, {"cell": "GRU", **_RECURRENT}, _SMALL),
    "attention-dot": Workload(
        "seq2seq 256, dot attention", attention_seq2seq, {"score": "dot", **_SEQ2SEQ}, _SMALL
    ),
    "attention-additive": Workload(
        "seq2seq 256, additive attention", attention_seq2seq, {"score": "additive", **_SEQ2SEQ}, _SMALL
    ),
    "transformer": Workload("Transformer 256, 3 + 3", translation, {"dropout": 0.0, **_D256}, _TINY),
    "transformer-dropout": Workload(
        "Transformer 256, dropout 0.1", translation, {"dropout": 0.1, **_D256}, _TINY
    ),
    "transformer-base": Workload(
        "Transformer-base 512, 6 + 6", translation, {"dropout": 0.1, **_BASE}, _TINY
    ),
    "decoding": Workload("greedy decoding, 32 tokens", greedy_decoding, _D256, _TINY),
}  # fmt: skip
