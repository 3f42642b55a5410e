"""Convolutions: each output sees a window of the input, all windows with the same weights."""

from collections.abc import Sequence

from minigrad import ops
from minigrad.errors import ShapeError
from minigrad.tensor import Tensor

from .checks import check_tensors, sizes, with_batch

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
]  # fmt: skip

Size = int | Sequence[int]

# ------------------------------------------------------------------------------------------- convolution


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: str | Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """y[n, o, i] = b[o] + Σ W[o, c, k] x[n, c, s i + d k - p]

    Args:
        input: x (N, C, L) or (C, L).
        weight: W (O, C / groups, K).
        bias: b (O,).
        stride: s, how far a window is from the next.
        padding: p, how many zeros stand at each end; "valid" for none, "same" for as many as give y the
            length of x, with one more at the end if their number is odd.
        dilation: d, how far the places of a window are apart.
        groups: the channels are divided into so many groups, which do not see each other.

    y is (N, O, L') or (O, L') with L' = ⌊(L + 2p - d (K - 1) - 1) / s⌋ + 1.

    >>> import minigrad as mg
    >>> mg.nn.functional.conv1d(mg.tensor([[1.0, 2.0, 4.0]]), mg.tensor([[[-1.0, 1.0]]])).tolist()
    [[1.0, 2.0]]
    """
    return _convolved("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: str | Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """`conv1d` of images (N, C, H, W) or (C, H, W); stride, padding and dilation are an int, or two."""
    return _convolved("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: str | Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """`conv1d` of volumes (N, C, D, H, W) or (C, D, H, W); stride, padding, dilation are an int, or three."""
    return _convolved("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def _convolved(
    caller: str,
    dims: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Size,
    padding: str | Size,
    dilation: Size,
    groups: int,
) -> Tensor:
    """The convolution in `dims` dimensions."""
    x, batched = with_batch(caller, input, dims)
    _check_parameters(caller, x, weight, bias, dims, groups, transposed=False)
    kernel, lengths = weight.shape[2:], x.shape[2:]
    steps, apart = sizes(caller, "stride", stride, dims), sizes(caller, "dilation", dilation, dims)
    spans = [d * (k - 1) + 1 for d, k in zip(apart, kernel, strict=True)]  # from the first place to the last
    if isinstance(padding, str):
        added = _named_padding(caller, padding, spans, steps)
    else:
        added = [(p, p) for p in sizes(caller, "padding", padding, dims, least=0)]
    room = [n + sum(both) - span for n, both, span in zip(lengths, added, spans, strict=True)]
    if min(room) < 0:
        raise ShapeError(
            f"{caller}(): kernel {kernel} with dilation {apart} does not fit into input {input.shape} with "
            f"padding {padding}"
        )
    size = tuple(extra // s + 1 for extra, s in zip(room, steps, strict=True))
    grid = ops.Grid(steps, tuple(before for before, _ in added), apart, groups)
    y = ops.convolve(x, weight, bias, size=size, grid=grid)
    return y if batched else y.squeeze(0)


def _named_padding(
    caller: str, padding: str, spans: Sequence[int], stride: Sequence[int]
) -> list[tuple[int, int]]:
    """How many zeros stand before and after each dimension in "valid" and "same" padding."""
    if padding not in ("valid", "same"):
        raise ValueError(f'{caller}(): padding {padding!r}, expected "valid", "same" or numbers')
    if padding == "valid":
        return [(0, 0)] * len(spans)
    if set(stride) != {1}:
        raise ValueError(f'{caller}(): padding "same" with stride {stride}, expected a stride of 1')
    return [((span - 1) // 2, span // 2) for span in spans]


# ------------------------------------------------------------------------------------------- transposed


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """y[n, o, s i + d k - p] = b[o] + Σ W[c, o, k] x[n, c, i]: the gradient of `conv1d` for its input

    Args:
        input: x (N, C, L) or (C, L).
        weight: W (C, O / groups, K).
        bias: b (O,).
        stride, dilation, groups: as in `conv1d`, of which this is the reverse.
        padding: p, how many places of y are left out at each end.
        output_padding: how many places y is longer at its end; less than stride or dilation.

    y is (N, O, L') or (O, L') with L' = (L - 1) s - 2p + d (K - 1) + output_padding + 1.

    >>> import minigrad as mg
    >>> mg.nn.functional.conv_transpose1d(mg.tensor([[1.0, 2.0]]), mg.tensor([[[-1.0, 1.0]]])).tolist()
    [[-1.0, -1.0, 2.0]]
    """
    return _transposed(
        "conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """`conv_transpose1d` of images (N, C, H, W) or (C, H, W); sizes are an int, or two."""
    return _transposed(
        "conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """`conv_transpose1d` of volumes (N, C, D, H, W) or (C, D, H, W); sizes are an int, or three."""
    return _transposed(
        "conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def _transposed(
    caller: str,
    dims: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Size,
    padding: Size,
    output_padding: Size,
    groups: int,
    dilation: Size,
) -> Tensor:
    """The transposed convolution in `dims` dimensions."""
    x, batched = with_batch(caller, input, dims)
    _check_parameters(caller, x, weight, bias, dims, groups, transposed=True)
    steps, apart = sizes(caller, "stride", stride, dims), sizes(caller, "dilation", dilation, dims)
    left_out = sizes(caller, "padding", padding, dims, least=0)
    added = sizes(caller, "output_padding", output_padding, dims, least=0)
    if any(a >= max(s, d) for a, s, d in zip(added, steps, apart, strict=True)):
        raise ValueError(
            f"{caller}(): output_padding {added}, expected less than stride {steps} or dilation {apart}"
        )
    each = zip(x.shape[2:], weight.shape[2:], steps, left_out, apart, added, strict=True)
    size = tuple((n - 1) * s - 2 * p + d * (k - 1) + a + 1 for n, k, s, p, d, a in each)
    if min(size) < 1:
        raise ShapeError(
            f"{caller}(): input {input.shape} and kernel {weight.shape[2:]} with padding {left_out} give an "
            f"output of size {size}, expected at least 1; use less padding"
        )
    y = ops.convolve_transposed(x, weight, size=size, grid=ops.Grid(steps, left_out, apart, groups))
    if bias is not None:
        y = y + bias.reshape(-1, *[1] * dims)
    return y if batched else y.squeeze(0)


def _check_parameters(
    caller: str, x: Tensor, weight: Tensor, bias: Tensor | None, dims: int, groups: int, *, transposed: bool
) -> None:
    """Errors unless weight and bias fit the input (N, C, ...) and each other."""
    check_tensors(caller, weight, *([] if bias is None else [bias]))
    layout = ("C, O / groups" if transposed else "O, C / groups") + {1: ", K", 2: ", K, L", 3: ", K, L, M"}[
        dims
    ]
    if weight.ndim != dims + 2 or 0 in (len(weight), *weight.shape[2:]) or 0 in x.shape[2:]:
        raise ShapeError(
            f"{caller}(): weight {weight.shape} and input {x.shape}, expected a weight ({layout}) "
            "and no size of 0"
        )
    if groups <= 0 or len(weight) % groups:
        raise ValueError(
            f"{caller}(): groups={groups}, expected a divisor of the first size of weight {weight.shape}"
        )
    channels = len(weight) if transposed else weight.shape[1] * groups
    if x.shape[1] != channels:
        raise ShapeError(
            f"{caller}(): input {x.shape} with {x.shape[1]} channels, expected {channels} for "
            f"weight {weight.shape} ({layout}) and groups={groups}"
        )
    width = weight.shape[1] * groups if transposed else len(weight)
    if bias is not None and bias.shape != (width,):
        raise ShapeError(f"{caller}(): bias {bias.shape}, expected {(width,)} for weight {weight.shape}")
