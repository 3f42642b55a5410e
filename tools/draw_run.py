"""The pictures of a run: its loss, where the model looks, and the graph of one training step."""

from collections.abc import Callable
from pathlib import Path

from minigrad.data import collate_pairs
from minigrad.graph import Graph, trace
from minigrad.modes import tracing

from . import plots, render
from .errors import CommandError
from .tasks import Example
from .trainer import Trainer
from .translator import Translation

PANELS = 4  # examples in attention.png
DRAWN_TARGET = 3  # target tokens in the graph: enough to see the pattern, few enough to read


def draw_pictures(trainer: Trainer) -> None:
    """Write loss.png, attention.png, graph.dot and graph.svg into the run folder, and say so.

    What cannot be drawn is said with its remedy: the run is complete without it.
    """
    folder = trainer.folder.path
    drawn: list[str] = []
    problems: list[str] = []

    def draw(picture: Callable[[Trainer, Path], None], name: str) -> None:
        try:
            picture(trainer, folder / name)
        except (CommandError, OSError, RuntimeError, ValueError) as error:
            problems.append(str(error))
        else:
            drawn.append(name)

    draw(_draw_losses, "loss.png")
    draw(_draw_attention, "attention.png")
    graph = step_graph(trainer)
    for name in ("graph.dot", "graph.svg"):
        draw(lambda _, path: render.save(graph, path), name)
    print(f"pictures in {folder}: {', '.join(drawn)}")
    for problem in dict.fromkeys(problems):
        print(f"not drawn: {problem}")


def _draw_losses(trainer: Trainer, path: Path) -> None:
    plots.draw_losses(trainer.folder.records(), path)


def _draw_attention(trainer: Trainer, path: Path) -> None:
    """Where the model looked, in one example of each group."""
    shown = one_of_each_group(trainer)
    if not shown:
        raise CommandError(f"{path.name}: the model wrote nothing for the held-out examples")
    plots.draw_attention([alignment_of(made) for made in shown], path)


def alignment_of(made: Translation) -> plots.Alignment:
    """A translation as a panel of attention.png."""
    return plots.Alignment(made.weights, made.source_tokens, made.target_tokens, title=made.text)


def one_of_each_group(trainer: Trainer) -> list[Translation]:
    """Translations of the first held-out example of up to PANELS groups, without empty ones."""
    chosen: dict[str, Example] = {}
    for example in trainer.task.heldout:
        chosen.setdefault(example.group, example)
    examples = list(chosen.values()) if len(chosen) > 1 else trainer.task.heldout
    made = trainer.translator.translate([example.source for example in examples[:PANELS]])
    return [translation for translation in made if translation.weights.size]


def step_graph(trainer: Trainer) -> Graph:
    """The graph of one training step on two pairs, forward and backward, with the norm of every gradient."""
    pairs = [trainer.dataset[position] for position in range(min(2, len(trainer.dataset)))]
    model = trainer.model.train()
    model.zero_grad()
    with tracing():
        loss = trainer.loss(collate_pairs([(source, target[:DRAWN_TARGET]) for source, target in pairs]))
        loss.backward()
    title = "One training step: values forward, gradients back"
    return trace(loss, names=dict(model.named_parameters()), title=title)
