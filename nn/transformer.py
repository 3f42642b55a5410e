"""The Transformer: layers of attention and position-wise feed-forward networks, encoder and decoder.

Vaswani et al. 2017, "Attention is all you need", §3.1 and §3.3; `norm_first` is the order of Xiong et al.
2020, "On layer normalization in the Transformer architecture", figure 1b.

Letters: N batch, S source positions, T target positions, E d_model.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from minigrad.creation import full
from minigrad.functions import triu
from minigrad.tensor import Tensor

from . import functional as F
from . import init
from .container import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .multihead import KeyValueCache, MultiheadAttention
from .norm import LayerNorm

Activation = str | Callable[[Tensor], Tensor]


@dataclass
class LayerCache:
    """What one layer keeps from step to step of decoding: of its own positions, and of the encoder's."""

    own: KeyValueCache = field(default_factory=KeyValueCache)
    memory: KeyValueCache = field(default_factory=lambda: KeyValueCache(grows=False))

    def reorder(self, index: Tensor) -> None:
        """Entry i of the batch becomes entry index[i]."""
        self.own.reorder(index)
        self.memory.reorder(index)


def _activation(given: Activation) -> Callable[[Tensor], Tensor]:
    """The function between the two linear maps."""
    if callable(given):
        return given
    if given not in ("relu", "gelu"):
        raise ValueError(f'activation {given!r}, expected "relu", "gelu" or a function')
    return F.relu if given == "relu" else F.gelu


class TransformerEncoderLayer(Module):
    """x = norm(x + attention(x));  y = norm(x + W₂ activation(W₁ x + b₁) + b₂)

    Reference: Vaswani et al. 2017, "Attention is all you need", §3.1 and, for the second, eq. 2.

    Args:
        d_model: E, size of input and output.
        nhead: the number of heads; it must divide E.
        dim_feedforward: size between the two linear maps.
        dropout: of the attention weights, after the activation, and of each of the two sums' second summands.
        activation: "relu", "gelu" or a function.
        layer_norm_eps: ε of the norms.
        batch_first: (N, S, E) in place of (S, N, E).
        norm_first: x + attention(norm(x)), which trains without warm-up (Xiong et al. 2020).
        bias: whether linear maps and norms have one.

    Shape: input and output (S, N, E), or (S, E).
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        place = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first, **place
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **place)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **place)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **place)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **place)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.activation = _activation(activation)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
        *,
        cache: LayerCache | None = None,
    ) -> Tensor:
        """The masks are those of `MultiheadAttention`; with a cache, `src` holds the new positions only."""
        own = None if cache is None else cache.own

        def attend(x: Tensor) -> Tensor:
            attended, _ = self.self_attn(
                *(x, x, x, src_key_padding_mask),
                need_weights=False,
                attn_mask=src_mask,
                is_causal=is_causal,
                cache=own,
            )
            return self.dropout1(attended)

        if self.norm_first:
            x = src + attend(self.norm1(src))
            return x + self._feed_forward(self.norm2(x))
        x = self.norm1(src + attend(src))
        return self.norm2(x + self._feed_forward(x))

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerDecoderLayer(Module):
    """x = norm(x + attention(x));  x = norm(x + attention(x, memory));  y = norm(x + feed_forward(x))

    Args and reference: those of `TransformerEncoderLayer`.

    Shape: tgt and output (T, N, E), memory (S, N, E), or all without N.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        place = {"device": device, "dtype": dtype}
        heads = {"dropout": dropout, "bias": bias, "batch_first": batch_first, **place}
        self.self_attn = MultiheadAttention(d_model, nhead, **heads)
        self.multihead_attn = MultiheadAttention(d_model, nhead, **heads)
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **place)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **place)
        self.norm_first = norm_first
        for name in ("norm1", "norm2", "norm3"):
            setattr(self, name, LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **place))
        self.dropout1, self.dropout2, self.dropout3 = Dropout(dropout), Dropout(dropout), Dropout(dropout)
        self.activation = _activation(activation)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
        *,
        cache: LayerCache | None = None,
    ) -> Tensor:
        """The masks are those of `MultiheadAttention`; with a cache, `tgt` holds the new positions only."""
        own, settled = (None, None) if cache is None else (cache.own, cache.memory)

        def attend(x: Tensor) -> Tensor:
            attended, _ = self.self_attn(
                *(x, x, x, tgt_key_padding_mask),
                need_weights=False,
                attn_mask=tgt_mask,
                is_causal=tgt_is_causal,
                cache=own,
            )
            return self.dropout1(attended)

        def consult(x: Tensor) -> Tensor:
            attended, _ = self.multihead_attn(
                *(x, memory, memory, memory_key_padding_mask),
                need_weights=False,
                attn_mask=memory_mask,
                is_causal=memory_is_causal,
                cache=settled,
            )
            return self.dropout2(attended)

        x = tgt
        if self.norm_first:
            x = x + attend(self.norm1(x))
            x = x + consult(self.norm2(x))
            return x + self._feed_forward(self.norm3(x))
        x = self.norm1(x + attend(x))
        x = self.norm2(x + consult(x))
        return self.norm3(x + self._feed_forward(x))

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.dropout3(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class _Stack(Module):
    """Copies of a layer, one after the other, and a norm behind them."""

    def __init__(self, layer: Module, num_layers: int, norm: Module | None) -> None:
        super().__init__()
        if num_layers < 0:
            raise ValueError(f"{type(self).__name__}(): num_layers={num_layers}, expected 0 or more")
        self.layers = ModuleList([copy.deepcopy(layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm

    def make_cache(self) -> list[LayerCache]:
        """An empty cache for each layer, to be passed to every step of one decoding."""
        return [LayerCache() for _ in self.layers]

    def _caches(self, cache: list[LayerCache] | None) -> list[Any]:
        if cache is not None and len(cache) != len(self.layers):
            raise ValueError(
                f"{type(self).__name__}(): got {len(cache)} caches for {len(self.layers)} layers"
            )
        return [None] * len(self.layers) if cache is None else cache

    def _normed(self, x: Tensor) -> Tensor:
        return x if self.norm is None else self.norm(x)


class TransformerEncoder(_Stack):
    """y = norm(layerₙ(... layer₁(x))): copies of a layer, see `TransformerEncoderLayer`, and perhaps a norm

    All copies start with the same numbers, as in PyTorch; `Transformer` draws them anew.

    Args:
        encoder_layer, num_layers, norm: what is copied, how often, and what follows: a module or None.
        enable_nested_tensor, mask_check: PyTorch's choices of how to compute; nothing depends on them.

    Shape: input and output (S, N, E), or (S, E).
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,  # noqa: ARG002 (PyTorch's choice between two ways of computing)
        mask_check: bool = True,  # noqa: ARG002 (the same)
    ) -> None:
        super().__init__(encoder_layer, num_layers, norm)

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
        *,
        cache: list[LayerCache] | None = None,
    ) -> Tensor:
        """(S, N, E) -> (S, N, E)"""
        x = src
        for layer, kept in zip(self.layers, self._caches(cache), strict=True):
            x = layer(x, mask, src_key_padding_mask, bool(is_causal), cache=kept)
        return self._normed(x)


class TransformerDecoder(_Stack):
    """y = norm(layerₙ(... layer₁(x, memory), memory)): the same of a decoder layer, see `TransformerEncoder`

    Args:
        decoder_layer, num_layers, norm: as for `TransformerEncoder`.

    Shape: tgt and output (T, N, E), memory (S, N, E), or all without N.
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
        *,
        cache: list[LayerCache] | None = None,
    ) -> Tensor:
        """(T, N, E), (S, N, E) -> (T, N, E)"""
        masks = (tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)
        x = tgt
        for layer, kept in zip(self.layers, self._caches(cache), strict=True):
            x = layer(x, memory, *masks, bool(tgt_is_causal), memory_is_causal, cache=kept)
        return self._normed(x)


class Transformer(Module):
    """y = decoder(tgt, encoder(src)): the model but for embeddings, positions and the last linear map

    Reference: Vaswani et al. 2017, "Attention is all you need", §3; by default the base model of table 3.

    Args:
        num_encoder_layers, num_decoder_layers: depth of the two stacks.
        custom_encoder, custom_decoder: modules to take their place.

    The others: as for `TransformerEncoderLayer`.

    Shape: src (S, N, E), tgt and output (T, N, E); with batch_first (N, S, E) and (N, T, E).

    >>> from minigrad import ones
    >>> from minigrad.nn import Transformer
    >>> model = Transformer(16, 4, 1, 1, 32)
    >>> model(ones(7, 2, 16), ones(5, 2, 16)).shape
    (5, 2, 16)
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        place = {"device": device, "dtype": dtype}
        options = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first)
        last = {"eps": layer_norm_eps, "bias": bias, **place}
        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*options, norm_first, bias, **place),
            num_encoder_layers,
            LayerNorm(d_model, **last),
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*options, norm_first, bias, **place),
            num_decoder_layers,
            LayerNorm(d_model, **last),
        )
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first
        self.reset_parameters()

    def reset_parameters(self) -> None:
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The output of the decoder; the masks are those of `MultiheadAttention`."""
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        return self.decoder(
            *(tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask),
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """(sz, sz): -∞ above the diagonal, 0 on and below it: query i may look at the keys 0 to i."""
        return triu(full((sz, sz), -float("inf"), device=device, dtype=dtype), 1)
