"""The command line as a user has it: in a process and a folder of its own."""

import json
import os
import subprocess
import sys

ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}

# A run of 20 steps, in about a second.
SMALL = (
    *("--pairs", "300", "--heldout", "54", "--epochs", "2", "--batch-size", "32"),
    *("--hidden-size", "16", "--embedding-size", "8"),
)

WITHOUT = """
import sys
sys.modules.update(dict.fromkeys({!r}))
from minigrad.tools.cli import main
sys.exit(main())
"""


def program(without=()):
    """How the command is started; as if the packages `without` were not installed."""
    if without:
        return [sys.executable, "-c", WITHOUT.format(without)]
    return [sys.executable, "-m", "minigrad.tools"]


def minigrad(*arguments, cwd, text="", without=(), env=None):
    """Run a command to its end; `text`, or bytes, is its standard input."""
    run = subprocess.run(
        [*program(without), *map(str, arguments)],
        cwd=cwd,
        input=text.encode() if isinstance(text, str) else text,
        capture_output=True,
        timeout=120,
        check=False,
        env={**ENVIRONMENT, **(env or {})},
    )
    run.stdout, run.stderr = run.stdout.decode(), run.stderr.decode()
    return run


def started(*arguments, cwd, **pipes):
    """Start a command, to be interrupted."""
    return subprocess.Popen([*program(), *map(str, arguments)], cwd=cwd, env=ENVIRONMENT, **pipes)


def done(run):
    """Its output, if it ended well and complained of nothing."""
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout


def refusal(run):
    """What it said, if it refused in a sentence."""
    assert run.returncode == 2
    assert run.stderr.startswith("minigrad")
    assert "Traceback" not in run.stderr
    return run.stderr


def log(folder):
    """The lines of a run's log."""
    return [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def files(folder, *names):
    """The bytes of the files by which runs are compared."""
    return {
        name: (folder / name).read_bytes()
        for name in names or ("config.json", "checkpoint.safetensors", "log.jsonl")
    }
