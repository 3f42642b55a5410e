"""Multi-head attention: several attentions side by side, each in a subspace of its own.

Letters: N batch, L queries, S keys, E embed_dim, H heads, d = E / H.
"""

from collections.abc import Sequence
from typing import Any

from minigrad import ops
from minigrad.creation import arange, empty, full, zeros
from minigrad.errors import DTypeError, ShapeError
from minigrad.functions import cat, where
from minigrad.tensor import Tensor

from . import functional as F
from . import init
from .functional.checks import check_probability, tensor_expected
from .linear import Linear
from .module import Module
from .parameter import Parameter


class KeyValueCache:
    """The keys and values of earlier steps, so that a step of decoding computes only its own.

    With grows=False the first keys and values stay: those of an encoder, which are the same at every step.

    keys, values  (N, H, S, d), or None before the first step
    """

    def __init__(self, grows: bool = True) -> None:
        self.grows = grows
        self.keys: Tensor | None = None
        self.values: Tensor | None = None

    @property
    def length(self) -> int:
        """S, the number of positions that are held."""
        return 0 if self.keys is None else self.keys.shape[2]

    @property
    def is_settled(self) -> bool:
        """Are the keys and values known for good?"""
        return not self.grows and self.keys is not None

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """All keys and values so far, these last."""
        if self.keys is not None and self.values is not None:
            keys, values = cat([self.keys, keys], 2), cat([self.values, values], 2)
        self.keys, self.values = keys, values
        return keys, values

    def reorder(self, index: Tensor) -> None:
        """Entry i of the batch becomes entry index[i]: what a beam search does with its hypotheses."""
        if self.keys is not None and self.values is not None:
            self.keys, self.values = self.keys[index], self.values[index]


class MultiheadAttention(Module):
    """MultiHead(Q, K, V) = Concat(head₁, ..., head_H) Wᴼ,  headᵢ = Attention(Q Wᵢ, K Wᵢ, V Wᵢ)

    Reference: Vaswani et al. 2017, "Attention is all you need", §3.2.2; Attention is their eq. 1.

    Args:
        embed_dim: E, size of queries and outputs; num_heads must divide it.
        num_heads: H.
        dropout: the probability that a weight is dropped, in training.
        bias: whether the projections have one.
        add_bias_kv: append a learned key and value, at which every query may look.
        add_zero_attn: append a key and value of zeros.
        kdim, vdim: sizes of keys and values, E if None.
        batch_first: (N, L, E) in place of (L, N, E).

    Shape: query (L, N, E), key (S, N, kdim), value (S, N, vdim), or all three without N; output as the query;
    weights (N, L, S). `in_proj_weight` is (3 E, E), its thirds those of query, key and value; where kdim or
    vdim differ there are `q_proj_weight`, `k_proj_weight` and `v_proj_weight` instead.

    A query that may look nowhere gets zeros, where PyTorch gives NaN.

    >>> from minigrad import ones
    >>> from minigrad.nn import MultiheadAttention
    >>> x = ones(5, 2, 8)
    >>> output, weights = MultiheadAttention(8, 2)(x, x, x)
    >>> output.shape, weights.shape
    ((5, 2, 8), (2, 5, 5))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0 or embed_dim % num_heads:
            raise ValueError(
                f"MultiheadAttention(): embed_dim={embed_dim}, num_heads={num_heads}, expected a positive "
                "multiple of num_heads"
            )
        check_probability("MultiheadAttention", dropout, "dropout")
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.kdim, self.vdim = kdim or embed_dim, vdim or embed_dim
        self.dropout, self.batch_first, self.add_zero_attn = dropout, batch_first, add_zero_attn
        options = {"device": device, "dtype": dtype}
        packed = self.kdim == self.vdim == embed_dim
        sizes = {"q_proj_weight": embed_dim, "k_proj_weight": self.kdim, "v_proj_weight": self.vdim}
        for name, size in sizes.items():
            self.register_parameter(name, None if packed else Parameter(empty(embed_dim, size, **options)))
        joint = Parameter(empty(3 * embed_dim, embed_dim, **options)) if packed else None
        self.register_parameter("in_proj_weight", joint)
        self.register_parameter("in_proj_bias", Parameter(empty(3 * embed_dim, **options)) if bias else None)
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias, **options)
        for name in ("bias_k", "bias_v"):
            extra = Parameter(empty(1, 1, embed_dim, **options)) if add_bias_kv else None
            self.register_parameter(name, extra)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
        *,
        cache: KeyValueCache | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """(output, weights); weights are None unless needed.

        Args:
            key_padding_mask: (N, S); True where a key is padding, or numbers added to the scores.
            attn_mask: (L, S) or (N H, L, S); True where a query may *not* look, or numbers added.
            average_attn_weights: the mean over the heads, else (N, H, L, S).
            is_causal: query i looks at the keys up to its own position.
            cache: keys and values of earlier steps, to which those of this call are added.
        """
        self._check(query, key, value)
        q, k, v = self._heads(query, key, value, cache)  # (N, H, L, d), (N, H, S, d), (N, H, S, d)
        look = self._mask(q, k, attn_mask, key_padding_mask, is_causal)
        p = self.dropout if self.training else 0.0
        if need_weights:
            weights = F.dropout(self._weights(q, k, look), p)
            y = weights @ v  # (N, H, L, d)
        else:
            weights, y = None, F.scaled_dot_product_attention(q, k, v, look, p)
        y = self.out_proj(y.transpose(1, 2).flatten(2))  # (N, L, E)
        if weights is not None and average_attn_weights:
            weights = weights.mean(1)
        if query.ndim == 2:
            return y.squeeze(0), None if weights is None else weights.squeeze(0)
        return y if self.batch_first else y.transpose(0, 1), weights

    def _heads(
        self, query: Tensor, key: Tensor, value: Tensor, cache: KeyValueCache | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of all heads."""
        if cache is not None and cache.keys is not None and cache.values is not None and cache.is_settled:
            (q,) = self._projected([query])
            return self._split(q), cache.keys, cache.values
        if key is value and self.in_proj_weight is not None and not self._has_extra_keys():
            x, memory = self._batched(query), None if query is key else self._batched(key)
            q, k, v = ops.in_projection(
                x, self.in_proj_weight, self.in_proj_bias, memory, heads=self.num_heads
            )
            return (q, k, v) if cache is None else (q, *cache.append(k, v))
        q, k, v = self._projected([query, key, value])
        if self.bias_k is not None:
            k, v = (cat([x, b.expand(len(x), 1, -1)], 1) for x, b in ((k, self.bias_k), (v, self.bias_v)))
        q, k, v = self._split(q), self._split(k), self._split(v)
        if self.add_zero_attn:
            nothing = zeros(*k.shape[:2], 1, self.head_dim, dtype=k.dtype, device=k.device)
            k, v = cat([k, nothing], 2), cat([v, nothing], 2)
        return (q, k, v) if cache is None else (q, *cache.append(k, v))

    def _batched(self, x: Tensor) -> Tensor:
        """An input as (N, L, E)."""
        return x.unsqueeze(0) if x.ndim == 2 else x if self.batch_first else x.transpose(0, 1)

    def _projected(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """x W + b for each of query, key and value, or the first of them."""
        made = []
        for i, x in enumerate(inputs):
            rows = slice(i * self.embed_dim, (i + 1) * self.embed_dim)
            if self.in_proj_weight is not None:
                weight = self.in_proj_weight[rows]
            else:
                weight = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)[i]
            bias = None if self.in_proj_bias is None else self.in_proj_bias[rows]
            made.append(F.linear(self._batched(x), weight, bias))
        return made

    def _split(self, x: Tensor) -> Tensor:
        """(N, L, E) -> (N, H, L, d)"""
        return x.reshape(*x.shape[:2], self.num_heads, self.head_dim).transpose(1, 2)

    def _weights(self, q: Tensor, k: Tensor, look: Tensor | None) -> Tensor:
        """softmax(Q Kᵀ / √d), (N, H, L, S)"""
        scores = (q * self.head_dim**-0.5) @ k.mT
        if look is None:
            return scores.softmax(-1)
        if look.dtype == "bool":
            return ops.masked_softmax(scores, look, dim=-1)
        scores = scores + look
        return ops.masked_softmax(scores, scores > -float("inf"), dim=-1)

    def _mask(
        self, q: Tensor, k: Tensor, attn_mask: Tensor | None, padding: Tensor | None, is_causal: bool
    ) -> Tensor | None:
        """Both masks as one that broadcasts to (N, H, L, S): True where to look, or numbers to add."""
        (batch, heads, queries, _), keys = q.shape, k.shape[2]
        masks = []
        if attn_mask is not None:
            extra = keys - attn_mask.shape[-1] if self._has_extra_keys() else 0
            expected = ((queries, keys - extra), (batch * heads, queries, keys - extra))
            mask = _allowed("attn_mask", attn_mask, expected, extra)
            masks.append(mask if mask.ndim == 2 else mask.reshape(batch, heads, queries, keys))
        elif is_causal and queries > 1:
            rows, columns = arange(keys - queries, keys, device=q.device), arange(keys, device=q.device)
            masks.append(rows.unsqueeze(1) >= columns)  # the queries are the last of the positions
        if padding is not None:
            extra = keys - padding.shape[-1] if self._has_extra_keys() else 0
            padding = padding.unsqueeze(0) if padding.ndim == 1 else padding
            mask = _allowed("key_padding_mask", padding, ((batch, keys - extra),), extra)
            masks.append(mask.reshape(batch, 1, 1, keys))
        if len(masks) < 2:
            return masks[0] if masks else None
        if masks[0].dtype == masks[1].dtype == "bool":
            return masks[0] & masks[1]
        return _numbers(masks[0], q) + _numbers(masks[1], q)

    def _has_extra_keys(self) -> bool:
        return self.bias_k is not None or self.add_zero_attn

    def _check(self, query: Tensor, key: Tensor, value: Tensor) -> None:
        """ShapeError unless the three fit the layer and one another."""
        for x in (query, key, value):
            if not isinstance(x, Tensor):
                raise tensor_expected("MultiheadAttention", x)
        sizes = (self.embed_dim, self.kdim, self.vdim)
        same = query.ndim == key.ndim == value.ndim and query.ndim in (2, 3)
        if same and query.ndim == 3:
            where_batch = 0 if self.batch_first else 1
            same = query.shape[where_batch] == key.shape[where_batch]
        same = same and key.shape[:-1] == value.shape[:-1]
        if not same or (query.shape[-1], key.shape[-1], value.shape[-1]) != sizes:
            layout = (
                "(N, L, {}), (N, S, {}), (N, S, {})"
                if self.batch_first
                else "(L, N, {}), (S, N, {}), (S, N, {})"
            )
            raise ShapeError(
                f"MultiheadAttention(): query {query.shape}, key {key.shape}, value {value.shape}, expected "
                f"{layout.format(*sizes)}, or all three without N"
            )

    def extra_repr(self) -> str:
        return f"embed_dim={self.embed_dim}, num_heads={self.num_heads}, dropout={self.dropout}"


def _allowed(name: str, mask: Tensor, expected: tuple, extra: int) -> Tensor:
    """PyTorch's mask (True: do not look) as one that says where to look, with columns for extra keys."""
    if mask.dtype.kind not in "bf":
        raise DTypeError(
            f"MultiheadAttention(): {name} is {mask.dtype}, expected bool (True: do not look) or float"
        )
    if mask.shape not in expected:
        raise ShapeError(
            f"MultiheadAttention(): {name} {mask.shape}, expected {' or '.join(map(str, expected))}"
        )
    mask = ~mask if mask.dtype == "bool" else mask
    if extra == 0:
        return mask
    free = full((*mask.shape[:-1], extra), mask.dtype == "bool", dtype=mask.dtype, device=mask.device)
    return cat([mask, free], -1)


def _numbers(mask: Tensor, like: Tensor) -> Tensor:
    """A mask as numbers to add to the scores: 0 where a query may look, -∞ elsewhere."""
    if mask.dtype != "bool":
        return mask
    return where(mask, zeros((), dtype=like.dtype, device=like.device), -float("inf"))
