"""Dropout: noise during training that leaves the expectation as it is."""

from minigrad.tensor import Tensor

from . import functional as F
from .functional.checks import check_probability
from .module import Module


class Dropout(Module):
    """y = x m / (1 - p) in training, with m = 0 with probability p and else 1; y = x in evaluation.

    Reference: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov 2014, "Dropout: a simple way to
    prevent neural networks from overfitting", §4; the division by 1 - p is done in training rather than in
    evaluation.

    Args:
        p: the probability that an element is dropped, in [0, 1].

    Shape: any; the output's is the input's.

    >>> from minigrad import ones
    >>> from minigrad.nn import Dropout
    >>> Dropout(0.5).eval()(ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        check_probability("Dropout", p)
        self.p = p

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}"
