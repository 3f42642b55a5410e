"""What a command says when it cannot do what was asked: one sentence, no traceback."""


class CommandError(Exception):
    """A mistake that the user can mend; the command prints it and ends with status 2."""
