"""Normalisation of each channel, over a batch or within an example, with statistics that are remembered."""

from typing import Any, ClassVar

from minigrad.creation import ones, tensor, zeros
from minigrad.errors import ShapeError
from minigrad.modes import no_grad
from minigrad.tensor import Tensor

from . import functional as F
from .functional.checks import tensor_expected
from .norm import Affine

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


class _ChannelNorm(Affine):
    """What all have in common: the buffers running_mean and running_var, which follow the batches.

    num_batches_tracked counts the batches. Without `track_running_stats` all three are None.
    """

    ranks: ClassVar[tuple[int, ...]]  # the numbers of dimensions that the input may have
    layout: ClassVar[str]

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        bias: bool,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__((num_features,), weight=affine, bias=affine and bias, device=device, dtype=dtype)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        tracked = track_running_stats
        options = {"device": device, "dtype": dtype}
        self.register_buffer("running_mean", zeros(num_features, **options) if tracked else None)
        self.register_buffer("running_var", ones(num_features, **options) if tracked else None)
        self.register_buffer("num_batches_tracked", tensor(0, device=device) if tracked else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget every batch seen: mean 0, variance 1, count 0."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        self.reset_running_stats()
        super().reset_parameters()

    def extra_repr(self) -> str:
        affine = f"affine={self.affine}, bias={self.bias is not None}"
        tracked = f"track_running_stats={self.track_running_stats}"
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, {affine}, {tracked}"

    def _check(self, input: Tensor) -> None:
        name = type(self).__name__
        if not isinstance(input, Tensor):
            raise tensor_expected(f"{name}()", input)
        if input.ndim not in self.ranks:
            raise ShapeError(f"{name}({self.num_features}): input {input.shape}, expected {self.layout}")


# ------------------------------------------------------------------------------------------- over a batch


class _BatchNorm(_ChannelNorm):
    """Batch normalisation; the subclasses say how many dimensions the input has."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        self._check(input)
        step = self.momentum
        if self.training and self.track_running_stats:
            with no_grad():
                self.num_batches_tracked.add_(1)
            step = 1 / self.num_batches_tracked.item() if step is None else step  # the mean over all batches
        by_batch = self.training or self.running_mean is None
        statistics = (self.running_mean, self.running_var)
        if self.training and not self.track_running_stats:
            statistics = (None, None)
        return F.batch_norm(input, *statistics, self.weight, self.bias, by_batch, step, self.eps)


class BatchNorm1d(_BatchNorm):
    """y = γ (x - μ) / √(σ² + ε) + β for each channel, with μ and σ² over all else    (in training)

    In evaluation μ and σ² are the running statistics, r ← (1 - momentum) r + momentum s for each batch of
    statistics s; σ² is there the unbiased variance. Reference: Ioffe and Szegedy 2015, "Batch normalization",
    algorithms 1 and 2; γ is `weight`, β is `bias`.

    Args:
        num_features: C, the number of channels.
        eps: what is added to the variance.
        momentum: how far the running statistics follow a batch; None for the mean over all batches.
        affine: whether γ and β are there.
        track_running_stats: whether there are running statistics; else evaluation goes by the batch, too.
        bias: whether β is there.

    Shape: input and output (N, C) or (N, C, L); `weight`, `bias`, `running_mean` and `running_var` (C,).

    >>> from minigrad import tensor
    >>> from minigrad.nn import BatchNorm1d
    >>> norm = BatchNorm1d(1, eps=0.0)
    >>> norm(tensor([[3.0], [5.0]])).tolist(), round(norm.running_mean.item(), 2)
    ([[-1.0], [1.0]], 0.4)
    """

    ranks, layout = (2, 3), "(N, C) or (N, C, L)"


class BatchNorm2d(_BatchNorm):
    """y = γ (x - μ) / √(σ² + ε) + β for each channel, with μ and σ² over N, H and W: BatchNorm1d of images

    Args and reference: those of BatchNorm1d.

    Shape: input and output (N, C, H, W); `weight`, `bias`, `running_mean` and `running_var` (C,).
    """

    ranks, layout = (4,), "(N, C, H, W)"


class BatchNorm3d(_BatchNorm):
    """y = γ (x - μ) / √(σ² + ε) + β for each channel, with μ and σ² over N, D, H, W: BatchNorm1d of volumes

    Args and reference: those of BatchNorm1d.

    Shape: input and output (N, C, D, H, W); `weight`, `bias`, `running_mean` and `running_var` (C,).
    """

    ranks, layout = (5,), "(N, C, D, H, W)"


# ------------------------------------------------------------------------------------------- in an example


class _InstanceNorm(_ChannelNorm):
    """Instance normalisation; the subclasses say how many dimensions the input has."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        self._check(input)
        batched = input.ndim == max(self.ranks)
        y = F.instance_norm(
            input if batched else input.unsqueeze(0),
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            self.momentum,
            self.eps,
        )
        return y if batched else y.squeeze(0)


class InstanceNorm1d(_InstanceNorm):
    """y = γ (x - μ) / √(σ² + ε) + β for each channel of each example, with μ and σ² over the rest of it

    Reference: Ulyanov, Vedaldi and Lempitsky 2016, "Instance normalization: the missing ingredient for fast
    stylization", eq. 3; γ is `weight`, β is `bias`.

    Args:
        num_features: C, the number of channels.
        eps: what is added to the variance.
        momentum: how far the running statistics follow a batch; None: not at all.
        affine: whether γ and β are there.
        track_running_stats: whether there are running statistics, which then serve in evaluation.
        bias: whether β is there.

    Shape: input and output (N, C, L) or (C, L); `weight`, `bias`, `running_mean` and `running_var` (C,).
    """

    ranks, layout = (2, 3), "(N, C, L) or (C, L)"


class InstanceNorm2d(_InstanceNorm):
    """y = γ (x - μ) / √(σ² + ε) + β for each channel of each example, with μ and σ² over H and W

    Args and reference: those of InstanceNorm1d.

    Shape: input and output (N, C, H, W) or (C, H, W); `weight`, `bias`, `running_mean` and
    `running_var` (C,).
    """

    ranks, layout = (3, 4), "(N, C, H, W) or (C, H, W)"


class InstanceNorm3d(_InstanceNorm):
    """y = γ (x - μ) / √(σ² + ε) + β for each channel of each example, with μ and σ² over D, H and W

    Args and reference: those of InstanceNorm1d.

    Shape: input and output (N, C, D, H, W) or (C, D, H, W); `weight`, `bias`, `running_mean` and
    `running_var` (C,).
    """

    ranks, layout = (4, 5), "(N, C, D, H, W) or (C, D, H, W)"
