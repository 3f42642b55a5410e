"""Whom minigrad is measured beside, where they are installed, and whether they do the same work.

PyTorch runs the text of bench_models.py.  Every other peer has a file of its own in peers/, starts from
minigrad's weights and data, and counts only if it then finds the same losses.
"""

import json
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .arguments import nearest
from .bench_models import Workload
from .errors import CommandError

PEERS = {  # name, which is that of the package -> (what it is, the workloads in its file)
    "autograd": ("HIPS autograd", ("mlp", "lstm")),
    "dezero": ("DeZero", ("mlp", "lstm")),
    "jax": ("JAX with jit", ("mlp", "lstm", "transformer")),
    "mygrad": ("MyGrad", ("mlp", "lstm")),
    "pydynet": ("PyDyNet", ("mlp", "lstm")),
}
TORCH = "torch"
SERVER = Path(__file__).with_name("peers") / "serve.py"
FIRST_LOSS, LATER_LOSS = 1e-5, 1e-2  # how far losses may lie apart, relatively
VERSIONS = """
import importlib.metadata, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Task:
    """What a peer does for a workload: a function of its file, and the sizes that arrays do not tell."""

    function: str
    told: tuple[str, ...] = ()


TASKS = {
    "mlp": Task("mlp"),
    "tiny-mlp": Task("mlp"),
    "lstm": Task("lstm", ("layers",)),
    "transformer": Task("transformer", ("layers", "heads")),
}


def check(names: Iterable[str], device: str) -> None:
    """CommandError for a peer that nobody knows, or that is not measured there."""
    for name in names:
        if name not in (TORCH, *PEERS):
            raise CommandError(f"no peer is called {name!r}{nearest(name, (TORCH, *PEERS))}")
        if name != TORCH and device != "cpu":
            raise CommandError(f"--peers {name}: it is measured on the CPU alone, not on {device}")


def installed(python: str, names: Sequence[str]) -> dict[str, str]:
    """The versions of those packages that the Python at `python` has."""
    try:
        run = subprocess.run(  # noqa: S603 (the program that the user named)
            [python, "-c", VERSIONS, *names], capture_output=True, text=True, check=True
        )
        return dict(json.loads(run.stdout))
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise CommandError(f"--python {python}: that is no Python that runs ({error})") from None


def does(peer: str, name: str) -> bool:
    """Is there such a workload in the file of a peer?  PyTorch does all of them."""
    return peer == TORCH or (name in TASKS and TASKS[name].function in PEERS[peer][1])


def request(name: str, workload: Workload, quick: bool, arrays: str) -> dict[str, Any]:
    """How a peer is asked to build a workload and to do its first steps."""
    task = TASKS[name]
    sizes = workload.sizes_of(quick)
    return {"workload": task.function, "arrays": arrays, "sizes": {key: sizes[key] for key in task.told}}


def difference(ours: Sequence[float], theirs: Sequence[float]) -> str | None:
    """Why losses of the first steps are not those of the same work; None if they are.

    The first is forward alone, and agrees to rounding; the later ones show that backward and Adam do the
    same.  They may lie apart a little: some libraries have one bias where others add two.
    """
    for step, (expected, found) in enumerate(zip(ours, theirs, strict=True)):
        if not abs(found - expected) <= (LATER_LOSS if step else FIRST_LOSS) * abs(expected):
            return f"its loss at step {step} is {found:.7g} and minigrad's {expected:.7g}: not the same work"
    return None
