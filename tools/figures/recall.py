"""How far back can a token be told?  Five networks that differ in nothing but their memory.

Each reads 32 tokens, and is asked, at the last, for the one that stood so many places before
(`minigrad.data.recall`). Each learns each distance anew, in 300 batches.

    RNN, LSTM, GRU   softmax(W h_T): the token must survive in the state
    attention        softmax(W [c; h_T]): the RNN, which at the last step looks at all of its states; by the
                     place alone, Luong's "location"
    self-attention   softmax(W c): no RNN; a layer of one head over embeddings and sinusoidal positions
"""

from collections.abc import Callable

from minigrad import nn
from minigrad.creation import tensor
from minigrad.data import recall
from minigrad.functions import cat
from minigrad.generator import Generator, drawing_from
from minigrad.models import LocationScore
from minigrad.models.positions import sinusoids
from minigrad.modes import no_grad
from minigrad.nn import functional as F
from minigrad.optim import Adam
from minigrad.tensor import Tensor

LENGTH, SYMBOLS, HIDDEN = 32, 8, 32
BATCH, STEPS, TESTED, RATE = 64, 300, 500, 0.01
DISTANCES = (1, 4, 8, 16, 31)


class Recurrent(nn.Module):
    """An RNN of some kind over tokens (B, T), with attention over its states or without; logits (B, 8)."""

    def __init__(self, kind: Callable[[int, int], nn.Module], *, attends: bool = False) -> None:
        super().__init__()
        self.embedding = nn.Embedding(SYMBOLS, HIDDEN)
        self.rnn = kind(HIDDEN, HIDDEN)
        self.attention = nn.Attention(LocationScore(HIDDEN, LENGTH)) if attends else None
        self.output = nn.Linear(2 * HIDDEN if attends else HIDDEN, SYMBOLS)

    def forward(self, tokens: Tensor) -> Tensor:
        """What the token in question was, said at the last step."""
        states, _ = self.rnn(self.embedding(tokens.T))  # (T, B, H)
        states, last = states.transpose(0, 1), states[-1]  # (B, T, H), (B, H)
        if self.attention is None:
            return self.output(last)
        context, _ = self.attention(last.unsqueeze(1), states)  # (B, 1, H)
        return self.output(cat([context.squeeze(1), last], dim=1))


class SelfAttention(nn.Module):
    """A layer of one head, asked at the last of the tokens (B, T); logits (B, 8)."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(SYMBOLS, HIDDEN)
        self.attention = nn.MultiheadAttention(HIDDEN, 1, batch_first=True)
        self.output = nn.Linear(HIDDEN, SYMBOLS)

    def forward(self, tokens: Tensor) -> Tensor:
        """What the token in question was."""
        x = self.embedding(tokens)  # (B, T, E)
        x = x + sinusoids(0, x.shape[1], HIDDEN, x)
        context, _ = self.attention(x[:, -1:], x, x)  # (B, 1, E)
        return self.output(context.squeeze(1))


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "RNN": lambda: Recurrent(nn.RNN),
    "LSTM": lambda: Recurrent(nn.LSTM),
    "GRU": lambda: Recurrent(nn.GRU),
    "attention": lambda: Recurrent(nn.RNN, attends=True),
    "self-attention": SelfAttention,
}


def recalled(name: str, distance: int, steps: int = STEPS) -> float:
    """The share of right answers at this distance after training; by chance it is 1/8."""
    with drawing_from(Generator(0)):
        network = NETWORKS[name]()
    optimizer = Adam(network.parameters(), lr=RATE)
    for step in range(steps):
        inputs, answers = recall(seed=step + 1, count=BATCH, length=LENGTH, distance=distance)
        optimizer.zero_grad()
        F.cross_entropy(network(tensor(inputs)), tensor(answers)).backward()
        nn.utils.clip_grad_norm_(network.parameters(), max_norm=1.0)
        optimizer.step()
    inputs, answers = recall(seed=0, count=TESTED, length=LENGTH, distance=distance)
    with no_grad():
        return float((network(tensor(inputs)).argmax(dim=1).numpy() == answers).mean())
