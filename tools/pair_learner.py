"""Learning to turn one text into another."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from minigrad.data import PAD, Batch, PairDataset, TokenBatchSampler, collate_pairs
from minigrad.data.resumable import ResumableBatchSampler
from minigrad.metrics import bleu, chrf, error_rate, token_accuracy
from minigrad.models import Seq2Seq, Transformer, coverage_loss
from minigrad.nn import functional as F
from minigrad.tensor import Tensor

from . import plots
from .errors import CommandError, plain
from .examples import Example, Task
from .learner import Learner
from .pair_tasks import read_examples
from .scores import Scores
from .tokenisers import made_tokeniser, vocabulary_of
from .translator import Search, Translation, Translator

LENGTHS = (5, 10, 20, 30, 40, 60, 80)  # tokens: where a row of the table by length ends
PANELS = 4  # examples in attention.png
DRAWN_TARGET = 3  # target tokens in the graph: enough to see the pattern, few enough to read
FIELDS = {"year": (0, 1, 2, 3), "day": (8, 9)}  # ISO 8601: where their digits stand in "2026-11-21"


class PairLearner(Learner):
    """A Translator that learns."""

    units: ClassVar[str] = "pairs"
    picture: str = "attention.png"

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.translator = Translator(config)
        self.model = self.translator.model
        self.label_smoothing: float = config["training"]["label_smoothing"]
        self.attention_penalty: float = config["training"]["attention_penalty"]
        if isinstance(self.model, Seq2Seq | Transformer) and self.attention_penalty:
            raise CommandError(
                f"training.attention_penalty: the model {config['model']['name']} has no weights to be "
                "penalised; attention, bahdanau, luong, local and coverage have"
            )
        if isinstance(self.model, Seq2Seq):
            self.picture = ""  # there is no attention to be drawn

    @staticmethod
    def decided(task: Task, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Tokenisers, vocabularies, and how long a text may become."""
        data = settings["data"]
        sides = [[getattr(example, side) for example in task.train] for side in ("source", "target")]
        names = [data["tokeniser"], data["target_tokeniser"] or data["tokeniser"]]
        if names[0] == names[1]:
            tokenisers = [made_tokeniser(names[0], sides[0] + sides[1], data["merges"])] * 2
        else:
            pieces = zip(names, sides, strict=True)
            tokenisers = [made_tokeniser(name, texts, data["merges"]) for name, texts in pieces]
        sequences = [
            [tokeniser.tokenise(text) for text in texts]
            for tokeniser, texts in zip(tokenisers, sides, strict=True)
        ]
        source, target = map(vocabulary_of, tokenisers, sequences)
        heldout = [tokenisers[0].tokenise(example.source) for example in task.heldout]
        max_length = 2 * max(map(len, sequences[1])) + 2
        return {
            "max_length": max_length,
            "longest": max(max_length, *map(len, sequences[0] + heldout)),
            "model": {"source_vocabulary": len(source), "target_vocabulary": len(target)},
            "source_tokeniser": tokenisers[0].to_json(),
            "target_tokeniser": tokenisers[1].to_json(),
            "source_vocabulary": source.to_json(),
            "target_vocabulary": target.to_json(),
        }

    def dataset(self, examples: Sequence[Example]) -> PairDataset:
        """The examples as numbers."""
        return self.translator.dataset(examples)

    def sampler(self, dataset: PairDataset) -> ResumableBatchSampler:
        """Pairs of like length: so many of them, or of their tokens."""
        tokens: int = self.config["training"]["batch_tokens"]
        if not tokens:
            return super().sampler(dataset)
        lengths = np.column_stack([dataset.lengths, [len(target) + 1 for target in dataset.targets]])
        try:
            return TokenBatchSampler(lengths, tokens, seed=self.config["seed"])
        except ValueError as error:
            raise CommandError(f"training.batch_tokens: {plain(error)}") from error

    def collate(self, items: list[Any]) -> Batch:
        """Padded, with <sos> and <eos>."""
        return collate_pairs(items)

    def loss(self, batch: Batch) -> Tensor:
        """The mean cross-entropy of the next token, over all real tokens; with the coverage loss if asked."""
        logits, weights = self.model(batch.source, batch.source_lengths, batch.target_in)  # (B, T, V)
        entropy = F.cross_entropy(
            logits.reshape(-1, logits.shape[2]),
            batch.target_out.reshape(-1),
            ignore_index=PAD,
            label_smoothing=self.label_smoothing,
        )
        if not self.attention_penalty:
            return entropy
        return entropy + self.attention_penalty * coverage_loss(weights, batch.target_out != PAD)

    def evaluate(self, examples: Sequence[Example]) -> Scores:
        """Translate every source and compare."""
        return self._scores(examples, self._made(examples, None))

    def evaluate_in_full(self, examples: Sequence[Example], search: Search | None = None) -> Scores:
        """All scores there are, and in `details` the first of them by the length of the source."""
        made = self._made(examples, search)
        scores = self._scores(examples, made)
        said, wanted = self._compared(examples, made)
        rates = {"token_accuracy": token_accuracy(said, wanted), "error_rate": error_rate(said, wanted)}
        first = next(iter(scores.values))
        values = {first: scores.value, **rates, **scores.values}
        self.details = self._by_length(examples, made)
        texts = [found.text for found in made], [example.target for example in examples]
        if any(" " in text for text in texts[1]):  # sentences
            try:
                values |= {"bleu": bleu(*texts), "chrf": chrf(*texts)}
            except ImportError as error:
                self.details.append(f"BLEU and chrF are left out: {plain(error)}")
        return Scores(values, scores.groups, scores.mistakes)

    def _made(self, examples: Sequence[Example], search: Search | None) -> list[Translation]:
        return list(self.translator.translate([example.source for example in examples], search))

    def _compared(
        self, examples: Sequence[Example], made: Sequence[Translation]
    ) -> tuple[list[list[str]], list[list[str]]]:
        """What was said and what was expected, in tokens."""
        tokens = self.translator.target_tokens
        return [tokens(found.text) for found in made], [tokens(example.target) for example in examples]

    def _by_length(self, examples: Sequence[Example], made: Sequence[Translation]) -> list[str]:
        """A table: exact match and error rate of sources of about as many tokens."""
        groups: dict[int, list[int]] = {}
        for place, found in enumerate(made):
            groups.setdefault(bisect_left(LENGTHS, len(found.source_tokens)), []).append(place)
        lines = ["by the length of the source, in tokens"]
        for number, places in sorted(groups.items()):
            first = LENGTHS[number - 1] + 1 if number else 1
            last = f"to {LENGTHS[number]}" if number < len(LENGTHS) else "or more"
            some, theirs = [examples[place] for place in places], [made[place] for place in places]
            right = sum(one.target == found.text for one, found in zip(some, theirs, strict=True))
            lines.append(
                f"  {first:4} {last:8} {len(places):7,} pairs   exact match {right / len(places):8.2%}   "
                f"error rate {error_rate(*self._compared(some, theirs)):8.2%}"
            )
        return lines

    def _scores(self, examples: Sequence[Example], made: Sequence[Translation]) -> Scores:
        """Exact match, in each group too; the error rate if the task asks for it; where dates were read."""
        right: Counter[str] = Counter()
        total: Counter[str] = Counter()
        mistakes: list[tuple[str, str, str]] = []
        looked: list[bool] = []
        for example, found in zip(examples, made, strict=True):
            total[example.group] += 1
            right[example.group] += found.text == example.target
            if found.text != example.target:
                mistakes.append((example.source, example.target, found.text))
            if len(looked) < 100 * 6:  # a hundred dates of six digits
                looked += alignment(example, found)
        values = {"exact": right.total() / max(1, total.total())}
        groups = {group: right[group] / total[group] for group in sorted(total)}
        if self.config["score"] == "error_rate":
            values, groups = {"error_rate": error_rate(*self._compared(examples, made)), **values}, {}
        if looked:
            values["alignment"] = sum(looked) / len(looked)
        return Scores(values, groups, mistakes)

    def read(self, files: Sequence[str]) -> list[Example]:
        """Pairs of other files."""
        return read_examples(self.config["task"], files, self.config["data"])

    def example(self, task: Task) -> str:
        """Its first pair."""
        return f"{task.train[0].source!r} -> {task.train[0].target!r}"

    def try_it(self, folder: str, task: Task) -> list[str]:
        """Translate a source that was held out."""
        return ["minigrad", "translate", folder, task.heldout[0].source]

    def draw_examples(self, examples: Sequence[Example], path: Path) -> None:
        """Where the model looked, in one example of each group."""
        shown = self._one_of_each_group(examples)
        if not shown:
            raise CommandError(f"{path.name}: this model has no attention, or wrote nothing")
        plots.draw_attention([alignment_of(made) for made in shown], path)

    def _one_of_each_group(self, examples: Sequence[Example]) -> list[Translation]:
        """Translations of the first example of up to PANELS groups, without those that cannot be drawn."""
        chosen: dict[str, Example] = {}
        for example in examples:
            chosen.setdefault(example.group, example)
        several = list(chosen.values()) if len(chosen) > 1 else examples
        made = self.translator.translate([example.source for example in several[:PANELS]])
        return [translation for translation in made if translation.weights.size]

    def small_batch(self, dataset: PairDataset) -> Batch:
        """Two pairs, their targets cut."""
        pairs = [dataset[position] for position in range(min(2, len(dataset)))]
        return collate_pairs([(source, target[:DRAWN_TARGET]) for source, target in pairs])


def alignment_of(made: Translation) -> plots.Alignment:
    """A translation as a panel of attention.png."""
    return plots.Alignment(made.weights, made.source_tokens, made.target_tokens, title=made.text)


def alignment(example: Example, made: Translation) -> list[bool]:
    """For each digit of year and day: does its largest weight lie in that field, give or take one position?

    A date that was not written as ten characters is counted as looking elsewhere. An example without fields
    is not counted at all, nor is one whose tokens are not its characters, nor a model without attention.
    """
    if example.spans is None or len(made.source_tokens) != len(example.source) or not made.weights.size:
        return []
    written = len(made.target_tokens) == 11  # with <eos>
    answers = []
    for field, positions in FIELDS.items():
        start, end = getattr(example.spans, field)
        answers += [written and start - 1 <= int(made.weights[t].argmax()) <= end for t in positions]
    return answers
