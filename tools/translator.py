"""From text to text with a trained model: tokenise, number, run, and back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from minigrad.creation import as_tensor
from minigrad.data import EOS, PairDataset, Vocabulary, pad_sequences, tokeniser_from_json
from minigrad.models import Hypothesis, Limits, beam_search, greedy

from .errors import CommandError, plain
from .recipes import built

BATCH = 256  # texts decoded at once,
TOKENS = 65_536  # and no more source tokens than this, with padding


@dataclass(frozen=True)
class Translation:
    """One output with what it was made from: tokens of both sides, with <eos>, and their weights (T, S).

    The weights are (0, 0) where the model has no attention, or wrote nothing.
    """

    text: str
    source_tokens: list[str]
    target_tokens: list[str]
    weights: numpy.ndarray


@dataclass(frozen=True)
class Search:
    """How the best text is looked for: see `decoding.beam_search`; a beam of 1 is greedy."""

    beam_size: int = 1
    length_penalty: float = 0.6


class Translator:
    """A model with the tokenisers and the vocabularies that belong to it."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.source_tokeniser = tokeniser_from_json(config["source_tokeniser"])
        self.target_tokeniser = tokeniser_from_json(config["target_tokeniser"])
        self.source = Vocabulary.from_json(config["source_vocabulary"])
        self.target = Vocabulary.from_json(config["target_vocabulary"])
        self.max_length: int = config["max_length"]
        sizes = config["model"]
        if (sizes["source_vocabulary"], sizes["target_vocabulary"]) != (len(self.source), len(self.target)):
            raise ValueError(
                f"the model has {sizes['source_vocabulary']} source and {sizes['target_vocabulary']} target "
                f"tokens, the vocabularies hold {len(self.source)} and {len(self.target)}"
            )
        self.model = built("pairs", sizes)

    def dataset(self, pairs: Sequence[Any]) -> PairDataset:
        """Pairs of texts (with .source and .target) as numbers."""
        sources = [self.source.encode(self.tokens(pair.source)) for pair in pairs]
        return PairDataset(sources, [self.target.encode(self.target_tokens(pair.target)) for pair in pairs])

    def tokens(self, text: str) -> list[str]:
        """The tokens of a source, without the white space at its ends."""
        return self.source_tokeniser.tokenise(text.strip())

    def target_tokens(self, text: str) -> list[str]:
        """The same of a target."""
        return self.target_tokeniser.tokenise(text.strip())

    def unknown(self, text: str) -> list[str]:
        """The tokens of a source text that were never seen in training."""
        return [token for token in self.tokens(text) if token not in self.source]

    def translate(self, texts: Iterable[str], search: Search | None = None) -> Iterator[Translation]:
        """One translation for each text, in order; an empty text gives an empty one."""
        was_training = self.model.training
        self.model.eval()
        try:
            for pieces in _batches(self.tokens(text) for text in texts):
                found = iter(self._decoded([tokens for tokens in pieces if tokens], search or Search()))
                for tokens in pieces:
                    yield next(found) if tokens else Translation("", [], [], _NOWHERE)
        finally:
            self.model.train(was_training)

    def _decoded(self, pieces: list[list[str]], search: Search) -> list[Translation]:
        """The translations of token lists, none of them empty, in one batch."""
        if not pieces:
            return []
        numbers = pad_sequences([self.source.encode(tokens) for tokens in pieces])
        source = as_tensor(numbers, device=next(self.model.parameters()).device)
        limits = Limits(self.max_length)
        try:
            if search.beam_size == 1:
                found = greedy(self.model, source, limits)
            else:
                found = [
                    best
                    for [best] in beam_search(
                        self.model,
                        source,
                        limits,
                        beam_size=search.beam_size,
                        length_penalty=search.length_penalty,
                    )
                ]
        except ValueError as error:  # a source longer than the model's tables, or numbers that are none
            raise CommandError(plain(error)) from error
        return [self._translation(*row) for row in zip(pieces, found, strict=True)]

    def _translation(self, source: list[str], found: Hypothesis) -> Translation:
        """What the numbers that were written say."""
        target = [self.target.tokens[number] for number in found.tokens]
        said = target[:-1] if found.tokens[-1] == EOS else target
        looked = _NOWHERE if found.attention is None else found.attention[:, : len(source)].copy()
        return Translation(self.target_tokeniser.detokenise(said), source, target, looked)


_NOWHERE = numpy.zeros((0, 0))


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
