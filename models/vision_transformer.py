"""The vision Transformer: an image is sixteen by sixteen words.

Alexey Dosovitskiy et al., "An image is worth 16x16 words: Transformers for image recognition at scale", ICLR
2021 (arXiv 2010.11929), figure 1 and §3.1.

The weakness that it cures.  A convolution sees a window, and what is far apart in an image meets only after
many layers; that near things belong together is built in, not learned.  Here an image is cut into patches,
each of them a "word", and from the first layer on every patch may look at all others.

    z₀   = [x_class; E x₁; …; E x_P] + P              a linear map of each patch; a vector that is      (1)
                                                      learned goes before them
    zₙ   = b + FFN(norm(b)),  b = zₙ₋₁ + MultiHead(norm(zₙ₋₁))                        N times      (2), (3)
    y    = norm(z_N)₀                                 what the first vector has gathered                (4)
    p(class | x) = softmax(W y + b)

The numbers are those of the paper. Difference: W starts as every linear map does, and not at zero.

Shapes: B batch, C channels, S height and width of the image, p of a patch, P patches, E size of the model.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

from minigrad import nn
from minigrad.creation import zeros
from minigrad.errors import ShapeError, check_sizes
from minigrad.functions import cat
from minigrad.tensor import Tensor

from .stack import SelfAttentionStack, StackConfig


@dataclass(frozen=True, kw_only=True)
class VisionTransformerConfig(StackConfig):
    """What a VisionTransformer is made of; the defaults are ViT-B/16, table 1.

    Args:
        image_size, patch_size, channels: S, p and C; p must divide S.
        classes: how many kinds of image.

    The others: see `StackConfig`; max_length is always the P + 1 positions that there are.
    """

    image_size: int = 224
    patch_size: int = 16
    channels: int = 3
    classes: int = 1000
    model_size: int = 768
    layers: int = 12
    heads: int = 12
    feed_forward: int = 3072
    positions: str = "learned"
    norm_first: bool = True
    activation: str = "gelu"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_sizes(self, "image_size", "patch_size", "channels", "classes")
        if self.image_size % self.patch_size:
            raise ValueError(
                f"image_size is {self.image_size}, expected a multiple of patch_size, {self.patch_size}"
            )

    @classmethod
    def digits(cls, **changes: Any) -> Self:
        """A model for digits of 8 by 8 pixels, in patches of 2 by 2."""
        image = {"image_size": 8, "patch_size": 2, "channels": 1, "classes": 10}
        return cls.tiny(**{**image, **changes})


class VisionTransformer(nn.Module):
    """Patches, an encoder, and a linear map of what the class token has gathered.

    >>> import minigrad as mg
    >>> VisionTransformer(VisionTransformerConfig.digits())(mg.ones(5, 1, 8, 8)).shape
    (5, 10)
    """

    def __init__(self, config: VisionTransformerConfig) -> None:
        super().__init__()
        self.config = config
        E, p = config.model_size, config.patch_size
        self.patches = nn.Conv2d(config.channels, E, p, stride=p)
        self.class_token = nn.Parameter(zeros(1, 1, E))
        count = (config.image_size // p) ** 2
        self.encoder = SelfAttentionStack(replace(config, max_length=count + 1))
        self.output = nn.Linear(E, config.classes)
        nn.init.normal_(self.class_token, std=E**-0.5)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, classes) of the images (B, C, S, S)."""
        expected = (self.config.channels, self.config.image_size, self.config.image_size)
        if images.ndim != 4 or images.shape[1:] != expected:
            raise ShapeError(
                f"VisionTransformer(): images {images.shape}, expected (B, {', '.join(map(str, expected))})"
            )
        x = self.patches(images).flatten(2).transpose(1, 2)  # (B, P, E)
        first = self.class_token.expand(images.shape[0], 1, -1)
        z = self.encoder(cat([first, x], dim=1))  # (B, P + 1, E)   (1), (2), (3)
        return self.output(z[:, 0])  # (4)
