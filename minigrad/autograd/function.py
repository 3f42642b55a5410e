"""Floor 6: operations written as in PyTorch: a class with a static forward and a static backward.

    class Cube(Function):
        @staticmethod
        def forward(context, x):
            context.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(context, g):
            (x,) = context.saved_tensors
            return 3 * x**2 * g

    y = Cube.apply(x)

The card (primitive.py) is the shorter way, and the one by which this library is written.  Here is what it
does not offer: a forward that mixes tensors with other arguments, writes in place, and keeps notes for its
backward.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.backend import is_array, namespace, numpy
from minigrad.batching import level_of
from minigrad.errors import GraphError
from minigrad.inplace import check_writable, rebase
from minigrad.modes import enable_grad, mode, no_grad
from minigrad.notes import note_of
from minigrad.tape import FREED, Call, Node, check_versions
from minigrad.tensor import Tensor, wrap


class Context:
    """What the forward of one call tells its backward; plain attributes may be added.

    needs_input_grad   for each argument of the forward, whether its gradient is wanted
    saved_tensors      what was given to save_for_backward; GraphError if it was changed in place or freed
    """

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self.materialize_grads = True
        self.to_save: tuple[Tensor | None, ...] = ()
        self.dirty: tuple[Tensor, ...] = ()
        self.non_differentiable: tuple[Tensor, ...] = ()
        self.node: Applied | None = None  # of this call, while its backward runs

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep inputs, outputs or results between for the backward; None is kept as None.

        A second derivative reaches inputs and outputs; what is neither counts there as a constant.
        """
        for tensor in tensors:
            if not isinstance(tensor, Tensor | None):
                raise TypeError(
                    f"save_for_backward(): got {type(tensor).__name__}, expected tensors or None; "
                    "set an attribute of the context instead"
                )
        self.to_save = tensors

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say which inputs the forward changes in place; they must be among its outputs."""
        self.dirty = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say which outputs need no gradient; the backward gets zeros for them."""
        self.non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Shall the backward get zeros (as it does unless told), or None, for an output that was not used?"""
        self.materialize_grads = value

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What save_for_backward was given, at its place on the tape."""
        if self.node is None:
            return self.to_save
        check_versions(self.node)
        return tuple(self.node.restored())


class Applied(Call):
    """The node of one call of a Function; `context` is what its forward left for its backward.

    saved    one array for each saved tensor
    places   where each came from: a node of the tape, the number of an output, or None
    """

    __slots__ = ("context", "places", "single")
    context: Context
    places: tuple[Any, ...]
    single: bool

    def name(self) -> str:
        """PyTorch's way to name it: `CubeBackward` for the class Cube."""
        return f"{self.plan.op.name}Backward"

    def place(self, number: int) -> Node:
        """The node of an output."""
        return self if self.single else self.output(number)

    def restored(self) -> list[Tensor | None]:
        """The saved tensors; those that are inputs or outputs at their place on the tape."""
        tensors: list[Tensor | None] = []
        for array, place, box in zip(self.saved, self.places, self.boxes, strict=True):
            source = self.place(place) if isinstance(place, int) else place
            tensors.append(None if array is None else wrap(array, source if mode.recording else None, box))
        return tensors


class FunctionPlan:
    """The rule of a Function: call its backward, and see that what it returns fits the inputs."""

    def __init__(self, op: Any, positions: tuple[int, ...]) -> None:
        self.op, self.positions, self.names = op, positions, ()

    def kept(self, node: Applied) -> Sequence[tuple[str, Any]]:
        """The saved arrays, by their number."""
        return [(str(i), array) for i, array in enumerate(node.saved)]

    def pull(self, node: Applied, g: Any, create_graph: bool) -> Sequence[tuple[Node, Any]]:
        """The gradients of the inputs `positions`."""
        if node.saved is FREED:
            check_versions(node)
        context = node.context
        gradients = [_as_tensor(a) for a in ([g] if node.single else g)]
        context.node = node
        try:
            found = self.op.function.backward(context, *_filled(node, gradients))
        finally:
            context.node = None
        found = found if isinstance(found, tuple | list) else (found,)
        name, expected = self.op.name, len(node.edges)
        if len(found) < expected or any(extra is not None for extra in found[expected:]):
            raise GraphError(
                f"{name}.backward: returned {len(found)} gradients, expected {expected}, one for each "
                "argument of forward; return None for an argument that needs none"
            )
        for i, gradient in enumerate(found):
            if not isinstance(gradient, Tensor | None):
                raise TypeError(
                    f"{name}.backward: gradient {i} is a {type(gradient).__name__}, expected a Tensor or None"
                )
        chosen = [found[p] for p in self.positions]
        arrays = chosen if create_graph else [None if a is None else a.array for a in chosen]
        return [(node.edges[p], a) for p, a in zip(self.positions, arrays, strict=True)]


def _filled(node: Applied, gradients: list[Tensor | None]) -> list[Tensor | None]:
    """The gradients of all outputs, zeros for those that were not used, unless None is wanted."""
    if node.single or not node.context.materialize_grads:
        return gradients
    xp = namespace(next(a.array for a in gradients if a is not None))
    return [
        wrap(xp.zeros(shape, dtype)) if a is None else a
        for a, shape, dtype in zip(gradients, node.shape, node.dtype, strict=True)
    ]


class FunctionOp:
    """What stands for a Function where the tape, a drawing or an error asks for the operation."""

    definition = None
    defaults: dict[str, Any] = {}  # noqa: RUF012 (no Function has static arguments)
    required: frozenset = frozenset()

    def __init__(self, function: type["Function"]) -> None:
        self.function, self.name, self.__doc__ = function, function.__name__, function.__doc__ or ""
        names = tuple(inspect.signature(function.forward).parameters)
        self.inputs = names if function.takes_setup else names[1:]

    def on_arrays(self, *args: Any) -> Any:
        """The forward alone."""
        with no_grad():
            outputs = self.function.apply(*[wrap(a) if is_array(a) else a for a in args])
        return tuple(a.array for a in outputs) if isinstance(outputs, tuple) else outputs.array


class Function:
    """An operation with a forward and a backward of its own; see the head of this file.

    forward(context, *args) computes, on tensors, unrecorded; or forward(*args) does, and
    setup_context(context, inputs, output) saves. backward(context, *gradients) gets one gradient for each
    output and returns one for each argument; recorded, where a second derivative is asked for.

    >>> import minigrad as mg
    >>> class Double(mg.autograd.Function):
    ...     @staticmethod
    ...     def forward(context, x):
    ...         return x * 2
    ...     @staticmethod
    ...     def backward(context, g):
    ...         return g * 2
    >>> x = mg.tensor(3.0, requires_grad=True)
    >>> Double.apply(x).backward()
    >>> x.grad
    tensor(2.)
    """

    op: FunctionOp
    takes_setup: bool = False

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        for name in ("forward", "backward", "setup_context"):
            part = inspect.getattr_static(cls, name)
            if not isinstance(part, staticmethod):
                raise TypeError(
                    f"Function {cls.__name__}: {name} must be a @staticmethod that takes a context"
                )
        cls.takes_setup = cls.setup_context is not Function.setup_context
        cls.op = FunctionOp(cls)

    @staticmethod
    def forward(*args: Any, **keywords: Any) -> Any:
        """Compute the outputs: a tensor, or a tuple of tensors and other values."""
        raise NotImplementedError("a Function needs a static forward(context, ...)")

    @staticmethod
    def setup_context(context: Context, inputs: tuple, output: Any) -> Any:
        """Save, in a method of its own, what the backward needs."""
        raise NotImplementedError("this Function has no setup_context")

    @staticmethod
    def backward(context: Any, *gradients: Any) -> Any:
        """The gradients of the arguments of forward, given those of its outputs."""
        raise NotImplementedError("a Function that is differentiated needs a static backward(context, ...)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Call the operation."""
        if mode.vmaps and level_of(args):
            raise NotImplementedError(
                f"vmap: {cls.__name__} has no batching rule, as no Function has; write it with operations, "
                "or as a card of a family"
            )
        needs = tuple(isinstance(a, Tensor) and a.node is not None for a in args)
        context = Context(needs)
        recorded = bool(mode.recording) and any(needs)
        with no_grad():
            if cls.takes_setup:
                output = cls.forward(*args)
                cls.setup_context(context, args, output)
            else:
                output = cls.forward(context, *args)
        return _outputs(cls.op, context, args, output, recorded)


def _outputs(op: FunctionOp, context: Context, args: tuple, output: Any, recorded: bool) -> Any:
    """What forward returned, as tensors that know where they came from."""
    single = not isinstance(output, tuple)
    given = (output,) if single else output
    for tensor in context.dirty:
        if not any(tensor is a for a in given):
            raise GraphError(
                f"{op.name}: an input that was marked dirty is not returned; return what was changed"
            )
        check_writable(tensor, recorded, op.name)
        tensor.bump_version()
    made: list[Any] = []
    for out in given:
        known = isinstance(out, Tensor) and (out.node is not None or any(out is a for a in (*args, *made)))
        returned_as_it_is = known and not any(out is dirty for dirty in context.dirty)
        made.append(wrap(out.array, None, out.version) if returned_as_it_is else out)
    constant = [out.array for out in context.non_differentiable]
    wanted = [
        isinstance(out, Tensor) and out.dtype.kind == "f" and not any(out.array is a for a in constant)
        for out in made
    ]
    if not recorded or not any(wanted):
        return made[0] if single else tuple(made)
    node = _node(op, context, args, made, single)
    for number, (out, differentiable) in enumerate(zip(made, wanted, strict=True)):
        if differentiable and any(out is dirty for dirty in context.dirty):
            rebase(out, node.place(number))
        elif differentiable:
            out.node = node.place(number)
    context.to_save = context.dirty = context.non_differentiable = ()  # the node has what it needs
    return made[0] if single else tuple(made)


def _node(op: FunctionOp, context: Context, args: tuple, made: list, single: bool) -> Applied:
    """The node of a call, with what its backward will ask for."""
    positions = tuple(i for i, needed in enumerate(context.needs_input_grad) if needed)
    edges = tuple(a.node if isinstance(a, Tensor) else None for a in args)
    shapes = tuple(getattr(out, "shape", ()) for out in made)
    types = tuple(getattr(out, "dtype", None) for out in made)
    plan = FunctionPlan(op, positions)
    node = Applied(plan, edges, shapes[0] if single else shapes, types[0] if single else types)
    node.context, node.single, node.static = context, single, {}
    numbers = {id(out): number for number, out in enumerate(made) if isinstance(out, Tensor)}
    node.saved = tuple(None if t is None else t.array for t in context.to_save)
    node.boxes = tuple([0, 0] if t is None else t.version for t in context.to_save)
    node.places = tuple(None if t is None else numbers.get(id(t), t.node) for t in context.to_save)
    if mode.tracing:
        arrays = tuple(getattr(out, "array", None) for out in made)
        node.note = note_of(op, args, arrays[0] if single else arrays)
    return node


def _as_tensor(g: Any) -> Tensor | None:
    return g if g is None or isinstance(g, Tensor) else wrap(g if is_array(g) else numpy.asarray(g))


# ------------------------------------------------------------------------------------------------ once


class _Refusal:
    """The plan of a node behind which no derivative is known."""

    positions: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    def __init__(self, op: FunctionOp) -> None:
        self.op = op

    def kept(self, _node: Node) -> Sequence[tuple[str, Any]]:
        """Nothing is saved."""
        return ()

    def pull(self, _node: Node, _g: Any, _create_graph: bool) -> Any:
        """GraphError."""
        raise GraphError(
            f"{self.op.name}: its backward is marked once_differentiable, so it has no second derivative"
        )


def once_differentiable(function: Callable) -> Callable:
    """Decorate a backward whose own derivative is not known, as one that works on arrays.

    It runs unrecorded; where a derivative of its result is asked for, GraphError says so.
    """

    @functools.wraps(function)
    def backward(context: Context, *gradients: Any) -> Any:
        recording, node = mode.recording, context.node
        with no_grad():
            found = function(context, *gradients)
        if not recording or node is None:
            return found
        edges = (*node.edges, *[getattr(g, "node", None) for g in gradients])
        listed = found if isinstance(found, tuple | list) else (found,)
        with enable_grad():
            return tuple(
                None if g is None else wrap(g.array, Node(_Refusal(node.plan.op), edges, g.shape, g.dtype))
                for g in listed
            )

    return backward
