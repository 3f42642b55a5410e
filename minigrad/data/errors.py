"""One error for every file, list or configuration that cannot be used as training data."""


class DataError(ValueError):
    """The data given cannot be read or used; the message says where, what came and what was expected."""
