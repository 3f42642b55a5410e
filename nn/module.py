"""Module: a tree of layers whose parameters are plain attributes, named by the path that leads to them."""

import threading
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from itertools import chain
from typing import Any, NamedTuple, Self

from minigrad.backend import float16, float32, float64, is_array
from minigrad.modes import mode, no_grad
from minigrad.tensor import RemovableHandle, Tensor

from .parameter import Parameter


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict(strict=False)` left aside."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """Base class of every layer and model: the Parameters and Modules among its attributes make a tree.

    A subclass calls `super().__init__()`, assigns its parts, and defines `forward`; calling the module runs
    it. A part is an attribute like any other. `_kinds` remembers which names are parts, in the order of
    assignment, and what each is: a "parameter", a "buffer" (saved but not trained), a "transient buffer" (not
    even saved) or a "module". None is a part that is absent, such as the bias of `Linear(bias=False)`.

    >>> from minigrad.nn import Linear, Module
    >>> class Perceptron(Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = Linear(2, 3)
    ...         self.output = Linear(3, 1, bias=False)
    ...
    ...     def forward(self, x):
    ...         return self.output(self.hidden(x).tanh())
    >>> [name for name, _ in Perceptron().named_parameters()]
    ['hidden.weight', 'hidden.bias', 'output.weight']
    """

    training: bool

    def __init__(self) -> None:
        self._kinds: dict[str, str] = {}
        self._forward_pre_hooks: dict[int, Callable[..., Any]] = {}
        self._forward_hooks: dict[int, Callable[..., Any]] = {}
        self.training = True

    # -------------------------------------------------------------------------------- running

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output: every subclass defines its own."""
        raise NotImplementedError(
            f"{type(self).__name__} has no forward(); define the method forward(self, ...)"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run `forward` and the hooks around it; while a graph is traced, under this module's name."""
        if not (self._forward_pre_hooks or self._forward_hooks or mode.tracing):
            return self.forward(*args, **kwargs)
        for pre_hook in list(self._forward_pre_hooks.values()):
            if (changed := pre_hook(self, args)) is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = self._forward_traced(*args, **kwargs) if mode.tracing else self.forward(*args, **kwargs)
        for hook in list(self._forward_hooks.values()):
            if (changed := hook(self, args, output)) is not None:
                output = changed
        return output

    def _forward_traced(self, *args: Any, **kwargs: Any) -> Any:
        """Run `forward` under the path that leads here from the outermost module, or the class's name."""
        outer, modules = _outermost.module, mode.modules
        root = _outermost.module = outer or self
        path = next((path for path, module in root.named_modules() if module is self), "")
        mode.modules = tuple(path.split(".")) if path else (type(self).__name__,)
        try:
            return self.forward(*args, **kwargs)
        finally:
            _outermost.module, mode.modules = outer, modules

    def register_forward_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, args)` before each forward; what it returns, if anything, replaces args."""
        return RemovableHandle(self._forward_pre_hooks, hook)

    def register_forward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, args, output)` after each forward; what it returns, if anything, is returned."""
        return RemovableHandle(self._forward_hooks, hook)

    # -------------------------------------------------------------------------------- its parts

    def __setattr__(self, name: str, value: Any) -> None:
        """Store the attribute; a Parameter or Module becomes a part, and a part keeps its kind."""
        if isinstance(value, Parameter):
            self._register(name, "parameter")
        elif isinstance(value, Module):
            self._refuse_cycle(name, value)
            self._register(name, "module")
        elif value is not None and (kind := vars(self).get("_kinds", {}).get(name)):
            expected = Tensor if "buffer" in kind else {"parameter": Parameter, "module": Module}[kind]
            if not isinstance(value, expected):
                raise TypeError(
                    f"{type(self).__name__}.{name} is a {kind}: expected a {expected.__name__} or None, "
                    f"got {type(value).__name__}; use del to make the name free"
                )
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        """Forget the attribute, and that it was a part."""
        object.__delattr__(self, name)
        self._kinds.pop(name, None)

    def __getattr__(self, name: str) -> Any:
        """Fail helpfully: Python comes here only when there is no attribute of that name."""
        if "_kinds" not in vars(self) and not name.startswith("__"):
            raise AttributeError(
                f"{type(self).__name__}.{name}: call super().__init__() before using the module"
            )
        near = get_close_matches(name, [known for known in dir(self) if not known.startswith("_")])
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}{hint}")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Make `param` a part; None declares one that is absent."""
        self._register_new(name, param, "parameter", Parameter)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Make `tensor` a part that moves with the module, is saved if persistent, and is not trained."""
        self._register_new(name, tensor, "buffer" if persistent else "transient buffer", Tensor)

    def register_module(self, name: str, module: "Module | None") -> None:
        """Make `module` a part under a name that is computed."""
        self._register_new(name, module, "module", Module)

    add_module = register_module

    def _register_new(self, name: str, value: Any, kind: str, expected: type) -> None:
        owner = type(self).__name__
        if value is not None and not isinstance(value, expected):
            came = type(value).__name__
            raise TypeError(f"{owner}: the {kind} {name!r} must be a {expected.__name__} or None, got {came}")
        if hasattr(type(self), name) or (name in vars(self) and self._kinds.get(name) != kind):
            raise ValueError(f"{owner} already has an attribute {name!r}; choose another name for the {kind}")
        self._register(name, kind)
        setattr(self, name, value)

    def _register(self, name: str, kind: str) -> None:
        owner = type(self).__name__
        if "_kinds" not in vars(self):
            raise AttributeError(f"{owner}.{name}: call super().__init__() before assigning a {kind}")
        if not name or "." in name:
            raise ValueError(f"{owner}: {name!r} cannot name a {kind}; expected a name without dots")
        self._kinds[name] = kind

    def _refuse_cycle(self, name: str, child: "Module") -> None:
        for path, module in child.named_modules(prefix=name):
            if module is self:
                raise ValueError(
                    f"{type(self).__name__}.{name}: a module cannot contain itself, and {path} is this one; "
                    "to refer to it, keep it out of the tree, say in a tuple"
                )

    # -------------------------------------------------------------------------------- walks

    def _parts(self, *kinds: str) -> Iterator[tuple[str, Any]]:
        """(name, part) of the parts of these kinds that are present, in the order of assignment."""
        values = vars(self)
        return ((n, values[n]) for n, kind in self._kinds.items() if kind in kinds and values[n] is not None)

    def named_modules(
        self, memo: "set[Module] | None" = None, prefix: str = "", remove_duplicate: bool = True
    ) -> "Iterator[tuple[str, Module]]":
        """(path, module) of this module, whose path is `prefix`, and of all below it, parents first."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._parts("module"):
            yield from child.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(path, parameter) of the whole tree; a parameter that is tied comes once, under its first path."""
        return self._named_tensors(("parameter",), prefix, recurse, remove_duplicate)

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(path, buffer) of the whole tree."""
        return self._named_tensors(("buffer", "transient buffer"), prefix, recurse, remove_duplicate)

    def _named_tensors(
        self, kinds: tuple[str, ...], prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        found = self.named_modules(None, prefix, remove_duplicate) if recurse else [(prefix, self)]
        seen: set[Tensor] = set()
        for path, module in found:
            for name, tensor in module._parts(*kinds):  # noqa: SLF001 (one module asks another)
                if not (remove_duplicate and tensor in seen):
                    seen.add(tensor)
                    yield f"{path}.{name}" if path else name, tensor

    def named_children(self) -> "Iterator[tuple[str, Module]]":
        """(name, module) of the modules directly below, each once."""
        seen: set[Module] = set()
        for name, child in self._parts("module"):
            if child not in seen:
                seen.add(child)
                yield name, child

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Every parameter of the tree once: what an optimiser takes."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Every buffer of the tree once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def modules(self) -> "Iterator[Module]":
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def children(self) -> "Iterator[Module]":
        """The modules directly below, each once."""
        return (child for _, child in self.named_children())

    def get_submodule(self, target: str) -> "Module":
        """The module at a path such as "encoder.lstm"; "" is this one."""
        module = self
        for name in target.split(".") if target else ():
            found = dict(module._parts("module"))
            if name not in found:
                raise AttributeError(
                    f"get_submodule(): no {name!r} on the way to {target!r}, only {list(found)}"
                )
            module = found[name]
        return module

    # -------------------------------------------------------------------------------- saving, loading

    def state_dict(
        self, *, destination: dict[str, Tensor] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Tensor]:
        """Every parameter and persistent buffer by path, detached, sharing memory with the module.

        A tied parameter comes under each of its paths, as in PyTorch. `keep_vars=True` gives the parameters
        themselves.
        """
        state = {} if destination is None else destination
        for name, tensor in chain(self._parts("parameter"), self._parts("buffer")):
            state[prefix + name] = tensor if keep_vars else tensor.detach()
        for name, child in self._parts("module"):
            child.state_dict(destination=state, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy values (Tensors or arrays, by path) into the module.

        All is checked before anything is written. One RuntimeError lists every value of a wrong shape or
        kind, and, if strict, every missing and every unexpected key; else those are returned.
        """
        if not hasattr(state_dict, "keys"):
            came = type(state_dict).__name__
            raise TypeError(f"load_state_dict(): expected a dict of tensors by path, got {came}")
        own = self.state_dict(keep_vars=True)
        missing = [key for key in own if key not in state_dict]
        unexpected = [key for key in state_dict if key not in own]
        shared = [key for key in own if key in state_dict]
        problems = [problem for key in shared if (problem := _mismatch(key, state_dict[key], own[key]))]
        if strict:
            problems += [f"missing key {key}: expected shape {own[key].shape}" for key in missing]
            problems += [f"unexpected key {key}" for key in unexpected]
        if problems:
            listed = "\n  ".join(problems)
            raise RuntimeError(
                f"load_state_dict(): not a state of this {type(self).__name__}, nothing loaded:\n  {listed}"
            )
        with no_grad():
            for key in shared:
                own[key].copy_(state_dict[key])
        return IncompatibleKeys(missing, unexpected)

    # -------------------------------------------------------------------------------- changing the tree

    def apply(self, fn: "Callable[[Module], Any]") -> Self:
        """Call `fn` on every module of the tree, children first. Returns self."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set the mode of the whole tree: layers such as Dropout act in training only. Returns self."""
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self) -> Self:
        """Set evaluation mode: the same as `train(False)`. Returns self."""
        return self.train(mode=False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let every parameter ask for a gradient, or none: `requires_grad_(False)` freezes. Returns self."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget every gradient; with `set_to_none=False` fill it with zeros instead."""
        for parameter in self.parameters():
            if parameter.grad is not None:
                parameter.grad = None if set_to_none else parameter.grad.detach().zero_()

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Move everything to a device, or its floating-point tensors to a dtype: arguments as in `Tensor.to`.

        The Parameter objects stay the same, so that an optimiser which holds them goes on. Returns self.
        """
        for tensor in chain(self.parameters(), self.buffers()):
            moved = tensor.detach().to(*args, **kwargs)
            tensor.data = moved if tensor.is_floating_point() else tensor.detach().to(moved.device)
            if tensor.grad is not None:
                tensor.grad = tensor.grad.to(*args, **kwargs)
        return self

    def float(self) -> Self:
        """Turn floating-point parameters and buffers into float32."""
        return self.to(float32)

    def double(self) -> Self:
        """Turn floating-point parameters and buffers into float64."""
        return self.to(float64)

    def half(self) -> Self:
        """Turn floating-point parameters and buffers into float16."""
        return self.to(float16)

    # -------------------------------------------------------------------------------- printing

    def extra_repr(self) -> str:
        """What a layer says of itself between the brackets of its repr."""
        return ""

    def __repr__(self) -> str:
        """The tree, one module a line, in PyTorch's form."""
        extra = self.extra_repr()
        lines = [f"({name}): {child!r}".replace("\n", "\n  ") for name, child in self._parts("module")]
        if not lines:
            return f"{type(self).__name__}({extra})"
        return "\n  ".join([f"{type(self).__name__}(", *([extra] if extra else []), *lines]) + "\n)"


class _Outermost(threading.local):
    """The module within whose call others run, in this thread, while a graph is traced."""

    module: Module | None = None


_outermost = _Outermost()


def _mismatch(key: str, value: Any, own: Tensor) -> str | None:
    """What keeps `value` from being copied into `own`, or None."""
    if not (isinstance(value, Tensor) or is_array(value)):
        return f"{key}: expected a Tensor or an array, got {type(value).__name__}"
    if value.shape != own.shape:
        return f"{key}: shape {value.shape}, expected {own.shape}"
    if (value.dtype.kind == "f") != (own.dtype.kind == "f"):
        return f"{key}: dtype {value.dtype}, expected {own.dtype}"
    return None
