"""What `minigrad bench steps` times: whole training steps, written once for minigrad and for PyTorch.

Only the import differs: `library` is one or the other, and the text is what a user would write.  A step is
forward, cross entropy, backward and Adam; of decoding it is one greedy translation of a batch.

Letters in comments: B batch, S source positions, T target positions, D width, H hidden, V vocabulary.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

Step = Callable[[], Any]


@dataclass(frozen=True)
class Workload:
    """`build(library, device, **sizes)` gives the step; `small` are the sizes at which it is only tried."""

    title: str
    build: Callable[..., Step]
    sizes: dict[str, Any]
    small: dict[str, Any]
    threads: int | None = None  # None: as many as asked for

    def sizes_of(self, quick: bool) -> dict[str, Any]:
        """The sizes at which it is measured, or only tried."""
        return {**self.sizes, **(self.small if quick else {})}

    def step(self, library: Any, quick: bool = False, device: str = "cpu") -> Step:
        """A step of this workload, of a new model."""
        library.manual_seed(0)
        return self.build(library, device, **self.sizes_of(quick))


@dataclass
class Training:
    """One training step with Adam: called, it does the step and gives the loss before it."""

    model: Any
    optimizer: Any
    loss: Step
    data: dict[str, Any] = field(default_factory=dict)

    def __call__(self) -> Any:
        """The loss before the step."""
        self.optimizer.zero_grad()
        value = self.loss()
        value.backward()
        self.optimizer.step()
        return value

    def arrays(self) -> dict[str, Any]:
        """Weights ("w:...") and data ("d:...") as NumPy's arrays, for a peer that is to do the same step."""
        weights = {f"w:{name}": weight.numpy().copy() for name, weight in self.model.state_dict().items()}
        return {**weights, **{f"d:{name}": tensor.numpy() for name, tensor in self.data.items()}}


def classification(library: Any, device: str, layers: tuple[int, ...], batch: int) -> Step:
    """An MLP that tells classes apart."""
    nn, parts = library.nn, []
    for incoming, outgoing in pairwise(layers):
        parts += [nn.Linear(incoming, outgoing), nn.ReLU()]
    model = nn.Sequential(*parts[:-1])
    random = np.random.default_rng(0)
    inputs = random.standard_normal((batch, layers[0]), dtype=np.float32)
    x = library.tensor(inputs, device=device)  # (B, inputs)
    target = library.tensor(random.integers(0, layers[-1], batch), device=device)  # (B,)
    model.to(device)
    return _training(
        library, model, lambda: nn.functional.cross_entropy(model(x), target), x=x, target=target
    )


def language_model(
    library: Any, device: str, cell: str, T: int, batch: int, width: int, layers: int, vocabulary: int
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

    model = Model().to(device)
    tokens, target = _tokens(library, device, vocabulary, (T, batch), (T * batch,))

    def loss() -> Any:
        return nn.functional.cross_entropy(model(tokens).reshape(-1, vocabulary), target)

    return _training(library, model, loss, tokens=tokens, target=target)


def attention_seq2seq(
    library: Any, device: str, score: str, T: int, batch: int, width: int, vocabulary: int
) -> Step:
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

    model = Model().to(device)
    source, tokens, target = _tokens(library, device, vocabulary, (T, batch), (T, batch), (batch * T,))

    def loss() -> Any:
        return nn.functional.cross_entropy(model(source, tokens).reshape(-1, vocabulary), target)

    return _training(library, model, loss, source=source, tokens=tokens, target=target)


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


def translation(library: Any, device: str, T: int, batch: int, vocabulary: int, **sizes: Any) -> Step:
    """A training step of the Transformer."""
    nn = library.nn
    model = _transformer(library, T, vocabulary=vocabulary, **sizes).to(device)
    source, tokens, target = _tokens(library, device, vocabulary, (batch, T), (batch, T), (batch * T,))
    mask = nn.Transformer.generate_square_subsequent_mask(T).to(device)

    def loss() -> Any:
        return nn.functional.cross_entropy(model(source, tokens, mask).reshape(-1, vocabulary), target)

    return _training(library, model, loss, source=source, tokens=tokens, target=target)


def greedy_decoding(
    library: Any, device: str, T: int, batch: int, vocabulary: int, cache: bool, **sizes: Any
) -> Step:
    """T tokens for each of B sources, one after the other.

    With `cache` minigrad's decoder keeps keys and values; nn.TransformerDecoder of PyTorch has no such
    argument, so there every token is computed from the whole beginning, as its users do.
    """
    model = _transformer(library, T, vocabulary=vocabulary, dropout=0.0, **sizes).eval().to(device)
    (source,) = _tokens(library, device, vocabulary, (batch, T))
    first = library.zeros((batch, 1), dtype=library.int64, device=device)

    def cached() -> Any:
        memory = model.transformer.encoder(model.source(source) + model.position)
        kept, tokens = model.transformer.decoder.make_cache(), [first]
        for t in range(T):
            y = model.target(tokens[-1]) + model.position[t]
            y = model.transformer.decoder(y, memory, cache=kept)
            tokens.append(model.output(y).argmax(-1))
        return library.cat(tokens, dim=1)

    def uncached() -> Any:
        memory = model.transformer.encoder(model.source(source) + model.position)
        tokens = first
        for t in range(T):
            mask = library.nn.Transformer.generate_square_subsequent_mask(t + 1).to(device)
            y = model.target(tokens) + model.position[: t + 1]
            y = model.transformer.decoder(y, memory, tgt_mask=mask)
            tokens = library.cat([tokens, model.output(y[:, -1:]).argmax(-1)], dim=1)
        return tokens

    able = hasattr(model.transformer.decoder, "make_cache")

    def decode() -> Any:
        with library.no_grad():
            return (cached if cache and able else uncached)()

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


def _tokens(library: Any, device: str, vocabulary: int, *shapes: tuple[int, ...]) -> list[Any]:
    """Token ids at random, always the same ones."""
    random = np.random.default_rng(0)
    return [library.tensor(random.integers(0, vocabulary, shape), device=device) for shape in shapes]


def _training(library: Any, model: Any, loss: Step, **data: Any) -> Training:
    """The step of a model whose `loss` reads `data`."""
    return Training(model, library.optim.Adam(model.parameters(), lr=1e-3), loss, data)


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
    "decoding": Workload("greedy decoding, 32 tokens", greedy_decoding, {**_D256, "cache": True}, _TINY),
    "decoding-uncached": Workload(
        "the same without a cache", greedy_decoding, {**_D256, "cache": False}, _TINY
    ),
}  # fmt: skip
