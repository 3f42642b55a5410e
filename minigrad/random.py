"""Floor 5: random tensors, and tensors filled at random, under PyTorch's names.

All draws come from `generator`, or from the default one, which `manual_seed` seeds: see generator.py.  They
are constants: no gradient reaches what they were drawn by.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy

from .backend import (
    Array,
    as_dtype,
    default_dtype,
    int64,
    is_array,
    namespace,
    on_device,
    refuse_outside,
    refuse_where,
    to_device,
)
from .conversion import made
from .creation import like, sizes_of
from .errors import DTypeError, ShapeError, broadcast_error
from .generator import Generator, default_generator
from .inplace import assign, check_writable, is_recorded
from .kernels.drawing import drawn_by_weight, first_arrivals
from .tensor import Tensor, wrap

__all__ = [
    "bernoulli", "multinomial", "normal", "rand", "rand_like", "randint", "randint_like", "randn",
    "randn_like", "randperm",
]  # fmt: skip
METHODS = (
    *("bernoulli", "multinomial"),
    *("bernoulli_", "cauchy_", "exponential_", "geometric_", "log_normal_", "normal_", "random_", "uniform_"),
)


def _floating(name: str, dtype: Any) -> numpy.dtype:
    kind = default_dtype() if dtype is None else as_dtype(dtype)
    if kind.kind != "f":
        raise DTypeError(f"{name}(): expected a floating dtype, got {kind}")
    return kind


def _check_probabilities(name: str, p: Array) -> None:
    """ValueError unless all numbers of an array lie in [0, 1]."""
    refuse_where(~((p >= 0) & (p <= 1)), f"{name}(): expected probabilities in [0, 1], got numbers outside")


# ------------------------------------------------------------------------------------------------ new tensors


def rand(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform random numbers in [0, 1)."""
    shape, kind = sizes_of("rand", sizes, size), _floating("rand", dtype)
    return made(
        (generator or default_generator()).uniform(shape, kind, device or "cpu"), device, requires_grad
    )


def randn(
    *sizes: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Standard normal random numbers."""
    shape, kind = sizes_of("randn", sizes, size), _floating("randn", dtype)
    return made(
        (generator or default_generator()).normal(shape, kind, device or "cpu"), device, requires_grad
    )


def randint(
    low: Any = 0,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = int64,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random integers in [low, high): `randint(high, size)` or `randint(low, high, size)`."""
    if size is None:
        low, high, size = 0, low, high
    if not isinstance(size, tuple | list) or not hasattr(low, "__index__") or not hasattr(high, "__index__"):
        raise TypeError(f"randint(): expected [low,] high and size, got {low!r}, {high!r} and {size!r}")
    shape = sizes_of("randint", (), size)
    values = _integers("randint", int(low), int(high), shape, dtype, generator, device)
    return made(values, device, requires_grad)


def _integers(
    name: str,
    low: int,
    high: int,
    shape: tuple[int, ...],
    dtype: Any,
    generator: Generator | None,
    where: str | None,
) -> Array:
    """Integers in [low, high) as numbers of a type that can hold them."""
    kind = as_dtype(dtype)
    if low >= high:
        raise ValueError(f"{name}(): from {low} to {high}, expected low < high")
    if kind.kind in "iu" and not numpy.iinfo(kind).min <= low < high <= numpy.iinfo(kind).max + 1:
        raise ValueError(f"{name}(): numbers from {low} to {high - 1} do not fit into {kind}")
    place = where or "cpu"
    with on_device(place):
        return (generator or default_generator()).integers(low, high, shape, place).astype(kind)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: Any = int64,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The integers 0 ... n - 1 in random order."""
    if n < 0:
        raise ValueError(f"randperm(): n must not be negative, got {n}")
    place = device or "cpu"
    with on_device(place):
        order = (generator or default_generator()).permutation(n, place).astype(as_dtype(dtype), copy=False)
    return made(order, device, requires_grad)


def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform random numbers in [0, 1), in the shape, type and device of `input`."""
    model = like(input, dtype, device)
    return rand(input.shape, generator=generator, requires_grad=requires_grad, **model)


def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Standard normal random numbers in the shape, type and device of `input`."""
    model = like(input, dtype, device)
    return randn(input.shape, generator=generator, requires_grad=requires_grad, **model)


def randint_like(
    input: Tensor,
    low: int = 0,
    high: int | None = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random integers in [low, high), or [0, low), in the shape, type and device of `input`."""
    first, last = (0, low) if high is None else (low, high)
    model = like(input, dtype, device)
    return randint(first, last, input.shape, generator=generator, requires_grad=requires_grad, **model)


# ------------------------------------------------------------------------------------------- distributions


def _values(a: Any) -> Array:
    """A Tensor's array, or an array, or a number as one, on the host."""
    array = a.array if isinstance(a, Tensor) else a
    return array if is_array(array) else numpy.asarray(array)


def _uniform(input: Tensor, generator: Generator | None) -> Array:
    """A number of [0, 1) for each element, float64, made where the tensor is."""
    return (generator or default_generator()).uniform(input.shape, where=input.device)


def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that the input says, or with probability p everywhere, else 0.

    >>> import minigrad as mg
    >>> mg.bernoulli(mg.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    if p is None and input.dtype.kind != "f":
        raise DTypeError(f"bernoulli(): probabilities must be floating, got {input.dtype}; or pass p")
    chances = _values(input if p is None else p)
    _check_probabilities("bernoulli", chances)
    drawn = _uniform(input, generator) < to_device(chances, input.device)
    return wrap(_values(drawn.astype(input.dtype)))


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Numbers of categories drawn by their weights: (..., categories) -> (..., num_samples), int64.

    The input is a vector, or a matrix with a row for each draw; its weights need not sum to 1. Without
    replacement no category is drawn twice. On a GPU weights that cannot be drawn by are a ValueError when
    values next reach the host.

    >>> import minigrad as mg
    >>> mg.multinomial(mg.tensor([0.0, 3.0, 0.0]), 2, replacement=True).tolist()
    [1, 1]
    """
    if input.dtype.kind != "f":
        raise DTypeError(f"multinomial(): weights must be floating, got {input.dtype}; convert with .float()")
    if input.ndim not in (1, 2):
        raise ShapeError(f"multinomial(): got shape {input.shape}, expected a vector or a matrix of weights")
    limits = (
        f"multinomial(): num_samples {num_samples}, expected at least 1, and without replacement at most the "
        "number of categories of positive weight, here "
    )
    categories, place = input.shape[-1], input.device
    fewest = 1 if replacement else num_samples  # categories of positive weight
    if num_samples < 1 or categories < fewest:
        raise ValueError(f"{limits}{categories}")
    weights = input.array.reshape(-1, categories).astype("float64")
    right = ((weights >= 0) & (weights < math.inf)).all(axis=1) & weights.any(axis=1)
    refuse_where(~right, "multinomial(): weights must be finite, not negative, and in no row all 0")
    random, xp = generator or default_generator(), namespace(weights)
    if replacement:
        found = drawn_by_weight(xp, weights, random.uniform((len(weights), num_samples), where=place))
    else:
        enough = fewest, categories + 1
        refuse_outside((weights > 0).sum(axis=1), *enough, lambda n, _place: f"{limits}{n}", ValueError)
        found = first_arrivals(xp, weights, random.uniform(weights.shape, where=place))[:, :num_samples]
    return wrap(found.reshape(*input.shape[:-1], num_samples))


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal random numbers; mean and standard deviation are tensors that broadcast, or numbers.

    Where both are numbers, `size` is the shape.
    """
    model = next((a for a in (mean, std) if isinstance(a, Tensor)), None)
    if (model is None) == (size is None):
        came = "two numbers without" if model is None else "a tensor and"
        raise TypeError(f"normal(): got {came} a size, expected tensors, or two numbers and a size")
    centre, spread = _values(mean), _values(std)
    refuse_where(~(spread >= 0), "normal(): a standard deviation must not be negative")
    shape = _broadcast("normal", centre.shape, spread.shape) if size is None else sizes_of("normal", (), size)
    kind = _floating("normal", model.dtype if model is not None and dtype is None else dtype)
    place = (device or "cpu") if model is None else model.device
    with on_device(place):
        drawn = (generator or default_generator()).normal(shape, "float64", place)
        values = (drawn * to_device(spread, place) + to_device(centre, place)).astype(kind)
    return made(_values(values), device, requires_grad)


def _broadcast(name: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    try:
        return numpy.broadcast_shapes(*shapes)
    except ValueError:
        raise broadcast_error(name, shapes) from None


# ------------------------------------------------------------------------------------------------ in place


def _check(self: Tensor, name: str, floating: bool = True) -> None:
    """Refuse a tensor that cannot be written to, before anything is drawn."""
    if floating and self.dtype.kind != "f":
        raise DTypeError(f"{name}(): expected a floating tensor, got {self.dtype}")
    check_writable(self, is_recorded(self), name)


def _fill(self: Tensor, values: Any, name: str) -> Tensor:
    """Write what was drawn. Returns the tensor."""
    found = _values(values).astype(self.dtype, copy=False)
    return assign(self, Ellipsis, wrap(to_device(found, self.device)), name)


def uniform_(
    self: Tensor, low: float = 0.0, to: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Fill with uniform numbers between the two. Returns the tensor."""
    _check(self, "uniform_")
    if not low <= to:
        raise ValueError(f"uniform_(): from {low} to {to}, expected numbers in their order")
    drawn = (generator or default_generator()).uniform(self.shape, self.dtype, self.device)
    return _fill(self, drawn * (to - low) + low, "uniform_")


def normal_(
    self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Fill with normal numbers. Returns the tensor."""
    _check(self, "normal_")
    _check_positive("normal_", "std", std, zero=True)
    drawn = (generator or default_generator()).normal(self.shape, self.dtype, self.device)
    return _fill(self, drawn * std + mean, "normal_")


def log_normal_(
    self: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None
) -> Tensor:
    """Fill with numbers whose logarithms are normal. Returns the tensor."""
    _check(self, "log_normal_")
    _check_positive("log_normal_", "std", std)
    drawn = (generator or default_generator()).normal(self.shape, "float64", self.device)
    return _fill(self, namespace(drawn).exp(drawn * std + mean), "log_normal_")


def exponential_(self: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with numbers of density λ e^{-λx}. Returns the tensor."""
    _check(self, "exponential_")
    _check_positive("exponential_", "lambd", lambd)
    drawn = _uniform(self, generator)
    return _fill(self, -namespace(drawn).log1p(-drawn) / lambd, "exponential_")


def cauchy_(
    self: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Fill with numbers of density 1 / (πσ (1 + ((x - median) / σ)²)). Returns the tensor."""
    _check(self, "cauchy_")
    _check_positive("cauchy_", "sigma", sigma)
    drawn = _uniform(self, generator)
    return _fill(self, median + sigma * namespace(drawn).tan(math.pi * (drawn - 0.5)), "cauchy_")


def geometric_(self: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Fill with the number of trials until one succeeds, each with probability p. Returns the tensor."""
    _check(self, "geometric_", floating=False)
    if not 0 < p < 1:
        raise ValueError(f"geometric_(): p={p}, expected a probability in (0, 1)")
    drawn = _uniform(self, generator)
    xp = namespace(drawn)
    return _fill(self, xp.floor(xp.log1p(-drawn) / math.log1p(-p)) + 1, "geometric_")


def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Fill with 1, with probability p (a number, or a tensor that expands to this one), else 0."""
    _check(self, "bernoulli_", floating=False)
    chances = _values(p)
    _check_probabilities("bernoulli_", chances)
    if _broadcast("bernoulli_", self.shape, chances.shape) != self.shape:
        raise ShapeError(f"bernoulli_(): p of shape {chances.shape} does not expand to {self.shape}")
    return _fill(self, _uniform(self, generator) < to_device(chances, self.device), "bernoulli_")


def random_(
    self: Tensor, low: int | None = None, to: int | None = None, *, generator: Generator | None = None
) -> Tensor:
    """Fill with integers: `random_(to)` from 0, `random_(from, to)` from the first number, to below `to`.

    random_() takes all that are not negative and that the type can tell apart: of a floating type those up to
    2 to the number of its digits. Returns the tensor.
    """
    _check(self, "random_", floating=False)
    if low is None:
        low, to = 0, _ends(self.dtype)
    first, last = (0, low) if to is None else (low, to)
    values = _integers("random_", first, last, self.shape, self.dtype, generator, self.device)
    return _fill(self, values, "random_")


def _ends(kind: numpy.dtype) -> int:
    """The first integer that is not drawn for a type."""
    if kind.kind == "f":
        return 2 ** (numpy.finfo(kind).nmant + 1)
    return 2 if kind.kind == "b" else min(int(numpy.iinfo(kind).max) + 1, 2**63)


def _check_positive(name: str, argument: str, value: float, zero: bool = False) -> None:
    if not (value > 0 or (zero and value == 0)):
        raise ValueError(f"{name}(): {argument}={value}, expected a positive number{' or 0' if zero else ''}")
