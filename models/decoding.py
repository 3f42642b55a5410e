"""Decoding: from a model that says what may come next to a whole sequence.

A model gives p(yₜ | y₁ … yₜ₋₁, x), one token at a time, and what is wanted is the sequence

    ŷ = argmax_y Σₜ log p(yₜ | y₁ … yₜ₋₁, x)                                                            (1)

The sum runs over one of Vᵀ sequences, far too many to try. Greedy decoding takes the best token at every
step, and never gets out of a choice that was the best only at first. Beam search keeps the k best
beginnings; since a longer sequence multiplies more probabilities, and one that leaves out half of the source
is shorter, it compares those that have ended by

    s(y) = log p(y | x) / lp(y) + cp(y)      lp(y) = (5 + |y|)^α / (5 + 1)^α                            (2)
    cp(y) = β Σₛ log min(Σₜ αₜ(s), 1)        what every source position has had of attention            (2')

But what is likeliest is rarely what a person would write; where there is no one right answer, sample:

    p'(y) ∝ p(y)^(1/τ) over the k likeliest y, or over the fewest whose Σ p(y) ≥ top_p (the "nucleus")  (3)

(2), (2'): Wu et al. 2016, "Google's neural machine translation system" (arXiv 1609.08144), eq. 14. (3):
Ackley, Hinton and Sejnowski 1985 for τ; Fan, Lewis and Dauphin 2018, "Hierarchical neural story generation",
§5.4 for k; Holtzman et al. 2020, "The curious case of neural text degeneration", eqs. 2 and 3 for top_p.

All of them see a model through three methods, those of `Incremental`: what it has read is its state, a state
of an RNN or the keys and values of a Transformer, so that a step computes only its own token.

Shapes: B sources, k the size of the beam, R = B or B k rows, t tokens written so far, V vocabulary, S source.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from minigrad.backend import to_numpy
from minigrad.creation import as_tensor, full
from minigrad.data import EOS, PAD, SOS
from minigrad.errors import ShapeError
from minigrad.generator import Generator, default_generator
from minigrad.modes import no_grad
from minigrad.tensor import Tensor

NEVER_LOOKED_AT = 1e-6  # what counts for 0 in (2'), whose logarithm would rule a hypothesis out


class Incremental(Protocol):
    """A model that can be asked for one token after the other. Call its eval() first: no dropout here."""

    def start(self, source: Tensor) -> Any:
        """The state of each source before the first token."""

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any, Tensor | None]:
        """Read the tokens (R,): log p (R, V) of the next, the new state, and where it looked, (R, S) or None.

        The old state is used up.
        """

    def reorder(self, state: Any, indices: Tensor) -> Any:
        """The state whose row i is row indices[i] of this one."""


@dataclass(frozen=True)
class Hypothesis:
    """A sequence that was written: its tokens, the last of which is <eos> unless max_length came first.

    The score is (2) for a beam search, elsewhere log p(y | x); attention is (T, S), or None.
    """

    tokens: list[int]
    log_probability: float
    score: float
    attention: np.ndarray | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Limits:
    """What may be written, whatever the model says; lengths count <eos>.

    Args:
        max_length: the most tokens that are written.
        min_length: <eos> may not come before it.
        no_repeat_ngram: no n tokens in a row are written twice (Paulus, Xiong and Socher 2018, "A deep
            reinforced model for abstractive summarization"); 0 for no such rule.
        banned: tokens that are never written either: <eos> and <unk> where a text has no end.

    <pad> and <sos> are never written. A row that has no token left may end.
    """

    max_length: int
    min_length: int = 0
    no_repeat_ngram: int = 0
    banned: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.max_length < 1:
            raise ValueError(f"Limits(): max_length={self.max_length}, expected at least 1")
        if not 0 <= self.min_length <= self.max_length:
            raise ValueError(
                f"Limits(): min_length={self.min_length}, expected 0 to max_length={self.max_length}"
            )
        if self.no_repeat_ngram < 0:
            raise ValueError(f"Limits(): no_repeat_ngram={self.no_repeat_ngram}, expected 0 or more")

    def apply(self, log_p: np.ndarray, history: np.ndarray) -> np.ndarray:
        """log p (R, V), -∞ for what may not follow the history (R, t)."""
        if np.isnan(log_p).any():
            raise ValueError("the model's log p is NaN; did its training diverge?")
        allowed = log_p.copy()
        allowed[:, [PAD, SOS, *self.banned]] = -np.inf
        if history.shape[1] + 1 < self.min_length:
            allowed[:, EOS] = -np.inf
        if 0 < self.no_repeat_ngram <= history.shape[1]:
            n, t = self.no_repeat_ngram, history.shape[1]
            windows = np.lib.stride_tricks.sliding_window_view(history, n, axis=1)  # (R, t - n + 1, n)
            begun = (windows[:, :, :-1] == history[:, None, t - n + 1 :]).all(axis=2)  # (R, t - n + 1)
            rows, places = begun.nonzero()
            allowed[rows, windows[rows, places, -1]] = -np.inf
        stuck = np.isneginf(allowed).all(axis=1)
        allowed[stuck, EOS] = log_p[stuck, EOS]
        return allowed


def greedy(
    model: Incremental, source: Tensor, limits: Limits, *, first: Tensor | None = None
) -> list[Hypothesis]:
    """Write the likeliest next token, step by step: one hypothesis for each source.

    Args:
        model: anything with the methods of `Incremental`.
        source: what its `start` reads, (B, ...).
        limits: the lengths, and what may not be repeated.
        first: the token (B,) that is read before the first is written; <sos> if None.
    """
    return _write(model, source, limits, first, lambda log_p: log_p.argmax(axis=1))


def sample(
    model: Incremental,
    source: Tensor,
    limits: Limits,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    generator: Generator | None = None,
    first: Tensor | None = None,
) -> list[Hypothesis]:
    """Draw every next token from (3): one hypothesis for each source.

    Args:
        model, source, limits, first: see `greedy`.
        temperature: τ; below 1 the likely becomes likelier, above 1 all become more alike.
        top_k: draw from the k likeliest only; None for all.
        top_p: draw from the fewest that together have this probability.
        generator: where the numbers come from; the default generator if None.
    """
    if not 0 < temperature < np.inf:
        raise ValueError(f"sample(): temperature={temperature}, expected more than 0; for 0 call greedy()")
    draw = generator or default_generator()

    def choose(log_p: np.ndarray) -> np.ndarray:
        p = truncated(_softmax(log_p, temperature), top_k, top_p)  # (3)
        height = p.cumsum(axis=1)  # (R, V)
        wanted = (1 - draw.uniform(len(p))) * height[:, -1]  # above 0, so that no token of p = 0 is met
        return (height >= wanted[:, None]).argmax(axis=1)

    return _write(model, source, limits, first, choose)


def truncated(p: np.ndarray, top_k: int | None = None, top_p: float = 1.0) -> np.ndarray:
    """Probabilities (R, V) of the k likeliest tokens and of the nucleus only, which sum to 1 again, (3).

    The nucleus is that of the whole distribution; a token is kept if it is in both.
    """
    if top_k is not None and top_k < 1:
        raise ValueError(f"truncated(): top_k={top_k}, expected at least 1, or None for all tokens")
    if not 0 < top_p <= 1:
        raise ValueError(f"truncated(): top_p={top_p}, expected more than 0 and at most 1")
    order = np.argsort(-p, axis=1, kind="stable")
    ranked = np.take_along_axis(p, order, axis=1)
    before = ranked.cumsum(axis=1) - ranked  # what the likelier ones have together
    keep = (before < top_p) | (np.arange(p.shape[1]) == 0)
    if top_k is not None:
        keep[:, top_k:] = False
    kept = np.zeros_like(p)
    np.put_along_axis(kept, order, np.where(keep, ranked, 0), axis=1)
    return kept / kept.sum(axis=1, keepdims=True)


@no_grad()
def beam_search(
    model: Incremental,
    source: Tensor,
    limits: Limits,
    *,
    beam_size: int = 4,
    length_penalty: float = 0.6,
    coverage_penalty: float = 0.0,
    n_best: int = 1,
    first: Tensor | None = None,
) -> list[list[Hypothesis]]:
    """The n best of the hypotheses that a beam finds, for each source, best first.

    A hypothesis that ends gives its place in the beam up (Sutskever, Vinyals and Le 2014, §3.2), so that a
    beam of 1 is greedy decoding. What has not ended after max_length tokens is compared as it stands.

    Args:
        model, source, limits, first: see `greedy`.
        beam_size: k; Vaswani et al. 2017 take 4, Sutskever et al. 2014 at most 12.
        length_penalty: α of (2); 0 compares log p, which is in favour of the short.
        coverage_penalty: β of (2'), for models that say where they looked; <pad> asks for no attention.
        n_best: how many are returned, at most k.
    """
    if not 1 <= n_best <= beam_size:
        raise ValueError(f"beam_search(): n_best={n_best}, expected 1 to beam_size={beam_size}")
    if not coverage_penalty >= 0:
        raise ValueError(f"beam_search(): coverage_penalty={coverage_penalty}, expected 0 or more")
    B, k, device = source.shape[0], beam_size, source.device
    rank = _Ranking(length_penalty, coverage_penalty, to_numpy(source.array))
    origin = np.arange(B).repeat(k)  # (B k,)
    state = model.reorder(model.start(source), as_tensor(origin, device=device))
    read = _first(source, first)[as_tensor(origin, device=device)]
    beams = _Rows.of(B * k)
    total = np.full((B, k), -np.inf)
    total[:, 0] = 0  # all k are alike at first
    ended: list[list[Hypothesis]] = [[] for _ in range(B)]
    while beams.length < limits.max_length and np.isfinite(total).any():
        log_p, state, attention = model.step(read, state)
        allowed = limits.apply(to_numpy(log_p.array), beams.tokens)  # (B k, V)
        V = allowed.shape[1]
        ways = (total[:, :, None] + allowed.reshape(B, k, V)).reshape(B, k * V)
        best = _largest(ways, k)  # (B, k), best first
        total = np.take_along_axis(ways, best, axis=1)
        places = k - np.array([len(row) for row in ended])
        total[np.arange(k) >= places[:, None]] = -np.inf
        origin = (best // V + k * np.arange(B)[:, None]).ravel()
        token = (best % V).ravel()
        beams = beams.grown(origin, token, attention)
        for b, j in np.argwhere((token.reshape(B, k) == EOS) & np.isfinite(total)):
            ended[b].append(rank.scored(beams.hypothesis(b * k + j, total[b, j]), b))
            total[b, j] = -np.inf
        state = model.reorder(state, as_tensor(origin, device=device))
        read = as_tensor(token, device=device)
    for b, j in np.argwhere(np.isfinite(total)):
        ended[b].append(rank.scored(beams.hypothesis(b * k + j, total[b, j]), b))
    return [sorted(row, key=lambda found: -found.score)[:n_best] for row in ended]


# -------------------------------------------------------------------------------------------- what they share


@dataclass(frozen=True)
class _Rows:
    """What has been written in each row, (R, t), and where the model looked, (R, t, S)."""

    tokens: np.ndarray
    attention: np.ndarray | None = None

    @classmethod
    def of(cls, rows: int) -> "_Rows":
        return cls(np.zeros((rows, 0), dtype=np.int64))

    @property
    def length(self) -> int:
        return self.tokens.shape[1]

    def grown(self, origin: np.ndarray, token: np.ndarray, attention: Tensor | None) -> "_Rows":
        """Row i continues row origin[i] with token[i]."""
        tokens = np.concatenate([self.tokens[origin], token[:, None]], axis=1)
        if attention is None:
            return _Rows(tokens)
        looks = to_numpy(attention.detach().array)[:, None]  # (R, 1, S)
        looks = looks if self.attention is None else np.concatenate([self.attention, looks], axis=1)
        return _Rows(tokens, looks[origin])

    def hypothesis(self, row: int, log_probability: float) -> Hypothesis:
        """A row up to its <eos>; log p(y | x) is its score."""
        tokens = self.tokens[row].tolist()
        length = tokens.index(EOS) + 1 if EOS in tokens else len(tokens)
        attention = None if self.attention is None else self.attention[row, :length].copy()
        return Hypothesis(tokens[:length], float(log_probability), float(log_probability), attention)


@dataclass(frozen=True)
class _Ranking:
    """How a beam search compares what has ended, for sources (B, …)."""

    length_penalty: float
    coverage_penalty: float
    source: np.ndarray

    def scored(self, found: Hypothesis, b: int) -> Hypothesis:
        """The hypothesis for source b with its score (2)."""
        score = found.log_probability / ((5 + len(found.tokens)) / (5 + 1)) ** self.length_penalty  # (2)
        if self.coverage_penalty:
            score += self.coverage_penalty * self._covered(found.attention, b)
        return replace(found, score=float(score))

    def _covered(self, attention: np.ndarray | None, b: int) -> float:
        """cp of (2') without β."""
        if attention is None:
            raise ValueError(
                "beam_search(): the model does not say where it looked, so there is no coverage; take "
                "coverage_penalty=0"
            )
        received = attention.sum(axis=0)  # (S,)
        if self.source.shape[1:] == received.shape:  # tokens, and not the places of an image
            received = received[self.source[b] != PAD]
        return float(np.log(received.clip(NEVER_LOOKED_AT, 1)).sum())  # (2')


@no_grad()
def _write(
    model: Incremental,
    source: Tensor,
    limits: Limits,
    first: Tensor | None,
    choose: Callable[[np.ndarray], np.ndarray],
) -> list[Hypothesis]:
    """Let `choose` pick the next token (B,) from log p (B, V) until every row has written <eos>."""
    B = source.shape[0]
    state = model.start(source)
    read = _first(source, first)
    rows, total, running = _Rows.of(B), np.zeros(B), np.ones(B, dtype=bool)
    while rows.length < limits.max_length and running.any():
        log_p, state, attention = model.step(read, state)
        said = to_numpy(log_p.array)  # (B, V)
        token = np.where(running, choose(limits.apply(said, rows.tokens)), PAD)
        total += np.where(running, said[np.arange(B), token], 0)
        rows = rows.grown(np.arange(B), token, attention)
        running &= token != EOS
        read = as_tensor(token, device=source.device)
    return [rows.hypothesis(b, total[b]) for b in range(B)]


def _first(source: Tensor, first: Tensor | None) -> Tensor:
    """The tokens (B,) that are read before anything is written."""
    B = source.shape[0]
    if first is None:
        return full((B,), SOS, device=source.device)
    if first.shape != (B,):
        raise ShapeError(f"first {first.shape}, expected a token for each of the sources, ({B},)")
    return first


def _softmax(x: np.ndarray, temperature: float) -> np.ndarray:
    """The softmax of each row of x / τ, in float64; a τ near 0 leaves the largest alone."""
    below = x.astype(np.float64) - x.max(axis=1, keepdims=True)
    with np.errstate(over="ignore"):  # -∞ is what is wanted
        p = np.exp(below / temperature)
    return p / p.sum(axis=1, keepdims=True)


def _largest(x: np.ndarray, count: int) -> np.ndarray:
    """Where the largest `count` numbers of each row stand, the largest first."""
    found = np.argpartition(-x, min(count, x.shape[1]) - 1, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(x, found, axis=1), axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1)
