"""The process in which a peer is measured: `python serve.py LIBRARY`, requests on its input, answers out.

Both are JSON, a line each.  The first request names a workload and a file of arrays; it is answered with the
losses of the first steps.  What goes wrong is answered as {"error": ...}.
"""

import importlib
import json
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

COMPARED = 3  # steps whose losses are compared with minigrad's


def answer(library: Any, request: dict[str, Any], steps: dict[str, Callable[[], float]]) -> Any:
    """What one request asks for."""
    if "memory" in request:
        return [peak_memory()]
    name = request["workload"]
    if "arrays" in request:
        arrays = np.load(request["arrays"])
        weights = {key[2:]: arrays[key] for key in arrays.files if key.startswith("w:")}
        data = {key[2:]: arrays[key] for key in arrays.files if key.startswith("d:")}
        steps[name] = getattr(library, name)(weights, **data, **request["sizes"])
        return [float(steps[name]()) for _ in range(COMPARED)]
    taken = []
    for number in range(request["samples"] + 2):
        start = time.perf_counter()
        steps[name]()
        if number >= 2:
            taken.append(time.perf_counter() - start)
    return taken


def peak_memory() -> float:
    """The most memory that this process has held, in MB; nan where the system does not say."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    lines = status.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def serve(name: str) -> None:
    """Answer requests until the input ends."""
    library: Any = None
    steps: dict[str, Callable[[], float]] = {}
    answers, sys.stdout = sys.stdout, sys.stderr  # a peer may print; an answer is ours
    for line in sys.stdin:
        try:
            library = library or importlib.import_module(f"with_{name}")
            found = answer(library, json.loads(line), steps)
        except Exception as error:  # of somebody else's code: it is reported, and the others go on
            found = {"error": "".join(traceback.format_exception_only(error)).splitlines()[0]}
        print(json.dumps(found), file=answers, flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])
