"""Recurrent layers over sequences: RNN, LSTM and GRU.

Shapes: T steps, B batch, I input_size, H hidden_size, L num_layers, D directions (1 or 2).
"""

from collections.abc import Sequence
from typing import Any

from minigrad import ops
from minigrad.modes import no_grad
from minigrad.tensor import Tensor

from .module import Module
from .rnn_base import RNNBase


class RNN(RNNBase):
    """A stack of simple recurrent networks over sequences

        h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)        or relu in place of tanh

    Reference: Elman 1990, "Finding structure in time".

    Args:
        input_size, hidden_size, num_layers: I, H and L.
        nonlinearity: "tanh" or "relu".
        bias, batch_first, dropout, bidirectional: see `RNNBase`.

    Shape: input (T, B, I), or (T, I) for a single sequence, or a PackedSequence; h0 (L·D, B, H), zeros if
    left out; lengths (B,), see `forward`; output (T, B, D·H), h_n (L·D, B, H), ordered by layer, then
    direction. Parameters are named `weight_ih_l0` (H, I), `weight_hh_l0` (H, H), `bias_ih_l0`, `bias_hh_l0`
    (H,), `weight_ih_l0_reverse`, ..., and start uniform in ±1/√H.

    >>> from minigrad import zeros
    >>> from minigrad.nn import RNN
    >>> output, h_n = RNN(3, 4, num_layers=2)(zeros(5, 2, 3))
    >>> output.shape, h_n.shape
    ((5, 2, 4), (2, 2, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        check_nonlinearity("RNN", nonlinearity)
        super().__init__(
            f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, bias, batch_first, dropout,
            bidirectional, device=device, dtype=dtype,
        )  # fmt: skip
        self.nonlinearity = nonlinearity

    def run(
        self, x: Tensor, states: Sequence[Tensor], weights: Sequence[Any], lengths: Any, *, reverse: bool
    ) -> tuple[Tensor, ...]:
        """One layer in one direction."""
        return ops.rnn(x, *states, *weights, lengths, nonlinearity=self.nonlinearity, reverse=reverse)


class LSTM(RNNBase):
    """A stack of long short-term memories over sequences: each step is that of `LSTMCell`.

    With `proj_size` P the output of each step is a projection, which is also what the next step reads:

        h_t = W_hr (o_t tanh(c_t))

    References: Hochreiter and Schmidhuber 1997, "Long short-term memory"; for the projection, Sak, Senior and
    Beaufays 2014, "Long short-term memory recurrent neural network architectures for large scale acoustic
    modeling", eq. 6; for `forget_bias`, Jozefowicz, Zaremba and Sutskever 2015, "An empirical exploration of
    recurrent network architectures", §2.2.

    Args:
        input_size, hidden_size, num_layers: I, H and L.
        bias, batch_first, dropout, bidirectional: see `RNNBase`.
        proj_size: P, less than H; 0 for no projection.
        forget_bias: what the biases of the forget gate add up to at the start, say 1.0: what is in the cell
            is then kept until training learns otherwise. None: drawn like the others.

    Shape: input (T, B, I), or (T, I) for a single sequence, or a PackedSequence; h0 (L·D, B, H) and c0
    (L·D, B, H), zeros if left out; lengths (B,), see `forward`; output (T, B, D·H), h_n and c_n shaped as h0
    and c0, ordered by layer, then direction; with a projection P in place of H in output, h0 and h_n.
    Parameters are named `weight_ih_l0` (4H, I), `weight_hh_l0` (4H, H), `bias_ih_l0`, `bias_hh_l0` (4H,),
    `weight_hr_l0` (P, H), `weight_ih_l0_reverse`, ...; each holds the gates in the order i, f, g, o. All
    start uniform in ±1/√H.

    >>> from minigrad import zeros
    >>> from minigrad.nn import LSTM
    >>> output, (h_n, c_n) = LSTM(3, 4, bidirectional=True, proj_size=1)(zeros(5, 2, 3))
    >>> output.shape, h_n.shape, c_n.shape
    ((5, 2, 2), (2, 2, 1), (2, 2, 4))
    """

    state_names = ("h0", "c0")
    forget_bias: float | None = None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        forget_bias: float | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size,
            device=device, dtype=dtype,
        )  # fmt: skip
        self.forget_bias = forget_bias
        set_forget_bias(self, forget_bias, bias=bias)

    def reset_parameters(self) -> None:
        """Every parameter uniform in ±1/√H, and the forget gates' biases as asked for."""
        super().reset_parameters()
        set_forget_bias(self, self.forget_bias, bias=self.bias)

    def run(
        self, x: Tensor, states: Sequence[Tensor], weights: Sequence[Any], lengths: Any, *, reverse: bool
    ) -> tuple[Tensor, ...]:
        """One layer in one direction."""
        *four, projection = weights if self.proj_size else (*weights, None)
        return ops.lstm(x, *states, *four, projection, lengths, reverse=reverse)


class GRU(RNNBase):
    """A stack of gated recurrent units over sequences, in one of two variants

        r_t = σ(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)                              reset gate        (1)
        z_t = σ(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)                              update gate       (2)
        n_t = tanh(W_in x_t + b_in + r_t (W_hn h_{t-1} + b_hn))                     candidate         (3)
        n_t = tanh(W_in x_t + b_in + W_hn (r_t h_{t-1}) + b_hn)                     Cho's candidate   (3')
        h_t = (1 - z_t) n_t + z_t h_{t-1}                                                             (4)

    `reset_after=True` is (1), (2), (3), (4), as in PyTorch and cuDNN: the reset gate acts after the product
    with W_hn, so that one product with h serves all three. `reset_after=False` is (1), (2), (3'), (4), the
    original: the reset gate acts before the product, and decides which units of h the candidate sees. The two
    share their parameters' names and shapes, but trained weights of one do not serve the other.

    References: Cho, van Merriënboer, Gulcehre, Bahdanau, Bougares, Schwenk and Bengio 2014, "Learning phrase
    representations using RNN encoder-decoder for statistical machine translation", eqs. 5 to 8; Chung,
    Gulcehre, Cho and Bengio 2014, "Empirical evaluation of gated recurrent neural networks on sequence
    modeling", §3.2.

    Args:
        input_size, hidden_size, num_layers: I, H and L.
        bias, batch_first, dropout, bidirectional: see `RNNBase`.
        reset_after: whether the candidate is (3) or (3').

    Shape: input (T, B, I), or (T, I) for a single sequence, or a PackedSequence; h0 (L·D, B, H), zeros if
    left out; lengths (B,), see `forward`; output (T, B, D·H), h_n (L·D, B, H), ordered by layer, then
    direction. Parameters are named `weight_ih_l0` (3H, I), `weight_hh_l0` (3H, H), `bias_ih_l0`,
    `bias_hh_l0` (3H,), `weight_ih_l0_reverse`, ...; each holds the gates in the order r, z, n. All start
    uniform in ±1/√H.

    >>> from minigrad import zeros
    >>> from minigrad.nn import GRU
    >>> output, h_n = GRU(3, 4, bidirectional=True)(zeros(5, 2, 3))
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
        reset_after: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            device=device, dtype=dtype,
        )  # fmt: skip
        self.reset_after = reset_after

    def run(
        self, x: Tensor, states: Sequence[Tensor], weights: Sequence[Any], lengths: Any, *, reverse: bool
    ) -> tuple[Tensor, ...]:
        """One layer in one direction."""
        gru = ops.gru if self.reset_after else ops.gru_reset_first
        return gru(x, *states, *weights, lengths, reverse=reverse)

    def extra_repr(self) -> str:
        return super().extra_repr() + ("" if self.reset_after else ", reset_after=False")


def check_nonlinearity(caller: str, nonlinearity: str) -> None:
    """ValueError unless it is one of the two."""
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f'{caller}(): nonlinearity={nonlinearity!r}, expected "tanh" or "relu"')


def set_forget_bias(module: Module, value: float | None, *, bias: bool) -> None:
    """Let the biases of every forget gate, the second quarter of each, add up to `value`, if there is one."""
    if value is None:
        return
    if not bias:
        raise ValueError(f"{type(module).__name__}(): forget_bias={value} needs biases; pass bias=True")
    with no_grad():
        for name, parameter in module.named_parameters():
            if name.startswith("bias"):
                H = parameter.shape[0] // 4
                parameter[H : 2 * H] = value if name.startswith("bias_ih") else 0.0
