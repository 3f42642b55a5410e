"""Floor 6: derivatives of functions, as functions: what `func` and `autograd.functional` are made of.

A transform runs the function on inputs of its own, and sends cotangents back from the outputs:

    vjp    u ↦ uᵀJ       one walk back: what the tape does
    jvp    v ↦ J v       two: uᵀJ is linear in u, and its own vjp for v is J v ("double backward")

Transforms nest to any order, since a walk that is recorded can be walked back.  It is recorded where the
result depends on more than the transform's own inputs, that is where somebody outside may ask for more.
"""

import math
from collections.abc import Sequence
from typing import Any

from . import ops
from .autograd import grad
from .autograd.batched import lifted
from .backend import namespace
from .batching import Batched, level_of
from .errors import DTypeError, GraphError
from .functions.joining import cat, stack
from .modes import enable_grad, is_inference_mode_enabled, mode
from .tape import Leaf
from .tensor import Tensor, wrap
from .trees import leaves_of, rebuilt

Tree = Any  # nested tuples, lists and dicts of tensors


class Linearised:
    """A function at a point: `outputs` is what it returned; its derivative there can be asked for.

    primals    trees of tensors: the arguments to differentiate by
    further    are derivatives of the results wanted outside?
    """

    def __init__(self, name: str, primals: Tree) -> None:
        if is_inference_mode_enabled():
            raise GraphError(f"{name}(): nothing is recorded in inference mode; use no_grad() in its place")
        self.name, self.primals = name, primals
        self.recorded_outside = bool(mode.recording)
        self.inputs = [self._input(i, leaf) for i, leaf in enumerate(leaves_of(primals))]
        self.arguments = rebuilt(primals, self.inputs)
        self.further = False
        self.outputs: list[Tensor] = []

    def _input(self, number: int, leaf: Any) -> Tensor:
        """The values of a primal, at a place on the tape where the walk back will end."""
        if not isinstance(leaf, Tensor):
            raise TypeError(f"{self.name}(): input {number} is a {type(leaf).__name__}, expected a Tensor")
        if leaf.dtype.kind != "f":
            raise DTypeError(
                f"{self.name}(): input {number} is {leaf.dtype}, expected a floating-point tensor"
            )
        if mode.vmaps:
            leaf = Batched(lifted(leaf, mode.vmaps, mode.examples), mode.vmaps)
        if leaf.node is None or not mode.recording:
            return leaf.detach().requires_grad_()
        return ops.reshape(leaf, shape=leaf.shape)  # a node of its own, with the leaf behind it

    def run(self, function: Any, has_aux: bool) -> tuple[Tree, Any]:
        """What the function makes of `arguments` (and, with has_aux, what else it returned)."""
        with enable_grad():
            returned = function(self.arguments)
        output, aux = returned, None
        if has_aux:
            if not isinstance(returned, tuple) or len(returned) != 2:
                raise TypeError(f"{self.name}(): with has_aux=True the function must return (output, aux)")
            output, aux = returned
        self.outputs = leaves_of(output)
        for i, out in enumerate(self.outputs):
            if not isinstance(out, Tensor):
                raise TypeError(
                    f"{self.name}(): output {i} of the function is a {type(out).__name__}, expected a Tensor"
                )
        self.further = self.recorded_outside and _reaches_beyond(self.outputs, self.inputs)
        return output, aux

    def shown(self, tree: Tree) -> Tree:
        """Results as they are handed out: outside the graph, unless somebody there may differentiate them."""
        if self.further:
            return tree
        return rebuilt(tree, [a.detach() if isinstance(a, Tensor) else a for a in leaves_of(tree)])

    def vjp(self, cotangents: Sequence[Tensor], further: bool) -> list[Tensor | None]:
        """uᵀJ; None for an input that no output depends on."""
        return pulled_back(self.outputs, self.inputs, cotangents, further)

    def transposed(self) -> tuple[list[Tensor], list[Tensor | None]]:
        """(u, uᵀJ), the second recorded as a function of the first."""
        with enable_grad():
            u = [constant(out, 0).requires_grad_() for out in self.outputs]
        return u, self.vjp(u, further=True)

    def jvp(self, tangents: Sequence[Tensor], further: bool) -> list[Tensor]:
        """J v, by differentiating uᵀJ in the direction v."""
        u, products = self.transposed()
        return filled(pulled_back(products, u, tangents, further), self.outputs)


def constant(like: Tensor, value: float) -> Tensor:
    """A tensor of the shape and type of `like`, every element of it `value`."""
    if isinstance(like, Batched):
        return Batched(constant(like.value, value), like.level)
    return wrap(namespace(like.array).full(like.shape, value, dtype=like.dtype))


def filled(gradients: Sequence[Tensor | None], like: Sequence[Tensor]) -> list[Tensor]:
    """The gradients, with zeros for those that are None."""
    return [constant(each, 0) if g is None else g for g, each in zip(gradients, like, strict=True)]


def _reaches_beyond(outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> bool:
    """Does an output depend on a leaf that is none of the inputs: another transform's, or a parameter?"""
    seen = {out.node for out in outputs if out.node is not None}
    stack, own = list(seen), {each.node for each in inputs}
    while stack:
        node = stack.pop()
        if type(node) is Leaf and node not in own:
            return True
        fresh = {parent for parent in node.edges if parent is not None} - seen
        seen |= fresh
        stack += fresh
    return False


# --------------------------------------------------------------------------------------------- walking back


def pulled_back(
    outputs: Sequence[Tensor | None], inputs: Sequence[Tensor], cotangents: Sequence[Any], further: bool
) -> list[Tensor | None]:
    """The gradients of `inputs`; an output that is None, or depends on nothing, takes no part.

    Of batched tensors the gradient is that of the values which stand for all examples, whose cotangents are
    those of each example.
    """
    pairs = [(out, u) for out, u in zip(outputs, cotangents, strict=True) if out is not None]
    if level := level_of([*inputs, *[out for out, _ in pairs]]):
        size = _size(inputs, level)
        found = pulled_back(
            [lifted(out, level, size) for out, _ in pairs],
            [lifted(each, level, size) for each in inputs],
            [lifted(u, level, size) for _, u in pairs],
            further,
        )
        return [None if g is None else Batched(g, level) for g in found]
    pairs = [(out, u) for out, u in pairs if out.node is not None]
    if not pairs:
        return [None] * len(inputs)
    sources, seeds = zip(*pairs, strict=True)
    return list(grad(sources, inputs, seeds, retain_graph=True, create_graph=further, allow_unused=True))


def pulled_back_rows(output: Tensor, inputs: Sequence[Tensor], rows: Tensor, further: bool) -> list[Tensor]:
    """The gradients of `inputs` for each row of cotangents of one output, (n, *shape), in one walk."""
    if level := level_of([*inputs, output]):
        size = _size(inputs, level)
        found = pulled_back_rows(
            lifted(output, level, size),
            [lifted(each, level, size) for each in inputs],
            _swapped(lifted(rows, level, size)),
            further,
        )
        return [Batched(_swapped(g), level) for g in found]
    options: dict[str, Any] = {"retain_graph": True, "create_graph": further, "allow_unused": True}
    none = (None,) * len(inputs)
    matrices = none if output.node is None else grad(output, inputs, rows, is_grads_batched=True, **options)
    shapes = [(rows.shape[0], *each.shape) for each in inputs]
    return [
        constant(ops.broadcast_to(each.detach(), shape=shape), 0) if g is None else g
        for g, each, shape in zip(matrices, inputs, shapes, strict=True)
    ]


def _size(tensors: Sequence[Tensor], level: int) -> int:
    """How many examples a vmap has."""
    return next(a.value.shape[0] for a in tensors if isinstance(a, Batched) and a.level == level)


def _swapped(tensor: Tensor) -> Tensor:
    """The tensor with its first two dimensions exchanged."""
    return ops.permute(tensor, dims=(1, 0, *range(2, tensor.ndim)))


def jacobian_rows(
    output: Tensor, inputs: Sequence[Tensor], further: bool, chunk_size: int | None
) -> list[Tensor]:
    """∂output/∂input for each input, (number of elements of the output, *shape of the input).

    chunk_size rows are computed at once; 1: in a loop, without vmap.
    """
    count = math.prod(output.shape)
    library = namespace(output.array)
    unit = wrap(library.eye(count, dtype=output.dtype).reshape(count, *output.shape))
    if count == 0:
        return [constant(ops.broadcast_to(a.detach(), shape=(0, *a.shape)), 0) for a in inputs]
    if chunk_size == 1:
        walks = [filled(pulled_back([output], inputs, [u], further), inputs) for u in unit]
        return [stack(rows) for rows in zip(*walks, strict=True)]
    size = chunk_size or count
    parts = [
        pulled_back_rows(output, inputs, unit[start : start + size], further)
        for start in range(0, count, size)
    ]
    return parts[0] if len(parts) == 1 else [cat(rows) for rows in zip(*parts, strict=True)]
