"""From text to text with a trained model: tokenise, number, run, and back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from minigrad.creation import as_tensor
from minigrad.data import EOS, PAD, SOS, PairDataset, Vocabulary, pad_sequences, tokeniser_by_name
from minigrad.models import AttentionSeq2Seq, AttentionSeq2SeqConfig

from .errors import CommandError, plain
from .run_folder import RunFolder

BATCH = 256  # texts decoded at once,
TOKENS = 65_536  # and no more source tokens than this, with padding


@dataclass(frozen=True)
class Translation:
    """One output with what it was made from: tokens of both sides, with <eos>, and their weights (T, S)."""

    text: str
    source_tokens: list[str]
    target_tokens: list[str]
    weights: numpy.ndarray


class Translator:
    """A model with the tokeniser and the vocabularies that belong to it."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.tokeniser = tokeniser_by_name(config["tokeniser"])
        self.source = Vocabulary.from_json(config["source_vocabulary"])
        self.target = Vocabulary.from_json(config["target_vocabulary"])
        self.max_length: int = config["max_length"]
        sizes = AttentionSeq2SeqConfig(**config["model"])
        if (sizes.source_vocabulary, sizes.target_vocabulary) != (len(self.source), len(self.target)):
            raise ValueError(
                f"the model has {sizes.source_vocabulary} source and {sizes.target_vocabulary} target "
                f"tokens, the vocabularies hold {len(self.source)} and {len(self.target)}"
            )
        self.model = AttentionSeq2Seq(sizes)

    @classmethod
    def from_run(cls, folder: RunFolder) -> "Translator":
        """The translator that a run has trained so far; CommandError if its files do not fit together."""
        config, state = folder.config(), folder.load()
        try:
            translator = cls(config)
            translator.model.load_state_dict(state["model"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CommandError(f"{folder}: config.json and checkpoint do not fit: {plain(error)}") from error
        translator.model.eval()
        return translator

    def dataset(self, pairs: Sequence[Any]) -> PairDataset:
        """Pairs of texts (with .source and .target) as numbers."""
        sources = [self.source.encode(self.tokens(pair.source)) for pair in pairs]
        return PairDataset(sources, [self.target.encode(self.tokens(pair.target)) for pair in pairs])

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text, without the white space at its ends."""
        return self.tokeniser.tokenise(text.strip())

    def unknown(self, text: str) -> list[str]:
        """The tokens of a source text that were never seen in training."""
        return [token for token in self.tokens(text) if token not in self.source]

    def translate(self, texts: Iterable[str]) -> Iterator[Translation]:
        """One translation for each text, in order; an empty text gives an empty one."""
        was_training = self.model.training
        self.model.eval()
        try:
            for pieces in _batches(self.tokens(text) for text in texts):
                found = iter(self._decoded([tokens for tokens in pieces if tokens]))
                for tokens in pieces:
                    yield next(found) if tokens else Translation("", [], [], numpy.zeros((0, 0)))
        finally:
            self.model.train(was_training)

    def _decoded(self, pieces: list[list[str]]) -> list[Translation]:
        """The translations of token lists, none of them empty, in one batch."""
        if not pieces:
            return []
        numbers = [self.source.encode(tokens) for tokens in pieces]
        lengths = as_tensor(numpy.array([len(row) for row in numbers]))
        written, weights = self.model.greedy(as_tensor(pad_sequences(numbers)), lengths, self.max_length)
        rows = zip(pieces, written.tolist(), weights.numpy(), strict=True)
        return [self._translation(*row) for row in rows]

    def _translation(self, source: list[str], written: list[int], weights: numpy.ndarray) -> Translation:
        """What the numbers that were written say; <pad> and <sos> say nothing."""
        end = written.index(EOS) + 1 if EOS in written else len(written)
        places = [t for t in range(end) if written[t] not in (PAD, SOS)]
        target = [self.target.tokens[written[t]] for t in places]
        said = target[:-1] if EOS in written else target
        return Translation(
            self.tokeniser.detokenise(said), source, target, weights[places][:, : len(source)].copy()
        )


def _batches(rows: Iterable[list[str]]) -> Iterator[list[list[str]]]:
    """Rows in their order, BATCH of them at a time, or fewer where they are long."""
    batch: list[list[str]] = []
    longest = 0
    for row in rows:
        longest = max(longest, len(row))
        if len(batch) == BATCH or (batch and (len(batch) + 1) * longest > TOKENS):
            yield batch
            batch, longest = [], len(row)
        batch.append(row)
    if batch:
        yield batch
