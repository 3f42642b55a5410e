"""`minigrad translate`: what a trained model makes of a text."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from .arguments import count, number, picture
from .devices import add_device, chosen_device
from .errors import CommandError
from .learners import trained
from .pair_learner import PairLearner, alignment_of
from .plots import draw_attention
from .run_folder import CHECKPOINTS, RunFolder
from .translator import Search, Translation, Translator

EXAMPLE = """examples:
  minigrad translate runs/dates "21 novembre 2026"
  minigrad translate runs/dates < dates.txt                          one line out for each line in
  minigrad translate runs/dates "2026년 11월 21일" --attention out.png
  minigrad translate runs/dates "21 nov. 2026" --beam 4 --length-penalty 0.6
"""
PANELS = 64  # texts in one picture


def add_parser(commands: Any) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "translate",
        help="translate with a trained run",
        description="Translate texts, or the lines of standard input, with a trained run.",
        epilog=EXAMPLE,
    )
    parser.add_argument("folder", metavar="RUN", help="a run folder, such as runs/dates")
    parser.add_argument(
        "texts", metavar="TEXT", nargs="*", help="what to translate (default: lines of standard input)"
    )
    parser.add_argument(
        "--attention",
        metavar="FILE.png",
        type=picture,
        help=f"draw where the model looked, one panel for each text, {PANELS} at most",
    )
    add_search(parser)
    add_device(parser)
    parser.set_defaults(run=run_command)


def add_search(parser: argparse.ArgumentParser) -> None:
    """The options that say which weights are asked, and how the best text is looked for."""
    parser.add_argument(
        "--checkpoint", choices=tuple(CHECKPOINTS), default="last", help="whose weights (default: last)"
    )
    parser.add_argument("--beam", type=count, default=1, metavar="K", help="width of the search (default: 1)")
    parser.add_argument(
        "--length-penalty",
        type=number,
        default=0.6,
        metavar="X",
        help="0 prefers short texts (default: 0.6, of Wu 2016; for a beam of 2 and more)",
    )


def run_command(arguments: argparse.Namespace) -> int:
    """One line of output for each text, in order."""
    place = chosen_device(arguments.device)
    translator = _translator(RunFolder(arguments.folder), arguments.checkpoint, place)
    search = Search(arguments.beam, arguments.length_penalty)
    texts = [_one_line(text) for text in arguments.texts] or _lines_of_input()
    if arguments.attention and len(texts) > PANELS:
        raise CommandError(f"--attention: got {len(texts):,} texts, expected {PANELS} at most")
    panels: list[Translation] = []
    for made in translator.translate(texts, search):
        print(made.text)
        if arguments.attention and made.weights.size:
            panels.append(made)
    sys.stdout.flush()
    _say_unknown(translator, texts)
    if arguments.attention:
        if not panels:
            raise CommandError("--attention: nothing was written, so there is nothing to draw")
        draw_attention([alignment_of(made) for made in panels], arguments.attention)
    return 0


def _translator(folder: RunFolder, which: str, place: str) -> Translator:
    """The translator that a run has trained so far."""
    learner = trained(folder, which, place)
    if not isinstance(learner, PairLearner):
        raise CommandError(
            f"{folder} does not translate, for its task is {learner.config['task']}; see `minigrad evaluate`"
        )
    return learner.translator


def _one_line(text: str) -> str:
    """A text of several lines would be printed as several lines."""
    if "\n" in text:
        raise CommandError(
            f"got a text with a line break, {text[:40]!r}, expected one line; pass lines on standard input"
        )
    return text


def _lines_of_input() -> list[str]:
    """The lines of standard input, as UTF-8."""
    if sys.stdin.isatty():
        print("reading lines from the keyboard; end with Ctrl-D", file=sys.stderr)
    return list(_decoded(sys.stdin.buffer))


def _decoded(lines: Iterable[bytes]) -> Iterator[str]:
    for place, line in enumerate(lines, start=1):
        try:
            yield line.decode("utf-8-sig" if place == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise CommandError(
                f"standard input, line {place}: byte 0x{line[error.start]:02x} is not UTF-8, expected UTF-8 "
                "text; nothing was translated"
            ) from error


def _say_unknown(translator: Translator, texts: Iterable[str]) -> None:
    """Name what the model has never seen; it reads all of that as one and the same unknown token."""
    unknown = list(dict.fromkeys(token for text in texts for token in translator.unknown(text)))
    if unknown:
        shown = " ".join(map(repr, unknown[:10])) + (" ..." if len(unknown) > 10 else "")
        print(f"minigrad: not seen in training, and read as unknown: {shown}", file=sys.stderr)
