"""A run folder: everything that one training run is, in plain files.

config.json              settings, sizes, tokenisers, vocabularies, versions, the device it was begun on
checkpoint.safetensors   parameters, optimiser, schedule, data order, random state, step and epoch
best.safetensors         the parameters that had the best score
average.safetensors      the mean of the last epochs' parameters, if asked for
log.jsonl                one JSON object a line: {"step", "epoch", "loss", ...} and one for each epoch's end
events/                  the same for TensorBoard, if asked for
loss.png, attention.png, graph.svg, graph.dot

Nothing in them but the events depends on the clock: the same seed, data and versions give the same bytes.
"""

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy

import minigrad
from minigrad.checkpoint import atomic_file, load_checkpoint, save_checkpoint
from minigrad.errors import CheckpointError

from .errors import CommandError
from .event_file import NAME as EVENT_FILE

CONFIG, LOG, EVENTS = "config.json", "log.jsonl", "events"
CHECKPOINTS = {  # the weights of a run by their name on the command line
    "last": "checkpoint.safetensors",
    "best": "best.safetensors",
    "average": "average.safetensors",
}
EPOCHS = "epoch-{}.safetensors"  # the weights after an epoch, kept until they are averaged
PICTURES = ("loss.png", "attention.png", "forecast.png", "graph.svg", "graph.dot")


class _From(NamedTuple):
    """A number of a kind that is not less than `least`."""

    kind: type
    least: int


_COUNT, _WHOLE, _SIZE = _From(int, 1), _From(int, 0), _From(float, 0)

# What every configuration holds, of which kind and from where on; what a learner adds, it checks itself,
FIELDS: Mapping[str, Any] = {
    "task": str,
    "kind": str,
    "score": str,
    "seed": _WHOLE,
    "train": _WHOLE,
    "heldout": _WHOLE,
    "fingerprint": str,
    "data": dict,
    "model": {"name": str},
    "training": {
        "epochs": _COUNT,
        "threads": _COUNT,
        "batch_size": _COUNT,
        "batch_tokens": _WHOLE,
        "accumulate": _COUNT,
        "optimizer": str,
        "schedule": str,
        "learning_rate": _SIZE,
        "warmup": _COUNT,
        "weight_decay": float,
        "clip": _SIZE,
        "label_smoothing": _SIZE,
        "attention_penalty": float,
        "patience": _WHOLE,
        "average": _WHOLE,
        "workers": _WHOLE,
        "tensorboard": bool,
    },
}
OF_KIND: Mapping[str, Any] = {"pairs": {"max_length": _COUNT}}  # but what is used only later


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
            self.drop_events()
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
        problem = problem or _problem(config, OF_KIND.get(config["kind"], {}))
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

    def drop_events(self) -> None:
        """Remove what was written for TensorBoard."""
        for path in (self.path / EVENTS).glob(f"{EVENT_FILE}*"):
            path.unlink()

    def records(self) -> list[dict[str, Any]]:
        """The lines of the log; one that a crash left half written is left out.

        CommandError for lines that are no text.
        """
        path = self.path / LOG
        whole, _, _ = path.read_bytes().rpartition(b"\n") if path.exists() else (b"", b"", b"")
        try:
            lines = whole.decode().split("\n")
        except UnicodeDecodeError as error:
            line = whole.count(b"\n", 0, error.start) + 1
            raise CommandError(
                f"{path} is damaged: line {line} is not UTF-8; take the line out, and go on"
            ) from error
        place = {"step": int, "epoch": int}
        return [record for line in lines if not _problem(record := _parsed(line), place)]


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _problem(found: Any, expected: Any, name: str = "") -> str | None:
    """What is not as `expected`, a type, a range or a table of them; None if all is."""
    if isinstance(expected, _From):
        kind, least = expected
        if problem := _problem(found, kind, name):
            return problem
        return None if found >= least else f"{name} is {found}, expected {least} or more"
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
