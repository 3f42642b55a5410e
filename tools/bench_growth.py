"""`minigrad bench growth`: how the time of a step grows with length, batch, width and depth.

The exponent is the slope of log time over log size, by least squares over the larger half of the sizes, where
the fixed costs of a step no longer count.  The sizes take turns: a minute in which the machine is slow makes
all of them slow.
"""

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np

from .bench_child import Child, summary

SIZES = {
    "T": (64, 128, 256, 512, 1024, 2048, 4096),
    "batch": (4, 8, 16, 32, 64, 128),
    "width": (32, 64, 128, 256, 512),
    "depth": (1, 2, 4, 8, 16),
}
USUAL = {"T": 64, "batch": 8, "width": 64, "depth": 1}
LONG = {"T": 64, "batch": 1, "width": 64, "depth": 1}  # where T grows
LAYERS = ("rnn", "attention")


def measure(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A row for each kind of layer and each size that grows."""
    with Child("minigrad", arguments.threads[0]) as child:
        for layer in LAYERS:
            for grows, sizes in SIZES.items():
                usual = LONG if grows == "T" else USUAL
                taken: dict[int, list[float]] = {n: [] for n in (sizes[:2] if arguments.quick else sizes)}
                for _ in range(arguments.rounds):
                    for size in taken:
                        asked = {"growth": layer, "sizes": {**usual, grows: size}}
                        taken[size] += child.ask(**asked, samples=arguments.samples)
                times = {size: summary(found, 1e3)["median"] for size, found in taken.items()}
                yield {"layer": layer, "grows": grows, "ms": times, "exponent": exponent(times)}


def exponent(times: dict[int, float]) -> float:
    """The slope of log time over log size, over the larger half of the sizes (two at least)."""
    sizes = sorted(times)[-max(2, (len(times) + 1) // 2) :]
    return float(np.polyfit(np.log(sizes), np.log([times[size] for size in sizes]), 1)[0])


def line(row: dict[str, Any]) -> str:
    """A row as a line of the table."""
    times = "  ".join(f"{size}: {time:.2f}" for size, time in row["ms"].items())
    return f"{row['layer']:10} {row['grows']:6} exponent {row['exponent']:5.2f}   ms  {times}"
