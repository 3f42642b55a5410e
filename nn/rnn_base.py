"""What RNN, LSTM and GRU share: parameters, states, the stack of layers, and the forms of their input.

Shapes: T steps, B batch, I input_size, H hidden_size, P size of the output (proj_size, or else H),
L num_layers, D directions (1 or 2).
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from minigrad import ops
from minigrad.creation import empty, zeros
from minigrad.errors import ShapeError
from minigrad.tensor import Tensor

from . import functional as F
from . import init
from .functional.checks import check_probability, tensor_expected
from .module import Module
from .parameter import Parameter
from .utils.rnn import PackedSequence, checked_lengths, packed_like, padded_in_order

GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}  # how many products a step has, by mode
_SUFFIXES = ("", "_reverse")  # by direction
_DEFAULTS = {
    "proj_size": 0,
    "num_layers": 1,
    "bias": True,
    "batch_first": False,
    "dropout": 0.0,
    "bidirectional": False,
}


class RNNBase(Module):
    """A stack of layers, each of which runs over a whole sequence in one or both directions.

    Layer l reads the outputs of layer l - 1. With two directions every layer also runs from the last step to
    the first, with parameters of its own, and the outputs of both are concatenated (Schuster and Paliwal
    1997, "Bidirectional recurrent neural networks").

    A subclass says what one layer in one direction does, in `run`, and names its states.

    Args:
        mode: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU".
        input_size, hidden_size, num_layers: I, H and L.
        bias: whether the biases are there.
        batch_first: input and output are (B, T, ...) rather than (T, B, ...); states keep their shape.
        dropout: the probability with which, in training, outputs are dropped between layers.
        bidirectional: two directions.
        proj_size: P, if the outputs are projected.
    """

    state_names: ClassVar[tuple[str, ...]] = ("h0",)
    gate_log: Callable[..., None] | None = None  # who is told of every run: see record_gates

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        check_probability(name, dropout, "dropout")
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
        for argument, size in sizes.items():
            if size < 1:
                raise ValueError(f"{name}(): {argument}={size}, expected at least 1")
        if not 0 <= proj_size < hidden_size:
            raise ValueError(
                f"{name}(): proj_size={proj_size}, expected 0 (no projection) or less than "
                f"hidden_size={hidden_size}"
            )
        self.mode = mode
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, dropout
        self.bidirectional, self.proj_size = bidirectional, proj_size
        for layer in range(num_layers):
            for suffix in _SUFFIXES[: self._directions]:
                for kind, shape in self._shapes(layer).items():
                    made = Parameter(empty(shape, device=device, dtype=dtype)) if shape else None
                    self.register_parameter(f"{kind}_l{layer}{suffix}", made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Every parameter uniform in ±1/√H."""
        uniform_by_size(self, self.hidden_size)

    def flatten_parameters(self) -> None:
        """Do nothing: there is no library here that wants all weights in one piece of memory."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [
            [weight for weight in self._weights(layer, direction) if weight is not None]
            for layer in range(self.num_layers)
            for direction in range(self._directions)
        ]

    @property
    def _directions(self) -> int:
        return 1 + self.bidirectional

    @property
    def _output_size(self) -> int:
        return self.proj_size or self.hidden_size

    def _shapes(self, layer: int) -> dict[str, tuple[int, ...] | None]:
        """The shapes of a layer's parameters, whose first dimension holds the gates side by side."""
        rows = GATES[self.mode] * self.hidden_size
        read = self.input_size if layer == 0 else self._output_size * self._directions
        bias = (rows,) if self.bias else None
        shapes: dict[str, tuple[int, ...] | None] = {"weight_ih": (rows, read)}
        shapes |= {"weight_hh": (rows, self._output_size), "bias_ih": bias, "bias_hh": bias}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        return shapes

    def _weights(self, layer: int, direction: int) -> list[Any]:
        """The parameters of one layer in one direction, None for an absent bias."""
        return [getattr(self, f"{kind}_l{layer}{_SUFFIXES[direction]}") for kind in self._shapes(layer)]

    # -------------------------------------------------------------------------------- running

    def run(
        self, x: Tensor, states: Sequence[Tensor], weights: Sequence[Any], lengths: Any, *, reverse: bool
    ) -> tuple[Tensor, ...]:
        """One layer in one direction: the outputs (T, B, P), then the last states (B, P), (B, H)."""
        raise NotImplementedError(f"{type(self).__name__} must define run()")

    def forward(self, input: Any, hx: Any = None, lengths: Any = None) -> tuple[Any, Any]:
        """Return the outputs of the last layer at every step, and the states in which all layers end.

        With `lengths` sequence b of the batch has lengths[b] steps, and what follows is padding: its outputs
        are zero, its end state is that of its last real step, and the reverse direction begins there. The
        result is that of each sequence run alone. A PackedSequence has lengths of its own, and so has the
        output for it.
        """
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx, lengths)
        if isinstance(input, Tensor) and input.ndim == 2:
            return self._forward_single(input, hx, lengths)
        T, B = self._checked_sizes(input, batch_first=self.batch_first)
        states = self._checked_states(hx, input, (B,))
        if lengths is not None:
            lengths = checked_lengths(type(self).__name__, lengths, T, B).to(input.device)
        output, ends = self._stack(input.transpose(0, 1) if self.batch_first else input, states, lengths)
        return output.transpose(0, 1) if self.batch_first else output, self._one_or_pair(ends)

    def _forward_single(self, input: Tensor, hx: Any, lengths: Any) -> tuple[Tensor, Any]:
        """A sequence (T, I) without a batch: a batch of one."""
        batch_dim = 0 if self.batch_first else 1
        states = [state.unsqueeze(1) for state in self._checked_states(hx, input, ())]
        output, ends = self.forward(input.unsqueeze(batch_dim), self._one_or_pair(states), lengths)
        ends = ends if isinstance(ends, tuple) else (ends,)
        return output.squeeze(batch_dim), self._one_or_pair([end.squeeze(1) for end in ends])

    def _forward_packed(self, input: PackedSequence, hx: Any, lengths: Any) -> tuple[PackedSequence, Any]:
        """Steps without padding: padded for the time being; states come and go in the original order."""
        if lengths is not None:
            name = type(self).__name__
            raise ValueError(f"{name}: a PackedSequence has lengths of its own; leave `lengths` out")
        x, lengths = padded_in_order(input)  # (T, B, I)
        _, B = self._checked_sizes(x, batch_first=False)
        states = self._checked_states(hx, x, (B,))
        order, inverse = input.sorted_indices, input.unsorted_indices
        if order is not None:
            states = [state[:, order] for state in states]
        output, ends = self._stack(x, states, lengths.to(x.device), inverse)
        if inverse is not None:
            ends = [end[:, inverse] for end in ends]
        return packed_like(output, input), self._one_or_pair(ends)

    def _stack(
        self, x: Tensor, states: Sequence[Tensor], lengths: Tensor | None, inverse: Tensor | None = None
    ) -> tuple[Tensor, Sequence[Tensor]]:
        """All layers: outputs (T, B, D·P), and each last state (L·D, B, ...)."""
        ends: list[tuple[Tensor, ...]] = []
        for layer in range(self.num_layers):
            x = F.dropout(x, self.dropout, self.training) if layer else x
            outputs = []
            for direction in range(self._directions):
                weights, reverse = self._weights(layer, direction), direction == 1
                first = [ops.select(state, dim=0, index=len(ends)) for state in states]  # (B, P), (B, H)
                output, *last = self.run(x, first, weights, lengths, reverse=reverse)
                if self.gate_log is not None:
                    name = f"l{layer}{_SUFFIXES[direction]}"
                    self.gate_log(name, x, first[0], output, weights, lengths, reverse=reverse, order=inverse)
                outputs.append(output)
                ends.append(tuple(last))
            x = ops.cat(*outputs, dim=2) if self.bidirectional else outputs[0]
        return x, [ops.stack(*every, dim=0) for every in zip(*ends, strict=True)]

    def _one_or_pair(self, states: Sequence[Tensor]) -> Any:
        """The states as the user gives and takes them: (h, c), or h alone."""
        return tuple(states) if len(self.state_names) > 1 else states[0]

    # -------------------------------------------------------------------------------- checking

    def _checked_sizes(self, input: Any, *, batch_first: bool) -> tuple[int, int]:
        """(T, B), or the error that says what is wrong with the input."""
        name = type(self).__name__
        if not isinstance(input, Tensor):
            raise tensor_expected(name, input)
        if input.ndim != 3 or input.shape[2] != self.input_size:
            order = "(B, T, input_size)" if batch_first else "(T, B, input_size)"
            raise ShapeError(f"{name}(input_size={self.input_size}): input {input.shape}, expected {order}")
        T, B = input.shape[1::-1] if batch_first else input.shape[:2]
        if T == 0:
            raise ValueError(f"{name}: input {input.shape} has sequence length 0, expected at least one step")
        return T, B

    def _checked_states(self, hx: Any, input: Tensor, batch: tuple[int, ...]) -> list[Tensor]:
        """[h0] or [h0, c0], given or zeros; `batch` is (B,), or () for a single sequence."""
        rows, dims = self.num_layers * self._directions, "num_layers·directions, " + "B, " * len(batch)
        of_output = ("proj_size", self.proj_size) if self.proj_size else ("hidden_size", self.hidden_size)
        sizes = (of_output, ("hidden_size", self.hidden_size))[: len(self.state_names)]
        expected = [(f"({dims}{kind})", (rows, *batch, size)) for kind, size in sizes]
        return checked_states(type(self).__name__, self.state_names, hx, input, expected)

    def extra_repr(self) -> str:
        """The sizes, and what is not as usual."""
        options = {name: getattr(self, name) for name in _DEFAULTS}
        changed = [f"{name}={value}" for name, value in options.items() if value != _DEFAULTS[name]]
        return ", ".join([str(self.input_size), str(self.hidden_size), *changed])


def uniform_by_size(module: Module, hidden_size: int) -> None:
    """Every parameter uniform in ±1/√H."""
    bound = 1 / math.sqrt(hidden_size)
    for parameter in module.parameters():
        init.uniform_(parameter, -bound, bound)


def checked_states(
    caller: str, names: Sequence[str], hx: Any, x: Tensor, expected: Sequence[tuple[str, tuple[int, ...]]]
) -> list[Tensor]:
    """The states in hx, a Tensor or a pair of them, or zeros; `expected` is (what it is, shape) of each."""
    if hx is None:
        return [zeros(shape, dtype=x.dtype, device=x.device) for _, shape in expected]
    if len(names) == 1:
        hx = (hx,)
    elif not isinstance(hx, tuple | list) or len(hx) != len(names):
        raise TypeError(f"{caller}: hx must be a pair ({', '.join(names)}), got {type(hx).__name__}")
    for name, state, (description, shape) in zip(names, hx, expected, strict=True):
        if not isinstance(state, Tensor):
            raise TypeError(f"{caller}: {name} must be a Tensor, got {type(state).__name__}")
        if state.shape != shape:
            raise ShapeError(f"{caller}: {name} {state.shape}, expected {description} = {shape}")
    return list(hx)
