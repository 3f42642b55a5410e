"""The cards of the convolutions, and the functions that call them: nn/functional/convolution.py."""

import itertools
import warnings

import numpy as np

from minigrad import ops, zeros
from minigrad.errors import ShapeError
from minigrad.nn import functional as F
from minigrad.testing.card import Card, Refusal
from minigrad.testing.signatures import convolutions, sums_of_three, transposed_convolutions

# ---------------------------------------------------------------------------------- by the definition


def meetings(lengths, kernel, size, grid):
    """(l, k, i) wherever window i has place l of the input at its place k."""
    for k, i in itertools.product(np.ndindex(*kernel), np.ndindex(*size)):
        each = zip(i, k, grid.stride, grid.dilation, grid.padding, strict=True)
        place = tuple(s * i_ + d * k_ - p for i_, k_, s, d, p in each)
        if all(0 <= at < length for at, length in zip(place, lengths, strict=True)):
            yield (..., *place), (..., *k), (..., *i)


def dense(weight, groups):
    """The weight (O, C, ...) of all pairs of channels: 0 where they belong to different groups."""
    outputs, inputs = weight.shape[0] // groups, weight.shape[1]
    whole = np.zeros((groups * outputs, groups * inputs, *weight.shape[2:]))
    for group in range(groups):
        rows = slice(group * outputs, (group + 1) * outputs)
        whole[rows, group * inputs : (group + 1) * inputs] = weight[rows]
    return whole


def convolve(x, weight, bias=None, *, size, grid):
    z = np.zeros((len(x), len(weight), *size))
    whole = dense(weight, grid.groups)
    for at, k, i in meetings(x.shape[2:], weight.shape[2:], size, grid):
        z[i] += x[at] @ whole[k].T
    return z if bias is None else z + bias.reshape(-1, *[1] * len(size))


def convolve_transposed(z, weight, *, size, grid):
    x = np.zeros((len(z), grid.groups * weight.shape[1], *size))
    whole = dense(weight, grid.groups)
    for at, k, i in meetings(size, weight.shape[2:], z.shape[2:], grid):
        x[at] += z[i] @ whole[k]
    return x


def convolve_weight(x, z, *, size, grid):
    inputs, outputs = x.shape[1] // grid.groups, z.shape[1] // grid.groups
    whole = np.zeros((z.shape[1], x.shape[1], *size))
    for at, k, i in meetings(x.shape[2:], size, z.shape[2:], grid):
        whole[k] += z[i].T @ x[at]
    groups = [slice(group * outputs, (group + 1) * outputs) for group in range(grid.groups)]
    return np.concatenate([whole[rows, inputs * n : inputs * (n + 1)] for n, rows in enumerate(groups)])


# ---------------------------------------------------------------------------------- the functions


def per_dimension(dims, *sizes):
    return [(size,) * dims if isinstance(size, int) else tuple(size) for size in sizes]


def conv(x, weight, bias=None, *, stride, padding, dilation, groups):
    """`convolve`, of an input that is padded first."""
    dims = weight.ndim - 2
    stride, dilation = per_dimension(dims, stride, dilation)
    kernel = weight.shape[2:]
    if padding == "same":
        totals = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        widths = [(total // 2, total - total // 2) for total in totals]
    else:
        widths = [(p, p) for p in per_dimension(dims, 0 if padding == "valid" else padding)[0]]
    x = np.pad(x, [(0, 0)] * (x.ndim - dims) + widths)
    each = zip(x.shape[-dims:], kernel, stride, dilation, strict=True)
    size = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in each]
    grid = ops.Grid(stride, (0,) * dims, dilation, groups)
    y = convolve(x.reshape(-1, *x.shape[-dims - 1 :]), weight, bias, size=size, grid=grid)
    return y.reshape(*x.shape[: -dims - 1], *y.shape[1:])


def conv_transpose(x, weight, bias=None, *, stride, padding, output_padding, groups, dilation):
    """`convolve_transposed` to all that it reaches, and more zeros; then its ends are cut off."""
    dims = weight.ndim - 2
    stride, padding, added, dilation = per_dimension(dims, stride, padding, output_padding, dilation)
    each = zip(x.shape[-dims:], weight.shape[2:], stride, dilation, added, strict=True)
    size = [(n - 1) * s + d * (k - 1) + 1 + a for n, k, s, d, a in each]
    grid = ops.Grid(stride, (0,) * dims, dilation, groups)
    y = convolve_transposed(x.reshape(-1, *x.shape[-dims - 1 :]), weight, size=size, grid=grid)
    y = y[(..., *[slice(p, n - p) for n, p in zip(size, padding, strict=True)])]
    y = y if bias is None else y + bias.reshape(-1, *[1] * dims)
    return y.reshape(*x.shape[: -dims - 1], *y.shape[1:])


def torch_transposed(torch, z, weight, size, grid):
    function = getattr(torch.nn.grad, f"conv{len(size)}d_input")
    shape = (len(z), grid.groups * weight.shape[1], *size)
    return function(shape, weight, z, grid.stride, grid.padding, grid.dilation, grid.groups)


def torch_weight(torch, x, z, size, grid):
    function = getattr(torch.nn.grad, f"conv{len(size)}d_weight")
    shape = (z.shape[1], x.shape[1] // grid.groups, *size)
    return function(x, shape, z, grid.stride, grid.padding, grid.dilation, grid.groups)


def torch_convolve(torch, x, weight, bias=None, *, size, grid):
    function = getattr(torch.nn.functional, f"conv{len(size)}d")
    return function(x, weight, bias, grid.stride, grid.padding, grid.dilation, grid.groups)


def silent(name):
    """The function of PyTorch, which warns where "same" padding is uneven."""

    def call(torch, *inputs, **statics):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(torch.nn.functional, name)(*inputs, **statics)

    return call


def convolution(dims):
    """The card of conv1d, conv2d or conv3d."""
    name = f"conv{dims}d"
    function = getattr(F, name)
    one = (1,) * dims
    x, weight = zeros(1, 2, *[3] * dims), zeros(4, 2, *[2] * dims)
    return Card(
        name, function, convolutions(dims), conv, silent(name), card=ops.convolve,
        errors=[
            Refusal(lambda: function(zeros(*one), weight), ShapeError, f"{name}(): input {one}, expected (N, C, "),
            Refusal(lambda: function([1.0], weight), TypeError, f"{name}(): expected a Tensor, got list"),
            Refusal(lambda: function(x, [1.0]), TypeError, f"{name}(): expected a Tensor, got list"),
            Refusal(lambda: function(x, weight[0]), ShapeError, "expected a weight (O, C / groups, K"),
            Refusal(lambda: function(x, zeros(0, 2, *one)), ShapeError, "no size of 0"),
            Refusal(lambda: function(x, weight, groups=3), ValueError, "groups=3, expected a divisor of the first size"),
            Refusal(lambda: function(x, weight, groups=2), ShapeError, "with 2 channels, expected 4 for weight"),
            Refusal(lambda: function(x, weight, zeros(3)), ShapeError, "bias (3,), expected (4,) for weight"),
            Refusal(lambda: function(x, weight, dilation=3), ShapeError, "does not fit into input"),
            Refusal(lambda: function(x, weight, stride=0), ValueError, "stride 0, expected an int or"),
            Refusal(lambda: function(x, weight, stride=1.5), TypeError, "stride 1.5, expected an int or"),
            Refusal(lambda: function(x, weight, stride=(1,) * 5), ValueError, "stride (1, 1, 1, 1, 1), expected an int"),
            Refusal(lambda: function(x, weight, padding=-1), ValueError, "padding -1, expected an int or"),
            Refusal(lambda: function(x, weight, padding="full"), ValueError, "padding 'full', expected \"valid\""),
            Refusal(lambda: function(x, weight, None, 2, "same"), ValueError, 'padding "same" with stride (2,'),
        ],
    )  # fmt: skip


def transposed(dims):
    """The card of conv_transpose1d, conv_transpose2d or conv_transpose3d."""
    name = f"conv_transpose{dims}d"
    function = getattr(F, name)
    x, weight = zeros(1, 2, *[3] * dims), zeros(2, 4, *[2] * dims)
    return Card(
        name, function, transposed_convolutions(dims), conv_transpose, name, card=ops.convolve_transposed,
        errors=[
            Refusal(lambda: function(x, weight[0]), ShapeError, "expected a weight (C, O / groups, K"),
            Refusal(lambda: function(x, weight[:1]), ShapeError, "with 2 channels, expected 1 for weight"),
            Refusal(lambda: function(x, weight, zeros(3)), ShapeError, "bias (3,), expected (4,) for weight"),
            Refusal(lambda: function(x, weight, padding=2), ShapeError, "give an output of size (0,"),
            Refusal(lambda: function(x, weight, output_padding=1), ValueError, "expected less than stride (1,"),
        ],
    )  # fmt: skip


CARDS = [
    Card("convolve", ops.convolve, sums_of_three("z"), convolve, torch_convolve),
    Card("convolve_transposed", ops.convolve_transposed, sums_of_three("x"), convolve_transposed, torch_transposed),
    Card("convolve_weight", ops.convolve_weight, sums_of_three("weight"), convolve_weight, torch_weight),
    *[convolution(dims) for dims in (1, 2, 3)],
    *[transposed(dims) for dims in (1, 2, 3)],
]  # fmt: skip
