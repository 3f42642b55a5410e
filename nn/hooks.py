"""Hooks of a module: functions that see, and may replace, what goes into it and what comes out, both ways."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from minigrad.autograd import Function
from minigrad.modes import mode
from minigrad.tensor import Tensor


class Hook(NamedTuple):
    """A function, and how it is to be called."""

    function: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False

    def after(self, module: Any, args: tuple, kwargs: dict[str, Any], output: Any) -> Any:
        """The output of a forward that has run, or what the function gives in its place."""
        given = (args, kwargs) if self.with_kwargs else (args,)
        changed = self.function(module, *given, output)
        return output if changed is None else changed


class Hooks:
    """The hooks of one module: four lists, each in the order of calling."""

    def __init__(self) -> None:
        self.forward_pre: dict[int, Hook] = {}
        self.forward: dict[int, Hook] = {}
        self.backward_pre: dict[int, Hook] = {}
        self.backward: dict[int, Hook] = {}

    def run(self, module: Any, forward: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Any:
        """forward(*args, **kwargs), with what the hooks make of its arguments and of its output.

        If anything on the way raises, the hooks registered with `always_call` that have not run yet do so.
        """
        output, waiting = None, dict(self.forward)
        try:
            args, kwargs = self._arguments(module, args, kwargs)
            if self.backward_pre or self.backward:
                call = _Call(module, self)
                output = call.leave(forward(*call.enter(args), **kwargs))
            else:
                output = forward(*args, **kwargs)
            for number, hook in self.forward.copy().items():
                del waiting[number]
                output = hook.after(module, args, kwargs, output)
        except BaseException:
            for hook in waiting.values():
                if hook.always_call:
                    hook.after(module, args, kwargs, output)
            raise
        return output

    def _arguments(self, module: Any, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """What the hooks before a forward leave to it."""
        for hook in list(self.forward_pre.values()):
            changed = hook.function(module, args, kwargs) if hook.with_kwargs else hook.function(module, args)
            if changed is not None and not hook.with_kwargs:
                args = changed if isinstance(changed, tuple) else (changed,)
            elif changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise TypeError(
                        f"forward_pre_hook: with_kwargs=True returned {type(changed).__name__}, expected a "
                        "tuple (args, kwargs), or None to leave both"
                    )
                args, kwargs = changed
        return args, kwargs


# ------------------------------------------------------------------------------------------------ backward


class _Call:
    """One call of a module: the gradients of its outputs wait here for those of its arguments.

    Arguments and outputs pass through `_Boundary`, an identity on the tape, whose backward comes here.
    """

    def __init__(self, module: Any, hooks: Hooks) -> None:
        self.module = module
        self.pre_hooks, self.hooks = list(hooks.backward_pre.values()), list(hooks.backward.values())
        self.count, self.reaches_arguments = 0, False
        self.grad_output: tuple[Tensor | None, ...] = ()

    def enter(self, args: tuple) -> tuple:
        """The arguments, as the forward is to get them."""
        self.count, self.reaches_arguments = len(args), _differentiable(args)
        return _watched(args, self._arguments_known) if self.reaches_arguments else args

    def leave(self, output: Any) -> Any:
        """The output, as the caller of the module is to get it."""
        outputs = output if isinstance(output, tuple) else (output,)
        if not _differentiable(outputs):
            return output
        watched = _watched(outputs, self._outputs_known)
        return watched if isinstance(output, tuple) else watched[0]

    def _outputs_known(self, gradients: tuple) -> tuple:
        for hook in self.pre_hooks:
            gradients = _replaced(hook.function(self.module, gradients), gradients, "grad_output")
        self.grad_output = gradients
        if not self.reaches_arguments:
            self._arguments_known((None,) * self.count)
        return gradients

    def _arguments_known(self, gradients: tuple) -> tuple:
        grad_output, self.grad_output = self.grad_output, ()
        for hook in self.hooks:
            changed = hook.function(self.module, gradients, grad_output)
            gradients = _replaced(changed, gradients, "grad_input")
        return gradients


class _Boundary(Function):
    """y = x for several tensors; the gradients pass through `listener`, who may replace them."""

    @staticmethod
    def forward(context: Any, listener: Callable[[tuple], tuple], *tensors: Tensor) -> tuple[Tensor, ...]:
        context.listener = listener
        context.set_materialize_grads(value=False)
        return tensors

    @staticmethod
    def backward(context: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        return (None, *context.listener(gradients))


def _differentiable(values: Sequence[Any]) -> bool:
    return bool(mode.recording) and any(isinstance(v, Tensor) and v.requires_grad for v in values)


def _watched(values: tuple, listener: Callable[[tuple], tuple]) -> tuple:
    """The values, the tensors among them behind a boundary; the listener gets None for the others."""
    places = [i for i, value in enumerate(values) if isinstance(value, Tensor)]

    def listen(gradients: tuple) -> tuple:
        found = dict(zip(places, gradients, strict=True))
        heard = listener(tuple(found.get(i) for i in range(len(values))))
        return tuple(heard[i] for i in places)

    tensors = dict(zip(places, _Boundary.apply(listen, *[values[i] for i in places]), strict=True))
    return tuple(tensors.get(i, value) for i, value in enumerate(values))


def _replaced(returned: Any, gradients: tuple, name: str) -> tuple:
    """The gradients, or what a hook gave in their place."""
    if returned is None:
        return gradients
    returned = returned if isinstance(returned, tuple) else (returned,)
    if len(returned) != len(gradients):
        raise RuntimeError(
            f"full backward hook: returned {len(returned)} gradients for {name}, expected {len(gradients)}, "
            "or None to leave them"
        )
    return returned
