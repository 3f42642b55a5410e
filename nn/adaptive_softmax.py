"""The adaptive softmax: a large vocabulary whose rare words are reached by way of clusters.

Shapes: N batch, D in_features, C n_classes, S words in the shortlist, K clusters.
"""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

from minigrad.backend import namespace
from minigrad.errors import ShapeError
from minigrad.functions import cat
from minigrad.tensor import Tensor

from . import functional as F
from .container import ModuleList, Sequential
from .functional.checks import check_indices, check_tensors
from .linear import Linear
from .module import Module


class AdaptiveSoftmaxOutput(NamedTuple):
    """What AdaptiveLogSoftmaxWithLoss gives: log p of every target (N,), and the loss ()."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """p(word) = p(word in the head), or for a rare word p(its cluster) p(word in the cluster)

    The classes are ordered from frequent to rare.  The head holds the first S and one entry for each of the K
    clusters of the others; cluster k has D / qᵏ⁺¹ hidden units, so that rare words cost little memory, and
    time only where they occur.  The loss is the mean of -log p(target).

    Reference: Grave, Joulin, Cissé, Grangier and Jégou 2017, "Efficient softmax approximation for GPUs", §4.

    Args:
        in_features: D, the size of the input.
        n_classes: C.
        cutoffs: where the head ends, and every cluster but the last; increasing, between 1 and C - 1.
        div_value: q.
        head_bias: whether the head has a bias.

    Shape: input (N, D) or (D,), target (N,) or () of class indices; see `AdaptiveSoftmaxOutput` for the
    output. `head.weight` (S + K, D); of cluster k with W words `tail.k.0.weight` (D / qᵏ⁺¹, D) and
    `tail.k.1.weight` (W, D / qᵏ⁺¹).

    >>> from minigrad import tensor, zeros
    >>> from minigrad.nn import AdaptiveLogSoftmaxWithLoss
    >>> softmax = AdaptiveLogSoftmaxWithLoss(8, 100, cutoffs=[10, 50])
    >>> output, loss = softmax(zeros(3, 8), tensor([1, 20, 99]))
    >>> softmax.log_prob(zeros(3, 8)).shape, [round(p, 3) for p in output.exp().tolist()]
    ((3, 100), [0.083, 0.002, 0.002])
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        bounds = [0, *cutoffs, n_classes]
        rising = all(low < high for low, high in itertools.pairwise(bounds))
        if len(bounds) < 3 or not rising or any(bound != int(bound) for bound in bounds):
            raise ValueError(
                f"AdaptiveLogSoftmaxWithLoss(): cutoffs {cutoffs}, expected one integer or several between 1 "
                f"and n_classes - 1 = {n_classes - 1}, each greater than the one before it"
            )
        place = {"device": device, "dtype": dtype}
        self.in_features, self.n_classes, self.cutoffs = in_features, n_classes, bounds[1:]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = self.cutoffs[0], len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, **place)
        self.tail = ModuleList()
        for number, (low, high) in enumerate(itertools.pairwise(self.cutoffs), 1):
            hidden = int(in_features // div_value**number)
            down, up = (in_features, hidden), (hidden, high - low)
            self.tail.append(Sequential(*[Linear(*size, bias=False, **place) for size in (down, up)]))

    def reset_parameters(self) -> None:
        for layer in (self.head, *itertools.chain(*self.tail)):
            layer.reset_parameters()

    def forward(self, input: Tensor, target: Tensor) -> AdaptiveSoftmaxOutput:
        self._check(input, target)
        if target.ndim == 0:
            output, loss = self.forward(input.unsqueeze(0), target.unsqueeze(0))
            return AdaptiveSoftmaxOutput(output.squeeze(0), loss)
        xp = namespace(target.array)
        cluster = xp.searchsorted(xp.asarray(self.cutoffs), target.array, side="right")  # (N,), 0: the head
        entry = xp.where(cluster == 0, target.array, self.shortlist_size + cluster - 1)
        output = _chosen(F.log_softmax(self.head(input), dim=1), Tensor(entry))  # (N,)
        for number in xp.unique(cluster[cluster > 0]).tolist():  # the clusters that occur
            rows = Tensor(xp.flatnonzero(cluster == number))
            word = target[rows] - self.cutoffs[number - 1]
            within = F.log_softmax(self.tail[number - 1](input[rows]), dim=1)
            output = output.index_add(0, rows, _chosen(within, word))
        return AdaptiveSoftmaxOutput(output, -output.mean())

    def log_prob(self, input: Tensor) -> Tensor:
        """log p of every class: (N, D) -> (N, C)."""
        S, head = self.shortlist_size, F.log_softmax(self.head(input), dim=1)
        clusters = [
            F.log_softmax(tail(input), dim=1) + head[:, S + number : S + number + 1]
            for number, tail in enumerate(self.tail)
        ]
        return cat([head[:, :S], *clusters], dim=1)

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class: (N, D) -> (N,)."""
        return self.log_prob(input).argmax(dim=1)

    def _check(self, input: Tensor, target: Tensor) -> None:
        name = "AdaptiveLogSoftmaxWithLoss"
        check_tensors(name, input, target)
        if target.ndim > 1 or input.shape != (*target.shape, self.in_features):
            raise ShapeError(
                f"{name}(in_features={self.in_features}): input {input.shape} and target {target.shape}, "
                "expected (N, in_features) and (N,), or both without N"
            )
        check_indices(f"{name}() with C={self.n_classes} classes: target", target, self.n_classes)


def _chosen(log_p: Tensor, entry: Tensor) -> Tensor:
    """One number of each row: (N, ·), (N,) -> (N,)."""
    return log_p.gather(1, entry.unsqueeze(1)).squeeze(1)
