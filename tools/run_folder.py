"""A run folder: everything that one training run is, in plain files.

config.json              settings, sizes, tokenisers, vocabularies, versions, the device it was begun on
checkpoint.safetensors   parameters, optimiser, schedule, data order, random state, step and epoch
best.safetensors         the parameters that had the best score
average.safetensors      the mean of the last epochs' parameters, if asked for
log.jsonl                one JSON object a line: {"step", "epoch", "loss", ...} and one for each epoch's end
loss.png, attention.png, graph.svg, graph.dot

Nothing in them depends on the clock: the same seed, data and versions give the same bytes.
"""

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy

import minigrad
from minigrad.checkpoint import atomic_file, load_checkpoint, save_checkpoint
from minigrad.errors import CheckpointError

from .errors import CommandError

CONFIG, LOG = "config.json", "log.jsonl"
CHECKPOINTS = {  # the weights of a run by their name on the command line
    "last": "checkpoint.safetensors",
    "best": "best.safetensors",
    "average": "average.safetensors",
}
EPOCHS = "epoch-{}.safetensors"  # the weights after an epoch, kept until they are averaged
PICTURES = ("loss.png", "attention.png", "forecast.png", "graph.svg", "graph.dot")

# What every configuration holds, and of which kind; what a learner adds, it checks itself.
FIELDS: Mapping[str, Any] = {
    "task": str,
    "kind": str,
    "score": str,
    "seed": int,
    "train": int,
    "heldout": int,
    "fingerprint": str,
    "data": dict,
    "model": {"name": str},
    "training": {
        "epochs": int,
        "threads": int,
        "batch_size": int,
        "batch_tokens": int,
        "accumulate": int,
        "optimizer": str,
        "schedule": str,
        "learning_rate": float,
        "warmup": int,
        "weight_decay": float,
        "clip": float,
        "label_smoothing": float,
        "attention_penalty": float,
        "patience": int,
        "average": int,
        "workers": int,
        "tensorboard": bool,
    },
}


class RunFolder:
    """The files of one run, under `path`."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __str__(self) -> str:
        return str(self.path)

    def exists(self) -> bool:
        """Has a run been started here?"""
        return (self.path / CONFIG).exists()

    def has_checkpoint(self) -> bool:
        """Is there something to resume or to translate with?"""
        return (self.path / CHECKPOINTS["last"]).exists()

    def start(self, config: Mapping[str, Any]) -> None:
        """Make the folder and write its configuration; what an earlier run left here is removed."""
        if self.path.exists() and not self.path.is_dir():
            raise CommandError(f"{self.path} is a file, expected a folder for the run; choose another --out")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            kept = [self.path / name for name in (*CHECKPOINTS.values(), LOG, *PICTURES)]
            for path in [*kept, *self.path.glob(EPOCHS.format("*"))]:
                path.unlink(missing_ok=True)
            text = json.dumps({**config, "versions": versions()}, ensure_ascii=False, indent=2)
            with atomic_file(self.path / CONFIG) as file:
                file.write(text.encode())
        except OSError as error:
            raise CommandError(f"the run folder {self.path} cannot be written: {error.strerror}") from error

    def config(self) -> dict[str, Any]:
        """The configuration of the run; CommandError if there is none, or it is damaged."""
        path = self.path / CONFIG
        if not path.is_file():
            raise CommandError(
                f"{self.path} is not a run: it has no {CONFIG}; `minigrad train dates` makes one, runs/dates"
            )
        try:
            config = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise CommandError(f"{path} is damaged: {error}") from error
        problem = _problem(config, FIELDS, "the whole")
        if problem:
            raise CommandError(f"{path} is damaged: {problem}")
        return config

    def save(self, state: Mapping[str, Any]) -> None:
        """Write the checkpoint; the one before it stays whole until this one is."""
        save_checkpoint(state, self.path / CHECKPOINTS["last"])

    def save_weights(self, state: Mapping[str, Any], which: str) -> None:
        """Write weights that nothing goes on from: the "best", an "average"."""
        save_checkpoint(state, self.path / CHECKPOINTS[which])

    def keep_epoch(self, state: Mapping[str, Any], epoch: int, count: int) -> None:
        """Write the weights after an epoch, and remove those of `count` epochs ago."""
        save_checkpoint(state, self.path / EPOCHS.format(epoch))
        (self.path / EPOCHS.format(epoch - count)).unlink(missing_ok=True)

    def kept_epochs(self) -> list[dict[str, Any]]:
        """The parameters of the epochs that were kept."""
        paths = sorted(self.path.glob(EPOCHS.format("*")), key=lambda path: (len(path.name), path.name))
        return [load_checkpoint(path)["model"] for path in paths]

    def drop_epochs(self) -> None:
        """Remove them."""
        for path in self.path.glob(EPOCHS.format("*")):
            path.unlink()

    def load(self, which: str = "last") -> dict[str, Any]:
        """The state that was saved last, or the weights of another name; CommandError if there are none."""
        path = self.path / CHECKPOINTS[which]
        if not path.exists():
            raise CommandError(
                f"{self.path} has no {path.name}: the run ended before it was first saved; start it again "
                "by --overwrite"
                if which == "last"
                else f"{self.path} has no {path.name}; such weights are kept by --average N, the best ones "
                "once an epoch has been tested"
            )
        try:
            return load_checkpoint(path)
        except CheckpointError as error:
            raise CommandError(f"{error}; start the run again by --overwrite") from error

    def log(self, record: Mapping[str, Any]) -> None:
        """Append one line to the log."""
        with (self.path / LOG).open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")

    def cut_log(self, step: int, epoch: int) -> None:
        """Drop what was logged after `step`, or tested after `epoch`: a resumed run writes it again."""
        kept = [
            json.dumps(record, ensure_ascii=False)
            for record in self.records()
            if record["step"] <= step and ("loss" in record or record["epoch"] <= epoch)
        ]
        with atomic_file(self.path / LOG) as file:
            file.write("".join(line + "\n" for line in kept).encode())

    def records(self) -> list[dict[str, Any]]:
        """The lines of the log; one that a crash left half written is left out."""
        path = self.path / LOG
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n") if path.exists() else []
        place = {"step": int, "epoch": int}
        return [record for line in lines if not _problem(record := _parsed(line), place)]


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _problem(found: Any, expected: Any, name: str = "") -> str | None:
    """What is not as `expected`, a type or a table of them; None if all is."""
    kind = dict if isinstance(expected, Mapping) else expected
    fits = isinstance(found, (int, float) if kind is float else kind)
    fits = fits and (kind is bool or not isinstance(found, bool))
    if not fits:
        return f"{name} is {repr(found)[:40]}, expected {'a table' if kind is dict else kind.__name__}"
    if not isinstance(expected, Mapping):
        return None
    for field, inner in expected.items():
        if field not in found:
            return f"{field} is missing"
        if problem := _problem(found[field], inner, field):
            return problem
    return None


def versions() -> dict[str, str]:
    """What a result may depend on."""
    found = {
        "minigrad": minigrad.__version__,
        "numpy": numpy.__version__,
        "python": platform.python_version(),
    }
    try:
        import babel

        found["babel"] = babel.__version__
    except ImportError:
        pass
    return found
