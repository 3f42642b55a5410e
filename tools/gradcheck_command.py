"""`minigrad gradcheck`: the derivatives of every operation here, against finite differences."""

import argparse
from collections.abc import Sequence
from fnmatch import fnmatch
from typing import Any

import minigrad

from .arguments import count
from .devices import add_device, chosen_device
from .errors import CommandError

EXAMPLE = """examples:
  minigrad gradcheck                       every operation, 10 drawn inputs for each
  minigrad gradcheck "log*" softmax --examples 100
  minigrad gradcheck --device cuda:0
"""
SHOWN = {True: "ok", False: "FAILED", None: "-"}


def add_parser(commands: Any) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "gradcheck",
        help="check the derivatives of every operation on this machine",
        description="Draw inputs for every operation, and compare its values with NumPy and its first and\n"
        "second derivatives with finite differences, in float64. Prints a line for each: `worst` is\n"
        "the largest deviation of a derivative, as a share of the numbers compared. Status 1 if one fails.",
        epilog=EXAMPLE,
    )
    parser.add_argument("texts", metavar="NAME", nargs="*", help="names of operations, * for any letters")
    add_device(parser)
    parser.add_argument("--examples", type=count, default=10, help="drawn inputs for each (default: 10)")
    parser.set_defaults(run=run_command)


def run_command(arguments: argparse.Namespace) -> int:
    """Print the table; 1 if an operation fails."""
    try:
        testing = minigrad.testing  # imported here, for Hypothesis may be absent
    except ModuleNotFoundError as error:
        raise CommandError(f'{error.name} is missing; install it by: pip install "minigrad[test]"') from error
    chosen = _chosen(testing.cards.CARDS, arguments.texts)
    place = chosen_device(arguments.device)
    width = max(len(card.name) for card in chosen)
    print(f"{'operation':{width}}  value   first   second  worst")
    failed = []
    for card in chosen:
        found = testing.checks.report(card, arguments.examples, place)
        states = [f"{SHOWN[state]:6}" for state in (found.value, found.first, found.second)]
        worst = "-" if found.first is None else f"{found.worst:.0e}"
        print(f"{found.name:{width}}  {'  '.join(states)}  {worst}", flush=True)
        if not found.passed:
            failed.append(found)
            print(f"  {found.problem}")
    print(f"{len(chosen)} operations on {place}, {len(chosen) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def _chosen(declared: Sequence[Any], patterns: Sequence[str]) -> list[Any]:
    """The operations whose names match; all without a pattern."""
    for pattern in patterns:
        if not any(fnmatch(card.name, pattern) for card in declared):
            raise CommandError(f"no operation is called {pattern!r}; `minigrad gradcheck` lists them all")
    return [card for card in declared if not patterns or any(fnmatch(card.name, p) for p in patterns)]
