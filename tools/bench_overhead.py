"""`minigrad bench overhead`: what the tape costs on top of NumPy, one small operation at a time."""

import argparse
from contextlib import ExitStack
from typing import Any

from .bench_child import Child, Summary, summary
from .bench_ops import CHAINS
from .bench_steps import libraries

BUDGET = {"no_grad": 0.5, "forward": 1.3, "backward": 1.5}  # µs per operation, on top of NumPy's own time
COLUMNS = {
    "minigrad": ("numpy forward", "numpy backward", "no_grad", "forward", "both"),
    "torch": ("no_grad", "forward", "both"),
}


def measure(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """A row for each operation on (32, 32) float32; one thread, in a chain, divided by its length."""
    times: dict[str, dict[tuple[str, str], list[float]]] = {name: {} for name in CHAINS}
    with ExitStack() as stack:
        children = [stack.enter_context(Child(name, threads=1)) for name in libraries()]
        for _ in range(arguments.rounds):
            for name, found in times.items():
                for child in children:
                    for column in COLUMNS[child.library]:
                        taken = child.ask(chain=name, column=column, samples=arguments.samples)
                        found.setdefault((child.library, column), []).extend(taken)
    return [overhead_row(name, found) for name, found in times.items()]


def overhead_row(name: str, times: dict[tuple[str, str], list[float]]) -> dict[str, Any]:
    """Everything measured of one chain, in µs per operation, and what follows from it."""
    row: dict[str, Any] = {"operation": name}
    for (library, column), taken in times.items():
        row.setdefault(library, {})[column] = summary(taken, 1e6 / CHAINS[name].length)
    ours: dict[str, Summary] = row["minigrad"]
    row["overhead"] = {
        kind: {
            "no_grad": ours["no_grad"][kind] - ours["numpy forward"][kind],
            "forward": ours["forward"][kind] - ours["numpy forward"][kind],
            "backward": ours["both"][kind] - ours["forward"][kind] - ours["numpy backward"][kind],
        }
        for kind in ("p10", "median")
    }
    return row


def table(rows: list[dict[str, Any]], samples: int) -> str:
    """NumPy's own time, what minigrad takes on top, and whole times beside PyTorch's."""
    with_torch = "torch" in rows[0]
    budget = "".join(f"{f'<= {limit}':>10}" for limit in BUDGET.values())
    lines = [
        f"µs per operation, 10th percentile of {samples} samples; ! is above the budget",
        "",
        f"{'':11} {'NumPy':>15}   {'minigrad on top of NumPy':>30}   {'minigrad':>15}"
        + (f"   {'PyTorch':>23} {'ratio':>7}" if with_torch else ""),
        f"{'':11} {'forward':>7} {'backwd':>7}   {'no_grad':>10}{'forward':>10}{'backward':>10}"
        f"   {'forward':>7} {'both':>7}"
        + (f"   {'no_grad':>7} {'forward':>7} {'both':>7} {'both':>7}" if with_torch else ""),
        f"{'budget':11} {'':15}   {budget}",
    ]
    return "\n".join([*lines, *map(line, rows)])


def line(row: dict[str, Any]) -> str:
    """A row as a line of the table."""
    ours = {column: found["p10"] for column, found in row["minigrad"].items()}
    text = f"{row['operation']:11} {ours['numpy forward']:7.2f} {ours['numpy backward']:7.2f}   "
    for column, cost in row["overhead"]["p10"].items():
        text += f"{cost:9.2f}{'!' if cost > BUDGET[column] else ' '}"
    text += f"   {ours['forward']:7.2f} {ours['both']:7.2f}"
    if "torch" in row:
        theirs = {column: found["p10"] for column, found in row["torch"].items()}
        text += f"   {theirs['no_grad']:7.2f} {theirs['forward']:7.2f} {theirs['both']:7.2f}"
        text += f" {ours['both'] / theirs['both']:7.2f}"
    return text
