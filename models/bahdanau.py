"""Attention that is asked before the decoder's step.

Dzmitry Bahdanau, Kyunghyun Cho and Yoshua Bengio, "Neural machine translation by jointly learning to align
and translate", ICLR 2015 (arXiv 1409.0473), §3 and appendix A.

The weakness that it cures.  `seq2seq.py` has one vector of fixed size for a source of any length. Here the
decoder asks, before each of its steps, which of the encoder's states it needs now; what it asks with is the
state in which the step before has left it.

    hⱼ   = [GRU→(xⱼ); GRU←(xⱼ)]                 annotation of a word in its context            (§3.2)   (1)
    s₀   = tanh(W_s h←₁)                        the backward state, which has read everything  (A.2.2)  (2)
    eₜⱼ  = vᵀ tanh(W sₜ₋₁ + U hⱼ)               alignment model: "additive" attention          (A.1.2)  (3)
    αₜⱼ  = softmaxⱼ eₜⱼ                         weights                                        (eq. 6)  (4)
    cₜ   = Σⱼ αₜⱼ hⱼ                            context                                        (eq. 5)  (5)
    sₜ   = GRU([E yₜ₋₁; cₜ], sₜ₋₁)              decoder                                        (A.1.1)  (6)
    tₜ   = maxout(U_o sₜ₋₁ + V_o E yₜ₋₁ + C_o cₜ)                                              (A.2.2)  (7)
    p(yₜ | …) = softmax(W_o tₜ)                                                                         (8)

U hⱼ does not depend on t and is computed once. Differences from the paper: everything starts as its layer
does; and unless `reset_after` is False, the units of (1) and (6) reset their states after the product with a
matrix, as is usual today.

Shapes: B batch, S source positions, T target positions, H hidden size, A size of the alignment model.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from minigrad import nn
from minigrad.data import PAD
from minigrad.errors import check_sizes
from minigrad.functions import cat
from minigrad.ops import masked_softmax
from minigrad.tensor import Tensor

from .seq2seq import maxout
from .stepwise import StepwiseDecoder


@dataclass(frozen=True, kw_only=True)
class BahdanauConfig:
    """What a BahdanauSeq2Seq is made of; the defaults are those of the paper, appendix A.2.3.

    Args:
        source_vocabulary, target_vocabulary: the numbers of tokens.
        embedding_size, hidden_size: of E, and of the states, for each direction of the encoder.
        alignment_size, maxout_size: of (3) and of tₜ.
        dropout: of embeddings and of tₜ.
        reset_after: whether a state is reset after its product with a matrix, see `nn.GRU`; in the paper
            before.
    """

    source_vocabulary: int = 30_000
    target_vocabulary: int = 30_000
    embedding_size: int = 620
    hidden_size: int = 1000
    alignment_size: int = 1000
    maxout_size: int = 500
    dropout: float = 0.0
    reset_after: bool = True

    def __post_init__(self) -> None:
        sizes = ("embedding_size", "hidden_size", "alignment_size", "maxout_size")
        check_sizes(self, "source_vocabulary", "target_vocabulary", *sizes)

    @classmethod
    def tiny(cls, **changes: Any) -> Self:
        """A model for toy tasks, and seconds of a CPU."""
        sizes = {"embedding_size": 16, "hidden_size": 32, "alignment_size": 32, "maxout_size": 32}
        return cls(**{**sizes, **changes})


class BahdanauState(NamedTuple):
    """What goes from step to step: s alone changes."""

    s: Tensor  # (B, H)
    memory: Tensor  # (B, S, 2H), every hⱼ
    keys: Tensor  # (B, S, A), every U hⱼ
    padding: Tensor  # (B, S)


class BahdanauSeq2Seq(StepwiseDecoder):
    """The encoder, and the decoder that looks before it steps.

    >>> import minigrad as mg
    >>> config = BahdanauConfig.tiny(source_vocabulary=9, target_vocabulary=7)
    >>> source, lengths = mg.tensor([[4, 5, 6], [7, 8, 0]]), mg.tensor([3, 2])
    >>> logits, weights = BahdanauSeq2Seq(config)(source, lengths, mg.tensor([[1, 4], [1, 5]]))
    >>> logits.shape, weights.shape
    ((2, 2, 7), (2, 2, 3))
    """

    def __init__(self, config: BahdanauConfig) -> None:
        E, H, A = config.embedding_size, config.hidden_size, config.alignment_size
        super().__init__(
            nn.Embedding(config.target_vocabulary, E, padding_idx=PAD),
            nn.Linear(config.maxout_size, config.target_vocabulary),
            config.dropout,
        )
        self.config = config
        self.source_embedding = nn.Embedding(config.source_vocabulary, E, padding_idx=PAD)
        self.encoder = nn.GRU(E, H, bidirectional=True, reset_after=config.reset_after)
        self.first_s = nn.Linear(H, H)
        self.W = nn.Linear(H, A, bias=False)
        self.U = nn.Linear(2 * H, A, bias=False)
        self.v = nn.Linear(A, 1, bias=False)
        self.cell = nn.GRUCell(E + 2 * H, H, reset_after=config.reset_after)
        self.maxout = nn.Linear(H + E + 2 * H, 2 * config.maxout_size)

    def forward(self, source: Tensor, lengths: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, T, V) and weights (B, T, S); `target` (B, T) begins with <sos>."""
        logits, weights, _ = self.unrolled(target, self.first_state(source, lengths))
        return logits, weights

    def first_state(self, source: Tensor, lengths: Tensor) -> Any:
        """The state before the first step."""
        x = self.dropout(self.source_embedding(source.T))  # (S, B, E)
        h, ends = self.encoder(x, lengths=lengths)  # (S, B, 2H), (2, B, H)   (1)
        memory = h.transpose(0, 1)
        return BahdanauState(self.first_s(ends[1]).tanh(), memory, self.U(memory), source == PAD)  # (2)

    def start(self, source: Tensor) -> Any:
        """Read the sources (B, S): see `decoding.Incremental`."""
        return self.first_state(source, (source != PAD).sum(dim=1))

    def energies(self, state: Any) -> Tensor:
        """e of every source position, (B, S)."""
        return self.v((self.W(state.s).unsqueeze(1) + state.keys).tanh()).squeeze(2)  # (3)

    def context(self, weights: Tensor, state: Any) -> tuple[Tensor, Any]:
        """The context (B, 2H) of weights (B, S), and the state, which may note something of it."""
        return (weights.unsqueeze(1) @ state.memory).squeeze(1), state

    def advance(self, y: Tensor, state: Any) -> tuple[Tensor, Any, Tensor]:
        """A step: (3) to (7)."""
        weights = masked_softmax(self.energies(state), ~state.padding, dim=1)  # (B, S)   (4)
        context, state = self.context(weights, state)  # (B, 2H)   (5)
        t = maxout(self.maxout(cat([state.s, y, context], dim=1)))  # (B, K)   (7)
        s = self.cell(cat([y, context], dim=1), state.s)  # (6)
        return t, state._replace(s=s), weights
