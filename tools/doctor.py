"""`minigrad doctor`: what this installation computes with, and what would make it faster."""

import argparse
from typing import Any

from minigrad import config


def add_parser(commands: Any) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "doctor",
        help="say what this installation computes with",
        description="Print the versions, the processor, the BLAS with its kernels and threads, what a GPU\n"
        "needs, and the optional packages, with the remedy for what is missing; and a warning, with its\n"
        "remedy, for what makes matrix products slow.",
        epilog="example:\n  minigrad doctor",
    )
    parser.set_defaults(run=run_command)


def run_command(_arguments: argparse.Namespace) -> int:
    """Print the facts."""
    config.show()
    return 0
