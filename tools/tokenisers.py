"""The tokenisers of a run: by name from its settings, learnt from its texts where they are to be learnt."""

from collections.abc import Iterable, Sequence

from minigrad.data import (
    BytePairTokeniser,
    DataError,
    SentencePieceTokeniser,
    Tokeniser,
    Vocabulary,
    tokeniser_by_name,
)

from .errors import CommandError, plain


def made_tokeniser(name: str, texts: Iterable[str], merges: int) -> Tokeniser:
    """The tokeniser of a name: character, word, jamo, byte_pair, or the file of a sentencepiece model."""
    if name == BytePairTokeniser.name:
        return BytePairTokeniser.learn(texts, merges=merges)
    if not name.endswith(".model"):
        return tokeniser_by_name(name)
    try:
        return SentencePieceTokeniser.read(name)
    except (DataError, ImportError) as error:
        raise CommandError(plain(error)) from error


def vocabulary_of(tokeniser: Tokeniser, sequences: Sequence[Sequence[str]]) -> Vocabulary:
    """All that a tokeniser with pieces of its own can say; else what occurs in the sequences."""
    if isinstance(tokeniser, BytePairTokeniser | SentencePieceTokeniser):
        return tokeniser.vocabulary()
    return Vocabulary.build(sequences)
