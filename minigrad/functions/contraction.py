"""Floor 5: sums of products over labelled dimensions: einsum and tensordot; see functions/__init__.py.

Each dimension of an operand has a label, and dimensions of one label run together.  A product of many
operands is made of products of two; of two, a label is of one of four kinds:

    batch       in both, and in the result          left     only in the first
    summed      in both, and not in the result      right    only in the second

so that reordered dimensions make it a product of matrices, (*batch, left, summed) @ (*batch, summed, right).
Each step is an operation on the tape, so the whole is differentiable to any order.
"""

import functools
import itertools
import math
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from minigrad import ops
from minigrad.errors import ShapeError, normalise_dims
from minigrad.tensor import Tensor

from .matrices import check_tensors

__all__ = ["einsum", "tensordot"]
METHODS = ()
IN_PLACE = ()

Label = str | int  # a letter, or a number; negative for the dimensions under an ellipsis, from the right
Labels = tuple[Label, ...]
Term = tuple[Any, ...]  # the labels of one operand, and perhaps ...
Shapes = tuple[tuple[int, ...], ...]


class _Labelled(NamedTuple):
    """A tensor, and the label of each of its dimensions."""

    tensor: Tensor
    labels: Labels

    def size(self, labels: Collection[Label]) -> list[int]:
        """The sizes of the dimensions with these labels."""
        return [self.tensor.shape[self.labels.index(label)] for label in labels]


# ------------------------------------------------------------------------------------------------ einsum


def einsum(equation: Any, *operands: Any) -> Tensor:
    """The sum of products that an equation such as "ij,jk->ik" tells, over the labels not at its end.

    A label is a letter, and names one dimension; "..." stands for those not named, which broadcast. A label
    that an operand has twice takes the diagonal. Without "->" the result has the dimensions of "...", then
    the labels that occur once, in alphabetical order. In place of the equation, each operand may be followed
    by a list of numbers, `einsum(a, [0, 1], b, [1, 2], [0, 2])`. Two operands at a time are multiplied, first
    those that leave the least.

    >>> import minigrad as mg
    >>> a, b = mg.tensor([[1.0, 2.0], [3.0, 4.0]]), mg.tensor([1.0, 10.0])
    >>> mg.einsum("ij,j->i", a, b), mg.einsum("ii", a)
    (tensor([21., 43.]), tensor(5.))
    """
    if isinstance(equation, Tensor):
        terms, end, tensors = _from_lists([equation, *operands])
    elif not isinstance(equation, str):
        raise TypeError(f"einsum(): expected an equation, got {type(equation).__name__} {equation!r}")
    else:
        terms, end = _from_text(equation)
        in_a_list = len(operands) == 1 and isinstance(operands[0], tuple | list)
        tensors = list(operands[0] if in_a_list else operands)
    if len(terms) != len(tensors) or not tensors:
        raise ValueError(f"einsum(): {equation!r} names {len(terms)} operands, got {len(tensors)} tensors")
    for place, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"einsum(): expected Tensors, got {type(tensor).__name__} as operand {place}")
    labels, kept = _labels(terms, end, tuple([tensor.shape for tensor in tensors]))
    named = [_without_repeats(_Labelled(*each)) for each in zip(tensors, labels, strict=True)]
    found = _contracted(named, kept)
    return ops.permute(found, dims=tuple(range(found.ndim))) if found is tensors[0] else found


@functools.lru_cache
def _from_text(equation: str) -> tuple[tuple[Term, ...], Term | None]:
    """The labels of each operand, and of the result, if the equation tells them."""
    start, arrow, end = equation.replace(" ", "").partition("->")
    terms = tuple([_term(text, equation) for text in start.split(",")])
    return terms, _term(end, equation) if arrow else None


def _term(text: str, equation: str) -> Term:
    """The labels of one operand: its letters, and ... for an ellipsis."""
    before, dots, after = text.partition("...")
    labels = (*before, *([...] if dots else []), *after)
    for label in labels:
        if label is not ... and not (label.isascii() and label.isalpha()):
            raise ValueError(f"einsum(): {label!r} in {equation!r} is no label; expected letters, one '...'")
    return labels


def _from_lists(arguments: list[Any]) -> tuple[tuple[Term, ...], Term | None, list[Tensor]]:
    """The same from tensors that are each followed by a list of numbers."""
    end = tuple(arguments.pop()) if len(arguments) % 2 else None
    terms = tuple([tuple(numbers) for numbers in arguments[1::2]])
    for label in itertools.chain(*terms, end or ()):
        if label is not ... and not (isinstance(label, int) and label >= 0):
            raise ValueError(f"einsum(): {label!r} is no label; expected numbers from 0 on, and one Ellipsis")
    return terms, end, arguments[::2]


@functools.lru_cache
def _labels(terms: tuple[Term, ...], end: Term | None, shapes: Shapes) -> tuple[list[Labels], Labels]:
    """A label for each dimension of each operand, and those of the result. What can be wrong is refused."""
    places = range(len(shapes))
    labels = [_whole(*each) for each in zip(terms, shapes, places, strict=True)]
    _check_sizes(labels, shapes)
    counts = Counter(itertools.chain.from_iterable(labels))
    hidden = sorted(label for label in counts if _is_hidden(label))
    if end is None:
        once = sorted(label for label, count in counts.items() if count == 1 and not _is_hidden(label))
        return labels, (*hidden, *once)
    kept = tuple(itertools.chain.from_iterable(hidden if label is ... else (label,) for label in end))
    for label in kept:
        if kept.count(label) > 1 or label not in counts:
            wrong = "occurs twice in the result" if kept.count(label) > 1 else "is in no operand"
            raise ValueError(f"einsum(): label {label!r} {wrong}; expected each label of the result once")
    return labels, kept


def _is_hidden(label: Label) -> bool:
    """Is it the label of a dimension under an ellipsis?"""
    return isinstance(label, int) and label < 0


def _whole(term: Term, shape: tuple[int, ...], place: int) -> Labels:
    """A label for each dimension of one operand."""
    count = sum(label is not ... for label in term)
    if count > len(shape) or (... not in term and count < len(shape)) or term.count(...) > 1:
        raise ShapeError(
            f"einsum(): operand {place} has shape {shape}, but {count} of its dimensions have labels; "
            "name each dimension, or let one '...' stand for the others"
        )
    hidden = range(count - len(shape), 0)
    return tuple(itertools.chain.from_iterable(hidden if label is ... else (label,) for label in term))


def _check_sizes(labels: Sequence[Labels], shapes: Shapes) -> None:
    """ShapeError if a label has several sizes, save that 1 broadcasts from one operand to another."""
    for label in set().union(*labels):
        sizes = [
            {size for each, size in zip(own, shape, strict=True) if each == label}
            for own, shape in zip(labels, shapes, strict=True)
        ]
        if max(map(len, sizes)) > 1 or len(set().union(*sizes) - {1}) > 1:
            raise ShapeError(
                f"einsum(): label {label!r} has different sizes in the shapes {', '.join(map(str, shapes))}; "
                "expected one size in each operand, and the same, or 1, in all"
            )


# ------------------------------------------------------------------------------------------------ products


def _contracted(operands: list[_Labelled], kept: Labels) -> Tensor:
    """The product of all operands, summed over every label that is not in `kept`."""
    while len(operands) > 1:
        pairs = itertools.combinations(range(len(operands)), 2)
        i, j = (0, 1) if len(operands) == 2 else min(pairs, key=_growth(operands, kept))
        second, first = operands.pop(j), operands.pop(i)
        operands.append(_product(first, second, _wanted(operands, kept)))
    return _in_order(_summed(operands[0], kept), kept)


def _wanted(operands: Sequence[_Labelled], kept: Labels) -> set[Label]:
    """The labels that a product must keep: those of the result and of the operands that remain."""
    return set(kept).union(*[labels for _, labels in operands])


def _growth(operands: Sequence[_Labelled], kept: Labels) -> Any:
    """How many elements more there will be when two of the operands are replaced by their product."""

    def growth(pair: tuple[int, int]) -> int:
        two = [operands[place] for place in pair]
        others = [each for place, each in enumerate(operands) if place not in pair]
        sizes = dict(pair for x in two for pair in zip(x.labels, x.tensor.shape, strict=True))
        product = [size for label, size in sizes.items() if label in _wanted(others, kept)]
        return math.prod(product) - sum(math.prod(each.tensor.shape) for each in two)

    return growth


def _product(a: _Labelled, b: _Labelled, wanted: Collection[Label]) -> _Labelled:
    """The product of two operands, summed over the labels that nobody wants any more."""
    a, b = _unstretched(a, b), _unstretched(b, a)
    a, b = _summed(a, {*wanted, *b.labels}), _summed(b, {*wanted, *a.labels})
    shared = [label for label in a.labels if label in b.labels]
    batch = [label for label in shared if label in wanted]
    summed = [label for label in shared if label not in wanted]
    left, right = ([label for label in each.labels if label not in shared] for each in (a, b))
    labels = (*batch, *left, *right)
    if not summed:  # an outer product
        one = _grouped(a, [*_each(batch), *_each(left), *[[]] * len(right)])
        return _Labelled(one * _grouped(b, [*_each(batch), *[[]] * len(left), *_each(right)]), labels)
    if batch and not left and not right:  # matmul would go through the batch one by one
        product = _in_order(a, [*batch, *summed]) * _in_order(b, [*batch, *summed])
        return _summed(_Labelled(product, (*batch, *summed)), batch)
    product = ops.matmul(
        _grouped(a, [*_each(batch), left, summed]), _grouped(b, [*_each(batch), summed, right])
    )
    return _Labelled(_reshaped(product, (*a.size(batch), *a.size(left), *b.size(right))), labels)


def _each(labels: Sequence[Label]) -> list[list[Label]]:
    """A group for each label."""
    return [[label] for label in labels]


def _grouped(x: _Labelled, groups: Sequence[Sequence[Label]]) -> Tensor:
    """The tensor with its dimensions in the order of the groups, and those of a group as one."""
    order = tuple([x.labels.index(label) for group in groups for label in group])
    ordered = x.tensor if order == tuple(range(len(order))) else ops.permute(x.tensor, dims=order)
    return _reshaped(ordered, [math.prod(x.size(group)) for group in groups])


def _in_order(x: _Labelled, labels: Sequence[Label]) -> Tensor:
    """The tensor with its dimensions in the order of `labels`."""
    return _grouped(x, _each(labels))


def _reshaped(tensor: Tensor, sizes: Sequence[int]) -> Tensor:
    """The tensor in another shape, or itself if that is its shape."""
    return tensor if tensor.shape == tuple(sizes) else ops.reshape(tensor, shape=tuple(sizes))


def _unstretched(x: _Labelled, other: _Labelled) -> _Labelled:
    """x without dimensions of size 1 that the other operand has at full size: there is nothing to repeat."""
    kept = [
        label
        for label, size in zip(x.labels, x.tensor.shape, strict=True)
        if size != 1 or label not in other.labels or other.size([label]) == [1]
    ]
    return _Labelled(_reshaped(x.tensor, x.size(kept)), tuple(kept))


def _summed(x: _Labelled, kept: Collection[Label]) -> _Labelled:
    """x summed over the dimensions whose label is not kept."""
    dims = tuple(i for i, label in enumerate(x.labels) if label not in kept)
    labels = tuple(label for label in x.labels if label in kept)
    return _Labelled(ops.sum_(x.tensor, dim=dims), labels) if dims else x


def _without_repeats(x: _Labelled) -> _Labelled:
    """x with the diagonal, as its last dimension, in place of two dimensions of one label."""
    tensor, labels = x
    while repeated := [label for label in labels if labels.count(label) > 1]:
        label = repeated[0]
        first, second, *_ = [place for place, own in enumerate(labels) if own == label]
        tensor = ops.diagonal(tensor, offset=0, dims=(first - len(labels), second - len(labels)))
        labels = (*labels[:first], *labels[first + 1 : second], *labels[second + 1 :], label)
    return _Labelled(tensor, labels)


# ------------------------------------------------------------------------------------------------ tensordot


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """The sum of products over some dimensions of both: (*s, *c) (*c, *t) -> (*s, *t).

    dims: the number of dimensions, the last of `a` and the first of `b`, or two lists, of those of `a` and
    those of `b` that run together. One of size 1 broadcasts.
    """
    check_tensors("tensordot", a, b)
    if isinstance(dims, int):
        if not 0 <= dims <= min(a.ndim, b.ndim):
            raise ShapeError(f"tensordot(): dims={dims} of shapes {a.shape} and {b.shape}: expected fewer")
        dims = (range(a.ndim - dims, a.ndim), range(dims))
    first, second = [
        normalise_dims("tensordot", tuple(own), x.ndim) if len(own) else ()
        for own, x in zip(dims, (a, b), strict=True)
    ]
    sizes = [{a.shape[d], b.shape[e], 1} for d, e in zip(first, second, strict=False)]
    if len(first) != len(second) or max(map(len, sizes), default=0) > 2:
        raise ShapeError(
            f"tensordot(): dimensions {first} of {a.shape} and {second} of {b.shape}: expected equal sizes"
        )
    together = dict(zip(second, first, strict=True))
    labels = [together.get(d, a.ndim + d) for d in range(b.ndim)]
    kept = [label for label in [*range(a.ndim), *labels] if label not in first]
    return _contracted([_Labelled(a, tuple(range(a.ndim))), _Labelled(b, tuple(labels))], tuple(kept))
