"""The cards of minigrad/ops/normalise.py and the functions of nn/functional/norm.py."""

import numpy as np
from hypothesis import strategies as st

from minigrad import ops
from minigrad.errors import ShapeError
from minigrad.nn import functional as F
from minigrad.testing.card import Card, Refusal
from minigrad.testing.signatures import channelled, grouped, normalised, shapes
from minigrad.testing.strategies import DISTINCT, NONZERO, REAL, Domain

from .elementwise import zeros

MEAN = Domain(differentiable=False)
VARIANCE = Domain(low=0.25, differentiable=False)
CENTRED = (DISTINCT, REAL)


def affine(y, weight, bias, channel_dim=None):
    """y w + b; w and b belong to the last dimensions, or to `channel_dim`."""
    if channel_dim is not None:
        places = [-1, *[1] * (y.ndim - 1 - channel_dim)]
        weight, bias = (p if p is None else p.reshape(places) for p in (weight, bias))
    return y * (1 if weight is None else weight) + (0 if bias is None else bias)


def standard(x, axis, eps):
    mean, variance = x.mean(axis=axis, keepdims=True), x.var(axis=axis, keepdims=True)
    return (x - mean) / np.sqrt(variance + eps)


def layer_norm(x, weight, bias, dims, eps):
    return affine(standard(x, tuple(range(-dims, 0)), eps), weight, bias)


def torch_layer_norm(torch, x, weight, bias, dims, eps):
    return torch.nn.functional.layer_norm(x, x.shape[x.ndim - dims :], weight, bias, eps)


def rms_norm(x, weight, bias, dims, eps):
    mean_square = (x * x).mean(axis=tuple(range(-dims, 0)), keepdims=True)
    return affine(x / np.sqrt(mean_square + eps), weight, bias)


def all_but_channels(x):
    return tuple(d for d in range(x.ndim) if d != 1)


def batch_norm(x, weight, bias, eps):
    return affine(standard(x, all_but_channels(x), eps), weight, bias, 1)


def batch_norm_by(x, mean, variance, weight, bias, eps):
    scale = 1 / np.sqrt(variance + eps)
    return affine(affine(x, scale, -mean * scale, 1), weight, bias, 1)


def instance_norm(x, weight, bias, eps):
    return affine(standard(x, tuple(range(2, x.ndim)), eps), weight, bias, 1)


def group_norm(x, weight, bias, groups, eps):
    flat = x.reshape(x.shape[0], groups, -1)
    return affine(standard(flat, -1, eps).reshape(x.shape), weight, bias, 1)


def torch_group_norm(torch, x, weight, bias, groups, eps):
    """PyTorch fails on a bias without a weight."""
    if weight is None and bias is not None:
        weight = torch.ones_like(bias)
    return torch.nn.functional.group_norm(x, groups, weight, bias, eps)


def local_response_norm(x, size, alpha, beta, k):
    """One channel after the other."""
    sums = np.zeros_like(x)
    for c in range(x.shape[1]):
        sums[:, c] = (x[:, max(c - size // 2, 0) : c + (size - 1) // 2 + 1] ** 2).sum(axis=1)
    return x / (k + alpha / size * sums) ** beta


@st.composite
def neighbours(draw):
    """x (N, C, L, ...), and the size of a neighbourhood of channels."""
    statics = {
        "size": draw(st.integers(1, 4)),
        "alpha": 0.5,
        "beta": 0.75,
        "k": draw(st.sampled_from((1.0, 2.0))),
    }
    return (draw(shapes(3, 4)),), statics


def misfit(function, name, *arguments):
    """The refusal of a parameter with another number of channels."""
    message = f"{name}(): weight (2,), expected (3,) for input (4, 3)"
    return Refusal(lambda: function(zeros(4, 3), *arguments, weight=zeros(2)), ShapeError, message)


CARDS = [
    Card(
        "layer_norm", ops.layer_norm, normalised(), layer_norm, torch_layer_norm, CENTRED,
        tolerance={
            ("oracle", "float32"): (
                5e-4, "of one number the gradient is 0, but PyTorch's roundings grow by 1 / √ε = 316"
            ),
        },
        errors=[Refusal(lambda: F.layer_norm(zeros(2, 3), (2,)), ShapeError, "trailing dimensions must be (2,)")],
    ),
    Card(
        "rms_norm", ops.rms_norm, normalised().map(lambda drawn: (drawn[0][:2], drawn[1])),
        lambda x, weight, dims, eps: rms_norm(x, weight, None, dims, eps),
        lambda torch, x, weight, dims, eps: torch.nn.functional.rms_norm(x, x.shape[x.ndim - dims :], weight, eps),
        (NONZERO, REAL),  # at 0 the curvature is 1 / ε
        errors=[
            Refusal(lambda: F.rms_norm(zeros(2, 3), (2,)), ShapeError, "rms_norm(): input (2, 3)"),
            Refusal(lambda: F.rms_norm([1.0], (1,)), TypeError, "rms_norm(): expected a Tensor, got list"),
        ],
    ),
    Card(
        "batch_norm", ops.batch_norm, channelled(),
        lambda x, weight, bias, eps: (
            batch_norm(x, weight, bias, eps), x.mean(axis=all_but_channels(x)), x.var(axis=all_but_channels(x))
        ),
        None, CENTRED, dtypes=("float64", "float32"), result=("same", "same", "same"),
    ),
    Card(
        "batch_norm in training",
        lambda x, weight, bias, eps: F.batch_norm(x, None, None, weight, bias, training=True, eps=eps),
        channelled(), batch_norm,
        lambda torch, x, weight, bias, eps: torch.nn.functional.batch_norm(x, None, None, weight, bias, True, eps=eps),
        CENTRED, ops.batch_norm,
        errors=[
            misfit(F.batch_norm, "batch_norm", None, None),
            Refusal(
                lambda: F.batch_norm(zeros(1, 3), None, None, training=True), ValueError,
                "batch_norm(): input (1, 3), training needs more than 1 value per channel",
            ),
            Refusal(lambda: F.batch_norm(zeros(3), None, None), ShapeError, "input (3,), expected (N, C, ...)"),
        ],
    ),
    Card(
        "batch_norm in evaluation", F.batch_norm, channelled(running=True), batch_norm_by,
        lambda torch, *inputs, **statics: torch.nn.functional.batch_norm(*inputs, **statics),
        (REAL, MEAN, VARIANCE, REAL),
        errors=[Refusal(lambda: F.batch_norm(zeros(2, 3), None, None), ValueError, "running_mean and running_var")],
    ),
    Card(
        "instance_norm",
        lambda x, weight, bias, eps: F.instance_norm(x, weight=weight, bias=bias, eps=eps),
        channelled().filter(lambda drawn: np.prod(drawn[0][0][2:]) > 1), instance_norm,
        lambda torch, x, weight, bias, eps: torch.nn.functional.instance_norm(x, None, None, weight, bias, eps=eps),
        CENTRED, ops.batch_norm,
        errors=[
            misfit(F.instance_norm, "instance_norm"),
            Refusal(lambda: F.instance_norm(zeros(4, 3, 1)), ValueError, "expected more than 1 value per channel"),
        ],
    ),
    Card(
        "group_norm", ops.group_norm, grouped().filter(lambda drawn: np.prod(drawn[0][0][1:]) > drawn[1]["groups"]),
        group_norm, torch_group_norm, CENTRED,
        errors=[
            misfit(F.group_norm, "group_norm", 1),
            Refusal(lambda: F.group_norm(zeros(4, 3), 2), ValueError, "num_groups=2, expected a divisor of the 3"),
        ],
    ),
    Card(
        "local_response_norm", F.local_response_norm, neighbours(), local_response_norm,
        lambda torch, x, **statics: torch.nn.functional.local_response_norm(x, **statics),
        errors=[Refusal(lambda: F.local_response_norm(zeros(2, 3), 2), ShapeError, "expected (N, C, L, ...)")],
    ),
]  # fmt: skip
