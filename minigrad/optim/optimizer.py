"""What all optimisers share: groups of parameters, their options, their state, and errors for bad input."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from minigrad.backend import namespace, to_numpy
from minigrad.errors import DTypeError, ShapeError
from minigrad.modes import enable_grad
from minigrad.tensor import Tensor

Group: TypeAlias = dict[str, Any]  # {"params": [...], "lr": 0.1, ...}
Params: TypeAlias = Iterable[Tensor] | Iterable[Group]


class Optimizer:
    """The base of all optimisers; a subclass says in `update_group` how parameters move.

    params     tensors, or dicts {"params": tensors, "lr": ..., ...}, each a group with options of its own
    defaults   the options of a group that does not set them

    state      what is remembered about each parameter: {parameter: {"step": 3, "exp_avg": Tensor, ...}}

    Raises TypeError for what is not a tensor; ValueError for an empty list, a parameter given twice, a
    tensor that is the result of an operation, and an option out of range.
    """

    def __init__(self, params: Params, defaults: Group) -> None:
        name = type(self).__name__
        if isinstance(params, Tensor | Mapping):
            kind = type(params).__name__
            raise TypeError(
                f"{name}(): params — got a {kind}, expected an iterable of tensors; put it in a list"
            )
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError(f"{name}(): params — got an empty list; is there a model without parameters?")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        self.defaults = defaults
        self.state: dict[Tensor, dict[str, Any]] = {}
        self.param_groups: list[Group] = []
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, param_group: Group) -> None:
        """Take in more parameters: {"params": tensors}, and options that differ from the defaults."""
        name = type(self).__name__
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise TypeError(
                f"{name}(): params — got a group {param_group!r}"[:200]
                + ', expected {"params": tensors, ...}'
            )
        given = param_group["params"]
        if isinstance(given, set):
            raise TypeError(f"{name}(): params — got a set, which has no order; pass a list")
        params = [given] if isinstance(given, Tensor) else list(given)
        if not params:
            raise ValueError(f"{name}(): params — got an empty list in a group; leave the group out")
        known = {param for group in self.param_groups for param in group["params"]}
        for position, param in enumerate(params):
            if not isinstance(param, Tensor):
                raise TypeError(
                    f"{name}(): params[{position}] — got a {type(param).__name__}, expected a tensor; "
                    "pass model.parameters()"
                )
            if not param.is_leaf:
                raise ValueError(
                    f"{name}(): params[{position}] — got a non-leaf tensor of shape {param.shape}, the "
                    "result of an operation; pass the tensor it was made from, or .detach() it first"
                )
            if param in known:
                raise ValueError(
                    f"{name}(): params[{position}] — the parameter of shape {param.shape} appears twice; "
                    "give each parameter once"
                )
            known.add(param)
        group = {**self.defaults, **param_group, "params": params}
        self.check_options(group)
        self.param_groups.append(group)

    def check_options(self, group: Group) -> None:
        """Raise ValueError for an option out of range; a subclass adds those that are its own."""
        for option in ("lr", "eps", "momentum", "weight_decay"):
            value = group.get(option, 0.0)
            if not 0 <= value < math.inf:
                raise ValueError(f"{type(self).__name__}(): {option} — got {value!r}, expected a number >= 0")
        for position, beta in enumerate(group.get("betas", ())):
            if not 0 <= beta < 1:
                raise ValueError(
                    f"{type(self).__name__}(): betas[{position}] — got {beta!r}, expected 0 <= beta < 1"
                )

    # -------------------------------------------------------------------------------- a step

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient.  With a `closure` that computes the loss, returns it."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for param in self._params():
            self._check_gradient(param)  # of all, before the first moves
        for index, group in enumerate(self.param_groups):
            self.update_group(index, group)
        return loss

    def update_group(self, index: int, group: Group) -> None:
        """Move the parameters of one group, the `index`-th."""
        raise NotImplementedError(
            f"{type(self).__name__} does not say how parameters move: define update_group"
        )

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients; or, with set_to_none=False, fill the arrays that hold them with zeros."""
        for group in self.param_groups:
            for param in group["params"]:
                if set_to_none:
                    param.grad = None
                elif param.grad is not None:
                    param.grad = param.grad.detach()
                    param.grad.array[...] = 0
                    param.grad.bump_version()

    # -------------------------------------------------------------------------------- saving and loading

    def state_dict(self) -> dict[str, Any]:
        """PyTorch's structure: {"state": {number: {...}}, "param_groups": [{..., "params": [numbers]}]}.

        Parameters are numbered in order.  The tensors in it are the optimiser's own, not copies.
        """
        numbers = {param: number for number, param in enumerate(self._params())}
        groups = [
            {**group, "params": [numbers[param] for param in group["params"]]} for group in self.param_groups
        ]
        state = {numbers[param]: dict(entry) for param, entry in self.state.items() if param in numbers}
        return {"state": {number: state[number] for number in sorted(state)}, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from what `state_dict()` returned.  It is copied; an error leaves all as it was."""
        name = f"{type(self).__name__}.load_state_dict()"
        saved = state_dict["param_groups"]
        came, expected = [[len(group["params"]) for group in groups] for groups in (saved, self.param_groups)]
        if came != expected:
            raise ValueError(
                f"{name}: got groups of {came} parameters, expected {expected}; build the optimiser with the "
                "same model and groups before loading"
            )
        numbers = [number for group in saved for number in group["params"]]
        unknown = set(state_dict["state"]) - set(numbers)
        if unknown:
            raise ValueError(f"{name}: got state for parameters {sorted(unknown)} that are in no group")
        groups = [
            {**group, **new, "params": group["params"]}
            for group, new in zip(self.param_groups, saved, strict=True)
        ]
        for group in groups:
            self.check_options(group)
        state = {}
        for group, new in zip(groups, saved, strict=True):
            for number, param in zip(new["params"], group["params"], strict=True):
                if number in state_dict["state"]:
                    entry, place = state_dict["state"][number], f"{name}: state[{number}]"
                    state[param] = self.load_entry(param, entry, group, place)
        self.state, self.param_groups = state, groups

    def load_entry(
        self,
        param: Tensor,
        entry: Mapping[str, Any],
        group: Group,  # noqa: ARG002 (tells a subclass what there must be)
        place: str,
    ) -> dict[str, Any]:
        """A copy of one parameter's state; DTypeError if a tensor in it is of another type."""
        loaded: dict[str, Any] = {}
        for key, value in entry.items():
            if key == "step":
                loaded[key] = int(value)  # a tensor in PyTorch
            elif isinstance(value, Tensor):
                if value.dtype != param.dtype:
                    raise DTypeError(f"{place}[{key!r}]: got {value.dtype}, expected {param.dtype}")
                xp = namespace(param.array)
                array = value.array if namespace(value.array) is xp else to_numpy(value.array)
                loaded[key] = Tensor(xp.array(array, order="C"))
            else:
                loaded[key] = value
        return loaded

    def _check_gradient(self, param: Tensor) -> None:
        """A gradient must have the shape and type of its parameter."""
        if param.grad is None:
            return
        g, p, name = param.grad.array, param.array, type(self).__name__
        if g.shape != p.shape:
            raise ShapeError(f"{name}.step(): got a gradient of shape {g.shape}, expected {p.shape}")
        if g.dtype != p.dtype:
            raise DTypeError(f"{name}.step(): got a gradient of {g.dtype}, expected {p.dtype}")

    def _params(self) -> list[Tensor]:
        """The parameters of all groups, in order."""
        return [param for group in self.param_groups for param in group["params"]]

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {number}")
            lines += [f"    {key}: {value}" for key, value in sorted(group.items()) if key != "params"]
        return "\n".join([*lines, ")"])
