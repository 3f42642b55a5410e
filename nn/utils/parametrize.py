"""Parametrisation: a weight that is computed, whenever it is read, from other tensors, which are trained.

    X = f_n(... f_2(f_1(original)))

A parametrisation f is a Module whose forward gives the weight.  Where it has a method right_inverse, that
finds an original for a weight, f(right_inverse(X)) = X, so that a weight can be assigned.  With several
originals, right_inverse returns a tuple, and forward takes as many arguments.  The state of the layer then
holds `parametrizations.weight.original`, or `original0`, `original1`, ..., in the place of `weight`.

>>> from minigrad.nn import Linear, Module
>>> class Symmetric(Module):
...     def forward(self, X):
...         return X.triu() + X.triu(1).T
>>> layer = register_parametrization(Linear(3, 3, bias=False), "weight", Symmetric())
>>> (layer.weight == layer.weight.T).all().item(), list(layer.state_dict())
(True, ['parametrizations.weight.original'])
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from minigrad.errors import DTypeError, ShapeError
from minigrad.modes import no_grad
from minigrad.nn.container import ModuleDict, counted
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "type_before_parametrizations",
]


class ParametrizationList(Module):
    """The parametrisations of one tensor, by the names "0", "1", ..., and its original or originals.

    A single original is the very Parameter (or buffer) that was the tensor, so that an optimiser which holds
    it goes on; several originals are new.
    """

    def __init__(self, first: Module, tensor: Tensor) -> None:
        super().__init__()
        self._count = 0
        self.append(first)
        with no_grad():
            found = _original(first, tensor)
        self.is_tensor = isinstance(found, Tensor)
        if self.is_tensor:
            tensor.data = found.detach()
            _hold(self, "original", tensor)
        for number, part in enumerate(() if self.is_tensor else found):
            _hold(self, f"original{number}", _like(tensor, part))

    def append(self, step: Module) -> None:
        """Put a parametrisation behind the others."""
        self.register_module(str(self._count), step)
        self._count += 1

    def _steps(self) -> list[Module]:
        return [vars(self)[str(number)] for number in range(self._count)]

    def originals(self) -> list[Tensor]:
        """The tensors from which the value is computed."""
        return [part for name, part in vars(self).items() if name.startswith("original")]

    def forward(self) -> Tensor:
        first, *others = self._steps()
        value = first(*self.originals())
        for step in others:
            value = step(value)
        return value

    def __repr__(self) -> str:
        return counted(self, self._steps())

    def right_inverse(self, value: Tensor) -> None:
        """Write into the originals what gives this value."""
        with no_grad():
            found: Any = value
            for step in reversed(self._steps()):
                if not hasattr(step, "right_inverse"):
                    raise RuntimeError(
                        f"a weight with the parametrisation {type(step).__name__} cannot be assigned, since "
                        "that has no right_inverse; write to the originals, or define one"
                    )
                found = step.right_inverse(found)
            parts = (found,) if self.is_tensor else found
            for original, part in zip(self.originals(), parts, strict=True):
                original.copy_(part)


def _original(step: Module, tensor: Tensor) -> Any:
    """What a parametrisation is given so that it gives `tensor`; where it cannot say, the tensor itself."""
    if not hasattr(step, "right_inverse"):
        return tensor
    try:
        return step.right_inverse(tensor)
    except NotImplementedError:
        return tensor


def _like(tensor: Tensor, value: Tensor) -> Tensor:
    """A tensor of this value: a Parameter if `tensor` is one."""
    return Parameter(value, tensor.requires_grad) if isinstance(tensor, Parameter) else value.detach()


def _hold(owner: Module, name: str, tensor: Tensor) -> None:
    """Make a Parameter, or a buffer, part of a module."""
    if isinstance(tensor, Parameter):
        owner.register_parameter(name, tensor)
    else:
        owner.register_buffer(name, tensor)


# ------------------------------------------------------------------------------------------- the layer


class _Parametrized:
    """What the class of a layer is given: a parametrised name is computed when it is read."""

    parametrizations: ModuleDict

    def __getattr__(self, name: str) -> Any:
        if name not in vars(self).get("parametrizations", ()):
            return super().__getattr__(name)  # type: ignore[misc]
        if _cache.values is None:
            return self.parametrizations[name]()
        key = (id(self), name)
        if key not in _cache.values:
            _cache.values[key] = self.parametrizations[name]()
        return _cache.values[key]

    def __setattr__(self, name: str, value: Any) -> None:
        if name in vars(self).get("parametrizations", ()):
            self.parametrizations[name].right_inverse(value)
        else:
            super().__setattr__(name, value)


@cache
def _parametrized(kind: Any) -> Any:
    """The class of a layer of this kind some of whose weights are computed."""
    return type(f"Parametrized{kind.__name__}", (_Parametrized, kind), {"__module__": kind.__module__})


class _Cache(threading.local):
    """The values computed within `cached()`, by layer and name, in this thread."""

    values: dict[tuple[int, str], Tensor] | None = None


_cache = _Cache()


@contextmanager
def cached() -> Iterator[None]:
    """Within this block each parametrised weight is computed once, such as a recurrent one for all steps."""
    outer = _cache.values
    _cache.values = {} if outer is None else outer
    try:
        yield
    finally:
        _cache.values = outer


# ------------------------------------------------------------------------------------------ there and back


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Has the module a parametrised weight, or one of this name?"""
    if not isinstance(module, _Parametrized):
        return False
    return tensor_name is None or tensor_name in module.parametrizations


def type_before_parametrizations(module: Module) -> type:
    """The class that the module had before any of its weights was parametrised."""
    return type(module).__bases__[1] if is_parametrized(module) else type(module)


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Let a parameter or buffer of `module` be computed by `parametrization`, behind those it has already.

    unsafe: the value may have another shape and another type than the tensor. Returns the module.
    """
    parametrization.train(module.training)
    known = is_parametrized(module, tensor_name)
    own = dict([*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)])
    if not known and tensor_name not in own:
        raise ValueError(
            f"register_parametrization(): {type(module).__name__} has no parameter or buffer "
            f"{tensor_name!r}, only {list(own)}"
        )
    tensor = getattr(module, tensor_name)
    if not unsafe:
        _check(parametrization, tensor, inverse=not known)
    if known:
        module.parametrizations[tensor_name].append(parametrization)
        return module
    steps = ParametrizationList(parametrization, tensor)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        module.parametrizations = ModuleDict()
        kind: Any = type(module)
        module.__class__ = _parametrized(kind)
    module.parametrizations[tensor_name] = steps
    return module


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make a computed weight a parameter, or buffer, again; returns the module.

    leave_parametrized: it keeps its value; False gives it the value of its one original.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(
            f"remove_parametrizations(): {type(module).__name__} has no parametrisation of {tensor_name!r}"
        )
    steps = module.parametrizations[tensor_name]
    original, *others = steps.originals()
    if others and not leave_parametrized:
        raise ValueError(
            f"remove_parametrizations(): {tensor_name!r} has {1 + len(others)} originals, of which none can "
            "take its place; leave out leave_parametrized=False"
        )
    with no_grad():
        value = steps() if leave_parametrized else original
    tensor = original if steps.is_tensor else _like(original, value)
    tensor.data = value.detach()
    before: Any = type_before_parametrizations(module)
    del module.parametrizations[tensor_name]
    if not module.parametrizations:
        del module.parametrizations
        module.__class__ = before
    _hold(module, tensor_name, tensor)
    return module


def _check(parametrization: Module, tensor: Tensor, *, inverse: bool) -> None:
    """An error if the value would have another shape or type than the tensor."""
    with no_grad():
        found = _original(parametrization, tensor) if inverse else tensor
        value = parametrization(*((found,) if isinstance(found, Tensor) else found))
    name = type(parametrization).__name__
    if not isinstance(value, Tensor):
        raise TypeError(f"{name}: forward returned {type(value).__name__}, expected a Tensor")
    if value.shape != tensor.shape:
        raise ShapeError(
            f"{name}: the value has shape {value.shape}, expected that of the tensor, {tensor.shape}; "
            "register_parametrization(unsafe=True) allows it"
        )
    if value.dtype != tensor.dtype:
        raise DTypeError(
            f"{name}: the value has type {value.dtype}, expected that of the tensor, {tensor.dtype}; "
            "register_parametrization(unsafe=True) allows it"
        )
