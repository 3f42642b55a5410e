"""`minigrad compare`: several runs in one table and one picture."""

import argparse
from pathlib import Path
from typing import Any

from .arguments import picture
from .errors import CommandError
from .learners import trained
from .plots import draw_runs
from .run_folder import RunFolder
from .scores import METRICS, scored

EXAMPLE = """examples:
  minigrad compare runs/dates runs/transformer
  minigrad compare runs/* --out curves.png
"""


def add_parser(commands: Any) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "compare",
        help="put runs side by side",
        description="Print one table of several runs, and draw their losses and held-out scores.",
        epilog=EXAMPLE,
    )
    parser.add_argument("folders", metavar="RUN", nargs="+", help="run folders whose scores are alike")
    parser.add_argument(
        "--out", metavar="FILE.png", type=picture, default=Path("compare.png"), help="(default: compare.png)"
    )
    parser.set_defaults(run=run_command)


def run_command(arguments: argparse.Namespace) -> int:
    """Print the table, and say where the picture is."""
    runs = {folder: RunFolder(folder) for folder in arguments.folders}
    rows = [_row(name, run) for name, run in runs.items()]
    kinds = dict.fromkeys(row["score"] for row in rows)
    if len(kinds) > 1:
        names = " and ".join(METRICS[kind].name for kind in kinds)
        raise CommandError(f"these runs are scored by {names}; compare those that are scored alike")
    metric = METRICS[next(iter(kinds))]
    head = ("RUN", "TASK", "MODEL", "PARAMETERS", "STEPS", "LOSS", "LAST", "BEST", "AFTER EPOCH")
    table = [head, *(row["cells"] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        left = "  ".join(f"{cell:{width}}" for cell, width in zip(cells[:3], widths[:3], strict=True))
        print(left + "".join(f"  {cell:>{width}}" for cell, width in zip(cells[3:], widths[3:], strict=True)))
    better = "more" if metric.higher_is_better else "less"
    print(f"LAST and BEST: held-out {metric.name}, the {better} the better")
    if len({row["fingerprint"] for row in rows}) > 1:
        print("not all of these runs have the same data")
    draw_runs({name: run.records() for name, run in runs.items()}, arguments.out)
    print(arguments.out)
    return 0


def _row(name: str, run: RunFolder) -> dict[str, Any]:
    """What the table says of a run."""
    config, records = run.config(), run.records()
    tested = [(record, found) for record in records if (found := scored(record))]
    if not tested:
        raise CommandError(f"{run} has not been tested yet: its first epoch has not ended")
    metric = METRICS[tested[0][1][0]]
    best_record, best = tested[0]
    for record, found in tested:
        if metric.better(found[1], best[1]):
            best_record, best = record, found
    losses = [record["loss"] for record in records if "loss" in record]
    parameters = sum(parameter.numel() for parameter in trained(run).model.parameters())
    cells = (
        name,
        Path(config["task"]).name,
        config["model"]["name"],
        f"{parameters:,}",
        f"{tested[-1][0]['step']:,}",
        f"{losses[-1]:.4f}" if losses else "-",
        metric.written(tested[-1][1][1]),
        metric.written(best[1]),
        str(best_record["epoch"]),
    )
    return {"cells": cells, "score": tested[0][1][0], "fingerprint": config["fingerprint"]}
