"""The state of a module: every parameter and persistent buffer by path, taken out and put back."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

from minigrad.backend import is_array
from minigrad.creation import as_tensor
from minigrad.modes import no_grad
from minigrad.tensor import RemovableHandle, Tensor

from .parameter import Parameter
from .tree import Tree

EXTRA = "_extra_state"  # PyTorch's key for what is no tensor


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict(strict=False)` left aside."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class StateHooks:
    """The hooks around the saving and the loading of one module."""

    def __init__(self) -> None:
        self.save_pre: dict[int, Callable[..., Any]] = {}
        self.save_post: dict[int, Callable[..., Any]] = {}
        self.load_pre: dict[int, Callable[..., Any]] = {}
        self.load_post: dict[int, Callable[..., Any]] = {}


class Place(NamedTuple):
    """Where a value of a state belongs: to the parameter or buffer `own`, or, without one, to extra state."""

    module: Any
    name: str
    own: Tensor | None

    def load(self, value: Any, *, assign: bool) -> None:
        """Put a value there."""
        if self.own is None:
            self.module.set_extra_state(value)
        elif not assign:
            with no_grad():
                self.own.copy_(value)
        elif isinstance(self.own, Parameter):
            made = value if isinstance(value, Parameter) else Parameter(as_tensor(value))
            setattr(self.module, self.name, made.requires_grad_(self.own.requires_grad))
        else:
            setattr(self.module, self.name, as_tensor(value))


class State(Tree):
    """What a Module saves and loads."""

    _state_hooks = StateHooks()  # of all modules that have none; the first one registered makes their own

    # -------------------------------------------------------------------------------- saving

    def state_dict(
        self, *, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """Every parameter and persistent buffer by path, detached, sharing memory with the module.

        A tied parameter comes under each of its paths, as in PyTorch. `keep_vars=True` gives the parameters
        themselves.
        """
        state = {} if destination is None else destination
        for pre_hook in list(self._state_hooks.save_pre.values()):
            pre_hook(self, prefix, keep_vars)
        for name, tensor in chain(self._parts("parameter"), self._parts("buffer")):
            state[prefix + name] = tensor if keep_vars else tensor.detach()
        if _has_extra(self):
            state[prefix + EXTRA] = self.get_extra_state()
        for name, child in self._parts("module"):
            child.state_dict(destination=state, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in list(self._state_hooks.save_post.values()):
            hook(self, state, prefix, {})
        return state

    def get_extra_state(self) -> Any:
        """What else belongs to the state: a subclass that has it defines this and `set_extra_state`."""
        raise RuntimeError(f"{type(self).__name__} has no get_extra_state(); define it to save more")

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` gave."""
        came = type(state).__name__
        raise RuntimeError(f"{type(self).__name__} has no set_extra_state(); define it to load this {came}")

    # -------------------------------------------------------------------------------- loading

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy values (Tensors or arrays, by path) into the module.

        All is checked before anything is written. One RuntimeError lists every value of a wrong shape or
        kind, and, if strict, every missing and every unexpected key; else those are returned. With
        `assign=True` the values become the parameters and buffers, types and memory and all.
        """
        if not hasattr(state_dict, "keys"):
            came = type(state_dict).__name__
            raise TypeError(f"load_state_dict(): expected a dict of tensors by path, got {came}")
        state = dict(state_dict)
        missing: list[str] = []
        unexpected: list[str] = []
        problems: list[str] = []
        modules = list(self.named_modules(remove_duplicate=False))
        for path, module in modules:
            prefix = f"{path}." if path else ""
            for hook in list(module._state_hooks.load_pre.values()):  # noqa: SLF001 (one module asks another)
                hook(module, state, prefix, {}, strict, missing, unexpected, problems)
        places = dict(chain.from_iterable(_places(path, module) for path, module in modules))
        missing += [key for key in places if key not in state]
        unexpected += [key for key in state if key not in places]
        shared = [key for key in places if key in state]
        problems += [problem for key in shared if (problem := _mismatch(key, state[key], places[key].own))]
        if strict:
            problems += [f"missing key {key}{_expected(places.get(key))}" for key in missing]
            problems += [f"unexpected key {key}" for key in unexpected]
        if problems:
            listed = "\n  ".join(problems)
            raise RuntimeError(
                f"load_state_dict(): not a state of this {type(self).__name__}, nothing loaded:\n  {listed}"
            )
        for key in shared:
            places[key].load(state[key], assign=assign)
        keys = IncompatibleKeys(missing, unexpected)
        for module in _children_first(self):
            for hook in list(module._state_hooks.load_post.values()):  # noqa: SLF001
                hook(module, keys)
        return keys

    # -------------------------------------------------------------------------------- hooks

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, prefix, keep_vars)` before this module writes its state."""
        return RemovableHandle(self._own_state_hooks().save_pre, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, {})` when this module has written to the dict."""
        return RemovableHandle(self._own_state_hooks().save_post, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call a hook before this module's state is read; it may change the (copied) dict and the lists.

        `hook(module, state_dict, prefix, {}, strict, missing_keys, unexpected_keys, error_msgs)`
        """
        return RemovableHandle(self._own_state_hooks().load_pre, hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, incompatible_keys)` when all is loaded."""
        return RemovableHandle(self._own_state_hooks().load_post, hook)

    def _own_state_hooks(self) -> StateHooks:
        if "_state_hooks" not in vars(self):
            self._state_hooks = StateHooks()
        return self._state_hooks


def _children_first(module: Any) -> Iterator[Any]:
    """A module and all below it, each behind its children."""
    for _, child in module._parts("module"):  # noqa: SLF001 (one module asks another)
        yield from _children_first(child)
    yield module


def _has_extra(module: State) -> bool:
    return type(module).get_extra_state is not State.get_extra_state


def _places(path: str, module: Any) -> Iterable[tuple[str, Place]]:
    """(key, place) for each value that a module itself saves."""
    prefix = f"{path}." if path else ""
    for name, tensor in chain(module._parts("parameter"), module._parts("buffer")):  # noqa: SLF001
        yield prefix + name, Place(module, name, tensor)
    if _has_extra(module):
        yield prefix + EXTRA, Place(module, EXTRA, None)


def _mismatch(key: str, value: Any, own: Tensor | None) -> str | None:
    """What keeps `value` from being loaded in the place of `own`, or None."""
    if own is None:
        return None
    if not (isinstance(value, Tensor) or is_array(value)):
        return f"{key}: expected a Tensor or an array, got {type(value).__name__}"
    if value.shape != own.shape:
        return f"{key}: shape {value.shape}, expected {own.shape}"
    if (value.dtype.kind == "f") != (own.dtype.kind == "f"):
        return f"{key}: dtype {value.dtype}, expected {own.dtype}"
    return None


def _expected(place: Place | None) -> str:
    """The shape of a value that is missing, in words."""
    return "" if place is None or place.own is None else f": expected shape {place.own.shape}"
