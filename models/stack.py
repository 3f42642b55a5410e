"""What all Transformers here are built of: N layers of self-attention and feed-forward, and their sizes.

    post-norm    a = norm(x + MultiHead(x, x, x)),  x' = norm(a + FFN(a))                               (1)
    pre-norm     a = x + MultiHead(norm(x), …),     x' = a + FFN(norm(a)),  and norm(x_N) at the end    (2)

(1) is Vaswani et al. 2017, "Attention is all you need", §3.1; (2) Xiong et al. 2020, "On layer normalization
in the Transformer architecture", figure 1b: a path from end to end without a norm in it, which trains without
warm-up. The layers themselves are `nn.TransformerEncoderLayer`.

Shapes: B batch, L positions, E size of the model.
"""

from dataclasses import dataclass
from typing import Any, Self

from minigrad import nn
from minigrad.errors import check_sizes
from minigrad.nn.transformer import LayerCache
from minigrad.tensor import Tensor

from .positions import POSITIONS, Positions, RotaryAttention, linear_bias


@dataclass(frozen=True, kw_only=True)
class StackConfig:
    """The sizes of a Transformer's layers; the defaults are the base model of Vaswani et al. 2017, table 3.

    Args:
        model_size, layers, heads, feed_forward: d_model, N, h and d_ff.
        dropout: P_drop.
        positions: one of `positions.POSITIONS`.
        max_length: of sequences, where positions are learned.
        norm_first: pre-norm, which trains without warm-up.
        activation: "relu" or "gelu".
    """

    model_size: int = 512
    layers: int = 6
    heads: int = 8
    feed_forward: int = 2048
    dropout: float = 0.1
    positions: str = "sinusoidal"
    max_length: int = 512
    norm_first: bool = False
    activation: str = "relu"

    def __post_init__(self) -> None:
        check_sizes(self, "model_size", "layers", "heads", "feed_forward", "max_length")
        if self.model_size % self.heads:
            raise ValueError(
                f"model_size is {self.model_size}, expected a multiple of heads, which is {self.heads}"
            )
        if self.positions not in POSITIONS:
            raise ValueError(f"positions is {self.positions!r}, expected one of {', '.join(POSITIONS)}")
        if self.positions == "alibi" and self.heads % 2:
            raise ValueError(
                f"heads is {self.heads}, expected an even number for alibi: half look back, half ahead"
            )
        paired = self.model_size // self.heads if self.positions == "rotary" else self.model_size
        if self.positions in ("rotary", "sinusoidal") and paired % 2:
            raise ValueError(
                f"{self.positions} positions need pairs, but model_size is {self.model_size} and heads "
                f"{self.heads}; take an even model_size / heads"
            )

    @classmethod
    def base(cls, **changes: Any) -> Self:
        """The base model of the paper, which is the default."""
        return cls(**changes)

    @classmethod
    def small(cls, **changes: Any) -> Self:
        """A model for a corpus of some ten thousand sentences, and hours of a CPU."""
        return cls(**{"model_size": 256, "layers": 3, "heads": 4, "feed_forward": 1024, **changes})

    @classmethod
    def tiny(cls, **changes: Any) -> Self:
        """A model for toy tasks, and seconds of a CPU."""
        sizes = {"model_size": 32, "layers": 2, "heads": 4, "feed_forward": 64, "dropout": 0.0}
        return cls(**{**sizes, **changes})


def prepared(layer: nn.Module, config: StackConfig) -> nn.Module:
    """The layer with the self-attention that the positions ask for."""
    if config.positions == "rotary":
        layer.self_attn = RotaryAttention(
            config.model_size, config.heads, dropout=config.dropout, batch_first=True
        )
    return layer


def layer_options(config: StackConfig) -> dict[str, Any]:
    """The arguments of an encoder or decoder layer."""
    return {
        "d_model": config.model_size,
        "nhead": config.heads,
        "dim_feedforward": config.feed_forward,
        "dropout": config.dropout,
        "activation": config.activation,
        "norm_first": config.norm_first,
        "batch_first": True,
    }


def last_norm(config: StackConfig) -> nn.Module | None:
    """What follows the N layers: the sum of all, in pre-norm, has not been normalised yet."""
    return nn.LayerNorm(config.model_size) if config.norm_first else None


def draw_matrices(module: nn.Module) -> None:
    """Every matrix of the layers anew (Glorot and Bengio 2010): copies would all start alike."""
    for parameter in module.parameters():
        if parameter.ndim > 1:
            nn.init.xavier_uniform_(parameter)


def position_bias(config: StackConfig, x: Tensor, keys: int, *, causal: bool) -> Tensor | None:
    """What is added to the scores of the last L of `keys` positions: a mask for the layers, or None."""
    if config.positions != "alibi":
        return None
    return linear_bias(x.shape[0], config.heads, x.shape[1], keys, causal=causal, like=x)


class Stack(nn.Module):
    """What an encoder and a decoder share: positions, dropout, and N layers whose matrices are drawn anew."""

    def __init__(self, config: StackConfig, layers: nn.Module) -> None:
        super().__init__()
        self.config, self.layers = config, layers
        draw_matrices(layers)
        self.positions = Positions(config.positions, config.model_size, config.max_length)
        self.dropout = nn.Dropout(config.dropout)

    def make_cache(self) -> list[LayerCache]:
        """Empty keys and values, to be passed to every step of one decoding."""
        return self.layers.make_cache()

    def placed(
        self, x: Tensor, cache: list[LayerCache] | None, *, causal: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Embedded tokens with positions, behind those of the cache, and what is added to their scores."""
        start = 0 if cache is None else cache[0].own.length
        x = self.dropout(self.positions(x, start))
        return x, position_bias(self.config, x, start + x.shape[1], causal=causal)


class SelfAttentionStack(Stack):
    """Positions, then (1) or (2) N times: an encoder, or, if causal, a decoder that has nothing to consult.

    Args:
        config: the sizes.
        causal: position t looks at 1 … t only.

    Shape: input (B, L, E), embedded tokens; padding (B, L), True at it; output (B, L, E).
    """

    def __init__(self, config: StackConfig, *, causal: bool = False) -> None:
        layer = prepared(nn.TransformerEncoderLayer(**layer_options(config)), config)
        super().__init__(config, nn.TransformerEncoder(layer, config.layers, last_norm(config)))
        self.causal = causal

    def forward(
        self, x: Tensor, padding: Tensor | None = None, cache: list[LayerCache] | None = None
    ) -> Tensor:
        x, bias = self.placed(x, cache, causal=self.causal)
        return self.layers(x, bias, padding, self.causal, cache=cache)  # (1), (2)
