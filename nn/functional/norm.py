"""Normalisation: subtract a mean, divide by a deviation, scale and shift."""

import math
from collections.abc import Sequence

from minigrad import ops
from minigrad.backend import namespace, numpy
from minigrad.errors import ShapeError
from minigrad.functions import matmul
from minigrad.modes import no_grad
from minigrad.tensor import Tensor, wrap

from .checks import check_tensors, tensor_expected

__all__ = [
    "batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm",
]  # fmt: skip

# ---------------------------------------------------------------------------------------- trailing dimensions


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """y = γ (x - μ) / √(σ² + ε) + β over the trailing dimensions `normalized_shape`; γ is weight, β bias."""
    if not isinstance(input, Tensor):
        raise tensor_expected("LayerNorm", input)
    shape = tuple(normalized_shape)
    if not shape or input.shape[-len(shape) :] != shape:
        raise ShapeError(f"LayerNorm({shape}): input {input.shape}, trailing dimensions must be {shape}")
    return ops.layer_norm(input, weight, bias, dims=len(shape), eps=eps)


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """y = γ x / √(mean x² + ε) over the trailing dimensions `normalized_shape`    (Zhang & Sennrich 2019)

    eps: None for the distance from 1 to the next number of the input's type.
    """
    check_tensors("rms_norm", input)
    shape = tuple(normalized_shape)
    if not shape or input.shape[-len(shape) :] != shape:
        raise ShapeError(f"rms_norm(): input {input.shape}, trailing dimensions must be {shape}")
    smallest = float(numpy.finfo(input.dtype).eps) if eps is None else eps
    return ops.rms_norm(input, weight, dims=len(shape), eps=smallest)


# ------------------------------------------------------------------------------------------------ channels


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float | None = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """y = γ (x - μ) / √(σ² + ε) + β for each channel, which dimension 1 counts    (Ioffe & Szegedy 2015)

    training: μ and σ² are those of the batch, and running_mean and running_var, where they are there, become
    (1 - momentum) times what they were plus momentum times these, σ² without bias; momentum None leaves them
    as they are. Otherwise μ and σ² are running_mean and running_var.
    """
    _check_channels("batch_norm", input, running_mean, running_var, weight, bias)
    if not training:
        return _by_running_statistics("batch_norm", input, running_mean, running_var, weight, bias, eps)
    count = input.numel() // max(input.shape[1], 1)
    if count == 1:
        raise ValueError(f"batch_norm(): input {input.shape}, training needs more than 1 value per channel")
    y, mean, variance = ops.batch_norm(input, weight, bias, eps=eps)
    _follow(running_mean, mean, momentum)
    _follow(running_var, variance.detach() * (count / max(count - 1, 1)), momentum)
    return y


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float | None = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """y = γ (x - μ) / √(σ² + ε) + β for each channel of each example    (Ulyanov et al. 2016, eq. 3)

    use_input_stats: μ and σ² are those of the example, and the running statistics follow their mean over the
    batch; otherwise they are the running statistics.
    """
    _check_channels("instance_norm", input, running_mean, running_var, weight, bias)
    if not use_input_stats:
        return _by_running_statistics("instance_norm", input, running_mean, running_var, weight, bias, eps)
    examples, channels, *others = input.shape
    count = math.prod(others)
    if count == 1:
        raise ValueError(f"instance_norm(): input {input.shape}, expected more than 1 value per channel")
    rows = input.reshape(1, examples * channels, count)  # every channel of every example is one
    y, mean, variance = ops.batch_norm(rows, _repeated(weight, examples), _repeated(bias, examples), eps=eps)
    _follow(running_mean, mean.detach().reshape(examples, channels).mean(0), momentum)
    unbiased = variance.detach().reshape(examples, channels) * (count / max(count - 1, 1))
    _follow(running_var, unbiased.mean(0), momentum)
    return y.reshape(input.shape)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """y = γ (x - μ) / √(σ² + ε) + β, with μ and σ² over each group of neighbouring channels of an example

    (Wu & He 2018.) γ and β have one entry for each channel, which dimension 1 counts.
    """
    _check_channels("group_norm", input, None, None, weight, bias)
    if num_groups <= 0 or input.shape[1] % num_groups:
        raise ValueError(
            f"group_norm(): num_groups={num_groups}, expected a divisor of the {input.shape[1]} channels"
        )
    return ops.group_norm(input, weight, bias, groups=num_groups, eps=eps)


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """y = x / (k + α/n Σ x²)^β, the sum over `size` = n neighbouring channels

    Krizhevsky, Sutskever and Hinton 2012, §3.3; as in PyTorch, and unlike there, α is divided by n.
    """
    check_tensors("local_response_norm", input)
    if input.ndim < 3:
        raise ShapeError(f"local_response_norm(): input {input.shape}, expected (N, C, L, ...)")
    channels = namespace(input.array).arange(input.shape[1])
    ahead = channels - channels[:, None]  # (C, C): how far channel j lies ahead of channel i
    near = wrap(((ahead >= -(size // 2)) & (ahead <= (size - 1) // 2)).astype(input.dtype))
    squares = (input * input).reshape(*input.shape[:2], math.prod(input.shape[2:]))  # (N, C, L)
    sums = matmul(near, squares).reshape(input.shape)
    return input / (sums * (alpha / size) + k) ** beta


def _check_channels(caller: str, input: Tensor, *parameters: Tensor | None) -> None:
    """Errors unless dimension 1 of the input counts channels, and each parameter has one entry for each."""
    check_tensors(caller, input)
    if input.ndim < 2:
        raise ShapeError(f"{caller}(): input {input.shape}, expected (N, C, ...)")
    names = ("running_mean", "running_var", "weight", "bias")
    for name, parameter in zip(names, parameters, strict=True):
        if parameter is not None and parameter.shape != input.shape[1:2]:
            raise ShapeError(
                f"{caller}(): {name} {parameter.shape}, expected {input.shape[1:2]} for input {input.shape}"
            )


def _by_running_statistics(
    caller: str,
    input: Tensor,
    mean: Tensor | None,
    variance: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> Tensor:
    """γ (x - μ) / √(σ² + ε) + β with μ and σ² given, as x times a number plus a number for each channel."""
    if mean is None or variance is None:
        raise ValueError(
            f"{caller}(): running_mean and running_var are needed where the input's are not used"
        )
    scale = (variance.detach() + eps) ** -0.5
    if weight is not None:
        scale = scale * weight
    shift = -mean.detach() * scale
    if bias is not None:
        shift = shift + bias
    channel = (-1, *[1] * (input.ndim - 2))  # (C, 1, ...)
    return (input * scale.reshape(channel) + shift.reshape(channel)).to(input.dtype)


def _follow(running: Tensor | None, found: Tensor, momentum: float | None) -> None:
    """Let a running statistic take a step towards what was found. In place."""
    if running is not None and momentum is not None:
        with no_grad():
            running.mul_(1 - momentum).add_(found * momentum)


def _repeated(parameter: Tensor | None, times: int) -> Tensor | None:
    """The entries of all channels again for each example: (C,) gives (N C,)."""
    if parameter is None:
        return None
    return parameter.expand(times, parameter.shape[0]).reshape(times * parameter.shape[0])
