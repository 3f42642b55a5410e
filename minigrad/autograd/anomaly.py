"""Floor 6: anomaly mode: a NaN (or, if asked, an infinity) is reported where it is born.

    with detect_anomaly():
        loss = model(x)
        loss.backward()

A NaN shows itself steps after its cause, as a loss that is NaN or weights that are.  Inside the block the
output of every recorded operation is looked at, and every gradient that a rule gives; the first bad one
raises AnomalyError, with the operation, the module that called it, the line of the user's program, the place
in the array, and the inputs that were bad already.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from minigrad import modes
from minigrad.backend import is_array, namespace, numpy
from minigrad.batching import Batched
from minigrad.errors import AnomalyError
from minigrad.tape import Leaf, Node, Note
from minigrad.tensor import Tensor
from minigrad.watch import Watcher


class detect_anomaly(Watcher):  # noqa: N801 (PyTorch's name)
    """Inside, AnomalyError is raised by the operation or the rule that makes the first bad number.

    check_nan: look for NaN (PyTorch looks in the backward only; here also in the forward).
    check_inf: look for infinities, too. They are often meant, as in a mask, so this is off by default.

    Of operations that are not recorded only the results that recorded ones take as inputs are seen.

    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, -1.0], requires_grad=True)
    >>> with mg.autograd.detect_anomaly():
    ...     mg.sqrt(x)
    Traceback (most recent call last):
    minigrad.errors.AnomalyError: forward of sqrt at ...: the first NaN is at index (1,) of the output ...
    """

    def __init__(self, check_nan: bool = True, check_inf: bool = False) -> None:
        super().__init__()
        self.check_nan, self.check_inf = check_nan, check_inf

    def made(self, op: Any, args: tuple, y: Any, note: Note) -> None:
        """Look at the output of an operation."""
        for number, array in enumerate(y if isinstance(y, tuple) else (y,)):
            if (found := self._first_bad(array)) is None:
                continue
            which = f"output {number}" if isinstance(y, tuple) else "the output"
            raise AnomalyError(
                f"forward of {op.name}{_place(note)}: the first {_shown(found, which, array)}; "
                f"{self._bad_already('input', zip(_names(op, args), args, strict=True))}"
            )

    def arrived(self, node: Node, g: Any) -> None:
        """Look at the gradient that gathered at a node: rules were looked at, sums and hooks were not."""
        for gradient in g if isinstance(g, list) else [g]:
            found = None if gradient is None else self._first_bad(gradient)
            if found is not None:
                what = "the leaf" if type(node) is Leaf else f"the output of {node.name()}"
                raise AnomalyError(
                    f"backward: the gradient that gathered at {what}{_place(node.note)}: the first "
                    f"{_shown(found, 'it', gradient)}; no rule gave it: it was passed to backward(), "
                    "left by a hook, or is a sum of infinities"
                )

    def pulled(self, node: Node, _g: Any, pairs: Sequence[tuple[Node, Any]]) -> None:
        """Look at what the rules of a node gave."""
        op, positions = node.plan.op, node.plan.positions
        names = _names(op, node.edges)
        for position, (_, contribution) in zip(positions, pairs, strict=True):
            found = None if contribution is None else self._first_bad(contribution)
            if found is not None:
                which = f"the gradient of its input {names[position]}"
                raise AnomalyError(
                    f"backward of {op.name}{_place(node.note)}: the first "
                    f"{_shown(found, which, contribution)}; "
                    f"{self._bad_already('saved value', node.plan.kept(node))}"
                )

    def _first_bad(self, array: Any) -> tuple[str, tuple[int, ...]] | None:
        """What the first bad number of an array is, and where; None if it has none."""
        while isinstance(array, Batched):
            array = array.value
        array = array.array if isinstance(array, Tensor) else array
        if isinstance(array, numpy.generic):  # what NumPy makes of a 0-d array
            array = numpy.asarray(array)
        if not is_array(array) or array.dtype.kind != "f":
            return None
        xp = namespace(array)
        bad = xp.zeros(array.shape, dtype=bool)
        if self.check_nan:
            bad = bad | xp.isnan(array)
        if self.check_inf:
            bad = bad | xp.isinf(array)
        if not bad.any():
            return None
        place = tuple(int(i) for i in xp.unravel_index(bad.argmax(), bad.shape)) if array.ndim else ()
        return ("NaN" if xp.isnan(array[place]) else "infinity"), place

    def _bad_already(self, kind: str, named: Iterable[tuple[str, Any]]) -> str:
        """Which of the operands were bad before."""
        found = [
            f"its {kind} {name} has {bad[0]} at {bad[1]} already"
            for name, value in named
            for each in (value if isinstance(value, tuple | list) else [value])
            if (bad := self._first_bad(each)) is not None
        ]
        return ", ".join(found) or f"no {kind} had one"


class set_detect_anomaly:  # noqa: N801 (PyTorch's name)
    """Switch anomaly mode on or off for this thread: as a statement, or as a context manager."""

    def __init__(self, mode: bool, check_nan: bool = True, check_inf: bool = False) -> None:
        thread = modes.mode
        self._previous = (thread.watchers, thread.tracing)
        earlier = [watcher for watcher in thread.watchers if isinstance(watcher, detect_anomaly)]
        if earlier:
            thread.watchers = tuple(watcher for watcher in thread.watchers if watcher not in earlier)
            thread.tracing = bool(thread.watchers) or earlier[0].traced_outside
            modes.switch(thread.recording)
        if mode:
            detect_anomaly(check_nan, check_inf).__enter__()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        modes.mode.watchers, modes.mode.tracing = self._previous
        modes.switch(modes.mode.recording)


def is_anomaly_enabled() -> bool:
    """Is this thread in anomaly mode?"""
    return any(isinstance(watcher, detect_anomaly) for watcher in modes.mode.watchers)


# ------------------------------------------------------------------------------------------------ words


def _shown(found: tuple[str, tuple[int, ...]], which: str, array: Any) -> str:
    """`NaN is at index (1,) of the output of shape (2,)`"""
    return f"{found[0]} is at index {found[1]} of {which} of shape {array.shape}"


def _place(note: Note | None) -> str:
    """Who called the operation, and where: known of what was computed in anomaly mode."""
    if note is None or not note.line:
        return " (compute in anomaly mode too, and its line is known)"
    module = f" in {note.module}" if note.module else ""
    origin = f", in the gradient of {note.gradient_of.name()}" if note.gradient_of is not None else ""
    return f" at {note.line}{module}{origin}"


def _names(op: Any, operands: Sequence[Any]) -> Sequence[str]:
    """What the card calls each input; the inputs of a list go by their number."""
    return op.inputs if len(op.inputs) == len(operands) else [str(i) for i in range(len(operands))]
