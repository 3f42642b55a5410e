"""From text to text with a trained model: tokenise, number, run, and back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from minigrad.creation import as_tensor
from minigrad.data import EOS, PairDataset, Vocabulary, pad_sequences, tokeniser_by_name
from minigrad.models import AttentionSeq2Seq, AttentionSeq2SeqConfig

from .errors import CommandError
from .run_folder import RunFolder

BATCH = 256  # sentences decoded at once


@dataclass(frozen=True)
class Translation:
    """One output with what it was made from: tokens on both sides (the target's with <eos>), weights (T, S)."""

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
        self.model = AttentionSeq2Seq(AttentionSeq2SeqConfig(**config["model"]))

    @classmethod
    def from_run(cls, folder: RunFolder) -> "Translator":
        """The translator that a run has trained so far; CommandError if its files do not fit together."""
        try:
            translator = cls(folder.config())
            translator.model.load_state_dict(folder.load()["model"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CommandError(f"{folder}: the run cannot be loaded: {error}") from error
        translator.model.eval()
        return translator

    def encode(self, text: str) -> list[int]:
        """The numbers of a source text."""
        return self.source.encode(self.tokeniser.tokenise(text))

    def dataset(self, pairs: Sequence[Any]) -> PairDataset:
        """Pairs of texts (with .source and .target) as numbers."""
        sources = [self.encode(pair.source) for pair in pairs]
        return PairDataset(
            sources, [self.target.encode(self.tokeniser.tokenise(pair.target)) for pair in pairs]
        )

    def translate(self, texts: Sequence[str]) -> Iterator[Translation]:
        """One translation for each text, in order; an empty text gives an empty one."""
        was_training = self.model.training
        self.model.eval()
        for start in range(0, len(texts), BATCH):
            yield from self._batch(texts[start : start + BATCH])
        self.model.train(was_training)

    def _batch(self, texts: Sequence[str]) -> Iterator[Translation]:
        pieces = [self.tokeniser.tokenise(text) for text in texts]
        filled = [i for i, tokens in enumerate(pieces) if tokens]
        found = iter(self._decoded([pieces[i] for i in filled]) if filled else [])
        for tokens in pieces:
            yield next(found) if tokens else Translation("", [], [], numpy.zeros((0, 0)))

    def _decoded(self, pieces: list[list[str]]) -> list[Translation]:
        """The translations of token lists, none of them empty, in one batch."""
        numbers = [self.source.encode(tokens) for tokens in pieces]
        source = as_tensor(pad_sequences(numbers))
        lengths = as_tensor(numpy.array([len(n) for n in numbers]))
        written, weights = self.model.greedy(source, lengths, self.max_length)
        made = []
        for tokens, row, look in zip(pieces, written.tolist(), weights.numpy(), strict=True):
            said = self.target.decode(row)
            steps = len(said) + (EOS in row)
            shown = [*said, "<eos>"][:steps]
            made.append(
                Translation(self.tokeniser.detokenise(said), tokens, shown, look[:steps, : len(tokens)])
            )
        return made
