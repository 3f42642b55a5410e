"""Dropout: noise during training that leaves the expectation as it is."""

from minigrad.tensor import Tensor

from . import functional as F
from .functional.checks import check_probability
from .module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _Dropout(Module):
    """What all have in common: p, the probability that something is dropped, in [0, 1]."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check_probability(type(self).__name__, p)
        self.p, self.inplace = p, inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """y = x m / (1 - p) in training, with m = 0 with probability p and else 1; y = x in evaluation.

    Reference: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov 2014, "Dropout: a simple way to
    prevent neural networks from overfitting", §4; the division by 1 - p is done in training rather than in
    evaluation.

    Args:
        p: the probability that an element is dropped, in [0, 1].
        inplace: whether the output takes the input's memory.

    Shape: any; the output's is the input's.

    >>> from minigrad import ones
    >>> from minigrad.nn import Dropout
    >>> Dropout(0.5).eval()(ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """y = x m / (1 - p) in training, with one m for each channel: Dropout of whole channels

    Reference: Tompson, Goroshin, Jain, LeCun and Bregler 2015, "Efficient object localization using
    convolutional networks", §3.2.

    Args:
        p: the probability that a channel is dropped, in [0, 1].
        inplace: whether the output takes the input's memory.

    Shape: input and output (N, C, L) or (C, L).
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """y = x m / (1 - p) in training, with one m for each channel: Dropout of whole channels

    Reference: Tompson, Goroshin, Jain, LeCun and Bregler 2015, "Efficient object localization using
    convolutional networks", §3.2.

    Args:
        p: the probability that a channel is dropped, in [0, 1].
        inplace: whether the output takes the input's memory.

    Shape: input and output (N, C, H, W); as in PyTorch, three dimensions are taken as (N, C, L).
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """y = x m / (1 - p) in training, with one m for each channel: Dropout of whole channels

    Reference: Tompson, Goroshin, Jain, LeCun and Bregler 2015, "Efficient object localization using
    convolutional networks", §3.2.

    Args:
        p: the probability that a channel is dropped, in [0, 1].
        inplace: whether the output takes the input's memory.

    Shape: input and output (N, C, D, H, W) or (C, D, H, W).
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Dropout for SELU: y = a (x m - α' (1 - m)) + b, where a and b keep mean 0 and variance 1.

    What is dropped becomes -α' = -αs, the limit of SELU at -∞. Reference: Klambauer, Unterthiner, Mayr and
    Hochreiter 2017, "Self-normalizing neural networks", §3, "New dropout technique".

    Args:
        p: the probability that an element is dropped, in [0, 1].
        inplace: whether the output takes the input's memory.

    Shape: any; the output's is the input's.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training, self.inplace)


class FeatureAlphaDropout(_Dropout):
    """y = a (x m - α' (1 - m)) + b in training, with one m for each channel: AlphaDropout of whole channels

    Reference: that of AlphaDropout.

    Args:
        p: the probability that a channel is dropped, in [0, 1].
        inplace: whether the output takes the input's memory.

    Shape: input and output (N, C, *).
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.feature_alpha_dropout(input, self.p, self.training, self.inplace)
