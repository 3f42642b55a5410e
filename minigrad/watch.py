"""Floor 1: who looks on while operations are recorded and gradients walk back: anomaly mode, and `record`.

A watcher is told of each step.  It is asked only while tracing is on, where every step is noted anyway; an
ordinary run does not know that watchers exist.
"""

from typing import Any, Self

from .modes import mode, switch


class Watcher:
    """Somebody who looks on inside its with block: a class with the methods that it cares for."""

    def __init__(self) -> None:
        self._previous: list[tuple[tuple, bool]] = []

    @property
    def traced_outside(self) -> bool:
        """Was tracing on before the with block began?"""
        return self._previous[0][1]

    def made(self, op: Any, args: tuple, y: Any, note: Any) -> None:
        """An operation was recorded: its arguments, its output on arrays, and the note of its node."""

    def arrived(self, node: Any, g: Any) -> None:
        """The whole gradient g has gathered at a node, hooks included."""

    def pulling(self, node: Any, g: Any) -> None:
        """The rules of a node are about to run."""

    def pulled(self, node: Any, g: Any, pairs: Any) -> None:
        """The rules of a node have run; the pairs are the nodes of its inputs and their gradients."""

    def __enter__(self) -> Self:
        self._previous.append((mode.watchers, mode.tracing))
        mode.watchers, mode.tracing = (*mode.watchers, self), True
        switch(mode.recording)
        return self

    def __exit__(self, *exception: object) -> None:
        mode.watchers, mode.tracing = self._previous.pop()
        switch(mode.recording)


class Watched:
    """A plan that tells the watchers of this thread before and after its rules run."""

    def __init__(self, plan: Any) -> None:
        self._plan = plan

    def pull(self, node: Any, g: Any, create_graph: bool) -> Any:
        """What the plan itself gives."""
        for watcher in mode.watchers:
            watcher.pulling(node, g)
        pairs = self._plan.pull(node, g, create_graph)
        for watcher in mode.watchers:
            watcher.pulled(node, g, pairs)
        return pairs


def watched(node: Any, g: Any) -> Any:
    """Tell the watchers that g has arrived at a node; its plan, which will tell them more."""
    for watcher in mode.watchers:
        watcher.arrived(node, g)
    return Watched(node.plan) if mode.watchers and node.plan is not None else node.plan
