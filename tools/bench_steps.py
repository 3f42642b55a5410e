"""`minigrad bench steps`: whole training steps beside PyTorch's, and the memory that they take.

Each library has a process of its own for each workload, and they take turns.
"""

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from .bench_child import Child, summary
from .bench_machine import version
from .bench_models import WORKLOADS, Workload

PAUSE = 0.02  # seconds, in which the idle threads of the other process go to sleep
KERNELS = "OPENBLAS_CORETYPE"  # the variable that tells OpenBLAS which processor's kernels to use
Row = dict[str, Any]


def libraries() -> list[str]:
    """What is measured: minigrad, and PyTorch where it is installed."""
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
            for name in arguments.workloads or WORKLOADS:
                workload = WORKLOADS[name]
                if workload.threads in (None, threads):
                    yield _row(name, workload, threads, kernels, arguments)


def _row(
    name: str, workload: Workload, threads: int, kernels: str | None, arguments: argparse.Namespace
) -> Row:
    times: dict[str, list[float]] = {library: [] for library in libraries()}
    row: Row = {"workload": name, "title": workload.title, "threads": threads, "kernels": kernels or "auto"}
    with ExitStack() as stack:
        children = [
            stack.enter_context(Child(library, threads, {KERNELS: kernels})) for library in libraries()
        ]
        for _ in range(arguments.rounds):
            for child in children:
                time.sleep(PAUSE)
                times[child.library] += child.ask(
                    workload=name, samples=arguments.samples, quick=arguments.quick
                )
        for child in children:
            found = summary(times[child.library], 1e3)
            row[child.library] = {**found, "peak MB": child.ask(memory=True)[0]}
    return row


def header() -> str:
    """The head of the table."""
    columns = "".join(f"   {name:>8} {'p10':>8} {'MB':>5}" for name in libraries())
    ratio = f"   {'ratio':>5} {'MB':>5}" if len(libraries()) > 1 else ""
    return (
        "ms per training step, median and 10th percentile; peak memory of the whole process; the ratios are\n"
        f"minigrad / PyTorch\n\n{'':34} {'threads':>7} {'kernels':>9}{columns}{ratio}"
    )


def line(row: Row) -> str:
    """A row as a line of the table."""
    text = f"{row['title']:34} {row['threads']:7} {row['kernels']:>9}"
    for name in libraries():
        found = row[name]
        text += f"   {found['median']:8.3f} {found['p10']:8.3f} {found['peak MB']:5.0f}"
    if "torch" in row:
        text += f"   {row['minigrad']['median'] / row['torch']['median']:5.2f}"
        text += f" {row['minigrad']['peak MB'] / row['torch']['peak MB']:5.2f}"
    return text
