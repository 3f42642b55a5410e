"""The numbers by which models are judged: what each is called, how it is written, and which way is better."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Metric:
    """A kind of score."""

    name: str
    form: str
    higher_is_better: bool

    def written(self, value: float) -> str:
        """The number as it is printed."""
        return self.form.format(value)

    def better(self, value: float, than: float | None) -> bool:
        """Is it better than another, or is there no other?"""
        return than is None or (value > than if self.higher_is_better else value < than)


METRICS = {
    "exact": Metric("exact match", "{:.2%}", higher_is_better=True),
    "token_accuracy": Metric("token accuracy", "{:.2%}", higher_is_better=True),
    "error_rate": Metric("error rate", "{:.2%}", higher_is_better=False),
    "bleu": Metric("BLEU", "{:.1f}", higher_is_better=True),
    "chrf": Metric("chrF", "{:.1f}", higher_is_better=True),
    "perplexity": Metric("perplexity", "{:.3f}", higher_is_better=False),
    "bits_per_character": Metric("bits per character", "{:.3f}", higher_is_better=False),
    "squared_error": Metric("squared error", "{:.5f}", higher_is_better=False),
    "forecast_error": Metric("squared error ten steps ahead", "{:.5f}", higher_is_better=False),
    "alignment": Metric(
        "digits of year and day that look at their own field", "{:.1%}", higher_is_better=True
    ),
}


@dataclass(frozen=True)
class Scores:
    """What a model reaches on examples: values by their name in METRICS, the one that it is judged by first.

    `groups` has that first one for each group of examples; `mistakes` are (source, expected, got).
    """

    values: Mapping[str, float]
    groups: Mapping[str, float] = field(default_factory=dict)
    mistakes: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def metric(self) -> Metric:
        """What the first value is."""
        return METRICS[next(iter(self.values))]

    @property
    def value(self) -> float:
        """The first value."""
        return next(iter(self.values.values()))

    def record(self, step: int, epoch: int) -> dict[str, Any]:
        """What the log says of them: the first value behind the epoch, then the groups, then the others."""
        (first, value), *rest = self.values.items()
        groups = {"groups": dict(self.groups)} if self.groups else {}
        return {"step": step, "epoch": epoch, first: value, **groups, **dict(rest)}


def scored(record: Mapping[str, Any]) -> tuple[str, float] | None:
    """The first score in a line of the log, by its name; None if the line is none of scores."""
    if "loss" in record:
        return None
    return next(((name, value) for name, value in record.items() if name in METRICS), None)


def report(scores: Scores) -> str:
    """Scores as they are printed at the end of a run."""
    metric = scores.metric
    lines = [f"held-out {metric.name}"]
    lines += [f"  {group:8} {metric.written(value):>8}" for group, value in scores.groups.items()]
    if len(scores.groups) != 1:
        lines.append(f"  {'all':8} {metric.written(scores.value):>8}")
    for name, value in list(scores.values.items())[1:]:
        lines.append(f"{METRICS[name].name}: {METRICS[name].written(value)}")
    for source, expected, got in scores.mistakes[:3]:
        lines.append(f"  mistake: {source!r} -> {got!r}, expected {expected!r}")
    return "\n".join(lines)
