"""Floor 2: what a drawing shows of an operation beyond its formula; written down only while tracing is on."""

import sys
from types import FrameType
from typing import Any

from .modes import mode
from .tape import Note
from .tensor import Tensor


def note_of(op: Any, args: tuple, y: Any) -> Note:
    """Module path, source line and inputs of the call that is being recorded; watchers see it."""
    inputs = tuple((a.shape, a.dtype.name) if isinstance(a, Tensor) else repr(a)[:20] for a in args)
    note = Note(".".join(mode.modules), _user_line(), inputs, mode.gradient_of)
    for watcher in mode.watchers:
        watcher.made(op, args, y, note)
    return note


def _user_line() -> str:
    """`file.py:12` of the innermost frame outside the engine and the layers; models count as users."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 (the one way to ask who called)
    while frame is not None and _is_ours(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno}" if frame is not None else ""


def _is_ours(module: str) -> bool:
    first, _, rest = module.partition(".")
    return first == "minigrad" and rest.partition(".")[0] not in ("models", "tools")
