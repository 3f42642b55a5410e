"""Language models, recurrent and Transformer: shapes, caches, generation, and that they learn."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.data import EOS, SOS
from minigrad.models import (
    Limits,
    RNNLanguageModel,
    RNNLanguageModelConfig,
    TransformerLanguageModel,
    TransformerLanguageModelConfig,
    beam_search,
    greedy,
)
from minigrad.nn import functional as F
from toy_models import (
    V,
    assert_dropout_in_training_alone,
    assert_gradients_reach_every_parameter,
    assert_restored_bit_by_bit,
    train,
)

TEXT = mg.tensor([[SOS, 4, 5, 6, 4], [SOS, 7, 8, 9, 7]])


def recurrent(**options):
    return lambda: RNNLanguageModel(RNNLanguageModelConfig.tiny(vocabulary=V, **options))


def transformer(**options):
    config = TransformerLanguageModelConfig.tiny(**{"vocabulary": V, "max_length": 16, **options})
    return lambda: TransformerLanguageModel(config)


MODELS = {
    "rnn": recurrent(cell="rnn"),
    "lstm": recurrent(cell="lstm"),
    "gru": recurrent(cell="gru"),
    "two layers, tied": recurrent(cell="gru", layers=2, hidden_size=16, tie_weights=True),
    "transformer": transformer(),
    "rotary transformer": transformer(positions="rotary"),
    "alibi transformer": transformer(positions="alibi"),
}
ALL = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)


def model_of(make):
    mg.manual_seed(0)
    return make().to(mg.float64).eval()


def refrains(count, seed):
    """Three tokens, again and again: <sos> a b c a b c a b c <eos>."""
    tokens = np.random.default_rng(seed).integers(4, V, (count, 3))
    ends = [np.full((count, 1), token) for token in (SOS, EOS)]
    return mg.tensor(np.concatenate([ends[0], tokens, tokens, tokens, ends[1]], axis=1))


def loss_of(model, text, skip=0):
    logits, _ = model(text[:, :-1])
    return F.cross_entropy(logits[:, skip:].reshape(-1, V), text[:, 1 + skip :].reshape(-1))


# ---------------------------------------------------------------------------- the models


@ALL
def test_logits_have_a_row_for_every_position(make):
    assert model_of(make)(TEXT)[0].shape == (2, 5, V)


@ALL
def test_a_later_token_changes_no_earlier_logits(make):
    model, changed = model_of(make), TEXT.numpy().copy()
    changed[:, 3] = 5
    same = model(TEXT)[0].detach().numpy() == model(mg.tensor(changed))[0].detach().numpy()
    assert same[:, :3].all()
    assert not same[:, 3].all()


@ALL
def test_a_text_read_piece_by_piece_is_the_text_read_at_once(make):
    model = model_of(make)
    expected, state = model(TEXT)[0].detach().numpy(), model.first_state()
    for first, last in ((0, 2), (2, 3), (3, 5)):
        logits, state = model(TEXT[:, first:last], state)
        np.testing.assert_allclose(logits.detach().numpy(), expected[:, first:last], atol=1e-10)


@ALL
@pytest.mark.parametrize("prompt", [TEXT, TEXT[:, :1]], ids=["long prompt", "<sos>"])
def test_a_beam_scores_what_it_writes_as_the_whole_model_does(make, prompt):
    """That is, its cache survives every reordering."""
    model = model_of(make)
    for row, beam in enumerate(
        beam_search(model, prompt, Limits(5), beam_size=4, n_best=4, first=prompt[:, -1])
    ):
        for found in beam:
            text = mg.tensor([[*prompt[row].tolist(), *found.tokens]])
            log_p = model(text)[0].log_softmax(dim=2).detach().numpy()[0]
            places = np.arange(len(found.tokens)) + prompt.shape[1] - 1
            expected = log_p[places, found.tokens].sum()
            assert found.log_probability == pytest.approx(expected, abs=1e-10)


@ALL
def test_gradients_reach_every_parameter(make):
    mg.manual_seed(0)
    model = make()
    if isinstance(model, TransformerLanguageModel):
        model = transformer(positions=model.config.positions, max_length=10)()
    assert_gradients_reach_every_parameter(model, loss_of(model, refrains(32, seed=0)))


@ALL
def test_a_model_is_restored_bit_by_bit_from_its_state(make):
    assert_restored_bit_by_bit(make, lambda model: model(TEXT)[0])


@pytest.mark.parametrize("make", [recurrent(dropout=0.3), transformer(dropout=0.3)])
def test_dropout_is_active_in_training_alone(make):
    assert_dropout_in_training_alone(model_of(make), lambda model: model(TEXT)[0])


@pytest.mark.parametrize("make", [recurrent(cell="lstm"), recurrent(cell="rnn"), transformer()])
def test_a_refrain_is_learned_and_sung_on(make):
    mg.manual_seed(0)
    model = make()
    train(model, lambda step: loss_of(model, refrains(32, step)), 350)
    text = refrains(50, seed=9999)
    assert loss_of(model, text, skip=3).item() < 0.1
    prompt = text[:, :5]  # up to the fourth token, with which the refrain begins anew
    expected = text[:, 5:].tolist()
    sung = [found.tokens for found in model.generate(prompt, Limits(8), top_k=1)]
    assert sung == [found.tokens for found in greedy(model, prompt, Limits(8), first=prompt[:, -1])]
    assert np.mean([found == wanted for found, wanted in zip(sung, expected, strict=True)]) > 0.9


def test_generation_is_that_of_its_generator():
    model = model_of(transformer())
    first, again, other = (
        model.generate(TEXT, Limits(6), generator=mg.Generator(seed)) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


# ---------------------------------------------------------------------------- sizes


def test_the_recurrent_model_is_what_its_equations_say():
    model = model_of(recurrent(cell="rnn"))
    W = {name: parameter.detach().numpy() for name, parameter in model.named_parameters()}
    h = np.zeros(32)
    for t, token in enumerate(TEXT.tolist()[0]):
        x = W["embedding.weight"][token]  # (2)
        h = np.tanh(
            W["rnn.weight_ih_l0"] @ x + W["rnn.bias_ih_l0"] + W["rnn.weight_hh_l0"] @ h + W["rnn.bias_hh_l0"]
        )  # (3)
        logits = W["output.weight"] @ h + W["output.bias"]  # (4)
        np.testing.assert_allclose(model(TEXT)[0].detach().numpy()[0, t], logits, atol=1e-12)


def test_a_gated_unit_has_three_quarters_of_the_weights_of_an_lstm():
    counts = {
        cell: sum(p.numel() for p in recurrent(cell=cell)().rnn.parameters())
        for cell in ("rnn", "gru", "lstm")
    }
    assert counts["lstm"] == 4 * counts["rnn"]
    assert counts["gru"] == 3 * counts["rnn"]


def test_the_smallest_model_of_gpt_2_has_its_124_439_808_parameters():
    """50257 · 768 + 1024 · 768 for the tables, 12 layers of 7,087,872, and a last norm."""
    config = TransformerLanguageModelConfig()
    one = TransformerLanguageModel(TransformerLanguageModelConfig(vocabulary=7, layers=1, max_length=5))
    layer = sum(p.numel() for p in one.stack.layers.layers[0].parameters())
    norm = sum(p.numel() for p in one.stack.layers.norm.parameters())
    assert sum(p.numel() for p in one.parameters()) == (7 + 5) * 768 + layer + norm
    tables = (config.vocabulary + config.max_length) * config.model_size
    assert tables + config.layers * layer + norm == 124_439_808


# ---------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RNNLanguageModelConfig(cell="qrnn"), "cell is 'qrnn', expected one of rnn, lstm, gru"),
        (lambda: RNNLanguageModelConfig(vocabulary=0), "vocabulary is 0, expected at least 1"),
        (
            lambda: RNNLanguageModelConfig(tie_weights=True, hidden_size=7),
            "expected the same for tie_weights",
        ),
        (lambda: TransformerLanguageModelConfig(vocabulary=0), "vocabulary is 0, expected at least 1"),
        (lambda: TransformerLanguageModelConfig(heads=5), "expected a multiple of heads"),
    ],
)
def test_a_configuration_that_cannot_be_built_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("prompt", [mg.zeros(2, 0, dtype=mg.int64), mg.zeros(3, dtype=mg.int64)])
def test_an_empty_prompt_is_refused(prompt):
    with pytest.raises(ValueError, match=r"expected \(B, L\) with L at least 1; begin with <sos>"):
        model_of(recurrent()).start(prompt)


def test_a_text_longer_than_the_learned_positions_is_refused():
    with pytest.raises(ValueError, match="a sequence of 17 positions, expected at most max_length=16"):
        greedy(model_of(transformer()), TEXT, Limits(20, 20))
