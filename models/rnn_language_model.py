"""Language models that remember: RNN, LSTM and GRU.

Tomáš Mikolov, Martin Karafiát, Lukáš Burget, Jan Černocký and Sanjeev Khudanpur, "Recurrent neural network
based language model", Interspeech 2010; Wojciech Zaremba, Ilya Sutskever and Oriol Vinyals, "Recurrent neural
network regularization", 2014 (arXiv 1409.2329), §3 and §4.1.

The weakness that it cures.  A Markov model of order n sees the last n tokens, and nothing of what came
before; its table has a row for each of Vⁿ histories, nearly all of which no text contains.  A recurrent
network reads one token after the other into a state of fixed size, with the same weights at every step, so
that a history may have any length, and similar histories share what is learned.

    p(y) = Πₜ p(yₜ | y₁ … yₜ₋₁)                    the chain rule: nothing is assumed                   (1)
    xₜ   = E[yₜ₋₁]                                 embedding                                            (2)
    hₜ   = φ(W xₜ + U hₜ₋₁ + b)                    one state for all that was read; `cell` says φ       (3)
    p(yₜ | …) = softmax(W_y hₜ + b_y)              next token                                           (4)

With `cell="rnn"` (3) is the plain network, whose gradient vanishes or explodes as it walks back through its
T products with U; "lstm" and "gru" have gates that let it pass: see `nn.LSTM` and `nn.GRU`.

Differences from the papers:
1. Dropout acts on (2), between layers and on hₜ, never on what goes from step to step, as in Zaremba 2014;
   Mikolov has none.
2. E may also serve as W_y (Press and Wolf 2017): `tie_weights`.

Shapes: B batch, T positions, V vocabulary, H hidden size.
"""

from dataclasses import dataclass
from typing import Any, Self

from minigrad import nn
from minigrad.data import PAD
from minigrad.errors import check_sizes
from minigrad.generator import Generator
from minigrad.tensor import Tensor

from .decoding import Hypothesis, Limits, sample

CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class LanguageModel(nn.Module):
    """What all language models share: they continue a text, by the methods of `decoding.Incremental`.

    `forward(tokens, state)` gives logits (B, T, V) for what follows each of the tokens (B, T), and the state
    behind them; a subclass says what the state is before the first token, in `first_state`.
    """

    def first_state(self) -> Any:
        """The state before the first token of a text that is going to be continued."""
        return None

    def start(self, prompt: Tensor) -> Any:
        """Read all of the prompts (B, L) but their last tokens, with which decoding begins."""
        if prompt.ndim != 2 or prompt.shape[1] < 1:
            raise ValueError(
                f"{type(self).__name__}.start(): prompt {prompt.shape}, expected (B, L) with L at least 1; "
                "begin with <sos>"
            )
        if prompt.shape[1] == 1:
            return self.first_state()
        return self(prompt[:, :-1], self.first_state())[1]

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any, None]:
        """log p (B, V) of what follows the tokens (B,), and the new state."""
        logits, state = self(tokens.unsqueeze(1), state)
        return logits.squeeze(1).log_softmax(dim=1), state, None

    def generate(
        self,
        prompt: Tensor,
        limits: Limits,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float = 1.0,
        generator: Generator | None = None,
    ) -> list[Hypothesis]:
        """Continue each of the prompts (B, L), without padding, by what is drawn: see `sample`."""
        return sample(
            self,
            prompt,
            limits,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            generator=generator,
            first=prompt[:, -1],
        )


@dataclass(frozen=True, kw_only=True)
class RNNLanguageModelConfig:
    """What an RNNLanguageModel is made of; the defaults are the medium LSTM of Zaremba 2014, §4.1.

    Args:
        vocabulary: the number of tokens.
        cell: "rnn", "lstm" or "gru".
        embedding_size, hidden_size, layers, dropout: of (2), (3), and how many of (3) are stacked.
        tie_weights: whether W_y is E, for which both need one size.
    """

    vocabulary: int = 10_000
    cell: str = "lstm"
    embedding_size: int = 650
    hidden_size: int = 650
    layers: int = 2
    dropout: float = 0.5
    tie_weights: bool = False

    def __post_init__(self) -> None:
        check_sizes(self, "vocabulary", "embedding_size", "hidden_size", "layers")
        if self.cell not in CELLS:
            raise ValueError(f"cell is {self.cell!r}, expected one of {', '.join(CELLS)}")
        if self.tie_weights and self.embedding_size != self.hidden_size:
            raise ValueError(
                f"embedding_size is {self.embedding_size}, hidden_size {self.hidden_size}, expected the same "
                "for tie_weights"
            )

    @classmethod
    def tiny(cls, **changes: Any) -> Self:
        """A model for toy texts, and seconds of a CPU."""
        sizes = {"embedding_size": 16, "hidden_size": 32, "layers": 1, "dropout": 0.0}
        return cls(**{**sizes, **changes})


class RNNLanguageModel(LanguageModel):
    """A recurrent network between an embedding and a softmax.

    >>> import minigrad as mg
    >>> model = RNNLanguageModel(RNNLanguageModelConfig.tiny(vocabulary=9, cell="gru"))
    >>> logits, state = model(mg.tensor([[1, 4, 5], [1, 6, 7]]))
    >>> logits.shape, state.shape
    ((2, 3, 9), (1, 2, 32))
    """

    def __init__(self, config: RNNLanguageModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.embedding_size, padding_idx=PAD)
        self.dropout = nn.Dropout(config.dropout)
        between = config.dropout if config.layers > 1 else 0.0
        self.rnn = CELLS[config.cell](
            config.embedding_size, config.hidden_size, config.layers, dropout=between
        )
        self.output = nn.Linear(config.hidden_size, config.vocabulary)
        if config.tie_weights:
            nn.init.normal_(self.embedding.weight, std=config.embedding_size**-0.5)
            self.output.weight = self.embedding.weight

    def forward(self, tokens: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Logits (B, T, V) and the new state; pass it on to read a long text piece by piece."""
        x = self.dropout(self.embedding(tokens.T))  # (T, B, E)   (2)
        h, state = self.rnn(x, state)  # (T, B, H)   (3)
        h = self.dropout(h.transpose(0, 1))  # (B, T, H)
        return self.output(h), state  # (4)

    def reorder(self, state: Any, indices: Tensor) -> Any:
        """Row i becomes row indices[i]."""
        if state is None:
            return None
        return tuple(part[:, indices] for part in state) if isinstance(state, tuple) else state[:, indices]
