"""Floor 3: the same life of an operation, written out for the two calls that a training loop makes most.

`Primitive.general` can bind, promote, move and explain.  Nearly every call needs none of that: one Tensor,
or two of one type, or a Tensor and a Python number.  For those the steps compute, wrap and record are
repeated here without a loop and without a function call between them.  Measured per recorded call, on top
of NumPy's own time, one thread: see `docs/performance.md`, which `python -m minigrad.tools.bench overhead`
writes.

Whatever is out of the ordinary goes to `general`: reading primitive.py first loses nothing.
"""

from collections.abc import Callable
from typing import Any

from .backend import HostArray, numpy
from .modes import TRACING, mode
from .notes import note_of
from .tape import Node, births
from .tensor import Tensor

_new = object.__new__
_asarray = numpy.asarray
_UNWATCHED: list = [0]


def fast_path(op: Any) -> Callable | None:
    """A function for ordinary calls of `op`, or None if its card is of a kind that has no short cut."""
    if op.definition or op.variadic or op.view or op.defaults or op.optional:
        return None
    if len(op.inputs) == 1:
        return _unary(op)
    if len(op.inputs) == 2 and op.promoted == (0, 1):
        return _binary(op)
    return None


def _unary(op: Any) -> Callable:
    """op(x), short for a Tensor on the CPU."""
    general, plans, floating, differentiable = op.general, op.plans, op.floating, not op.constant

    def unary(x: Any) -> Any:
        try:
            a, parent, version = x.array, x.node, x.version
        except AttributeError:
            return general(x)
        if type(a) is not HostArray or (floating and a.dtype.kind != "f"):
            return general(x)
        y = op.host_kernel(a)
        if type(y) is not HostArray:
            if type(y) is tuple:  # several outputs: no short cut, from now on
                op.fast = general
                return general(x)
            y = _asarray(y)
        out = _new(Tensor)
        out.array = y
        out.version = box = [0]
        out.grad = out.base = out.node = None
        if parent is not None and differentiable and (recording := mode.recording):
            plan = plans.get(1) or op.plan(1)
            node = out.node = _new(Node)
            node.plan = plan
            node.edges = (parent,)
            node.saved = plan.save((a, y))
            node.boxes = boxes = plan.watch((version, box))
            node.versions = (boxes[0][0],) if len(boxes) == 1 else tuple([watched[0] for watched in boxes])
            node.shape, node.dtype, node.static = y.shape, y.dtype, op.defaults
            node.hooks = None
            node.note = note_of((x,)) if recording is TRACING else None
            node.seq = next(births)
        return out

    return unary


def _binary(op: Any) -> Callable:
    """op(a, b), short for two Tensors of one type on the CPU, or a floating one and a Python number."""
    general, plans, floating, differentiable = op.general, op.plans, op.floating, not op.constant

    def binary(x: Any, z: Any) -> Any:
        try:
            a, parent, version = x.array, x.node, x.version
            if type(z) is float or type(z) is int:
                b, other, other_version = z, None, _UNWATCHED
                ordinary = type(a) is HostArray and a.dtype.kind == "f"
            else:
                b, other, other_version = z.array, z.node, z.version
                ordinary = (
                    a.dtype is b.dtype and type(a) is HostArray and (not floating or a.dtype.kind == "f")
                )
            if not ordinary:
                return general(x, z)
            y = op.host_kernel(a, b)
        except (AttributeError, ValueError):  # an operand of another kind, or shapes that do not fit
            return general(x, z)
        if type(y) is not HostArray:
            if type(y) is tuple:  # several outputs: no short cut, from now on
                op.fast = general
                return general(x, z)
            y = _asarray(y)
        out = _new(Tensor)
        out.array = y
        out.version = box = [0]
        out.grad = out.base = out.node = None
        if differentiable and (parent is not None or other is not None) and (recording := mode.recording):
            mask = (parent is not None) | (other is not None) << 1
            plan = plans.get(mask) or op.plan(mask)
            node = out.node = _new(Node)
            node.plan = plan
            node.edges = (parent, other)
            node.saved = plan.save((a, b, y))
            node.boxes = boxes = plan.watch((version, other_version, box))
            node.versions = tuple([watched[0] for watched in boxes]) if boxes else ()
            node.shape, node.dtype, node.static = y.shape, y.dtype, op.defaults
            node.hooks = None
            node.note = note_of((x, z)) if recording is TRACING else None
            node.seq = next(births)
        return out

    return binary
