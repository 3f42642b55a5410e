"""Floor 7: one training step in several threads, each with a part of the batch.

    loss = mg.parallel.backward(lambda x, t: F.cross_entropy(model(x), t), x, t, threads=2)
    optimizer.step()

Inside one matrix product threads gain little when it is small, and nothing of all that NumPy does besides.
Here each thread computes forward and backward of its examples by itself, with one BLAS thread, on a tape of
its own; only the sums of the gradients are common.  NumPy lets go of Python's lock while it computes.
"""

import functools
import operator
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from . import autograd
from .backend import default_dtype, namespace, set_default_dtype
from .blas import get_num_threads, set_num_threads
from .errors import GraphError, ShapeError
from .generator import Generator, default_generator, drawing_from
from .modes import mode, set_grad_enabled
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
    default one. After an error in a part no `.grad` has changed. Hooks on tensors are called for each part,
    with its share of the gradient. Within a part the function computes one part after the other.

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
    run = functools.partial(_run, loss, default_dtype(), bool(mode.recording))
    each: Callable[..., Any] = map if getattr(_here, "in_a_part", False) else _pool(len(parts)).map
    with _one_blas_thread:
        results = list(each(run, parts, shares, generators))
    arrived: dict = {}
    for _, gradients in results:  # in their order, so that the sum is always the same
        while gradients:
            node, g = gradients.popitem()
            arrived[node] = arrived.pop(node) + g if node in arrived else g
            del g
    autograd.deliver(arrived)
    return functools.reduce(operator.add, [value for value, _ in results])


_here = threading.local()


def _run(
    loss: Callable[..., Tensor],
    floating: Any,
    recording: bool,
    part: Sequence[Any],
    share: float,
    generator: Generator,
) -> tuple[Any, dict]:
    """(the loss of a part times its share, the gradients that arrive at the leaves)."""
    with drawing_from(generator), set_grad_enabled(recording), _in_a_part(floating):
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


@contextmanager
def _in_a_part(floating: Any) -> Iterator[None]:
    """Inside, this thread works on a part, with the default type of who asked for it."""
    before, outer = default_dtype(), getattr(_here, "in_a_part", False)
    set_default_dtype(floating)
    _here.in_a_part = True
    try:
        yield
    finally:
        set_default_dtype(before)
        _here.in_a_part = outer


class _OneBlasThread:
    """While anybody is inside, a matrix product uses one thread; the last to leave restores the number."""

    def __init__(self) -> None:
        self.lock, self.inside = threading.Lock(), 0
        self.before: int | None = None

    def __enter__(self) -> None:
        with self.lock:
            if not self.inside:
                self.before = get_num_threads()
                if self.before is not None:
                    set_num_threads(1)
            self.inside += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.inside -= 1
            if not self.inside and self.before is not None:
                set_num_threads(self.before)


_one_blas_thread = _OneBlasThread()


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Threads that wait for work; made once, and anew in a process that was forked off."""
    return ThreadPoolExecutor(threads, thread_name_prefix="minigrad")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)
