"""Learning to predict a series from its past."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from minigrad.creation import as_tensor
from minigrad.models import AutoRegressive
from minigrad.models.autoregressive import SeriesModel
from minigrad.modes import no_grad
from minigrad.tensor import Tensor

from .errors import CommandError
from .examples import Task
from .learner import Learner
from .recipes import built
from .scores import Scores
from .series_plots import draw_forecast

AHEAD = 10  # steps of a forecast that is scored
DRAWN = 60  # steps of the one that is drawn


class SeriesBatch(NamedTuple):
    """Pieces of a series."""

    x: Tensor  # (B, T)
    tokens: int


class SeriesLearner(Learner):
    """A model of a series, in units of its mean and its deviation.

    What is held out is the end of a series, an example (history, values): the history is not tested on.
    """

    units: ClassVar[str] = "observations"
    picture: str = "forecast.png"
    model: SeriesModel

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.mean, self.deviation = float(config["mean"]), float(config["deviation"])
        self.length: int = config["data"]["length"]
        self.model = built("series", config["model"])  # type: ignore[assignment]

    @staticmethod
    def decided(task: Task, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Mean and deviation of the series, and how many pieces of it there are to learn."""
        series, length = np.concatenate(task.train), settings["data"]["length"]
        if len(series) <= length + AHEAD or length <= settings["model"].get("order", 1):
            raise CommandError(
                f"the series has {len(series)} observations to train on, in pieces of {length}; expected "
                f"more than {length + AHEAD} observations, and pieces longer than the order of the model"
            )
        return {
            "model": {},
            "mean": float(series.mean()),
            "deviation": float(series.std()) or 1.0,
            "examples": len(_pieces(series, length)),
        }

    def scaled(self, series: np.ndarray) -> np.ndarray:
        """The series as the model sees it."""
        return ((series - self.mean) / self.deviation).astype(np.float32)

    def dataset(self, examples: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Pieces of it, which overlap."""
        return _pieces(self.scaled(np.concatenate(examples)), self.length)

    def collate(self, items: list[Any]) -> SeriesBatch:
        """The pieces side by side."""
        x = np.stack(items)
        return SeriesBatch(as_tensor(x), x.size)

    def loss(self, batch: SeriesBatch) -> Tensor:
        """The mean squared error of the next observation."""
        predicted = self.model(batch.x)[:, :-1]
        return ((predicted - batch.x[:, self.model.order :]) ** 2).mean()

    def fit(self, dataset: list[np.ndarray]) -> None:
        """Least squares, if there is anything to fit."""
        if isinstance(self.model, AutoRegressive):
            self.model.fit(as_tensor(np.stack(dataset)))

    @no_grad()
    def evaluate(self, examples: Sequence[tuple[np.ndarray, np.ndarray]]) -> Scores:
        """The squared errors of the next observation, and of the one that is ten steps ahead."""
        (near, far), counts = np.zeros(2), np.zeros(2)
        for history, values in examples:
            x = self.scaled(np.concatenate([history, values]))
            predicted = self._predicted(x)[-len(values) :]
            near += ((predicted - x[-len(values) :]) ** 2).sum()
            starts = range(len(history), len(x) - AHEAD + 1)
            past = np.stack([x[start - len(history) : start] for start in starts])
            ahead = self._forecast(past, AHEAD)[:, -1]
            far += ((ahead - x[len(history) + AHEAD - 1 :]) ** 2).sum()
            counts += len(values), len(starts)
        means = {"squared_error": near / counts[0], "forecast_error": far / counts[1]}
        return Scores({name: float(value) for name, value in means.items()})

    def _predicted(self, x: np.ndarray) -> np.ndarray:
        """What is predicted for the series (T,) from its second observation on, at most T - 1 of them."""
        return self.model(as_tensor(x[None, :-1], device=self.place)).cpu().numpy()[0]

    def _forecast(self, past: np.ndarray, steps: int) -> np.ndarray:
        """The steps (B, steps) that follow each past (B, T)."""
        return self.model.forecast(as_tensor(past, device=self.place), steps).cpu().numpy()

    def counted(self, examples: Sequence[tuple[np.ndarray, np.ndarray]]) -> str:
        """In observations."""
        return f"{sum(len(values) for _, values in examples):,} observations"

    def size(self, task: Task) -> str:
        """In observations."""
        return (
            f"{sum(map(len, task.train)):,} observations to train on, {self.counted(task.heldout)} held out"
        )

    def example(self, task: Task) -> str:
        """How the series begins."""
        return ", ".join(f"{value:.3g}" for value in task.train[0][:8]) + ", ..."

    def try_it(self, folder: str, task: Task) -> list[str]:  # noqa: ARG002
        """Test it again."""
        return ["minigrad", "evaluate", folder]

    @no_grad()
    def draw_examples(self, examples: Sequence[tuple[np.ndarray, np.ndarray]], path: Path) -> None:
        """What was held out, each step predicted from those before it, and all from the history alone."""
        history, values = examples[0]
        x = self.scaled(np.concatenate([history, values]))
        one = self._predicted(x)[-len(values) :]
        steps = min(DRAWN, len(values))
        many = self._forecast(x[None, : len(history)], steps)[0]
        lines = {
            "observed": values[:steps],
            "one step ahead": one[:steps] * self.deviation + self.mean,
            f"{steps} steps from the first": many * self.deviation + self.mean,
        }
        draw_forecast(lines, path)


def _pieces(series: np.ndarray, length: int) -> list[np.ndarray]:
    """Pieces of so many observations, which begin a quarter of that apart."""
    return [
        series[start : start + length] for start in range(0, len(series) - length + 1, max(1, length // 4))
    ]
