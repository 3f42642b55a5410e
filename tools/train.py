"""`minigrad train`: learn to turn one text into another."""

import argparse
import math
import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minigrad.data import Vocabulary, tokeniser_by_name
from minigrad.models import AttentionSeq2SeqConfig

from .draw_run import draw_pictures
from .errors import CommandError
from .progress import clock
from .run_folder import RunFolder
from .scores import Scores
from .tasks import NAMES, Task, load_task
from .trainer import Trainer

EXAMPLE = """examples:
  minigrad train dates                               dates in nine languages to ISO 8601
  minigrad train pairs.tsv --out runs/mine           your own lines of source<TAB>target
  minigrad train dates --resume                      go on where Ctrl-C stopped
"""
STEPS_AT_LEAST = 900  # for a user's file, unless --epochs says otherwise


def add_parser(commands: Any) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "train",
        help="train an attention seq2seq on dates, or on your own pairs of texts",
        description="Train an encoder-decoder with attention.\n\ntasks:\n"
        + "".join(f"  {name:10}{text}\n" for name, text in NAMES.items())
        + "  FILE.tsv  your own UTF-8 lines of source<TAB>target",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("task", help="'dates', or a file of source<TAB>target lines")
    parser.add_argument("--out", metavar="FOLDER", help="the run folder (default: runs/NAME)")
    parser.add_argument("--resume", action="store_true", help="go on with the run in the folder")
    parser.add_argument("--overwrite", action="store_true", help="start anew where a run lies already")
    parser.add_argument("--seed", type=int, default=0, help="of data, weights and order (default: 0)")
    parser.add_argument(
        "--epochs",
        type=_positive,
        help="passes over the data (default: 3 for dates; for a file, "
        f"as many as make {STEPS_AT_LEAST} steps, at least 3)",
    )
    parser.add_argument("--batch-size", type=_positive, default=64)
    parser.add_argument(
        "--learning-rate", type=_positive_number, default=0.004, help="the highest (default: 0.004)"
    )
    parser.add_argument("--hidden-size", type=_positive, default=128)
    parser.add_argument("--embedding-size", type=_positive, default=64)
    parser.add_argument("--score", choices=("dot", "general", "concat"), default="dot", help="of attention")
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--label-smoothing", type=float, default=0.0)
    parser.add_argument(
        "--clip", type=_positive_number, default=1.0, help="largest norm of the gradient (default: 1)"
    )
    parser.add_argument("--tokeniser", choices=("character", "word"), default="character")
    parser.add_argument("--pairs", type=_positive, default=20_000, help="dates to train on (default: 20000)")
    parser.add_argument("--heldout", type=_positive, default=2_700, help="dates to test on (default: 2700)")
    parser.set_defaults(run=run)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {text}")
    return value


def _positive_number(text: str) -> float:
    value = float(text)
    if not (0 < value < math.inf):
        raise argparse.ArgumentTypeError(f"expected a positive number, got {text}")
    return value


def run(arguments: argparse.Namespace) -> int:
    """Train, draw, report. 0 at the end, 130 after Ctrl-C."""
    name = arguments.task if arguments.task in NAMES else Path(arguments.task).stem
    folder = RunFolder(arguments.out or Path("runs") / name)
    trainer = _resumed(folder) if arguments.resume else _started(folder, arguments)
    _announce(trainer)
    began = time.perf_counter()
    if not trainer.run():
        print(
            f"\nstopped at step {trainer.step} of {trainer.steps}; everything is in {folder}. Go on with:\n"
            f"  minigrad train {arguments.task} --out {folder} --resume",
            flush=True,
        )
        return 130
    print(f"trained in {clock(time.perf_counter() - began)}, held-out tests included\n")
    if trainer.last_scores is not None:
        _print_scores(trainer.last_scores)
    draw_pictures(trainer)
    print(f"\ntry it:\n  minigrad translate {folder} {shlex.quote(trainer.task.heldout[0].source)}")
    return 0


def _started(folder: RunFolder, arguments: argparse.Namespace) -> Trainer:
    """A new run, its configuration written."""
    if folder.exists() and not arguments.overwrite:
        raise CommandError(
            f"{folder} holds a run already; use --resume to go on with it, --overwrite to replace it, or another --out"
        )
    if arguments.task not in NAMES and not Path(arguments.task).exists():
        raise CommandError(
            f"task {arguments.task!r} is neither one of {', '.join(NAMES)} nor a file; see minigrad train --help"
        )
    config: dict[str, Any] = {
        "task": arguments.task if arguments.task in NAMES else str(Path(arguments.task).resolve()),
        "seed": arguments.seed,
        "pairs": arguments.pairs,
        "heldout": arguments.heldout,
        "tokeniser": arguments.tokeniser,
    }
    task = load_task(config)
    config.update(_derived(task, arguments))
    folder.start(config)
    return Trainer(folder, task)


def _derived(task: Task, arguments: argparse.Namespace) -> Mapping[str, Any]:
    """The part of a configuration that the data decide: vocabularies, sizes, lengths."""
    tokeniser = tokeniser_by_name(arguments.tokeniser)
    sources = [tokeniser.tokenise(example.source) for example in task.train]
    targets = [tokeniser.tokenise(example.target) for example in task.train]
    source, target = Vocabulary.build(sources), Vocabulary.build(targets)
    try:
        model = AttentionSeq2SeqConfig(
            len(source),
            len(target),
            arguments.embedding_size,
            arguments.hidden_size,
            arguments.score,
            arguments.dropout,
        )
    except ValueError as error:
        raise CommandError(str(error)) from error
    steps = math.ceil(len(sources) / arguments.batch_size)
    enough = 3 if arguments.task in NAMES else max(3, math.ceil(STEPS_AT_LEAST / steps))
    return {
        "source_vocabulary": source.to_json(),
        "target_vocabulary": target.to_json(),
        "max_length": 2 * max(map(len, targets)) + 2,
        "model": vars(model),
        "training": {
            "epochs": arguments.epochs or enough,
            "batch_size": arguments.batch_size,
            "learning_rate": arguments.learning_rate,
            "clip": arguments.clip,
            "label_smoothing": arguments.label_smoothing,
        },
    }


def _resumed(folder: RunFolder) -> Trainer:
    """The run in the folder, where it stopped."""
    try:
        trainer = Trainer(folder)
    except KeyError as error:
        raise CommandError(f"{folder}: {error} is missing from its config.json") from error
    trainer.resume()
    folder.cut_log(trainer.step)
    return trainer


def _announce(trainer: Trainer) -> None:
    """Say what is about to happen."""
    task, model = trainer.task, trainer.model
    parameters = sum(parameter.numel() for parameter in model.parameters())
    print(
        f"{len(task.train):,} pairs to train on, {len(task.heldout):,} held out; {parameters:,} parameters; "
        f"{trainer.steps:,} steps; run folder {trainer.folder}\n"
        f"  {task.train[0].source!r} -> {task.train[0].target!r}",
        flush=True,
    )
    if trainer.step:
        print(f"resumed at step {trainer.step}", flush=True)


def _print_scores(scores: Scores) -> None:
    """The result: exact match in each group, the alignment, a few mistakes."""
    print("held-out exact match")
    for group, share in scores.groups.items():
        print(f"  {group:8} {share:8.2%}")
    if len(scores.groups) > 1:
        print(f"  {'all':8} {scores.exact:8.2%}")
    if scores.alignment is not None:
        print(f"digits of year and day that look at their own field: {scores.alignment:.1%}")
    for source, expected, got in scores.mistakes[:3]:
        print(f"  mistake: {source!r} -> {got!r}, expected {expected!r}")
