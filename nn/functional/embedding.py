"""Rows of a table, by number: one by one, or several of them made one."""

import math
from typing import Any

from minigrad import ops
from minigrad.backend import namespace
from minigrad.creation import arange
from minigrad.errors import ShapeError
from minigrad.functions import where
from minigrad.modes import no_grad
from minigrad.tensor import Tensor, wrap

from .checks import check_indices, check_tensors

__all__ = ["embedding", "embedding_bag", "one_hot"]


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """y = W[i] for every index i of the input; row `padding_idx` of W gets no gradient.

    max_norm: first shorten, in place, those rows named whose `norm_type`-norm is larger.  scale_grad_by_freq
    and sparse gradients are not supported.
    """
    rows = weight.shape[0]
    check_indices(f"Embedding(num_embeddings={rows})", input, rows)
    _prepare("embedding", input, weight, max_norm, norm_type, scale_grad_by_freq, sparse)
    return ops.embedding(weight, input, padding_idx=normalise_padding_idx(padding_idx, rows))


def normalise_padding_idx(padding_idx: int | None, rows: int) -> int | None:
    """`padding_idx` counted from the front; ValueError if there is no such row."""
    if padding_idx is None:
        return None
    if not -rows <= padding_idx < rows:
        raise ValueError(f"Embedding(num_embeddings={rows}): padding_idx {padding_idx} is not a row")
    return padding_idx % rows


def _prepare(
    caller: str,
    indices: Tensor,
    weight: Tensor,
    max_norm: float | None,
    norm_type: float,
    scale_grad_by_freq: bool,
    sparse: bool,
) -> None:
    """Refuse what is not supported, and shorten the rows that are longer than `max_norm`."""
    for name, wanted in (("scale_grad_by_freq", scale_grad_by_freq), ("sparse", sparse)):
        if wanted:
            raise NotImplementedError(f"{caller}(): {name}=True is not supported; leave it out")
    if max_norm is not None:
        named = namespace(indices.array).unique(indices.array)
        rows = weight.array[named]
        norms = ops.vector_norm(rows, ord=norm_type, dim=1, keepdim=True)
        with no_grad():
            weight[wrap(named)] = wrap(ops.where(norms > max_norm, rows * (max_norm / (norms + 1e-7)), rows))


# ------------------------------------------------------------------------------------------------ bags


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or largest entries of the rows W[i] of each bag of indices: (B, embedding_dim).

    Args:
        input: (B, L), a bag in each row; or (n,), the bags one behind the other.
        weight: the table, (num_embeddings, embedding_dim).
        offsets: (B,), where each bag of a 1-d input begins.
        include_last_offset: offsets (B + 1,) say also where the last bag ends.
        max_norm, norm_type: as in `embedding`.
        mode: "sum", "mean" or "max"; an empty bag gives 0.
        per_sample_weights: a factor for each row, with mode="sum" only.
        padding_idx: indices of this value count for nothing.
    """
    rows = weight.shape[0]
    check_indices(f"embedding_bag(num_embeddings={rows})", input, rows)
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f'embedding_bag(): mode {mode!r}, expected "sum", "mean" or "max"')
    factors = per_sample_weights
    if factors is not None and (mode != "sum" or factors.shape != input.shape):
        raise ValueError(
            f"embedding_bag(): per_sample_weights {factors.shape} with mode {mode!r}, expected the shape "
            f'of the input, {input.shape}, and mode "sum"'
        )
    place, inside = _table(input, offsets, include_last_offset)  # (B, L)
    _prepare("embedding_bag", input, weight, max_norm, norm_type, scale_grad_by_freq, sparse)
    indices = input.flatten()[place]
    if padding_idx is not None:
        inside = inside & (indices != normalise_padding_idx(padding_idx, rows))
    picked = ops.embedding(weight, indices)  # (B, L, D)
    if factors is not None:
        picked = picked * factors.flatten()[place].unsqueeze(-1)
    empty = ~inside.any(1, keepdim=True)  # (B, 1)
    if mode == "max" and place.shape[1]:
        largest, _ = where(inside.unsqueeze(-1), picked, -math.inf).max(1)
        return largest.masked_fill(empty, 0.0)
    y = where(inside.unsqueeze(-1), picked, 0.0).sum(1)
    return y / (inside.sum(1, keepdim=True) + empty) if mode == "mean" else y


def _table(input: Tensor, offsets: Tensor | None, include_last_offset: bool) -> tuple[Tensor, Tensor]:
    """For each bag the places of its indices in the flat input, and which of these are its own: (B, L).

    L is the size of the largest bag; the others are filled up with place 0.
    """
    xp = namespace(input.array)
    if input.ndim == 2 and offsets is None:
        bags, size = input.shape
        starts, sizes = xp.arange(bags) * size, xp.full(bags, size)
    elif input.ndim == 1 and offsets is not None and offsets.ndim == 1:
        starts, sizes = _starts_and_sizes(offsets, len(input), include_last_offset)
        size = int(sizes.max()) if len(sizes) else 0
    else:
        came = None if offsets is None else offsets.shape
        raise ShapeError(
            f"embedding_bag(): input {input.shape}, offsets {came}; expected (B, L), or (n,) and (B,)"
        )
    inside = xp.arange(size) < sizes[:, None]
    return wrap(xp.where(inside, starts[:, None] + xp.arange(size), 0)), wrap(inside)


def _starts_and_sizes(offsets: Tensor, total: int, include_last_offset: bool) -> tuple[Any, Any]:
    """Where each bag begins in an input of `total` indices, and how many it holds."""
    given = offsets.array
    edges = namespace(given).concatenate((given, namespace(given).full(1 - include_last_offset, total)))
    sizes = edges[1:] - edges[:-1]
    if not len(given) or given[0] != 0 or given[-1] > total or (sizes < 0).any():
        raise ValueError(
            f"embedding_bag(): offsets {offsets.tolist()}, expected 0 first, and none smaller than the one "
            f"before it or larger than {total}"
        )
    return edges[:-1], sizes


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """1 at the place of each class, 0 elsewhere: (*, num_classes) of int64; -1: as many as needed."""
    check_tensors("one_hot", tensor)
    if num_classes == -1:
        num_classes = int(tensor.max().item()) + 1
    check_indices(f"one_hot(num_classes={num_classes})", tensor, num_classes)
    return (tensor.unsqueeze(-1) == arange(num_classes, device=tensor.device)).long()
