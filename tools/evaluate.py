"""`minigrad evaluate`: how good a trained run is, on what it held out or on other files."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minigrad.data import DataError

from .devices import add_device, chosen_device
from .errors import CommandError, plain
from .learner import Learner
from .learners import trained
from .pair_learner import PairLearner
from .run_folder import RunFolder
from .scores import METRICS, Scores
from .tasks import task_of_run
from .translate import add_search
from .translator import Search

EXAMPLE = """examples:
  minigrad evaluate runs/dates
  minigrad evaluate runs/mine --data other.tsv --beam 4
"""


def add_parser(commands: Any) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "evaluate",
        help="score a trained run",
        description="Score a trained run, on what it held out or on files of your own: exact match, token\n"
        "accuracy, error rate, BLEU and chrF by the length of the source; or perplexity and bits\n"
        "per character; or squared errors.",
        epilog=EXAMPLE,
    )
    parser.add_argument("folder", metavar="RUN", help="a run folder, such as runs/dates")
    parser.add_argument(
        "--data",
        metavar="FILE",
        action="append",
        default=[],
        help="test on this instead; twice for two files",
    )
    add_search(parser)
    add_device(parser)
    parser.set_defaults(run=run_command)


def run_command(arguments: argparse.Namespace) -> int:
    """Print the scores."""
    folder = RunFolder(arguments.folder)
    learner = trained(folder, arguments.checkpoint, chosen_device(arguments.device))
    examples = _examples(learner, folder, arguments.data)
    if isinstance(learner, PairLearner):
        scores = learner.evaluate_in_full(examples, Search(arguments.beam, arguments.length_penalty))
    elif arguments.beam > 1:
        raise CommandError(f"--beam is for tasks of pairs; {folder} learns {learner.config['task']}")
    else:
        scores = learner.evaluate(examples)
    where = ", ".join(arguments.data) or f"what {folder} held out"
    print(f"{learner.counted(examples)} of {where}; weights: {arguments.checkpoint}")
    _print(scores, learner)
    return 0


def _examples(learner: Learner, folder: RunFolder, files: Sequence[str]) -> Sequence[Any]:
    """What is to be tested on."""
    if files:
        try:
            return learner.read([str(Path(path)) for path in files])
        except DataError as error:
            raise CommandError(plain(error)) from error
    task = task_of_run(learner.config, "put it back, or name another file by --data FILE")
    if task.fingerprint() != learner.config["fingerprint"]:
        raise CommandError(
            f"{folder}: the data of {learner.config['task']} are not those that this run began with, so what "
            "it held out is not known; name a file by --data FILE"
        )
    return task.heldout


def _print(scores: Scores, learner: Learner) -> None:
    """Each score on a line, then the first of them for each group."""
    width = max(len(METRICS[name].name) for name in scores.values)
    for name, value in scores.values.items():
        print(f"  {METRICS[name].name:{width}}  {METRICS[name].written(value):>9}")
    if len(scores.groups) > 1:
        print(f"{scores.metric.name} by group")
        for group, value in scores.groups.items():
            print(f"  {group:{width}}  {scores.metric.written(value):>9}")
    for line in learner.details:
        print(line)
    for source, expected, got in scores.mistakes[:3]:
        print(f"mistake: {source!r} -> {got!r}, expected {expected!r}")
