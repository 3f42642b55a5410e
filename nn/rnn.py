"""The long short-term memory: a cell, and a stack of layers in one or both directions over sequences.

Shapes: T steps, B batch, I input_size, H hidden_size, L num_layers, D directions (1 or 2).
"""

import math
from collections.abc import Sequence
from typing import Any

from minigrad import ops
from minigrad.creation import as_tensor, empty, zeros
from minigrad.errors import DTypeError, ShapeError
from minigrad.tensor import Tensor

from . import functional as F
from . import init
from .functional.checks import check_probability, tensor_expected
from .module import Module
from .parameter import Parameter

State = tuple[Tensor, Tensor]  # (h, c)


class LSTMCell(Module):
    """One step of a long short-term memory, from (x, h, c) to (h', c')

        i = σ(W_ii x + b_ii + W_hi h + b_hi)        input gate
        f = σ(W_if x + b_if + W_hf h + b_hf)        forget gate
        g = tanh(W_ig x + b_ig + W_hg h + b_hg)     what may be written
        o = σ(W_io x + b_io + W_ho h + b_ho)        output gate
        c' = f c + i g
        h' = o tanh(c')

    References: Hochreiter and Schmidhuber 1997, "Long short-term memory"; for the forget gate, Gers,
    Schmidhuber and Cummins 2000, "Learning to forget".

    Args:
        input_size, hidden_size: I and H.
        bias: whether the b are there.

    Shape: input (B, I), h and c (B, H), zeros if left out; all without B for a single example. `weight_ih`
    (4H, I), `weight_hh` (4H, H), `bias_ih` and `bias_hh` (4H,) hold the four gates in the order i, f, g, o.
    All start uniform in ±1/√H.
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, *, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        for name, shape in _shapes(input_size, hidden_size, bias).items():
            self.register_parameter(
                name, Parameter(empty(shape, device=device, dtype=dtype)) if shape else None
            )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        _draw(self, self.hidden_size)

    def forward(self, input: Tensor, hx: State | None = None) -> State:
        if not isinstance(input, Tensor):
            raise tensor_expected("LSTMCell", input)
        if input.ndim == 1:
            states = None if hx is None else (hx[0].unsqueeze(0), hx[1].unsqueeze(0))
            h, c = self.forward(input.unsqueeze(0), states)
            return h.squeeze(0), c.squeeze(0)
        if input.ndim != 2 or input.shape[1] != self.input_size:
            raise ShapeError(
                f"LSTMCell: input {input.shape}, expected (B, input_size) = (B, {self.input_size})"
            )
        h, c = _state("LSTMCell", hx, input, "(B, hidden_size)", (input.shape[0], self.hidden_size))
        return ops.lstm_cell(input, h, c, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}{'' if self.bias else ', bias=False'}"


class LSTM(Module):
    """A stack of long short-term memories over sequences: each step is that of `LSTMCell`.

    Layer l reads the outputs of layer l - 1. With two directions every layer also runs from the last step to
    the first, with parameters of its own, and the outputs of both are concatenated (Schuster and Paliwal
    1997, "Bidirectional recurrent neural networks").

    Args:
        input_size, hidden_size, num_layers: I, H and L.
        bias: whether the biases are there.
        batch_first: input and output are (B, T, ...) rather than (T, B, ...); states keep their shape.
        dropout: the probability with which, in training, outputs are dropped between layers.
        bidirectional: two directions.

    Shape: input (T, B, I), or (T, I) for a single sequence; h0 and c0 (L·D, B, H), zeros if left out; lengths
    (B,), see `forward`; output (T, B, D·H), h_n and c_n (L·D, B, H), ordered by layer, then direction.
    Parameters are named `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, `weight_ih_l0_reverse`,
    ..., shaped as those of LSTMCell, and start as those do.

    >>> from minigrad import zeros
    >>> from minigrad.nn import LSTM
    >>> output, (h_n, c_n) = LSTM(3, 4, bidirectional=True)(zeros(5, 2, 3))
    >>> output.shape, h_n.shape
    ((5, 2, 8), (2, 2, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        check_probability("LSTM", dropout, "dropout")
        if num_layers < 1 or hidden_size < 1:
            raise ValueError(
                f"LSTM: num_layers={num_layers}, hidden_size={hidden_size}, expected at least 1 of each"
            )
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first = bias, batch_first
        self.dropout, self.bidirectional = dropout, bidirectional
        for layer in range(num_layers):
            size = input_size if layer == 0 else hidden_size * (1 + bidirectional)
            for suffix in _SUFFIXES[: 1 + bidirectional]:
                for name, shape in _shapes(size, hidden_size, bias).items():
                    values = Parameter(empty(shape, device=device, dtype=dtype)) if shape else None
                    self.register_parameter(f"{name}_l{layer}{suffix}", values)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        _draw(self, self.hidden_size)

    def forward(
        self, input: Tensor, hx: State | None = None, lengths: Tensor | Sequence[int] | None = None
    ) -> tuple[Tensor, State]:
        """Return the outputs of the last layer at every step, and (h_n, c_n), the states all layers end in.

        With `lengths` sequence b of the batch has lengths[b] steps, and what follows is padding: its outputs
        are zero, its end state is that of its last real step, and the reverse direction begins there. The
        result is that of each sequence run alone.
        """
        if not isinstance(input, Tensor):
            raise tensor_expected("LSTM", input)
        if input.ndim == 2:
            return self._forward_single(input, hx, lengths)
        h0, c0, lengths = self._checked(input, hx, lengths)
        x = input.transpose(0, 1) if self.batch_first else input  # (T, B, I)
        ends: list[State] = []
        for layer in range(self.num_layers):
            x = F.dropout(x, self.dropout, self.training) if layer else x
            runs = [self._run(x, h0, c0, lengths, layer, d) for d in range(1 + self.bidirectional)]
            x = ops.cat(*[run[0] for run in runs], dim=2) if self.bidirectional else runs[0][0]  # (T, B, D·H)
            ends += [(h, c) for _, h, c in runs]
        h_n, c_n = (ops.stack(*states, dim=0) for states in zip(*ends, strict=True))  # (L·D, B, H)
        return x.transpose(0, 1) if self.batch_first else x, (h_n, c_n)

    def _run(
        self, x: Tensor, h0: Any, c0: Any, lengths: Any, layer: int, direction: int
    ) -> tuple[Tensor, ...]:
        """One layer in one direction: outputs (T, B, H), h_n and c_n (B, H)."""
        i = layer * (1 + self.bidirectional) + direction
        weights = [getattr(self, f"{name}_l{layer}{_SUFFIXES[direction]}") for name in _NAMES]
        h, c = ops.select(h0, dim=0, index=i), ops.select(c0, dim=0, index=i)  # (B, H)
        return ops.lstm(x, h, c, *weights, lengths, reverse=direction == 1)

    def _forward_single(self, input: Tensor, hx: State | None, lengths: Any) -> tuple[Tensor, State]:
        """A sequence (T, I) without a batch: a batch of one."""
        batch_dim = 0 if self.batch_first else 1
        states = None if hx is None else (hx[0].unsqueeze(1), hx[1].unsqueeze(1))
        output, (h, c) = self.forward(input.unsqueeze(batch_dim), states, lengths)
        return output.squeeze(batch_dim), (h.squeeze(1), c.squeeze(1))

    def _checked(self, input: Tensor, hx: State | None, lengths: Any) -> tuple[Tensor, Tensor, Tensor | None]:
        """(h0, c0, lengths), given or made, or the error that says which argument is wrong."""
        if input.ndim != 3 or input.shape[2] != self.input_size:
            order = "(B, T, input_size)" if self.batch_first else "(T, B, input_size)"
            raise ShapeError(f"LSTM(input_size={self.input_size}): input {input.shape}, expected {order}")
        T, B = input.shape[1::-1] if self.batch_first else input.shape[:2]
        if T == 0:
            raise ValueError(f"LSTM: input {input.shape} has sequence length 0, expected at least one step")
        expected = (self.num_layers * (1 + self.bidirectional), B, self.hidden_size)
        h0, c0 = _state("LSTM", hx, input, "(num_layers·directions, B, hidden_size)", expected)
        return h0, c0, None if lengths is None else _lengths(lengths, T, B, input.device)

    def extra_repr(self) -> str:
        options = {name: getattr(self, name) for name in _DEFAULTS}
        changed = [f"{name}={value}" for name, value in options.items() if value != _DEFAULTS[name]]
        return ", ".join([str(self.input_size), str(self.hidden_size), *changed])


_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
_SUFFIXES = ("", "_reverse")  # by direction
_DEFAULTS = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}


def _shapes(input_size: int, hidden_size: int, bias: bool) -> dict[str, tuple[int, ...] | None]:
    """The shape of each of the four parameters, whose first dimension holds the gates i, f, g, o."""
    gates = 4 * hidden_size
    of_bias = (gates,) if bias else None
    return dict(zip(_NAMES, ((gates, input_size), (gates, hidden_size), of_bias, of_bias), strict=True))


def _draw(module: Module, hidden_size: int) -> None:
    """Every parameter uniform in ±1/√H."""
    bound = 1 / math.sqrt(hidden_size)
    for parameter in module.parameters():
        init.uniform_(parameter, -bound, bound)


def _state(caller: str, hx: Any, x: Tensor, names: str, expected: tuple[int, ...]) -> State:
    """hx if it is a pair of this shape, zeros if it is None; the error that says what is wrong otherwise."""
    if hx is None:
        zero = zeros(expected, dtype=x.dtype, device=x.device)
        return zero, zero
    if not isinstance(hx, (tuple, list)) or len(hx) != 2:
        raise TypeError(f"{caller}: hx must be a pair (h0, c0), got {type(hx).__name__}")
    for name, state in zip(("h0", "c0"), hx, strict=True):
        if state.shape != expected:
            raise ShapeError(f"{caller}: {name} {state.shape}, expected {names} = {expected}")
    return hx[0], hx[1]


def _lengths(lengths: Any, steps: int, batch: int, device: Any) -> Tensor:
    """`lengths` as a Tensor (B,) of ints in [1, T], or the error that says what is wrong."""
    lengths = as_tensor(lengths, device=device)
    if lengths.dtype.kind not in "iu":
        raise DTypeError(f"LSTM: lengths must be integers, got {lengths.dtype}")
    if lengths.shape != (batch,):
        raise ShapeError(f"LSTM: lengths {lengths.shape}, expected one for each sequence, (B,) = {(batch,)}")
    outside = (lengths.array < 1) | (lengths.array > steps)
    if outside.any():
        position = int(outside.argmax())
        raise ValueError(
            f"LSTM: lengths[{position}] is {int(lengths.array[position])}, expected 1 to T = {steps}"
        )
    return lengths
