"""Floor 7: chains of operations on the tape: how many wait for one another, and how near two tensors are.

A chain is a row of operations each of which needs the result of the one before it.

    longest(y)      = 1 + max over the inputs x of longest(x),      0 at a leaf                          (1)
    shortest(s, y)  = 1 + min over the inputs x of shortest(s, x),  0 at s                               (2)

(1) is the time that a machine with as many processors as it likes would need; it is the number of sequential
operations, and (2) the path length, of Vaswani et al. 2017, table 1. An operation on arrays counts as one,
however large they are. A fused operation counts as what its definition is made of: an `nn.LSTM` is one node
of the tape, and no shorter for that.
"""

from collections.abc import Callable, Iterable
from typing import Any

from .backend import NAMESPACES
from .creation import as_tensor
from .errors import GraphError
from .fused import FusedPlan
from .modes import enable_grad
from .tape import FREED, Leaf, Node, Output
from .tensor import Tensor

Choice = Callable[[Iterable[int]], int]


def longest_chain(output: Tensor) -> int:
    """How many operations wait for one another until `output` is there, (1).

    GraphError if it does not require grad, or if a backward pass has freed the graph.

    >>> import minigrad as mg
    >>> x = mg.ones(3, requires_grad=True)
    >>> longest_chain((x.exp() * 2 + x).sum())
    4
    """
    root = _root("longest_chain", output)
    return _lengths([root], {}, max, at_leaves=True)[root]


def shortest_chain(source: Tensor, output: Tensor) -> int:
    """How many operations lie between `source` and `output` on the shortest way, (2).

    An operation on arrays leads from all numbers of its inputs to all of its output: to ask for the way from
    one position to another, give the first a tensor of its own, and the network single steps, `nn.RNNCell`.

    GraphError if one of them does not require grad, if a backward pass has freed the graph, or if there is no
    way.

    >>> import minigrad as mg
    >>> x = mg.ones(3, requires_grad=True)
    >>> shortest_chain(x, (x.exp() * 2 + x).sum())
    2
    """
    root, start = _root("shortest_chain", output), _root("shortest_chain", source)
    found = _lengths([root], {start: 0}, min, at_leaves=False).get(root)
    if found is None:
        raise GraphError(
            f"shortest_chain(): no way from the source of shape {source.shape} to the output of shape "
            f"{output.shape}, expected an output computed from it; was it detached on the way?"
        )
    return found


def _root(function: str, tensor: Tensor) -> Node:
    if tensor.node is None:
        raise GraphError(
            f"{function}(): a tensor of shape {tensor.shape} has no graph, expected one that requires grad; "
            "was it computed under no_grad, or from constants only?"
        )
    return tensor.node


def _lengths(
    roots: list[Node], starts: dict[Node, int], choose: Choice, *, at_leaves: bool
) -> dict[Node, int]:
    """(1) or (2), as `choose` is max or min, of every node that the roots need; none for one without a way.

    Args:
        starts: the nodes at which chains begin, and the lengths that they have there.
        at_leaves: whether they begin, at 0, at every other leaf too.
    """
    lengths = dict(starts)
    for node in _oldest_first(roots, starts):
        if isinstance(node, Leaf):
            if at_leaves:
                lengths[node] = 0
        elif type(node) is Output and isinstance(node.edges[0].plan, FusedPlan):
            lengths.update(_through_definition(node.edges[0], node.index, node, lengths, choose))
        elif isinstance(node.plan, FusedPlan):
            lengths.update(_through_definition(node, 0, node, lengths, choose))
        elif ways := [lengths[parent] for parent in node.edges if parent in lengths]:
            lengths[node] = choose(ways) + (type(node) is not Output)
    return lengths


def _oldest_first(roots: list[Node], ends: Iterable[Node]) -> list[Node]:
    """Every node that the roots need, but not beyond the ends."""
    seen, stack = {*roots, *ends}, list(roots)
    found = []
    while stack:
        node = stack.pop()
        found.append(node)
        for parent in node.edges:
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return sorted(found, key=lambda node: node.seq)


def _through_definition(
    call: Node, index: int, node: Node, lengths: dict[Node, int], choose: Choice
) -> dict[Node, int]:
    """The length at one output of a fused operation: its definition is run, and walked from its inputs."""
    if call.saved == FREED:
        raise GraphError(
            f"the values of {call.plan.op.name} were freed by a backward pass, expected a graph that is "
            "whole; ask before backward(), or pass retain_graph=True"
        )
    inputs: list[Any] = []
    starts: dict[Node, int] = {}
    for value, edge in zip(call.saved[0], call.edges, strict=True):
        given = as_tensor(value) if type(value) in NAMESPACES else value
        if edge is not None:
            given = given.detach().requires_grad_()
            if edge in lengths:
                starts[_root("_through_definition", given)] = lengths[edge]
        inputs.append(given)
    with enable_grad():
        outputs = call.plan.op.definition(*inputs, **call.static)
    inner = (outputs if isinstance(outputs, tuple) else (outputs,))[index].node
    if inner is None:
        return {}
    found = _lengths([inner], starts, choose, at_leaves=False)
    return {node: found[inner]} if inner in found else {}
