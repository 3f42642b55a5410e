"""The processes in which `bench` measures: one for each library, which take turns and never share threads.

Run as a program this file is such a process.  It reads requests, one line of JSON each, and answers each with
the times that it measured, in seconds.
"""

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Self

from . import bench_ops, bench_steps
from .errors import CommandError

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")  # of NumPy's BLAS, and PyTorch's


class Child:
    """A process that has imported one library, with a number of threads for its arithmetic."""

    def __init__(self, library: str, threads: int) -> None:
        self.library = library
        environment = {**os.environ, **dict.fromkeys(THREADS, str(threads))}
        self._process = subprocess.Popen(  # noqa: S603 (this file, run by the Python that runs now)
            [sys.executable, "-m", __name__, library, str(threads)],
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def measure(self, **request: Any) -> list[float]:
        """Have one request done; its answer."""
        assert self._process.stdin is not None, "it was started with a pipe"
        assert self._process.stdout is not None, "and another one"
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise CommandError(
                f"the process that measures {self.library} has ended; what it said stands above"
            )
        return json.loads(answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.communicate()  # closes its input, upon which it ends


def times(run: Callable[[], Any], samples: int) -> list[float]:
    """How long each of `samples` runs took, in seconds, after two that are not counted."""
    taken = []
    for number in range(samples + 2):
        start = time.perf_counter()
        run()
        if number >= 2:
            taken.append(time.perf_counter() - start)
    return taken


def serve(name: str, threads: int) -> None:
    """Answer requests until the input ends."""
    library = importlib.import_module(name)
    if hasattr(library, "set_num_threads"):  # PyTorch has a setting besides the environment
        library.set_num_threads(threads)
    steps: dict[str, Callable[[], Any]] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "workload" in request:
            workload = request["workload"]
            if workload not in steps:
                steps[workload] = bench_steps.WORKLOADS[workload](library)
            run = steps[workload]
        else:
            run = bench_ops.work(library, request["chain"], request["column"])
        print(json.dumps(times(run, request["samples"])), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
