"""Floor 0: nested tuples, lists and dicts, and what lies at their ends."""

from collections.abc import Sequence
from typing import Any


def leaves_of(tree: Any) -> list:
    """What lies at the ends of nested tuples, lists and dicts, in order.

    >>> leaves_of({"w": 1, "b": (2, [3])})
    [1, 2, 3]
    """
    if isinstance(tree, dict):
        return [leaf for key in tree for leaf in leaves_of(tree[key])]
    if isinstance(tree, tuple | list):
        return [leaf for branch in tree for leaf in leaves_of(branch)]
    return [tree]


def rebuilt(tree: Any, leaves: Sequence[Any]) -> Any:
    """The tree with other leaves.

    >>> rebuilt({"w": 1, "b": (2, [3])}, "xyz")
    {'w': 'x', 'b': ('y', ['z'])}
    """
    supply = iter(leaves)

    def build(branch: Any) -> Any:
        if isinstance(branch, dict):
            return {key: build(branch[key]) for key in branch}
        if isinstance(branch, tuple) and hasattr(branch, "_fields"):
            return type(branch)(*[build(each) for each in branch])
        if isinstance(branch, tuple | list):
            return type(branch)(build(each) for each in branch)
        return next(supply)

    return build(tree)
