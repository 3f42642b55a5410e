"""The Transformer's encoder as a classifier of texts.

Jacob Devlin, Ming-Wei Chang, Kenton Lee and Kristina Toutanova, "BERT: pre-training of deep bidirectional
Transformers for language understanding", NAACL 2019 (arXiv 1810.04805), §3.

The weakness that it cures.  A language model may not look ahead, so that a word is understood by what stands
before it alone. Where nothing is written, but something is to be said about a whole text, every position may
look at all others, on both sides.

    x   = encoder(√E E_x[x] + P)                        N layers, without a mask                        (1)
    x̄   = Σₜ xₜ / L  over the L tokens of the text      one vector for all                              (2)
    p(class | x) = softmax(W x̄ + b)                                                                     (3)

Differences from the paper: it is not trained beforehand on text with holes in it; and (2) is the mean of all
positions, where BERT takes that of a token <cls> before the text, as `vision_transformer.py` does.

Shapes: B batch, L positions, E size of the model, C classes.
"""

from dataclasses import dataclass

from minigrad import nn
from minigrad.data import PAD
from minigrad.errors import check_sizes
from minigrad.tensor import Tensor

from .stack import SelfAttentionStack, StackConfig
from .transformer import draw_embedding, embedded


@dataclass(frozen=True, kw_only=True)
class TransformerClassifierConfig(StackConfig):
    """What a TransformerClassifier is made of; the defaults are BERT-base, §3.

    Args:
        vocabulary: the number of tokens.
        classes: C.

    The others: see `StackConfig`.
    """

    vocabulary: int = 30_522
    classes: int = 2
    model_size: int = 768
    layers: int = 12
    heads: int = 12
    feed_forward: int = 3072
    positions: str = "learned"
    activation: str = "gelu"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_sizes(self, "vocabulary", "classes")


class TransformerClassifier(nn.Module):
    """An encoder, the mean of its positions, and a linear map.

    >>> import minigrad as mg
    >>> model = TransformerClassifier(TransformerClassifierConfig.tiny(vocabulary=9, classes=3))
    >>> model(mg.tensor([[4, 5, 6], [7, 8, 0]])).shape
    (2, 3)
    """

    def __init__(self, config: TransformerClassifierConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.model_size, padding_idx=PAD)
        draw_embedding(self.embedding)
        self.encoder = SelfAttentionStack(config)
        self.output = nn.Linear(config.model_size, config.classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits (B, C) of the texts (B, L), padded with <pad>."""
        real = tokens != PAD  # (B, L)
        x = self.encoder(embedded(self.embedding, tokens), ~real)  # (B, L, E)   (1)
        share = real.to(x.dtype)
        share = share / share.sum(dim=1, keepdim=True).clamp(min=1)
        mean = (share.unsqueeze(1) @ x).squeeze(1)  # (B, E)   (2)
        return self.output(mean)  # (3)
