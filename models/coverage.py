"""Attention that remembers where it has been.

Zhaopeng Tu, Zhengdong Lu, Yang Liu, Xiaohua Liu and Hang Li, "Modeling coverage for neural machine
translation", ACL 2016 (arXiv 1601.04811); Abigail See, Peter Liu and Christopher Manning, "Get to the point:
summarization with pointer-generator networks", ACL 2017 (arXiv 1704.04368), §2.3, whose equations these are.

The weakness that it cures.  Attention looks anew at every step, and does not know what has been said: it
translates a word twice and leaves out another.  Here what each source position has had of attention so far,
its coverage, is an argument of the score, and looking again at the same place costs something.

    κₜⱼ  = Σ_{t' < t} αₜ'ⱼ                                   coverage                                   (1)
    eₜⱼ  = vᵀ tanh(W sₜ₋₁ + U hⱼ + w κₜⱼ)                    in place of Bahdanau's                     (2)
    loss = Σⱼ min(αₜⱼ, κₜⱼ)                                  a step's coverage loss                     (3)

Shapes: B batch, T target positions, S source positions.
"""

from typing import NamedTuple

from minigrad import nn
from minigrad.creation import zeros
from minigrad.ops import minimum
from minigrad.tensor import Tensor

from .bahdanau import BahdanauConfig, BahdanauSeq2Seq


class CoverageState(NamedTuple):
    """What goes from step to step: that of Bahdanau's decoder, and κ."""

    s: Tensor  # (B, H)
    memory: Tensor  # (B, S, 2H)
    keys: Tensor  # (B, S, A)
    padding: Tensor  # (B, S)
    coverage: Tensor  # (B, S)


class CoverageSeq2Seq(BahdanauSeq2Seq):
    """Bahdanau's model with coverage in its alignment model; the same configuration.

    >>> import minigrad as mg
    >>> config = BahdanauConfig.tiny(source_vocabulary=9, target_vocabulary=7)
    >>> source, lengths = mg.tensor([[4, 5, 6], [7, 8, 0]]), mg.tensor([3, 2])
    >>> _, weights = CoverageSeq2Seq(config)(source, lengths, mg.tensor([[1, 4], [1, 5]]))
    >>> coverage_loss(weights, mg.tensor([[4, 2], [5, 2]]) != 0).shape
    ()
    """

    def __init__(self, config: BahdanauConfig) -> None:
        super().__init__(config)
        self.w = nn.Linear(1, config.alignment_size, bias=False)

    def first_state(self, source: Tensor, lengths: Tensor) -> CoverageState:
        state = super().first_state(source, lengths)
        nothing = zeros(source.shape, dtype=state.memory.dtype, device=source.device)
        return CoverageState(**state._asdict(), coverage=nothing)

    def energies(self, state: CoverageState) -> Tensor:
        """e of every source position, (B, S)."""
        covered = self.w(state.coverage.unsqueeze(2))  # (B, S, A)
        return self.v((self.W(state.s).unsqueeze(1) + state.keys + covered).tanh()).squeeze(2)  # (2)

    def advance(self, y: Tensor, state: CoverageState) -> tuple[Tensor, CoverageState, Tensor]:
        """A step of Bahdanau's, after which κ has grown."""
        said, state, weights = super().advance(y, state)
        return said, state._replace(coverage=state.coverage + weights), weights  # (1)


def coverage_loss(weights: Tensor, real: Tensor) -> Tensor:
    """The mean of (3) over the target positions that are real (B, T), for weights (B, T, S).

    See et al. add it to the cross entropy, with weight 1, when that has almost converged.
    """
    if weights.ndim != 3 or real.shape != weights.shape[:2]:
        raise ValueError(
            f"coverage_loss(): weights {weights.shape}, real {real.shape}, expected (B, T, S) and (B, T)"
        )
    coverage = weights.cumsum(dim=1) - weights  # (1)
    repeated = minimum(weights, coverage).sum(dim=2)  # (B, T)   (3)
    share = real.to(weights.dtype)
    return (repeated * share).sum() / share.sum()
