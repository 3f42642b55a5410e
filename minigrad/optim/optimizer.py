"""What all optimisers share: groups of parameters, their options, their state, and errors for bad input."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from minigrad.backend import NAMESPACES, device_of, namespace, to_device
from minigrad.errors import DeviceError, DTypeError, ShapeError
from minigrad.modes import enable_grad
from minigrad.tensor import RemovableHandle, Tensor

Group: TypeAlias = dict[str, Any]  # {"params": [...], "lr": 0.1, ...}
Params: TypeAlias = Iterable[Tensor] | Iterable[Group]

NOT_NEGATIVE = (  # options that are numbers from 0 on, whichever optimiser has them
    *("lr", "eps", "momentum", "weight_decay", "momentum_decay", "lr_decay", "initial_accumulator_value"),
    *("alpha", "lambd", "t0", "tolerance_grad", "tolerance_change"),
)
WAYS = ("foreach", "fused", "capturable", "differentiable")  # PyTorch's choices of how to compute a step


class Optimizer:
    """The base of all optimisers; a subclass says in `update_group` how parameters move.

    params     tensors, or pairs (name, tensor) such as `model.named_parameters()`, or dicts
               {"params": tensors, "lr": ..., ...}, each a group with options of its own
    defaults   the options of a group that does not set them

    state      what is remembered about each parameter: {parameter: {"step": 3, "exp_avg": Tensor, ...}};
               one that is asked for and not there is {}

    Raises TypeError for what is not a tensor; ValueError for an empty list, a parameter given twice, a
    tensor that is the result of an operation, and an option out of range.
    """

    def __init__(self, params: Params, defaults: Group) -> None:
        name = type(self).__name__
        if isinstance(params, Tensor | Mapping) or not isinstance(params, Iterable):
            remedy = "put it in a list" if isinstance(params, Tensor | Mapping) else "pass its .parameters()"
            kind = type(params).__name__
            raise TypeError(f"{name}(): params — got a {kind}, expected an iterable of tensors; {remedy}")
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError(f"{name}(): params — got an empty list; is there a model without parameters?")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        self.defaults = defaults
        self._pre_hooks: dict[int, Callable[..., None]] = {}
        self._post_hooks: dict[int, Callable[..., None]] = {}
        kinds = ("save_pre", "save_post", "load_pre", "load_post")
        self._state_hooks: dict[str, dict[int, Callable[..., Any]]] = {kind: {} for kind in kinds}
        self.state: dict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[Group] = []
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, param_group: Group) -> None:
        """Take in more parameters: {"params": tensors}, and options that differ from the defaults.

        Names that come with the tensors are kept beside them, as "param_names".
        """
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
        names = [entry[0] for entry in params if isinstance(entry, tuple)]
        if names:
            if len(names) < len(params):
                raise ValueError(f"{name}(): params — got {len(names)} names for {len(params)} parameters")
            param_group, params = {**param_group, "param_names": names}, [entry[1] for entry in params]
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
        for option in NOT_NEGATIVE:
            self.expect(0 <= group.get(option, 0.0) < math.inf, group, option, "a number >= 0")
        for position, beta in enumerate(group.get("betas", ())):
            self.expect(0 <= beta < 1, {f"betas[{position}]": beta}, f"betas[{position}]", "0 <= beta < 1")

    def expect(self, condition: bool, group: Group, option: str, expected: str) -> None:
        """Raise ValueError with the value of an option in `group`, if the condition does not hold."""
        if not condition:
            raise ValueError(
                f"{type(self).__name__}(): {option} — got {group[option]!r}, expected {expected}"
            )

    # -------------------------------------------------------------------------------- a step

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient.  With a `closure` that computes the loss, returns it."""
        arguments = () if closure is None else (closure,)
        for hook in tuple(self._pre_hooks.values()):
            hook(self, arguments, {})
        if len(NAMESPACES) > 1:
            self._follow()
        loss = self.take_step(closure)
        for hook in tuple(self._post_hooks.values()):
            hook(self, arguments, {})
        return loss

    def take_step(self, closure: Callable[[], Any] | None) -> Any:
        """The step itself, without the hooks."""
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

    def register_step_pre_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` before each step; the returned handle has `remove()`."""
        return RemovableHandle(self._pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` after each step; the returned handle has `remove()`."""
        return RemovableHandle(self._post_hooks, hook)

    # -------------------------------------------------------------------------------- saving and loading

    def numbers(self, group: Group) -> dict[str, float]:
        """The numbers that are remembered for a parameter, and what each is at first."""
        return {}

    def shapes(self, param: Tensor, group: Group) -> dict[str, tuple[int, ...]]:
        """The names and shapes of the arrays that are remembered for a parameter."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """PyTorch's structure: {"state": {number: {...}}, "param_groups": [{..., "params": [numbers]}]}.

        Parameters are numbered in order.  The tensors in it are the optimiser's own, not copies.
        """
        for pre_hook in tuple(self._state_hooks["save_pre"].values()):
            pre_hook(self)
        numbers = {param: number for number, param in enumerate(self._params())}
        groups = [
            {**group, "params": [numbers[param] for param in group["params"]]} for group in self.param_groups
        ]
        state = {numbers[p]: self.save_entry(entry) for p, entry in self.state.items() if p in numbers}
        saved = {"state": {number: state[number] for number in sorted(state)}, "param_groups": groups}
        for hook in tuple(self._state_hooks["save_post"].values()):
            saved = hook(self, saved) or saved
        return saved

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from what `state_dict()` returned.  It is copied; an error leaves all as it was."""
        name = f"{type(self).__name__}.load_state_dict()"
        state_dict = dict(state_dict)
        for pre_hook in tuple(self._state_hooks["load_pre"].values()):
            state_dict = pre_hook(self, state_dict) or state_dict
        if not {"state", "param_groups"} <= set(state_dict):
            raise ValueError(f"{name}: got keys {list(state_dict)[:9]}, expected 'state' and 'param_groups'")
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
        state: dict[Tensor, dict[str, Any]] = defaultdict(dict)
        for group, new in zip(groups, saved, strict=True):
            for number, param in zip(new["params"], group["params"], strict=True):
                if number in state_dict["state"]:
                    entry, place = state_dict["state"][number], f"{name}: state[{number}]"
                    state[param] = self.load_entry(param, entry, group, place)
        self.state, self.param_groups = state, groups
        for hook in tuple(self._state_hooks["load_post"].values()):
            hook(self)

    def register_state_dict_pre_hook(
        self, hook: Callable[..., None], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(optimizer)` before `state_dict`; `prepend` puts it before the others."""
        return RemovableHandle(self._state_hooks["save_pre"], hook, prepend=prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` after saving; what it returns, if anything, is the state."""
        return RemovableHandle(self._state_hooks["save_post"], hook, prepend=prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` before loading; what it returns, if anything, is loaded."""
        return RemovableHandle(self._state_hooks["load_pre"], hook, prepend=prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[..., None], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(optimizer)` when all is loaded."""
        return RemovableHandle(self._state_hooks["load_post"], hook, prepend=prepend)

    def save_entry(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """One parameter's state, as it is saved."""
        return dict(entry)

    def load_entry(self, param: Tensor, entry: Mapping[str, Any], group: Group, place: str) -> dict[str, Any]:
        """A copy of one parameter's state, which must be complete and of the parameter's type."""
        numbers, shapes = self.numbers(group), self.shapes(param, group)
        for name in (*numbers, *shapes) if entry else ():
            if name not in entry:
                raise ValueError(f"{place} has no {name!r}; was it saved by {type(self).__name__}?")
        loaded: dict[str, Any] = {}
        for key, value in entry.items():
            if key in numbers:
                loaded[key] = type(numbers[key])(value)  # a tensor in PyTorch
            elif key in shapes or isinstance(value, Tensor):
                loaded[key] = copied(value, param, f"{place}[{key!r}]")
                if loaded[key].shape != shapes.get(key, value.shape):
                    raise ShapeError(f"{place}[{key!r}]: got shape {value.shape}, expected {shapes[key]}")
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
        if type(g) is not type(p) and device_of(g) != device_of(p):
            raise DeviceError(
                f"{name}.step(): got a gradient on {device_of(g)} for a parameter on {device_of(p)}; "
                "move the model before the backward pass"
            )

    def _follow(self) -> None:
        """Move what is remembered of a parameter to where it is now, as after `model.cuda()`."""
        for param, entry in self.state.items():
            place = device_of(param.array)
            for name, value in entry.items():
                if isinstance(value, Tensor | list):
                    entry[name] = _beside(value, place)

    def _params(self) -> list[Tensor]:
        """The parameters of all groups, in order."""
        return [param for group in self.param_groups for param in group["params"]]

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {number}")
            lines += [f"    {key}: {value}" for key, value in sorted(group.items()) if key != "params"]
        return "\n".join([*lines, ")"])


def check_ways(caller: str, ways: Mapping[str, Any]) -> None:
    """Accept PyTorch's choices of how to compute a step: there is one way here, and the numbers are the same.

    TypeError for another name; NotImplementedError for `differentiable=True`, since a step is not recorded.
    """
    for way, wanted in ways.items():
        if way not in WAYS:
            raise TypeError(f"{caller}(): got an unexpected argument {way!r}")
        if way == "differentiable" and wanted:
            raise NotImplementedError(
                f"{caller}(): differentiable=True is not supported, a step is not recorded; write the update "
                "in operations of tensors instead"
            )


def _beside(value: Any, place: str) -> Any:
    """A tensor, or a list of them or of numbers, on a device: itself if it is there."""
    if isinstance(value, list):
        return [_beside(each, place) for each in value]
    if not isinstance(value, Tensor) or device_of(value.array) == place:
        return value
    return Tensor(to_device(value.array, place))


def copied(value: Any, param: Tensor, place: str) -> Tensor:
    """A copy of a tensor of a state, row after row, beside its parameter, whose type it must have."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{place}: got a {type(value).__name__}, expected a Tensor; use minigrad.tensor(...)")
    if value.dtype != param.dtype:
        raise DTypeError(f"{place}: got {value.dtype}, expected {param.dtype}; convert it with .to(...)")
    array = to_device(value.array, device_of(param.array))
    return Tensor(namespace(array).array(array, order="C"))
