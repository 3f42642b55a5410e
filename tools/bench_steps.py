"""`minigrad bench steps`: whole training steps beside those of PyTorch and other peers, and their memory.

Each library has a process of its own for each workload, and they take turns.  So does a product of two large
matrices, the sgemm peak: what share of it a step reaches says how far it is from what the machine allows.
Both by their 10th percentiles, since a peak is what the machine does while nobody disturbs it.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from . import bench_peers
from .bench_child import Child, summary
from .bench_flops import step_flops
from .bench_machine import version
from .bench_models import WORKLOADS
from .errors import CommandError
from .peers.serve import COMPARED

PAUSE = 0.02  # seconds, in which the idle threads of the other process go to sleep
KERNELS = "OPENBLAS_CORETYPE"  # the variable that tells OpenBLAS which processor's kernels to use
PEAK = 1024  # rows and columns of the matrices whose product is the sgemm peak
Row = dict[str, Any]


def libraries() -> list[str]:
    """What is measured by default: minigrad, and PyTorch where it is installed."""
    return ["minigrad", *(["torch"] if version("torch") else [])]


def kernel_choices(asked: Sequence[str] | None) -> list[str | None]:
    """Which kernels OpenBLAS is told to use; None: it chooses. By default that, and what is configured."""
    if asked:
        return [None if name == "auto" else name for name in asked]
    configured = os.environ.get(KERNELS)
    return [None, *([configured] if configured else [])]


def measure(arguments: argparse.Namespace) -> Iterator[Row]:
    """A row for each workload, each number of threads and each choice of kernels, as soon as it is there."""
    for kernels in kernel_choices(arguments.kernels):
        for threads in arguments.threads:
            with Child("numpy", threads, {KERNELS: kernels}) as numpy:
                for name in arguments.workloads or WORKLOADS:
                    if WORKLOADS[name].threads in (None, threads):
                        yield _row(name, threads, kernels, numpy, arguments)


def _row(name: str, threads: int, kernels: str | None, numpy: Child, arguments: argparse.Namespace) -> Row:
    """One workload, of minigrad and of those peers that do it."""
    row: Row = {
        "workload": name,
        "title": WORKLOADS[name].title,
        "threads": threads,
        "kernels": kernels or "auto",
        "device": arguments.device,
    }
    with ExitStack() as stack:
        running = {"numpy": numpy}
        for library in ("minigrad", *arguments.peers):
            if library == "minigrad" or bench_peers.does(library, name):
                child = Child(library, threads, {KERNELS: kernels}, **_python_of(library, arguments))
                running[library] = stack.enter_context(child)
        times, left_out = _turns(name, running, arguments)
        row["sgemm GFLOP/s"] = 2 * _peak_size(arguments) ** 3 / 1e9 / summary(times.pop("numpy"), 1)["p10"]
        for library, taken in times.items():
            row[library] = _found(name, running[library], taken, row["sgemm GFLOP/s"], arguments)
    return {**row, "left out": left_out}


def _turns(
    name: str, running: dict[str, Child], arguments: argparse.Namespace
) -> tuple[dict[str, list[Any]], dict[str, str]]:
    """The times of all who took turns; and who is left out because it fails or does other work, with why."""
    expected: list[float] = []
    times: dict[str, list[Any]] = {library: [] for library in running}
    left_out: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(arguments.rounds):
            for library in list(times):
                time.sleep(PAUSE)
                try:
                    if library in bench_peers.PEERS and not times[library]:
                        expected = expected or _first_losses(name, folder, arguments)
                        _compare(name, running[library], expected, folder, arguments)
                    times[library] += running[library].ask(**_request(library, name, arguments))
                except CommandError as error:
                    if library not in arguments.peers:
                        raise
                    left_out[library] = str(error)
                    del times[library]
    return times, left_out


def _python_of(library: str, arguments: argparse.Namespace) -> dict[str, str]:
    return {"python": arguments.python} if library in arguments.peers else {}


def _request(library: str, name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """How a process is asked for times."""
    if library == "numpy":
        return {"sgemm": _peak_size(arguments), "samples": arguments.samples}
    if library in bench_peers.PEERS:
        return {"workload": bench_peers.TASKS[name].function, "samples": arguments.samples}
    return {
        "workload": name,
        "samples": arguments.samples,
        "quick": arguments.quick,
        "device": arguments.device,
    }


def _peak_size(arguments: argparse.Namespace) -> int:
    return 32 if arguments.quick else PEAK


def _first_losses(name: str, folder: str, arguments: argparse.Namespace) -> list[float]:
    """Those of minigrad in a process of its own, from weights and data that now lie in a file."""
    with Child("minigrad", 1) as child:
        asked = {"workload": name, "quick": arguments.quick, "arrays": _arrays(folder)}
        return list(child.ask(**asked, steps=COMPARED))


def _compare(
    name: str, child: Child, expected: list[float], folder: str, arguments: argparse.Namespace
) -> None:
    """CommandError if a peer does not find the same losses from the same weights."""
    asked = bench_peers.request(name, WORKLOADS[name], arguments.quick, _arrays(folder))
    if reason := bench_peers.difference(expected, child.ask(**asked)):
        raise CommandError(reason)


def _arrays(folder: str) -> str:
    return str(Path(folder) / "arrays.npz")


def _found(name: str, child: Child, taken: list[Any], peak: float, arguments: argparse.Namespace) -> Row:
    """What one library's times come to: ms, memory, share of the peak, tokens; on a GPU also its kernels."""
    workload, found = WORKLOADS[name], {}
    if arguments.device != "cpu":
        gpu, python = zip(*taken, strict=True)
        found["Python ms"] = summary(python, 1e3)["median"]
        found["GPU kernels"] = child.ask(
            workload=name, quick=arguments.quick, device=arguments.device, kernels=True
        )[0]
        taken = list(gpu)
    found |= summary(taken, 1e3)
    found["peak MB"] = child.ask(memory=True, device=arguments.device)[0]
    sizes = workload.sizes_of(arguments.quick)
    flops = step_flops(name, sizes)
    if flops is None:
        found["tokens/s"] = sizes["T"] * sizes["batch"] / found["median"] * 1e3
    elif arguments.device == "cpu":
        found["share of sgemm"] = flops / (found["p10"] * 1e6) / peak
    return found


def header(arguments: argparse.Namespace) -> str:
    """The head of the table."""
    gpu = f" {'Python':>9} {'kernels':>8}" if arguments.device != "cpu" else ""
    return (
        "ms per training step, median and 10th percentile; peak memory of the whole process; what share of\n"
        "NumPy's own sgemm peak the matrix products of the step are; ratios are minigrad / the other\n\n"
        f"{'':34} {'threads':>7} {'kernels':>9}   {'':9} {'median':>9} {'p10':>9} {'MB':>6} {'sgemm':>6}"
        f" {'ratio':>6} {'MB':>5}{gpu}"
    )


def line(row: Row) -> str:
    """A row as lines of the table: one for each library, and one for each that is left out."""
    start = f"{row['title']:34} {row['threads']:7} {row['kernels']:>9}"
    ours, lines = row["minigrad"], []
    for name in ("minigrad", bench_peers.TORCH, *bench_peers.PEERS):
        if name not in row:
            continue
        found = row[name]
        share = f"{found['share of sgemm']:6.0%}" if "share of sgemm" in found else f"{'':6}"
        text = (
            f"{start}   {name:9} {found['median']:9.3f} {found['p10']:9.3f} {found['peak MB']:6.0f} {share}"
        )
        text += f" {ours['median'] / found['median']:6.2f} {ours['peak MB'] / found['peak MB']:5.2f}"
        if "GPU kernels" in found:  # None where PyTorch is not there to count them
            text += f" {found['Python ms']:9.3f} {found['GPU kernels'] or '-':>8}"
        if "tokens/s" in found:
            text += f"   {found['tokens/s']:,.0f} tokens/s"
        lines.append(text)
        start = " " * len(start)
    lines += [f"{start}   {peer:9} left out: {reason}" for peer, reason in row["left out"].items()]
    return "\n".join(lines)
