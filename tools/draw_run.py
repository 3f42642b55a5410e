"""The pictures of a run: its loss, what the model does with examples, and the graph of a training step."""

from collections.abc import Callable
from pathlib import Path

from minigrad.data import move_batch
from minigrad.graph import Graph, trace
from minigrad.modes import tracing

from . import plots, render
from .errors import CommandError
from .trainer import Trainer


def draw_pictures(trainer: Trainer) -> None:
    """Write loss.png, attention.png, graph.dot and graph.svg into the run folder, and say so.

    What cannot be drawn is said with its remedy: the run is complete without it.
    """
    folder, learner = trainer.folder.path, trainer.learner
    drawn: list[str] = []
    problems: list[str] = []

    def draw(name: str, picture: Callable[[Path], None]) -> None:
        try:
            picture(folder / name)
        except (CommandError, OSError, RuntimeError, ValueError) as error:
            problems.append(str(error))
        else:
            drawn.append(name)

    if learner.by_gradient:
        draw("loss.png", lambda path: plots.draw_losses(trainer.folder.records(), path))
    if learner.picture:
        draw(learner.picture, lambda path: learner.draw_examples(trainer.task.heldout, path))
    if learner.by_gradient:
        graph = step_graph(trainer)
        for name in ("graph.dot", "graph.svg"):
            draw(name, lambda path: render.save(graph, path))
    if drawn:
        print(f"pictures in {folder}: {', '.join(drawn)}")
    for problem in dict.fromkeys(problems):
        print(f"not drawn: {problem}")


def step_graph(trainer: Trainer) -> Graph:
    """The graph of one training step on two examples, forward and backward, with each gradient's norm."""
    if not trainer.learner.by_gradient:
        raise CommandError(f"{trainer.folder} was fitted in one go: it has no training step to be drawn")
    model, learner = trainer.model.train(), trainer.learner
    model.zero_grad()
    with tracing():
        loss = learner.loss(move_batch(learner.small_batch(trainer.dataset), learner.place))
        loss.backward()
    title = "One training step: values forward, gradients back"
    return trace(loss, names=dict(model.named_parameters()), title=title)
