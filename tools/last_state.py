"""A recurrent network that says one number when it has read a whole series."""

from minigrad import nn
from minigrad.models.rnn_language_model import CELLS
from minigrad.tensor import Tensor


class LastState(nn.Module):
    """y = w·h_T + b,  hₜ = g(xₜ, hₜ₋₁)

    Args:
        hidden_size: of h.
        cell: g, "rnn", "lstm" or "gru".
        layers: how many g are stacked.

    Shape: input (B, T, 2), output (B,).
    """

    def __init__(self, hidden_size: int = 64, cell: str = "lstm", layers: int = 1) -> None:
        super().__init__()
        self.rnn = CELLS[cell](2, hidden_size, layers, batch_first=True)
        self.output = nn.Linear(hidden_size, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The number for each series."""
        h, _ = self.rnn(x)  # (B, T, H)
        return self.output(h[:, -1]).squeeze(1)
