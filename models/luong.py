"""Attention that is asked after the decoder's step.

Minh-Thang Luong, Hieu Pham and Christopher D. Manning, "Effective approaches to attention-based neural
machine translation", EMNLP 2015 (arXiv 1508.04025), §3 and figures 2 to 4.

The weakness that it cures.  Bahdanau asks with the state before the step, which does not know yet what the
step has read, and needs a network for every score. Here the step comes first; its state asks, and a product
may do as a score.  But then no step knows where the one before has looked: that is fed in with its input.

    h̄ₛ   = LSTM(xₛ, h̄ₛ₋₁)                            encoder, stacked; reads the source from its end    (1)
    hₜ   = LSTM([E yₜ₋₁; h̃ₜ₋₁], hₜ₋₁)                decoder, stacked; h̃ with input feeding   (§3.3)    (2)
    score(hₜ, h̄ₛ) = hₜᵀ h̄ₛ  dot;  hₜᵀ W h̄ₛ  general;  vᵀ tanh(W [hₜ; h̄ₛ])  concat             (§3.1)   (3)
    or (W hₜ)ₛ  location: by the place alone                                                  (eq. 8)   (3')
    aₜ   = softmaxₛ score(hₜ, h̄ₛ)                     weights                                  (eq. 7)  (4)
    cₜ   = Σₛ aₜ(s) h̄ₛ                                context                                           (5)
    h̃ₜ   = tanh(W_c [cₜ; hₜ])                         attentional vector                       (eq. 5)  (6)
    p(yₜ | …) = softmax(W_s h̃ₜ)                                                               (eq. 6)   (7)

With a window, (4) looks at a neighbourhood only: see `local_attention.py`. Without input feeding all steps
can be computed at once: `attention_seq2seq.py`. Difference from the paper: (1) leaves the padding out.

Shapes: B batch, S source positions, T target positions, L layers, H hidden size.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from minigrad import nn
from minigrad.creation import arange, zeros
from minigrad.data import PAD
from minigrad.errors import check_sizes
from minigrad.functions import cat
from minigrad.ops import masked_softmax
from minigrad.tensor import Tensor

from .local_attention import ALIGNMENTS, Window
from .scores import SCORES, score_by_name
from .seq2seq import reversed_rows
from .stepwise import StepwiseDecoder


@dataclass(frozen=True, kw_only=True)
class LuongConfig:
    """What a LuongSeq2Seq is made of; the defaults are those of the paper, §4.1.

    Args:
        source_vocabulary, target_vocabulary: the numbers of tokens.
        embedding_size, hidden_size, layers: of E, of every state, and how many LSTMs are stacked.
        score: one of `scores.SCORES`; the paper's are dot, general, concat and location.
        input_feeding: whether (2) reads h̃.
        alignment: "global", or where a window stands: "monotonic" or "predictive".
        window: D, how far a window reaches to both sides.
        max_length: of sources, where the score is location.
        reverse_source: whether the source is read from its end.
        dropout: of embeddings, between layers, and of h̃ before the softmax.
    """

    source_vocabulary: int = 50_000
    target_vocabulary: int = 50_000
    embedding_size: int = 1000
    hidden_size: int = 1000
    layers: int = 4
    score: str = "dot"
    input_feeding: bool = True
    alignment: str = "global"
    window: int = 10
    max_length: int = 50
    reverse_source: bool = True
    dropout: float = 0.2

    def __post_init__(self) -> None:
        sizes = ("embedding_size", "hidden_size", "layers", "window", "max_length")
        check_sizes(self, "source_vocabulary", "target_vocabulary", *sizes)
        if self.score not in SCORES:
            raise ValueError(f"score is {self.score!r}, expected one of {', '.join(SCORES)}")
        if self.alignment not in ALIGNMENTS:
            raise ValueError(f"alignment is {self.alignment!r}, expected one of {', '.join(ALIGNMENTS)}")

    @classmethod
    def tiny(cls, **changes: Any) -> Self:
        """A model for toy tasks, and seconds of a CPU."""
        sizes = {"embedding_size": 16, "hidden_size": 32, "layers": 1, "dropout": 0.0}
        return cls(**{**sizes, **changes})


class LuongState(NamedTuple):
    """What goes from step to step; memory, padding and lengths stay as they are."""

    h: Tensor  # (B, L, H)
    c: Tensor  # (B, L, H)
    attentional: Tensor  # (B, H), h̃
    t: Tensor  # (B,), how many steps were made
    memory: Tensor  # (B, S, H)
    padding: Tensor  # (B, S)


class LuongSeq2Seq(StepwiseDecoder):
    """The encoder, and the decoder that looks after it has stepped.

    >>> import minigrad as mg
    >>> config = LuongConfig.tiny(source_vocabulary=9, target_vocabulary=7, score="general")
    >>> source, lengths = mg.tensor([[4, 5, 6], [7, 8, 0]]), mg.tensor([3, 2])
    >>> logits, weights = LuongSeq2Seq(config)(source, lengths, mg.tensor([[1, 4], [1, 5]]))
    >>> logits.shape, weights.shape
    ((2, 2, 7), (2, 2, 3))
    """

    def __init__(self, config: LuongConfig) -> None:
        E, H, L = config.embedding_size, config.hidden_size, config.layers
        super().__init__(
            nn.Embedding(config.target_vocabulary, E, padding_idx=PAD),
            nn.Linear(H, config.target_vocabulary),
            config.dropout,
        )
        self.config = config
        between = config.dropout if L > 1 else 0.0
        self.source_embedding = nn.Embedding(config.source_vocabulary, E, padding_idx=PAD)
        self.encoder = nn.LSTM(E, H, L, dropout=between)
        self.decoder = nn.LSTM(E + H if config.input_feeding else E, H, L, dropout=between)
        self.score = score_by_name(config.score, H, H, config.max_length)
        local = config.alignment != "global"
        self.window = Window(H, config.window, config.alignment) if local else None
        self.attentional = nn.Linear(2 * H, H)

    def forward(self, source: Tensor, lengths: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, T, V) and weights (B, T, S); `target` (B, T) begins with <sos>."""
        logits, weights, _ = self.unrolled(target, self._first_state(source, lengths))
        return logits, weights

    def _first_state(self, source: Tensor, lengths: Tensor) -> LuongState:
        """All of the source, and the states in which the encoder ends."""
        read = reversed_rows(source, lengths) if self.config.reverse_source else source
        memory, (h, c) = self.encoder(self.dropout(self.source_embedding(read.T)), lengths=lengths)  # (1)
        memory = memory.transpose(0, 1)  # (B, S, H), in the order in which it was read
        if self.config.reverse_source:
            memory = _reversed_states(memory, lengths)
        nothing = zeros(h.shape[1:], dtype=h.dtype, device=h.device)
        t = zeros(h.shape[1], dtype=h.dtype, device=h.device)
        return LuongState(h.transpose(0, 1), c.transpose(0, 1), nothing, t, memory, source == PAD)

    def start(self, source: Tensor) -> LuongState:
        """Read the sources (B, S): see `decoding.Incremental`."""
        return self._first_state(source, (source != PAD).sum(dim=1))

    def advance(self, y: Tensor, state: LuongState) -> tuple[Tensor, LuongState, Tensor]:
        """A step: (2) to (6)."""
        read = cat([y, state.attentional], dim=1) if self.config.input_feeding else y
        layers = (state.h.transpose(0, 1), state.c.transpose(0, 1))  # (L, B, H)
        top, (h, c) = self.decoder(read.unsqueeze(0), layers)  # (2)
        top = top.squeeze(0)  # (B, H)
        weights = self._weights(top, state)
        context = (weights.unsqueeze(1) @ state.memory).squeeze(1)  # (B, H)   (5)
        attentional = self.attentional(cat([context, top], dim=1)).tanh()  # (6)
        state = state._replace(
            h=h.transpose(0, 1), c=c.transpose(0, 1), attentional=attentional, t=state.t + 1
        )
        return attentional, state, weights

    def _weights(self, h: Tensor, state: LuongState) -> Tensor:
        """a (B, S), of all positions or of those in the window."""
        scores = self.score(h.unsqueeze(1), state.memory).squeeze(1)  # (B, S)   (3), (3')
        if self.window is None:
            return masked_softmax(scores, ~state.padding, dim=1)  # (4)
        return self.window(scores, h, state.t, state.padding)


def _reversed_states(memory: Tensor, lengths: Tensor) -> Tensor:
    """The states (B, S, H) of sources that were read from their ends, in the order of the source."""
    B, S, H = memory.shape
    order = reversed_rows(arange(S, device=memory.device).expand(B, S), lengths)  # (B, S)
    return memory.gather(1, order.unsqueeze(2).expand(B, S, H))
