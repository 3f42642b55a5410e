"""How well does a key answer a query?  Scores by their names.

    dot          qᵀ k                           Luong 2015, "dot": both of one size                     (1)
    scaled_dot   qᵀ k / √d                      Vaswani 2017: d numbers with variance 1 make a sum      (2)
                                                with variance d, in which the softmax is stuck
    general      qᵀ W k                         Luong 2015, "general"                                   (3)
    concat       vᵀ tanh(W [q; k])              Luong 2015, "concat"; Bahdanau 2015, "additive"         (4)
    cosine       β qᵀ k / (|q| |k|)             Graves, Wayne and Danihelka 2014, "Neural Turing        (5)
                                                machines" (arXiv 1410.5401), for content; β learnt
    location     (W q)ₛ                         Luong 2015: of place s, whatever stands there           (6)

Shapes: B batch, T queries, S keys, Q and K sizes of a query and a key.
"""

import math

from minigrad import nn
from minigrad.creation import tensor
from minigrad.nn import functional as F
from minigrad.tensor import Tensor

SCORES = ("dot", "scaled_dot", "general", "concat", "cosine", "location")


def score_by_name(name: str, query_size: int, key_size: int, max_length: int = 50) -> nn.Module:
    """The score function of that name; its shapes are query (B, T, Q), key (B, S, K), scores (B, T, S).

    Args:
        name: one of `SCORES`.
        query_size, key_size: Q and K; dot, scaled_dot and cosine need them alike.
        max_length: the most keys, for location.
    """
    if name not in SCORES:
        raise ValueError(f"score is {name!r}, expected one of {', '.join(SCORES)}")
    if name in ("dot", "scaled_dot", "cosine") and query_size != key_size:
        raise ValueError(
            f"score {name!r} needs queries and keys of one size, got {query_size} and {key_size}"
        )
    if name == "general":
        return nn.GeneralScore(query_size, key_size)
    if name == "concat":
        return nn.ConcatScore(query_size, key_size, query_size)
    if name == "location":
        return LocationScore(query_size, max_length)
    return {"dot": nn.DotScore, "scaled_dot": ScaledDotScore, "cosine": CosineScore}[name]()


class ScaledDotScore(nn.Module):
    """qᵀ k / √d, (2).

    >>> import minigrad as mg
    >>> ScaledDotScore()(mg.ones(1, 1, 16), mg.ones(1, 2, 16)).tolist()
    [[[4.0, 4.0]]]
    """

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        return query @ key.transpose(1, 2) / math.sqrt(query.shape[2])  # (2)


class CosineScore(nn.Module):
    """β qᵀ k / (|q| |k|), (5): lengths do not matter, and β = e^`log_sharpness` says how much the angle does.

    >>> import minigrad as mg
    >>> CosineScore()(mg.tensor([[[3.0, 4.0]]]), mg.tensor([[[6.0, 8.0], [-4.0, 3.0]]])).tolist()
    [[[1.0, 0.0]]]
    """

    def __init__(self) -> None:
        super().__init__()
        self.log_sharpness = nn.Parameter(tensor(0.0))

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        cosines = F.normalize(query, dim=2) @ F.normalize(key, dim=2).transpose(1, 2)  # (B, T, S)
        return self.log_sharpness.exp() * cosines  # (5)


class LocationScore(nn.Module):
    """(W q)ₛ, (6).

    Shape: query (B, T, Q), key (B, S, K), of which only S matters, scores (B, T, S).
    """

    def __init__(self, query_size: int, max_length: int) -> None:
        super().__init__()
        self.project = nn.Linear(query_size, max_length, bias=False)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        S = key.shape[1]
        if self.project.out_features < S:
            raise ValueError(
                f"LocationScore(): a source of {S} tokens, expected at most max_length="
                f"{self.project.out_features}"
            )
        return self.project(query)[:, :, :S]  # (6)
