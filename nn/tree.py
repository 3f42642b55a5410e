"""The tree of modules: what a part is, how it gets its name, and the walks over all of them."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, cast

from minigrad.tensor import Tensor

from .parameter import Buffer, Parameter

if TYPE_CHECKING:
    from .module import Module


class Tree:
    """What a Module knows of its parts: the Parameters, buffers and Modules among its attributes.

    A part is an attribute like any other. `_kinds` remembers which names are parts, in the order of
    assignment, and what each is: a "parameter", a "buffer" (saved but not trained), a "transient buffer" (not
    even saved) or a "module". None is a part that is absent, such as the bias of `Linear(bias=False)`.
    """

    _kinds: dict[str, str]

    # -------------------------------------------------------------------------------- attributes

    def __setattr__(self, name: str, value: Any) -> None:
        """Store the attribute; a Parameter, Buffer or Module becomes a part, and a part keeps its kind."""
        if isinstance(value, Parameter):
            self._register(name, "parameter")
        elif isinstance(value, Tree):
            self._refuse_cycle(name, value)
            self._register(name, "module")
        elif isinstance(value, Buffer):
            self._register(name, "buffer" if value.persistent else "transient buffer")
        elif value is not None and (kind := vars(self).get("_kinds", {}).get(name)):
            expected = Tensor if "buffer" in kind else {"parameter": Parameter, "module": Tree}[kind]
            if not isinstance(value, expected):
                raise TypeError(
                    f"{type(self).__name__}.{name} is a {kind}: expected a {_called(expected)} or None, "
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
        self._register_new(name, module, "module", Tree)

    add_module = register_module

    def _register_new(self, name: str, value: Any, kind: str, expected: type) -> None:
        owner = type(self).__name__
        if value is not None and not isinstance(value, expected):
            came = type(value).__name__
            raise TypeError(f"{owner}: the {kind} {name!r} must be a {_called(expected)} or None, got {came}")
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

    def _refuse_cycle(self, name: str, child: "Tree") -> None:
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
        own = cast("Module", self)
        memo = set() if memo is None else memo
        if own in memo:
            return
        if remove_duplicate:
            memo.add(own)
        yield prefix, own
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

    def modules(self, remove_duplicate: bool = True) -> "Iterator[Module]":
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules(remove_duplicate=remove_duplicate))

    def children(self) -> "Iterator[Module]":
        """The modules directly below, each once."""
        return (child for _, child in self.named_children())

    # -------------------------------------------------------------------------------- one part by its path

    def get_submodule(self, target: str) -> "Module":
        """The module at a path such as "encoder.lstm"; "" is this one."""
        module: Any = self
        for name in target.split(".") if target else ():
            found = dict(module._parts("module"))  # noqa: SLF001
            if name not in found:
                raise AttributeError(
                    f"get_submodule(): no {name!r} on the way to {target!r}, only {list(found)}"
                )
            module = found[name]
        return module

    def set_submodule(self, target: str, module: "Module", strict: bool = False) -> None:
        """Put `module` at a path; strict: in the place of one that is there."""
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        if strict:
            owner.get_submodule(name)
        owner.register_module(name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path such as "encoder.lstm.weight_hh_l0"."""
        return self._tensor_at("get_parameter", target, "parameter")

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path such as "norm.running_mean"."""
        return self._tensor_at("get_buffer", target, "buffer", "transient buffer")

    def _tensor_at(self, caller: str, target: str, *kinds: str) -> Any:
        path, _, name = target.rpartition(".")
        found = dict(self.get_submodule(path)._parts(*kinds))  # noqa: SLF001
        if name not in found:
            raise AttributeError(f"{caller}(): no {kinds[0]} {name!r} at {target!r}, only {list(found)}")
        return found[name]


def _called(expected: type) -> str:
    """What a user calls the type of a part."""
    return "Module" if expected is Tree else expected.__name__
