"""Markov chains: the next token depends on the last n, and on nothing before them.

Andrey Markov, "An example of statistical investigation of the text Eugene Onegin concerning the connection of
samples in chains", 1913 (Science in Context 19, 2006); Claude Shannon, "A mathematical theory of
communication", Bell System Technical Journal 27, 1948, §3.

The weakness that it cures.  An autoregressive model adds up numbers, and what comes next in a text is one of
V tokens, of which none is more than another.  Here it is a probability for each of them, by counting.

    p(yₜ | y₁ … yₜ₋₁) = p(yₜ | yₜ₋ₙ … yₜ₋₁)                        the assumption                       (1)
    p(y | u₁ … uₙ)    = (N(u₁ … uₙ y) + α) / (N(u₁ … uₙ) + α V)    counts; α for what was never seen    (2)

The maximum of the likelihood is (2) with α = 0 (Laplace 1812 took 1); after a history that was never seen it
is then 1 / V, to which (2) tends as α falls to 0.

Shapes: B batch, T positions, n the order, V vocabulary.
"""

import math

import numpy as np

from minigrad import nn
from minigrad.backend import to_numpy
from minigrad.creation import as_tensor, full, zeros
from minigrad.data import PAD
from minigrad.functions import cat, where
from minigrad.tensor import Tensor

from .rnn_language_model import LanguageModel

COUNTS_AT_MOST = 10**8  # of the table: 400 megabytes


class MarkovChain(LanguageModel):
    """A table of V counts for each of the Vⁿ histories.

    Args:
        vocabulary: V.
        order: n.
        smoothing: α.

    Before the first token stands <pad>, n times. `counts` (V, …, V) is a buffer: it is saved, not trained.

    >>> import minigrad as mg
    >>> chain = MarkovChain(6, smoothing=0.0).fit(mg.tensor([[1, 4, 5, 4, 5, 4, 4, 2]]))
    >>> logits, _ = chain(mg.tensor([[4]]))
    >>> logits.exp()[0, 0].tolist()
    [0.0, 0.0, 0.25, 0.0, 0.25, 0.5]
    """

    def __init__(self, vocabulary: int, order: int = 1, smoothing: float = 1.0) -> None:
        super().__init__()
        if vocabulary < 1 or order < 1 or not 0 <= smoothing < math.inf:
            raise ValueError(
                f"MarkovChain(): vocabulary={vocabulary}, order={order}, smoothing={smoothing}, expected at "
                "least 1, 1 and 0"
            )
        if vocabulary ** (order + 1) > COUNTS_AT_MOST:
            raise ValueError(
                f"MarkovChain(): a table of {vocabulary}^{order + 1} counts, expected at most "
                f"{COUNTS_AT_MOST:,}; take a smaller order, or a model that shares what it learns"
            )
        self.vocabulary, self.order, self.smoothing = vocabulary, order, smoothing
        self.counts = nn.Buffer(zeros((vocabulary,) * (order + 1)))

    def fit(self, texts: Tensor) -> "MarkovChain":
        """Add the texts (B, T) to the counts; <pad> behind a text counts for nothing. Returns self."""
        windows = np.lib.stride_tricks.sliding_window_view(self._extended(texts), self.order + 1, axis=1)
        rows = windows.reshape(-1, self.order + 1)
        counts = to_numpy(self.counts.array).copy()
        np.add.at(counts, tuple(rows[rows[:, -1] != PAD].T), 1)
        self.counts = nn.Buffer(as_tensor(counts, device=self.counts.device))
        return self

    def first_state(self) -> None:
        """No token has been read; the history of <pad> is made when the batch is known."""
        return

    def forward(self, tokens: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """log p (B, T, V) of what follows each of the tokens (B, T), and the last n of them, (B, n)."""
        if state is None:
            state = full((tokens.shape[0], self.order), PAD, device=tokens.device)
        read = cat([state, tokens], dim=1)  # (B, n + T)
        T = tokens.shape[1]
        history = tuple(read[:, i + 1 : i + 1 + T] for i in range(self.order))
        seen = self.counts[history] + self.smoothing  # (B, T, V)
        seen = where(seen.sum(dim=2, keepdim=True) > 0, seen, 1.0)
        return (seen / seen.sum(dim=2, keepdim=True)).log(), read[:, -self.order :]  # (2)

    def reorder(self, state: Tensor | None, indices: Tensor) -> Tensor | None:
        """Row i becomes row indices[i]."""
        return None if state is None else state[indices]

    def _extended(self, texts: Tensor) -> np.ndarray:
        before = np.full((texts.shape[0], self.order), PAD)
        return np.concatenate([before, to_numpy(texts.array)], axis=1)

    def extra_repr(self) -> str:
        return f"{self.vocabulary}, order={self.order}, smoothing={self.smoothing}"
