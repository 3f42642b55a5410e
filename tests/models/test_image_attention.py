"""Attention on images: soft and hard, their losses, and that rows of digits are read."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.data import PAD, SOS
from minigrad.errors import ShapeError
from minigrad.models import (
    HardImageAttention,
    ImageAttention,
    ImageAttentionConfig,
    Limits,
    beam_search,
    doubly_stochastic_loss,
    greedy,
    hard_attention_loss,
)
from minigrad.nn import functional as F
from toy_models import (
    assert_dropout_in_training_alone,
    assert_gradients_reach_every_parameter,
    assert_restored_bit_by_bit,
    digit_rows,
    share_exact,
    train,
)

IMAGES, BATCH = digit_rows(3, seed=0)
TARGET = mg.tensor([[SOS, 4, 5], [SOS, 7, 8], [SOS, 4, 4]])
BOTH = pytest.mark.parametrize("kind", [ImageAttention, HardImageAttention])


def model_of(kind=ImageAttention, **options):
    mg.manual_seed(0)
    return kind(ImageAttentionConfig.digits(**options)).to(mg.float64).eval()


IMAGES = IMAGES.to(mg.float64)


def soft_loss(model, images, batch):
    """Cross entropy and, a little, (9)."""
    logits, weights = model(images, batch.target_in)
    said = F.cross_entropy(logits.reshape(-1, 14), batch.target_out.reshape(-1), ignore_index=PAD)
    return said + 0.01 * doubly_stochastic_loss(weights, batch.target_out != PAD)


def hard_loss(model, images, batch, baseline):
    """(10), and the mean of log p(y | s)."""
    logits, weights, log_choice = model.read(images, batch.target_in)
    log_p = -F.cross_entropy(logits.transpose(1, 2), batch.target_out, ignore_index=PAD, reduction="none")
    real = batch.target_out != PAD
    reward = (log_p.detach().numpy() * real.numpy()).sum(axis=1).mean()
    return hard_attention_loss(log_p, log_choice, weights, real, baseline=baseline), reward


# ---------------------------------------------------------------------------- the model


@BOTH
def test_logits_and_weights_have_a_row_for_every_target_position(kind):
    logits, weights = model_of(kind)(IMAGES, TARGET)
    assert logits.shape == (3, 3, 14)
    assert weights.shape == (3, 3, 2 * 4)
    assert weights.detach().numpy().sum(axis=2) == pytest.approx(1, abs=1e-12)


@BOTH
def test_the_model_is_what_its_equations_say(kind):
    """(2) to (8) in NumPy, behind the feature map."""
    model = model_of(kind)
    W = {name: parameter.detach().numpy() for name, parameter in model.named_parameters()}
    a = model.encoder(IMAGES[:1]).detach().numpy()[0].reshape(32, 8).T  # (1)
    h = np.tanh(W["first_h.weight"] @ a.mean(axis=0) + W["first_h.bias"])  # (2)
    c = np.tanh(W["first_c.weight"] @ a.mean(axis=0) + W["first_c.bias"])
    logits, weights = (found.detach().numpy()[0] for found in model(IMAGES[:1], TARGET[:1]))

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    for t, token in enumerate(TARGET.tolist()[0]):
        y = W["target_embedding.weight"][token]
        e = np.tanh(W["W.weight"] @ h + a @ W["U.weight"].T) @ W["v.weight"][0]  # (3)
        alpha = np.exp(e) / np.exp(e).sum()  # (4)
        z = a[alpha.argmax()] if kind is HardImageAttention else alpha @ a  # (5), (5')
        z = sigmoid(W["gate.weight"] @ h + W["gate.bias"]) * z  # (6)
        gates = W["cell.weight_ih"] @ np.concatenate([y, z]) + W["cell.bias_ih"]
        i, f, g, o = np.split(gates + W["cell.weight_hh"] @ h + W["cell.bias_hh"], 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)  # (7)
        said = y + W["L_h.weight"] @ h + W["L_z.weight"] @ z
        np.testing.assert_allclose(weights[t], alpha, atol=1e-12)
        np.testing.assert_allclose(logits[t], W["output.weight"] @ said + W["output.bias"], atol=1e-12)  # (8)


@BOTH
def test_single_steps_and_beams_are_teacher_forcing(kind):
    model = model_of(kind)
    expected = model(IMAGES, TARGET)[0].log_softmax(dim=2).detach().numpy()
    state = model.start(IMAGES)
    for t in range(3):
        log_p, state, _ = model.step(TARGET[:, t], state)
        np.testing.assert_allclose(log_p.detach().numpy(), expected[:, t], atol=1e-12)
    for row, beam in enumerate(beam_search(model, IMAGES, Limits(4), beam_size=3, n_best=3)):
        for found in beam:
            said = mg.tensor([[SOS, *found.tokens[:-1]]])
            logits, weights = (x.detach().numpy()[0] for x in model(IMAGES[row : row + 1], said))
            log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
            expected_sum = log_p[np.arange(len(found.tokens)), found.tokens].sum()
            assert found.log_probability == pytest.approx(expected_sum, abs=1e-10)
            np.testing.assert_allclose(found.attention, weights, atol=1e-12)


def test_gradients_reach_every_parameter_of_soft_attention():
    images, batch = digit_rows(16, seed=1)
    model = model_of().to(mg.float32)
    assert_gradients_reach_every_parameter(model, soft_loss(model, images, batch))


def test_gradients_reach_every_parameter_of_hard_attention():
    """Those of the score come from what was drawn alone."""
    images, batch = digit_rows(16, seed=1)
    model = model_of(HardImageAttention).to(mg.float32).train()
    assert_gradients_reach_every_parameter(model, hard_loss(model, images, batch, baseline=-3.0)[0])


@BOTH
def test_a_model_is_restored_bit_by_bit_from_its_state(kind):
    assert_restored_bit_by_bit(
        lambda: kind(ImageAttentionConfig.digits()).to(mg.float64), lambda model: model(IMAGES, TARGET)[0]
    )


def test_places_are_drawn_in_training_alone():
    assert_dropout_in_training_alone(model_of(HardImageAttention), lambda model: model(IMAGES, TARGET)[0])


# ---------------------------------------------------------------------------- the losses


def test_the_doubly_stochastic_loss_asks_that_every_place_gets_its_share():
    real = mg.ones(1, 3, dtype=mg.bool)
    assert doubly_stochastic_loss(mg.tensor(np.eye(3)[None]), real).item() == 0
    assert doubly_stochastic_loss(mg.tensor(np.eye(3)[[0, 0, 0]][None]), real).item() == 4 + 1 + 1
    some = mg.tensor([[True, False, False]])
    assert doubly_stochastic_loss(mg.tensor(np.eye(3)[None]), some).item() == 2


def test_the_gradient_of_hard_attention_is_that_of_its_expectation():
    """REINFORCE, summed over every place that may be drawn, is the gradient of E[log p(y | s)]."""
    gain, b = np.array([0.5, -1.0, 2.0]), 0.3
    energies = mg.tensor([0.1, 0.7, -0.4], dtype=mg.float64, requires_grad=True)
    real = mg.ones(1, 1, dtype=mg.bool)
    p = energies.softmax(dim=0)
    total = 0
    for place in range(3):
        loss = hard_attention_loss(
            mg.tensor([[gain[place]]]),
            p[place].log().reshape(1, 1),
            p.reshape(1, 1, 3),
            real,
            baseline=b,
            entropy_weight=0.0,
        )
        total = total + p.detach()[place] * loss
    (found,) = mg.autograd.grad(total, [energies])
    (expected,) = mg.autograd.grad(-(energies.softmax(dim=0) * mg.tensor(gain)).sum(), [energies])
    np.testing.assert_allclose(found.numpy(), expected.numpy(), atol=1e-12)


# ---------------------------------------------------------------------------- learning


def test_digits_are_read_from_left_to_right_with_soft_attention():
    mg.manual_seed(0)
    model = ImageAttention(ImageAttentionConfig.digits())
    train(model, lambda step: soft_loss(model, *digit_rows(32, step)), 200)
    images, batch = digit_rows(100, seed=10_000)
    found = greedy(model, images, Limits(4))
    assert share_exact(found, batch) > 0.9
    pairs = np.array([one.attention[:2] for one in found if len(one.tokens) == 3])
    left = pairs.reshape(-1, 2, 2, 4)[..., :2].sum(axis=(2, 3)).mean(axis=0)  # of each step, on the left half
    assert left[0] > left[1]


def test_hard_attention_learns_to_read_single_digits():
    mg.manual_seed(0)
    model = HardImageAttention(ImageAttentionConfig.digits())
    baseline = [-5.0]

    def loss(step):
        found, reward = hard_loss(model, *digit_rows(32, step, longest=1), baseline[0])
        baseline[0] = 0.9 * baseline[0] + 0.1 * reward  # §4.1
        return found

    train(model, loss, 150)
    images, batch = digit_rows(100, seed=10_000, longest=1)
    assert share_exact(greedy(model, images, Limits(4)), batch) > 0.7


# ---------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ImageAttentionConfig(widths=()), r"widths is \(\), expected one width or more"),
        (lambda: ImageAttentionConfig(vocabulary=0), "vocabulary is 0, expected at least 1"),
        (
            lambda: model_of()(mg.ones(2, 3, 8, 8), TARGET),
            r"expected \(B, 1, height, width\), both at least 4",
        ),
        (lambda: model_of()(mg.ones(2, 1, 8, 3), TARGET), r"images \(2, 1, 8, 3\)"),
        (lambda: doubly_stochastic_loss(mg.ones(2, 3, 4), mg.ones(3, 2)), r"real \(3, 2\), expected"),
    ],
)
def test_what_cannot_be_built_or_seen_is_refused(call, message):
    with pytest.raises((ValueError, ShapeError), match=message):
        call()
