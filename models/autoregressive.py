"""Predicting a series from itself: naive, autoregressive and latent autoregressive models.

George Udny Yule, "On a method of investigating periodicities in disturbed series, with special reference to
Wolfer's sunspot numbers", Philosophical Transactions of the Royal Society A 226, 1927, for (2); Jeffrey
Elman, "Finding structure in time", Cognitive Science 14, 1990, for (3).

The question with which all sequence models begin: what comes next, when the past grows longer with every
step and a function has a fixed number of arguments?

    x̂ₜ₊₁ = xₜ                                      naive: tomorrow will be as today                     (1)
    x̂ₜ₊₁ = c + φ₁ xₜ + … + φₙ xₜ₊₁₋ₙ               AR(n): a window of n values; with n = 1 the past     (2)
                                                   matters through the present alone: Markov
    x̂ₜ₊₁ = w·hₜ + b,  hₜ = g(xₜ, hₜ₋₁)              latent: a state that sums up all of the past        (3)

The weakness of the one before, twice: (1) knows no direction, (2) forgets what lies n steps back, and to look
farther needs more parameters. (3) has as many for a past of any length; g is a recurrent unit.

All of them predict one step, x̂ₜ₊₁ from x₁ … xₜ. To predict k steps, a prediction is taken for an
observation, and errors are fed back with it: they grow with k (`forecast`).

Shapes: B series, T observations, n the order.
"""

import numpy as np

from minigrad import nn
from minigrad.backend import to_numpy
from minigrad.creation import as_tensor
from minigrad.errors import ShapeError
from minigrad.functions import cat, stack
from minigrad.modes import no_grad
from minigrad.tensor import Tensor

from .rnn_language_model import CELLS


class SeriesModel(nn.Module):
    """What the three share: one prediction after the first `order` observations, and after each that follows.

    `forward` gives x̂ of steps order + 1 … T + 1, (B, T - order + 1), for series (B, T).
    """

    order: int = 1

    @no_grad()
    def forecast(self, x: Tensor, steps: int) -> Tensor:
        """Predict the `steps` values (B, steps) that follow the series (B, T), each from those before it."""
        self.check(x)
        predicted = []
        for _ in range(steps):
            x = x[:, -self.order :]
            predicted.append(self(x)[:, -1:])
            x = cat([x, predicted[-1]], dim=1)
        return cat(predicted, dim=1)

    def check(self, x: Tensor) -> None:
        """ShapeError unless these are series that are long enough."""
        if x.ndim != 2 or x.shape[1] < self.order:
            raise ShapeError(
                f"{type(self).__name__}(): series {x.shape}, expected (B, T) with T at least {self.order}"
            )


class Naive(SeriesModel):
    """x̂ₜ₊₁ = xₜ: what every other model must beat, (1).

    >>> from minigrad import tensor
    >>> Naive().forecast(tensor([[1.0, 3.0]]), 2).tolist()
    [[3.0, 3.0]]
    """

    def forward(self, x: Tensor) -> Tensor:
        self.check(x)
        return x


class AutoRegressive(SeriesModel):
    """x̂ₜ₊₁ = c + Σᵢ φᵢ xₜ₊₁₋ᵢ, (2)

    Args:
        order: n; 1 makes it a Markov model.

    `linear.weight` (1, n) holds φₙ … φ₁, the oldest first, `linear.bias` c.

    >>> from minigrad import tensor
    >>> AutoRegressive(1).fit(tensor([[1.0, 2.0, 4.0, 8.0]])).forecast(tensor([[16.0]]), 2).round().tolist()
    [[32.0, 64.0]]
    """

    def __init__(self, order: int) -> None:
        super().__init__()
        if order < 1:
            raise ValueError(f"AutoRegressive(): order={order}, expected at least 1")
        self.order = order
        self.linear = nn.Linear(order, 1)

    def forward(self, x: Tensor) -> Tensor:
        self.check(x)
        count = x.shape[1] - self.order + 1
        windows = stack([x[:, i : i + count] for i in range(self.order)], dim=2)  # (B, T - n + 1, n)
        return self.linear(windows).squeeze(2)  # (2)

    @no_grad()
    def fit(self, x: Tensor) -> "AutoRegressive":
        """Take the c and φ of least squares for the series (B, T); returns self. They can be trained as well.

        Of all solutions, where several are the best, the smallest.
        """
        if x.ndim != 2 or x.shape[1] <= self.order:
            raise ShapeError(
                f"AutoRegressive.fit(): series {x.shape}, expected (B, T), T more than the order {self.order}"
            )
        series = to_numpy(x.array)
        windows = np.lib.stride_tricks.sliding_window_view(series, self.order + 1, axis=1)
        rows = windows.reshape(-1, self.order + 1).astype(np.float64)  # n values and the one that followed
        ones = np.ones((len(rows), 1))
        found, *_ = np.linalg.lstsq(np.concatenate([rows[:, :-1], ones], axis=1), rows[:, -1], rcond=None)
        for parameter, value in ((self.linear.weight, found[:-1]), (self.linear.bias, found[-1:])):
            made = value.reshape(parameter.shape).astype(parameter.dtype)
            parameter.copy_(as_tensor(made, device=parameter.device))
        return self


class LatentAutoRegressive(SeriesModel):
    """x̂ₜ₊₁ = w·hₜ + b,  hₜ = g(xₜ, hₜ₋₁), (3)

    Args:
        hidden_size: of h.
        cell: g, "rnn", "lstm" or "gru".

    >>> from minigrad import ones
    >>> model = LatentAutoRegressive(8)
    >>> model(ones(2, 5)).shape, model.forecast(ones(2, 5), 3).shape
    ((2, 5), (2, 3))
    """

    def __init__(self, hidden_size: int, cell: str = "gru") -> None:
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"LatentAutoRegressive(): cell={cell!r}, expected one of {', '.join(CELLS)}")
        self.rnn = CELLS[cell](1, hidden_size, batch_first=True)
        self.output = nn.Linear(hidden_size, 1)

    def forward(self, x: Tensor) -> Tensor:
        self.check(x)
        h, _ = self.rnn(x.unsqueeze(2))  # (B, T, H)
        return self.output(h).squeeze(2)  # (3)

    @no_grad()
    def forecast(self, x: Tensor, steps: int) -> Tensor:
        """As for every series, but that the state is kept from step to step."""
        self.check(x)
        h, state = self.rnn(x.unsqueeze(2))
        predicted = [self.output(h[:, -1])]  # (B, 1)
        for _ in range(steps - 1):
            h, state = self.rnn(predicted[-1].unsqueeze(2), state)
            predicted.append(self.output(h[:, -1]))
        return cat(predicted, dim=1)
