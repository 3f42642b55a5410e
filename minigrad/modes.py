"""Floor 1: what a thread is doing: does it record operations, and does it note who and where for drawings?"""

import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any


class Mode(threading.local):
    """What this thread is doing: is it recording, and is it also noting who and where?"""

    recording: bool | int = True  # False, True, or TRACING
    tracing = False
    vmaps = 0  # how many are running, one inside the other
    examples = 0  # how many the innermost of them maps over
    modules: tuple[str, ...] = ()  # the path of module names, innermost last; kept only while tracing
    gradient_of: Any = None  # the forward node whose rule is running; kept only while tracing
    watchers: tuple = ()  # who looks on (watch.py); only while tracing
    inference = False  # then nothing is recorded, whatever `recording` is asked to be


TRACING = 2  # the value of `mode.recording` that means: record, and note who and where
mode = Mode()


class set_grad_enabled:  # noqa: N801 (PyTorch's name)
    """Record operations, or do not: as a statement, as a context manager, or as a decorator of functions."""

    def __init__(self, mode: bool) -> None:
        self.enabled = bool(mode)
        self._previous = switch(self.enabled)  # takes effect at once, as in PyTorch

    def __enter__(self) -> None:
        switch(self.enabled)

    def __exit__(self, *exception: object) -> None:
        switch(self._previous)

    def __call__(self, function: Callable) -> Callable:
        """The function, with the mode set while it runs."""
        switch(self._previous)  # a decorator changes nothing until its function runs
        return _decorated(function, enable_grad if self.enabled else no_grad)


class no_grad:  # noqa: N801 (PyTorch's name)
    """Operations inside are not recorded: `with no_grad():`, `@no_grad()`, `@no_grad`.

    A decorated generator switches the mode each time it is resumed, and back each time it yields.

    >>> import minigrad as mg
    >>> x = mg.tensor(2.0, requires_grad=True)
    >>> with mg.no_grad():
    ...     (x * x).requires_grad
    False
    """

    enabled = False
    _previous: list[bool]

    def __new__(cls, function: Callable | None = None) -> Any:
        """The context manager; or, used as a decorator without brackets, the decorated function."""
        if function is not None:
            return _decorated(function, cls)
        guard = super().__new__(cls)
        guard._previous = []
        return guard

    def __enter__(self) -> None:
        self._previous.append(switch(self.enabled))

    def __exit__(self, *exception: object) -> None:
        switch(self._previous.pop())

    def __call__(self, function: Callable) -> Callable:
        """The function, with the mode set while it runs."""
        return _decorated(function, type(self))


class enable_grad(no_grad):  # noqa: N801 (PyTorch's name)
    """Operations inside are recorded, also within `no_grad`."""

    enabled = True


class inference_mode:  # noqa: N801 (PyTorch's name)
    """Operations inside are not recorded, whatever `enable_grad` says there: for runs that only predict.

    `with inference_mode():`, `@inference_mode()`, `@inference_mode`, also of generators, as `no_grad`;
    inference_mode(False) lifts it for a stretch.

    PyTorch marks the tensors made inside, and later refuses to save them for a backward pass.  Here such a
    tensor is an ordinary constant, as one made under no_grad: versions are kept up to date here, so that no
    wrong gradient can come of it, and a mark would cost every operation its check.

    >>> import minigrad as mg
    >>> x = mg.tensor(2.0, requires_grad=True)
    >>> with mg.inference_mode(), mg.enable_grad():
    ...     (x * x).requires_grad
    False
    """

    enabled: bool
    _previous: list[tuple[bool, bool]]

    def __new__(cls, mode: bool | Callable = True) -> Any:
        """The context manager; or, used as a decorator without brackets, the decorated function."""
        if callable(mode):
            return _decorated(mode, cls)
        guard = super().__new__(cls)
        guard.enabled, guard._previous = bool(mode), []
        return guard

    def __enter__(self) -> None:
        self._previous.append((mode.inference, bool(mode.recording)))
        mode.inference = self.enabled
        switch(not self.enabled)

    def __exit__(self, *exception: object) -> None:
        mode.inference, recording = self._previous.pop()
        switch(recording)

    def __call__(self, function: Callable) -> Callable:
        """The function, with the mode set while it runs."""
        return _decorated(function, functools.partial(inference_mode, self.enabled))


def is_inference_mode_enabled() -> bool:
    """Is this thread inside an `inference_mode`?"""
    return mode.inference


def is_grad_enabled() -> bool:
    """Are operations being recorded in this thread?"""
    return bool(mode.recording)


def switch(recording: bool | int) -> bool:
    """Set the mode of this thread; returns what it was."""
    previous = bool(mode.recording)
    wanted = bool(recording) and not mode.inference
    mode.recording = TRACING if wanted and mode.tracing else wanted
    return previous


def _decorated(function: Callable, guard: Callable) -> Callable:
    """`function` under guard() while it runs; a generator is under it while it runs between two yields."""
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(
            f"{getattr(guard, 'func', guard).__name__}: {function.__name__} is asynchronous, and the mode "
            "would leak into whatever runs while it awaits; use a with block that holds no await"
        )
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def generator(*args: Any, **keywords: Any) -> Iterator:
            inner, action = function(*args, **keywords), lambda: next(inner)
            while True:
                with guard():
                    try:
                        value = action()
                    except StopIteration as stop:
                        return stop.value
                try:
                    sent = yield value
                    action = functools.partial(inner.send, sent)
                except GeneratorExit:
                    with guard():
                        inner.close()
                    raise
                except BaseException as error:  # noqa: BLE001 (handed to the generator, which decides)
                    action = functools.partial(inner.throw, error)

        return generator

    @functools.wraps(function)
    def wrapper(*args: Any, **keywords: Any) -> Any:
        with guard():
            return function(*args, **keywords)

    return wrapper


class tracing:  # noqa: N801 (used like no_grad)
    """Inside, each node also notes module path, source line and gradient: what drawings show."""

    def __enter__(self) -> None:
        self._previous, mode.tracing = mode.tracing, True
        switch(mode.recording)

    def __exit__(self, *exception: object) -> None:
        mode.tracing = self._previous
        switch(mode.recording)
