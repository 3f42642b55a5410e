"""What the gates of LSTM and GRU do at every step, recorded to be looked at.

Letters: T steps, B batch, P size of the output, H hidden_size.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from minigrad.backend import Array, namespace
from minigrad.ops.recurrent_gru import gru_gates
from minigrad.ops.recurrent_lstm import lstm_gates

from .module import Module
from .rnn import GRU, LSTM
from .rnn_cells import GRUCell, LSTMCell

_LSTM_GATES = ("input", "forget", "cell", "output")
_GRU_GATES = ("reset", "update", "new")


@contextmanager
def record_gates(module: Module) -> Iterator[dict[str, dict[str, Array]]]:
    """Record the gates of every LSTM, GRU, LSTMCell and GRUCell in `module` while the block runs.

    At its end `gates[name][gate]` is an array (T, B, H). name is the path of a layer and which of its layers
    and directions: "l0", "l1_reverse", or "encoder.l0" inside a model; of a cell it is the path, or the name
    of the class. gate is "input", "forget", "cell" or "output" for an LSTM, "reset", "update" or "new" for a
    GRU. Several calls in the block follow one another along T. After the end of a sequence stands NaN.

    The gates are computed from the outputs by the equations, so that a run that is not recorded pays nothing.

    >>> from minigrad import zeros
    >>> from minigrad.nn import LSTM, record_gates
    >>> lstm = LSTM(3, 4)
    >>> with record_gates(lstm) as gates:
    ...     output, _ = lstm(zeros(5, 2, 3))
    >>> list(gates["l0"]), gates["l0"]["forget"].shape
    (['input', 'forget', 'cell', 'output'], (5, 2, 4))
    """
    gated = LSTM | GRU | LSTMCell | GRUCell
    parts: list[tuple[str, Any]] = [(path, m) for path, m in module.named_modules() if isinstance(m, gated)]
    if not parts:
        came = type(module).__name__
        raise ValueError(f"record_gates(): there is no LSTM, GRU, LSTMCell or GRUCell in this {came}")
    gates: dict[str, dict[str, Array]] = {}
    recorders = [_Recorder(path, part) for path, part in parts]
    former = [part.gate_log for _, part in parts]
    try:
        for (_, part), recorder in zip(parts, recorders, strict=True):
            part.gate_log = recorder
        yield gates
    finally:
        for (_, part), log in zip(parts, former, strict=True):
            part.gate_log = log
        for recorder in recorders:
            gates.update(recorder.joined())


class _Recorder:
    """Who is told of every run of one module, and works out its gates."""

    def __init__(self, path: str, module: Any) -> None:
        self.path, self.module = path, module
        self.calls: dict[str, list[list[Array]]] = {}  # name -> call -> gate

    def __call__(
        self,
        layer: str,
        x: Any,
        h0: Any,
        outputs: Any,
        weights: Sequence[Any],
        lengths: Any = None,
        *,
        reverse: bool = False,
        order: Any = None,
    ) -> None:
        """Note the gates of one run: x (T, B, I), h0 (B, P), outputs (T, B, P), lengths (B,)."""
        x, h0, outputs, lengths, order, *weights = (
            None if tensor is None else tensor.array for tensor in (x, h0, outputs, lengths, order, *weights)
        )
        xp = namespace(x)
        step = xp.arange(len(x))[:, None]  # (T, 1)
        parts = (outputs[1:], h0[None]) if reverse else (h0[None], outputs[:-1])
        before = xp.concatenate(parts)  # h as each step found it
        if reverse and lengths is not None:  # the walk began at the last real step
            before = xp.where((step == lengths - 1)[..., None], h0, before)
        if isinstance(self.module, LSTM | LSTMCell):
            found = lstm_gates(x, before, *weights[:4])
        else:
            found = gru_gates(x, before, *weights, reset_after=self.module.reset_after)
        if lengths is not None:
            for gate in found:
                gate[step >= lengths] = xp.nan
        found = [gate if order is None else gate[:, order] for gate in found]
        name = ".".join(part for part in (self.path, layer) if part) or type(self.module).__name__
        self.calls.setdefault(name, []).append(found)

    def joined(self) -> dict[str, dict[str, Array]]:
        """{name: {gate: (T, B, H)}}, all calls one after the other."""
        names = _LSTM_GATES if isinstance(self.module, LSTM | LSTMCell) else _GRU_GATES
        return {
            name: {
                gate: namespace(every[0]).concatenate(every)
                for gate, every in zip(names, zip(*calls, strict=True), strict=True)
            }
            for name, calls in self.calls.items()
        }
