"""The processes in which `minigrad bench` measures: one for each library, which never share threads.

Run as a program this file is such a process.  It reads requests, one line of JSON each, and answers each with
a list of numbers: times in seconds, or its peak memory.
"""

import contextlib
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

import minigrad

from . import bench_gpu, bench_models, bench_ops, bench_peers
from .errors import CommandError

if sys.platform != "win32":
    import resource

# NumPy's BLAS, PyTorch's libraries, and JAX each go by one of these
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")
HOME = str(Path(minigrad.__file__).parent.parent)  # from where another Python imports minigrad

Summary = dict[str, float]


class Child:
    """A process that has imported one library, with a number of threads for its arithmetic.

    `python` runs it: for minigrad the one that runs now, for others the one in which they are installed.
    """

    def __init__(
        self,
        library: str,
        threads: int,
        environment: Mapping[str, str | None] | None = None,
        python: str = sys.executable,
    ) -> None:
        self.library = library
        chosen: dict[str, str | None] = {**os.environ, **dict.fromkeys(THREADS, str(threads))}
        program = ["-m", __name__, library, str(threads)]
        if library != "minigrad":
            chosen["MINIGRAD_NO_MALLOPT"] = "1"  # others have malloc as their users have it
        if library in bench_peers.PEERS:
            program = [str(bench_peers.SERVER), library]
            chosen["PYTHONWARNINGS"] = "ignore"
        elif python != sys.executable:  # which need not have minigrad
            chosen["PYTHONPATH"] = os.pathsep.join(filter(None, [HOME, os.environ.get("PYTHONPATH")]))
        chosen.update(environment or {})  # None: without this variable
        self._process = subprocess.Popen(  # noqa: S603 (our own files, run by the Python that the user chose)
            [python, *program],
            env={name: value for name, value in chosen.items() if value is not None},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, **request: Any) -> Any:
        """Have one request done; its answer."""
        assert self._process.stdin is not None, "it was started with a pipe"
        assert self._process.stdout is not None, "and another one"
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise CommandError(
                f"the process that measures {self.library} has ended; what it said stands above"
            )
        found = json.loads(answer)
        if isinstance(found, dict) and "error" in found:
            raise CommandError(f"{self.library} fails: {found['error']}")
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        with contextlib.suppress(BrokenPipeError):  # it has ended before
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


def sgemm(size: int) -> Callable[[], Any]:
    """A product of two square matrices, as NumPy's BLAS does it."""
    a, out = np.ones((size, size), "float32"), np.empty((size, size), "float32")
    return lambda: np.matmul(a, a, out=out)


def answer(library: Any, request: dict[str, Any], steps: dict[str, Callable[[], Any]]) -> Any:
    """What one request asks for."""
    device, samples = request.get("device", "cpu"), request.get("samples", 1)
    if "memory" in request:
        return [peak_memory() if device == "cpu" else bench_gpu.peak_gpu_memory(library)]
    if "sgemm" in request:
        return times(sgemm(request["sgemm"]), samples)
    if "growth" in request:
        return times(bench_models.growing(library, request["growth"], **request["sizes"]), samples)
    if "chain" in request:
        return times(bench_ops.work(library, request["chain"], request["column"]), samples)
    name = request["workload"]
    if "arrays" in request:  # of a new model, and the losses of its first steps
        step = bench_models.WORKLOADS[name].step(library, request["quick"])
        np.savez(request["arrays"], **step.arrays())  # type: ignore[attr-defined]  # it is a Training
        return [step().item() for _ in range(request["steps"])]
    if name not in steps:
        steps[name] = bench_models.WORKLOADS[name].step(library, request["quick"], device)
    if request.get("profile"):
        return time_per_operation(steps[name], samples)
    if request.get("kernels"):
        return [bench_gpu.kernel_count(library, steps[name])]
    if device != "cpu":
        return bench_gpu.gpu_times(library, steps[name], samples)
    return times(steps[name], samples)


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
