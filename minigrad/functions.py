"""Floor 5: PyTorch's signatures.  Each function checks its arguments, counts dimensions from the front, and calls a card.

Where a card already has the signature that users know (`exp`, `add`, `matmul`, `where`, ...), it is the function.
"""

import math
from collections.abc import Sequence
from typing import Any

from . import ops
from .backend import as_dtype, device_of, namespace, result_dtype
from .backend import device as device_type
from .errors import DTypeError, ShapeError, normalise_dim, normalise_dims
from .indexing import checked_index
from .tensor import Tensor, wrap

Dims = int | Sequence[int] | None

# ------------------------------------------------------------------------------------------------ elementwise


def pow(input: Any, exponent: Any) -> Tensor:  # noqa: A001 (PyTorch's name)
    """input ** exponent, for numbers and tensors."""
    if isinstance(input, Tensor) and isinstance(exponent, int | float) and input.dtype.kind == "f":
        return ops.power(input, n=exponent)
    if isinstance(input, Tensor) and isinstance(exponent, int) and exponent < 0:
        raise ValueError(f"pow(): integers to the negative power {exponent} are not integers; use .float() first")
    return ops.pow_(input, exponent)


def square(input: Tensor) -> Tensor:
    """input², element by element."""
    return ops.power(input, n=2)


def clamp(input: Tensor, min: float | None = None, max: float | None = None) -> Tensor:  # noqa: A002
    """input limited to [min, max]; at least one limit must be given."""
    if min is None and max is None:
        raise ValueError("clamp(): at least one of min and max must be given")
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
        raise DTypeError(f"masked_fill(): mask must be bool, got {getattr(mask, 'dtype', type(mask).__name__)}")
    return ops.where(mask, _like(input, value), input)


def _like(input: Tensor, value: Any) -> Any:
    """A Python number as one of the input's type, so that it never changes the type of the result."""
    return value if isinstance(value, Tensor) else input.dtype.type(value).item()


# ------------------------------------------------------------------------------------------------ reductions


def _reduced(name: str, input: Tensor, dim: Dims) -> tuple[int, ...] | None:
    """None when everything is reduced, else the dimensions from the front."""
    return None if dim is None else normalise_dims(name, dim, input.ndim)


def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:  # noqa: A001
    """The sum over `dim` (an int, several, or all). Integers and bools are summed in int64.

    >>> import minigrad as mg
    >>> mg.sum(mg.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    converted = input if dtype is None else to(input, dtype)
    return ops.sum_(converted, dim=_reduced("sum", input, dim), keepdim=keepdim)


def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over `dim`: the sum, divided by the number of elements. Floating types only."""
    converted = input if dtype is None else to(input, dtype)
    if converted.dtype.kind != "f":
        raise DTypeError(f"mean(): expected a floating dtype, got {converted.dtype}; use .float() or dtype=")
    dims = _reduced("mean", input, dim)
    count = _count(input.shape, dims)
    total = ops.sum_(converted, dim=dims, keepdim=keepdim)
    return total / count if count else total * math.nan


def _count(shape: tuple[int, ...], dims: tuple[int, ...] | None) -> int:
    """How many elements are reduced to one."""
    return math.prod(shape if dims is None else [shape[d] for d in dims if shape])


def var(input: Tensor, dim: Dims = None, *, correction: float = 1, keepdim: bool = False) -> Tensor:
    """The variance over `dim`, Σ (x - mean)² / (n - correction)."""
    dims = _reduced("var", input, dim)
    centred = input - mean(input, dims, keepdim=True) if dims != () else input - mean(input)
    freedom = _count(input.shape, dims) - correction
    total = ops.sum_(ops.power(centred, n=2), dim=dims, keepdim=keepdim)
    return total / freedom if freedom > 0 else total * math.nan


def std(input: Tensor, dim: Dims = None, *, correction: float = 1, keepdim: bool = False) -> Tensor:
    """The standard deviation over `dim`: the square root of `var`."""
    return ops.sqrt(var(input, dim, correction=correction, keepdim=keepdim))


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


def max(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:  # noqa: A001
    """The largest element; along `dim`, the pair (values, indices); of two tensors, the larger of each pair."""
    return _extreme("max", input, dim, keepdim)


def min(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:  # noqa: A001
    """The smallest element; along `dim`, the pair (values, indices); of two tensors, the smaller of each pair."""
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


def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:  # noqa: A001
    """Do all elements along `dim` hold?"""
    return ops.all_(input, dim=_reduced("all", input, dim), keepdim=keepdim)


def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:  # noqa: A001
    """Does any element along `dim` hold?"""
    return ops.any_(input, dim=_reduced("any", input, dim), keepdim=keepdim)


def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False) -> Tensor:
    """ln Σ eˣ over `dim`, computed without overflow."""
    return ops.logsumexp(input, dim=_reduced("logsumexp", input, dim), keepdim=keepdim)


def softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """eˣ / Σ eˣ along `dim`."""
    return ops.softmax(input if dtype is None else to(input, dtype), dim=normalise_dim("softmax", dim, input.ndim))


def log_softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """x - ln Σ eˣ along `dim`."""
    place = normalise_dim("log_softmax", dim, input.ndim)
    return ops.log_softmax(input if dtype is None else to(input, dtype), dim=place)


# ------------------------------------------------------------------------------------------------ shape


def _sizes(size: tuple) -> tuple[int, ...]:
    """`f(x, 2, 3)` and `f(x, (2, 3))` both mean (2, 3)."""
    return tuple(size[0]) if len(size) == 1 and isinstance(size[0], tuple | list) else size


def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The same elements in another shape; one size may be -1, to be computed from the others. A view where possible."""
    sizes = _sizes(shape)
    for size in sizes:
        if not hasattr(size, "__index__") or isinstance(size, bool):
            raise TypeError(f"reshape(): sizes must be ints, got {type(size).__name__} {size!r}")
    sizes = tuple(int(size) for size in sizes)
    count, unknown = math.prod(s for s in sizes if s != -1), sizes.count(-1)
    if unknown > 1:
        raise ShapeError(f"reshape(): shape {sizes} has {unknown} sizes of -1, expected only one -1")
    elements = input.array.size
    fits = elements == count if not unknown else (count != 0 and elements % count == 0)
    if not fits or _has_negative(sizes):
        raise ShapeError(
            f"reshape(): shape {sizes} is impossible for {elements} elements of shape {input.shape}; "
            "the product of the sizes must equal the number of elements"
        )
    return ops.reshape(input, shape=tuple(elements // count if size == -1 else size for size in sizes))


def _has_negative(sizes: tuple[int, ...]) -> bool:
    """Is a size below -1?"""
    return bool([size for size in sizes if size < -1])


def view(input: Tensor, *shape: Any) -> Tensor:
    """The same memory in another shape, or another dtype of the same size. RuntimeError if that needs a copy."""
    if len(shape) == 1 and not isinstance(shape[0], tuple | list | int):
        raise TypeError(f"view(): expected sizes, got {shape[0]!r}; a change of dtype is .to(dtype)")
    seen = reshape(input, *shape)
    if seen.base is None and seen.array is not input.array and input.array.size:
        raise ShapeError(f"view(): shape {seen.shape} cannot view the strides of shape {input.shape}; use .reshape()")
    return seen


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions `start_dim` to `end_dim` as one."""
    if input.ndim == 0:
        return ops.reshape(input, shape=(1,))
    first = normalise_dim("flatten", start_dim, input.ndim)
    last = normalise_dim("flatten", end_dim, input.ndim)
    if first > last:
        raise ValueError(f"flatten(): start_dim {start_dim} comes after end_dim {end_dim}")
    middle = math.prod(input.shape[first : last + 1])
    return ops.reshape(input, shape=(*input.shape[:first], middle, *input.shape[last + 1 :]))


def squeeze(input: Tensor, dim: Dims = None) -> Tensor:
    """Without dimensions of size 1: all of them, or those of `dim` that have size 1."""
    chosen = range(input.ndim) if dim is None else normalise_dims("squeeze", dim, input.ndim)
    kept = tuple(s for i, s in enumerate(input.shape) if s != 1 or i not in chosen)
    return ops.reshape(input, shape=kept)


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new dimension of size 1 at `dim`."""
    place = normalise_dim("unsqueeze", dim, input.ndim + 1)
    return ops.reshape(input, shape=(*input.shape[:place], 1, *input.shape[place:]))


def permute(input: Tensor, *dims: Any) -> Tensor:
    """The dimensions in the order `dims`."""
    order = normalise_dims("permute", _sizes(dims), input.ndim)
    if len(order) != input.ndim:
        raise ShapeError(f"permute(): got dims {_sizes(dims)}, expected each of the {input.ndim} dimensions once")
    return ops.permute(input, dims=order)


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """With two dimensions exchanged."""
    first = normalise_dim("transpose", dim0, input.ndim)
    second = normalise_dim("transpose", dim1, input.ndim)
    order = list(range(input.ndim))
    if order:
        order[first], order[second] = second, first
    return ops.permute(input, dims=tuple(order))


def t(input: Tensor) -> Tensor:
    """A matrix transposed; a vector or a number as it is."""
    if input.ndim > 2:
        raise ShapeError(f"t(): expected at most 2 dimensions, got shape {input.shape}; use .mT or .transpose()")
    return ops.mT(input) if input.ndim == 2 else input


def expand(input: Tensor, *size: Any) -> Tensor:
    """Seen at a larger size: dimensions of size 1 are repeated without a copy; -1 keeps a size."""
    sizes = _sizes(size)
    extra = len(sizes) - input.ndim
    kept = tuple(input.shape[i - extra] if s == -1 and i >= extra else s for i, s in enumerate(sizes))
    fits = extra >= 0 and not _misfits(input.shape, kept[extra:])
    if not fits or _has_negative(kept) or -1 in kept:
        raise ShapeError(f"expand(): shape {input.shape} does not expand to {tuple(sizes)}; only sizes of 1 can grow")
    return ops.broadcast_to(input, shape=kept)


def _misfits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> list[int]:
    """The sizes of `shape` that are neither 1 nor as wanted."""
    return [size for size, want in zip(shape, wanted, strict=True) if size not in (1, want)]


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Expanded to the size of `other`."""
    return expand(input, other.shape)


def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """The sum over the dimensions that broadcasting from `size` would stretch: the adjoint of expand."""
    return ops.sum_to(input, shape=_sizes(size))


def _same_kind(name: str, tensors: Sequence[Tensor]) -> list[Tensor]:
    """The tensors of cat and stack, checked and brought to one type."""
    items = list(tensors)
    if not items:
        raise ValueError(f"{name}(): expected at least one tensor, got none")
    for i, item in enumerate(items):
        if not isinstance(item, Tensor):
            raise TypeError(f"{name}(): expected tensors, got {type(item).__name__} at position {i}")
    if len({item.dtype for item in items}) > 1:
        from_all = result_dtype([item.array for item in items])
        items = [to(item, from_all) for item in items]
    return items


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors one behind the other along `dim`; all other sizes must be equal."""
    items = _same_kind("cat", tensors)
    first = items[0]
    if first.ndim == 0:
        raise ShapeError("cat(): 0-d tensors have no dimension to lie along; use stack()")
    place = normalise_dim("cat", dim, first.ndim)
    for i, item in enumerate(items):
        others = (*item.shape[:place], *item.shape[place + 1 :])
        if item.ndim != first.ndim or others != (*first.shape[:place], *first.shape[place + 1 :]):
            raise ShapeError(
                f"cat(): tensor {i} has shape {item.shape}, expected {first.shape} but for dimension {place}"
            )
    return ops.cat(*items, dim=place)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors side by side along a new dimension `dim`; all shapes must be equal."""
    items = _same_kind("stack", tensors)
    for i, item in enumerate(items):
        if item.shape != items[0].shape:
            raise ShapeError(f"stack(): tensor {i} has shape {item.shape}, expected {items[0].shape}")
    return ops.stack(*items, dim=normalise_dim("stack", dim, items[0].ndim + 1))


def split(input: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces along `dim`: each of one size (the last perhaps smaller), or of the sizes given."""
    place = normalise_dim("split", dim, input.ndim)
    if input.ndim == 0:
        raise ShapeError("split(): a 0-d tensor has no dimension to split")
    size = split_size_or_sections
    lengths = ops.split_sizes("split", input.shape[place], size if isinstance(size, int) else tuple(size))
    pieces, start = [], 0
    for length in lengths:
        pieces.append(ops.narrow(input, dim=place, start=start, length=length))
        start += length
    return tuple(pieces)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` pieces of equal size along `dim`."""
    if chunks <= 0:
        raise ValueError(f"chunk(): chunks must be positive, got {chunks}")
    place = normalise_dim("chunk", dim, input.ndim)
    size = -(-input.shape[place] // chunks)
    return split(input, size, place) if size else tuple(input for _ in range(chunks))


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along `dim`, which disappears."""
    place = normalise_dim("unbind", dim, input.ndim)
    return tuple(ops.select(input, dim=place, index=i) for i in range(input.shape[place]))


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """`length` entries from `start` on along `dim`."""
    place = normalise_dim("narrow", dim, input.ndim)
    size = input.shape[place]
    first = start + size if start < 0 else start
    if not (0 <= first <= size and 0 <= length <= size - first):
        raise IndexError(f"narrow(): start {start}, length {length} out of range for dimension {place} of size {size}")
    return ops.narrow(input, dim=place, start=first, length=length)


def flip(input: Tensor, *dims: Any) -> Tensor:
    """With the order along `dims` reversed."""
    return ops.flip(input, dims=normalise_dims("flip", _sizes(dims), input.ndim))


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of each matrix, zero above diagonal number `diagonal`."""
    return ops.tril(input, diagonal=diagonal)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of each matrix, zero below diagonal number `diagonal`."""
    return ops.triu(input, diagonal=diagonal)


# ------------------------------------------------------------------------------------------------ indexing


def getitem(input: Tensor, index: Any) -> Tensor:
    """input[index], with NumPy's and PyTorch's kinds of index; integers out of range are refused."""
    return ops.getitem(input, index=checked_index(input.array, index))


def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """y[i][j] = input[index[i][j]][j] for dim 0: along `dim`, the entries that `index` names."""
    place = normalise_dim("gather", dim, input.ndim)
    if index.dtype.kind not in "iu":
        raise DTypeError(f"gather(): index must hold integers, got {index.dtype}")
    size = input.shape[place]
    if index.array.size and not (0 <= int(index.array.min()) and int(index.array.max()) < size):
        raise IndexError(
            f"gather(): index {int(index.array.max())} out of range for dimension {place} of size {size}"
        )
    return ops.gather(input, index, dim=place)


def embedding(weight: Tensor, indices: Tensor, padding_idx: int | None = None) -> Tensor:
    """The rows of `weight` that `indices` names, unchecked; see nn.functional.embedding."""
    return ops.embedding(weight, indices, padding_idx=padding_idx)


# ------------------------------------------------------------------------------------------------ types, places, copies


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
        input = ops.move(input, device=str(device_type(device)), source=device_of(input.array))  # noqa: A001
    kind = input.dtype if dtype is None else as_dtype(dtype)
    return input if kind == input.dtype else ops.cast(input, dtype=kind)


def clone(input: Tensor) -> Tensor:
    """A copy in memory of its own; gradients pass to the original."""
    return ops.clone(input)


def contiguous(input: Tensor) -> Tensor:
    """The tensor itself if its memory is in order, else a copy that is."""
    return input if input.array.flags.c_contiguous else ops.clone(input)
