"""Hard attention on a text: a word at each step, drawn in training, and a loss that teaches where to look."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.data import PAD, SOS
from minigrad.models import BahdanauConfig, HardAttentionSeq2Seq, Limits, greedy, hard_attention_loss
from toy_models import (
    V,
    assert_gradients_reach_every_parameter,
    assert_steps_are_teacher_forcing,
    reversals,
    share_exact,
    train,
)

SOURCE, LENGTHS = mg.tensor([[4, 5, 6, 7], [9, 4, 0, 0]]), mg.tensor([4, 2])
TARGET = mg.tensor([[SOS, 4, 5], [SOS, 7, 8]])


def model_of():
    mg.manual_seed(0)
    return HardAttentionSeq2Seq(BahdanauConfig.tiny(source_vocabulary=V, target_vocabulary=V)).to(mg.float64)


def loss_of(model, batch, baseline):
    logits, weights, log_choice = model.read(batch.source, batch.source_lengths, batch.target_in)
    log_p = logits.log_softmax(dim=2).gather(2, batch.target_out.unsqueeze(2)).squeeze(2)
    real = batch.target_out != PAD
    loss = hard_attention_loss(log_p, log_choice, weights, real, baseline=baseline, reward_weight=0.2)
    return loss, (log_p.detach() * real.to(log_p.dtype)).sum(dim=1).mean().item()


def test_the_context_is_one_of_the_states_and_its_probability_is_noted():
    model = model_of()
    for training in (True, False):
        model.train(training)
        state = model.start(SOURCE)
        y = model.target_embedding(mg.tensor([SOS, SOS]))
        _, after, weights = model.advance(y, state)
        memory, w = state.memory.detach().numpy(), weights.detach().numpy()
        chosen = [int(np.abs(w[b] - np.exp(after.log_choice.detach().numpy()[b])).argmin()) for b in (0, 1)]
        context, _ = model.context(mg.tensor(np.eye(4)[chosen]), state)  # certain of that word
        np.testing.assert_array_equal(context.detach().numpy(), memory[[0, 1], chosen])
        assert chosen[1] < 2
        if not training:
            assert chosen == w.argmax(axis=1).tolist()


def test_words_are_drawn_in_training_alone_and_as_often_as_their_weights_say():
    model = model_of()
    state = model.start(mg.tensor([[4, 5, 6]] * 2000))
    weights = mg.tensor([[0.5, 0.3, 0.2]] * 2000, dtype=mg.float64)
    _, noted = model.context(weights, state)
    drawn = np.exp(noted.log_choice.numpy())
    for share in (0.5, 0.3, 0.2):
        assert np.isclose(drawn, share).mean() == pytest.approx(share, abs=0.04)
    _, noted = model.eval().context(weights, state)
    np.testing.assert_allclose(np.exp(noted.log_choice.numpy()), 0.5)


def test_steps_are_teacher_forcing():
    assert_steps_are_teacher_forcing(model_of().eval(), SOURCE, TARGET)


def test_padding_is_never_looked_at():
    model = model_of()
    _, weights, log_choice = model.read(SOURCE, LENGTHS, TARGET)
    assert (weights.detach().numpy()[1, :, 2:] == 0).all()
    assert np.isfinite(log_choice.detach().numpy()).all()


def test_gradients_reach_every_parameter():
    model = model_of()
    assert_gradients_reach_every_parameter(model, loss_of(model, reversals(32, seed=1), -3.0)[0])


def test_where_to_look_is_learned():
    mg.manual_seed(0)
    model = HardAttentionSeq2Seq(BahdanauConfig.tiny(source_vocabulary=V, target_vocabulary=V))
    baseline = 0.0

    def loss(step):
        nonlocal baseline
        found, reward = loss_of(model, reversals(32, step, longest=3), baseline)
        baseline = 0.9 * baseline + 0.1 * reward
        return found

    train(model, loss, 120)
    batch = reversals(100, seed=10_000, longest=3)
    assert share_exact(greedy(model, batch.source, Limits(5)), batch) > 0.7
