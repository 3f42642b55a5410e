"""The command line `minigrad`: one command, one file; each says with --help what it does and shows an example."""

import argparse
import sys
from collections.abc import Sequence

import minigrad

from . import graph_command, train, translate
from .errors import CommandError

COMMANDS = (train, translate, graph_command)


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    whole = argparse.ArgumentParser(
        prog="minigrad",
        description="Train, translate, and look at backpropagation.",
        epilog="example:\n  minigrad train dates && minigrad translate runs/dates '21 novembre 2026'",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("--version", action="version", version=f"minigrad {minigrad.__version__}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(commands)
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 2 a mistake in the request, 130 interrupted."""
    arguments = parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")
    try:
        return arguments.run(arguments)
    except CommandError as error:
        print(f"minigrad: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        print("\nminigrad: interrupted", file=sys.stderr)
        return 130
