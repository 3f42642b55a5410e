"""What becomes of a gradient on its way back through time: ‖∂L/∂hₜ‖ against t, see models/unrolled.py.

The recurrent matrix is orthogonal, times a radius ρ of 0.8, 1 or 1.25; for ReLU it is ρ times the identity
(Le, Jaitly and Hinton 2015), and all inputs are positive, so that no unit is switched off and the gradient is
ρ to the power of the steps.
"""

from pathlib import Path

import numpy as np

from minigrad import nn
from minigrad.creation import eye
from minigrad.generator import Generator, drawing_from
from minigrad.models import PlainCell, state_gradients
from minigrad.models.unrolled import NONLINEARITIES
from minigrad.modes import no_grad
from minigrad.random import randn
from minigrad.tools.canvas import new_figure, require_matplotlib, tidy, write_png

from .figure import Figure, columns

RADII = (0.8, 1.0, 1.25)
STEPS, BATCH, INPUT, HIDDEN = 50, 8, 4, 16
SPREAD = 0.1  # of the inputs
FORGET_BIAS = 6.0  # of the LSTM: its forget gates are open, as those of one that has learned to remember
LSTM = "LSTM"
COLOURS = dict(zip(RADII, ("#0072b2", "#333333", "#c44e00"), strict=True))
Norms = dict[str, dict[float, np.ndarray]]


def measure() -> Norms:
    """‖∂L/∂hₜ‖, (50,), of each nonlinearity and radius; of the LSTM, which has no radius, under 1."""
    with drawing_from(Generator(0)):
        x = SPREAD * randn(BATCH, STEPS, INPUT)
        norms: Norms = {
            name: {
                radius: state_gradients(_cell(name, radius), abs(x) if name == "relu" else x)
                for radius in RADII
            }
            for name in NONLINEARITIES
        }
        lstm = nn.LSTMCell(INPUT, HIDDEN, forget_bias=FORGET_BIAS)
        norms[LSTM] = {1.0: state_gradients(lstm, x)}
    return norms


def _cell(nonlinearity: str, radius: float) -> PlainCell:
    """A network without bias whose recurrent matrix has the radius."""
    cell = PlainCell(INPUT, HIDDEN, nonlinearity)
    with no_grad():
        cell.U.bias.zero_()
        if nonlinearity == "relu":
            cell.W.weight.copy_(radius * eye(HIDDEN))
            cell.U.weight.copy_(abs(cell.U.weight))
        else:
            nn.init.orthogonal_(cell.W.weight, gain=radius)
    return cell


def table(norms: Norms) -> str:
    """What is left at the first step and in the middle, as a share of what there is at the last."""
    rows = [["network", "radius", f"after {STEPS // 2} steps back", f"after {STEPS - 1}"]]
    for name, by_radius in norms.items():
        for radius, norm in by_radius.items():
            shares = (norm[STEPS - 1 - STEPS // 2] / norm[-1], norm[0] / norm[-1])
            rows.append([name, "" if name == LSTM else f"{radius:g}", *(f"{share:.1e}" for share in shares)])
    return columns(rows)


def draw(norms: Norms, path: Path) -> None:
    """A panel for each network, a line for each radius; the scale is logarithmic."""
    require_matplotlib()
    figure = new_figure(10.5, 3.2, layout="constrained")
    t = np.arange(1, STEPS + 1)
    panels = figure.subplots(1, len(norms), sharex=True, sharey=True)
    for axes, (name, by_radius) in zip(panels, norms.items(), strict=True):
        for radius, norm in by_radius.items():
            axes.plot(t, norm / norm[-1], color=COLOURS[radius], label=f"ρ = {radius:g}")
        axes.set(yscale="log", ylim=(1e-16, 1e6), xlabel="t")
        axes.set_title(name, fontsize=10, loc="left")
        tidy(axes)
    panels[0].set_ylabel("‖∂L/∂hₜ‖ / ‖∂L/∂h_T‖")
    panels[0].legend(frameon=False, fontsize=8)
    write_png(figure, path)


FIGURE = Figure("gradients back through time: vanishing, exploding, kept", measure, table, draw)
