"""Naive, autoregressive and latent autoregressive models of a series, and Markov chains of tokens."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.data import EOS, PAD, SOS
from minigrad.errors import ShapeError
from minigrad.models import AutoRegressive, LatentAutoRegressive, Limits, MarkovChain, Naive, greedy
from minigrad.nn import functional as F
from toy_models import assert_gradients_reach_every_parameter, assert_restored_bit_by_bit, train

SERIES = {"naive": Naive, "ar(1)": lambda: AutoRegressive(1), "ar(4)": lambda: AutoRegressive(4)}
SERIES |= {cell: lambda cell=cell: LatentAutoRegressive(8, cell) for cell in ("rnn", "lstm", "gru")}


def waves(count, length, seed):
    """A sine of period 12 with noise, from random phases."""
    draw = np.random.default_rng(seed)
    t = np.arange(length) + draw.uniform(0, 12, (count, 1))
    noisy = np.sin(2 * np.pi * t / 12) + draw.normal(0, 0.1, (count, length))
    return mg.tensor(noisy.astype(np.float32))


def one_step_error(model, x):
    predicted = model(x[:, :-1])
    return ((predicted - x[:, model.order :]) ** 2).mean().item()


def forecast_errors(model, x, steps=12):
    """The squared error of each of so many steps."""
    forecast = model.forecast(x[:, :-steps], steps).numpy()
    return ((forecast - x.numpy()[:, -steps:]) ** 2).mean(axis=0)


# ---------------------------------------------------------------------------- one interface


@pytest.mark.parametrize("make", SERIES.values(), ids=SERIES)
def test_there_is_a_prediction_for_every_window(make):
    model, x = make(), waves(3, 9, seed=0)
    assert model(x).shape == (3, 9 - model.order + 1)
    assert model.forecast(x, 5).shape == (3, 5)


@pytest.mark.parametrize("make", SERIES.values(), ids=SERIES)
def test_a_forecast_feeds_each_prediction_back(make):
    mg.manual_seed(0)
    model, x = make().to(mg.float64), waves(3, 9, seed=0).to(mg.float64)
    found, said = model.forecast(x, 4).numpy(), x.numpy()
    for k in range(4):
        expected = model(mg.tensor(said))[:, -1:].detach().numpy()
        np.testing.assert_allclose(found[:, k : k + 1], expected, atol=1e-12)
        said = np.concatenate([said, expected], axis=1)


@pytest.mark.parametrize("make", SERIES.values(), ids=SERIES)
def test_a_prediction_does_not_see_what_it_predicts(make):
    mg.manual_seed(0)
    model, x = make(), waves(1, 9, seed=0)
    changed = x.numpy().copy()
    changed[:, 7:] += 1
    same = model(x).detach().numpy() == model(mg.tensor(changed)).detach().numpy()
    assert same[:, :-2].all()
    assert not same[:, -2:].any()


@pytest.mark.parametrize("name", [name for name in SERIES if name != "naive"])
def test_gradients_reach_every_parameter_and_a_state_restores_all(name):
    model, x = SERIES[name](), waves(3, 9, seed=0)
    assert_gradients_reach_every_parameter(model, (model(x) ** 2).sum())
    assert_restored_bit_by_bit(SERIES[name], lambda model: model(x))


# ---------------------------------------------------------------------------- what they do


def test_least_squares_finds_the_coefficients_of_an_autoregressive_series():
    draw, x = np.random.default_rng(0), [0.0, 0.0]
    for _ in range(20_000):
        x.append(0.5 + 1.2 * x[-1] - 0.4 * x[-2] + draw.normal())
    model = AutoRegressive(2).fit(mg.tensor([x]))
    assert model.linear.weight.tolist()[0] == pytest.approx([-0.4, 1.2], abs=0.02)
    assert model.linear.bias.item() == pytest.approx(0.5, abs=0.06)


def test_descent_comes_to_where_least_squares_is():
    mg.manual_seed(0)
    x = waves(30, 40, seed=1)
    model, best = AutoRegressive(2), AutoRegressive(2).fit(x)
    train(model, lambda step: F.mse_loss(model(x[:, :-1]), x[:, 2:]), 500, lr=0.1)
    assert model.linear.weight.tolist()[0] == pytest.approx(best.linear.weight.tolist()[0], abs=0.02)


def test_a_longer_memory_predicts_better_and_errors_grow_with_the_distance():
    """The noise has variance 0.01, below which no prediction can come."""
    mg.manual_seed(0)
    seen, new = waves(50, 60, seed=2), waves(100, 60, seed=3)
    latent = LatentAutoRegressive(16)
    train(latent, lambda step: F.mse_loss(latent(seen[:, :-1]), seen[:, 1:]), 150, lr=0.02)
    models = [Naive(), AutoRegressive(1).fit(seen), AutoRegressive(6).fit(seen), latent]
    naive, markov, window, state = (one_step_error(model, new) for model in models)
    assert naive > markov > window > 0.01
    assert window < 0.3 * markov
    assert state < 0.3 * markov
    for model in models[2:]:
        errors = forecast_errors(model, new)
        assert errors[0] < errors[-4:].mean()


# ---------------------------------------------------------------------------- Markov chain

TEXTS = mg.tensor([[SOS, 4, 5, 4, 5, 4, EOS], [SOS, 5, 4, 4, EOS, PAD, PAD]])


def expected(order, smoothing, history):
    """(2) and (3), by counting in the texts again."""
    rows = [[PAD] * order + [token for token in row if token != PAD] for row in TEXTS.tolist()]
    p = np.array([0, 0, 0, 1, 1, 1]) / 3
    for k in range(order + 1):
        known = history[order - k :]
        following = [
            row[t] for row in rows for t in range(order + 1, len(row)) if row[t - k : t] == known
        ]  # what <sos> follows is no history that is asked for
        if following or smoothing:
            p = (np.bincount(following, minlength=6) + smoothing * p) / (len(following) + smoothing)
    return p


@pytest.mark.parametrize("smoothing", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_chain_counts_what_followed_each_history(order, smoothing):
    chain = MarkovChain(6, order, smoothing).fit(TEXTS)
    log_p, _ = chain(TEXTS[:1, :-1])
    text = [PAD] * order + TEXTS[0].tolist()
    for t in range(6):
        p = expected(order, smoothing, text[t + 1 : t + 1 + order])
        np.testing.assert_allclose(np.exp(log_p.numpy()[0, t]), p, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 1.0])
def test_after_a_history_that_was_never_seen_a_shorter_one_says_what_follows(smoothing):
    long, short = (MarkovChain(6, order, smoothing).fit(TEXTS) for order in (2, 1))
    for text in ([4], [3, 5]):  # shorter than the order, and of what is in no text
        found, wanted = (chain(mg.tensor([text]))[0].exp().numpy()[0, -1] for chain in (long, short))
        np.testing.assert_allclose(found, wanted, atol=1e-6)
        assert found[[4, 5]].sum() > 0.5
        assert (found[[PAD, SOS]] == 0).all()


def test_a_chain_that_was_not_fitted_takes_all_texts_for_alike():
    log_p, _ = MarkovChain(6, 2, 0.0)(mg.tensor([[4]]))
    np.testing.assert_allclose(np.exp(log_p.numpy()[0, 0]), np.array([0, 0, 0, 1, 1, 1]) / 3, atol=1e-6)


def test_counts_of_more_texts_add_up_and_are_saved():
    once, twice = MarkovChain(6).fit(TEXTS), MarkovChain(6).fit(TEXTS[:1]).fit(TEXTS[1:])
    for one, other in zip(once.tables(), twice.tables(), strict=True):
        assert (one.numpy() == other.numpy()).all()
    other = MarkovChain(6)
    other.load_state_dict(once.state_dict())
    assert (other(TEXTS)[0].numpy() == once(TEXTS)[0].numpy()).all()


def test_a_chain_of_higher_order_sings_a_refrain_that_one_of_order_one_cannot():
    text = mg.tensor([[SOS, *[4, 4, 5] * 4, EOS]])
    sung = [
        greedy(MarkovChain(6, order, 0.0).fit(text), text[:, :4], Limits(6), first=mg.tensor([5]))[0].tokens
        for order in (1, 2)
    ]
    assert sung[1] == [4, 4, 5, 4, 4, 5]
    assert sung[0] != sung[1]


def test_a_chain_generates_what_it_has_counted():
    chain = MarkovChain(6, 1, 0.0).fit(TEXTS)
    for found in chain.generate(TEXTS[:, :1], Limits(20), generator=mg.Generator(0)):
        text = [SOS, *found.tokens]
        assert all(chain.counts_1.numpy()[text[t], text[t + 1]] > 0 for t in range(len(found.tokens)))


# ---------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AutoRegressive(0), "order=0, expected at least 1"),
        (lambda: LatentAutoRegressive(8, "esn"), "cell='esn', expected one of rnn, lstm, gru"),
        (lambda: MarkovChain(3), "vocabulary=3"),
        (lambda: MarkovChain(6, 0), "order=0"),
        (lambda: MarkovChain(6, 1, -1.0), "smoothing=-1.0"),
        (lambda: MarkovChain(10_000, 2), r"a table of 10000\^3 counts, expected at most 100,000,000"),
        (lambda: AutoRegressive(4)(mg.zeros(2, 3)), r"series \(2, 3\), expected \(B, T\) with T at least 4"),
        (lambda: AutoRegressive(4).fit(mg.zeros(2, 4)), r"T more than the order 4"),
        (lambda: Naive()(mg.zeros(3)), r"series \(3,\), expected \(B, T\)"),
        (lambda: LatentAutoRegressive(4).forecast(mg.zeros(2, 0), 1), r"T at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises((ValueError, ShapeError), match=message):
        make()
