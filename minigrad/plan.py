"""Floor 3: what an operation saves when it is recorded, and how its rules are called in the backward.

A plan is made once for each set of inputs that need a gradient: where one of two inputs is a constant, only
the other's rule runs, and only what that rule asks for is saved.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

from .backend import is_array
from .tape import Node, check_versions
from .tensor import Tensor, wrap

UNWATCHED: list = [0, 0]  # the version box of a constant that is no Tensor
Pairs = Sequence[tuple[Any, Any]]  # the node of an input, and its gradient


class Plan:
    """What an operation saves, and does, when gradients of a certain set of its inputs are asked for.

    positions  the inputs that get a gradient
    names      what is saved, under the names that the rules use
    shaped     is the shape of an input among it?
    watched    the numbers of the inputs (len(inputs): the output) whose memory must not change until then
    """

    def __init__(self, op: Any, positions: tuple[int, ...]) -> None:
        self.op, self.positions = op, positions
        rules = [op.joint] if op.joint else [op.rules[p] for p in positions]
        own = [None if op.joint else own_shape(op, p) for p in positions]
        wished = [
            wish for (_, wishes), shape in zip(rules, own, strict=False) for wish in wishes if wish != shape
        ]
        self.names = tuple(dict.fromkeys(wished))
        self._places = [op.places[name] for name in self.names]
        self.save = picker(self._places)
        self.shaped = any(place > len(op.inputs) + len(op.defaults) for place in self._places)
        self.watched = tuple(place for place in self._places if place <= len(op.inputs))
        self.watch = picker(self.watched)
        calls = [
            caller(rule, [None if wish == shape else self.names.index(wish) for wish in wishes])
            for (rule, wishes), shape in zip(rules, own, strict=False)
        ]
        self._pairs = self._joint_pairs(calls[0]) if op.joint else pairs(calls, positions)

    def keep(
        self, node: Node, args: tuple, values: list, y: Any, static: dict, _kept: Any, box: list
    ) -> None:
        """Leave in `node` what the rules will ask for."""
        inputs = (tuple(values),) if self.op.variadic else tuple(values)
        shapes = [_shape(value) for value in inputs] if self.shaped else ()
        node.saved = self.save((*inputs, y, *static.values(), *shapes))
        if self.watched:
            boxes = [a.version if isinstance(a, Tensor) else UNWATCHED for a in args]
            node.boxes = self._watch_list(boxes, box) if self.op.variadic else self.watch((*boxes, box))

    def _watch_list(self, boxes: list, box: list) -> tuple:
        """What `watch` does, for an operation on a list: place 0 is the whole list, place 1 the output."""
        return tuple(chosen for place in self.watched for chosen in (boxes if place == 0 else [box]))

    def pull(self, node: Node, g: Any, create_graph: bool) -> Pairs:
        """Pairs: the node of each of the inputs `positions`, and its gradient, given that of the output."""
        if node.saved:
            check_versions(node)
        return self._pairs(node.edges, g, self._reattached(node) if create_graph else node.saved)

    def kept(self, node: Node) -> Pairs:
        """The values saved in `node`, each with the name that the rules have for it."""
        return tuple(zip(self.names, node.saved, strict=True))

    def _joint_pairs(self, call: Callable) -> Callable[[tuple, Any, Sequence], Pairs]:
        """What `pairs` makes, where one rule gives the gradients of all inputs."""

        def pull(edges: tuple, g: Any, saved: Sequence) -> Pairs:
            every = call(None, g, saved)
            if len(every) != len(edges):
                raise TypeError(
                    f"card {self.op.name}: its rule gave {len(every)} gradients for {len(edges)} inputs"
                )
            return [(edges[p], every[p]) for p in self.positions]

        return pull

    def _reattached(self, node: Node) -> list[Any]:
        """The saved arrays as Tensors again, attached to the tape at the place where they came from."""
        boxes = iter(node.boxes)
        tensors: list[Any] = []
        for value, place in zip(node.saved, self._places, strict=True):
            if place > len(self.op.inputs):
                tensors.append(value)
            elif place == len(self.op.inputs):
                tensors.append(_output_again(node, value, next(boxes)))
            elif self.op.variadic:
                edges = zip(value, node.edges, strict=True)
                tensors.append(tuple([_input_again(each, edge, next(boxes)) for each, edge in edges]))
            else:
                tensors.append(_input_again(value, node.edges[place], next(boxes)))
        return tensors


def _input_again(value: Any, edge: Node | None, box: list) -> Any:
    """An input as a Tensor at its place on the tape; a number or None as it is."""
    return wrap(value, edge, box) if is_array(value) else value


def _output_again(node: Any, y: Any, box: list) -> Any:
    """The output of `node` as a Tensor (or a tuple of them) at its place on the tape."""
    if type(y) is tuple:
        return tuple(wrap(a, node.output(i), box) for i, a in enumerate(y))
    return wrap(y, node, box)


def _shape(value: Any) -> Any:
    """The shape of an array; of a tuple of arrays, their shapes; () for a number."""
    return tuple(a.shape for a in value) if type(value) is tuple else getattr(value, "shape", ())


# Three functions that make functions.  What they make runs once for every node of a graph, so the usual small
# numbers are spelled out: f(*values), and a list comprehension, take 0.1 µs each.


def picker(places: Sequence[int]) -> Callable[[Sequence], tuple]:
    """values -> those at `places`, as a tuple."""
    if len(places) == 0:
        return _nothing
    if len(places) == 1:
        only = places[0]
        return lambda values: (values[only],)
    return operator.itemgetter(*places)


def _nothing(_values: Sequence) -> tuple:
    return ()


def own_shape(op: Any, position: int) -> str | None:
    """The name by which the rule of an input asks for that input's own shape, which its node knows anyway."""
    name = f"{op.inputs[position]}_shape"
    return name if op.places.get(name, 0) > len(op.inputs) + len(op.defaults) else None


def caller(rule: Callable, places: Sequence[int | None]) -> Callable[[Any, Any, Sequence], Any]:
    """(edge, g, saved) -> rule(g, what is saved at each of `places`); for None, the edge's shape."""
    if len(places) == 0:
        return lambda _edge, g, _saved: rule(g)
    if len(places) == 1:
        only = places[0]
        if only is None:
            return lambda edge, g, _saved: rule(g, edge.shape)
        return lambda _edge, g, saved: rule(g, saved[only])
    if len(places) == 2 and places[0] is not None and places[1] is None:
        first = places[0]
        return lambda edge, g, saved: rule(g, saved[first], edge.shape)
    if None in places:
        return lambda edge, g, saved: rule(g, *[edge.shape if p is None else saved[p] for p in places])
    plain = [p for p in places if p is not None]
    if len(plain) == 2:
        one, other = plain
        return lambda _edge, g, saved: rule(g, saved[one], saved[other])
    pick = picker(plain)
    return lambda _edge, g, saved: rule(g, *pick(saved))


def pairs(calls: Sequence[Callable], positions: Sequence[int]) -> Callable[[tuple, Any, Sequence], Pairs]:
    """(edges, g, saved) -> for each of the inputs `positions`, its edge and what its rule makes of g."""
    if len(calls) == 1:
        call, p = calls[0], positions[0]
        return lambda edges, g, saved: ((edges[p], call(edges[p], g, saved)),)
    if len(calls) == 2:
        (call_a, call_b), (a, b) = calls, positions
        return lambda edges, g, saved: (
            (edges[a], call_a(edges[a], g, saved)),
            (edges[b], call_b(edges[b], g, saved)),
        )
    numbered = tuple(zip(positions, calls, strict=True))
    return lambda edges, g, saved: [(edges[p], call(edges[p], g, saved)) for p, call in numbered]
