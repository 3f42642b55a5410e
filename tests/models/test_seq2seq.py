"""The encoder-decoder with one vector between: its equations, its options, and that it learns."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import Limits, Seq2Seq, Seq2SeqConfig, beam_search, greedy
from minigrad.models.seq2seq import reversed_rows
from toy_models import (
    LENGTHS,
    SOURCE,
    TARGET,
    Recomputed,
    V,
    assert_dropout_in_training_alone,
    assert_gradients_reach_every_parameter,
    assert_restored_bit_by_bit,
    assert_steps_are_teacher_forcing,
    copies,
    reversals,
    share_exact,
    train,
    translation_loss,
)

KINDS = {
    "lstm": {},
    "lstm, two layers": {"layers": 2},
    "gru, peeky": {"cell": "gru", "peeky": True},
    "rnn": {"cell": "rnn", "reverse_source": False},
    "cho": {
        "cell": "gru",
        "peeky": True,
        "reverse_source": False,
        "reset_after": False,
        "bridge": True,
        "maxout_size": 32,
    },
}
ALL = pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)


def config_of(**options):
    return Seq2SeqConfig.tiny(source_vocabulary=V, target_vocabulary=V, **options)


def model_of(**options):
    mg.manual_seed(0)
    return Seq2Seq(config_of(**options)).to(mg.float64).eval()


def logits_of(model):
    return model(SOURCE, LENGTHS, TARGET)[0]


@ALL
def test_logits_have_a_row_for_every_target_position(options):
    logits, weights = model_of(**options)(SOURCE, LENGTHS, TARGET)
    assert logits.shape == (3, 4, V)
    assert weights is None


@pytest.mark.parametrize("reverse_source", [False, True])
@pytest.mark.parametrize("peeky", [False, True])
def test_the_model_is_what_its_equations_say(peeky, reverse_source):
    """Equations (1) to (4'), written out in NumPy for the plain cell and one source."""
    model = model_of(cell="rnn", peeky=peeky, reverse_source=reverse_source)
    W = {name: parameter.detach().numpy() for name, parameter in model.named_parameters()}

    def cell(x, h, name):
        read = W[f"{name}.weight_ih_l0"] @ x + W[f"{name}.bias_ih_l0"]
        return np.tanh(read + W[f"{name}.weight_hh_l0"] @ h + W[f"{name}.bias_hh_l0"])

    source, h = SOURCE.tolist()[1][:3], np.zeros(64)
    for token in reversed(source) if reverse_source else source:
        h = cell(W["source_embedding.weight"][token], h, "encoder")  # (1)
    c, expected = h, []  # (2)
    for token in TARGET.tolist()[1]:
        y = W["target_embedding.weight"][token]
        h = cell(np.concatenate([y, c]) if peeky else y, h, "decoder")  # (3), (3')
        read = np.concatenate([h, y, c]) if peeky else h
        expected.append(W["output.weight"] @ read + W["output.bias"])  # (4), (4')
    np.testing.assert_allclose(logits_of(model).detach().numpy()[1], expected, atol=1e-12)


def test_the_model_of_cho_is_what_its_equations_say():
    """Equations (1), (2'), (3'), (4") in NumPy, with units that reset their state before the product."""
    model = model_of(**KINDS["cho"])
    W = {name: parameter.detach().numpy() for name, parameter in model.named_parameters()}

    def cell(x, h, name):
        W_r, W_z, W_n = np.split(W[f"{name}.weight_ih_l0"] @ x + W[f"{name}.bias_ih_l0"], 3)
        (U_r, U_z, U_n), (b_r, b_z, b_n) = (
            np.split(W[f"{name}.{kind}_hh_l0"], 3) for kind in ("weight", "bias")
        )
        r, z = 1 / (1 + np.exp(-(W_r + U_r @ h + b_r))), 1 / (1 + np.exp(-(W_z + U_z @ h + b_z)))
        return z * h + (1 - z) * np.tanh(W_n + U_n @ (r * h) + b_n)

    h = np.zeros(64)
    for token in SOURCE.tolist()[1][:3]:
        h = cell(W["source_embedding.weight"][token], h, "encoder")  # (1)
    c, expected = np.tanh(W["V.weight"] @ h + W["V.bias"]), []
    h = np.tanh(W["V_start.weight"] @ c + W["V_start.bias"])  # (2')
    for token in TARGET.tolist()[1]:
        y = W["target_embedding.weight"][token]
        h = cell(np.concatenate([y, c]), h, "decoder")  # (3')
        pairs = W["O.weight"] @ np.concatenate([h, y, c]) + W["O.bias"]
        expected.append(W["output.weight"] @ np.maximum(pairs[0::2], pairs[1::2]) + W["output.bias"])  # (4")
    np.testing.assert_allclose(logits_of(model).detach().numpy()[1], expected, atol=1e-12)


@ALL
def test_a_source_alone_gives_what_it_gives_in_a_padded_batch(options):
    model = model_of(**options)
    together = logits_of(model).detach().numpy()
    for row, length in enumerate(LENGTHS.tolist()):
        one = slice(row, row + 1)
        alone, _ = model(SOURCE[one, :length], LENGTHS[one], TARGET[one])
        np.testing.assert_allclose(alone.detach().numpy()[0], together[row], atol=1e-12)


def test_rows_are_reversed_up_to_their_padding():
    assert reversed_rows(SOURCE, LENGTHS).tolist() == [[8, 7, 6, 5, 4], [5, 4, 9, 0, 0], [6, 0, 0, 0, 0]]


@ALL
def test_steps_are_teacher_forcing(options):
    assert_steps_are_teacher_forcing(model_of(**options), SOURCE, TARGET)


@ALL
def test_a_beam_with_a_state_finds_what_one_without_finds(options):
    model = model_of(**options)
    found, slow = (
        beam_search(which, SOURCE, Limits(6), beam_size=3, n_best=3) for which in (model, Recomputed(model))
    )
    for row, other in zip(found, slow, strict=True):
        assert [one.tokens for one in row] == [one.tokens for one in other]
        assert [one.score for one in row] == pytest.approx([one.score for one in other], abs=1e-10)
        assert row[0].attention is None


@ALL
def test_gradients_reach_every_parameter(options):
    model = model_of(**options)
    assert_gradients_reach_every_parameter(model, translation_loss(model, reversals(32, seed=1)))


@ALL
def test_a_model_is_restored_bit_by_bit_from_its_state(options):
    assert_restored_bit_by_bit(lambda: Seq2Seq(config_of(**options)), logits_of)


def test_dropout_is_active_in_training_alone():
    assert_dropout_in_training_alone(model_of(dropout=0.3, layers=2), logits_of)


@pytest.mark.parametrize(
    "options", [{}, {"cell": "gru", "peeky": True, "reverse_source": False}, KINDS["cho"]]
)
def test_short_words_are_copied(options):
    mg.manual_seed(0)
    model = Seq2Seq(config_of(**options))
    train(model, lambda step: translation_loss(model, copies(32, step, longest=3)), 200)
    batch = copies(100, seed=10_000, longest=3)
    assert share_exact(greedy(model, batch.source, Limits(5)), batch) > 0.8


def test_the_configurations_have_the_sizes_of_the_papers():
    ours, cho = Seq2SeqConfig(), Seq2SeqConfig.cho(hidden_size=7)
    assert (ours.layers, ours.hidden_size, ours.embedding_size, ours.reverse_source) == (4, 1000, 1000, True)
    assert (ours.source_vocabulary, ours.target_vocabulary) == (160_000, 80_000)
    assert (cho.layers, cho.cell, cho.embedding_size, cho.peeky, cho.hidden_size) == (1, "gru", 100, True, 7)
    assert (cho.reset_after, cho.bridge, cho.maxout_size) == (False, True, 500)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cell": "gur"}, "cell is 'gur', expected one of rnn, lstm, gru"),
        ({"hidden_size": 0}, "hidden_size is 0, expected at least 1"),
        ({"maxout_size": -1}, "maxout_size is -1, expected 0 for none, or more"),
        ({"reset_after": False}, "reset_after is False, but cell is 'lstm'; only a gru resets"),
        ({"bridge": True}, "bridge is True, but layers is 4 and cell 'lstm', expected 1, rnn or gru"),
        ({"bridge": True, "cell": "gru", "layers": 2}, "layers is 2 and cell 'gru'"),
        ({"source_vocabulary": -1}, "source_vocabulary is -1, expected at least 1"),
    ],
)
def test_a_configuration_that_cannot_be_built_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Seq2SeqConfig(**options)
