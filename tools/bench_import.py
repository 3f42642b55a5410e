"""`minigrad bench import`: how long a library takes to be imported, on top of Python's own start."""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from . import bench_peers
from .bench_child import Summary, summary

NOTHING = "nothing"
ORDINARY = (NOTHING, "numpy", "minigrad")


def measure(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A row for each library; each import is a process of its own, and they take turns."""
    times: dict[str, list[float]] = {name: [] for name in (*ORDINARY, *arguments.peers)}
    for turn in range(arguments.rounds + 1):
        for name, taken in times.items():
            python = arguments.python if name in arguments.peers else sys.executable
            start = time.perf_counter()
            _started(python, name)
            if turn > 0:  # the first one wrote the compiled files, and read them from the disk
                taken.append(time.perf_counter() - start)
    empty = summary(times.pop(NOTHING), 1e3)
    for name, taken in times.items():
        yield import_row(name, summary(taken, 1e3), empty)


def import_row(name: str, found: Summary, empty: Summary) -> dict[str, Any]:
    """The time of a process that imports, less that of one which does not."""
    return {"library": name, **{kind: found[kind] - empty[kind] for kind in found}}


def header() -> str:
    """The head of the table."""
    return f"ms to import, on top of Python's own start\n\n{'':10} {'median':>8} {'p10':>8}"


def line(row: dict[str, Any]) -> str:
    """A row as a line of the table."""
    return f"{row['library']:10} {row['median']:8.1f} {row['p10']:8.1f}"


def _started(python: str, name: str) -> None:
    code = "" if name == NOTHING else f"import {name}"
    assert name in (*ORDINARY, bench_peers.TORCH, *bench_peers.PEERS), "a name of ours, never one of a user"
    subprocess.run([python, "-c", code], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
