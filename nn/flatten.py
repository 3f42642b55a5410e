"""Several dimensions as one, and one as several."""

from collections.abc import Sequence

from minigrad.functions import flatten, unflatten
from minigrad.tensor import Tensor

from .functional.checks import check_tensors
from .module import Module

__all__ = ["Flatten", "Unflatten"]


class Flatten(Module):
    """y[n, i W + j] = x[n, i, j]: several dimensions as one; by default all but the first, of the examples

    No reference: elements are only counted in another way.

    Args:
        start_dim, end_dim: the first and the last of them.

    Shape: (*, d₁, ..., dₖ, *) becomes (*, d₁ ⋯ dₖ, *).

    >>> from minigrad import ones
    >>> from minigrad.nn import Flatten
    >>> Flatten()(ones(2, 3, 4)).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        check_tensors("Flatten", input)
        return flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """y[n, i, j] = x[n, i W + j]: one dimension as several

    No reference: it is the reverse of Flatten.

    Args:
        dim: the dimension.
        unflattened_size: the sizes of those that take its place; one may be -1: what is left.

    Shape: (*, d₁ ⋯ dₖ, *) becomes (*, d₁, ..., dₖ, *).

    >>> from minigrad import ones
    >>> from minigrad.nn import Unflatten
    >>> Unflatten(1, (3, -1))(ones(2, 12)).shape
    (2, 3, 4)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if isinstance(unflattened_size, int) or not all(isinstance(n, int) for n in unflattened_size):
            raise TypeError(
                f"Unflatten(): unflattened_size {unflattened_size!r}, expected a sequence of ints"
            )
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, input: Tensor) -> Tensor:
        check_tensors("Unflatten", input)
        return unflatten(input, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
