"""`minigrad generate`: let a language model go on with a text."""

import argparse
import sys
from typing import Any

from .arguments import count, seed
from .devices import add_device, chosen_device
from .errors import CommandError
from .learners import trained
from .run_folder import CHECKPOINTS, RunFolder
from .text_learner import TextLearner

EXAMPLE = """examples:
  minigrad generate runs/text "Once upon"
  minigrad generate runs/text --length 500 --temperature 0.7 --top-p 0.9 --seed 3
"""


def add_parser(commands: Any) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "generate",
        help="let a trained language model go on with a text",
        description="Draw what comes next, token by token, from a run of the task text.",
        epilog=EXAMPLE,
    )
    parser.add_argument("folder", metavar="RUN", help="a run folder, such as runs/text")
    parser.add_argument("prompt", metavar="PROMPT", nargs="?", default="", help="how it begins")
    parser.add_argument("--length", type=count, default=300, metavar="N", help="tokens (default: 300)")
    parser.add_argument(
        "--temperature",
        type=_temperature,
        default=1.0,
        metavar="X",
        help="below 1 the likely becomes likelier; 0 takes the likeliest (default: 1)",
    )
    parser.add_argument("--top-k", type=count, metavar="K", help="draw from the K likeliest tokens")
    parser.add_argument(
        "--top-p", type=_probability, default=1.0, metavar="P", help="draw from those that make up P together"
    )
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="of what is drawn (default: 0)")
    parser.add_argument(
        "--checkpoint", choices=tuple(CHECKPOINTS), default="last", help="whose weights (default: last)"
    )
    add_device(parser)
    parser.set_defaults(run=run_command)


def run_command(arguments: argparse.Namespace) -> int:
    """Print the prompt and what follows it."""
    place = chosen_device(arguments.device)
    learner = trained(RunFolder(arguments.folder), arguments.checkpoint, place)
    if not isinstance(learner, TextLearner):
        raise CommandError(
            f"{arguments.folder} is no language model, for its task is {learner.config['task']}; "
            "`minigrad train text --data FILE` makes one"
        )
    text = learner.continued(
        arguments.prompt,
        arguments.length,
        temperature=arguments.temperature,
        top_k=arguments.top_k,
        top_p=arguments.top_p,
        seed=arguments.seed,
    )
    print(text)
    tokens = dict.fromkeys(learner.tokeniser.tokenise(arguments.prompt))
    unknown = [token for token in tokens if token not in learner.vocabulary]
    if unknown:
        shown = " ".join(map(repr, unknown[:10])) + (" ..." if len(unknown) > 10 else "")
        print(f"minigrad: not seen in training, and read as unknown: {shown}", file=sys.stderr)
    return 0


def _temperature(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number from 0 to 1000")
    return value


def _probability(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number above 0, and 1 at most")
    return value
