"""`python -m minigrad.tools.bench`: what the tape costs on top of NumPy, and what a training step takes.

Three traps, and what is done about them.  NumPy's and PyTorch's threads disturb each other: each library has
a process of its own, and they take turns.  A shared machine is slow at times: rounds are repeated, and the
median and the 10th percentile given.  A BLAS that does not know the processor halves everything: its choice
is printed on top.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from . import bench_machine
from .arguments import Parser, count
from .bench_child import Child
from .bench_ops import CHAINS
from .bench_steps import WORKLOADS
from .errors import CommandError

BUDGET = {"no_grad": 0.5, "forward": 1.3, "backward": 1.5}  # µs per operation, on top of NumPy's own time
COLUMNS = {
    "minigrad": ("numpy forward", "numpy backward", "no_grad", "forward", "both"),
    "torch": ("no_grad", "forward", "both"),
}
PAUSE = 0.02  # seconds, in which the idle threads of the other process go to sleep

Summary = dict[str, float]


def parser() -> Parser:
    """The parser of both commands."""
    whole = Parser(
        prog="python -m minigrad.tools.bench",
        description="Measure minigrad, and PyTorch beside it where it is installed.",
        epilog="example:\n  python -m minigrad.tools.bench overhead --json overhead.json",
    )
    tables = whole.add_subparsers(title="tables", metavar="TABLE", required=True, parser_class=Parser)
    for table, rounds, samples in ((overhead, 20, 10), (steps, 10, 5)):
        command = tables.add_parser(
            table.__name__,
            help=str(table.__doc__).splitlines()[0],
            description=table.__doc__,
            epilog=f"example:\n  python -m minigrad.tools.bench {table.__name__} --quick",
        )
        command.add_argument(
            "--rounds", type=count, default=rounds, help="turns of each (default: %(default)s)"
        )
        command.add_argument("--json", type=Path, metavar="FILE", help="write all numbers to FILE as well")
        command.add_argument(
            "--quick", action="store_true", help="only try whether it works: numbers mean nothing"
        )
        command.set_defaults(table=table, samples=samples)
        if table is steps:
            command.add_argument(
                "--threads", type=count, nargs="+", default=[1, 2], help="(default: 1, then 2)", metavar="N"
            )
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Measure one table, print it, and write it down if asked."""
    arguments = parser().parse_args(argv)
    if arguments.quick:
        arguments.rounds = arguments.samples = 1
    machine = bench_machine.facts()
    for name, fact in machine.items():
        print(f"{name:17} {fact}")
    if bench_machine.version("torch") is None:
        print(
            "\nPyTorch is not installed, so its columns are left out; `pip install torch` would bring them."
        )
    try:
        rows = arguments.table(arguments)
    except CommandError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    machine["load at the end"] = bench_machine.load()
    print(f"\nload average: {machine['load']} before, {machine['load at the end']} after")
    if arguments.json:
        settings = {"rounds": arguments.rounds, "samples": arguments.samples, "quick": arguments.quick}
        found = {"table": arguments.table.__name__, "machine": machine, "settings": settings, "rows": rows}
        try:
            arguments.json.write_text(
                json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
            )
        except OSError as error:
            print(f"bench: {arguments.json}: {error.strerror}", file=sys.stderr)
            return 2
    return 0


def libraries() -> list[str]:
    """What is measured: minigrad, and PyTorch where it is installed."""
    return [name for name in COLUMNS if name == "minigrad" or bench_machine.version(name)]


def summary(times: Iterable[float], scale: float) -> Summary:
    """Median and 10th percentile of times in seconds, multiplied by `scale`."""
    scaled = np.array(list(times)) * scale
    return {"median": float(np.median(scaled)), "p10": float(np.percentile(scaled, 10))}


# ------------------------------------------------------------------------------------------------ overhead


def overhead(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """What an operation on (32, 32) float32 costs on top of NumPy's own time.

    One thread; operations in a chain, divided by their number.
    """
    times: dict[str, dict[tuple[str, str], list[float]]] = {name: {} for name in CHAINS}
    with ExitStack() as stack:
        children = [stack.enter_context(Child(name, threads=1)) for name in libraries()]
        for _ in range(arguments.rounds):
            for name, found in times.items():
                for child in children:
                    for column in COLUMNS[child.library]:
                        taken = child.measure(chain=name, column=column, samples=arguments.samples)
                        found.setdefault((child.library, column), []).extend(taken)
    rows = [overhead_row(name, found) for name, found in times.items()]
    _print_overhead(rows, arguments.rounds * arguments.samples)
    return rows


def overhead_row(name: str, times: dict[tuple[str, str], list[float]]) -> dict[str, Any]:
    """Everything measured of one chain, in µs per operation, and what follows from it."""
    row: dict[str, Any] = {"operation": name}
    for (library, column), taken in times.items():
        row.setdefault(library, {})[column] = summary(taken, 1e6 / CHAINS[name].length)
    ours = row["minigrad"]
    row["overhead"] = {
        kind: {
            "no_grad": ours["no_grad"][kind] - ours["numpy forward"][kind],
            "forward": ours["forward"][kind] - ours["numpy forward"][kind],
            "backward": ours["both"][kind] - ours["forward"][kind] - ours["numpy backward"][kind],
        }
        for kind in ("p10", "median")
    }
    return row


def _print_overhead(rows: list[dict[str, Any]], samples: int) -> None:
    """The table: NumPy's own time, what minigrad takes on top, and whole times beside PyTorch's."""
    with_torch = "torch" in rows[0]
    budget = "".join(f"{f'<= {limit}':>10}" for limit in BUDGET.values())
    print(f"\nµs per operation, 10th percentile of {samples} samples; ! is above the budget\n")
    print(f"{'':11} {'NumPy':>15}   {'minigrad on top of NumPy':>30}   {'minigrad':>15}", end="")
    print(f"   {'PyTorch':>23} {'ratio':>7}" if with_torch else "")
    print(f"{'':11} {'forward':>7} {'backwd':>7}   {'no_grad':>10}{'forward':>10}{'backward':>10}", end="")
    print(f"   {'forward':>7} {'both':>7}", end="")
    print(f"   {'no_grad':>7} {'forward':>7} {'both':>7} {'both':>7}" if with_torch else "")
    print(f"{'budget':11} {'':15}   {budget}")
    for row in rows:
        ours = {column: found["p10"] for column, found in row["minigrad"].items()}
        print(f"{row['operation']:11} {ours['numpy forward']:7.2f} {ours['numpy backward']:7.2f}   ", end="")
        for column, cost in row["overhead"]["p10"].items():
            print(f"{cost:9.2f}{'!' if cost > BUDGET[column] else ' '}", end="")
        print(f"   {ours['forward']:7.2f} {ours['both']:7.2f}", end="")
        if with_torch:
            theirs = {column: found["p10"] for column, found in row["torch"].items()}
            print(f"   {theirs['no_grad']:7.2f} {theirs['forward']:7.2f} {theirs['both']:7.2f}", end="")
            print(f" {ours['both'] / theirs['both']:7.2f}", end="")
        print()


# ------------------------------------------------------------------------------------------------ steps


def steps(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """What a whole training step takes: forward, loss, backward and Adam.

    The same text of a model and a loop runs with either library.
    """
    rows = []
    for threads in [1] if arguments.quick else arguments.threads:
        times: dict[tuple[str, str], list[float]] = {}
        with ExitStack() as stack:
            children = [stack.enter_context(Child(name, threads)) for name in libraries()]
            for _ in range(arguments.rounds):
                for workload in WORKLOADS:
                    for child in children:
                        time.sleep(PAUSE)
                        taken = child.measure(workload=workload, samples=arguments.samples)
                        times.setdefault((workload, child.library), []).extend(taken)
        for workload in WORKLOADS:
            found = {child.library: summary(times[workload, child.library], 1e3) for child in children}
            rows.append({"workload": workload, "threads": threads, **found})
    _print_steps(rows, arguments.rounds * arguments.samples)
    return rows


def _print_steps(rows: list[dict[str, Any]], samples: int) -> None:
    """The table: median and 10th percentile of each library, and the ratio of the medians."""
    names = [name for name in COLUMNS if name in rows[0]]
    print(f"\nms per training step, {samples} samples; the ratio is minigrad / PyTorch, of medians\n")
    print(f"{'':34} {'threads':>7}" + "".join(f"   {name:>8} {'p10':>8}" for name in names))
    for row in rows:
        print(f"{row['workload']:34} {row['threads']:7}", end="")
        for name in names:
            print(f"   {row[name]['median']:8.3f} {row[name]['p10']:8.3f}", end="")
        print(f"   ratio {row['minigrad']['median'] / row['torch']['median']:.2f}" if "torch" in row else "")


if __name__ == "__main__":
    sys.exit(main())
