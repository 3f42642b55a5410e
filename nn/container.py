"""Containers: modules and parameters held by position or by key, each under its own path."""

import operator
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Self

from minigrad.tensor import Tensor

from .module import Module
from .parameter import Parameter


class _Numbered(Module):
    """Parts held in order under the names "0", "1", ...: what the three list-like containers share."""

    def __init__(self, items: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(() if items is None else items)

    def append(self, item: Any) -> Self:
        """Add one part at the end; returns self."""
        number = len(self)
        while str(number) in self._kinds:  # a slice of a Sequential keeps the names of its modules
            number += 1
        setattr(self, str(number), self._checked(item))
        return self

    def extend(self, items: Iterable[Any]) -> Self:
        """Add several parts at the end; returns self."""
        for item in list(items):
            self.append(item)
        return self

    def insert(self, index: int, item: Any) -> Self:
        """Put a part before position `index`; those behind it move up by one. Returns self."""
        items = list(self)
        items.insert(index, self._checked(item))
        return self._renumber(items)

    def pop(self, index: int = -1) -> Any:
        """Take the part at a position out and return it; those behind it move down by one."""
        part = self[index]
        del self[index]
        return part

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

    def __add__(self, other: Iterable[Any]) -> Self:
        """The parts of both, numbered afresh."""
        return self._of([*self, *other])

    def __iadd__(self, other: Iterable[Any]) -> Self:
        return self.extend(other)

    def _of(self, items: list[Any]) -> Self:
        """Another container of this kind."""
        return type(self)(items)

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
        return self._of([vars(self)[name] for name in names])

    def _renumber(self, items: list[Any]) -> Self:
        for name in list(self._kinds):
            delattr(self, name)
        return self.extend(items)


class ModuleList(_Numbered):
    """A list of modules whose parameters belong to the module that holds the list.

    >>> from minigrad.nn import Linear, ModuleList
    >>> layers = ModuleList([Linear(2, 2) for _ in range(3)])
    >>> len(layers), sorted(layers.state_dict())[:2]
    (3, ['0.bias', '0.weight'])
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__(modules)

    def __repr__(self) -> str:
        return counted(self, self)


class Sequential(_Numbered):
    """y = fₙ(... f₂(f₁(x))): modules run one after the other, given in order or as a dict by name.

    No reference: it is the composition of functions.

    Args:
        modules: f₁, ..., fₙ.

    Shape: input that of f₁, output that of fₙ.

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

    def __mul__(self, times: int) -> Self:
        """The same modules `times` times one after the other."""
        return self._of(list(self) * _times("Sequential", times))

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Self:
        return self.extend(list(self) * (_times("Sequential", times) - 1))

    def _of(self, items: list[Any]) -> Self:
        return type(self)(*items)

    def _sliced(self, names: list[str]) -> Self:
        return type(self)({name: vars(self)[name] for name in names})


def _times(caller: str, times: int) -> int:
    """How often a container is to be repeated, at least once."""
    if operator.index(times) < 1:
        raise ValueError(f"{caller}: a product with {times}, expected a factor of at least 1")
    return operator.index(times)


class ParameterList(_Numbered):
    """A list of parameters; a plain tensor put into it becomes one."""

    def __init__(self, values: Iterable[Tensor] | None = None) -> None:
        super().__init__(values)

    def _checked(self, item: Any) -> Parameter:
        return _parameter(self, item)

    def __repr__(self) -> str:
        return _printed(self, enumerate(self))


class _Keyed(Module):
    """Parts held under names of their own, in order of insertion: what the two dict-like containers share."""

    def __init__(self, items: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__()
        self.update({} if items is None else items)

    def update(self, items: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add the parts of a mapping or of a container of this kind, or of (key, part) pairs."""
        for key, item in items.items() if isinstance(items, Mapping | _Keyed) else items:
            self[key] = item

    def pop(self, key: str) -> Any:
        """Take the part under `key` out and return it."""
        part = self[key]
        del self[key]
        return part

    def clear(self) -> None:
        """Take every part out."""
        for key in list(self._kinds):
            del self[key]

    def keys(self) -> Iterable[str]:
        """The keys in order of insertion."""
        return self._kinds.keys()

    def values(self) -> Iterable[Any]:
        """The parts in order of insertion."""
        return [vars(self)[key] for key in self._kinds]

    def items(self) -> Iterable[tuple[str, Any]]:
        """(key, part) in order of insertion."""
        return [(key, vars(self)[key]) for key in self._kinds]

    def __getitem__(self, key: str) -> Any:
        if key not in self._kinds:
            raise KeyError(f"{key!r} is not among the keys {list(self._kinds)}")
        return vars(self)[key]

    def __delitem__(self, key: str) -> None:
        self[key]  # a KeyError that names the keys there are
        delattr(self, key)

    def __contains__(self, key: object) -> bool:
        return key in self._kinds

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)


class ModuleDict(_Keyed):
    """A dict of modules, in order of insertion, whose keys are the names in the paths of their parameters.

    >>> from minigrad.nn import Linear, ModuleDict
    >>> heads = ModuleDict({"year": Linear(4, 2), "day": Linear(4, 3)})
    >>> list(heads), heads["day"].out_features
    (['year', 'day'], 3)
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__(modules)

    def __setitem__(self, key: str, module: Module) -> None:
        if not isinstance(module, Module):
            raise TypeError(f"ModuleDict holds Modules, got {type(module).__name__} for {key!r}")
        self.register_module(key, module)


class ParameterDict(_Keyed):
    """A dict of parameters, in order of insertion; a plain tensor put into it becomes one.

    >>> from minigrad import ones
    >>> from minigrad.nn import ParameterDict
    >>> list(ParameterDict({"left": ones(2), "right": ones(3)}).state_dict())
    ['left', 'right']
    """

    def __init__(self, parameters: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]] | None = None) -> None:
        super().__init__(parameters)

    @classmethod
    def fromkeys(cls, keys: Iterable[str], default: Any) -> Self:
        """A dict with the same tensor under every key."""
        return cls(dict.fromkeys(keys, default))

    def __setitem__(self, key: str, item: Any) -> None:
        self.register_parameter(key, _parameter(self, item))

    def get(self, key: str, default: Any = None) -> Any:
        """The parameter under `key`, or the default."""
        return vars(self)[key] if key in self else default

    def setdefault(self, key: str, default: Any) -> Any:
        """The parameter under `key`, which is put there if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def popitem(self) -> tuple[str, Parameter]:
        """Take out the parameter that was put in last, and its key."""
        key = next(reversed(self._kinds), "")
        return key, self.pop(key)

    def copy(self) -> Self:
        """Another dict of the same parameters."""
        return type(self)(self.items())

    def __or__(self, other: "ParameterDict") -> Self:
        """The parameters of both; those of the right one, where a key is in both."""
        return type(self)([*self.items(), *other.items()])

    def __ror__(self, other: Mapping[str, Tensor]) -> Self:
        return type(self)([*other.items(), *self.items()])

    def __ior__(self, other: "ParameterDict") -> Self:
        self.update(other.items())
        return self

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._kinds)

    def __repr__(self) -> str:
        return _printed(self, self.items())


def counted(owner: Module, parts: Iterable[Module]) -> str:
    """A list of modules, one a line; equal ones one after the other are counted, as in PyTorch."""
    lines: list[str] = []
    for text, group in groupby(enumerate(parts), key=lambda part: repr(part[1])):
        places = [place for place, _ in group]
        several = f"({places[0]}-{places[-1]}): {len(places)} x {text}"
        lines.append((f"({places[0]}): {text}" if len(places) == 1 else several).replace("\n", "\n  "))
    name = type(owner).__name__
    return "\n  ".join([f"{name}(", *lines]) + "\n)" if lines else f"{name}()"


def _parameter(owner: Module, item: Any) -> Parameter:
    """`item` as a part of a container of parameters."""
    if not isinstance(item, Tensor):
        raise TypeError(f"{type(owner).__name__} holds Parameters, got {type(item).__name__} {item!r}"[:200])
    return item if isinstance(item, Parameter) else Parameter(item)


def _printed(owner: Module, items: Iterable[tuple[Any, Parameter]]) -> str:
    """A container of parameters, one a line."""
    lines = [f"({key}): Parameter of shape {p.shape}, {p.dtype}" for key, p in items]
    name = type(owner).__name__
    return "\n  ".join([f"{name}(", *lines]) + "\n)" if lines else f"{name}()"
