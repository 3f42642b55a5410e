"""`minigrad bench`: training steps beside those of others, the cost of the tape, and how cost grows.

Three traps, and what is done about them.  NumPy's and PyTorch's threads disturb each other: each library has
a process of its own, and they take turns.  A shared machine is slow at times: rounds are repeated, and the
median and the 10th percentile given.  A BLAS that does not know the processor halves everything: its choice
is printed on top.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from minigrad.backend import library_of
from minigrad.errors import DeviceError

from . import bench_growth, bench_import, bench_machine, bench_overhead, bench_peers, bench_plot, bench_steps
from .arguments import Parser, count, nearest
from .bench_child import Child
from .bench_models import WORKLOADS
from .errors import CommandError, plain

EXAMPLE = """examples:
  minigrad bench steps                            every workload, with one thread
  minigrad bench steps lstm gru --threads 1 2 --json found.json --plot found.png
  minigrad bench steps lstm --peers torch autograd jax --python ~/peers/bin/python
  minigrad bench steps transformer --profile      the time of each operation
  minigrad bench --device cuda                    steps on a GPU, beside PyTorch on the same one
  minigrad bench import --peers torch             how long `import minigrad` takes
  minigrad bench overhead                         what the tape costs on top of NumPy
  minigrad bench growth                           how a step grows with length, batch, width and depth
"""
TABLES = {  # name -> (what it is, rounds, samples in each)
    "steps": ("training steps and their memory, beside PyTorch's", 5, 4),
    "import": ("how long an import takes", 20, 1),
    "overhead": ("what an operation on (32, 32) costs on top of NumPy's own time", 20, 10),
    "growth": ("how the time of a step grows, with the fitted exponent", 5, 3),
}


def add_parser(commands: Any) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "bench",
        help="measure training steps, the tape, and how cost grows",
        description="Measure minigrad, and PyTorch beside it where it is installed: one process for each,\n"
        "in turns, on the same work.",
        epilog=EXAMPLE,
    )
    parser.meant = "steps"
    tables = parser.add_subparsers(title="tables", metavar="TABLE", required=True, parser_class=Parser)
    for name, (text, rounds, samples) in TABLES.items():
        table = tables.add_parser(name, help=text, description=f"Measure {text}.", epilog=EXAMPLE)
        table.add_argument(
            "--rounds", type=count, default=rounds, help="turns of each (default: %(default)s)"
        )
        table.add_argument("--json", type=Path, metavar="FILE", help="write all numbers to FILE as well")
        table.add_argument("--quick", action="store_true", help="only try whether it works, at a small size")
        if name in ("steps", "import"):
            table.add_argument(
                "--peers",
                nargs="+",
                metavar="NAME",
                help=f"whom to measure beside, among {', '.join((bench_peers.TORCH, *bench_peers.PEERS))}"
                " (default: torch, if it is installed)",
            )
            table.add_argument(
                "--python",
                default=sys.executable,
                metavar="PATH",
                help="the Python in which they are installed (default: the one that runs minigrad)",
            )
        if name in ("steps", "growth"):
            table.add_argument("--plot", type=Path, metavar="FILE", help="draw the table as a PNG")
            table.add_argument(
                "--threads", type=count, nargs="+", default=[1], metavar="N", help="(default: 1)"
            )
        if name == "steps":
            table.add_argument(
                "workloads",
                metavar="WORKLOAD",
                nargs="*",
                help=f"among {', '.join(WORKLOADS)} (default: all)",
            )
            table.add_argument("--profile", action="store_true", help="the time of each operation instead")
            table.add_argument("--device", default="cpu", help="cpu, or cuda (default: %(default)s)")
            table.add_argument(
                "--kernels",
                nargs="+",
                metavar="NAME",
                help="OpenBLAS's kernels: auto, Haswell, ... (default: auto, and OPENBLAS_CORETYPE if set)",
            )
        table.set_defaults(run=run_command, table=name, samples=samples)


def run_command(arguments: argparse.Namespace) -> int:
    """Measure one table, print it as it grows, and write it down if asked."""
    for name in getattr(arguments, "workloads", ()):
        if name not in WORKLOADS:
            raise CommandError(f"no workload is called {name!r}{nearest(name, WORKLOADS)}")
    try:
        library_of(getattr(arguments, "device", "cpu"))
    except DeviceError as error:
        raise CommandError(f"--device: {plain(error)}") from error
    if arguments.quick:
        arguments.rounds = arguments.samples = 1
    machine = bench_machine.facts()
    if hasattr(arguments, "peers"):
        machine |= _choose_peers(arguments)
    for name, fact in machine.items():
        print(f"{name:17} {fact}")
    print()
    rows = _profile(arguments) if getattr(arguments, "profile", False) else _measured(arguments)
    machine["load at the end"] = bench_machine.load()
    print(f"\nload average: {machine['load']} before, {machine['load at the end']} after")
    if arguments.json:
        settings = {"rounds": arguments.rounds, "samples": arguments.samples, "quick": arguments.quick}
        found = {"table": arguments.table, "machine": machine, "settings": settings, "rows": rows}
        arguments.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if getattr(arguments, "plot", None):
        bench_plot.draw(arguments.table, rows, arguments.plot)
        print(arguments.plot)
    return 0


def _choose_peers(arguments: argparse.Namespace) -> dict[str, str]:
    """Leave those peers that are installed, and say which version each is, or that it is left out."""
    asked = arguments.peers or [bench_peers.TORCH]
    bench_peers.check(asked, getattr(arguments, "device", "cpu"))
    versions = bench_peers.installed(arguments.python, asked)
    arguments.peers = [name for name in dict.fromkeys(asked) if name in versions]
    return {name: versions.get(name, "not installed, left out") for name in asked}


def _measured(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of a table, each printed when it is there."""
    if arguments.table == "overhead":
        rows = bench_overhead.measure(arguments)
        print(bench_overhead.table(rows, arguments.rounds * arguments.samples))
        return rows
    table = {"steps": bench_steps, "import": bench_import, "growth": bench_growth}[arguments.table]
    if arguments.table == "steps":
        print(bench_steps.header(arguments), flush=True)
    elif arguments.table == "import":
        print(bench_import.header(), flush=True)
    rows = []
    for row in table.measure(arguments):
        print(table.line(row), flush=True)
        rows.append(row)
    return rows


def _profile(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """For each workload the operations that take longest, in ms for each step."""
    rows = []
    for name in arguments.workloads or WORKLOADS:
        with Child("minigrad", arguments.threads[0]) as child:
            found = child.ask(
                workload=name,
                samples=arguments.samples,
                quick=arguments.quick,
                device=arguments.device,
                profile=True,
            )
        print(WORKLOADS[name].title)
        for operation, seconds in found[:20]:
            print(f"  {operation:44} {1e3 * seconds:9.3f} ms")
        rows.append({"workload": name, "operations": {operation: 1e3 * s for operation, s in found}})
    return rows
