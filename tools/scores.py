"""How good is a translator: exact matches, and whether its attention looks where the answer stands."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .tasks import Example
from .translator import Translation, Translator

# ISO 8601: the positions of the digits of year and day in "2026-11-21"
FIELDS = {"year": (0, 1, 2, 3), "day": (8, 9)}


@dataclass(frozen=True)
class Scores:
    """Shares from 0 to 1: exact matches, over all examples and in each group, and the alignment."""

    exact: float
    groups: dict[str, float]
    alignment: float | None
    mistakes: list[tuple[str, str, str]]  # source, expected, got

    def record(self, step: int, epoch: int) -> dict[str, Any]:
        """What the log says of them."""
        shares: dict[str, Any] = {"step": step, "epoch": epoch, "exact": self.exact, "groups": self.groups}
        return shares if self.alignment is None else {**shares, "alignment": self.alignment}


def evaluate(translator: Translator, examples: Sequence[Example]) -> Scores:
    """Translate every source greedily and compare."""
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    mistakes = []
    looked: list[bool] = []
    for example, made in zip(examples, translator.translate([e.source for e in examples]), strict=True):
        total[example.group] += 1
        if made.text == example.target:
            right[example.group] += 1
        else:
            mistakes.append((example.source, example.target, made.text))
        if len(looked) < 100 * 6:  # a hundred dates of six digits
            looked += alignment(example, made)
    groups = {group: right[group] / total[group] for group in sorted(total)}
    share = sum(looked) / len(looked) if looked else None
    return Scores(sum(right.values()) / max(1, sum(total.values())), groups, share, mistakes)


def alignment(example: Example, made: Translation) -> list[bool]:
    """For each digit of year and day: does its largest weight lie in that field, give or take one position?

    A date that was not written as ten characters is counted as looking elsewhere. An example without fields
    is not counted at all, nor is one whose tokens are not its characters.
    """
    if example.spans is None or len(made.source_tokens) != len(example.source):
        return []
    written = len(made.target_tokens) == 11  # with <eos>
    answers = []
    for field, positions in FIELDS.items():
        start, end = getattr(example.spans, field)
        answers += [written and start - 1 <= int(made.weights[t].argmax()) <= end for t in positions]
    return answers
