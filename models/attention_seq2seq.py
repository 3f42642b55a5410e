"""Sequence to sequence with attention.

Dzmitry Bahdanau, Kyunghyun Cho and Yoshua Bengio, "Neural machine translation by jointly learning to align
and translate", ICLR 2015 (arXiv 1409.0473), and Minh-Thang Luong, Hieu Pham and Christopher D. Manning,
"Effective approaches to attention-based neural machine translation", EMNLP 2015 (arXiv 1508.04025).

The weakness that it cures.  The encoder-decoder before it (Sutskever 2014, Cho 2014) squeezes the whole
source into one vector of fixed size, the encoder's last state, and the decoder must write the whole target
from that memory; the longer the source, the more is lost.  Here every state of the encoder stays in reach,
and at every step the decoder looks at all of them again and takes a weighted mean, the context, with
weights that it computes from what it needs next.

    h̄ₛ        = [LSTM→(xₛ); LSTM←(xₛ)]                 encoder: one state for every source position      (1)
    h₀, c₀    = tanh(W_h [h̄→; h̄←]), W_c [c̄→; c̄←]       decoder: its first state, from the last ones       (2)
    hₜ, cₜ    = LSTM(yₜ₋₁, hₜ₋₁, cₜ₋₁)                  decoder: one state for every target position      (3)
    aₜ(s)     = softmaxₛ score(hₜ, h̄ₛ)                  attention weights  (Luong eq. 7; Bahdanau eq. 6)   (4)
    contextₜ  = Σₛ aₜ(s) h̄ₛ                             context vector     (Bahdanau eq. 5)                (5)
    h̃ₜ        = tanh(W_a [contextₜ; hₜ])                attentional vector (Luong eq. 5)                   (6)
    p(yₜ | …) = softmax(W_y h̃ₜ)                         next token         (Luong eq. 6)                   (7)

Differences from the papers:
1. One layer in the decoder and one bidirectional layer in the encoder (Bahdanau's); Luong stacks four, in one
   direction.
2. Attention comes after the cell (Luong), without input feeding, so that in training all target steps are
   computed at once.
3. LSTM cells in place of Bahdanau's gated units.

Shapes: B batch, S source positions, T target positions, H hidden size, V target vocabulary.
"""

from dataclasses import dataclass
from typing import Any, Self

from minigrad import nn
from minigrad.data import PAD
from minigrad.errors import check_sizes
from minigrad.functions import cat
from minigrad.tensor import Tensor

State = tuple[Tensor, Tensor]
SCORES = ("dot", "general", "concat")


@dataclass(frozen=True)
class AttentionSeq2SeqConfig:
    """What an AttentionSeq2Seq is made of; the defaults are the sizes of Bahdanau 2015, appendix A."""

    source_vocabulary: int
    target_vocabulary: int
    embedding_size: int = 620
    hidden_size: int = 1000
    score: str = "dot"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.score not in SCORES:
            raise ValueError(f"score is {self.score!r}, expected one of {', '.join(SCORES)}")
        if self.hidden_size % 2:
            raise ValueError(
                f"hidden_size is {self.hidden_size}, expected an even number: half for each direction"
            )
        check_sizes(self, "source_vocabulary", "target_vocabulary", "embedding_size", "hidden_size")

    @classmethod
    def tiny(cls, **changes: Any) -> Self:
        """A model for toy tasks, and seconds of a CPU."""
        sizes = {"embedding_size": 16, "hidden_size": 32}
        return cls(**{**sizes, **changes})


class Encoder(nn.Module):
    """Reads the source in both directions and keeps a state for every position, (1)."""

    def __init__(self, config: AttentionSeq2SeqConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.source_vocabulary, config.embedding_size, padding_idx=PAD)
        self.dropout = nn.Dropout(config.dropout)
        self.lstm = nn.LSTM(config.embedding_size, config.hidden_size // 2, bidirectional=True)
        self.first_h = nn.Linear(config.hidden_size, config.hidden_size)
        self.first_c = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, State]:
        """States (B, S, H) of the sources (B, S), and the decoder's first state, two tensors (1, B, H)."""
        x = self.dropout(self.embedding(source.T))  # (S, B, E)
        states, (h, c) = self.lstm(x, lengths=lengths)  # (S, B, H), (2, B, H/2)   (1)
        last_h, last_c = cat([h[0], h[1]], dim=1), cat([c[0], c[1]], dim=1)  # (B, H)
        first = self.first_h(last_h).tanh().unsqueeze(0), self.first_c(last_c).unsqueeze(0)  # (2)
        return states.transpose(0, 1), first


class Decoder(nn.Module):
    """Writes the target, looking at every encoder state at every step, (3) to (7)."""

    def __init__(self, config: AttentionSeq2SeqConfig) -> None:
        super().__init__()
        H = config.hidden_size
        self.embedding = nn.Embedding(config.target_vocabulary, config.embedding_size, padding_idx=PAD)
        self.dropout = nn.Dropout(config.dropout)
        self.lstm = nn.LSTM(config.embedding_size, H)
        self.attention = nn.Attention(_score(config.score, H))
        self.attentional = nn.Linear(2 * H, H)
        self.output = nn.Linear(H, config.target_vocabulary)

    def forward(
        self, target: Tensor, state: State, memory: Tensor, padding: Tensor
    ) -> tuple[Tensor, State, Tensor]:
        """Logits (B, T, V) for what follows each of the tokens (B, T), the new state, weights (B, T, S)."""
        x = self.dropout(self.embedding(target.T))  # (T, B, E)
        h, state = self.lstm(x, state)  # (T, B, H)   (3)
        h = h.transpose(0, 1)  # (B, T, H)
        context, weights = self.attention(h, memory, key_padding_mask=padding)  # (4), (5)
        attentional = self.attentional(cat([context, h], dim=2)).tanh()  # (6)
        return self.output(self.dropout(attentional)), state, weights  # (7)


def _score(name: str, size: int) -> nn.Module:
    """The score function of (4), by its name in Luong 2015, section 3.1."""
    if name == "dot":
        return nn.DotScore()
    return nn.GeneralScore(size, size) if name == "general" else nn.ConcatScore(size, size, size)


class AttentionSeq2Seq(nn.Module):
    """The encoder and the decoder together.

    >>> import minigrad as mg
    >>> config = AttentionSeq2SeqConfig(9, 7, embedding_size=4, hidden_size=6)
    >>> source, lengths = mg.tensor([[4, 5, 6], [7, 8, 0]]), mg.tensor([3, 2])
    >>> logits, weights = AttentionSeq2Seq(config)(source, lengths, mg.tensor([[1, 4], [1, 5]]))
    >>> logits.shape, weights.shape
    ((2, 2, 7), (2, 2, 3))
    """

    def __init__(self, config: AttentionSeq2SeqConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    def forward(self, source: Tensor, lengths: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, T, V) and attention weights (B, T, S); `target` (B, T) begins with <sos>."""
        memory, state = self.encoder(source, lengths)
        logits, _, weights = self.decoder(target, state, memory, source == PAD)
        return logits, weights

    def start(self, source: Tensor) -> tuple[State, Tensor, Tensor]:
        """The decoder's first state, the memory and its padding: see `decoding.Incremental`."""
        memory, state = self.encoder(source, (source != PAD).sum(dim=1))
        return state, memory, source == PAD

    def step(
        self, tokens: Tensor, state: tuple[State, Tensor, Tensor]
    ) -> tuple[Tensor, tuple[State, Tensor, Tensor], Tensor]:
        """log p (B, V) of what follows the tokens (B,), the new state, weights (B, S)."""
        cell, memory, padding = state
        logits, cell, weights = self.decoder(tokens.unsqueeze(1), cell, memory, padding)
        return logits.squeeze(1).log_softmax(dim=1), (cell, memory, padding), weights.squeeze(1)

    def reorder(self, state: tuple[State, Tensor, Tensor], indices: Tensor) -> tuple[State, Tensor, Tensor]:
        """Row i becomes row indices[i]."""
        (h, c), memory, padding = state
        return (h[:, indices], c[:, indices]), memory[indices], padding[indices]
