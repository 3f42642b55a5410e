"""Floor 3: the same life of an operation, written out for the calls that a training loop makes most.

`Primitive.general` can bind, promote, move and explain.  Nearly every call needs none of that: one Tensor,
two of one type, or a Tensor and a Python number.  For those the steps compute, wrap and record are repeated
here, each for its own number of inputs and without a loop.  Measured per call, on top of NumPy's own time:
see docs/performance.md, or `python -m minigrad.tools.bench overhead`.

Whatever is out of the ordinary goes to `general`: reading primitive.py first loses nothing.
"""

from collections.abc import Callable
from typing import Any

from .backend import HostArray, numpy
from .modes import TRACING, mode
from .notes import note_of
from .plan import UNWATCHED
from .tape import Node
from .tensor import Tensor
from .versions import births, note_view

_new = object.__new__  # and the slots one by one: 0.1 µs less than a call of the class
_asarray = numpy.asarray
_NO_STATIC: dict[str, Any] = {}


def fast_path(op: Any) -> Callable | None:
    """A function for ordinary calls of `op`, or None if its card is of a kind that has no short cut."""
    if op.variadic or (op.optional and not op.definition):
        return None
    if op.definition:
        function = _fused(op)
    elif len(op.inputs) == 1:
        function = _view(op) if op.view else _unary_with_static(op) if op.defaults else _unary(op)
    elif len(op.inputs) == 2 and op.promoted == (0, 1) and not op.defaults and not op.view:
        function = _binary(op)
    else:
        return None
    function.__name__ = function.__qualname__ = op.name
    function.__doc__ = op.__doc__
    return function


def _unary(op: Any) -> Callable:
    """op(x), short for a Tensor on the CPU."""
    general, plans, floating, differentiable = op.general, op.plans, op.floating, not op.constant

    def unary(input: Any) -> Any:
        try:
            a, parent, version = input.array, input.node, input.version
            ordinary = type(a) is HostArray and not (floating and a.dtype.kind != "f")
            y = op.host_forward(numpy, a) if ordinary else None
        except (AttributeError, TypeError):  # general will find the mistake again, and word it
            y = None
        if type(y) is not HostArray:
            if y is None:  # called here, lest its error drag along the one that was met above
                return general(input)
            if type(y) is tuple:  # several outputs: no short cut, from now on
                op.fast = general
                return general(input)
            y = _asarray(y)
        out = _new(Tensor)
        out.array = y
        out.version = box = [0, 0]
        out.grad = out.view_of = out.node = None
        if parent is not None and differentiable and (recording := mode.recording):
            plan = plans.get(1) or op.plan(1)
            saved = boxes = ()
            if plan.names:
                saved, boxes = plan.save((a, y, a.shape)), plan.watch((version, box))
            out.node = _recorded(plan, (parent,), saved, boxes, y, _NO_STATIC)
            if recording is TRACING:
                out.node.note = note_of(op, (input,), y)
        return out

    return unary


def _unary_with_static(op: Any) -> Callable:
    """op(x, name=value, ...), short for a Tensor on the CPU."""
    general, plans, floating, differentiable = op.general, op.plans, op.floating, not op.constant
    defaults = op.defaults

    def unary(input: Any, **static: Any) -> Any:
        try:
            a, parent = input.array, input.node
            ordinary = type(a) is HostArray and not (floating and a.dtype.kind != "f")
            complete = {**defaults, **static}
            y = op.host_forward(numpy, a, **complete) if ordinary else None
        except (AttributeError, TypeError, ValueError):
            y = None
        if type(y) is not HostArray:
            if y is None:
                return general(input, **static)
            if type(y) is tuple:
                op.fast = general
                return general(input, **static)
            y = _asarray(y)
        out = _new(Tensor)
        out.array = y
        out.version = box = [0, 0]
        out.grad = out.view_of = out.node = None
        if parent is not None and differentiable and (recording := mode.recording) and y.dtype.kind == "f":
            plan = plans.get(1) or op.plan(1)
            saved = boxes = ()
            if plan.names:
                saved = plan.save((a, y, *complete.values(), a.shape))
                boxes = plan.watch((input.version, box))
            out.node = _recorded(plan, (parent,), saved, boxes, y, complete)
            if recording is TRACING:
                out.node.note = note_of(op, (input,), y)
        return out

    return unary


def _view(op: Any) -> Callable:
    """op(x, name=value, ...), short for a Tensor on the CPU, where the output may share the memory of x."""
    general, plans, defaults = op.general, op.plans, op.defaults
    in_order = len(defaults) < 2  # then what was given is what there is

    def view(input: Any, **static: Any) -> Any:
        try:
            a, parent, box = input.array, input.node, input.version
            y = op.host_forward(numpy, a, **static) if type(a) is HostArray else None
            owner = y.base  # type: ignore[union-attr]
        except (AttributeError, TypeError, ValueError):
            y = None
        if type(y) is not HostArray:
            if y is None:
                return general(input, **static)
            y = _asarray(y)
        out = _new(Tensor)
        out.array = y
        out.grad = out.view_of = out.node = None
        recording = mode.recording
        if owner is a or y is a or (owner is not None and owner is a.base):
            out.version = box
            if recording:
                out.view_of = (input, op, static)
                note_view(box, out)
            else:
                out.view_of = (input, None, None)
        elif owner is None or type(owner) is HostArray:
            out.version = [0, 0]
        else:
            return general(input, **static)  # which looks behind what as_strided leaves in between
        if parent is not None and recording and y.dtype.kind == "f":
            plan = plans.get(1) or op.plan(1)
            complete = static if in_order else {**defaults, **static}
            saved = boxes = ()
            if plan.names:
                saved = plan.save((a, y, *complete.values(), a.shape))
                boxes = plan.watch((box, out.version))
            out.node = _recorded(plan, (parent,), saved, boxes, y, complete)
            if recording is TRACING:
                out.node.note = note_of(op, (input,), y)
        return out

    return view


def _binary(op: Any) -> Callable:
    """op(a, b), short for two Tensors of one type on the CPU, or a floating one and a Python number."""
    general, plans, differentiable = op.general, op.plans, not op.constant
    kinds = "f" if op.floating else op.kinds
    kinds = "" if kinds == "iuf" else kinds  # NumPy itself refuses to subtract bools, which saves a look

    def binary(input: Any, other: Any) -> Any:
        kind = type(other)
        try:
            a, parent, version = input.array, input.node, input.version
            if kind is float or kind is int:
                b, other_parent, other_version = other, None, UNWATCHED
                ordinary = type(a) is HostArray and a.dtype.kind == "f"
            else:
                b, other_parent, other_version = other.array, other.node, other.version
                ordinary = type(a) is HostArray is type(b) and a.dtype is b.dtype
                ordinary = ordinary and (not kinds or a.dtype.kind in kinds)
            y = op.host_forward(numpy, a, b) if ordinary else None
        except (AttributeError, TypeError, ValueError):  # an operand or a type that does not suit, or shapes
            y = None
        if type(y) is not HostArray:
            if y is None:
                return general(input, other)
            if type(y) is tuple:
                op.fast = general
                return general(input, other)
            y = _asarray(y)
        out = _new(Tensor)
        out.array = y
        out.version = box = [0, 0]
        out.grad = out.view_of = out.node = None
        mask = (parent is not None) | (other_parent is not None) << 1
        if mask and differentiable and (recording := mode.recording):
            plan = plans.get(mask) or op.plan(mask)
            saved = boxes = ()
            if plan.names:
                saved = plan.save((a, b, y, a.shape, getattr(b, "shape", ())) if plan.shaped else (a, b, y))
                boxes = plan.watch((version, other_version, box))
            out.node = _recorded(plan, (parent, other_parent), saved, boxes, y, _NO_STATIC)
            if recording is TRACING:
                out.node.note = note_of(op, (input, other), y)
        return out

    return binary


def _fused(op: Any) -> Callable:
    """op(x, ...), short for Tensors on the CPU of which those that combine are of one floating type."""
    general, plans, defaults, count = op.general, op.plans, op.defaults, len(op.inputs)
    lead, followers = (op.promoted[0], op.promoted[1:]) if op.promoted else (None, ())

    def fused(*args: Any, **static: Any) -> Any:
        try:
            values = [None if a is None else a.array for a in args]
            ordinary = len(args) == count
            for value in values:
                if type(value) is not HostArray and value is not None:
                    ordinary = False
            if lead is not None:
                kind = values[lead].dtype
                for p in followers:
                    if (value := values[p]) is not None and value.dtype is not kind:
                        ordinary = False
                ordinary = ordinary and kind.kind == "f"
            complete = {**defaults, **static} if static else defaults
            y, kept = op.forward(numpy, *values, **complete) if ordinary else (None, None)
        except (AttributeError, IndexError, TypeError, ValueError):
            y = None
        if type(y) is not HostArray:
            if y is None or type(y) is tuple:
                if y is not None:
                    op.fast = general  # several outputs: no short cut, from now on
                return general(*args, **static)
            y = _asarray(y)  # a number: NumPy makes one of a 0-d result
        out = _new(Tensor)
        out.array = y
        out.version = [0, 0]
        out.grad = out.view_of = out.node = None
        if (recording := mode.recording) and y.dtype.kind == "f":
            edges = tuple([None if a is None else a.node for a in args])
            mask, bit = 0, 1
            for edge in edges:
                if edge is not None:
                    mask |= bit
                bit += bit
            mask &= op.differentiable
            if mask:
                if op.constant:
                    edges = _chosen(edges, mask)
                boxes = tuple([UNWATCHED if a is None else a.version for a in args])
                plan = plans.get(mask) or op.plan(mask)
                out.node = _recorded(plan, edges, (values, kept), boxes, y, complete)
                if recording is TRACING:
                    out.node.note = note_of(op, args, y)
        return out

    return fused


def _chosen(parents: tuple, mask: int) -> tuple:
    """The parents in a set; None in place of the others."""
    return tuple(parent if mask >> i & 1 else None for i, parent in enumerate(parents))


def _recorded(plan: Any, edges: tuple, saved: tuple, boxes: tuple, y: Any, static: dict[str, Any]) -> Node:
    """The node of a call."""
    node = _new(Node)
    node.plan, node.edges, node.saved, node.boxes = plan, edges, saved, boxes
    node.shape, node.dtype, node.static = y.shape, y.dtype, static
    node.hooks = node.note = None
    node.seq = next(births)
    return node
