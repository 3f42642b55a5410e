"""Bahdanau, Luong, local attention and coverage: equations, states, decoding, and that they learn."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.data import PAD
from minigrad.models import (
    BahdanauConfig,
    BahdanauSeq2Seq,
    CoverageSeq2Seq,
    Limits,
    LuongConfig,
    LuongSeq2Seq,
    beam_search,
    coverage_loss,
    greedy,
)
from minigrad.models.local_attention import Window
from minigrad.nn import functional as F
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
    reversals,
    share_exact,
    train,
    translation_loss,
)

SIZES = {"source_vocabulary": V, "target_vocabulary": V}


def luong(**options):
    return lambda: LuongSeq2Seq(LuongConfig.tiny(**{**SIZES, "max_length": 5, **options}))


def bahdanau(**options):
    return lambda: BahdanauSeq2Seq(BahdanauConfig.tiny(**SIZES, **options))


def coverage(**options):
    return lambda: CoverageSeq2Seq(BahdanauConfig.tiny(**SIZES, **options))


MODELS = {"bahdanau": bahdanau(), "coverage": coverage()}
MODELS |= {f"luong, {score}": luong(score=score) for score in ("dot", "general", "concat", "location")}
MODELS |= {
    "luong, two layers": luong(layers=2, reverse_source=False),
    "luong, no input feeding": luong(input_feeding=False),
    "local, monotonic": luong(alignment="monotonic", window=2),
    "local, predictive": luong(alignment="predictive", window=2, score="general"),
}
ALL = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)


def model_of(make):
    mg.manual_seed(0)
    return make().to(mg.float64).eval()


def logits_of(model):
    return model(SOURCE, LENGTHS, TARGET)[0]


def weights_of(model):
    return {name: parameter.detach().numpy() for name, parameter in model.named_parameters()}


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# ---------------------------------------------------------------------------- what all share


@ALL
def test_logits_and_weights_have_a_row_for_every_target_position(make):
    logits, weights = model_of(make)(SOURCE, LENGTHS, TARGET)
    assert logits.shape == (3, 4, V)
    assert weights.shape == (3, 4, 5)


@ALL
def test_weights_are_zero_on_padding_and_sum_to_one_where_attention_is_global(make):
    model = model_of(make)
    weights = model(SOURCE, LENGTHS, TARGET)[1].detach().numpy()
    padding = np.broadcast_to((SOURCE.numpy() == PAD)[:, None], weights.shape)
    assert (weights[padding] == 0).all()
    if getattr(model, "window", None) is None:
        assert weights.sum(axis=2) == pytest.approx(1, abs=1e-12)
    else:
        assert (weights.sum(axis=2) < 1 + 1e-12).all()


@ALL
def test_a_source_alone_gives_what_it_gives_in_a_padded_batch(make):
    model = model_of(make)
    together, looked = (found.detach().numpy() for found in model(SOURCE, LENGTHS, TARGET))
    for row, length in enumerate(LENGTHS.tolist()):
        one = slice(row, row + 1)
        alone, weights = model(SOURCE[one, :length], LENGTHS[one], TARGET[one])
        np.testing.assert_allclose(alone.detach().numpy()[0], together[row], atol=1e-12)
        np.testing.assert_allclose(weights.detach().numpy()[0], looked[row, :, :length], atol=1e-12)


@ALL
def test_a_later_target_token_changes_no_earlier_logits(make):
    model, changed = model_of(make), TARGET.numpy().copy()
    changed[:, 2] = 9
    after = model(SOURCE, LENGTHS, mg.tensor(changed))[0].detach().numpy()
    same = logits_of(model).detach().numpy() == after
    assert same[:, :2].all()
    assert not same[:, 2].all()


@ALL
def test_steps_are_teacher_forcing(make):
    assert_steps_are_teacher_forcing(model_of(make), SOURCE, TARGET)


@ALL
def test_a_beam_with_a_state_finds_what_one_without_finds(make):
    model = model_of(make)
    found, slow = (
        beam_search(which, SOURCE, Limits(5), beam_size=3, n_best=3) for which in (model, Recomputed(model))
    )
    for row, other in zip(found, slow, strict=True):
        assert [one.tokens for one in row] == [one.tokens for one in other]
        assert [one.score for one in row] == pytest.approx([one.score for one in other], abs=1e-10)
        for one, two in zip(row, other, strict=True):
            np.testing.assert_allclose(one.attention, two.attention, atol=1e-10)


@ALL
def test_gradients_reach_every_parameter(make):
    model = model_of(make)
    loss = translation_loss(model, reversals(32, seed=1, longest=5))
    assert_gradients_reach_every_parameter(model, loss)


@ALL
def test_a_model_is_restored_bit_by_bit_from_its_state(make):
    assert_restored_bit_by_bit(make, logits_of)


@pytest.mark.parametrize("make", [bahdanau(dropout=0.3), luong(dropout=0.3, layers=2)])
def test_dropout_is_active_in_training_alone(make):
    assert_dropout_in_training_alone(model_of(make), logits_of)


@pytest.mark.parametrize(
    "name",
    ["bahdanau", "coverage", "luong, dot", "luong, location", "luong, no input feeding", "local, predictive"],
)
def test_reversal_is_learned(name):
    mg.manual_seed(0)
    model = MODELS[name]()
    train(model, lambda step: translation_loss(model, reversals(32, step, longest=3)), 120)
    batch = reversals(100, seed=10_000, longest=3)
    assert share_exact(greedy(model, batch.source, Limits(6)), batch) > 0.8


# ---------------------------------------------------------------------------- equations


@pytest.mark.parametrize("reset_after", [True, False])
def test_bahdanau_is_what_its_equations_say(reset_after):
    """(2) to (8) in NumPy, behind the encoder's states of one source."""
    model, row, length = model_of(bahdanau(reset_after=reset_after)), 1, 3
    assert model.encoder.reset_after == model.cell.reset_after == reset_after
    W = weights_of(model)
    x = model.source_embedding(SOURCE[row : row + 1, :length].T)
    states, ends = model.encoder(x)
    memory = states.detach().numpy()[:, 0]  # (1)
    s = np.tanh(W["first_s.weight"] @ ends.detach().numpy()[1, 0] + W["first_s.bias"])  # (2)
    for t, token in enumerate(TARGET.tolist()[row]):
        y = W["target_embedding.weight"][token]
        e = np.tanh(W["W.weight"] @ s + memory @ W["U.weight"].T) @ W["v.weight"][0]  # (3)
        context = softmax(e) @ memory  # (4), (5)
        pairs = W["maxout.weight"] @ np.concatenate([s, y, context]) + W["maxout.bias"]
        said = pairs.reshape(-1, 2).max(axis=1)  # (7)
        logits = W["output.weight"] @ said + W["output.bias"]  # (8)
        np.testing.assert_allclose(logits_of(model).detach().numpy()[row, t], logits, atol=1e-12)
        read = W["cell.weight_ih"] @ np.concatenate([y, context]) + W["cell.bias_ih"]
        kept = W["cell.weight_hh"] @ s + W["cell.bias_hh"]
        (r, z, n), (hr, hz, hn) = np.split(read, 3), np.split(kept, 3)
        r, z = sigmoid(r + hr), sigmoid(z + hz)
        U, b = np.split(W["cell.weight_hh"], 3)[2], np.split(W["cell.bias_hh"], 3)[2]
        new = np.tanh(n + (r * hn if reset_after else U @ (r * s) + b))
        s = (1 - z) * new + z * s  # (6)


@pytest.mark.parametrize("score", ["dot", "general", "concat", "location"])
def test_luong_is_what_its_equations_say(score):
    """(1) to (7) in NumPy for one source, read from its end."""
    model, row, length = model_of(luong(score=score)), 1, 3
    W = weights_of(model)

    def lstm(x, h, c, name):
        gates = W[f"{name}.weight_ih_l0"] @ x + W[f"{name}.bias_ih_l0"]
        gates = gates + W[f"{name}.weight_hh_l0"] @ h + W[f"{name}.bias_hh_l0"]
        i, f, g, o = np.split(gates, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c

    h, c, memory = np.zeros(32), np.zeros(32), []
    for token in reversed(SOURCE.tolist()[row][:length]):
        h, c = lstm(W["source_embedding.weight"][token], h, c, "encoder")  # (1)
        memory.insert(0, h)
    memory, attentional = np.array(memory), np.zeros(32)
    scores = {
        "dot": lambda h: memory @ h,
        "general": lambda h: memory @ (W["score.project.weight"] @ h),
        "concat": lambda h: (
            np.tanh(W["score.query.weight"] @ h + memory @ W["score.key.weight"].T) @ W["score.v.weight"][0]
        ),
        "location": lambda h: (W["score.project.weight"] @ h)[:length],
    }
    for t, token in enumerate(TARGET.tolist()[row]):
        h, c = lstm(
            np.concatenate([W["target_embedding.weight"][token], attentional]), h, c, "decoder"
        )  # (2)
        context = softmax(scores[score](h)) @ memory  # (3), (4), (5)
        attentional = np.tanh(
            W["attentional.weight"] @ np.concatenate([context, h]) + W["attentional.bias"]
        )  # (6)
        logits = W["output.weight"] @ attentional + W["output.bias"]  # (7)
        np.testing.assert_allclose(logits_of(model).detach().numpy()[row, t], logits, atol=1e-12)


@pytest.mark.parametrize("alignment", ["monotonic", "predictive"])
def test_a_window_is_what_its_equations_say(alignment):
    mg.manual_seed(0)
    window, draw, D = Window(4, 2, alignment).to(mg.float64), np.random.default_rng(0), 2
    W = weights_of(window)
    scores, h, t = draw.normal(size=(3, 9)), draw.normal(size=(3, 4)), np.array([0.0, 4.0, 7.0])
    lengths = np.array([9, 9, 6])
    padding = np.arange(9) >= lengths[:, None]
    found = window(*map(mg.tensor, (scores, h, t, padding))).detach().numpy()
    for row in range(3):
        p = t[row]  # (1)
        if alignment == "predictive":
            p = (lengths[row] - 1) * sigmoid(W["v.weight"][0] @ np.tanh(W["W.weight"] @ h[row]))  # (2)
        expected = np.zeros(9)
        inside = [s for s in range(lengths[row]) if abs(s - p) <= D]
        expected[inside] = softmax(scores[row, inside])  # (3)
        if alignment == "predictive":
            expected *= np.exp(-((np.arange(9) - p) ** 2) / (2 * (D / 2) ** 2))  # (4)
        np.testing.assert_allclose(found[row], expected, atol=1e-12)


def test_a_window_behind_the_end_of_the_source_sees_nothing():
    window = Window(4, 2, "monotonic")
    weights = window(mg.ones(1, 9), mg.ones(1, 4), mg.tensor([9.0]), mg.tensor([[False] * 6 + [True] * 3]))
    assert weights.tolist() == [[0.0] * 9]


def test_input_feeding_tells_a_step_where_the_one_before_has_looked():
    """Another memory changes the state behind the second step with input feeding alone."""
    for feeding in (True, False):
        model = model_of(luong(input_feeding=feeding))
        state = model.start(SOURCE)
        other = state._replace(memory=state.memory + 1)
        y = model.target_embedding(TARGET)
        ends = []
        for begin in (state, other):
            now = begin
            for t in range(2):
                _, now, _ = model.advance(y[:, t], now)
            ends.append(now.h.detach().numpy())
        assert (ends[0] == ends[1]).all() == (not feeding)


# ---------------------------------------------------------------------------- coverage


def test_coverage_is_the_attention_so_far():
    model = model_of(coverage())
    _, weights, states = model.unrolled(TARGET, model.first_state(SOURCE, LENGTHS))
    covered = np.cumsum(weights.detach().numpy(), axis=1)
    for t, state in enumerate(states):
        np.testing.assert_allclose(state.coverage.detach().numpy(), covered[:, t], atol=1e-12)


def test_without_its_weight_coverage_is_bahdanau():
    model, plain = model_of(coverage()), model_of(bahdanau())
    with mg.no_grad():
        model.w.weight.zero_()
    state = {name: value for name, value in model.state_dict().items() if name != "w.weight"}
    plain.load_state_dict(state)
    np.testing.assert_allclose(
        logits_of(model).detach().numpy(), logits_of(plain).detach().numpy(), atol=1e-12
    )


def test_the_coverage_loss_is_the_attention_that_goes_where_it_has_been():
    """Looking at a new place at every step costs nothing; looking again at the same, all of it."""
    eye, same = np.eye(3)[None], np.eye(3)[[0, 0, 0]][None]
    real = mg.ones(1, 3, dtype=mg.bool)
    assert coverage_loss(mg.tensor(eye), real).item() == 0
    assert coverage_loss(mg.tensor(same), real).item() == pytest.approx(2 / 3)
    weights = np.random.default_rng(0).dirichlet(np.ones(5), (2, 4))
    real = np.array([[True] * 4, [True] * 2 + [False] * 2])
    sums = [
        np.minimum(weights[b, t], weights[b, :t].sum(axis=0)).sum()
        for b in range(2)
        for t in range(4)
        if real[b, t]
    ]
    assert coverage_loss(mg.tensor(weights), mg.tensor(real)).item() == pytest.approx(np.mean(sums))


def test_a_step_down_the_coverage_loss_makes_it_smaller():
    model = model_of(coverage())
    batch = reversals(32, seed=1)
    real = batch.target_out != PAD

    def loss():
        logits, weights = model(batch.source, batch.source_lengths, batch.target_in)
        said = F.cross_entropy(logits.reshape(-1, V), batch.target_out.reshape(-1), ignore_index=PAD)
        return said, coverage_loss(weights, real)

    before = loss()[1]
    before.backward()
    with mg.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.sub_(parameter.grad * 0.1)
    assert loss()[1].item() < before.item()


# ---------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BahdanauConfig(hidden_size=0), "hidden_size is 0, expected at least 1"),
        (lambda: BahdanauConfig(target_vocabulary=0), "target_vocabulary is 0, expected at least 1"),
        (lambda: LuongConfig(score="cosin"), "score is 'cosin', expected one of dot, scaled_dot, general"),
        (lambda: LuongConfig(alignment="local"), "alignment is 'local', expected one of global, monotonic"),
        (lambda: LuongConfig(window=0), "window is 0, expected at least 1"),
        (lambda: coverage_loss(mg.ones(2, 3, 4), mg.ones(2, 4)), r"real \(2, 4\), expected \(B, T, S\)"),
        (
            lambda: luong(score="location", max_length=4)()(SOURCE, LENGTHS, TARGET),
            "a source of 5 tokens, expected at most max_length=4",
        ),
    ],
)
def test_what_cannot_be_built_or_read_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_configurations_have_the_sizes_of_the_papers():
    config = BahdanauConfig()
    assert (config.embedding_size, config.hidden_size, config.maxout_size) == (620, 1000, 500)
    config = LuongConfig()
    assert (config.layers, config.hidden_size, config.window, config.dropout) == (4, 1000, 10, 0.2)
