"""The tape as plain nodes and edges: what was computed from what, and what is kept for the backward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["op", "parameter", "leaf", "constant"]


@dataclass(frozen=True)
class GraphNode:
    """One application of an op, or one tensor that no op made."""

    id: int
    kind: Kind
    label: str  # the op's name, or the leaf's
    tooltip: str = ""  # the first line of the card's docstring: its equation
    shape: tuple[int, ...] = ()
    dtype: str = ""
    static: tuple[tuple[str, str], ...] = ()  # (("dim", "-1"), ("keepdim", "True"))
    saved: tuple[str, ...] = ()  # what is kept for the backward: ("y (2, 4)",)
    module: str = ""  # "encoder.lstm", known only while tracing
    line: str = ""  # "model.py:12", known only while tracing
    gradient: str | None = None  # "|g| 0.031", once a backward has run


@dataclass(frozen=True)
class GraphEdge:
    """One input of an op: output `output_index` of node `source` is what `target` calls `label`."""

    source: int
    target: int
    label: str = ""
    output_index: int = 0


@dataclass(frozen=True)
class Graph:
    """Nodes in the order of their birth, so that every edge points forward; `outputs` are node ids."""

    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    outputs: tuple[int, ...]
    title: str = ""
