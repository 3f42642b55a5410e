"""Decoders that must go step by step, in training too, since a step needs where the one before has looked.

Shapes: B batch, T target positions, S source positions, E embedding, K what a step says, V vocabulary.
"""

from typing import Any

from minigrad import nn
from minigrad.functions import stack
from minigrad.tensor import Tensor


class StepwiseDecoder(nn.Module):
    """What they share: the walk over the target, and the methods of `decoding.Incremental` but `start`.

    A subclass says what a step is, in `advance`. Its state is a NamedTuple of Tensors with B in front.

    Args:
        target_embedding: the table of the tokens that are read.
        output: the module that makes logits (…, V) of what a step says, (…, K).
        dropout: the share that is dropped of the embedding and of what a step says.
    """

    def __init__(self, target_embedding: nn.Module, output: nn.Module, dropout: float) -> None:
        super().__init__()
        self.target_embedding, self.output = target_embedding, output
        self.dropout = nn.Dropout(dropout)

    def advance(self, y: Tensor, state: Any) -> tuple[Tensor, Any, Tensor]:
        """What a step says (B, K) when it reads y (B, E), the new state, and its weights (B, S)."""
        raise NotImplementedError(f"{type(self).__name__} must define advance()")

    def unrolled(self, target: Tensor, state: Any) -> tuple[Tensor, Tensor, list[Any]]:
        """Logits (B, T, V), weights (B, T, S) and the T states, for the tokens (B, T) that are read."""
        embedded = self.dropout(self.target_embedding(target))  # (B, T, E)
        said, looked, states = [], [], []
        for t in range(target.shape[1]):
            features, state, weights = self.advance(embedded[:, t], state)
            said.append(features)
            looked.append(weights)
            states.append(state)
        return self.output(self.dropout(stack(said, dim=1))), stack(looked, dim=1), states

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any, Tensor]:
        """log p (B, V) of what follows the tokens (B,), the new state, weights (B, S)."""
        logits, weights, states = self.unrolled(tokens.unsqueeze(1), state)
        return logits.squeeze(1).log_softmax(dim=1), states[0], weights.squeeze(1)

    def reorder(self, state: Any, indices: Tensor) -> Any:
        """Row i becomes row indices[i]."""
        return type(state)(*(part[indices] for part in state))
