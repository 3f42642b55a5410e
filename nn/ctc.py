"""Connectionist temporal classification as a module."""

from minigrad.tensor import Tensor

from . import functional as F
from .functional.ctc import Lengths
from .loss import Loss

__all__ = ["CTCLoss"]


class CTCLoss(Loss):
    """l = -ln p(text | x), where p sums over all ways to read the text in T steps

    Reference: Graves, Fernández, Gomez and Schmidhuber 2006, "Connectionist temporal classification:
    labelling unsegmented sequence data with recurrent neural networks", eq. 8.

    Args:
        blank: the letter that stands for none, and that parts two equal letters.
        reduction: "mean" divides each loss by the length of its text before it takes the mean.
        zero_infinity: whether a text that is too long for its steps counts 0, and not ∞.

    Shape: log_probs (T, N, C), logarithms of probabilities; targets (N, S), or all texts in a row;
    input_lengths and target_lengths (N,): how many steps and letters count. Without N: (T, C), (S,) and two
    numbers.

    >>> from minigrad import tensor, zeros
    >>> from minigrad.nn import CTCLoss
    >>> CTCLoss()(zeros(3, 1, 2), tensor([[1, 1]]), (3,), (2,)).item()  # one way, of probability 1
    0.0
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(
        self, log_probs: Tensor, targets: Tensor, input_lengths: Lengths, target_lengths: Lengths
    ) -> Tensor:
        return F.ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity
        )
