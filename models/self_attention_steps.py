"""Self-attention in seven steps, each with its numbers.

Ashish Vaswani et al., "Attention is all you need", NeurIPS 2017 (arXiv 1706.03762), §3.2.1. The steps are
those of Jay Alammar's explanation, "The illustrated Transformer", 2018.

    X                     a vector for each token                                                       (1)
    Q, K, V = X W         what a token asks, what it answers to, what it says                           (2)
    Q Kᵀ                  how well each token answers each                                              (3)
    … / √d                so that their spread does not grow with d, the size of a query                (4)
    A = softmax(…)        weights: each row sums to 1                                                   (5)
    A ∘ V                 every value by its weight                                                     (6)
    Z = A V               and their sum: what a token has learnt from all                               (7)

`nn.functional.scaled_dot_product_attention` does (3) to (7) at once.

Shapes: L tokens, E size of an embedding, d of query and key, D of a value.
"""

import math
from typing import NamedTuple

from minigrad.backend import to_numpy
from minigrad.errors import ShapeError
from minigrad.tensor import Tensor


class SelfAttentionSteps(NamedTuple):
    """What each step gives; `str` writes all of them."""

    tokens: tuple[str, ...]
    embeddings: Tensor  # X (L, E)
    queries: Tensor  # (L, d)
    keys: Tensor  # (L, d)
    values: Tensor  # (L, D)
    scores: Tensor  # (L, L)
    scaled: Tensor  # (L, L)
    weights: Tensor  # A (L, L)
    weighted: Tensor  # (L, L, D): of each token, the value of each by its weight
    outputs: Tensor  # Z (L, D)

    def __str__(self) -> str:
        titles = {
            "embeddings": "1  embed each token",
            "queries": "2  its query",
            "keys": "   its key",
            "values": "   its value",
            "scores": "3  scores: its query by every key",
            "scaled": f"4  divided by √{self.queries.shape[1]}",
            "weights": "5  softmax",
            "weighted": "6  every value by its weight",
            "outputs": "7  their sum",
        }
        width = max(map(len, self.tokens))
        lines = []
        for name, title in titles.items():
            lines.append(title)
            for token, row in zip(self.tokens, to_numpy(getattr(self, name).detach().array), strict=True):
                vectors = row if row.ndim == 2 else row[None]
                numbers = " +".join("".join(f"{number:8.3f}" for number in vector) for vector in vectors)
                lines.append(f"   {token:{width}}{numbers}")
        return "\n".join(lines)


def self_attention_steps(
    tokens: list[str], embeddings: Tensor, W_q: Tensor, W_k: Tensor, W_v: Tensor
) -> SelfAttentionSteps:
    """Attend from each token to all, (1) to (7).

    Args:
        tokens: L of them.
        embeddings: X (L, E).
        W_q, W_k, W_v: (E, d), (E, d), (E, D).

    >>> import minigrad as mg
    >>> X = mg.tensor([[1.0, 0.0], [0.0, 2.0]])
    >>> steps = self_attention_steps(["Thinking", "Machines"], X, mg.eye(2), mg.eye(2), mg.eye(2))
    >>> print(steps)
    1  embed each token
       Thinking   1.000   0.000
       Machines   0.000   2.000
    2  its query
       Thinking   1.000   0.000
       Machines   0.000   2.000
       its key
       Thinking   1.000   0.000
       Machines   0.000   2.000
       its value
       Thinking   1.000   0.000
       Machines   0.000   2.000
    3  scores: its query by every key
       Thinking   1.000   0.000
       Machines   0.000   4.000
    4  divided by √2
       Thinking   0.707   0.000
       Machines   0.000   2.828
    5  softmax
       Thinking   0.670   0.330
       Machines   0.056   0.944
    6  every value by its weight
       Thinking   0.670   0.000 +   0.000   0.660
       Machines   0.056   0.000 +   0.000   1.888
    7  their sum
       Thinking   0.670   0.660
       Machines   0.056   1.888
    """
    L = len(tokens)
    if not L or embeddings.ndim != 2 or embeddings.shape[0] != L:
        raise ShapeError(
            f"self_attention_steps(): {L} tokens, embeddings {embeddings.shape}, expected (L, E)"
        )
    Q, K, V = embeddings @ W_q, embeddings @ W_k, embeddings @ W_v  # (2)
    scores = Q @ K.T  # (3)
    scaled = scores / math.sqrt(Q.shape[1])  # (4)
    A = scaled.softmax(dim=1)  # (5)
    weighted = A.unsqueeze(2) * V  # (L, L, D)   (6)
    return SelfAttentionSteps(
        tuple(tokens), embeddings, Q, K, V, scores, scaled, A, weighted, weighted.sum(dim=1)
    )
