"""Floor 3: fused operations, which carry their definition.

    @fused
    class lstm_cell:
        '''h', c' = LSTM(x, h, c)    (Hochreiter & Schmidhuber 1997)'''
        def definition(x, h, c, ...): ...           # the equations, in ordinary operations: the textbook
        def forward(xp, x, h, c, ...): ...          # the same in one pass on arrays -> (y, kept)
        def pullback(xp, g, kept, needs): ...       # the gradients of all inputs at once, on arrays

`forward` returns the output (or a tuple of outputs) and whatever `pullback` wants to find again.  `needs`
says, input by input, whether its gradient is wanted.  The kernel is a footnote: with create_graph=True the
tape differentiates the definition instead, and one test asserts for every fused operation that the two
agree in value and in both derivatives.
"""

from collections.abc import Callable, Sequence
from typing import Any

from .backend import NAMESPACES, HostArray, namespace, numpy
from .modes import enable_grad
from .plan import UNWATCHED, Pairs
from .primitive import Primitive
from .tape import Node, check_versions, pullback
from .tensor import Tensor, wrap


class Fused(Primitive):
    """An operation with a forward and a pullback by hand, and a definition to derive all else from."""

    def _read_rules(self, card: type) -> None:
        self.definition: Callable = self._part(card, "definition")
        self.array_pullback: Callable = self._part(card, "pullback")
        self.rules, self.joint = {}, None
        self._set_constant(vars(card).get("nondifferentiable", ()))

    def compute(self, xp: Any, values: Sequence[Any], static: dict[str, Any]) -> tuple[Any, Any]:
        """The output on arrays, and what the pullback wants to find again."""
        return self.forward(xp, *values, **static)

    def plan(self, mask: int) -> Any:
        """The plan for a set of differentiable inputs, made on first need."""
        positions = tuple(i for i in range(mask.bit_length()) if mask >> i & 1)
        return self.plans.setdefault(mask, FusedPlan(self, positions))


class FusedPlan:
    """What a fused operation keeps: its inputs, their versions, and what its forward computed on the way."""

    def __init__(self, op: Fused, positions: tuple[int, ...]) -> None:
        self.op, self.positions = op, positions
        self.needs = tuple(i in positions for i in range(len(op.inputs)))
        self.names = op.inputs

    def keep(
        self, node: Node, args: tuple, values: list, _y: Any, _static: dict, kept: Any, _box: list
    ) -> None:
        """Leave in `node` the inputs and what `forward` kept."""
        node.saved = (values, kept)
        node.boxes = tuple([a.version if isinstance(a, Tensor) else UNWATCHED for a in args])

    def kept(self, node: Node) -> Pairs:
        """The inputs saved in `node`, each with its name."""
        return tuple(zip(self.names, node.saved[0], strict=True))

    def pull(self, node: Node, g: Any, create_graph: bool) -> Pairs:
        """The gradients of the inputs `positions`: by the kernel on arrays, by the definition on Tensors."""
        check_versions(node)
        values, kept = node.saved
        if create_graph:
            return self._pull_definition(node, values, g)
        xp = numpy if type(values[0]) is HostArray else _namespace_of(values)
        every = self.op.array_pullback(xp, g, kept, self.needs, **node.static)
        return [(node.edges[p], every[p]) for p in self.positions]

    def _pull_definition(self, node: Node, values: Sequence[Any], g: Any) -> Pairs:
        """Run the definition on the saved inputs and walk back through it, but not beyond them.

        Each input is wrapped behind an identity, where the inner walk stops; the outer graph hangs on its
        other side, so that the gradients are differentiable again.
        """
        inputs: list[Any] = []
        for value, edge, box in zip(values, node.edges, node.boxes, strict=True):
            if type(value) not in NAMESPACES:
                inputs.append(value)
                continue
            behind = None if edge is None else Node(_IDENTITY, (edge,), value.shape, value.dtype)
            inputs.append(wrap(value, behind, box))
        with enable_grad():
            outputs = self.op.definition(*inputs, **node.static)
        pairs = zip(outputs, g, strict=True) if isinstance(outputs, tuple) else [(outputs, g)]
        sent = [
            (out.node, cotangent)
            for out, cotangent in pairs
            if cotangent is not None and out.node is not None
        ]
        ends = [inputs[p].node for p in self.positions]
        found = pullback(
            [root for root, _ in sent],
            [cotangent for _, cotangent in sent],
            targets=ends,
            stop_at=ends,
            retain_graph=True,
            create_graph=True,
        )
        return [(node.edges[p], found.get(end)) for p, end in zip(self.positions, ends, strict=True)]


def _namespace_of(values: Sequence[Any]) -> Any:
    """The library of the first array among the inputs."""
    return namespace(next(a for a in values if type(a) in NAMESPACES))


class _Identity:
    """y = x: the plan of the nodes behind which a definition finds its inputs."""

    class op:  # noqa: N801 (stands where a Primitive stands)
        name = "identity"
        inputs = ("x",)

    positions = (0,)

    @staticmethod
    def kept(_node: Node) -> Pairs:
        """Nothing is saved."""
        return ()

    @staticmethod
    def pull(node: Node, g: Any, _create_graph: bool) -> Pairs:
        """The gradient, unchanged."""
        return ((node.edges[0], g),)


_IDENTITY = _Identity()
fused = Fused  # reads as a decorator: @fused class lstm_cell: ...
