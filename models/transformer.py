"""The Transformer.

Ashish Vaswani, Noam Shazeer, Niki Parmar, Jakob Uszkoreit, Llion Jones, Aidan Gomez, Łukasz Kaiser and Illia
Polosukhin, "Attention is all you need", NeurIPS 2017 (arXiv 1706.03762), figure 1 and §3.

The weakness that it cures.  The attention of Bahdanau and Luong looks at the states of an RNN, and an RNN
reads one token after the other: a sentence of n tokens is n steps that must wait for one another, and what
the first token says comes to the last through all of them.  Here there is no recurrence. Every position looks
at every other at once, in one step and over one edge, the encoder's at the encoder's (self-attention), the
decoder's at those before them (masked) and at the encoder's (encoder-decoder attention).

    Attention(Q, K, V) = softmax(Q Kᵀ / √d) V                       d: size of a head, so that scores   (1)
                                                                    of random vectors have variance 1
    MultiHead(Q, K, V) = [head₁; …; head_h] Wᴼ,  headᵢ = Attention(Q Wᵢ, K Wᵢ, V Wᵢ)                    (2)
    x₀   = √E E_x[x] + P                                            embedding and positions, §3.4, §3.5  (3)
    xₙ   = norm(a + FFN(a)),  a = norm(xₙ₋₁ + MultiHead(xₙ₋₁, xₙ₋₁, xₙ₋₁))    encoder, N times          (4)
    yₙ   = norm(b + FFN(b)),  b = norm(a + MultiHead(a, x_N, x_N)),
           a = norm(yₙ₋₁ + masked MultiHead(yₙ₋₁, yₙ₋₁, yₙ₋₁))                decoder, N times          (5)
    FFN(x) = W₂ max(0, W₁ x + b₁) + b₂                              position-wise                       (6)
    p(yₜ | …) = softmax(E_y y_N,ₜ)                                  the embedding once more, §3.4       (7)

One table serves as E_x, E_y and output matrix, as in the paper, where source and target share a vocabulary
(Press and Wolf 2017, "Using the output embedding to improve language models").

Training, §5.3 and §5.4: `optim.lr_scheduler.LambdaLR` with `noam(512)`, and cross entropy with
`label_smoothing=0.1`, which takes a tenth of the target's probability and spreads it over all tokens: the
model stays less sure, perplexity is worse and BLEU better.

Differences from the paper:
1. Positions may also be learned, rotary or ALiBi, and norms may come first: see `StackConfig`.
2. <pad> is embedded as zero, and no gradient reaches it through the embedding.

Shapes: B batch, S source positions, T target positions, E size of the model, V target vocabulary.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from minigrad import nn
from minigrad.creation import arange
from minigrad.data import PAD
from minigrad.errors import check_sizes
from minigrad.modes import no_grad
from minigrad.nn import functional as F
from minigrad.nn.transformer import LayerCache
from minigrad.tensor import Tensor

from .attention_maps import record_attention
from .stack import SelfAttentionStack, Stack, StackConfig, last_norm, layer_options, prepared


@dataclass(frozen=True, kw_only=True)
class TransformerConfig(StackConfig):
    """What a Transformer is made of; the defaults are the paper's base model, table 3.

    Args:
        source_vocabulary, target_vocabulary: the numbers of tokens; the paper shares about 37,000.
        share_embeddings: source and target have one table, for which they need one vocabulary.
        tie_output: the output matrix is the target's table.
    """

    source_vocabulary: int = 37_000
    target_vocabulary: int = 37_000
    share_embeddings: bool = True
    tie_output: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_sizes(self, "source_vocabulary", "target_vocabulary")
        if self.share_embeddings and self.source_vocabulary != self.target_vocabulary:
            raise ValueError(
                f"source_vocabulary is {self.source_vocabulary}, target_vocabulary {self.target_vocabulary}: "
                "a shared table needs one vocabulary; pass share_embeddings=False"
            )

    @classmethod
    def big(cls, **changes: Any) -> Self:
        """The big model of the paper, table 3, last row."""
        sizes = {"model_size": 1024, "heads": 16, "feed_forward": 4096, "dropout": 0.3}
        return cls(**{**sizes, **changes})


@dataclass(frozen=True)
class TransformerState:
    """What is kept from step to step: the encoder's output, its padding, and each layer's keys and values."""

    memory: Tensor  # (B, S, E)
    padding: Tensor  # (B, S)
    caches: list[LayerCache]


class DecoderStack(Stack):
    """Positions, then (5) N times.

    Shape: y (B, T, E), embedded tokens; memory (B, S, E); padding (B, S), True at it; output (B, T, E).
    """

    def __init__(self, config: StackConfig) -> None:
        layer = prepared(nn.TransformerDecoderLayer(**layer_options(config)), config)
        super().__init__(config, nn.TransformerDecoder(layer, config.layers, last_norm(config)))

    def forward(
        self, y: Tensor, memory: Tensor, padding: Tensor | None, cache: list[LayerCache] | None = None
    ) -> Tensor:
        y, bias = self.placed(y, cache, causal=True)
        masks = (bias, None, None, padding)
        return self.layers(y, memory, *masks, tgt_is_causal=True, cache=cache)  # (5)


class Transformer(nn.Module):
    """The encoder, the decoder, and the tables before and behind them.

    >>> import minigrad as mg
    >>> config = TransformerConfig.tiny(source_vocabulary=9, target_vocabulary=9)
    >>> source, lengths = mg.tensor([[4, 5, 6], [7, 8, 0]]), mg.tensor([3, 2])
    >>> logits, _ = Transformer(config)(source, lengths, mg.tensor([[1, 4], [1, 5]]))
    >>> logits.shape
    (2, 2, 9)
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        E = config.model_size
        self.source_embedding = nn.Embedding(config.source_vocabulary, E, padding_idx=PAD)
        self.target_embedding = (
            self.source_embedding
            if config.share_embeddings
            else nn.Embedding(config.target_vocabulary, E, padding_idx=PAD)
        )
        self.encoder = SelfAttentionStack(config)
        self.decoder = DecoderStack(config)
        self.output = None if config.tie_output else nn.Linear(E, config.target_vocabulary, bias=False)
        self.reset_embeddings()

    def reset_embeddings(self) -> None:
        """Every table normal with deviation E^-½, so that (3) begins with numbers about 1."""
        draw_embedding(self.source_embedding)
        if self.target_embedding is not self.source_embedding:
            draw_embedding(self.target_embedding)

    def forward(self, source: Tensor, lengths: Tensor, target: Tensor) -> tuple[Tensor, None]:
        """Logits (B, T, V); `target` (B, T) begins with <sos>. For weights see `record_attention`."""
        padding = arange(source.shape[1], device=source.device) >= lengths.unsqueeze(1)  # (B, S)
        memory = self.encoder(embedded(self.source_embedding, source), padding)  # (3), (4)
        return self._logits(self.decoder(embedded(self.target_embedding, target), memory, padding)), None

    def _logits(self, y: Tensor) -> Tensor:
        weight = self.target_embedding.weight if self.output is None else self.output.weight
        return F.linear(y, weight)  # (7)

    def start(self, source: Tensor) -> TransformerState:
        """Read the sources (B, S): see `decoding.Incremental`."""
        padding = source == PAD
        memory = self.encoder(embedded(self.source_embedding, source), padding)
        return TransformerState(memory, padding, self.decoder.make_cache())

    def step(self, tokens: Tensor, state: TransformerState) -> tuple[Tensor, TransformerState, Tensor]:
        """log p (B, V) of what follows the tokens (B,); weights (B, S) of the last layer, mean of heads."""
        y = embedded(self.target_embedding, tokens.unsqueeze(1))  # (B, 1, E)
        with record_attention(self.decoder.layers.layers[-1].multihead_attn) as looked:
            y = self.decoder(y, state.memory, state.padding, state.caches)
        weights = looked[""][0].mean(dim=1).squeeze(1)  # (B, S)
        return self._logits(y).squeeze(1).log_softmax(dim=1), state, weights

    def reorder(self, state: TransformerState, indices: Tensor) -> TransformerState:
        """Row i becomes row indices[i]."""
        for cache in state.caches:
            cache.reorder(indices)
        return TransformerState(state.memory[indices], state.padding[indices], state.caches)


def draw_embedding(table: nn.Embedding) -> None:
    """Normal with deviation E^-½, and <pad> zero."""
    nn.init.normal_(table.weight, std=table.embedding_dim**-0.5)
    if table.padding_idx is not None:
        with no_grad():
            table.weight[table.padding_idx] = 0.0


def embedded(table: nn.Embedding, tokens: Tensor) -> Tensor:
    """√E times the rows of the tokens (B, T), (B, T, E): the first summand of (3)."""
    return table(tokens) * math.sqrt(table.embedding_dim)


def noam(model_size: int, warmup: int = 4000, factor: float = 1.0) -> Callable[[int], float]:
    """The paper's learning rate as a function of the step, eq. 3: E^-½ min(step^-½, step · warmup^-³⁄²)

    It rises for `warmup` steps and falls as 1/√step. For LambdaLR, which counts steps from 0, with lr=1.

    >>> rate = noam(512)
    >>> rate(1999) < rate(3999) > rate(7999)
    True
    """
    if warmup < 1:
        raise ValueError(f"noam(): warmup={warmup}, expected at least 1")

    def rate(step: int) -> float:
        n = step + 1
        return factor * model_size**-0.5 * min(n**-0.5, n * warmup**-1.5)

    return rate
