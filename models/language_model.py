"""The decoder-only Transformer: a language model.

Peter Liu et al., "Generating Wikipedia by summarizing long sequences", ICLR 2018 (arXiv 1801.10198), §4.2.3,
who left the encoder out; Alec Radford, Karthik Narasimhan, Tim Salimans and Ilya Sutskever, "Improving
language understanding by generative pre-training", 2018 (GPT); Alec Radford, Jeffrey Wu, Rewon Child, David
Luan, Dario Amodei and Ilya Sutskever, "Language models are unsupervised multitask learners", 2019 (GPT-2),
§2.3.

The weakness that it cures.  A recurrent language model reads a text token by token, in training too, and
what it keeps of a thousand tokens is one vector.  Masked self-attention gives every position all tokens
before it, and all positions are trained at once.

    x₀   = √E E_y[y] + P                                  embedding and positions                       (1)
    xₙ   = b + FFN(norm(b)),  b = xₙ₋₁ + masked MultiHead(norm(xₙ₋₁))                       N times     (2)
    p(yₜ₊₁ | y₁ … yₜ) = softmax(E_y norm(x_N,ₜ))          the embedding once more                       (3)

Differences from GPT-2:
1. The embedding is multiplied by √E and drawn with deviation E^-½, matrices by Glorot and Bengio 2010, as in
   `transformer.py`; there everything is drawn with 0.02, less in what is added to the residual path.
2. GELU is exact, and not its approximation by tanh.

Shapes: B batch, T positions, E size of the model, V vocabulary.
"""

from dataclasses import dataclass

from minigrad import nn
from minigrad.nn import functional as F
from minigrad.nn.transformer import LayerCache
from minigrad.tensor import Tensor

from .rnn_language_model import LanguageModel
from .stack import SelfAttentionStack, StackConfig
from .transformer import draw_embedding, embedded


@dataclass(frozen=True, kw_only=True)
class TransformerLanguageModelConfig(StackConfig):
    """What a TransformerLanguageModel is made of; the defaults are the smallest GPT-2, of 124 million.

    Args:
        vocabulary: the number of tokens.

    The others: see `StackConfig`.
    """

    vocabulary: int = 50_257
    model_size: int = 768
    layers: int = 12
    heads: int = 12
    feed_forward: int = 3072
    positions: str = "learned"
    max_length: int = 1024
    norm_first: bool = True
    activation: str = "gelu"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.vocabulary < 1:
            raise ValueError(f"vocabulary is {self.vocabulary}, expected at least 1")


class TransformerLanguageModel(LanguageModel):
    """Masked self-attention between an embedding and a softmax.

    >>> import minigrad as mg
    >>> model = TransformerLanguageModel(TransformerLanguageModelConfig.tiny(vocabulary=9))
    >>> logits, _ = model(mg.tensor([[1, 4, 5], [1, 6, 7]]))
    >>> logits.shape
    (2, 3, 9)
    """

    def __init__(self, config: TransformerLanguageModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.model_size)
        draw_embedding(self.embedding)
        self.stack = SelfAttentionStack(config, causal=True)

    def first_state(self) -> list[LayerCache]:
        """Empty keys and values of each layer."""
        return self.stack.make_cache()

    def forward(
        self, tokens: Tensor, state: list[LayerCache] | None = None
    ) -> tuple[Tensor, list[LayerCache] | None]:
        """Logits (B, T, V); with a state, which is changed, the tokens (B, T) follow those it has seen.

        Padding may follow a text: nothing before it can see it.
        """
        x = self.stack(embedded(self.embedding, tokens), cache=state)  # (1), (2)
        return F.linear(x, self.embedding.weight), state  # (3)

    def reorder(self, state: list[LayerCache], indices: Tensor) -> list[LayerCache]:
        """Row i becomes row indices[i]."""
        for cache in state:
            cache.reorder(indices)
        return state
