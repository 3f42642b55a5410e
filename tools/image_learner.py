"""Learning to read what stands in a picture, with attention on its places."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from minigrad import nn
from minigrad.creation import as_tensor, zeros
from minigrad.data import EOS, PAD, SOS, Vocabulary, pad_sequences
from minigrad.models import (
    HardImageAttention,
    Hypothesis,
    Limits,
    doubly_stochastic_loss,
    greedy,
    hard_attention_loss,
)
from minigrad.modes import no_grad
from minigrad.nn import functional as F
from minigrad.tensor import Tensor

from .errors import CommandError
from .examples import Task
from .image_plots import Look, draw_looks
from .learner import Learner
from .recipes import built
from .scores import Scores

DIGITS = Vocabulary("0123456789")
READ_AT_ONCE = 128  # pictures
PANELS = 4  # pictures in attention.png


class ImageBatch(NamedTuple):
    """Pictures and what they show."""

    images: Tensor  # (B, 1, H, W)
    read: Tensor  # (B, T), begins with <sos>
    said: Tensor  # (B, T), ends in <eos>
    tokens: int


class ImageLearner(Learner):
    """A model that writes the digits which it sees; an example is a picture (1, H, W) and its digits."""

    units: ClassVar[str] = "pictures"
    picture: str = "attention.png"

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.model = built("digits", config["model"])
        self.limits = Limits(config["data"]["digits"] + 1)
        self.label_smoothing: float = config["training"]["label_smoothing"]
        self.attention_penalty: float = config["training"]["attention_penalty"]
        if isinstance(self.model, HardImageAttention):
            self.model.baseline = nn.Buffer(zeros(()))  # b of its loss, which belongs to the checkpoint

    @staticmethod
    def decided(task: Task, settings: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG004
        """The vocabulary, and how many colours a picture has."""
        return {"model": {"vocabulary": len(DIGITS), "channels": task.train[0][0].shape[0]}}

    def dataset(self, examples: Sequence[Any]) -> list[tuple[np.ndarray, list[int]]]:
        """The digits as numbers."""
        return [(image, DIGITS.encode(list(digits))) for image, digits in examples]

    def collate(self, items: list[Any]) -> ImageBatch:
        """The pictures in one array, the digits with <sos> and <eos>."""
        images, digits = zip(*items, strict=True)
        read = as_tensor(pad_sequences([[SOS, *row] for row in digits]))
        said = as_tensor(pad_sequences([[*row, EOS] for row in digits]))
        return ImageBatch(as_tensor(np.stack(images)), read, said, sum(len(row) + 1 for row in digits))

    def loss(self, batch: ImageBatch) -> Tensor:
        """The mean cross-entropy of the next digit; for hard attention with the gradient of its own loss.

        With a penalty it is (9) of Xu 2015, a sum over the pictures, divided by the number of digits as the
        cross-entropy is: so parts of a batch add up to the whole.
        """
        if isinstance(self.model, HardImageAttention):
            return self._hard_loss(self.model, batch)
        logits, weights = self.model(batch.images, batch.read)
        entropy = self._entropy(logits, batch)
        if not self.attention_penalty:
            return entropy
        pictures = batch.said.shape[0]
        penalty = doubly_stochastic_loss(weights, batch.said != PAD) * (pictures / batch.tokens)
        return entropy + self.attention_penalty * penalty

    def weight(self, batch: ImageBatch) -> int:
        """The digits, or for hard attention the pictures: its own loss is a mean over those."""
        return len(batch.said) if isinstance(self.model, HardImageAttention) else batch.tokens

    def _entropy(self, logits: Tensor, batch: ImageBatch) -> Tensor:
        return F.cross_entropy(
            logits.reshape(-1, logits.shape[2]),
            batch.said.reshape(-1),
            ignore_index=PAD,
            label_smoothing=self.label_smoothing,
        )

    def _hard_loss(self, model: HardImageAttention, batch: ImageBatch) -> Tensor:
        """A number that is the cross-entropy, and whose gradient is that of `hard_attention_loss`."""
        logits, weights, log_choice = model.read(batch.images, batch.read)
        log_p = logits.log_softmax(dim=2).gather(2, batch.said.unsqueeze(2)).squeeze(2)  # (B, T)
        real = batch.said != PAD
        reward = (log_p.detach() * real.to(log_p.dtype)).sum(dim=1).mean()
        if model.training:
            model.baseline.copy_(0.9 * model.baseline + (0.1 * reward.double()).to(reward.dtype))
        learned = hard_attention_loss(
            log_p, log_choice, weights, real, baseline=model.baseline, entropy_weight=0.01
        )
        return learned + (self._entropy(logits, batch) - learned).detach()

    def read_images(self, images: Sequence[np.ndarray]) -> list[Hypothesis]:
        """What the model reads in each picture."""
        was_training = self.model.training
        self.model.eval()
        found: list[Hypothesis] = []
        for start in range(0, len(images), READ_AT_ONCE):
            several = as_tensor(np.stack(images[start : start + READ_AT_ONCE]), device=self.place)
            found += greedy(self.model, several, self.limits)
        self.model.train(was_training)
        return found

    @no_grad()
    def evaluate(self, examples: Sequence[Any]) -> Scores:
        """Read every picture and compare; groups are those of as many digits."""
        right: Counter[str] = Counter()
        total: Counter[str] = Counter()
        mistakes = []
        found = self.read_images([image for image, _ in examples])
        for place, ((_, digits), one) in enumerate(zip(examples, found, strict=True)):
            said = "".join(DIGITS.decode(one.tokens))
            group = f"{len(digits)} digit{'s' * (len(digits) > 1)}"
            total[group] += 1
            right[group] += said == digits
            if said != digits:
                mistakes.append((f"picture {place}", digits, said))
        groups = {group: right[group] / total[group] for group in sorted(total)}
        return Scores({"exact": right.total() / max(1, total.total())}, groups, mistakes)

    def example(self, task: Task) -> str:
        """What the first picture shows, and its size."""
        image, digits = task.train[0]
        return f"a picture of {image.shape[1]} x {image.shape[2]} pixels -> {digits!r}"

    def try_it(self, folder: str, task: Task) -> list[str]:  # noqa: ARG002
        """Test it again."""
        return ["minigrad", "evaluate", folder]

    def draw_examples(self, examples: Sequence[Any], path: Path) -> None:
        """Where the model looked as it wrote each digit, in pictures with the most digits."""
        shown = sorted(examples, key=lambda example: -len(example[1]))[:PANELS]
        looks = []
        for (image, _), one in zip(shown, self.read_images([image for image, _ in shown]), strict=True):
            if one.attention is None:
                raise CommandError(f"{path.name}: this model has no attention")
            factor = 2 ** len(self.config["model"]["widths"])
            grid = (image.shape[1] // factor, image.shape[2] // factor)
            tokens = [DIGITS.tokens[number] for number in one.tokens]
            looks.append(Look(image[0], one.attention.reshape(-1, *grid), tokens))
        draw_looks(looks, path)
