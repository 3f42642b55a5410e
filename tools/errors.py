"""What a command says when it cannot do what was asked: one sentence, no traceback."""

import re


class CommandError(Exception):
    """A mistake that the user can mend; the command prints it and ends with status 2."""


def plain(error: Exception) -> str:
    """What an error of the library says, without the name of the function, and four lines of it at most.

    >>> plain(ValueError("read_pairs(): a.tsv is empty"))
    'a.tsv is empty'
    """
    lines = re.sub(r"^[\w.]+\(\): ", "", str(error)).splitlines()
    return "\n".join([*lines[:4], "  ..."] if len(lines) > 4 else lines)
