"""Rows of a table, by number."""

from minigrad import ops
from minigrad.creation import arange
from minigrad.tensor import Tensor

from .checks import check_indices

__all__ = ["embedding", "one_hot"]


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """y = W[i] for every index i of the input; row `padding_idx` of W gets no gradient."""
    rows = weight.shape[0]
    check_indices(f"Embedding(num_embeddings={rows})", input, rows)
    return ops.embedding(weight, input, padding_idx=normalise_padding_idx(padding_idx, rows))


def normalise_padding_idx(padding_idx: int | None, rows: int) -> int | None:
    """`padding_idx` counted from the front; ValueError if there is no such row."""
    if padding_idx is None:
        return None
    if not -rows <= padding_idx < rows:
        raise ValueError(f"Embedding(num_embeddings={rows}): padding_idx {padding_idx} is not a row")
    return padding_idx % rows


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """1 at the place of each class, 0 elsewhere: (*, num_classes) of int64; -1: as many as needed."""
    if num_classes == -1:
        num_classes = int(tensor.max().item()) + 1
    check_indices(f"one_hot(num_classes={num_classes})", tensor, num_classes)
    return (tensor.unsqueeze(-1) == arange(num_classes, device=tensor.device)).long()
