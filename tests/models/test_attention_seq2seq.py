"""The encoder-decoder with attention: its shapes, its masks, its two ways of decoding, and that it learns."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

import minigrad as mg
from minigrad import optim
from minigrad.data import EOS, PAD, SOS, collate_pairs
from minigrad.models import AttentionSeq2Seq, AttentionSeq2SeqConfig, Limits, greedy
from minigrad.nn import functional as F

SCORES = ("dot", "general", "concat")
TOKENS = 6  # of the toy language, numbered behind the four special ones
B, S, T, H, V = 3, 5, 4, 8, 4 + TOKENS


def model_of(score="dot", **sizes):
    """A small model in float64, the same at every call."""
    mg.manual_seed(0)
    config = AttentionSeq2SeqConfig(V, V, **{"embedding_size": 6, "hidden_size": H, "score": score, **sizes})
    return AttentionSeq2Seq(config).to(mg.float64)


def test_the_tiny_sizes_may_be_changed():
    config = AttentionSeq2SeqConfig.tiny(source_vocabulary=9, target_vocabulary=8, hidden_size=6)
    assert (config.embedding_size, config.hidden_size, config.target_vocabulary) == (16, 6, 8)


def numbers(*rows):
    return mg.tensor(np.array(rows))


SOURCE, LENGTHS = numbers([4, 5, 6, 7, 8], [9, 4, 5, 0, 0], [6, 0, 0, 0, 0]), mg.tensor([5, 3, 1])
TARGET = numbers([SOS, 4, 5, 6], [SOS, 7, 8, 9], [SOS, 4, 4, 4])


def reversals(count, seed, longest=4):
    """Words of the toy language, and the same read backwards."""
    draw = np.random.default_rng(seed)
    words = [draw.integers(4, 4 + TOKENS, draw.integers(1, longest + 1)) for _ in range(count)]
    return collate_pairs([(word, word[::-1]) for word in words])


def cross_entropy(model, batch):
    logits, _ = model(batch.source, batch.source_lengths, batch.target_in)
    return F.cross_entropy(logits.reshape(-1, V), batch.target_out.reshape(-1), ignore_index=PAD)


# ------------------------------------------------------------------------------------------------ the whole


@pytest.mark.parametrize("score", SCORES)
def test_logits_and_weights_have_a_row_for_every_target_position(score):
    logits, weights = model_of(score)(SOURCE, LENGTHS, TARGET)
    assert logits.shape == (B, T, V)
    assert weights.shape == (B, T, S)


def test_the_model_is_what_its_equations_say():
    """Equations (1) to (7), written out in NumPy for one source and the dot score."""
    model = model_of()
    W = {name: parameter.detach().numpy() for name, parameter in model.named_parameters()}

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    def lstm(xs, h, c, name, direction=""):
        states = []
        for x in xs:
            gates = W[f"{name}.weight_ih_l0{direction}"] @ x + W[f"{name}.bias_ih_l0{direction}"]
            gates = gates + W[f"{name}.weight_hh_l0{direction}"] @ h + W[f"{name}.bias_hh_l0{direction}"]
            i, f, g, o = np.split(gates, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            states.append(h)
        return np.array(states), c

    def linear(x, name):
        return W[f"{name}.weight"] @ x + W[f"{name}.bias"]

    source, target, zero = SOURCE.numpy()[1, :3], TARGET.numpy()[1], np.zeros(H // 2)
    xs, ys = W["encoder.embedding.weight"][source], W["decoder.embedding.weight"][target]
    forward, last_c = lstm(xs, zero, zero, "encoder.lstm")
    backward, first_c = lstm(xs[::-1], zero, zero, "encoder.lstm", "_reverse")
    memory = np.concatenate([forward, backward[::-1]], axis=1)  # (1)
    h = np.tanh(linear(np.concatenate([forward[-1], backward[-1]]), "encoder.first_h"))  # (2)
    c = linear(np.concatenate([last_c, first_c]), "encoder.first_c")  # (2)
    logits = []
    states, _ = lstm(ys, h, c, "decoder.lstm")  # (3)
    for h in states:
        score = np.exp(memory @ h)
        context = score / score.sum() @ memory  # (4), (5)
        attentional = np.tanh(linear(np.concatenate([context, h]), "decoder.attentional"))  # (6)
        logits.append(linear(attentional, "decoder.output"))  # (7)
    found, _ = model(SOURCE, LENGTHS, TARGET)
    assert found[1].detach().numpy() == pytest.approx(np.array(logits), abs=1e-12)


@pytest.mark.parametrize("score", SCORES)
def test_weights_sum_to_one_and_are_zero_on_padding(score):
    _, weights = model_of(score)(SOURCE, LENGTHS, TARGET)
    padding = np.broadcast_to((SOURCE.numpy() == PAD)[:, None], weights.shape)
    assert (weights.detach().numpy()[padding] == 0).all()
    assert (weights.detach().numpy()[~padding] > 0).all()
    assert weights.detach().numpy().sum(axis=2) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("score", SCORES)
def test_gradients_reach_every_parameter(score):
    model = model_of(score)
    cross_entropy(model, reversals(8, seed=1)).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert np.abs(parameter.grad.numpy()).max() > 0, name


@pytest.mark.parametrize("score", SCORES)
def test_what_stands_for_padding_changes_nothing_at_all(score):
    model = model_of(score)
    before, _ = model(SOURCE, LENGTHS, TARGET)
    with mg.no_grad():
        model.encoder.embedding.weight[PAD] = 1e3
    after, _ = model(SOURCE, LENGTHS, TARGET)
    assert (before.detach().numpy() == after.detach().numpy()).all()


@pytest.mark.parametrize("score", SCORES)
def test_a_source_alone_gives_what_it_gives_in_a_padded_batch(score):
    model = model_of(score)
    together, looked = model(SOURCE, LENGTHS, TARGET)
    for row, length in enumerate(LENGTHS.tolist()):
        one = slice(row, row + 1)
        alone, weights = model(SOURCE[one, :length], LENGTHS[one], TARGET[one])
        assert alone[0].detach().numpy() == pytest.approx(together[row].detach().numpy(), abs=1e-12)
        assert weights[0].detach().numpy() == pytest.approx(
            looked[row, :, :length].detach().numpy(), abs=1e-12
        )


def test_the_embedding_of_padding_is_never_trained():
    model = model_of()
    cross_entropy(model, reversals(8, seed=1)).backward()
    for embedding in (model.encoder.embedding, model.decoder.embedding):
        assert (embedding.weight.grad.numpy()[PAD] == 0).all()


def test_a_later_target_token_changes_no_earlier_logits():
    model = model_of()
    before, _ = model(SOURCE, LENGTHS, TARGET)
    changed = TARGET.numpy().copy()
    changed[:, 2] = 9
    after, _ = model(SOURCE, LENGTHS, mg.tensor(changed))
    same = before.detach().numpy() == after.detach().numpy()
    assert same[:, :2].all()
    assert not same[:, 2].all()


def test_every_source_position_has_a_say_in_every_logit():
    model = model_of()
    embedded = model.encoder.embedding(SOURCE[:1].T).detach().requires_grad_()
    model.encoder.embedding.forward = lambda tokens: embedded
    for position in range(T):
        logits, _ = model(SOURCE[:1], LENGTHS[:1], TARGET[:1])
        (grad,) = mg.autograd.grad(logits[0, position].sum(), [embedded])
        assert (np.abs(grad.numpy()).sum(axis=(1, 2)) > 0).all()


# ------------------------------------------------------------------------------------------------ decoding


@pytest.mark.parametrize("score", SCORES)
def test_teacher_forcing_gives_what_single_steps_give(score):
    model = model_of(score)
    at_once, looked = model(SOURCE, LENGTHS, TARGET)
    memory, state = model.encoder(SOURCE, LENGTHS)
    for t in range(T):
        logits, state, weights = model.decoder(TARGET[:, t : t + 1], state, memory, SOURCE == PAD)
        assert logits[:, 0].detach().numpy() == pytest.approx(at_once[:, t].detach().numpy(), abs=1e-12)
        assert weights[:, 0].detach().numpy() == pytest.approx(looked[:, t].detach().numpy(), abs=1e-12)


def test_greedy_decoding_writes_the_likeliest_token_at_every_step():
    model = model_of()
    with mg.no_grad():
        model.decoder.output.bias[EOS] = -1e3
        for token in (PAD, SOS):
            model.decoder.output.bias[token] = -1e3
    found = greedy(model, SOURCE, Limits(7))
    written = np.array([one.tokens for one in found])
    said = np.concatenate([np.full((B, 1), SOS), written[:, :-1]], axis=1)
    logits, weights = model(SOURCE, LENGTHS, mg.tensor(said))
    assert written.shape == (B, 7)
    assert (logits.argmax(dim=2).numpy() == written).all()
    for row, one in enumerate(found):
        assert one.attention == pytest.approx(weights[row].detach().numpy(), abs=1e-12)


# ------------------------------------------------------------------------------------------------ learning


@pytest.fixture(scope="module", params=SCORES)
def learned(request):
    """A model after 200 steps of reading words backwards, and its last loss."""
    mg.manual_seed(0)
    sizes = {"embedding_size": 16, "hidden_size": 32, "score": request.param}
    model = AttentionSeq2Seq(AttentionSeq2SeqConfig(V, V, **sizes))
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    for step in range(200):
        loss = cross_entropy(model, reversals(32, seed=step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def test_reversal_is_learned_with_every_score(learned):
    assert cross_entropy(learned, reversals(200, seed=1000)).item() < 0.1


def test_greedy_decoding_ends_each_row_where_its_word_does(learned):
    found = greedy(learned, numbers([4, 5, 6, 7], [8, 9, 0, 0], [5, 0, 0, 0]), Limits(20))
    assert [one.tokens for one in found] == [[7, 6, 5, 4, EOS], [9, 8, EOS], [5, EOS]]


def test_the_weights_run_backwards_as_the_words_do(learned):
    """As the decoder writes token t it looks at source position S - 1 - t, give or take one."""
    words = np.random.default_rng(5).integers(4, 4 + TOKENS, (50, 4))
    weights = np.stack([one.attention[:4] for one in greedy(learned, mg.tensor(words), Limits(4, 4))])
    near = np.abs(weights.argmax(axis=2) - np.array([3, 2, 1, 0])) <= 1
    assert near.mean() > 0.8


# ------------------------------------------------------------------------------------------- configuration


def test_the_configuration_has_the_sizes_of_the_paper_and_is_frozen():
    config = AttentionSeq2SeqConfig(30_000, 30_000)
    assert (config.embedding_size, config.hidden_size) == (620, 1000)
    with pytest.raises(FrozenInstanceError):
        config.hidden_size = 2


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"hidden_size": 7}, "hidden_size is 7, expected an even number"),
        ({"hidden_size": 0}, "hidden_size is 0, expected at least 1"),
        ({"hidden_size": -2}, "hidden_size is -2, expected at least 1"),
        ({"embedding_size": 0}, "embedding_size is 0, expected at least 1"),
        ({"source_vocabulary": 0}, "source_vocabulary is 0, expected at least 1"),
        ({"target_vocabulary": -1}, "target_vocabulary is -1, expected at least 1"),
        ({"score": "cosine"}, "score is 'cosine', expected one of dot, general, concat"),
    ],
)
def test_a_configuration_that_cannot_be_built_is_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        AttentionSeq2SeqConfig(**{"source_vocabulary": 9, "target_vocabulary": 9, **sizes})


@pytest.mark.parametrize("dropout", [-0.1, 1.5, float("nan")])
def test_a_dropout_that_is_no_share_is_refused(dropout):
    with pytest.raises(ValueError, match="expected a probability in"):
        model_of(dropout=dropout)


def test_dropout_is_active_in_training_alone():
    model = model_of(dropout=0.5)
    first, second = (model(SOURCE, LENGTHS, TARGET)[0].detach().numpy() for _ in range(2))
    assert (first != second).any()
    model.eval()
    first, second = (model(SOURCE, LENGTHS, TARGET)[0].detach().numpy() for _ in range(2))
    assert (first == second).all()


@pytest.mark.parametrize("score", SCORES)
def test_a_model_is_restored_bit_by_bit_from_its_state(score):
    model, other = model_of(score), model_of(score)
    for parameter in other.parameters():
        with mg.no_grad():
            parameter.mul_(1.5)
    other.load_state_dict(model.state_dict())
    expected, found = model(SOURCE, LENGTHS, TARGET)[0], other(SOURCE, LENGTHS, TARGET)[0]
    assert (found.detach().numpy() == expected.detach().numpy()).all()
