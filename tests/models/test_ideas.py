"""Ideas of the story that are a sentence each: scores, √d, queries and keys, masks, steps, tables."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad import nn
from minigrad.errors import ShapeError
from minigrad.models import (
    BahdanauConfig,
    BahdanauSeq2Seq,
    TransformerLanguageModel,
    TransformerLanguageModelConfig,
    attention_table,
    head_entropy,
    score_by_name,
    self_attention_steps,
)
from minigrad.models.scores import SCORES
from minigrad.nn import functional as F

SEEDS = st.integers(0, 2**32 - 1)
SMALL = st.integers(1, 5)


def draw(seed, *shape):
    return mg.tensor(np.random.default_rng(seed).normal(size=shape))


# ---------------------------------------------------------------------------- scores


@given(SMALL, SMALL, SMALL, SMALL, SEEDS)
def test_scores_are_their_formulas(batch, queries, keys, size, seed):
    mg.manual_seed(seed % 1000)
    q, k = draw(seed, batch, queries, size), draw(seed + 1, batch, keys, size)
    scores = {name: score_by_name(name, size, size, max_length=5).to(mg.float64) for name in SCORES}
    Q, K = q.numpy(), k.numpy()
    dot = np.einsum("btq,bsq->bts", Q, K)
    norms = np.linalg.norm(Q, axis=2)[:, :, None] * np.linalg.norm(K, axis=2)[:, None]
    wanted = {
        "dot": dot,
        "scaled_dot": dot / math.sqrt(size),
        "general": Q @ scores["general"].project.weight.detach().numpy().T @ K.transpose(0, 2, 1),
        "cosine": dot / norms,
        "location": (Q @ scores["location"].project.weight.detach().numpy().T)[:, :, :keys],
    }
    for name, expected in wanted.items():
        np.testing.assert_allclose(scores[name](q, k).detach().numpy(), expected, atol=1e-10)
    assert scores["concat"](q, k).shape == (batch, queries, keys)


def test_the_sharpness_of_the_cosine_is_learnt():
    score = score_by_name("cosine", 2, 2)
    score(mg.ones(1, 1, 2), mg.ones(1, 1, 2)).sum().backward()
    assert score.log_sharpness.grad.item() == pytest.approx(1)
    with mg.no_grad():
        score.log_sharpness.fill_(math.log(5))
    assert score(mg.ones(1, 1, 2), mg.ones(1, 1, 2)).item() == pytest.approx(5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("dots", 2, 2),
            "score is 'dots', expected one of dot, scaled_dot, general, concat, cosine, location",
        ),
        (("dot", 2, 3), "score 'dot' needs queries and keys of one size, got 2 and 3"),
        (("cosine", 2, 3), "score 'cosine' needs"),
    ],
)
def test_a_score_that_cannot_be_made_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        score_by_name(*arguments)


@pytest.mark.parametrize("d", [4, 64, 512])
def test_products_of_random_vectors_have_the_variance_d_and_scaled_ones_1(d):
    q, k = draw(d, 100, 1, d), draw(d + 1, 100, 40, d)
    assert score_by_name("dot", d, d)(q, k).numpy().var() == pytest.approx(d, rel=0.15)
    assert score_by_name("scaled_dot", d, d)(q, k).numpy().var() == pytest.approx(1, rel=0.15)


def test_without_the_root_the_softmax_is_stuck_and_its_gradient_gone():
    norms = {}
    for name in ("dot", "scaled_dot"):
        q = draw(1, 50, 1, 512).requires_grad_()
        weights = score_by_name(name, 512, 512)(q, draw(2, 50, 10, 512)).softmax(dim=2)
        (g,) = mg.autograd.grad((weights * draw(3, 50, 1, 10)).sum(), q)
        norms[name] = weights.detach().numpy().max(axis=2).mean(), np.linalg.norm(g.numpy())
    assert norms["dot"][0] > 0.9
    assert norms["scaled_dot"][0] < 0.5
    # the scores themselves are √512 times as steep, so that the slopes are compared without that
    assert norms["dot"][1] / math.sqrt(512) < 0.5 * norms["scaled_dot"][1]


# ---------------------------------------------------------------------------- queries, keys, values


def test_bahdanau_asks_with_a_query_and_answers_with_keys_and_values():
    """Its alignment and context are `nn.Attention` with s as query, h as keys and values."""
    mg.manual_seed(0)
    model = BahdanauSeq2Seq(BahdanauConfig.tiny(source_vocabulary=9, target_vocabulary=9)).to(mg.float64)
    source = mg.tensor([[4, 5, 6], [7, 8, 0]])
    state = model.start(source)
    score = nn.ConcatScore(32, 64, 32)
    score.query, score.key, score.v = model.W, model.U, model.v
    context, weights = nn.Attention(score)(state.s, state.memory, key_padding_mask=state.padding)
    _, _, looked = model.advance(model.target_embedding(mg.tensor([1, 1])), state)
    np.testing.assert_allclose(weights.detach().numpy(), looked.detach().numpy(), atol=1e-12)
    expected = np.einsum("bs,bsh->bh", looked.detach().numpy(), state.memory.detach().numpy())
    np.testing.assert_allclose(context.detach().numpy(), expected, atol=1e-12)


@given(SMALL, SMALL, SMALL, SMALL, SMALL, SEEDS)
def test_queries_may_come_from_elsewhere_and_values_have_a_size_of_their_own(
    queries, keys, d, d_v, batch, seed
):
    q, k, v = draw(seed, batch, queries, d), draw(seed + 1, batch, keys, d), draw(seed + 2, batch, keys, d_v)
    assert F.scaled_dot_product_attention(q, k, v).shape == (batch, queries, d_v)
    assert F.scaled_dot_product_attention(k, k, v).shape == (batch, keys, d_v)


# ---------------------------------------------------------------------------- masks


@given(st.integers(2, 8), st.data(), SEEDS)
def test_changing_a_token_changes_no_logits_before_it(length, data, seed):
    place = data.draw(st.integers(0, length - 1))
    token = data.draw(st.integers(4, 8))
    mg.manual_seed(0)
    model = TransformerLanguageModel(TransformerLanguageModelConfig.tiny(vocabulary=9)).to(mg.float64).eval()
    tokens = np.random.default_rng(seed).integers(4, 9, (1, length))
    changed = tokens.copy()
    changed[0, place] = token
    before, after = (model(mg.tensor(which))[0].detach().numpy()[0] for which in (tokens, changed))
    assert (before[:place] == after[:place]).all()
    if token != tokens[0, place]:
        assert (before[place] != after[place]).any()


def test_where_all_is_masked_attention_is_zero_and_softmax_is_nan():
    nowhere = mg.full((1, 3), -math.inf)
    assert np.isnan(nowhere.softmax(dim=1).numpy()).all()
    x = mg.ones(1, 2, 3)
    for mask in (mg.tensor([[True, True], [False, False]]), mg.tensor([[0.0, 0.0], [-math.inf, -math.inf]])):
        found = F.scaled_dot_product_attention(x, x, x, attn_mask=mask)
        assert found.tolist() == [[[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]]


# ---------------------------------------------------------------------------- gates


@pytest.mark.parametrize("reset_after", [True, False])
def test_an_update_gate_at_its_limits_keeps_the_state_or_replaces_it(reset_after):
    mg.manual_seed(0)
    cell, x, h = nn.GRUCell(2, 3, reset_after=reset_after).to(mg.float64), draw(1, 4, 2), draw(2, 4, 3)
    with mg.no_grad():
        cell.bias_ih[3:6] = 100.0  # z = 1
    np.testing.assert_allclose(cell(x, h).detach().numpy(), h.numpy(), atol=1e-12)
    with mg.no_grad():
        cell.bias_ih[3:6] = -100.0  # z = 0
        cell.bias_ih[0:3] = -100.0  # and r = 0: of the state nothing is left
    np.testing.assert_allclose(cell(x, h).detach().numpy(), cell(x, 0 * h).detach().numpy(), atol=1e-12)
    assert not np.allclose(cell(x, h).detach().numpy(), h.numpy())


# ---------------------------------------------------------------------------- maps

WORDS = ["자연어", "처리", "아주", "좋아요"]
TRIANGLE = """
        자연어  처리  아주  좋아요
자연어  1.00    ·     ·     ·
처리    0.50    0.50  ·     ·
아주    0.33    0.33  0.33  ·
좋아요  0.25    0.25  0.25  0.25
"""


def test_the_triangle_of_a_causal_mask_is_printed():
    weights = mg.zeros(4, 4).masked_fill(mg.ones(4, 4).triu(1) > 0, -math.inf).softmax(dim=1)
    assert attention_table(weights, WORDS, WORDS) == TRIANGLE.strip("\n")


@pytest.mark.parametrize("shape", [(2, 2), (3, 2), (2, 3)])
def test_a_table_has_a_row_and_a_column_for_each_weight(shape):
    if shape == (2, 3):
        assert len(attention_table(np.ones(shape), "ab", "cde").splitlines()) == 3
        return
    with pytest.raises(ShapeError, match="2 queries and 3 keys, expected a map of as many rows and columns"):
        attention_table(np.ones(shape), "ab", "cde")


@given(SMALL, SMALL, SMALL, SMALL, SEEDS)
def test_the_entropy_of_a_head_lies_between_one_place_and_all(batch, heads, queries, keys, seed):
    weights = draw(seed, batch, heads, queries, keys).softmax(dim=3)
    w = weights.numpy()
    expected = -(w * np.log(w)).sum(axis=3).mean(axis=(0, 2))
    np.testing.assert_allclose(head_entropy(weights).numpy(), expected, atol=1e-12)
    alike = head_entropy(mg.full((batch, heads, queries, keys), 1 / keys, dtype=mg.float64)).numpy()
    np.testing.assert_allclose(alike, math.log(keys), atol=1e-12)
    one = np.zeros((batch, heads, queries, keys))
    one[..., 0] = 1
    assert (head_entropy(mg.tensor(one)).numpy() == 0).all()


def test_an_entropy_of_what_is_no_map_of_heads_is_refused():
    with pytest.raises(ShapeError, match=r"weights \(2, 3\), expected \(B, H, L, S\)"):
        head_entropy(mg.ones(2, 3))


# ---------------------------------------------------------------------------- the seven steps


@given(st.integers(1, 5), SMALL, SMALL, SMALL, SEEDS)
def test_the_seven_steps_are_self_attention(length, E, d, D, seed):
    X, W_q, W_k, W_v = draw(seed, length, E), draw(seed + 1, E, d), draw(seed + 2, E, d), draw(seed + 3, E, D)
    steps = self_attention_steps([f"word{n}" for n in range(length)], X, W_q, W_k, W_v)
    at_once = F.scaled_dot_product_attention(X @ W_q, X @ W_k, X @ W_v)
    np.testing.assert_allclose(steps.outputs.numpy(), at_once.numpy(), atol=1e-12)
    np.testing.assert_allclose(steps.weights.numpy().sum(axis=1), 1)
    assert steps.weighted.shape == (length, length, D)


def test_what_is_written_are_the_numbers_of_the_library():
    X, W = draw(0, 2, 3), draw(1, 3, 2)
    steps = self_attention_steps(["Thinking", "Machines"], X, W, W, W)
    written = str(steps).splitlines()
    last = [[float(number) for number in line.split()[1:]] for line in written[-2:]]
    at_once = F.scaled_dot_product_attention(X @ W, X @ W, X @ W)
    np.testing.assert_array_equal(last, at_once.numpy().round(3))
    assert sum(line[0].isdigit() for line in written) == 7


@given(st.integers(1, 5), SMALL, SEEDS)
def test_the_seven_steps_agree_with_the_layer_of_one_head_to_the_last_digit(length, E, seed):
    X, matrices = draw(seed, length, E), [draw(seed + place, E, E) for place in (1, 2, 3)]
    layer = nn.MultiheadAttention(E, 1, bias=False, batch_first=True).to(mg.float64)
    with mg.no_grad():
        layer.in_proj_weight.copy_(mg.cat([W.T for W in matrices]))
        layer.out_proj.weight.copy_(mg.eye(E, dtype=mg.float64))
        outputs, weights = layer(*[X.unsqueeze(0)] * 3)
    steps = self_attention_steps([f"word{n}" for n in range(length)], X, *matrices)
    same = steps._replace(weights=weights[0], outputs=outputs[0])
    np.testing.assert_allclose(steps.outputs.numpy(), outputs[0].numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(steps.weights.numpy(), weights[0].numpy(), rtol=1e-9, atol=1e-12)
    assert str(steps) == str(same)


@pytest.mark.parametrize("tokens", [[], ["one"], ["a", "b", "c"]])
def test_tokens_without_their_embeddings_are_refused(tokens):
    with pytest.raises(ShapeError, match=rf"{len(tokens)} tokens, embeddings \(2, 3\), expected \(L, E\)"):
        self_attention_steps(tokens, draw(0, 2, 3), *[draw(1, 3, 2)] * 3)
