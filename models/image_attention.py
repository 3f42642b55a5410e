"""Attention on an image: read, or describe, what is seen, and look where it is.

Kelvin Xu, Jimmy Ba, Ryan Kiros, Kyunghyun Cho, Aaron Courville, Ruslan Salakhutdinov, Richard Zemel and
Yoshua Bengio, "Show, attend and tell: neural image caption generation with visual attention", ICML 2015
(arXiv 1502.03044), §3 and §4.

The weakness that it cures.  A convolutional network ends in one vector for the whole image, as an encoder of
text does, and its decoder must say everything from that.  But nothing in attention asks for words: the
states that are looked at may as well be the places of a feature map.

    a₁ … a_L = CNN(image)                        D numbers for each of L places                  §3.1.1 (1)
    h₀, c₀   = tanh(f_h(ā)), tanh(f_c(ā))        from their mean ā                               §3.1.2 (2)
    eₜᵢ      = vᵀ tanh(W hₜ₋₁ + U aᵢ)            Bahdanau's score                                 eq. 4 (3)
    αₜ       = softmax(eₜ)                                                                        eq. 5 (4)
    ẑₜ       = Σᵢ αₜᵢ aᵢ                         soft: the mean of all places                     §4.2 (5)
    ẑₜ       = aₛ,  s ~ αₜ                       hard: one place, drawn                            §4.1 (5')
    ẑₜ       ← βₜ ẑₜ,  βₜ = σ(f_β(hₜ₋₁))         how much the image matters now                  §4.2.1 (6)
    hₜ, cₜ   = LSTM([E yₜ₋₁; ẑₜ], hₜ₋₁, cₜ₋₁)                                                           (7)
    p(yₜ | …) = softmax(L_o (E yₜ₋₁ + L_h hₜ + L_z ẑₜ))                                           eq. 7 (8)

    loss = -log p(y | a) + λ Σᵢ (1 - Σₜ αₜᵢ)²    "doubly stochastic": in the end every place     §4.2.1 (9)
                                                 gets its share
    hard: ∂log p(y | s)/∂W + λ_r (log p(y | s) - b) ∂log p(s)/∂W + λ_e ∂H[s]/∂W                  §4.1 (10)

Soft attention is trained as everything else is. A place that was drawn lets no gradient through; (10) is
REINFORCE (Williams 1992), which makes places likelier from which the text went better than b, a running mean.

Differences from the paper: the network (1) is small and trained with the rest, where theirs is VGG, trained
beforehand; and in evaluation hard attention looks at the likeliest place.

Shapes: B images, C channels, L places, D features, T target positions, H hidden size.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from minigrad import nn
from minigrad.data import PAD
from minigrad.errors import ShapeError, check_sizes
from minigrad.functions import cat, stack
from minigrad.random import multinomial
from minigrad.tensor import Tensor

from .stepwise import StepwiseDecoder


@dataclass(frozen=True, kw_only=True)
class ImageAttentionConfig:
    """What an ImageAttention is made of; 224 x 224 pixels become 14 x 14 places of 512 numbers, as theirs do.

    Args:
        vocabulary: the number of tokens; the paper has 10,000 words.
        channels: C of the images.
        widths: the channels behind each convolution, the last of them D; each is followed by a pooling, so
            that height and width are halved.
        embedding_size, hidden_size, alignment_size: of E, of h, and of (3).
        dropout: of embeddings and of what stands behind L_o.
    """

    vocabulary: int = 10_000
    channels: int = 3
    widths: tuple[int, ...] = (64, 128, 256, 512)
    embedding_size: int = 512
    hidden_size: int = 1000
    alignment_size: int = 512
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_sizes(self, "vocabulary", "channels", "embedding_size", "hidden_size", "alignment_size")
        if not self.widths or min(self.widths) < 1:
            raise ValueError(f"widths is {self.widths}, expected one width or more, each at least 1")

    @classmethod
    def digits(cls, **changes: Any) -> Self:
        """A model that reads rows of digits, 8 pixels high: ten digits behind the four special tokens."""
        sizes = {"embedding_size": 16, "hidden_size": 32, "alignment_size": 32}
        return cls(**{"vocabulary": 14, "channels": 1, "widths": (16, 32), **sizes, **changes})


class ImageState(NamedTuple):
    """What goes from step to step: h and c change, and so does what was drawn."""

    h: Tensor  # (B, H)
    c: Tensor  # (B, H)
    places: Tensor  # (B, L, D), every aᵢ
    keys: Tensor  # (B, L, A), every U aᵢ
    log_choice: Tensor  # (B,), log p of the place that the last step has drawn; 0 for soft attention


class ImageAttention(StepwiseDecoder):
    """The convolutional encoder, and the decoder with soft attention.

    >>> import minigrad as mg
    >>> model = ImageAttention(ImageAttentionConfig.digits())
    >>> logits, weights = model(mg.ones(2, 1, 8, 16), mg.tensor([[1, 4, 5], [1, 6, 7]]))
    >>> logits.shape, weights.shape
    ((2, 3, 14), (2, 3, 8))
    """

    def __init__(self, config: ImageAttentionConfig) -> None:
        E, H, A, D = config.embedding_size, config.hidden_size, config.alignment_size, config.widths[-1]
        super().__init__(
            nn.Embedding(config.vocabulary, E, padding_idx=PAD),
            nn.Linear(E, config.vocabulary),  # L_o
            config.dropout,
        )
        self.config = config
        layers: list[nn.Module] = []
        for read, made in zip((config.channels, *config.widths[:-1]), config.widths, strict=True):
            layers += [nn.Conv2d(read, made, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        self.encoder = nn.Sequential(*layers)
        self.first_h, self.first_c = nn.Linear(D, H), nn.Linear(D, H)
        self.W = nn.Linear(H, A, bias=False)
        self.U = nn.Linear(D, A, bias=False)
        self.v = nn.Linear(A, 1, bias=False)
        self.gate = nn.Linear(H, 1)
        self.cell = nn.LSTMCell(E + D, H)
        self.L_h = nn.Linear(H, E, bias=False)
        self.L_z = nn.Linear(D, E, bias=False)

    def forward(self, images: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, T, V) and weights (B, T, L) for images (B, C, ·, ·); `target` begins with <sos>."""
        logits, weights, _ = self.unrolled(target, self.start(images))
        return logits, weights

    def start(self, source: Tensor) -> ImageState:
        """See the images (B, C, ·, ·): the state before the first step."""
        factor = 2 ** len(self.config.widths)
        if source.ndim != 4 or source.shape[1] != self.config.channels or min(source.shape[2:]) < factor:
            raise ShapeError(
                f"{type(self).__name__}(): images {source.shape}, expected (B, {self.config.channels}, "
                f"height, width), both at least {factor}"
            )
        places = self.encoder(source).flatten(2).transpose(1, 2)  # (B, L, D)   (1)
        mean = places.mean(dim=1)  # (B, D)
        h, c = self.first_h(mean).tanh(), self.first_c(mean).tanh()  # (2)
        return ImageState(h, c, places, self.U(places), h[:, 0].detach() * 0)

    def look(self, weights: Tensor, places: Tensor) -> tuple[Tensor, Tensor | None]:
        """ẑ (B, D), and log p of what was drawn (B,), if something was."""
        return (weights.unsqueeze(1) @ places).squeeze(1), None  # (5)

    def advance(self, y: Tensor, state: ImageState) -> tuple[Tensor, ImageState, Tensor]:
        """A step: (3) to (7), and what (8) puts into the softmax."""
        energies = self.v((self.W(state.h).unsqueeze(1) + state.keys).tanh()).squeeze(2)  # (B, L)   (3)
        weights = energies.softmax(dim=1)  # (4)
        z, log_choice = self.look(weights, state.places)
        z = self.gate(state.h).sigmoid() * z  # (6)
        h, c = self.cell(cat([y, z], dim=1), (state.h, state.c))  # (7)
        said = y + self.L_h(h) + self.L_z(z)  # (8)
        kept = state.log_choice if log_choice is None else log_choice
        return said, state._replace(h=h, c=c, log_choice=kept), weights


class HardImageAttention(ImageAttention):
    """The same with hard attention: each step looks at one place, which in training is drawn.

    `read` gives what `hard_attention_loss` needs.
    """

    def look(self, weights: Tensor, places: Tensor) -> tuple[Tensor, Tensor | None]:
        """ẑ (B, D) and log p (B,) of the place."""
        return chosen_place(weights, places, drawn=self.training)  # (5')

    def read(self, images: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (B, T, V), weights (B, T, L), and log p(sₜ) of the places (B, T)."""
        logits, weights, states = self.unrolled(target, self.start(images))
        return logits, weights, stack([state.log_choice for state in states], dim=1)


def chosen_place(weights: Tensor, places: Tensor, *, drawn: bool) -> tuple[Tensor, Tensor]:
    """One of the places (B, L, D), drawn by weight (B, L) or the likeliest: (B, D), and its log p (B,)."""
    p = weights.detach()
    chosen = multinomial(p, 1) if drawn else p.argmax(dim=1, keepdim=True)  # (B, 1)
    z = places.gather(1, chosen.unsqueeze(2).expand(-1, 1, places.shape[2])).squeeze(1)  # (5')
    return z, weights.gather(1, chosen).squeeze(1).log()


def doubly_stochastic_loss(weights: Tensor, real: Tensor) -> Tensor:
    """Σᵢ (1 - Σₜ αₜᵢ)², the mean over B: the second summand of (9), without λ, which is 1 in the paper.

    Args:
        weights: (B, T, L).
        real: (B, T), False at padding, whose weights do not count.
    """
    _check("doubly_stochastic_loss", weights, real)
    received = (weights * real.to(weights.dtype).unsqueeze(2)).sum(dim=1)  # (B, L)
    return ((1 - received) ** 2).sum(dim=1).mean()  # (9)


def hard_attention_loss(
    log_p: Tensor,
    log_choice: Tensor,
    weights: Tensor,
    real: Tensor,
    *,
    baseline: Tensor | float,
    reward_weight: float = 1.0,
    entropy_weight: float = 0.01,
) -> Tensor:
    """A number whose gradient is that of (10), the mean over B.

    The baseline b is a running mean of log p(y | s) per text: b ← 0.9 b + 0.1 log p (§4.1).

    Args:
        log_p: (B, T), of the tokens that should have been said.
        log_choice, weights: (B, T) and (B, T, L), from `HardImageAttention.read`.
        real: (B, T), False at padding.
        baseline, reward_weight, entropy_weight: b, λ_r and λ_e.
    """
    _check("hard_attention_loss", weights, real)
    share = real.to(weights.dtype)
    reward = (log_p * share).sum(dim=1)  # (B,)
    chosen = (log_choice * share).sum(dim=1)
    entropy = -((weights * (weights + 1e-12).log()).sum(dim=2) * share).sum(dim=1)
    advantage = reward.detach() - baseline
    gained = reward + reward_weight * advantage * chosen + entropy_weight * entropy  # (10)
    return -gained.mean()


def _check(name: str, weights: Tensor, real: Tensor) -> None:
    if weights.ndim != 3 or real.shape != weights.shape[:2]:
        raise ShapeError(
            f"{name}(): weights {weights.shape}, real {real.shape}, expected (B, T, L) and (B, T)"
        )
