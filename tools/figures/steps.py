"""All words at once: how many operations wait for one another, and how many tokens a second go through.

Four models of one size read a source and, told the target, write one of the same length. The steps are
counted on the tape of one pass (`minigrad.chains.longest_chain`); the tokens, of source and target, over
passes without a tape.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from minigrad import nn
from minigrad.chains import longest_chain
from minigrad.creation import full
from minigrad.generator import Generator, drawing_from
from minigrad.models import (
    AttentionSeq2Seq,
    AttentionSeq2SeqConfig,
    Seq2Seq,
    Seq2SeqConfig,
    Transformer,
    TransformerConfig,
)
from minigrad.modes import no_grad
from minigrad.tensor import Tensor
from minigrad.tools.canvas import new_figure, require_matplotlib, tidy, write_png

from .figure import Figure, columns

LENGTHS = (8, 16, 32, 64, 128)
VOCABULARY, SIZE, BATCH, PASSES = 30, 64, 16, 5
Costs = dict[str, dict[int, "Cost"]]


class Cost(NamedTuple):
    """Of a model, at one length."""

    steps: int  # operations that wait for one another
    speed: float  # tokens a second, in the fastest of a few passes


def models() -> dict[str, nn.Module]:
    """The four, with one hidden size; the Transformer has two layers on each side, as is usual."""
    both: dict[str, Any] = {"source_vocabulary": VOCABULARY, "target_vocabulary": VOCABULARY}
    sizes: dict[str, Any] = {"embedding_size": SIZE, "hidden_size": SIZE}
    made: dict[str, nn.Module] = {
        "RNN": Seq2Seq(Seq2SeqConfig.tiny(cell="rnn", **both, **sizes)),
        "LSTM": Seq2Seq(Seq2SeqConfig.tiny(cell="lstm", **both, **sizes)),
        "attention": AttentionSeq2Seq(AttentionSeq2SeqConfig(**both, **sizes)),
        "Transformer": Transformer(TransformerConfig.tiny(model_size=SIZE, feed_forward=SIZE, **both)),
    }
    return {name: model.eval() for name, model in made.items()}


def measure(lengths: Sequence[int] = LENGTHS) -> Costs:
    """Steps and speed of each model at each length."""
    with drawing_from(Generator(0)):
        return {
            name: {length: Cost(steps(model, length), speed(model, length)) for length in lengths}
            for name, model in models().items()
        }


def steps(model: nn.Module, length: int) -> int:
    """How many operations wait for one another in a pass over texts of this length."""
    logits, _ = model(*_texts(1, length))
    return longest_chain(logits)


def speed(model: nn.Module, length: int) -> float:
    """Tokens a second; the first pass is not counted, since it makes what the others find made."""
    texts, taken = _texts(BATCH, length), []
    with no_grad():
        model(*texts)
        for _ in range(PASSES):
            began = time.perf_counter()
            model(*texts)
            taken.append(time.perf_counter() - began)
    return 2 * BATCH * length / min(taken)


def _texts(batch: int, length: int) -> tuple[Tensor, Tensor, Tensor]:
    """A source (B, S), its lengths (B,), and a target (B, T)."""
    tokens = full((batch, length), 5)
    return tokens, full((batch,), length), tokens


def table(costs: Costs) -> str:
    """The steps of each model by length, then its tokens a second."""
    lengths = list(next(iter(costs.values())))
    rows = [["operations in a row, length", *map(str, lengths)]]
    rows += [[name, *(f"{costs[name][n].steps:,}" for n in lengths)] for name in costs]
    rows += [["", *[""] * len(lengths)], ["tokens a second, length", *map(str, lengths)]]
    rows += [[name, *(f"{costs[name][n].speed:,.0f}" for n in lengths)] for name in costs]
    return columns(rows)


def draw(costs: Costs, path: Path) -> None:
    """Two panels: operations in a row, and tokens a second, both against the length."""
    require_matplotlib()
    figure = new_figure(8.4, 3.4, layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, by_length in costs.items():
        left.plot(
            list(by_length), [cost.steps for cost in by_length.values()], "o-", markersize=4, label=name
        )
        right.plot(list(by_length), [cost.speed for cost in by_length.values()], "o-", markersize=4)
    for axes, title in ((left, "operations in a row"), (right, "tokens a second")):
        axes.set(xscale="log", yscale="log", xlabel="tokens", ylabel=title)
        axes.set_xticks(list(by_length), labels=list(map(str, by_length)))
        axes.minorticks_off()
        tidy(axes)
    left.legend(frameon=False, fontsize=8)
    write_png(figure, path)


FIGURE = Figure("operations that wait for one another, and tokens a second, by length", measure, table, draw)
