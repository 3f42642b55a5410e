"""Embedding: a table of vectors, one for each word."""

from typing import Any, Self

from minigrad.creation import empty
from minigrad.modes import no_grad
from minigrad.tensor import Tensor

from . import functional as F
from . import init
from .functional.embedding import normalise_padding_idx
from .module import Module
from .parameter import Parameter


class Embedding(Module):
    """y = W[i]: row i of the table, for every index i

    Reference: Bengio, Ducharme, Vincent and Jauvin 2003, "A neural probabilistic language model", §2, where W
    is called C.

    Args:
        num_embeddings: rows of the table, the size of the vocabulary.
        embedding_dim: the length of a row.
        padding_idx: a row that starts at zero and never gets a gradient: the embedding of <pad>.

    Shape: input (*) of integers, output (*, embedding_dim); `weight` (num_embeddings, embedding_dim), drawn
    from the standard normal distribution.

    >>> from minigrad import tensor
    >>> from minigrad.nn import Embedding
    >>> Embedding(5, 2, padding_idx=0)(tensor([0, 0])).tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = normalise_padding_idx(padding_idx, num_embeddings)
        self.weight = Parameter(empty(num_embeddings, embedding_dim, device=device, dtype=dtype))
        self.reset_parameters()

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None) -> Self:
        """An Embedding with this table (rows, dim), which is not trained unless `freeze=False`."""
        if embeddings.ndim != 2:
            raise ValueError(
                f"from_pretrained(): embeddings {embeddings.shape}, expected (num_embeddings, dim)"
            )
        rows, size = embeddings.shape
        layer = cls(rows, size, padding_idx)
        layer.weight = Parameter(embeddings, requires_grad=not freeze)
        return layer

    def reset_parameters(self) -> None:
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0.0

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
