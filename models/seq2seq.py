"""From a sequence to another: two recurrent networks and one vector between them.

Ilya Sutskever, Oriol Vinyals and Quoc Le, "Sequence to sequence learning with neural networks", NeurIPS 2014
(arXiv 1409.3215), and Kyunghyun Cho, Bart van Merriënboer, Caglar Gulcehre, Dzmitry Bahdanau, Fethi Bougares,
Holger Schwenk and Yoshua Bengio, "Learning phrase representations using RNN encoder-decoder for statistical
machine translation", EMNLP 2014 (arXiv 1406.1078).

The weakness that it cures.  A language model says one token for each that it has read. A translation has
another length than its source, and another order, and its first word may hang on the source's last.  Here
one network reads the whole source before another begins to write.

    hₛ  = f(E_x xₛ, hₛ₋₁)                    encoder                                                    (1)
    c   = h_S                                the context: all that the decoder learns of the source     (2)
    h'₀ = h_S,  h'ₜ = f(E_y yₜ₋₁, h'ₜ₋₁)     decoder: Sutskever's                                       (3)
    p(yₜ | …) = softmax(W h'ₜ + b)                                                                      (4)

The state with which (3) begins is soon written over. Cho's decoder is given the context at every step, and
once more before the softmax; it is called a peeky decoder:

    h'ₜ = f([E_y yₜ₋₁; c], h'ₜ₋₁)                                                                       (3')
    p(yₜ | …) = softmax(W [h'ₜ; E_y yₜ₋₁; c] + b)                                                       (4')

He also puts layers around the context, and one between (3') and the softmax that keeps the larger of each two
of its numbers: `Seq2SeqConfig.cho` is all of his model.

    c   = tanh(V h_S),  h'₀ = tanh(V' c)                                                                (2')
    p(yₜ | …) = softmax(W maxout(O [h'ₜ; E_y yₜ₋₁; c]) + b),  maxout(x)ᵢ = max(x₂ᵢ, x₂ᵢ₊₁)              (4")

Sutskever reads the source from its end: x₁ then stands close to y₁, which it often determines, and learning
gets a foothold, although the mean distance of words is the same (§3.3): `reverse_source`.

Shapes: B batch, S source positions, T target positions, E embedding, H hidden size, V target vocabulary.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from minigrad import nn
from minigrad.creation import arange
from minigrad.data import PAD
from minigrad.errors import check_sizes
from minigrad.functions import cat, where
from minigrad.tensor import Tensor

from .rnn_language_model import CELLS


@dataclass(frozen=True, kw_only=True)
class Seq2SeqConfig:
    """What a Seq2Seq is made of; the defaults are those of Sutskever 2014, §3.4.

    Args:
        source_vocabulary, target_vocabulary: the numbers of tokens.
        cell: f, "rnn", "lstm" or "gru".
        embedding_size, hidden_size, layers: E, H, and how many f are stacked.
        dropout: of embeddings, between layers and before the softmax.
        reverse_source: whether the source is read from its end.
        peeky: whether (3') and (4') take the place of (3) and (4).
        reset_after: of a gated unit, see `nn.GRU`; Cho's resets its state before the product with a matrix.
        bridge: whether (2') takes the place of (2) and h'₀ = h_S; for one layer of "rnn" or "gru".
        maxout_size: of maxout(…), where (4") is wanted; 0 for none.
    """

    source_vocabulary: int = 160_000
    target_vocabulary: int = 80_000
    cell: str = "lstm"
    embedding_size: int = 1000
    hidden_size: int = 1000
    layers: int = 4
    dropout: float = 0.0
    reverse_source: bool = True
    peeky: bool = False
    reset_after: bool = True
    bridge: bool = False
    maxout_size: int = 0

    def __post_init__(self) -> None:
        check_sizes(self, "source_vocabulary", "target_vocabulary", "embedding_size", "hidden_size", "layers")
        if self.cell not in CELLS:
            raise ValueError(f"cell is {self.cell!r}, expected one of {', '.join(CELLS)}")
        if self.maxout_size < 0:
            raise ValueError(f"maxout_size is {self.maxout_size}, expected 0 for none, or more")
        if not self.reset_after and self.cell != "gru":
            raise ValueError(f"reset_after is False, but cell is {self.cell!r}; only a gru resets")
        if self.bridge and (self.layers > 1 or self.cell == "lstm"):
            raise ValueError(
                f"bridge is True, but layers is {self.layers} and cell {self.cell!r}, expected 1, rnn or gru"
            )

    @classmethod
    def cho(cls, **changes: Any) -> Self:
        """The encoder-decoder of Cho 2014: gated units, one layer, the context at every step."""
        sizes = {"source_vocabulary": 15_000, "target_vocabulary": 15_000, "embedding_size": 100}
        options = {"cell": "gru", "layers": 1, "reverse_source": False, "peeky": True}
        parts = {"reset_after": False, "bridge": True, "maxout_size": 500}
        return cls(**{**sizes, **options, **parts, **changes})

    @classmethod
    def tiny(cls, **changes: Any) -> Self:
        """A model for toy tasks, and seconds of a CPU."""
        return cls(**{"embedding_size": 16, "hidden_size": 64, "layers": 1, **changes})


class Seq2SeqState(NamedTuple):
    """What goes from step to step: the states of all layers, (L, B, H) each, and the context (B, H)."""

    layers: tuple[Tensor, ...]
    context: Tensor


class Seq2Seq(nn.Module):
    """The encoder, the decoder, and one vector between them.

    >>> import minigrad as mg
    >>> config = Seq2SeqConfig.tiny(source_vocabulary=9, target_vocabulary=7)
    >>> source, lengths = mg.tensor([[4, 5, 6], [7, 8, 0]]), mg.tensor([3, 2])
    >>> logits, _ = Seq2Seq(config)(source, lengths, mg.tensor([[1, 4], [1, 5]]))
    >>> logits.shape
    (2, 2, 7)
    """

    def __init__(self, config: Seq2SeqConfig) -> None:
        super().__init__()
        self.config = config
        E, H, L = config.embedding_size, config.hidden_size, config.layers
        cell: Any = CELLS[config.cell]
        options: dict[str, Any] = {"dropout": config.dropout if L > 1 else 0.0}
        if config.cell == "gru":
            options["reset_after"] = config.reset_after
        self.dropout = nn.Dropout(config.dropout)
        self.source_embedding = nn.Embedding(config.source_vocabulary, E, padding_idx=PAD)
        self.encoder = cell(E, H, L, **options)
        self.target_embedding = nn.Embedding(config.target_vocabulary, E, padding_idx=PAD)
        self.decoder = cell(E + H if config.peeky else E, H, L, **options)
        said = H + E + H if config.peeky else H
        self.V = nn.Linear(H, H) if config.bridge else None
        self.V_start = nn.Linear(H, H) if config.bridge else None
        self.O = nn.Linear(said, 2 * config.maxout_size) if config.maxout_size else None
        self.output = nn.Linear(config.maxout_size or said, config.target_vocabulary)

    def forward(self, source: Tensor, lengths: Tensor, target: Tensor) -> tuple[Tensor, None]:
        """Logits (B, T, V), and no attention; `target` (B, T) begins with <sos>."""
        logits, _ = self._written(target, self._read(source, lengths))
        return logits, None

    def _read(self, source: Tensor, lengths: Tensor) -> Seq2SeqState:
        """The state in which the encoder ends, and the context."""
        if self.config.reverse_source:
            source = reversed_rows(source, lengths)
        x = self.dropout(self.source_embedding(source.T))  # (S, B, E)
        _, ends = self.encoder(x, lengths=lengths)  # (1)
        layers = ends if isinstance(ends, tuple) else (ends,)
        if self.V is None or self.V_start is None:
            return Seq2SeqState(layers, layers[0][-1])  # (2)
        c = self.V(layers[0][-1]).tanh()  # (B, H)
        return Seq2SeqState((self.V_start(c).tanh().unsqueeze(0),), c)  # (2')

    def _written(self, target: Tensor, state: Seq2SeqState) -> tuple[Tensor, Seq2SeqState]:
        """Logits (B, T, V) for what follows each of the tokens (B, T), and the new state."""
        y, c = self.dropout(self.target_embedding(target.T)), state.context  # (T, B, E)
        c = c.unsqueeze(0).expand(y.shape[0], -1, -1)  # (T, B, H)
        read = cat([y, c], dim=2) if self.config.peeky else y
        layers = state.layers if len(state.layers) > 1 else state.layers[0]
        h, layers = self.decoder(read, layers)  # (T, B, H)   (3), (3')
        h = self.dropout(h)
        h = cat([h, y, c], dim=2) if self.config.peeky else h
        h = h if self.O is None else maxout(self.O(h))
        layers = layers if isinstance(layers, tuple) else (layers,)
        return self.output(h.transpose(0, 1)), Seq2SeqState(layers, state.context)  # (4), (4'), (4")

    def start(self, source: Tensor) -> Seq2SeqState:
        """Read the sources (B, S): see `decoding.Incremental`."""
        return self._read(source, (source != PAD).sum(dim=1))

    def step(self, tokens: Tensor, state: Seq2SeqState) -> tuple[Tensor, Seq2SeqState, None]:
        """log p (B, V) of what follows the tokens (B,), and the new state."""
        logits, state = self._written(tokens.unsqueeze(1), state)
        return logits.squeeze(1).log_softmax(dim=1), state, None

    def reorder(self, state: Seq2SeqState, indices: Tensor) -> Seq2SeqState:
        """Row i becomes row indices[i]."""
        return Seq2SeqState(tuple(part[:, indices] for part in state.layers), state.context[indices])


def maxout(x: Tensor) -> Tensor:
    """max(x₂ᵢ, x₂ᵢ₊₁): the larger of each two numbers of (…, 2 K), (…, K)

    Ian Goodfellow, David Warde-Farley, Mehdi Mirza, Aaron Courville and Yoshua Bengio, "Maxout networks",
    ICML 2013.

    >>> import minigrad as mg
    >>> maxout(mg.tensor([[1.0, 2.0, 4.0, 3.0]])).tolist()
    [[2.0, 4.0]]
    """
    return x.reshape(*x.shape[:-1], -1, 2).amax(dim=-1)


def reversed_rows(tokens: Tensor, lengths: Tensor) -> Tensor:
    """Each row (S,) of tokens (B, S) from its last real token to its first; the padding stays behind.

    >>> import minigrad as mg
    >>> reversed_rows(mg.tensor([[4, 5, 6], [7, 8, 0]]), mg.tensor([3, 2])).tolist()
    [[6, 5, 4], [8, 7, 0]]
    """
    place = arange(tokens.shape[1], device=tokens.device)  # (S,)
    mirrored = lengths.unsqueeze(1) - 1 - place  # (B, S)
    return tokens.gather(1, where(mirrored >= 0, mirrored, place))
