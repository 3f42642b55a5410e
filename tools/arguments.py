"""Reading the command line: a parser that is kinder than argparse's, and the kinds of values it takes."""

import argparse
import difflib
import math
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose mistakes are short, and which takes texts behind options as well.

    argparse of Python 3.11 gives up in `translate RUN --attention a.png TEXT`: the list of texts is closed,
    empty, before the option.  Here what is left over is added to the argument `texts`, if there is one.

    `meant` is the command in a list of them that is meant where an option stands in its place.
    """

    meant: str | None = None

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def parse_known_args(
        self, args: Iterable[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """The arguments; nothing is left over."""
        args = sys.argv[1:] if args is None else list(args)
        if self.meant and args and args[0].startswith("-") and args[0] not in ("-h", "--help"):
            args = [self.meant, *args]
        found, rest = super().parse_known_args(args, namespace)
        while rest and hasattr(found, "texts") and (rest[0] == "--" or not rest[0].startswith("-")):
            found.texts += rest[1:] if rest[0] == "--" else rest[:1]
            rest = [] if rest[0] == "--" else rest[1:]
        if rest:
            self.error(f"unrecognised: {' '.join(rest)}")
        return found, rest

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is, and end with status 2."""
        self.exit(2, f"{self.prog}: {message}\ntry: {self.prog} --help\n")


def count(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= 10**9:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number from 1 to 1000000000")
    return int(text)


def seed(text: str) -> int:
    """A whole number of 64 bits."""
    if not text.isascii() or not text.isdigit() or int(text) >= 2**64:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number from 0 to 2**64 - 1")
    return int(text)


def positive(text: str) -> float:
    """A number above 0."""
    value = _number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number above 0")
    return value


def share(text: str) -> float:
    """A number from 0 on that is less than 1."""
    value = _number(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number from 0 to 1, but not 1")
    return value


def number(text: str) -> float:
    """Any number but infinity."""
    value = _number(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number")
    return value


def not_negative(text: str) -> float:
    """A number from 0 on."""
    value = _number(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a number from 0 on")
    return value


def whole(text: str) -> int:
    """A whole number from 0 on."""
    if not text.isascii() or not text.isdigit() or int(text) > 10**9:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number from 0 to 1000000000")
    return int(text)


def yes_or_no(text: str) -> bool:
    """True or false, as TOML writes it."""
    if text not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"got {text!r}, expected true or false")
    return text == "true"


def numbers(text: str) -> tuple[int, ...]:
    """Whole numbers from 1 on, as in 16,32."""
    return tuple(count(part.strip()) for part in text.split(","))


def one_of(*names: str) -> Callable[[str], str]:
    """One of these words."""

    def word(text: str) -> str:
        if text not in names:
            raise argparse.ArgumentTypeError(f"got {text!r}, expected one of {', '.join(names)}")
        return text

    return word


def picture(text: str) -> Path:
    """The name of a picture that can be written."""
    path = Path(text)
    if path.suffix != ".png":
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a name that ends in .png")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"the folder {path.parent} does not exist")
    return path


def nearest(name: str, known: Iterable[str]) -> str:
    """What may have been meant, to be added to a sentence: "; did you mean dates?", or the whole list.

    >>> nearest("date", ["copy", "dates"])
    '; did you mean dates?'
    """
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]}?" if close else f"; expected one of {', '.join(names)}"


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
