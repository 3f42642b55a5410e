"""The encoder that classifies texts, and the vision Transformer."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.data import PAD
from minigrad.errors import ShapeError
from minigrad.models import (
    TransformerClassifier,
    TransformerClassifierConfig,
    VisionTransformer,
    VisionTransformerConfig,
)
from minigrad.nn import functional as F
from toy_models import (
    V,
    assert_dropout_in_training_alone,
    assert_gradients_reach_every_parameter,
    assert_restored_bit_by_bit,
    digit_images,
    train,
)

TEXTS = mg.tensor([[4, 5, 6, 7], [7, 8, 0, 0], [9, 4, 5, 0]])


def classifier(**options):
    config = TransformerClassifierConfig.tiny(**{"vocabulary": V, "max_length": 8, **options})
    return TransformerClassifier(config)


def vision(**options):
    return VisionTransformer(VisionTransformerConfig.digits(**options))


def orders(count, seed):
    """Texts with the tokens 4 and 5 in them, and whether 4 comes first."""
    draw = np.random.default_rng(seed)
    texts = draw.integers(6, V, (count, 6))
    places = np.array([draw.permutation(5)[:2] for _ in range(count)])
    rows = np.arange(count)
    texts[rows, places[:, 0]], texts[rows, places[:, 1]] = 4, 5
    texts[draw.random(count) < 0.5, 5] = PAD
    return mg.tensor(texts), mg.tensor((places[:, 0] < places[:, 1]).astype(int))


# ---------------------------------------------------------------------------- text


def test_a_text_has_a_logit_for_each_class():
    assert classifier(classes=5)(TEXTS).shape == (3, 5)


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary", "alibi"])
def test_padding_changes_nothing(positions):
    model = classifier(positions=positions).to(mg.float64).eval()
    together = model(TEXTS).detach().numpy()
    for row, length in enumerate((4, 2, 3)):
        alone = model(TEXTS[row : row + 1, :length]).detach().numpy()
        np.testing.assert_allclose(alone[0], together[row], atol=1e-10)


def test_a_text_of_padding_alone_gives_numbers():
    assert np.isfinite(classifier()(mg.tensor([[PAD, PAD]])).detach().numpy()).all()


def test_which_of_two_words_comes_first_is_learned():
    mg.manual_seed(0)
    model = classifier()
    train(model, lambda step: F.cross_entropy(model(orders(64, step)[0]), orders(64, step)[1]), 150, lr=0.005)
    texts, labels = orders(300, seed=9999)
    assert (model(texts).argmax(dim=1).numpy() == labels.numpy()).mean() > 0.9


# ---------------------------------------------------------------------------- images


def test_an_image_has_a_logit_for_each_class():
    assert vision(classes=3)(mg.zeros(2, 1, 8, 8)).shape == (2, 3)


def test_a_patch_is_seen_as_a_linear_map_sees_it():
    """The convolution of stride p is E x of the paper, eq. 1, with the pixels of a patch in a row."""
    model, (images, _) = vision(), digit_images(2, seed=0)
    found = model.patches(images).detach().numpy()  # (B, E, 4, 4)
    x = images.numpy().reshape(2, 4, 2, 4, 2).transpose(0, 1, 3, 2, 4).reshape(2, 4, 4, 4)
    weight = model.patches.weight.detach().numpy().reshape(32, 4)
    expected = x @ weight.T + model.patches.bias.detach().numpy()
    np.testing.assert_allclose(found.transpose(0, 2, 3, 1), expected, atol=1e-5)


def test_the_base_model_has_the_86_567_656_parameters_of_the_paper():
    """Table 1 says 86 million: 12 layers of 7,087,872, and what one layer's model has besides."""
    one = VisionTransformer(VisionTransformerConfig(layers=1))
    layer = sum(p.numel() for p in one.encoder.layers.layers[0].parameters())
    assert sum(p.numel() for p in one.parameters()) + 11 * layer == 86_567_656


def test_digits_are_learned():
    mg.manual_seed(0)
    model = vision()

    def loss(step):
        images, labels = digit_images(48, step, shifted=False)
        return F.cross_entropy(model(images), labels)

    train(model, loss, 100, lr=0.005)
    images, labels = digit_images(300, seed=9999, shifted=False)
    assert (model(images).argmax(dim=1).numpy() == labels.numpy()).mean() > 0.95


@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 3, 8, 8), (2, 1, 8, 9)])
def test_an_image_of_another_size_is_refused(shape):
    with pytest.raises(ShapeError, match=r"expected \(B, 1, 8, 8\)"):
        vision()(mg.zeros(*shape))


# ---------------------------------------------------------------------------- both


@pytest.mark.parametrize(
    ("make", "example"),
    [
        (lambda: classifier(max_length=6), orders(32, 0)),
        (vision, digit_images(32, 0)),
    ],
)
def test_gradients_reach_every_parameter_and_a_state_restores_all(make, example):
    mg.manual_seed(0)
    model, (x, labels) = make(), example
    assert_gradients_reach_every_parameter(model, F.cross_entropy(model(x), labels))
    assert_restored_bit_by_bit(make, lambda model: model(x))


@pytest.mark.parametrize(
    ("model", "x"),
    [(classifier(dropout=0.3), TEXTS), (vision(dropout=0.3), digit_images(3, 0)[0])],
)
def test_dropout_is_active_in_training_alone(model, x):
    assert_dropout_in_training_alone(model, lambda model: model(x))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: classifier(classes=0), "classes is 0, expected at least 1"),
        (lambda: classifier(vocabulary=0), "vocabulary is 0, expected at least 1"),
        (lambda: vision(image_size=9), "image_size is 9, expected a multiple of patch_size, 2"),
        (lambda: vision(channels=0), "channels is 0, expected at least 1"),
    ],
)
def test_a_configuration_that_cannot_be_built_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
