"""Floor 3: what `vmap` computes on: a tensor of which one dimension is hidden.

Inside `vmap(f)`, f is written for one example and called once, with tensors that stand for all examples at
once.  Such a `Batched` tensor holds a Tensor whose first dimension is the batch, and shows the shape of one
example.  What it shows in place of its array is a `Shadow`: shape and type, and no values, so that a function
can check its arguments, but cannot compute behind the back of the tape.

Operations come to `batched_call`, which asks the rule of the operation's *family* how to do for all examples
what was asked for one: an element-wise operation lines the dimensions up, one along a dimension counts one
dimension more, and so on; a fused operation runs its definition.  The rules are in batching_rules.py.
"""

import functools
import math
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from .backend import namespace, register_namespace
from .errors import GraphError
from .tensor import Tensor

RULES: dict[str, Callable] = {}  # family -> rule(op, operands, static) -> the outputs, batch first


class Shadow:
    """What may be known of the array of one example: all but its values."""

    base = None
    flags = SimpleNamespace(writeable=False, c_contiguous=True)

    def __init__(self, array: Any) -> None:
        self.shape, self.dtype = array.shape[1:], array.dtype
        self.ndim, self.itemsize = array.ndim - 1, array.itemsize
        self.size, self._array = math.prod(self.shape), array

    @property
    def device(self) -> Any:
        """Where the values live."""
        return self._array.device

    def min(self) -> Any:
        """The smallest value of all examples: what a check of indices asks for."""
        return self._array.min()

    def max(self) -> Any:
        """The largest value of all examples."""
        return self._array.max()

    def __array__(self, *_args: Any, **_keywords: Any) -> Any:
        raise TypeError(
            "vmap: the values of a batched tensor were asked for; use minigrad's operations on it"
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise TypeError(
            f"vmap: .{name} of the array of a batched tensor was asked for, which works on values; "
            "call this function outside vmap"
        )


@functools.cache
def _shadow_kind(library: Any) -> type[Shadow]:
    """The class of the shadows of one library's arrays, known to the backend as an array type of it."""
    kind = type("Shadow", (Shadow,), {})
    register_namespace(kind, library)
    return kind


class Batched(Tensor):
    """One example of many: `value` holds them all along its first dimension; `level` counts nested vmaps."""

    __slots__ = ("level", "value")

    def __init__(self, value: Tensor, level: int) -> None:  # not Tensor's: there is no array of one's own
        self.value, self.level = value, level
        self.grad, self.version, self.view_of = None, [0, 0], None

    @property
    def array(self) -> Any:
        """A Shadow: functions may look at shape and type."""
        array = self.value.array
        return _shadow_kind(namespace(array))(array)

    @property
    def node(self) -> Any:  # type: ignore[override]
        """The place of all examples on the tape."""
        return self.value.node

    def detach(self) -> "Batched":
        """The same values, outside the graph."""
        return Batched(self.value.detach(), self.level)

    def requires_grad_(self, requires_grad: bool = True) -> "Batched":
        """Ask for gradients, one for each example."""
        self.value.requires_grad_(requires_grad)
        return self

    def _refuse(self, *_args: Any, **_keywords: Any) -> Any:
        raise GraphError(
            "vmap: the function asks for the value of a batched tensor, which differs from example to "
            "example; use minigrad.where in place of `if`, and compute Python numbers outside vmap"
        )

    item = tolist = numpy = _number = __index__ = __array__ = backward = register_hook = retain_grad = _refuse

    def __repr__(self) -> str:
        return f"Batched(level={self.level}, shape={self.shape}, of {self.value!r})"


def level_of(operands: Sequence[Any]) -> int:
    """The innermost vmap that any of the operands belongs to; 0 if none is batched."""
    return max((a.level for a in operands if isinstance(a, Batched)), default=0)


def batched_call(op: Any, operands: tuple, static: dict[str, Any]) -> Any:
    """What an operation makes of operands of which at least one is batched."""
    level = level_of(operands)
    rule = RULES.get(op.family)
    if rule is None and op.definition is not None:
        return op.definition(*operands, **static)
    if rule is None:
        raise NotImplementedError(
            f"vmap: the operation {op.name} belongs to no family with a batching rule; call it outside vmap, "
            f"or give its card `family = ...`, one of {sorted(RULES)}"
        )
    outputs = rule(op, [Operand(a, level) for a in operands], static)
    if isinstance(outputs, tuple):
        return tuple(Batched(out, level) for out in outputs)
    made = Batched(outputs, level)
    if op.view and outputs.view_of is not None:
        made.view_of = (operands[0], None, None)  # shared memory, but nobody may write to it in here
    return made


class Operand:
    """An operand as a rule sees it: its value, whether the batch is its first dimension, and its shape."""

    __slots__ = ("batched", "given", "ndim", "shape", "value")

    def __init__(self, given: Any, level: int) -> None:
        self.given = given
        self.batched = isinstance(given, Batched) and given.level == level
        self.value = given.value if self.batched else given
        self.shape: tuple[int, ...] = getattr(given, "shape", ())
        self.ndim = len(self.shape)
