"""Markov chains: the next token depends on the last n, and on nothing before them.

Andrey Markov, "An example of statistical investigation of the text Eugene Onegin concerning the connection of
samples in chains", 1913 (Science in Context 19, 2006); Claude Shannon, "A mathematical theory of
communication", Bell System Technical Journal 27, 1948, §3.

The weakness that it cures.  An autoregressive model adds up numbers, and what comes next in a text is one of
V tokens, of which none is more than another.  Here it is a probability for each of them, by counting.

    p(yₜ | y₁ … yₜ₋₁) = p(yₜ | yₜ₋ₙ … yₜ₋₁)                        the assumption                       (1)
    p(y | u₁ … uₙ)    = (N(u₁ … uₙ y) + α p(y | u₂ … uₙ)) / (N(u₁ … uₙ) + α)      counts              (2)
    p(y)              = (N(y) + α / (V - 3)) / (N + α)                                                 (3)

The maximum of the likelihood is (2) with α = 0, but no text has every history: α says how much is believed of
the one that is a token shorter (David MacKay and Linda Peto, "A hierarchical Dirichlet language model",
Natural Language Engineering 1, 1995). After a history that was never seen, (2) is that of the shorter one,
whatever α. All that no text has shares the α of (3): of the special tokens only <unk>, which stands for it.

Shapes: B batch, T positions, n the order, V vocabulary.
"""

import math

import numpy as np

from minigrad import nn
from minigrad.backend import to_numpy
from minigrad.creation import as_tensor, full, zeros
from minigrad.data import PAD, SOS, UNK
from minigrad.functions import cat, where
from minigrad.tensor import Tensor

from .rnn_language_model import LanguageModel

COUNTS_AT_MOST = 10**8  # of the table: 400 megabytes


class MarkovChain(LanguageModel):
    """A table of V counts for each of the Vⁿ histories, and for each of the shorter ones.

    Args:
        vocabulary: V, the special tokens among them.
        order: n.
        smoothing: α.

    Before the first token stands <pad>, n times. The table of the histories of k tokens, `counts_k`
    (V, …, V) with k + 1 dimensions, is a buffer: it is saved, not trained.

    >>> import minigrad as mg
    >>> chain = MarkovChain(6, smoothing=0.0).fit(mg.tensor([[1, 4, 5, 4, 5, 4, 4, 2]]))
    >>> logits, _ = chain(mg.tensor([[4]]))
    >>> logits.exp()[0, 0].tolist()
    [0.0, 0.0, 0.25, 0.0, 0.25, 0.5]
    """

    def __init__(self, vocabulary: int, order: int = 1, smoothing: float = 1.0) -> None:
        super().__init__()
        if vocabulary <= UNK or order < 1 or not 0 <= smoothing < math.inf:
            raise ValueError(
                f"MarkovChain(): vocabulary={vocabulary}, order={order}, smoothing={smoothing}, expected at "
                f"least {UNK + 1}, 1 and 0"
            )
        if vocabulary ** (order + 1) > COUNTS_AT_MOST:
            raise ValueError(
                f"MarkovChain(): a table of {vocabulary}^{order + 1} counts, expected at most "
                f"{COUNTS_AT_MOST:,}; take a smaller order, or a model that shares what it learns"
            )
        self.vocabulary, self.order, self.smoothing = vocabulary, order, smoothing
        for k in range(order + 1):
            setattr(self, f"counts_{k}", nn.Buffer(zeros((vocabulary,) * (k + 1))))

    def fit(self, texts: Tensor) -> "MarkovChain":
        """Add the texts (B, T) to the counts; <pad> and <sos> count as history alone. Returns self."""
        windows = np.lib.stride_tricks.sliding_window_view(self._extended(texts), self.order + 1, axis=1)
        rows = windows.reshape(-1, self.order + 1)
        said = rows[~np.isin(rows[:, -1], (PAD, SOS))]
        for k, table in enumerate(self.tables()):
            counts = to_numpy(table.array).copy()
            np.add.at(counts, tuple(said[:, self.order - k :].T), 1)
            table.copy_(as_tensor(counts, device=table.device))
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
        p = as_tensor(self._unseen(), device=tokens.device)
        for k, table in enumerate(self.tables()):
            history = tuple(read[:, i + 1 : i + 1 + T] for i in range(self.order - k, self.order))
            seen = table[history] if history else table  # (B, T, V)
            total = seen.sum(dim=-1, keepdim=True) + self.smoothing
            p = where(total > 0, (seen + self.smoothing * p) / where(total > 0, total, 1.0), p)  # (2), (3)
        log_p = where(p > 0, where(p > 0, p, 1.0).log(), -math.inf)
        return log_p, read[:, -self.order :]

    def reorder(self, state: Tensor | None, indices: Tensor) -> Tensor | None:
        """Row i becomes row indices[i]."""
        return None if state is None else state[indices]

    def tables(self) -> list[Tensor]:
        """The counts for the histories of 0, 1, …, n tokens."""
        return [getattr(self, f"counts_{k}") for k in range(self.order + 1)]

    def _unseen(self) -> np.ndarray:
        """What a token may be of which nothing is known, (V,): the last summand of (3)."""
        p = np.zeros(self.vocabulary, dtype=np.float32)
        p[UNK:] = 1 / (self.vocabulary - UNK)
        return p

    def _extended(self, texts: Tensor) -> np.ndarray:
        before = np.full((texts.shape[0], self.order), PAD)
        return np.concatenate([before, to_numpy(texts.array)], axis=1)

    def extra_repr(self) -> str:
        return f"{self.vocabulary}, order={self.order}, smoothing={self.smoothing}"
