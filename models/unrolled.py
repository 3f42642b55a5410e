"""A recurrent network unrolled: one matrix at every step, and what becomes of a gradient on its way back.

Jeffrey Elman, "Finding structure in time", Cognitive Science 14, 1990, for (1); Yoshua Bengio, Patrice Simard
and Paolo Frasconi, "Learning long-term dependencies with gradient descent is difficult", IEEE Transactions on
Neural Networks 5, 1994, and Razvan Pascanu, Tomas Mikolov and Yoshua Bengio, "On the difficulty of training
recurrent neural networks", ICML 2013 (arXiv 1211.5063), for (4).

The weakness that it shows.  A recurrent network is deep: as deep as its sequence is long. All of its layers
are the same one, and the gradient of the last state is multiplied by the same matrix at every step back.

    hₜ = φ(W hₜ₋₁ + U xₜ + b)                                                                           (1)
    h₄ = φ(W φ(W φ(W φ(W h₀ + U x₁) + U x₂) + U x₃) + U x₄)             four steps of it, b = 0         (2)
    ∂L/∂W = Σₜ (∂L/∂hₜ ∘ φ'(aₜ)) hₜ₋₁ᵀ                                  one W, a summand for each step  (3)
    ∂L/∂hₜ₋₁ = Wᵀ (φ'(aₜ) ∘ ∂L/∂hₜ)                                     aₜ: what φ is applied to        (4)

By (4) a step back multiplies the norm by at most σ_max(W) · max φ', where φ' ≤ 1 for tanh, ≤ 1/4 for the
sigmoid: if σ_max is less than 1, than 4, the gradient vanishes. To explode it needs a larger one, and ReLU,
whose derivative is 1 wherever it is not 0, lets it. Clipping (`nn.utils.clip_grad_norm_`) cures an explosion;
a gradient that has vanished needs another path: the cell of an LSTM, whose derivative is its forget gate
(Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and Cummins 2000).

Shapes: B batch, T steps, I input, H hidden size.
"""

from typing import Any

import numpy as np

from minigrad import nn
from minigrad.autograd import grad
from minigrad.backend import to_numpy
from minigrad.creation import zeros
from minigrad.errors import ShapeError
from minigrad.nn import functional as F
from minigrad.tensor import Tensor

NONLINEARITIES = {"tanh": F.tanh, "relu": F.relu, "sigmoid": F.sigmoid}


class PlainCell(nn.Module):
    """hₜ = φ(W hₜ₋₁ + U xₜ + b), (1), of single operations, so that its graph can be looked at.

    Args:
        input_size, hidden_size: I and H.
        nonlinearity: φ, one of `NONLINEARITIES`.

    Shape: x (B, I), h (B, H) or None for zeros, output (B, H).
    """

    def __init__(self, input_size: int, hidden_size: int, nonlinearity: str = "tanh") -> None:
        super().__init__()
        if nonlinearity not in NONLINEARITIES:
            raise ValueError(
                f"PlainCell(): nonlinearity={nonlinearity!r}, expected one of {', '.join(NONLINEARITIES)}"
            )
        self.nonlinearity = nonlinearity
        self.W = nn.Linear(hidden_size, hidden_size, bias=False)
        self.U = nn.Linear(input_size, hidden_size)

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        if h is None:
            h = zeros((x.shape[0], self.W.in_features), dtype=x.dtype, device=x.device)
        return NONLINEARITIES[self.nonlinearity](self.W(h) + self.U(x))  # (1)


def unrolled_states(cell: nn.Module, x: Tensor, state: Any = None) -> list[Any]:
    """The T states that a cell goes through as it reads x (B, T, I), (2): Tensors, or of an LSTM pairs.

    >>> from minigrad import ones
    >>> [h.shape for h in unrolled_states(PlainCell(3, 2), ones(1, 4, 3))]
    [(1, 2), (1, 2), (1, 2), (1, 2)]
    """
    if x.ndim != 3 or x.shape[1] < 1:
        raise ShapeError(f"unrolled_states(): x {x.shape}, expected (B, T, I) with T at least 1")
    states = []
    for t in range(x.shape[1]):
        state = cell(x[:, t], state)
        states.append(state)
    return states


def state_gradients(cell: nn.Module, x: Tensor, state: Any = None) -> np.ndarray:
    """‖∂L/∂hₜ‖ for t = 1 … T, (T,), where L is the sum of the numbers of h_T.

    Of an LSTM the state is (hₜ, cₜ), and the norm that of both together.

    Args:
        cell: `PlainCell`, `nn.RNNCell`, `nn.LSTMCell` or `nn.GRUCell`.
        x: (B, T, I).
        state: the state before the first step; None for zeros.

    >>> import minigrad as mg
    >>> cell = PlainCell(1, 1, "relu")
    >>> with mg.no_grad():
    ...     _ = cell.W.weight.fill_(2.0), cell.U.bias.fill_(1.0), cell.U.weight.fill_(0.0)
    >>> state_gradients(cell, mg.zeros(1, 5, 1)).tolist()
    [16.0, 8.0, 4.0, 2.0, 1.0]
    """
    states = [parts if isinstance(parts, tuple) else (parts,) for parts in unrolled_states(cell, x, state)]
    flat = [part for parts in states for part in parts]
    found = grad(states[-1][0].sum(), flat, allow_unused=True)  # None: c_T, on which nothing depends
    squares = np.array(
        [0.0 if g is None else (to_numpy(g.array).astype(np.float64) ** 2).sum() for g in found]
    )
    return np.sqrt(squares.reshape(len(states), -1).sum(axis=1))
