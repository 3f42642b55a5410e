"""Batches that threads prepare while the step before is computed."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from minigrad.data.resumable import ResumableBatchSampler


def prefetched(
    sampler: ResumableBatchSampler, make: Callable[[list[int]], Any], workers: int
) -> Iterator[Any]:
    """What `make` makes of each batch of indices that the sampler still has in this epoch, in its order.

    The threads are ahead by two batches each; the sampler counts only what has been handed out here, so that
    a run can stop anywhere.
    """
    waiting = iter(sampler.batches_of(sampler.epoch)[sampler.position :])
    with ThreadPoolExecutor(workers) as pool:
        made: deque[Future[Any]] = deque()

        def ask() -> None:
            indices = next(waiting, None)
            if indices is not None:
                made.append(pool.submit(make, indices))

        for _ in range(2 * workers):
            ask()
        for _ in sampler:
            ask()
            yield made.popleft().result()
