"""The command line `minigrad`: one command, one file; each explains itself with --help, and an example."""

import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import minigrad

from . import (
    bench,
    compare,
    data_command,
    doctor,
    evaluate,
    figure_command,
    generate,
    gradcheck_command,
    graph_command,
    train,
    translate,
)
from .arguments import Parser
from .errors import CommandError

COMMANDS = (
    *(train, translate, generate, evaluate, compare),
    *(graph_command, figure_command, gradcheck_command, bench, data_command, doctor),
)


def parser() -> Parser:
    """The parser of all commands."""
    whole = Parser(
        prog="minigrad",
        description="Train, translate, generate, and look at backpropagation.",
        epilog='example:\n  minigrad train dates && minigrad translate runs/dates "21 novembre 2026"',
    )
    whole.add_argument("--version", action="version", version=f"minigrad {minigrad.__version__}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    for command in COMMANDS:
        command.add_parser(commands)
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 2 a mistake in the request, 130 interrupted."""
    _prepare_streams()
    try:
        arguments = parser().parse_args(argv)
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            status: int = arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has gone, as `| head` does
        _drop_output()
        return 0
    except KeyboardInterrupt:
        return _failure("interrupted", 130)
    except CommandError as error:
        return _failure(str(error))
    except MemoryError as error:
        return _failure(f"not enough memory: {error}; choose smaller sizes")
    except OSError as error:
        if error.filename is None:  # nor can what was printed be written
            _drop_output()
        return _failure(f"{error.filename or 'output'}: {error.strerror or error}")
    return status


def _prepare_streams() -> None:
    """Speak UTF-8 whatever the locale; a stream that the shell has closed (`>&-`) is /dev/null."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            nothing = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 (open until the end)
            setattr(sys, name, nothing)
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


def _drop_output() -> None:
    """Let what is still to be printed go nowhere, so that Python does not try to write it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failure(sentence: str, status: int = 2) -> int:
    """Say what went wrong."""
    print(f"minigrad: {sentence}", file=sys.stderr)
    return status


def _show_warning(message: Any, *_: Any, **__: Any) -> None:
    """A warning as a sentence, without the place in our source that it came from."""
    print(f"minigrad: {message}", file=sys.stderr)
