"""Learning to continue a text: language models, which say what comes next after each token."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from minigrad.creation import as_tensor
from minigrad.data import EOS, PAD, UNK, Vocabulary, move_batch, pad_sequences, read_text, tokeniser_from_json
from minigrad.generator import Generator
from minigrad.metrics import bits_per_character, perplexity
from minigrad.models import LanguageModel, Limits, MarkovChain, greedy
from minigrad.modes import no_grad
from minigrad.nn import functional as F
from minigrad.tensor import Tensor

from .errors import CommandError, plain
from .examples import Task
from .learner import Learner
from .recipes import built
from .scores import Scores
from .tokenisers import made_tokeniser, vocabulary_of

TESTED_AT_ONCE = 64  # pieces
DRAWN = 4  # tokens in the graph: enough to see the pattern, few enough to read


class TextBatch(NamedTuple):
    """Pieces of a text, and the same shifted by one."""

    read: Tensor  # (B, T), padded with <pad>
    said: Tensor  # (B, T)
    tokens: int


class TextLearner(Learner):
    """A language model with its tokeniser and its vocabulary; a text is learned in pieces of equal length."""

    units: ClassVar[str] = "tokens"
    model: LanguageModel

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.tokeniser = tokeniser_from_json(config["tokeniser"])
        self.vocabulary = Vocabulary.from_json(config["vocabulary"])
        if config["model"]["vocabulary"] != len(self.vocabulary):
            raise ValueError(
                f"the model has {config['model']['vocabulary']} tokens, the vocabulary {len(self.vocabulary)}"
            )
        self.length: int = config["data"]["length"]
        self.label_smoothing: float = config["training"]["label_smoothing"]
        self.model = built("text", config["model"])  # type: ignore[assignment]

    @staticmethod
    def decided(task: Task, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Tokeniser, vocabulary, and how many pieces there are to learn."""
        data = settings["data"]
        tokeniser = made_tokeniser(data["tokeniser"], task.train, data["merges"])
        sequences = [tokeniser.tokenise(text) for text in task.train]
        vocabulary = vocabulary_of(tokeniser, sequences)
        return {
            "longest": data["length"],
            "examples": math.ceil((sum(map(len, sequences)) - 1) / data["length"]),
            "model": {"vocabulary": len(vocabulary)},
            "tokeniser": tokeniser.to_json(),
            "vocabulary": vocabulary.to_json(),
        }

    def numbers(self, text: str) -> np.ndarray:
        """The tokens of a text as numbers."""
        return np.array(self.vocabulary.encode(self.tokeniser.tokenise(text)), dtype=np.int64)

    def dataset(self, examples: Sequence[str]) -> list[np.ndarray]:
        """Pieces of `length` tokens, each with the token that follows it."""
        pieces = []
        for text in examples:
            numbers = self.numbers(text)
            starts = range(0, len(numbers) - 1, self.length)
            pieces += [numbers[start : start + self.length + 1] for start in starts]
        return pieces

    def collate(self, items: list[Any]) -> TextBatch:
        """The pieces side by side."""
        rows = pad_sequences(items)  # (B, T + 1)
        tokens = sum(len(item) - 1 for item in items)
        return TextBatch(as_tensor(rows[:, :-1].copy()), as_tensor(rows[:, 1:].copy()), tokens)

    def loss(self, batch: TextBatch) -> Tensor:
        """The mean cross-entropy of the next token."""
        return self._entropy(batch, "mean", label_smoothing=self.label_smoothing)[0]

    def _entropy(
        self, batch: TextBatch, reduction: str, state: Any = None, label_smoothing: float = 0.0
    ) -> tuple[Tensor, Any]:
        """The cross-entropy behind what the state has read, and the state behind the batch."""
        logits, state = self.model(batch.read, state)  # (B, T, V)
        entropy = F.cross_entropy(
            logits.reshape(-1, logits.shape[2]),
            batch.said.reshape(-1),
            ignore_index=PAD,
            reduction=reduction,
            label_smoothing=label_smoothing,
        )
        return entropy, state

    def fit(self, dataset: list[np.ndarray]) -> None:
        """Count what follows what."""
        assert isinstance(self.model, MarkovChain), "the others are trained by gradients"
        text = np.concatenate([piece[:-1] for piece in dataset] + [dataset[-1][-1:]])
        self.model.fit(as_tensor(text[None]))

    @no_grad()
    def evaluate(self, examples: Sequence[str]) -> Scores:
        """How surprised the model is by each token of the texts.

        A piece is read without what came before it, as in training; a model that was fitted to a whole text
        reads on from piece to piece.
        """
        was_training = self.model.training
        self.model.eval()
        total, tokens = 0.0, 0
        at_once = TESTED_AT_ONCE if self.by_gradient else 1
        for text in examples:
            pieces, state = self.dataset([text]), None
            for start in range(0, len(pieces), at_once):
                batch = move_batch(self.collate(pieces[start : start + at_once]), self.place)
                entropy, after = self._entropy(batch, "sum", state)
                state = None if self.by_gradient else after
                total += entropy.item()
                tokens += batch.tokens
        if not tokens:
            raise CommandError("the text is too short to be tested on; expected two tokens or more")
        self.model.train(was_training)
        characters = max(1, sum(map(len, examples)) - len(examples))  # without the first of each
        bits = bits_per_character(total, characters)
        return Scores({"bits_per_character": bits, "perplexity": perplexity(total, tokens)})

    def continued(
        self,
        prompt: str,
        length: int,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float = 1.0,
        seed: int = 0,
    ) -> str:
        """The prompt with so many tokens behind it; temperature 0 takes the likeliest each time."""
        tokens = self.tokeniser.tokenise(prompt) or [self._first()]
        numbers = np.array([self.vocabulary.encode(tokens)], dtype=np.int64)
        read = as_tensor(numbers, device=self.place)
        limits = Limits(length, length, banned=(EOS, UNK))  # neither stands in a text to learn from
        self.model.eval()
        try:
            if temperature == 0:
                [found] = greedy(self.model, read, limits, first=read[:, -1])
            else:
                [found] = self.model.generate(
                    read,
                    limits,
                    temperature=temperature,
                    top_k=top_k,
                    top_p=top_p,
                    generator=Generator(seed),
                )
        except ValueError as error:  # longer than the model's positions
            raise CommandError(plain(error)) from error
        said = [self.vocabulary.tokens[number] for number in found.tokens]
        return self.tokeniser.detokenise(tokens + said if prompt else said)

    def _first(self) -> str:
        """The token after which a text without a prompt begins: a line's end, or else the commonest token."""
        return "\n" if "\n" in self.vocabulary else self.vocabulary.tokens[4]

    def read(self, files: Sequence[str]) -> list[str]:
        """Other texts."""
        return [read_text(path) for path in files]

    def counted(self, examples: Sequence[str]) -> str:
        """In tokens."""
        return f"{sum(len(self.numbers(text)) for text in examples):,} tokens"

    def size(self, task: Task) -> str:
        """In tokens."""
        return f"{self.counted(task.train)} to train on, {self.counted(task.heldout)} held out"

    def small_batch(self, dataset: list[np.ndarray]) -> TextBatch:
        """The beginnings of two pieces."""
        return self.collate([piece[: DRAWN + 1] for piece in dataset[:2]])

    def example(self, task: Task) -> str:
        """How the text begins."""
        return repr(task.train[0][:60])

    def try_it(self, folder: str, task: Task) -> list[str]:
        """Go on with the words with which the held-out text begins."""
        return ["minigrad", "generate", folder, " ".join(task.heldout[0].split()[:3])]
