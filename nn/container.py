"""Containers: modules and parameters held by position or by key, each under its own path."""

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from .module import Module
from .parameter import Parameter


class _Numbered(Module):
    """Parts held in order under the names "0", "1", ...: what the three list-like containers share."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        super().__init__()
        self.extend(items)

    def append(self, item: Any) -> Self:
        """Add one part at the end; returns self."""
        setattr(self, str(len(self)), self._checked(item))
        return self

    def extend(self, items: Iterable[Any]) -> Self:
        """Add several parts at the end; returns self."""
        for item in items:
            self.append(item)
        return self

    def insert(self, index: int, item: Any) -> None:
        """Put a part before position `index`; those behind it move up by one."""
        items = list(self)
        items.insert(index, self._checked(item))
        self._renumber(items)

    def __len__(self) -> int:
        return len(self._kinds)

    def __iter__(self) -> Iterator[Any]:
        return iter([vars(self)[name] for name in self._kinds])

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._sliced(list(self._kinds)[index])
        return vars(self)[self._name_at(index)]

    def __setitem__(self, index: int, item: Any) -> None:
        setattr(self, self._name_at(index), self._checked(item))

    def __delitem__(self, index: int | slice) -> None:
        items = list(self)
        del items[index]
        self._renumber(items)

    def _checked(self, item: Any) -> Any:
        """`item` if this container can hold it."""
        if not isinstance(item, Module):
            raise TypeError(f"{type(self).__name__} holds Modules, got {type(item).__name__} {item!r}"[:200])
        return item

    def _name_at(self, index: int) -> str:
        position = operator.index(index)
        if not -len(self) <= position < len(self):
            raise IndexError(
                f"{type(self).__name__}: index {position} out of range, it holds {len(self)} parts"
            )
        return list(self._kinds)[position]

    def _sliced(self, names: list[str]) -> Self:
        return type(self)([vars(self)[name] for name in names])

    def _renumber(self, items: list[Any]) -> None:
        for name in list(self._kinds):
            delattr(self, name)
        self.extend(items)


class ModuleList(_Numbered):
    """A list of modules whose parameters belong to the module that holds the list.

    >>> from minigrad.nn import Linear, ModuleList
    >>> layers = ModuleList([Linear(2, 2) for _ in range(3)])
    >>> len(layers), sorted(layers.state_dict())[:2]
    (3, ['0.bias', '0.weight'])
    """


class Sequential(_Numbered):
    """y = fₙ(... f₂(f₁(x))): modules run one after the other, given in order or as a dict by name.

    >>> from minigrad.nn import Linear, Sequential, Tanh
    >>> Sequential(Linear(2, 3), Tanh())
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): Tanh()
    )
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        named = modules[0] if len(modules) == 1 and isinstance(modules[0], Mapping) else None
        super().__init__(() if named is not None else modules)
        for name, module in (named or {}).items():
            self.register_module(name, self._checked(module))

    def forward(self, input: Any) -> Any:
        for module in self:
            input = module(input)
        return input

    def _sliced(self, names: list[str]) -> Self:
        return type(self)({name: vars(self)[name] for name in names})


class ParameterList(_Numbered):
    """A list of parameters; a plain tensor put into it becomes one."""

    def _checked(self, item: Any) -> Parameter:
        return item if isinstance(item, Parameter) else Parameter(item)

    def __repr__(self) -> str:
        lines = [f"({i}): Parameter of shape {p.shape}, {p.dtype}" for i, p in enumerate(self)]
        return "\n  ".join(["ParameterList(", *lines]) + "\n)" if lines else "ParameterList()"


class ModuleDict(Module):
    """A dict of modules, in order of insertion, whose keys are the names in the paths of their parameters.

    >>> from minigrad.nn import Linear, ModuleDict
    >>> heads = ModuleDict({"year": Linear(4, 2), "day": Linear(4, 3)})
    >>> list(heads), heads["day"].out_features
    (['year', 'day'], 3)
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] = ()) -> None:
        super().__init__()
        self.update(modules)

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add the modules of a mapping, or of (key, module) pairs."""
        for key, module in modules.items() if isinstance(modules, Mapping) else modules:
            self[key] = module

    def pop(self, key: str) -> Module:
        """Take the module under `key` out and return it."""
        module = self[key]
        del self[key]
        return module

    def clear(self) -> None:
        """Take every module out."""
        for key in list(self._kinds):
            del self[key]

    def keys(self) -> Iterable[str]:
        """The keys in order of insertion."""
        return self._kinds.keys()

    def values(self) -> Iterable[Module]:
        """The modules in order of insertion."""
        return [vars(self)[key] for key in self._kinds]

    def items(self) -> Iterable[tuple[str, Module]]:
        """(key, module) in order of insertion."""
        return [(key, vars(self)[key]) for key in self._kinds]

    def __getitem__(self, key: str) -> Module:
        if key not in self._kinds:
            raise KeyError(f"{key!r} is not among the keys {list(self._kinds)}")
        return vars(self)[key]

    def __setitem__(self, key: str, module: Module) -> None:
        if not isinstance(module, Module):
            raise TypeError(f"ModuleDict holds Modules, got {type(module).__name__} for {key!r}")
        self.register_module(key, module)

    def __delitem__(self, key: str) -> None:
        self[key]  # a KeyError that names the keys there are
        delattr(self, key)

    def __contains__(self, key: object) -> bool:
        return key in self._kinds

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)
