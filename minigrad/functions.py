"""Floor 5: PyTorch's signatures.

Each function checks its arguments, counts dimensions from the front, and calls a card.

Where a card already has the signature that users know (`exp`, `add`, `matmul`, `where`, ...), it is the
function.
"""

import math
from typing import Any

from . import ops
from .backend import as_dtype, default_dtype, device_of, namespace
from .backend import device as device_type
from .errors import DTypeError, ShapeError, normalise_dim, normalise_dims
from .indexing import checked_index
from .shaping import Dims, reshape, squeeze
from .tensor import Tensor, wrap

# ------------------------------------------------------------------------------------------------ elementwise


def pow(input: Any, exponent: Any) -> Tensor:
    """input ** exponent, for numbers and tensors."""
    if isinstance(input, Tensor) and isinstance(exponent, int | float) and input.dtype.kind == "f":
        return ops.power(input, n=exponent)
    if isinstance(input, Tensor) and isinstance(exponent, int) and exponent < 0:
        raise ValueError(
            f"pow(): integers to the negative power {exponent} are not integers; use .float() first"
        )
    return ops.pow_(input, exponent)


def square(input: Tensor) -> Tensor:
    """input², element by element."""
    return ops.power(input, n=2)


def clamp(input: Tensor, min: float | None = None, max: float | None = None) -> Tensor:
    """input limited to [min, max]; at least one limit must be given."""
    if min is None and max is None:
        raise ValueError("clamp(): at least one of min and max must be given")
    if input.dtype.kind != "f" and (isinstance(min, float) or isinstance(max, float)):
        input = to(input, default_dtype())
    return ops.clamp_card(input, low=min, high=max)


def softplus(input: Tensor) -> Tensor:
    """ln(1 + eˣ), element by element."""
    return ops.softplus_card(input)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x Φ(x); approximate="tanh" uses the tanh formula of Hendrycks & Gimpel 2016, eq. 2."""
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu(): approximate must be 'none' or 'tanh', got {approximate!r}")
    return ops.gelu(input, approximate=approximate)


def masked_fill(input: Tensor, mask: Tensor, value: float) -> Tensor:
    """`value` where the bool mask holds, elsewhere the input."""
    if getattr(mask, "dtype", None) != "bool":
        raise DTypeError(
            f"masked_fill(): mask must be bool, got {getattr(mask, 'dtype', type(mask).__name__)}"
        )
    return ops.where(mask, _like(input, value), input)


def _like(input: Tensor, value: Any) -> Any:
    """A Python number as one of the input's type, so that it never changes the type of the result."""
    return value if isinstance(value, Tensor) else input.dtype.type(value).item()


# ------------------------------------------------------------------------------------------------ reductions


def _reduced(name: str, input: Tensor, dim: Dims) -> tuple[int, ...] | None:
    """None when everything is reduced, else the dimensions from the front."""
    dims = None if dim is None else normalise_dims(name, dim, input.ndim)
    return dims if input.ndim else None  # a 0-d tensor accepts dim 0, and has nothing but its one element


def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over `dim` (an int, several, or all). Integers and bools are summed in int64.

    >>> import minigrad as mg
    >>> mg.sum(mg.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    converted = input if dtype is None else to(input, dtype)
    return ops.sum_.fast(converted, dim=_reduced("sum", input, dim), keepdim=keepdim)


def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over `dim`: the sum, divided by the number of elements. Floating types only."""
    converted = input if dtype is None else to(input, dtype)
    if converted.dtype.kind != "f":
        raise DTypeError(f"mean(): expected a floating dtype, got {converted.dtype}; use .float() or dtype=")
    if converted.dtype.itemsize == 2:  # the sum of many float16 would overflow
        return to(mean(to(converted, "float32"), dim, keepdim), converted.dtype)
    dims = _reduced("mean", input, dim)
    count = _count(input.shape, dims)
    total = ops.sum_(converted, dim=dims, keepdim=keepdim)
    return total / count if count else total * math.nan


def _count(shape: tuple[int, ...], dims: tuple[int, ...] | None) -> int:
    """How many elements are reduced to one."""
    return math.prod(shape if dims is None else [shape[d] for d in dims])


def var(input: Tensor, dim: Dims = None, *, correction: float = 1, keepdim: bool = False) -> Tensor:
    """The variance over `dim`, Σ (x - mean)² / (n - correction)."""
    return _variance("var", input, dim, correction, keepdim)


def std(input: Tensor, dim: Dims = None, *, correction: float = 1, keepdim: bool = False) -> Tensor:
    """The standard deviation over `dim`: the square root of `var`."""
    return ops.sqrt(_variance("std", input, dim, correction, keepdim))


def _variance(name: str, input: Tensor, dim: Dims, correction: float, keepdim: bool) -> Tensor:
    dims = _reduced(name, input, dim)
    if input.dtype.itemsize == 2:  # the sum of many float16 would overflow
        return to(_variance(name, to(input, "float32"), dim, correction, keepdim), input.dtype)
    centred = input - mean(input, dims, keepdim=True)
    freedom = _count(input.shape, dims) - correction
    total = ops.sum_(ops.power(centred, n=2), dim=dims, keepdim=keepdim)
    return total / freedom if freedom > 0 else total * math.nan


def _extreme(name: str, input: Tensor, dim: Any, keepdim: bool) -> Any:
    """max and min: of all elements, of two tensors, or (values, indices) along a dimension."""
    if isinstance(dim, Tensor):
        return (ops.maximum if name == "max" else ops.minimum)(input, dim)
    if input.array.size == 0 and (dim is None or input.shape[normalise_dim(name, dim, input.ndim)] == 0):
        raise ValueError(f"{name}(): an empty dimension has no {name}imum, got shape {input.shape}")
    if dim is None:
        return (ops.amax if name == "max" else ops.amin)(input)
    place = normalise_dim(name, dim, input.ndim)
    if input.ndim == 0:
        return ops.clone(input), wrap(namespace(input.array).zeros((), "int64"))
    index = (ops.argmax if name == "max" else ops.argmin)(input, dim=place, keepdim=True)
    values = ops.gather(input, index, dim=place)
    return (values, index) if keepdim else (squeeze(values, place), squeeze(index, place))


def max(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element; along `dim`, (values, indices); of two tensors, the larger of each pair."""
    return _extreme("max", input, dim, keepdim)


def min(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element; along `dim`, (values, indices); of two tensors, the smaller of each pair."""
    return _extreme("min", input, dim, keepdim)


def _filled(name: str, input: Tensor, dims: tuple[int, ...] | None) -> None:
    if _count(input.shape, dims) == 0:
        raise ValueError(f"{name}(): an empty dimension has no extreme value, got shape {input.shape}")


def amax(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The largest element over `dim`; ties share the gradient equally."""
    dims = _reduced("amax", input, dim)
    _filled("amax", input, dims)
    return ops.amax(input, dim=dims, keepdim=keepdim)


def amin(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The smallest element over `dim`; ties share the gradient equally."""
    dims = _reduced("amin", input, dim)
    _filled("amin", input, dims)
    return ops.amin(input, dim=dims, keepdim=keepdim)


def _index_of(op: Any, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    place = None if dim is None else normalise_dim(op.name, dim, input.ndim)
    _filled(op.name, input, None if place is None or input.ndim == 0 else (place,))
    return op(input, dim=None if input.ndim == 0 else place, keepdim=keepdim)


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the first largest element, of all (dim=None) or along `dim`."""
    return _index_of(ops.argmax, input, dim, keepdim)


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the first smallest element, of all (dim=None) or along `dim`."""
    return _index_of(ops.argmin, input, dim, keepdim)


def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Do all elements along `dim` hold?"""
    return ops.all_(input, dim=_reduced("all", input, dim), keepdim=keepdim)


def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Does any element along `dim` hold?"""
    return ops.any_(input, dim=_reduced("any", input, dim), keepdim=keepdim)


def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False) -> Tensor:
    """ln Σ eˣ over `dim`, computed without overflow."""
    return ops.logsumexp(input, dim=_reduced("logsumexp", input, dim), keepdim=keepdim)


def softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """eˣ / Σ eˣ along `dim`."""
    return ops.softmax(
        input if dtype is None else to(input, dtype), dim=normalise_dim("softmax", dim, input.ndim)
    )


def log_softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """x - ln Σ eˣ along `dim`."""
    place = normalise_dim("log_softmax", dim, input.ndim)
    return ops.log_softmax(input if dtype is None else to(input, dtype), dim=place)


# ------------------------------------------------------------------------------------------------ indexing


def getitem(input: Tensor, index: Any) -> Tensor:
    """input[index], with NumPy's and PyTorch's kinds of index; integers out of range are refused."""
    return ops.getitem(input, index=checked_index(input.array, index))


def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """y[i][j] = input[index[i][j]][j] for dim 0: along `dim`, the entries that `index` names.

    The index has as many dimensions as the input, and in none but `dim` may it be longer.
    """
    place = normalise_dim("gather", dim, input.ndim)
    if index.dtype.kind not in "iu":
        raise DTypeError(f"gather(): index must hold integers, got {index.dtype}")
    if input.ndim == index.ndim == 0:
        return reshape(gather(reshape(input, 1), 0, reshape(index, 1)), ())
    sizes = enumerate(zip(index.shape, input.shape, strict=False))
    fits = [n <= size or d == place for d, (n, size) in sizes]
    if index.ndim != input.ndim or False in fits:
        raise ShapeError(
            f"gather(): index of shape {index.shape} does not fit an input of shape {input.shape}; it must "
            f"have as many dimensions and be no longer, except along dimension {place}"
        )
    size = input.shape[place]
    if index.array.size:
        low, high = int(index.array.min()), int(index.array.max())
        if low < 0 or high >= size:
            wrong = low if low < 0 else high
            raise IndexError(f"gather(): index {wrong} out of range for dimension {place} of size {size}")
    return ops.gather(input, index, dim=place)


def embedding(weight: Tensor, indices: Tensor, padding_idx: int | None = None) -> Tensor:
    """The rows of `weight` that `indices` names, unchecked; see nn.functional.embedding."""
    return ops.embedding(weight, indices, padding_idx=padding_idx)


# ------------------------------------------------------------------------------------------------ copies


def to(input: Tensor, *args: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """The tensor as another dtype, on another device, or like another tensor; itself if nothing changes."""
    for argument in args:
        if isinstance(argument, Tensor):
            dtype, device = argument.dtype, argument.device
        elif isinstance(argument, str) and argument.partition(":")[0] in ("cpu", "cuda"):
            device = argument
        elif argument is not None:
            dtype = argument
    if device is not None and device_of(input.array) != device_type(device):
        input = ops.move(input, device=str(device_type(device)), source=device_of(input.array))
    kind = input.dtype if dtype is None else as_dtype(dtype)
    return input if kind == input.dtype else ops.cast(input, dtype=kind)


def clone(input: Tensor) -> Tensor:
    """A copy in memory of its own; gradients pass to the original."""
    return ops.clone(input)


def contiguous(input: Tensor) -> Tensor:
    """The tensor itself if its memory is in order, else a copy that is."""
    return input if input.array.flags.c_contiguous else ops.clone(input)
