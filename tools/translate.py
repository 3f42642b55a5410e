"""`minigrad translate`: what a trained model makes of a text."""

import argparse
import sys
from pathlib import Path
from typing import Any

from .draw_run import alignment_of
from .errors import CommandError
from .plots import draw_attention
from .run_folder import RunFolder
from .translator import Translator

EXAMPLE = """examples:
  minigrad translate runs/dates "21 novembre 2026"
  minigrad translate runs/dates < dates.txt                          one line out for each line in
  minigrad translate runs/dates "2026년 11월 21일" --attention out.png
"""


def add_parser(commands: Any) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "translate",
        help="translate with a trained run",
        description="Translate texts, or the lines of standard input, with a trained run.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="RUN", help="a run folder, such as runs/dates")
    parser.add_argument(
        "texts", metavar="TEXT", nargs="*", help="what to translate (default: lines of standard input)"
    )
    parser.add_argument(
        "--attention", metavar="FILE.png", help="draw where the model looked, one panel for each text"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """One line of output for each text, in order."""
    picture = None if arguments.attention is None else _picture_path(arguments.attention)
    translator = Translator.from_run(RunFolder(arguments.folder))
    texts = [_one_line(text) for text in arguments.texts] or _lines_of_input()
    made = list(translator.translate(texts))
    for translation in made:
        print(translation.text)
    if picture is not None:
        panels = [m for m in made if m.source_tokens and m.target_tokens]
        if not panels:
            raise CommandError("--attention: every text is empty, so there is nothing to draw")
        draw_attention([alignment_of(m) for m in panels], picture)
    return 0


def _picture_path(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() != ".png":
        raise CommandError(f"--attention: got {text!r}, expected a name that ends in .png")
    if not path.parent.is_dir():
        raise CommandError(f"--attention: the folder {path.parent} does not exist")
    return path


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
    data = sys.stdin.buffer.read()
    try:
        return data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CommandError(f"standard input, line {line}: byte {error.start} is not UTF-8") from error
