"""Floor 7: one training step in several threads, each with a part of the batch.

    loss = mg.parallel.backward(lambda x, t: F.cross_entropy(model(x), t), x, t, threads=2)
    optimizer.step()

Inside one matrix product threads gain little when it is small, and nothing of all that NumPy does besides.
Here each thread computes forward and backward of its examples by itself, with one BLAS thread, on a tape of
its own; only the sums of the gradients are common.  NumPy lets go of Python's lock while it computes.
"""

import functools
import operator
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

from . import autograd
from .backend import namespace
from .blas import get_num_threads, set_num_threads
from .errors import GraphError, ShapeError
from .generator import Generator, default_generator, drawing_from
from .tape import pullback
from .tensor import Tensor


def backward(
    loss: Callable[..., Tensor], *batch: Any, threads: int = 2, dim: int | Sequence[int] = 0
) -> Tensor:
    """`loss(*batch).backward()`, by parts of the batch in so many threads; returns the loss, without a graph.

    loss        gives the mean over its examples, a number; it must not change what threads share, so a model
                with batch normalisation in training is none for it
    batch       its arguments; tensors are cut along `dim` (one number, or one for each of them), all else is
                passed to every thread as it is
    threads     one for each part; a batch of fewer examples has as many parts as examples

    The gradients are those of the whole batch, up to rounding, and the same to the last bit at every run with
    this number of threads. Random numbers (dropout) come from a generator for each part, seeded by the
    default one. After an error in a part no `.grad` has changed.

    >>> import minigrad as mg
    >>> w, x = mg.tensor(3.0, requires_grad=True), mg.tensor([1.0, 2.0, 3.0])
    >>> backward(lambda x: (w * x).mean(), x)
    tensor(6.)
    >>> w.grad
    tensor(2.)
    """
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ValueError(f"parallel.backward(): threads must be an integer of at least 1, got {threads!r}")
    parts, shares = _cut(batch, dim, threads)
    generators = [Generator(seed) for seed in default_generator().integers(0, 2**62, len(parts)).tolist()]
    before = get_num_threads()
    try:
        if before is not None:
            set_num_threads(1)
        results = list(_pool(len(parts)).map(functools.partial(_run, loss), parts, shares, generators))
    finally:
        if before is not None:
            set_num_threads(before)
    arrived: dict = {}
    for _, gradients in results:  # in their order, so that the sum is always the same
        while gradients:
            node, g = gradients.popitem()
            arrived[node] = arrived.pop(node) + g if node in arrived else g
            del g
    autograd.deliver(arrived)
    return functools.reduce(operator.add, [value for value, _ in results])


def _run(
    loss: Callable[..., Tensor], part: Sequence[Any], share: float, generator: Generator
) -> tuple[Any, dict]:
    """(the loss of a part times its share, the gradients that arrive at the leaves)."""
    with drawing_from(generator):
        value = loss(*part)
        if not isinstance(value, Tensor) or value.ndim or value.node is None:
            what = f"a Tensor of shape {value.shape}" if isinstance(value, Tensor) else type(value).__name__
            raise GraphError(
                f"parallel.backward(): loss returned {what}, expected a number that requires grad"
            )
        weight = namespace(value.array).asarray(share, dtype=value.dtype)
        return value.detach() * share, pullback([value.node], [weight])


def _cut(batch: Sequence[Any], dim: int | Sequence[int], threads: int) -> tuple[list[list[Any]], list[float]]:
    """The arguments of each part, and its share of the examples."""
    count = sum(isinstance(item, Tensor) for item in batch)
    dims = [dim] * count if isinstance(dim, int) else list(dim)
    if not count or len(dims) != count:
        raise ValueError(
            f"parallel.backward(): got {len(dims)} dims for {count} tensors, expected one for each"
        )
    places = iter(dims)
    cut_along = [next(places) if isinstance(item, Tensor) else None for item in batch]
    sizes = {item.shape[d] for item, d in zip(batch, cut_along, strict=True) if d is not None}
    if len(sizes) != 1 or 0 in sizes:
        raise ShapeError(
            f"parallel.backward(): the tensors have {sorted(sizes)} examples, expected one number above 0"
        )
    (total,) = sizes
    bounds = [total * i // min(threads, total) for i in range(min(threads, total) + 1)]
    parts = [
        [
            item if d is None else item.narrow(d, start, stop - start)
            for item, d in zip(batch, cut_along, strict=True)
        ]
        for start, stop in pairwise(bounds)
    ]
    return parts, [(stop - start) / total for start, stop in pairwise(bounds)]


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Threads that wait for work; made once."""
    return ThreadPoolExecutor(threads, thread_name_prefix="minigrad")
