"""Toy languages for the models' tests, and what all of these tests ask of a model."""

import numpy as np

import minigrad as mg
from minigrad import optim
from minigrad.data import PAD, SOS, collate_pairs
from minigrad.functions import cat
from minigrad.nn import functional as F

WORDS = 6  # ordinary tokens of the toy language, behind the four special ones
V = 4 + WORDS

# A batch of three sources of different lengths, and what a decoder reads.
SOURCE, LENGTHS = mg.tensor([[4, 5, 6, 7, 8], [9, 4, 5, 0, 0], [6, 0, 0, 0, 0]]), mg.tensor([5, 3, 1])
TARGET = mg.tensor([[SOS, 4, 5, 6], [SOS, 7, 8, 9], [SOS, 4, 4, 4]])


def words(count, seed, longest=4):
    """Sequences of ordinary tokens of lengths 1 to `longest`."""
    draw = np.random.default_rng(seed)
    return [draw.integers(4, V, draw.integers(1, longest + 1)) for _ in range(count)]


def reversals(count, seed, longest=4):
    """Words of the toy language, and the same read backwards, as a batch."""
    return collate_pairs([(word, word[::-1]) for word in words(count, seed, longest)])


def copies(count, seed, longest=4):
    """Words of the toy language, and the same again, as a batch."""
    return collate_pairs([(word, word) for word in words(count, seed, longest)])


def translation_loss(model, batch, **options):
    """The cross entropy of an encoder-decoder."""
    logits, _ = model(batch.source, batch.source_lengths, batch.target_in)
    flat = logits.reshape(-1, logits.shape[-1])
    return F.cross_entropy(flat, batch.target_out.reshape(-1), ignore_index=PAD, **options)


def train(model, loss_of, steps, lr=0.01):
    """Adam for so many steps on loss_of(step), falling to 0 from the middle on; the model in eval mode."""
    optimizer = optim.Adam(model.parameters(), lr=lr)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = lr * min(1, 2 * (steps - step) / steps, (step + 1) / 20)
        optimizer.zero_grad()
        loss_of(step).backward()
        optimizer.step()
    return model.eval()


def share_exact(found, batch):
    """How many of the hypotheses are what they should be, each with its <eos>."""
    wanted = [[token for token in row if token != PAD] for row in batch.target_out.tolist()]
    return np.mean([one.tokens == tokens for one, tokens in zip(found, wanted, strict=True)])


def assert_gradients_reach_every_parameter(model, loss):
    loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert np.abs(parameter.grad.numpy()).max() > 0, name


def assert_restored_bit_by_bit(make, output):
    """A state_dict carries all that the output depends on, into a model that was drawn otherwise."""
    mg.manual_seed(1)
    model = make().eval()
    mg.manual_seed(2)
    other = make().eval()
    expected = output(model).detach().numpy()
    assert (output(other).detach().numpy() != expected).any()
    other.load_state_dict(model.state_dict())
    assert (output(other).detach().numpy() == expected).all()


def assert_dropout_in_training_alone(model, output):
    model.train()
    first, second = (output(model).detach().numpy() for _ in range(2))
    assert (first != second).any()
    model.eval()
    first, second = (output(model).detach().numpy() for _ in range(2))
    assert (first == second).all()


class Recomputed:
    """An encoder-decoder without a memory: every step reads source and target from the beginning."""

    def __init__(self, model):
        self.model = model

    def start(self, source):
        return source, None

    def step(self, tokens, state):
        source, before = state
        said = tokens.unsqueeze(1) if before is None else cat([before, tokens.unsqueeze(1)], dim=1)
        logits, weights = self.model(source, (source != PAD).sum(dim=1), said)
        looked = None if weights is None else weights[:, -1]
        return logits[:, -1].log_softmax(dim=1), (source, said), looked

    def reorder(self, state, indices):
        source, said = state
        return source[indices], None if said is None else said[indices]


def assert_steps_are_teacher_forcing(model, source, target):
    """log p of single steps is that of all at once; `target` (B, T) begins with <sos>."""
    assert (target.numpy()[:, 0] == SOS).all()
    logits, weights = model(source, (source != PAD).sum(dim=1), target)
    expected = logits.log_softmax(dim=2).detach().numpy()
    state = model.start(source)
    for t in range(target.shape[1]):
        log_p, state, looked = model.step(target[:, t], state)
        np.testing.assert_allclose(log_p.detach().numpy(), expected[:, t], atol=1e-10)
        if weights is not None:
            np.testing.assert_allclose(looked.detach().numpy(), weights.detach().numpy()[:, t], atol=1e-10)


GLYPHS = (  # 5 rows of 3 pixels for each digit, a bit for each pixel
    0b111101101101111, 0b010110010010111, 0b111001111100111, 0b111001111001111, 0b101101111001001,
    0b111100111001111, 0b111100111101111, 0b111001010010010, 0b111101111101111, 0b111101111001111,
)  # fmt: skip


def digit_images(count, seed, kinds=10, *, shifted=True):
    """Noisy digits below `kinds`, (count, 1, 8, 8), shifted at random, and which they are (count,)."""
    draw = np.random.default_rng(seed)
    images, labels = draw.normal(0, 0.1, (count, 1, 8, 8)), draw.integers(0, kinds, count)
    for image, label in zip(images, labels, strict=True):
        row, column = (draw.integers(1, 3), draw.integers(1, 5)) if shifted else (1, 2)
        pixels = [GLYPHS[label] >> place & 1 for place in reversed(range(15))]
        image[0, row : row + 5, column : column + 3] += np.reshape(pixels, (5, 3))
    return mg.tensor(images.astype(np.float32)), mg.tensor(labels)


def digit_rows(count, seed, longest=2):
    """Rows of 1 to `longest` of the digits 0 to 4, (count, 1, 8, 8 longest), and a batch of what to write."""
    draw = np.random.default_rng(seed)
    images, labels = digit_images(count * longest, seed, kinds=5, shifted=False)
    rows = images.numpy().reshape(count, longest, 8, 8)
    lengths = draw.integers(1, longest + 1, count)
    rows[np.arange(longest) >= lengths[:, None]] = 0
    rows = rows.transpose(0, 2, 1, 3).reshape(count, 1, 8, 8 * longest)
    digits = labels.numpy().reshape(count, longest)
    return mg.tensor(rows), collate_pairs(
        [([4], 4 + row[:length]) for row, length in zip(digits, lengths, strict=True)]
    )
