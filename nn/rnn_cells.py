"""Recurrent cells: one step of an RNN, an LSTM or a GRU.

Shapes: B batch, I input_size, H hidden_size.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from minigrad import ops
from minigrad.creation import empty
from minigrad.errors import ShapeError
from minigrad.tensor import Tensor

from .functional.checks import tensor_expected
from .module import Module
from .parameter import Parameter
from .rnn import check_nonlinearity, set_forget_bias
from .rnn_base import checked_states, uniform_by_size


class RNNCellBase(Module):
    """What RNNCell, LSTMCell and GRUCell share: four parameters, and the forms of their input.

    A subclass says what a step does, in `step`, and names its states.

    Args:
        input_size, hidden_size: I and H.
        bias: whether the biases are there.
        num_chunks: how many gates stand side by side in each parameter.
    """

    state_names: ClassVar[tuple[str, ...]] = ("h0",)
    gate_log: Callable[..., None] | None = None  # who is told of every step: see record_gates

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        for argument, size in {"input_size": input_size, "hidden_size": hidden_size}.items():
            if size < 1:
                raise ValueError(f"{type(self).__name__}(): {argument}={size}, expected at least 1")
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = num_chunks * hidden_size
        made = {"device": device, "dtype": dtype}
        self.weight_ih = Parameter(empty((rows, input_size), **made))
        self.weight_hh = Parameter(empty((rows, hidden_size), **made))
        self.register_parameter("bias_ih", Parameter(empty((rows,), **made)) if bias else None)
        self.register_parameter("bias_hh", Parameter(empty((rows,), **made)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Every parameter uniform in ±1/√H."""
        uniform_by_size(self, self.hidden_size)

    def step(self, x: Tensor, states: Sequence[Tensor], weights: Sequence[Any]) -> Sequence[Tensor]:
        """The new states (B, H) for x (B, I) and the old ones."""
        raise NotImplementedError(f"{type(self).__name__} must define step()")

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        """Return the new state, or the pair of them, for (B, I) or a single (I,)."""
        x, states = self._checked(input, hx)
        weights = (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        found = self.step(x, states, weights)
        if self.gate_log is not None:
            self.gate_log("", x.unsqueeze(0), states[0], found[0].unsqueeze(0), weights)
        if input.ndim == 1:
            found = [state.squeeze(0) for state in found]
        return tuple(found) if len(self.state_names) > 1 else found[0]

    def _checked(self, input: Any, hx: Any) -> tuple[Tensor, list[Tensor]]:
        """The input (B, I) and the states (B, H), or the error that says what is wrong."""
        name = type(self).__name__
        if not isinstance(input, Tensor):
            raise tensor_expected(name, input)
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            raise ShapeError(
                f"{name}: input {input.shape}, expected (B, input_size) = (B, {self.input_size}), or a "
                f"single ({self.input_size},)"
            )
        batch = input.shape[:-1]  # (B,) or ()
        expected = ("(B, hidden_size)" if batch else "(hidden_size,)", (*batch, self.hidden_size))
        states = checked_states(name, self.state_names, hx, input, [expected] * len(self.state_names))
        if batch:
            return input, states
        return input.unsqueeze(0), [state.unsqueeze(0) for state in states]

    def extra_repr(self) -> str:
        """The sizes, and what is not as usual."""
        return f"{self.input_size}, {self.hidden_size}{'' if self.bias else ', bias=False'}"


class RNNCell(RNNCellBase):
    """One step of a simple recurrent network, from (x, h) to h'

        h' = tanh(W_ih x + b_ih + W_hh h + b_hh)        or relu in place of tanh

    Reference: Elman 1990, "Finding structure in time".

    Args:
        input_size, hidden_size: I and H.
        bias: whether the b are there.
        nonlinearity: "tanh" or "relu".

    Shape: input (B, I), h (B, H), zeros if left out; both without B for a single example. `weight_ih` (H, I),
    `weight_hh` (H, H), `bias_ih` and `bias_hh` (H,) start uniform in ±1/√H.

    >>> from minigrad import zeros
    >>> from minigrad.nn import RNNCell
    >>> RNNCell(3, 4)(zeros(2, 3)).shape
    (2, 4)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        check_nonlinearity("RNNCell", nonlinearity)
        super().__init__(input_size, hidden_size, bias, 1, device=device, dtype=dtype)
        self.nonlinearity = nonlinearity

    def step(self, x: Tensor, states: Sequence[Tensor], weights: Sequence[Any]) -> Sequence[Tensor]:
        """A sequence of one step."""
        return ops.rnn(x.unsqueeze(0), *states, *weights, None, nonlinearity=self.nonlinearity)[1:]

    def extra_repr(self) -> str:
        usual = self.nonlinearity == "tanh"
        return super().extra_repr() + ("" if usual else f", nonlinearity={self.nonlinearity}")


class LSTMCell(RNNCellBase):
    """One step of a long short-term memory, from (x, h, c) to (h', c')

        i = σ(W_ii x + b_ii + W_hi h + b_hi)        input gate
        f = σ(W_if x + b_if + W_hf h + b_hf)        forget gate
        g = tanh(W_ig x + b_ig + W_hg h + b_hg)     what may be written
        o = σ(W_io x + b_io + W_ho h + b_ho)        output gate
        c' = f c + i g
        h' = o tanh(c')

    References: Hochreiter and Schmidhuber 1997, "Long short-term memory"; for the forget gate, Gers,
    Schmidhuber and Cummins 2000, "Learning to forget"; for `forget_bias`, Jozefowicz, Zaremba and Sutskever
    2015, "An empirical exploration of recurrent network architectures", §2.2.

    Args:
        input_size, hidden_size: I and H.
        bias: whether the b are there.
        forget_bias: what b_if + b_hf is at the start, say 1.0; None: drawn like the others.

    Shape: input (B, I), h and c (B, H), zeros if left out; all without B for a single example. `weight_ih`
    (4H, I), `weight_hh` (4H, H), `bias_ih` and `bias_hh` (4H,) hold the four gates in the order i, f, g, o.
    All start uniform in ±1/√H.

    >>> from minigrad import zeros
    >>> from minigrad.nn import LSTMCell
    >>> h, c = LSTMCell(3, 4)(zeros(2, 3))
    >>> h.shape, c.shape
    ((2, 4), (2, 4))
    """

    state_names = ("h0", "c0")
    forget_bias: float | None = None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        forget_bias: float | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device=device, dtype=dtype)
        self.forget_bias = forget_bias
        set_forget_bias(self, forget_bias, bias=bias)

    def reset_parameters(self) -> None:
        """Every parameter uniform in ±1/√H, and the forget gate's biases as asked for."""
        super().reset_parameters()
        set_forget_bias(self, self.forget_bias, bias=self.bias)

    def step(self, x: Tensor, states: Sequence[Tensor], weights: Sequence[Any]) -> Sequence[Tensor]:
        """A step."""
        return ops.lstm_cell(x, *states, *weights)


class GRUCell(RNNCellBase):
    """One step of a gated recurrent unit, from (x, h) to h', in one of two variants

        r = σ(W_ir x + b_ir + W_hr h + b_hr)                  reset gate        (1)
        z = σ(W_iz x + b_iz + W_hz h + b_hz)                  update gate       (2)
        n = tanh(W_in x + b_in + r (W_hn h + b_hn))           candidate         (3)
        n = tanh(W_in x + b_in + W_hn (r h) + b_hn)           Cho's candidate   (3')
        h' = (1 - z) n + z h                                                    (4)

    `reset_after=True` takes (3), as PyTorch and cuDNN do, `reset_after=False` takes (3'): see `GRU`.

    Reference: Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder for statistical
    machine translation", eqs. 5 to 8.

    Args:
        input_size, hidden_size: I and H.
        bias: whether the b are there.
        reset_after: whether the candidate is (3) or (3').

    Shape: input (B, I), h (B, H), zeros if left out; both without B for a single example. `weight_ih`
    (3H, I), `weight_hh` (3H, H), `bias_ih` and `bias_hh` (3H,) hold the gates in the order r, z, n. All start
    uniform in ±1/√H.

    >>> from minigrad import zeros
    >>> from minigrad.nn import GRUCell
    >>> GRUCell(3, 4)(zeros(2, 3)).shape
    (2, 4)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        reset_after: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device=device, dtype=dtype)
        self.reset_after = reset_after

    def step(self, x: Tensor, states: Sequence[Tensor], weights: Sequence[Any]) -> Sequence[Tensor]:
        """A sequence of one step."""
        gru = ops.gru if self.reset_after else ops.gru_reset_first
        return gru(x.unsqueeze(0), *states, *weights, None)[1:]

    def extra_repr(self) -> str:
        return super().extra_repr() + ("" if self.reset_after else ", reset_after=False")
