"""Floor 6: several gradients at once: what the tape does under vmap, and for many cotangents together.

A walk with create_graph=True runs on Tensors, so batched ones may take their place: then one walk pulls all
rows of a matrix of cotangents back.  And the gradient of what is batched already is taken on the values that
stand for all examples: examples do not depend on one another, so one cotangent serves them all.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from minigrad import ops
from minigrad.batching import Batched
from minigrad.errors import ShapeError
from minigrad.modes import mode
from minigrad.tensor import Tensor


def lifted(tensor: Tensor, level: int, size: int) -> Tensor:
    """The values of a tensor for all examples of a vmap, the batch first."""
    if isinstance(tensor, Batched) and tensor.level == level:
        return tensor.value
    return ops.broadcast_to(tensor, shape=(size, *tensor.shape))


@contextmanager
def all_rows(matrices: Sequence[Tensor | None]) -> Iterator[tuple[list[Any], int]]:
    """Inside, each matrix stands for one of its rows; with them comes how many rows there are."""
    given = [matrix for matrix in matrices if matrix is not None]
    sizes = {matrix.shape[0] if matrix.ndim else 0 for matrix in given}
    if len(sizes) != 1 or 0 in {matrix.ndim for matrix in given}:
        raise ShapeError(
            f"grad(): is_grads_batched: got grad_outputs of shapes {[matrix.shape for matrix in given]}, "
            "expected the number of cotangents as the first dimension of each"
        )
    (size,) = sizes
    level, outer = mode.vmaps + 1, (mode.vmaps, mode.examples)
    mode.vmaps, mode.examples = level, size
    try:
        yield [None if matrix is None else Batched(matrix, level) for matrix in matrices], size
    finally:
        mode.vmaps, mode.examples = outer


def without_rows(found: Sequence[Tensor | None], size: int, create_graph: bool) -> tuple[Tensor | None, ...]:
    """What was found for one row, for all of them; without its graph, unless that is wanted."""
    matrices = [None if g is None else lifted(g, mode.vmaps + 1, size) for g in found]
    return tuple(g if g is None or create_graph else g.detach() for g in matrices)
