"""Pooling: the largest or the mean of what a window sees: nn/functional/{pooling,adaptive_pooling}.py."""

import itertools
import math

import numpy as np
from hypothesis import strategies as st

from minigrad import ops, zeros
from minigrad.errors import ShapeError
from minigrad.nn import functional as F
from minigrad.testing.card import Card, Kink, Refusal
from minigrad.testing.signatures import adapted, halved_images, pooled
from minigrad.testing.strategies import DISTINCT, POSITIVE

NAN = math.nan

# ---------------------------------------------------------------------------------- by the definition


def listed(size, dims):
    return (size,) * dims if isinstance(size, int) else tuple(size)


def ranges(length, kernel, stride, padding, dilation, ceil_mode):
    """The places that each window sees in one dimension; those outside of the input, too."""
    end, span = length + padding, dilation * (kernel - 1) + 1
    starts = range(-padding, end + span, stride)
    if ceil_mode:
        last = next(start for start in starts if start + span >= end)
        starts = [start for start in starts if start <= last and start < length]
    else:
        starts = [start for start in starts if start + span <= end]
    return [range(start, start + span, dilation) for start in starts]


def shrunk(x, per_dimension, chosen):
    """`chosen(channel (C.., *L), places)` for each window: the product of the ranges of each dimension."""
    dims = len(per_dimension)
    y = [chosen(x, window) for window in itertools.product(*per_dimension)]
    shape = (*x.shape[:-dims], *map(len, per_dimension))
    return np.moveaxis(np.array(y).reshape(len(y), *x.shape[:-dims]), 0, -1).reshape(shape)


def seen(x, window):
    """What a window sees of the input, row by row: (..., places), and the numbers of these places."""
    lengths = x.shape[-len(window) :]
    inside = [[at for at in span if 0 <= at < n] for span, n in zip(window, lengths, strict=True)]
    numbers = np.arange(math.prod(lengths)).reshape(lengths)[np.ix_(*inside)].reshape(-1)
    return x.reshape(*x.shape[: -len(window)], math.prod(lengths))[..., numbers], numbers


def largest(x, window):
    return seen(x, window)[0].max(axis=-1)


def place_of_largest(x, window):
    values, numbers = seen(x, window)
    return numbers[values.argmax(axis=-1)]


def max_pool(dims):
    def reference(x, *, kernel_size, stride, padding, dilation, ceil_mode):
        stride = kernel_size if stride is None else stride
        sizes = [listed(size, dims) for size in (kernel_size, stride, padding, dilation)]
        each = [ranges(*one, ceil_mode) for one in zip(x.shape[-dims:], *sizes, strict=True)]
        return shrunk(x, each, largest), shrunk(x, each, place_of_largest).astype("int64")

    return reference


def avg_pool(dims):
    def reference(x, *, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override=None):
        stride = kernel_size if stride is None else stride
        padding, lengths = listed(padding, dims), x.shape[-dims:]
        sizes = [listed(size, dims) for size in (kernel_size, stride)]

        def mean(x, window):
            ends = zip(window, lengths, padding, strict=True)
            padded = math.prod(sum(at < n + p for at in span) for span, n, p in ends)
            values, numbers = seen(x, window)
            count = padded if count_include_pad else len(numbers)
            return values.sum(axis=-1) / (divisor_override or count)

        each = zip(lengths, *sizes, padding, strict=True)
        return shrunk(x, [ranges(*one, 1, ceil_mode) for one in each], mean)

    return reference


def lp_pool(dims):
    def reference(x, *, norm_type, kernel_size, stride, ceil_mode):
        if norm_type in (math.inf, -math.inf):
            sign = 1 if norm_type > 0 else -1
            return (
                sign
                * max_pool(dims)(
                    sign * abs(x),
                    kernel_size=kernel_size,
                    stride=stride,
                    padding=0,
                    dilation=1,
                    ceil_mode=ceil_mode,
                )[0]
            )
        mean = avg_pool(dims)(
            x**norm_type,
            kernel_size=kernel_size,
            stride=stride,
            padding=0,
            ceil_mode=ceil_mode,
            count_include_pad=True,
        )
        return (mean * math.prod(listed(kernel_size, dims))) ** (1 / norm_type)

    return reference


def covering(lengths, output_size):
    """The windows of adaptive pooling, in each dimension."""
    wanted = output_size if isinstance(output_size, tuple) else (output_size,) * len(lengths)
    return [
        [range(i * n // size, math.ceil((i + 1) * n / size)) for i in range(size)]
        for n, size in ((n, n if size is None else size) for n, size in zip(lengths, wanted, strict=True))
    ]


def adaptive_avg_pool(dims):
    def reference(x, *, output_size):
        return shrunk(
            x, covering(x.shape[-dims:], output_size), lambda x, window: seen(x, window)[0].mean(axis=-1)
        )

    return reference


def adaptive_max_pool(dims):
    def reference(x, *, output_size):
        each = covering(x.shape[-dims:], output_size)
        return shrunk(x, each, largest), shrunk(x, each, place_of_largest).astype("int64")

    return reference


def max_unpool(dims):
    """The input with 0 in place of all that is not the largest of its window."""

    def reference(x, *, kernel_size, lengths):
        values, places = max_pool(dims)(
            x, kernel_size=kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False
        )
        y = np.zeros((*x.shape[:-dims], math.prod(lengths)))
        flat = (*x.shape[:-dims], -1)
        np.put_along_axis(y, places.reshape(flat), values.reshape(flat), axis=-1)
        return y.reshape(x.shape)

    return reference


# ---------------------------------------------------------------------------------- the functions


def pooling(name, dims):
    """The errors of a function with a window."""
    function, x = getattr(F, name), zeros(1, 2, *[3] * dims)
    return [
        Refusal(
            lambda: function(zeros(*[3] * dims), 2),
            ShapeError,
            f"{name}(): input {(3,) * dims}, expected (N, C, ",
        ),
        Refusal(lambda: function([1.0], 2), TypeError, f"{name}(): expected a Tensor, got list"),
        Refusal(lambda: function(x, 0), ValueError, "kernel_size 0, expected an int or"),
        Refusal(lambda: function(x, 2, 0), ValueError, "stride 0, expected an int or"),
        Refusal(
            lambda: function(x, 2, 1, 2),
            ValueError,
            f"padding {(2,) * dims}, expected at most half of the window",
        ),
        Refusal(lambda: function(x, 4), ShapeError, f"{name}(): a window of {(4,) * dims} with padding"),
    ]


def largest_of(dims):
    name = f"max_pool{dims}d"
    ties = [
        Kink([[[1.0, 2.0, 2.0]]], [[2.0, 2.0]], [[[0.0, 2.0, 0.0]]], {"kernel_size": 2, "stride": 1}),
        Kink([[[NAN, 2.0, 1.0]]], [[NAN, 2.0]], [[[1.0, 1.0, 0.0]]], {"kernel_size": 2, "stride": 1}),
        Kink(
            [[[-math.inf, -math.inf]]],
            [[-math.inf]],
            [[[1.0, 0.0]]],
            {"kernel_size": 2, "padding": 1, "stride": 3},
        ),
    ]
    return Card(
        name, lambda x, **statics: getattr(F, name)(x, return_indices=True, **statics), pooled(dims, dilated=True),
        max_pool(dims), lambda torch, x, **statics: getattr(torch.nn.functional, name)(x, return_indices=True, **statics),
        (DISTINCT,), ops.max_pool, result=("same", "int64"), errors=pooling(name, dims),
        kinks=ties if dims == 1 else [],
    )  # fmt: skip


def mean_of(dims):
    name = f"avg_pool{dims}d"
    statics = {"count_include_pad": st.booleans()}
    errors = pooling(name, dims)
    if dims > 1:
        statics["divisor_override"] = st.sampled_from((None, 3))
        errors.append(
            Refusal(
                lambda: getattr(F, name)(zeros(1, 2, *[3] * dims), 2, divisor_override=0),
                ValueError,
                f"{name}(): divisor_override 0, expected another number",
            )
        )
    return Card(name, getattr(F, name), pooled(dims, **statics), avg_pool(dims), name, card=ops.convolve, errors=errors)  # fmt: skip


def torch_lp_pool(dims, shift=0.0):
    """PyTorch's function, which takes one int for one dimension."""

    def call(torch, x, *, kernel_size, **statics):
        kernel = kernel_size[0] if dims == 1 and isinstance(kernel_size, tuple) else kernel_size
        return getattr(torch.nn.functional, f"lp_pool{dims}d")(x + shift, kernel_size=kernel, **statics)

    return call


def norm_of(dims):
    name = f"lp_pool{dims}d"
    norms = (2.0, 1.5, 1, 3)
    zero = Kink([[[0.0, 0.0]]], [[0.0]], [[[0.0, 0.0]]], {"kernel_size": 2, "norm_type": 2.0})
    return Card(
        name, getattr(F, name), pooled(dims, padded=False, norm_type=st.sampled_from(norms)), lp_pool(dims),
        torch_lp_pool(dims), (POSITIVE,), errors=[
            Refusal(
                lambda: getattr(F, name)(zeros(1, 2, *[3] * dims), 0, 2), ValueError,
                f"{name}(): norm_type 0, expected another number",
            ),
            Refusal(lambda: getattr(F, name)(zeros(3), 2, 2), ShapeError, "input (3,), expected (N, C, "),
            Refusal(lambda: getattr(F, name)([1.0], 2, 2), TypeError, f"{name}(): expected a Tensor, got list"),
        ],
        kinks=[zero] if dims == 1 else [],
    )  # fmt: skip


def extreme_of(dims):
    """lp_pool with p = ∞ or -∞, of positive numbers that differ."""
    name = f"lp_pool{dims}d"
    signature = pooled(dims, padded=False, norm_type=st.sampled_from((math.inf, -math.inf)))
    return Card(
        f"{name} of an extreme", lambda x, **statics: getattr(F, name)(x + 100.0, **statics), signature,
        lambda x, **statics: lp_pool(dims)(x + 100.0, **statics),
        torch_lp_pool(dims, 100.0), (DISTINCT,), ops.max_pool, dtypes=("float64", "float32"),
    )  # fmt: skip


def adaptive(dims):
    mean, most = f"adaptive_avg_pool{dims}d", f"adaptive_max_pool{dims}d"

    def errors(name):
        function, x = getattr(F, name), zeros(1, 2, *[3] * dims)
        return [
            Refusal(
                lambda: function(zeros(*[3] * dims), 2),
                ShapeError,
                f"{name}(): input {(3,) * dims}, expected",
            ),
            Refusal(lambda: function(x, -1), ValueError, f"output_size {[-1] * dims}, expected an int or"),
            Refusal(
                lambda: function(x, (2,) * 5), ValueError, "output_size (2, 2, 2, 2, 2), expected an int"
            ),
            Refusal(
                lambda: function(zeros(1, *[0] * dims), 1),
                ShapeError,
                "expected no size of 0 but that of the batch",
            ),
        ]

    return [
        Card(mean, getattr(F, mean), adapted(dims), adaptive_avg_pool(dims), mean, errors=errors(mean)),
        Card(
            most, lambda x, **statics: getattr(F, most)(x, return_indices=True, **statics), adapted(dims),
            adaptive_max_pool(dims),
            lambda torch, x, **statics: getattr(torch.nn.functional, most)(x, return_indices=True, **statics),
            (DISTINCT,), ops.max_pool, result=("same", "int64"), errors=errors(most),
        ),
    ]  # fmt: skip


def pooled_and_back(functional, dims):
    """max_unpool of what max_pool gives."""

    def call(x, *, kernel_size, lengths):
        values, places = getattr(functional, f"max_pool{dims}d")(x, kernel_size, return_indices=True)
        return getattr(functional, f"max_unpool{dims}d")(values, places, kernel_size, output_size=lengths)

    return call


def back_again(dims):
    name = f"max_unpool{dims}d"
    function, x, places = getattr(F, name), zeros(1, 2, *[2] * dims), zeros(1, 2, *[2] * dims, dtype="int64")
    return Card(
        name, pooled_and_back(F, dims), halved_images(dims), max_unpool(dims),
        lambda torch, x, **statics: pooled_and_back(torch.nn.functional, dims)(x, **statics), (DISTINCT,), ops.scatter_,
        errors=[
            Refusal(lambda: function(x, places[:, :1], 2), ShapeError, f"{name}(): indices {places[:, :1].shape}, expected"),
            Refusal(lambda: function(x, places + 4**dims, 2), IndexError, f"{name}(): output_size {(4,) * dims}: index"),
            Refusal(lambda: function(x, places - 1, 2), IndexError, ": index -1 at position"),
            Refusal(lambda: function(x, x, 2), TypeError, "indices must be integers, got float32"),
            Refusal(
                lambda: function(x, places, 2, output_size=[6] * dims), ValueError,
                f"output_size {[6] * dims}, expected {(4,) * dims}, give or take less than {(2,) * dims}",
            ),
        ],
    )  # fmt: skip


CARDS = [
    *[largest_of(dims) for dims in (1, 2, 3)],
    *[mean_of(dims) for dims in (1, 2, 3)],
    *[norm_of(dims) for dims in (1, 2, 3)],
    *[extreme_of(dims) for dims in (1, 2)],
    *[card for dims in (1, 2, 3) for card in adaptive(dims)],
    *[back_again(dims) for dims in (1, 2, 3)],
]
