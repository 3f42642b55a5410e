"""The processes in which `minigrad bench` measures: one for each library, which never share threads.

Run as a program this file is such a process.  It reads requests, one line of JSON each, and answers each with
a list of numbers: times in seconds, or its peak memory.
"""

import cProfile
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from . import bench_models, bench_ops
from .errors import CommandError

if sys.platform != "win32":
    import resource

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")  # of NumPy's BLAS, and PyTorch's

Summary = dict[str, float]


class Child:
    """A process that has imported one library, with a number of threads for its arithmetic."""

    def __init__(
        self, library: str, threads: int, environment: Mapping[str, str | None] | None = None
    ) -> None:
        self.library = library
        chosen: dict[str, str | None] = {**os.environ, **dict.fromkeys(THREADS, str(threads))}
        chosen.update(environment or {})  # None: without this variable
        self._process = subprocess.Popen(  # noqa: S603 (this file, run by the Python that runs now)
            [sys.executable, "-m", __name__, library, str(threads)],
            env={name: value for name, value in chosen.items() if value is not None},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, **request: Any) -> Any:
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


def summary(times: Iterable[float], scale: float) -> Summary:
    """Median and 10th percentile of times in seconds, multiplied by `scale`."""
    scaled = np.array(list(times)) * scale
    return {"median": float(np.median(scaled)), "p10": float(np.percentile(scaled, 10))}


def times(run: Callable[[], Any], samples: int) -> list[float]:
    """How long each of `samples` runs took, in seconds, after two that are not counted."""
    taken = []
    for number in range(samples + 2):
        start = time.perf_counter()
        run()
        if number >= 2:
            taken.append(time.perf_counter() - start)
    return taken


def peak_memory() -> float:
    """The most memory that this process has held, in MB; nan where the system does not say.

    Linux counts in ru_maxrss what the process held that started this one, so it is asked otherwise.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    if sys.platform == "win32":
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def time_per_operation(run: Callable[[], Any], samples: int) -> list[tuple[str, float]]:
    """(operation, seconds for each run), the longest first: the forward and the rules of each card."""
    profile = cProfile.Profile()
    run()
    with profile:
        for _ in range(samples):
            run()
    found: dict[str, float] = {}
    for entry in profile.getstats():
        code = entry.code
        if not isinstance(code, str) and "/minigrad/ops/" in code.co_filename.replace(os.sep, "/"):
            found[code.co_qualname] = found.get(code.co_qualname, 0.0) + entry.totaltime / samples
        elif not isinstance(code, str) and code.co_name == "step" and "optim" in code.co_filename:
            found["optimizer.step"] = entry.totaltime / samples
    return sorted(found.items(), key=lambda pair: -pair[1])


def answer(library: Any, request: dict[str, Any], steps: dict[str, Callable[[], Any]]) -> Any:
    """What one request asks for."""
    if "memory" in request:
        return [peak_memory()]
    if "growth" in request:
        return times(bench_models.growing(library, request["growth"], **request["sizes"]), request["samples"])
    if "chain" in request:
        return times(bench_ops.work(library, request["chain"], request["column"]), request["samples"])
    name = request["workload"]
    if name not in steps:
        steps[name] = bench_models.WORKLOADS[name].step(library, request["quick"])
    if request.get("profile"):
        return time_per_operation(steps[name], request["samples"])
    return times(steps[name], request["samples"])


def serve(name: str, threads: int) -> None:
    """Answer requests until the input ends."""
    library = importlib.import_module(name)
    if name == "torch":  # which has a setting besides the environment
        library.set_num_threads(threads)
    steps: dict[str, Callable[[], Any]] = {}
    for line in sys.stdin:
        print(json.dumps(answer(library, json.loads(line), steps)), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
