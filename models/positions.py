"""Where in the sequence is a token?  Four answers.

Attention is a weighted sum over a set: without something that tells positions apart, "man bites dog" and "dog
bites man" are the same.  An RNN knew the order because it read in it; that, and its slowness, is given up.

    sinusoidal   xₜ + Pₜ,  P(t, 2i) = sin(t / 10000^(2i/d)),  P(t, 2i+1) = cos(t / 10000^(2i/d))        (1)
    learned      xₜ + Pₜ,  P a table of parameters, which ends at the longest sequence of training      (2)
    rotary       q'ₜ = R(t) qₜ, k'ₛ = R(s) kₛ,  R(t) turns the pair (2i, 2i+1) by t / 10000^(2i/d), so
                 that q'ₜ · k'ₛ = qₜ · R(s - t) kₛ: the score depends on the distance alone             (3)
    alibi        score(t, s) = qₜ · kₛ / √d - m (t - s),  m = 2^(-8h/H) for head h of 1 … H, s ≤ t      (4)

References: (1), (2) Vaswani et al. 2017, "Attention is all you need", §3.5; (3) Su et al. 2021, "RoFormer:
enhanced Transformer with rotary position embedding" (arXiv 2104.09864), eq. 34; (4) Press, Smith and Lewis
2022, "Train short, test long: attention with linear biases enables input length extrapolation", §3. Where H
is no power of two they interleave two such sequences of m; here it is the one of (4). They write only of
decoders. With |t - s| an encoder could not tell a sequence from its mirror image, so in one every other head
looks at s ≥ t instead, by s - t.

Shapes: B batch, L positions of queries, S of keys, E size of the model, H heads, d = E / H.
"""

from minigrad import nn
from minigrad.creation import arange
from minigrad.functions import stack, where
from minigrad.tensor import Tensor

POSITIONS = ("sinusoidal", "learned", "rotary", "alibi", "none")


def _angles(start: int, length: int, size: int, like: Tensor) -> Tensor:
    """t / 10000^(2i/size) for the positions start … start + length - 1, (length, size / 2)."""
    t = arange(start, start + length, dtype=like.dtype, device=like.device)
    i = arange(0, size, 2, dtype=like.dtype, device=like.device)
    return t.unsqueeze(1) * 10_000.0 ** (-i / size)


def sinusoids(start: int, length: int, size: int, like: Tensor) -> Tensor:
    """(1) for the positions start … start + length - 1, (length, size), in the type of `like`."""
    angles = _angles(start, length, size, like)
    return stack([angles.sin(), angles.cos()], dim=2).reshape(length, size)  # (1)


def rotated(x: Tensor, start: int = 0) -> Tensor:
    """R(t) xₜ for every position t of x (..., L, d), the first of which is `start`, (3)."""
    L, d = x.shape[-2:]
    pairs = x.reshape(*x.shape[:-1], d // 2, 2)
    a, b = pairs[..., 0], pairs[..., 1]  # (..., L, d/2)
    angles = _angles(start, L, d, x)
    cos, sin = angles.cos(), angles.sin()
    return stack([a * cos - b * sin, a * sin + b * cos], dim=-1).reshape(*x.shape)  # (3)


def linear_bias(batch: int, heads: int, queries: int, keys: int, *, causal: bool, like: Tensor) -> Tensor:
    """-m (t - s) of (4), (B H, L, S), -∞ where a head may not look; the queries are the last positions.

    If causal, every head looks back; else heads 1, 3, … look back, and heads 2, 4, … ahead.
    """
    t = arange(keys - queries, keys, dtype=like.dtype, device=like.device).unsqueeze(1)  # (L, 1)
    s = arange(keys, dtype=like.dtype, device=like.device)
    h = arange(1, heads + 1, dtype=like.dtype, device=like.device).reshape(heads, 1, 1)
    distance = (t - s).expand(heads, queries, keys)  # (H, L, S)
    if not causal:
        distance = where(h % 2 == 1, distance, -distance)
    distance = where(distance < 0, float("inf"), distance)
    bias = -(2.0 ** (-8 * h / heads)) * distance  # (H, L, S)   (4)
    return bias.unsqueeze(0).expand(batch, heads, queries, keys).reshape(batch * heads, queries, keys)


class RotaryAttention(nn.MultiheadAttention):
    """Multi-head attention whose queries and keys are turned by their positions, (3); otherwise its base.

    Shape: see `nn.MultiheadAttention`; d must be even. With a cache, what was cached is turned already.
    """

    def _heads(
        self, query: Tensor, key: Tensor, value: Tensor, cache: nn.KeyValueCache | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of all heads, (B, H, L, d), queries and keys turned."""
        q, k, v = super()._heads(query, key, value, None)
        start = 0 if cache is None else cache.length
        q, k = rotated(q, start), rotated(k, start)
        return (q, k, v) if cache is None else (q, *cache.append(k, v))


class Positions(nn.Module):
    """xₜ + Pₜ, where that is the way of telling positions; x itself where attention is told instead.

    Args:
        kind: one of `POSITIONS`.
        size: E.
        max_length: the rows of a learned table; no other kind has a longest sequence.

    Shape: input and output (B, L, E); `weight` (max_length, E) if learned, normal with deviation E^-½.
    """

    def __init__(self, kind: str, size: int, max_length: int) -> None:
        super().__init__()
        self.kind, self.size, self.max_length = kind, size, max_length
        self.table = nn.Embedding(max_length, size) if kind == "learned" else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        if self.table is not None:
            nn.init.normal_(self.table.weight, std=self.size**-0.5)

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """Add the positions start … start + L - 1."""
        length = x.shape[1]
        if self.kind == "sinusoidal":
            return x + sinusoids(start, length, self.size, x)  # (1)
        if self.table is None:
            return x
        if start + length > self.max_length:
            raise ValueError(
                f"Positions(): a sequence of {start + length} positions, expected at most max_length="
                f'{self.max_length}; learned positions end there, take positions="sinusoidal"'
            )
        return x + self.table(arange(start, start + length, device=x.device))  # (2)

    def extra_repr(self) -> str:
        return self.kind
