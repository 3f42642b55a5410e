"""Attention over a sequence of states: three ways to score a state, and the weighted mean of all of them.

    score    a number for each pair of a query hₜ and a key h̄ₛ
    weights  aₜ(s) = exp score(hₜ, h̄ₛ) / Σ_s' exp score(hₜ, h̄_s')
    context  cₜ = Σₛ aₜ(s) h̄ₛ

References: Bahdanau, Cho and Bengio 2015, "Neural machine translation by jointly learning to align and
translate", eqs. 5 and 6; Luong, Pham and Manning 2015, "Effective approaches to attention-based neural
machine translation", §3.1.

Shapes: B batch, T queries, S keys.
"""

from minigrad.errors import DTypeError, ShapeError
from minigrad.ops import masked_softmax
from minigrad.tensor import Tensor

from . import functional as F
from .linear import Linear
from .module import Module


class DotScore(Module):
    """score(h, h̄) = hᵀ h̄    (Luong et al. 2015, §3.1, "dot"): query and key have the same size.

    Shape: query (B, T, Q), key (B, S, Q), scores (B, T, S).
    """

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        """Scores (B, T, S) of queries (B, T, H) and keys (B, S, H)."""
        return query @ key.transpose(1, 2)


class GeneralScore(Module):
    """score(h, h̄) = hᵀ W h̄    (Luong et al. 2015, §3.1, "general"): query and key may differ in size.

    Args:
        query_size, key_size: the sizes of h and h̄.

    Shape: query (B, T, Q), key (B, S, K), scores (B, T, S).

    `project.weight` (key_size, query_size) is Wᵀ. With W the identity it is `DotScore`.
    """

    def __init__(self, query_size: int, key_size: int) -> None:
        super().__init__()
        self.project = Linear(query_size, key_size, bias=False)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        """Scores (B, T, S) of queries (B, T, query_size) and keys (B, S, key_size)."""
        return self.project(query) @ key.transpose(1, 2)


class ConcatScore(Module):
    """score(h, h̄) = vᵀ tanh(W [h; h̄]) = vᵀ tanh(W₁ h + W₂ h̄)

    References: Luong et al. 2015, §3.1, "concat"; Bahdanau et al. 2015, appendix A.1.2, where W₁ and W₂
    are called Wₐ and Uₐ.

    Args:
        query_size, key_size: the sizes of h and h̄.
        hidden_size: the size of the tanh layer.

    Shape: query (B, T, Q), key (B, S, K), scores (B, T, S).

    `query.weight` is W₁, `key.weight` is W₂, `v.weight` (1, hidden_size) is vᵀ. All T · S ·
    hidden_size values of the tanh are in memory at once.
    """

    def __init__(self, query_size: int, key_size: int, hidden_size: int) -> None:
        super().__init__()
        self.query = Linear(query_size, hidden_size, bias=False)
        self.key = Linear(key_size, hidden_size, bias=False)
        self.v = Linear(hidden_size, 1, bias=False)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        """Scores (B, T, S) of queries (B, T, query_size) and keys (B, S, key_size)."""
        hidden = self.query(query).unsqueeze(2) + self.key(key).unsqueeze(1)  # (B, T, S, hidden_size)
        return self.v(F.tanh(hidden)).squeeze(3)  # (B, T, S)


class Attention(Module):
    """cₜ = Σₛ aₜ(s) vₛ, with aₜ = softmaxₛ score(qₜ, kₛ)

    Reference: Bahdanau, Cho and Bengio 2015, "Neural machine translation by jointly learning to align and
    translate", eqs. 5 and 6.

    Args:
        score: a module that gives scores (B, T, S) for queries (B, T, Q) and keys (B, S, K).

    Shape: query (B, T, Q), or (B, Q) for a single step; key (B, S, K); value (B, S, V), the keys themselves
    if it is left out; key_padding_mask (B, S), True at a key that is padding. Returns context (B, T, V) and
    weights (B, T, S), without T for a single step. The weights of padding are exactly 0, and no gradient
    reaches it; if a whole row is padding, its context is 0.

    >>> from minigrad import tensor
    >>> from minigrad.nn import Attention, DotScore
    >>> context, weights = Attention(DotScore())(tensor([[0.0, 0.0]]), tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    >>> context.tolist(), weights.tolist()
    ([[2.0, 3.0]], [[0.5, 0.5]])
    """

    def __init__(self, score: Module) -> None:
        super().__init__()
        self.score = score

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        value = key if value is None else value
        _check_shapes(query, key, value, key_padding_mask)
        if query.ndim == 2:
            context, weights = self.forward(query.unsqueeze(1), key, value, key_padding_mask)
            return context.squeeze(1), weights.squeeze(1)
        scores = self.score(query, key)  # (B, T, S)
        if key_padding_mask is None:
            weights = F.softmax(scores, dim=2)
        else:
            weights = masked_softmax(scores, ~key_padding_mask.unsqueeze(1), dim=2)
        return weights @ value, weights  # (B, T, V), (B, T, S)


def _check_shapes(query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None) -> None:
    if (
        query.ndim not in (2, 3)
        or key.ndim != 3
        or value.shape[:2] != key.shape[:2]
        or query.shape[0] != key.shape[0]
    ):
        raise ShapeError(
            f"Attention: query {query.shape}, key {key.shape}, value {value.shape}, "
            "expected (B, T, Q) or (B, Q), (B, S, K), (B, S, V)"
        )
    if key_padding_mask is None:
        return
    if key_padding_mask.dtype.kind != "b":
        raise DTypeError(
            f"Attention: key_padding_mask is {key_padding_mask.dtype}, expected bool, True at padding"
        )
    if key_padding_mask.shape != key.shape[:2]:
        raise ShapeError(
            f"Attention: key_padding_mask {key_padding_mask.shape}, expected (B, S) = {key.shape[:2]}"
        )
