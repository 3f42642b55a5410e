"""Module: a tree of layers whose parameters are plain attributes, named by the path that leads to them."""

import threading
from collections.abc import Callable
from itertools import chain
from typing import Any, Self

from minigrad.backend import float16, float32, float64
from minigrad.modes import mode
from minigrad.tensor import RemovableHandle

from .hooks import Hook, Hooks
from .state import State


class Module(State):
    """Base class of every layer and model: the Parameters and Modules among its attributes make a tree.

    A subclass calls `super().__init__()`, assigns its parts, and defines `forward`; calling the module runs
    it. What a part is stands in tree.py, what is saved of it in state.py.

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
        self._kinds = {}
        self._hooks: Hooks | None = None  # until the first is registered
        self.training = True

    # -------------------------------------------------------------------------------- running

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output: every subclass defines its own."""
        raise NotImplementedError(
            f"{type(self).__name__} has no forward(); define the method forward(self, ...)"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run `forward` and the hooks around it; while a graph is traced, under this module's name."""
        if self._hooks is None and not mode.tracing:
            return self.forward(*args, **kwargs)
        forward = self._forward_traced if mode.tracing else self.forward
        if self._hooks is None:
            return forward(*args, **kwargs)
        return self._hooks.run(self, forward, args, kwargs)

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

    # -------------------------------------------------------------------------------- hooks

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before each forward; what it returns, if anything, replaces args.

        With `with_kwargs=True`, `hook(module, args, kwargs)`, and both are replaced. `prepend=True` puts it
        before the hooks that are there. Returns a handle with `remove()`.
        """
        return RemovableHandle(self._own_hooks().forward_pre, Hook(hook, with_kwargs), prepend=prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after each forward; what it returns, if anything, is returned.

        With `with_kwargs=True`, `hook(module, args, kwargs, output)`; with `always_call=True` also when the
        forward raises, with the output that is there, or None.
        """
        return RemovableHandle(
            self._own_hooks().forward, Hook(hook, with_kwargs, always_call), prepend=prepend
        )

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, grad_output)` when the gradients of the output are there: a tuple of them.

        What it returns, if anything, replaces them.
        """
        return RemovableHandle(self._own_hooks().backward_pre, Hook(hook), prepend=prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the gradients of the arguments are there.

        Both are tuples, with None for what is no tensor or needs no gradient; keyword arguments are not seen.
        What it returns, if anything, replaces grad_input. If no argument needs a gradient it is called as
        soon as those of the output are there.
        """
        return RemovableHandle(self._own_hooks().backward, Hook(hook), prepend=prepend)

    def _own_hooks(self) -> Hooks:
        self._hooks = self._hooks or Hooks()
        return self._hooks

    # -------------------------------------------------------------------------------- changing the tree

    def apply(self, fn: "Callable[[Module], Any]") -> Self:
        """Call `fn` on every module of the tree, children first. Returns self."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set the mode of the whole tree: layers such as Dropout act in training only. Returns self."""
        if not isinstance(mode, bool):
            raise ValueError(f"train(): mode={mode!r}, expected True or False")  # noqa: TRY004 (as in PyTorch)
        self.training = mode
        for child in self.children():
            child.train(mode)
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

    def cpu(self) -> Self:
        """Move everything to the host's memory."""
        return self.to("cpu")

    def cuda(self, device: int | str | None = None) -> Self:
        """Move everything to a GPU: the first, or one given by its number or its name."""
        return self.to(f"cuda:{device or 0}" if isinstance(device, int | None) else device)

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
