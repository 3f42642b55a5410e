"""The option --device: where a command computes."""

import argparse

from minigrad import cuda
from minigrad.backend import device, library_of
from minigrad.errors import DeviceError

from .errors import CommandError


def add_device(parser: argparse._ActionsContainer) -> None:
    """The option, for commands and their groups of options."""
    parser.add_argument(
        "--device", default="cpu", metavar="NAME", help="where to compute: cpu, cuda, cuda:1 (default: cpu)"
    )


def chosen_device(name: str) -> device:
    """The device of that name, from now on the one that is computed on.

    CommandError, so that a command can ask before it writes anything, if there is no such device here.
    """
    try:
        place = device(name)
        library_of(place)
        if place.type == "cuda":
            cuda.set_device(place)
    except DeviceError as error:
        raise CommandError(f"--device {name}: {error}") from error
    return place
