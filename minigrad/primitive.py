"""Floor 3: what an operation is.

An operation is a *card*: a class body that holds the formula and, beside it, one derivative rule per input.

    @primitive
    class tanh:
        '''y = tanh x,  dy/dx = 1 - y²'''
        def forward(xp, x): return xp.tanh(x)
        def d_x(g, y): return g * (1 - y * y)

`forward(xp, *inputs, *, static=default)` computes on arrays of the library `xp`.  A rule `d_<input>(g,
...)` turns the gradient g of the output into that of one input; it asks by name for what it needs: `y` (the
output), an input, `<input>_shape`, or a static argument.  Only that is saved.  A rule is written in
operators and operations, so the tape can feed it arrays (fast) or Tensors (and the gradient is itself
recorded: that is how second derivatives come about).
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from .backend import (
    NAMESPACES,
    HostArray,
    common_namespace,
    default_dtype,
    is_array,
    misplaced,
    numpy,
    result_dtype,
)
from .batching import batched_call, level_of
from .errors import DTypeError, broadcast_error
from .fastpath import fast_path
from .modes import TRACING, mode
from .notes import note_of
from .plan import Plan
from .tape import Call, Node
from .tensor import Tensor, wrap
from .versions import note_view

_NUMBERS = (float, int)
KINDS = {"b": "bool", "i": "integer", "f": "floating"}
_RESERVED = ("xp", "g", "y")


class Primitive:
    """An operation, made from a card.  Called with Tensors it gives a Tensor, with arrays only an array.

    A card may also say:
      promote = ("a", "b")   these inputs are brought to their common type first, as PyTorch has it
      floating = True        integers become the default floating type first
      kinds = "iu"           the kinds of types (NumPy's letters) that it takes; others are refused
      view = True            the output may share the memory of the first input
      nondifferentiable = ("index",)   these inputs never get a gradient
      family = "elementwise"           how vmap batches it (batching_rules.py); a file says it once, as FAMILY
      refuse(*shapes) -> Exception     the error for inputs whose shapes do not fit
      d(g, ...) -> tuple     one joint rule for all inputs, in place of the d_<input>
    """

    definition: Callable | None = None  # a fused operation has one

    def __init__(self, card: type) -> None:
        self.name = card.__name__.rstrip("_")  # `sum_`: a trailing underscore only avoids a name of Python's
        self.__doc__ = card.__doc__
        self.__name__ = self.name
        self.forward = self._part(card, "forward")
        self._read_signature()
        self.promoted = tuple(self.inputs.index(name) for name in vars(card).get("promote", ()))
        self.floating: bool = vars(card).get("floating", False)
        self.kinds: str = vars(card).get("kinds", "")
        self.view: bool = vars(card).get("view", False)
        self.family: str = vars(card).get("family", self.forward.__globals__.get("FAMILY", ""))
        self.refuse: Callable[..., Exception | None] = vars(card).get(
            "refuse", functools.partial(broadcast_error_of, self)
        )
        self.host_forward: Callable = self.forward  # what computes the output on the CPU
        self.kernels: dict[Any, Callable] = {}  # array library -> what takes the place of forward there
        self.plans: dict[int, Any] = {}  # set of differentiable inputs, as a bit mask -> plan
        self._read_rules(card)
        self.fast: Callable = fast_path(self) or self.general

    def _part(self, card: type, name: str) -> Callable:
        """A function that the card must have."""
        if name not in vars(card):
            raise TypeError(f"card {self.name}: it has no {name}(), which every card of its kind must have")
        return vars(card)[name]

    def _read_signature(self) -> None:
        """The contract: positional arguments are arrays, keyword-only ones are static."""
        positional, several, static = _arguments(self.forward)
        given, left_out = self.forward.__kwdefaults__ or {}, self.forward.__defaults__ or ()
        self.variadic = bool(several)
        self.inputs: tuple[str, ...] = several or positional[1:]
        self.optional = self.inputs[len(self.inputs) - len(left_out) :]
        self.defaults: dict[str, Any] = {name: given.get(name) for name in static}
        self.required = frozenset(static) - frozenset(given)
        for name in (*self.inputs, *static):
            if name in _RESERVED:
                raise TypeError(
                    f"card {self.name}: {name!r} is a reserved name, use another for the argument"
                )
        shapes = [f"{name}_shape" for name in self.inputs]
        self.places: dict[str, int] = {}  # of all that a rule can ask for, in the order of `Plan.keep`
        for place, name in enumerate((*self.inputs, "y", *static, *shapes)):
            self.places.setdefault(name, place)

    def _read_rules(self, card: type) -> None:
        """The rules, each with the names that it asks for; every input has one or is said to have none."""
        found = {name[2:]: rule for name, rule in vars(card).items() if name.startswith("d_")}
        constant = vars(card).get("nondifferentiable", ())
        joint = vars(card).get("d") or (found.pop(self.inputs[0], None) if self.variadic else None)
        self.joint = None if joint is None else (joint, self._wishes(joint))
        if strangers := sorted({*found, *constant}.difference(self.inputs)):
            raise TypeError(f"card {self.name}: {strangers} are not among its inputs {self.inputs}")
        self.rules = {self.inputs.index(name): (rule, self._wishes(rule)) for name, rule in found.items()}
        if not joint and set(found) | set(constant) != set(self.inputs):
            missing = sorted(set(self.inputs) - set(found) - set(constant))
            raise TypeError(
                f"card {self.name}: no rule for {missing}; write d_<input>, or list it in nondifferentiable"
            )
        self._set_constant(constant)

    def _set_constant(self, names: Sequence[str]) -> None:
        """Note which inputs never get a gradient, and the bit mask of those that may."""
        self.constant = frozenset(self.inputs.index(name) for name in names)
        self.differentiable = 0 if self.variadic and names else ~sum(1 << p for p in self.constant)

    def _wishes(self, rule: Callable) -> tuple[str, ...]:
        """The names that a rule asks for after g."""
        names = _arguments(rule)[0][1:]
        for name in names:
            if name not in self.places:
                raise TypeError(
                    f"card {self.name}: {rule.__name__} asks for {name!r}, which the operation has not"
                )
        return names

    def __repr__(self) -> str:
        return f"<operation {self.name}({', '.join((*self.inputs, *self.defaults))})>"

    # ------------------------------------------------------------------ calling

    def replace(self, xp: Any, kernel: Callable) -> None:
        """Let `kernel(*arrays, **static)` compute the output on arrays of `xp`. The rules stay."""
        self.kernels[xp] = kernel
        if xp is numpy:
            self.host_forward = lambda _xp, *arrays, **static: kernel(*arrays, **static)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """The operation: on arrays it computes, and that is all; on Tensors it also records."""
        if len(args) == 1 and type(args[0]) is HostArray and self.definition is None:
            return self.host_forward(numpy, *args, **keywords)  # a rule at work: sooner found out, 0.4 µs
        if keywords:
            for a in keywords.values():
                if isinstance(a, Tensor):
                    return self.general(*args, **keywords)
        for a in args:
            if isinstance(a, Tensor):
                ordinary = len(args) == len(self.inputs) and (self.defaults or not keywords)
                return self.fast(*args, **keywords) if ordinary else self.general(*args, **keywords)
        return self.on_arrays(*args, **keywords)

    def on_arrays(self, *args: Any, **keywords: Any) -> Any:
        """The forward alone: rules that run on arrays come here."""
        if args and type(args[0]) is HostArray and self.definition is None:
            return self.host_forward(numpy, *args, **keywords)
        return self.compute(common_namespace(self.name, args), args, keywords)[0]

    def general(self, *args: Any, **keywords: Any) -> Any:
        """Bind, unwrap, promote, compute, wrap, record: the life of every operation."""
        static = self.defaults
        if keywords or self.required or (len(args) != len(self.inputs) and not self.variadic):
            args, static = self._bind(args, keywords)
        if mode.vmaps and level_of(args):
            return batched_call(self, args, static)
        values, mask, bit, xp = [], 0, 1, None
        for a in args:
            if isinstance(a, Tensor):
                if a.node is not None:
                    mask |= bit
                value = a.array
            else:
                value = a
            module = NAMESPACES.get(type(value))
            if module is not xp and module is not None:
                xp = (
                    module
                    if xp is None
                    else common_namespace(self.name, [getattr(a, "array", a) for a in args])
                )
            values.append(value)
            bit += bit
        mask = mask & self.differentiable if mode.recording else 0
        if xp is None:
            xp = common_namespace(self.name, values)
        try:
            if self.promoted and self._is_mixed(values):
                values = self._promoted(values, xp)
            if self.kinds:
                self._check_kinds(values)
            y, kept = self.compute(xp, values, static)
        except ValueError as error:
            raise self._explained(error, values) from None
        if type(y) is tuple:
            return self._several(y, kept, args, values, static, mask, xp)
        if type(y) not in NAMESPACES:
            y = xp.asarray(y)
        out = wrap(y)
        if self.view:
            self.share(out, args[0], static)
        if mask and y.dtype.kind == "f":
            out.node = self._record(y, kept, args, values, static, mask, out.version)
        return out

    def _is_mixed(self, values: Sequence[Any]) -> bool:
        """Do the inputs that combine need promotion: several types, or an integer where a float is due?"""
        first = values[self.promoted[0]]
        kind = getattr(first, "dtype", None)
        if kind is None or (self.floating and kind.kind != "f"):
            return True
        for p in self.promoted[1:]:
            value = values[p]
            a_number = type(value) in _NUMBERS and kind.kind == "f"
            if getattr(value, "dtype", None) is not kind and not a_number and not self._is_absent(p, value):
                return True
        return False

    def _is_absent(self, place: int, value: Any) -> bool:
        """Was an optional input left out?"""
        return value is None and self.inputs[place] in self.optional

    def compute(self, xp: Any, values: Sequence[Any], static: dict[str, Any]) -> tuple[Any, Any]:
        """The output on arrays; the second value is what a fused operation keeps for its pullback."""
        kernel = self.kernels.get(xp)
        return self.forward(xp, *values, **static) if kernel is None else kernel(*values, **static), None

    def _bind(self, args: tuple, keywords: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """Positional and named arguments as (inputs in order, statics)."""
        if len(args) > len(self.inputs) and not self.variadic:
            raise TypeError(f"{self.name}() takes the inputs {', '.join(self.inputs)}, got {len(args)}")
        static = dict(self.defaults)
        named = {}
        spelling = dict(zip(("input", "other"), self.inputs, strict=False))  # PyTorch's names
        for given, value in keywords.items():
            name = given if given in static else spelling.get(given, given)
            if name in static:
                if isinstance(value, Tensor):
                    raise TypeError(
                        f"{self.name}(): {name} is a static argument, got a Tensor; pass a plain value"
                    )
                static[name] = value
            elif name in self.inputs[len(args) :] and not self.variadic:
                named[name] = value
            else:
                raise TypeError(f"{self.name}() got an unexpected argument {name!r}; it takes {self!r}")
        if missing := self.required - keywords.keys():
            raise TypeError(f"{self.name}() needs the keyword arguments {sorted(missing)}")
        if self.variadic:
            return args, static
        bound = list(args)
        for name in self.inputs[len(args) :]:
            if name not in named and name not in self.optional:
                raise TypeError(f"{self.name}() needs the input {name!r}")
            bound.append(named.get(name))
        return tuple(bound), static

    def _promoted(self, values: list[Any], xp: Any) -> list[Any]:
        """The values with those inputs that combine brought to one type."""
        places = [p for p in self.promoted if not self._is_absent(p, values[p])]
        chosen = [values[p] for p in places]
        common = result_dtype(chosen)
        if self.floating and common.kind != "f":
            common = default_dtype()
        cast = list(values)
        for p, value in zip(places, chosen, strict=True):
            if type(value) in NAMESPACES:
                cast[p] = value if value.dtype is common else value.astype(common)
            elif not (type(value) in _NUMBERS and common.kind == "f"):  # a number stays one beside floats
                cast[p] = xp.asarray(value).astype(common)
        return cast

    def _check_kinds(self, values: Sequence[Any]) -> None:
        """DTypeError where an input is of a type that the operation does not take."""
        for dtype in [value.dtype for value in values if type(value) in NAMESPACES]:
            if dtype.kind not in self.kinds:
                wanted = " or ".join(name for kind, name in KINDS.items() if kind in self.kinds)
                raise DTypeError(f"{self.name}(): expected {wanted} numbers, got {dtype}; cast it first")

    def _explained(self, error: ValueError, values: Sequence[Any]) -> Exception:
        """The error for GPUs, or shapes, that do not fit, in our words; anything else as it came."""
        if type(error) is not ValueError:
            return error
        shapes = [getattr(value, "shape", ()) for value in values]
        return misplaced(self.name, values) or self.refuse(*shapes) or error

    def share(self, out: Tensor, source: Tensor, static: dict[str, Any]) -> None:
        """If `out` views the memory of `source`, let one version box do for both, and note how."""
        y, x = out.array, source.array
        owner = y.base  # of a view of a view, too, it is the array that owns the memory
        if owner is not None and not is_array(owner):
            owner = getattr(owner, "base", None)  # as_strided leaves an object of its own in between
        if owner is x or y is x or (owner is not None and owner is x.base):
            out.version = source.version
            if mode.recording:
                out.view_of = (source, self, static)
                note_view(source.version, out)
            else:
                out.view_of = (source, None, None)

    def record(self, y: Any, args: tuple, static: dict[str, Any], box: list) -> Node | None:
        """The node of a call whose output is there already: after a write in place."""
        mask = sum(1 << i for i, a in enumerate(args) if getattr(a, "node", None) is not None)
        values = [getattr(a, "array", a) for a in args]
        mask &= self.differentiable
        return self._record(y, None, args, values, static, mask, box) if mask else None

    def _record(
        self, y: Any, kept: Any, args: tuple, values: list, static: dict, mask: int, box: list
    ) -> Any:
        """The node of this call (a Call, if it has several outputs), with what its rules will ask for."""
        plan = self.plans.get(mask) or self.plan(mask)
        single = type(y) is not tuple
        shape, dtype = (
            (y.shape, y.dtype) if single else (tuple(a.shape for a in y), tuple(a.dtype for a in y))
        )
        edges = tuple([a.node if mask >> i & 1 else None for i, a in enumerate(args)])
        node = (Node if single else Call)(plan, edges, shape, dtype)
        node.static = static
        plan.keep(node, args, values, y, static, kept, box)
        if mode.recording is TRACING:
            node.note = note_of(self, args, y)
        return node

    def _several(
        self, y: tuple, kept: Any, args: tuple, values: list, static: dict, mask: int, xp: Any
    ) -> tuple[Tensor, ...]:
        """The outputs of an operation with several: one node for the call, one `Output` for each."""
        y = tuple(a if type(a) in NAMESPACES else xp.asarray(a) for a in y)
        outputs = tuple(wrap(a) for a in y)
        if mask:
            for out in outputs:  # one version box for them all
                out.version = outputs[0].version
            call = self._record(y, kept, args, values, static, mask, outputs[0].version)
            for i, out in enumerate(outputs):
                if out.array.dtype.kind == "f":
                    out.node = call.output(i)
        return outputs

    def plan(self, mask: int) -> Any:
        """The plan for a set of differentiable inputs, made on first need."""
        positions = tuple(i for i in range(mask.bit_length()) if mask >> i & 1)
        return self.plans.setdefault(mask, Plan(self, positions))


def _arguments(function: Callable) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The names of the positional arguments, of the one behind *, and of those by keyword only.

    There are hundreds of cards: `inspect` would take a third of the time of `import minigrad`.
    """
    code = function.__code__
    names, first, last = code.co_varnames, code.co_argcount, code.co_argcount + code.co_kwonlyargcount
    several = names[last : last + 1] if code.co_flags & inspect.CO_VARARGS else ()
    return names[:first], several, names[first:last]


def broadcast_error_of(op: Primitive, *shapes: tuple[int, ...]) -> Exception | None:
    """The error for operands that should have been broadcast together."""
    return broadcast_error(op.name, [shapes[p] for p in op.promoted]) if len(op.promoted) > 1 else None


primitive = Primitive  # reads as a decorator: @primitive class tanh: ...
