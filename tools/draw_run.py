"""The pictures of a run: its loss, where the model looks, and the graph of one training step."""

from typing import Any

from minigrad.data import collate_pairs
from minigrad.graph import Graph, trace
from minigrad.modes import tracing

from . import plots, render
from .trainer import Trainer
from .translator import Translation

PANELS = 4  # examples in attention.png
DRAWN_TARGET = 3  # target tokens in the graph: enough to see the pattern, few enough to read


def draw_pictures(trainer: Trainer) -> None:
    """Write loss.png, attention.png, graph.dot and graph.svg into the run folder, and say so."""
    folder = trainer.folder.path
    plots.draw_losses(trainer.folder.records(), folder / "loss.png")
    shown = one_of_each_group(trainer)
    plots.draw_attention([alignment_of(made) for made in shown], folder / "attention.png")
    drawing = render.draw(step_graph(trainer), folder / "graph", ("dot", "svg"))
    names = ["loss.png", "attention.png", *[path.name for path in drawing.written]]
    print(f"pictures in {folder}: {', '.join(names)}")
    for problem in drawing.problems:
        print(f"  {problem}")


def alignment_of(made: Translation) -> plots.Alignment:
    """A translation as a panel of attention.png."""
    return plots.Alignment(made.weights, made.source_tokens, made.target_tokens, title=made.text)


def one_of_each_group(trainer: Trainer) -> list[Translation]:
    """Translations of the first held-out example of up to PANELS groups."""
    chosen: dict[str, Any] = {}
    for example in trainer.task.heldout:
        chosen.setdefault(example.group, example)
    examples = list(chosen.values()) if len(chosen) > 1 else trainer.task.heldout
    made = trainer.translator.translate([example.source for example in examples[:PANELS]])
    return [translation for translation in made if translation.source_tokens and translation.target_tokens]


def step_graph(trainer: Trainer) -> Graph:
    """The graph of one training step on two pairs, forward and backward, with the norm of every gradient."""
    dataset = trainer.loader.dataset
    pairs = [(source, target[:DRAWN_TARGET]) for source, target in (dataset[0], dataset[1])]
    model = trainer.model
    gradients = [parameter.grad for parameter in model.parameters()]
    with tracing():
        loss = trainer.loss(collate_pairs(pairs))
        loss.backward()
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        parameter.grad = gradient
    return trace(loss, names=dict(model.named_parameters()), title="One training step: values forward, gradients back")
