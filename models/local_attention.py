"""Attention in a window.

Minh-Thang Luong, Hieu Pham and Christopher D. Manning, "Effective approaches to attention-based neural
machine translation", EMNLP 2015 (arXiv 1508.04025), §3.2.

The weakness that it cures.  Global attention looks at all of a long source for every word that it writes,
though it needs a few places.  Here a window of 2D + 1 positions is looked at, which stands

    pₜ = t                                               monotonic: source and target go side by side   (1)
    pₜ = (S - 1) σ(vᵀ tanh(W hₜ))                        predictive: the decoder says where   (eq. 9)   (2)
    aₜ(s) = softmax_{|s - pₜ| ≤ D} score(hₜ, h̄ₛ)                                                        (3)
    aₜ(s) = (3) · exp(-(s - pₜ)² / 2σ²),  σ = D / 2      predictive                           (eq. 10)  (4)

(4) is what lets a gradient reach pₜ. Differences from the paper: positions count from 0, and S is the length
of each source; all scores are computed and those outside the window masked, so that no time is saved. Where a
window lies behind the end of the source, as (1) may, all weights are 0.

Shapes: B batch, S source positions, H hidden size.
"""

from minigrad import nn
from minigrad.creation import arange
from minigrad.ops import masked_softmax
from minigrad.tensor import Tensor

ALIGNMENTS = ("global", "monotonic", "predictive")


class Window(nn.Module):
    """Weights of the positions near pₜ, (1) to (4).

    Args:
        hidden_size: H.
        reach: D.
        alignment: "monotonic" or "predictive".

    Shape: scores (B, S), h (B, H), t (B,), the number of steps before; padding (B, S), True at it; weights
    (B, S).
    """

    def __init__(self, hidden_size: int, reach: int, alignment: str) -> None:
        super().__init__()
        self.reach, self.alignment = reach, alignment
        if alignment == "predictive":
            self.W = nn.Linear(hidden_size, hidden_size, bias=False)
            self.v = nn.Linear(hidden_size, 1, bias=False)

    def forward(self, scores: Tensor, h: Tensor, t: Tensor, padding: Tensor) -> Tensor:
        s = arange(scores.shape[1], dtype=scores.dtype, device=scores.device)
        if self.alignment == "monotonic":
            p = t.unsqueeze(1)  # (B, 1)   (1)
        else:
            last = (~padding).sum(dim=1, keepdim=True).to(scores.dtype) - 1  # (B, 1)
            p = last * self.v(self.W(h).tanh()).sigmoid()  # (2)
        distance = s - p  # (B, S)
        inside = (abs(distance.detach()) <= self.reach) & ~padding
        weights = masked_softmax(scores, inside, dim=1)  # (3)
        if self.alignment == "monotonic":
            return weights
        return weights * (-(distance**2) / (2 * (self.reach / 2) ** 2)).exp()  # (4)

    def extra_repr(self) -> str:
        return f"reach={self.reach}, {self.alignment}"
