"""Hard attention on a text: each step looks at one word.

Kelvin Xu et al., "Show, attend and tell: neural image caption generation with visual attention", ICML 2015
(arXiv 1502.03044), §4.1, whose places are those of an image; here they are the words of Bahdanau's encoder.

The weakness that it cures, and has.  The mean of all states is none of them. Here the context is a state as
the encoder left it, and what was looked at is no longer a matter of degree; but a word that was drawn lets no
gradient through, and what REINFORCE puts in its place is noisy: (10) of `image_attention.py`.

    cₜ = hⱼ,  j ~ αₜ                     in training; in evaluation the likeliest j                     (1)

Shapes: B batch, S source positions, T target positions.
"""

from typing import Any, NamedTuple

from minigrad.functions import stack
from minigrad.tensor import Tensor

from .bahdanau import BahdanauSeq2Seq
from .image_attention import chosen_place


class HardState(NamedTuple):
    """What goes from step to step: that of Bahdanau's decoder, and log p of the word that was looked at."""

    s: Tensor  # (B, H)
    memory: Tensor  # (B, S, 2H)
    keys: Tensor  # (B, S, A)
    padding: Tensor  # (B, S)
    log_choice: Tensor  # (B,)


class HardAttentionSeq2Seq(BahdanauSeq2Seq):
    """Bahdanau's model with hard attention; the same configuration.

    `read` gives what `hard_attention_loss` needs.

    >>> import minigrad as mg
    >>> from minigrad.models import BahdanauConfig
    >>> model = HardAttentionSeq2Seq(BahdanauConfig.tiny(source_vocabulary=9, target_vocabulary=7))
    >>> source, lengths = mg.tensor([[4, 5, 6], [7, 8, 0]]), mg.tensor([3, 2])
    >>> logits, weights, log_choice = model.read(source, lengths, mg.tensor([[1, 4], [1, 5]]))
    >>> logits.shape, weights.shape, log_choice.shape
    ((2, 2, 7), (2, 2, 3), (2, 2))
    """

    def first_state(self, source: Tensor, lengths: Tensor) -> HardState:
        state = super().first_state(source, lengths)
        return HardState(**state._asdict(), log_choice=state.s[:, 0].detach() * 0)

    def context(self, weights: Tensor, state: Any) -> tuple[Tensor, Any]:
        """The state of the word that is looked at (B, 2H)."""
        found, log_choice = chosen_place(weights, state.memory, drawn=self.training)  # (1)
        return found, state._replace(log_choice=log_choice)

    def read(self, source: Tensor, lengths: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (B, T, V), weights (B, T, S), and log p (B, T) of the words that were looked at."""
        logits, weights, states = self.unrolled(target, self.first_state(source, lengths))
        return logits, weights, stack([state.log_choice for state in states], dim=1)
