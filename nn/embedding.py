"""Embedding: a table of vectors, one for each word; EmbeddingBag: one vector for several words."""

from typing import Any, Self

from minigrad.creation import empty
from minigrad.modes import no_grad
from minigrad.tensor import Tensor

from . import functional as F
from . import init
from .functional.embedding import normalise_padding_idx
from .module import Module
from .parameter import Parameter

__all__ = ["Embedding", "EmbeddingBag"]


class Embedding(Module):
    """y = W[i]: row i of the table, for every index i

    Reference: Bengio, Ducharme, Vincent and Jauvin 2003, "A neural probabilistic language model", §2, where W
    is called C.

    Args:
        num_embeddings: rows of the table, the size of the vocabulary.
        embedding_dim: the length of a row.
        padding_idx: a row that starts at zero and never gets a gradient: the embedding of <pad>.
        max_norm: rows that are looked up and longer than this are first shortened to it, in place.
        norm_type: p of the norm that measures them.
        scale_grad_by_freq, sparse: not supported; NotImplementedError if True.

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
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        _refuse("Embedding", scale_grad_by_freq=scale_grad_by_freq, sparse=sparse)
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = normalise_padding_idx(padding_idx, num_embeddings)
        self.max_norm, self.norm_type = max_norm, norm_type
        self.weight = Parameter(empty(num_embeddings, embedding_dim, device=device, dtype=dtype))
        self.reset_parameters()

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Self:
        """An Embedding with this table (rows, dim), which is not trained unless `freeze=False`."""
        layer = cls(0, 0, None, max_norm, norm_type, scale_grad_by_freq, sparse)
        layer.num_embeddings, layer.embedding_dim = _size(embeddings)
        layer.padding_idx = normalise_padding_idx(padding_idx, layer.num_embeddings)
        layer.weight = Parameter(embeddings, requires_grad=not freeze)
        return layer

    def reset_parameters(self) -> None:
        _draw(self.weight, self.padding_idx)

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}{_limit(self)}"


class EmbeddingBag(Module):
    """y = Σⱼ aⱼ W[iⱼ] over the indices of a bag, or their mean, or the largest of each entry: one row a bag

    Embedding and a reduction in one, without the table between. Reference: Joulin, Grave, Bojanowski and
    Mikolov 2017, "Bag of tricks for efficient text classification", §2.

    Args:
        num_embeddings: rows of the table.
        embedding_dim: the length of a row.
        max_norm, norm_type: as for Embedding.
        scale_grad_by_freq, sparse: not supported; NotImplementedError if True.
        mode: "sum", "mean" or "max"; an empty bag gives zeros.
        include_last_offset: whether the offsets say also where the last bag ends.
        padding_idx: a row that starts at zero, gets no gradient, and counts for nothing in its bag.

    Shape: input (B, L), a bag in each row, or (n,) with offsets (B,), where each bag begins;
    per_sample_weights a, with mode "sum", as the input; output (B, embedding_dim). `weight` (num_embeddings,
    embedding_dim), drawn from the standard normal distribution.

    >>> from minigrad import tensor
    >>> from minigrad.nn import EmbeddingBag
    >>> EmbeddingBag(5, 2)(tensor([0, 1, 4]), tensor([0, 2])).shape
    (2, 2)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        _refuse("EmbeddingBag", scale_grad_by_freq=scale_grad_by_freq, sparse=sparse)
        if mode not in ("sum", "mean", "max"):
            raise ValueError(f'EmbeddingBag(): mode {mode!r}, expected "sum", "mean" or "max"')
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.max_norm, self.norm_type = max_norm, norm_type
        self.mode, self.include_last_offset = mode, include_last_offset
        self.padding_idx = normalise_padding_idx(padding_idx, num_embeddings)
        self.weight = Parameter(empty(num_embeddings, embedding_dim, device=device, dtype=dtype))
        self.reset_parameters()

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> Self:
        """An EmbeddingBag with this table (rows, dim), which is not trained unless `freeze=False`."""
        layer = cls(0, 0, max_norm, norm_type, scale_grad_by_freq, mode, sparse, include_last_offset)
        layer.num_embeddings, layer.embedding_dim = _size(embeddings)
        layer.padding_idx = normalise_padding_idx(padding_idx, layer.num_embeddings)
        layer.weight = Parameter(embeddings, requires_grad=not freeze)
        return layer

    def reset_parameters(self) -> None:
        _draw(self.weight, self.padding_idx)

    def forward(
        self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None
    ) -> Tensor:
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            mode=self.mode,
            per_sample_weights=per_sample_weights,
            include_last_offset=self.include_last_offset,
            padding_idx=self.padding_idx,
        )

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{_limit(self)}, mode={self.mode!r}{padding}"


# ---------------------------------------------------------------------------------------- the table of both


def _refuse(caller: str, **unsupported: bool) -> None:
    for name, wanted in unsupported.items():
        if wanted:
            raise NotImplementedError(f"{caller}(): {name}=True is not supported; leave it out")


def _size(embeddings: Tensor) -> tuple[int, int]:
    """Rows and columns of a table."""
    if embeddings.ndim != 2:
        raise ValueError(f"from_pretrained(): embeddings {embeddings.shape}, expected (num_embeddings, dim)")
    rows, columns = embeddings.shape
    return rows, columns


def _draw(weight: Parameter, padding_idx: int | None) -> None:
    init.normal_(weight)
    if padding_idx is not None:
        with no_grad():
            weight[padding_idx] = 0.0


def _limit(layer: Embedding | EmbeddingBag) -> str:
    """What repr says of the longest row."""
    said = "" if layer.max_norm is None else f", max_norm={layer.max_norm}"
    return said if layer.norm_type == 2 else f"{said}, norm_type={layer.norm_type}"
