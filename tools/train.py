"""`minigrad train`: learn to turn one text into another."""

import argparse
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .arguments import count, even, positive, seed, share
from .draw_run import draw_pictures
from .errors import CommandError
from .progress import clock
from .run_folder import CONFIG, RunFolder
from .scores import Scores
from .settings import DEFAULTS, OF_DATES, STEPS_AT_LEAST, configuration
from .tasks import NAMES, load_task, task_name
from .trainer import Trainer

EXAMPLE = """examples:
  minigrad train dates                               dates in nine languages to ISO 8601
  minigrad train pairs.tsv --out runs/mine           your own lines of source<TAB>target
  minigrad train dates --resume                      go on where Ctrl-C stopped
"""


def add_parser(commands: Any) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "train",
        help="train on dates, or on your own pairs of texts",
        description="Train an encoder-decoder with attention.\n\ntasks:\n"
        + "".join(f"  {name:10}{text}\n" for name, text in NAMES.items())
        + "  FILE.tsv  your own UTF-8 lines of source<TAB>target; a tenth of them is held out",
        epilog=EXAMPLE,
    )
    parser.add_argument("task", metavar="TASK", help="dates, or a file of source<TAB>target lines")
    run = parser.add_argument_group("the run")
    run.add_argument("--out", metavar="FOLDER", help="the run folder (default: runs/NAME)")
    run.add_argument("--resume", action="store_true", help="go on with the run in the folder")
    run.add_argument("--overwrite", action="store_true", help="start anew where a run lies already")
    run.add_argument("--no-pictures", action="store_true", help="draw nothing at the end")

    def option(name: str, kind: Any, text: str, **more: Any) -> None:
        default = DEFAULTS[name]
        said = text if default is None else f"{text} (default: {default})"
        groups[-1].add_argument(f"--{name.replace('_', '-')}", type=kind, help=said, **more)

    groups = [parser.add_argument_group("training")]
    enough = f"(default: 2 for dates; for a file as many as make {STEPS_AT_LEAST} steps, 3 at least)"
    option("epochs", count, f"passes over the data {enough}", metavar="N")
    option("threads", count, "threads of a matrix product", metavar="N")
    option("seed", seed, "of the data drawn, the weights and the order", metavar="N")
    option("batch_size", count, "pairs in one step", metavar="N")
    option("learning_rate", positive, "the highest; it rises to it and falls again", metavar="X")
    option("clip", positive, "the largest norm of the gradient", metavar="X")
    option("dropout", share, "share of the activations dropped", metavar="X")
    option("label_smoothing", share, "share of the target spread over all tokens", metavar="X")
    groups.append(parser.add_argument_group("model"))
    option("hidden_size", even, "size of the states, half for each direction of the encoder", metavar="N")
    option("embedding_size", count, "size of the embeddings", metavar="N")
    option("score", str, "of attention", choices=("dot", "general", "concat"))
    option("tokeniser", str, "what a token is", choices=("character", "word"))
    groups.append(parser.add_argument_group("dates only"))
    option("pairs", count, "dates to train on", metavar="N")
    option("heldout", count, "dates to test on", metavar="N")
    parser.set_defaults(run=run_command)


def run_command(arguments: argparse.Namespace) -> int:
    """Train, draw, report. 0 at the end, 130 after Ctrl-C."""
    folder = RunFolder(arguments.out or Path("runs") / task_name(arguments.task))
    given = {name: value for name, value in vars(arguments).items() if name in DEFAULTS and value is not None}
    trainer = (_resumed if arguments.resume else _started)(folder, arguments, given)
    _announce(trainer)
    if not trainer.run():
        command = ["minigrad", "train", arguments.task, "--out", str(folder), "--resume"]
        print(f"\nstopped at step {trainer.step:,} of {trainer.steps:,}; {folder} holds it all. Go on with:")
        print(f"  {shlex.join(command)}")
        return 130
    print(f"trained for {clock(trainer.training_seconds)}, tested for {clock(trainer.testing_seconds)}\n")
    _print_scores(trainer.scores())
    if not arguments.no_pictures:
        draw_pictures(trainer)
    command = ["minigrad", "translate", str(folder), trainer.task.heldout[0].source]
    print(f"\ntry it:\n  {shlex.join(command)}")
    return 0


def _started(folder: RunFolder, arguments: argparse.Namespace, given: Mapping[str, Any]) -> Trainer:
    """A new run, its configuration written once all else is known to be in order."""
    if folder.exists() and not arguments.overwrite:
        raise CommandError(
            f"{folder} holds a run already; go on with it by --resume, replace it by --overwrite, or choose "
            "another --out"
        )
    if arguments.task not in NAMES:
        for name in OF_DATES.keys() & given.keys():
            raise CommandError(f"--{name} is for dates; a file is used whole, a tenth of it held out")
    settings = {**DEFAULTS, **given}
    task = load_task({**settings, "task": arguments.task})
    config = configuration(task, arguments.task, settings)
    trainer = Trainer(folder, config, task)
    folder.start(config)
    trainer.save()  # from now on the run can be resumed, whatever happens
    return trainer


def _resumed(folder: RunFolder, arguments: argparse.Namespace, given: Mapping[str, Any]) -> Trainer:
    """The run in the folder, where it stopped."""
    if arguments.overwrite:
        raise CommandError("--resume goes on with a run and --overwrite replaces it; choose one of them")
    for name in given:
        raise CommandError(
            f"--{name.replace('_', '-')} is for a new run; --resume goes on with the settings in "
            f"{folder.path / CONFIG}"
        )
    learned = folder.config()["task"]
    if learned != (arguments.task if arguments.task in NAMES else str(Path(arguments.task).resolve())):
        raise CommandError(f"{folder} learns {learned}, not {arguments.task}; choose another --out")
    trainer = Trainer.resumed(folder)
    folder.cut_log(trainer.step, trainer.epoch)
    return trainer


def _announce(trainer: Trainer) -> None:
    """Say what is about to happen."""
    task, model = trainer.task, trainer.model
    parameters = sum(parameter.numel() for parameter in model.parameters())
    example = task.train[0]
    print(
        f"{len(task.train):,} pairs to train on, {len(task.heldout):,} held out; {parameters:,} parameters; "
        f"steps: {trainer.steps:,}; run folder: {trainer.folder}\n  {example.source!r} -> {example.target!r}"
    )
    if trainer.step == trainer.steps:
        print("this run is complete; it is only tested and drawn again")
    elif trainer.step:
        print(f"resumed at step {trainer.step:,}")
    sys.stdout.flush()


def _print_scores(scores: Scores) -> None:
    """The result: exact match in each group, the alignment, a few mistakes."""
    print("held-out exact match")
    for group, share_right in scores.groups.items():
        print(f"  {group:8} {share_right:8.2%}")
    if len(scores.groups) > 1:
        print(f"  {'all':8} {scores.exact:8.2%}")
    if scores.alignment is not None:
        print(f"digits of year and day that look at their own field: {scores.alignment:.1%}")
    for source, expected, got in scores.mistakes[:3]:
        print(f"  mistake: {source!r} -> {got!r}, expected {expected!r}")
