"""Attention: scores, weights and contexts, what a mask hides, and the worked example of the literature."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import minigrad.nn.functional as F
from minigrad import nn

SEEDS = st.integers(0, 2**32 - 1)
SMALL = st.integers(1, 4)
SCORES = {
    "dot": nn.DotScore,
    "general": lambda: nn.GeneralScore(3, 3),
    "concat": lambda: nn.ConcatScore(3, 3, 5),
}


def normal(seed, *shape, requires_grad=False):
    values = np.random.default_rng(seed).standard_normal(shape)
    return mg.tensor(values, requires_grad=requires_grad)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def close(found, expected, atol=1e-12):
    np.testing.assert_allclose(found.array, expected, rtol=0, atol=atol)


# -------------------------------------------------------------------------------------- the worked example


def test_the_score_of_the_worked_example_is_0_62():
    query, key = mg.tensor([[[0.8, 0.2]]], dtype=mg.float64), mg.tensor([[[0.7, 0.3]]], dtype=mg.float64)
    assert nn.DotScore()(query, key).item() == pytest.approx(0.62, abs=1e-15)


def test_a_weight_of_0_7_turns_the_state_of_the_worked_example_into_0_56_and_0_14():
    class Fixed(nn.Module):
        def forward(self, query, key):
            return mg.log(mg.tensor([[[0.7, 0.3]]], dtype=mg.float64))

    states = mg.tensor([[[0.8, 0.2], [0.0, 0.0]]], dtype=mg.float64)
    context, weights = nn.Attention(Fixed())(mg.zeros(1, 2), states)
    close(weights, [[0.7, 0.3]])
    close(context, [[0.56, 0.14]])


# ---------------------------------------------------------------------------------------------- scores


@given(SMALL, SMALL, SMALL, SMALL, SMALL, SMALL, SEEDS)
def test_each_score_is_its_formula(batch, queries, keys, size_q, size_k, hidden, seed):
    h, s = normal(seed, batch, queries, size_q), normal(seed + 1, batch, keys, size_k)
    general = nn.GeneralScore(size_q, size_k).double()
    concat = nn.ConcatScore(size_q, size_k, hidden).double()
    W, v = general.project.weight.array.T, concat.v.weight.array[0]
    W_both = np.concatenate([concat.query.weight.array, concat.key.weight.array], axis=1)
    found = {"general": general(h, s), "concat": concat(h, s)}
    for b, t, k in np.ndindex(batch, queries, keys):
        query, key = h.array[b, t], s.array[b, k]
        assert found["general"].array[b, t, k] == pytest.approx(query @ W @ key, abs=1e-12)
        expected = v @ np.tanh(W_both @ np.concatenate([query, key]))
        assert found["concat"].array[b, t, k] == pytest.approx(expected, abs=1e-12)


def test_general_with_the_identity_is_dot():
    general = nn.GeneralScore(3, 3).double()
    general.load_state_dict({"project.weight": mg.eye(3)})
    h, s = normal(1, 2, 4, 3), normal(2, 2, 5, 3)
    close(general(h, s), nn.DotScore()(h, s).array)
    close(nn.DotScore()(h, s), h.array @ s.array.swapaxes(1, 2))


@pytest.mark.parametrize("name", SCORES)
def test_attention_has_the_right_gradients(assert_gradients, name):
    attention = nn.Attention(SCORES[name]()).double()
    query, key, value = (normal(i, 2, 4, 3, requires_grad=True) for i in range(3))
    mask = mg.tensor([[False, False, True, False], [False, True, True, True]])
    assert_gradients(attention, query, key, value)
    assert_gradients(attention, query, key, value, key_padding_mask=mask)


# ---------------------------------------------------------------------------------------------- weights


@given(SMALL, SMALL, SMALL, st.sampled_from(sorted(SCORES)), SEEDS)
def test_context_is_the_mean_of_values_under_weights_that_sum_to_one(batch, queries, keys, name, seed):
    attention = nn.Attention(SCORES[name]()).double()
    query, key = normal(seed, batch, queries, 3), normal(seed + 1, batch, keys, 3)
    value = normal(seed + 2, batch, keys, 2)
    context, weights = attention(query, key, value)
    close(weights, softmax(attention.score(query, key).array))
    close(weights.sum(2), np.ones((batch, queries)))
    close(context, np.einsum("bts,bsv->btv", weights.array, value.array))


@given(SMALL, SMALL, st.data(), st.sampled_from(sorted(SCORES)), SEEDS)
def test_padding_gets_exactly_no_weight_and_no_gradient(batch, queries, data, name, seed):
    keys = 5
    real = data.draw(st.lists(st.integers(1, keys), min_size=batch, max_size=batch))
    padding = np.arange(keys) >= np.array(real)[:, None]  # (B, S)
    attention = nn.Attention(SCORES[name]()).double()
    query, key = normal(seed, batch, queries, 3), normal(seed + 1, batch, keys, 3, requires_grad=True)
    context, weights = attention(query, key, key_padding_mask=mg.tensor(padding))
    (context * normal(seed + 2, *context.shape)).sum().backward()
    hidden = np.broadcast_to(padding[:, None], weights.shape)
    assert not weights.array[hidden].any()
    assert not key.grad.array[padding].any()
    assert (weights.array[~hidden] > 0).all()
    close(weights.sum(2), np.ones((batch, queries)))
    for b, length in enumerate(real):
        alone, _ = attention(query[b : b + 1], key[b : b + 1, :length])
        close(context[b : b + 1], alone.array)


def test_what_padding_holds_does_not_matter():
    attention, query, key = nn.Attention(nn.DotScore()), mg.rand(1, 2, 3), mg.rand(1, 4, 3)
    mask = mg.tensor([[False, False, True, True]])
    before = attention(query, key, key_padding_mask=mask)[0].tolist()
    key[:, 2:] = 1e30
    assert attention(query, key, key_padding_mask=mask)[0].tolist() == before


def test_a_row_that_is_all_padding_gives_zeros_and_no_gradient():
    attention = nn.Attention(nn.DotScore())
    query, key = mg.rand(2, 1, 3, requires_grad=True), mg.rand(2, 4, 3, requires_grad=True)
    mask = mg.tensor([[True] * 4, [False] * 4])
    context, weights = attention(query, key, key_padding_mask=mask)
    assert context.tolist()[0] == [[0.0, 0.0, 0.0]]
    assert weights.tolist()[0] == [[0.0, 0.0, 0.0, 0.0]]
    context.sum().backward()
    assert not key.grad.array[0].any()
    assert not query.grad.array[0].any()
    assert key.grad.array[1].all()


def test_a_single_query_has_no_time_dimension():
    attention, query, key = nn.Attention(nn.DotScore()), mg.rand(2, 3, 4), mg.rand(2, 5, 4)
    context, weights = attention(query, key)
    single, row = attention(query[:, 1], key, key_padding_mask=mg.zeros(2, 5, dtype=mg.bool))
    np.testing.assert_allclose(single.array, context.array[:, 1], atol=1e-6)
    np.testing.assert_allclose(row.array, weights.array[:, 1], atol=1e-6)


# ---------------------------------------------------------------------------------------------- Q, K, V


@given(st.lists(st.integers(1, 3), max_size=2), SMALL, SMALL, SMALL, SMALL, SEEDS)
def test_scaled_dot_product_attention_is_its_equation(leading, queries, keys, size, size_v, seed):
    q, k = normal(seed, *leading, queries, size), normal(seed + 1, *leading, keys, size)
    v = normal(seed + 2, *leading, keys, size_v)
    scores = q.array @ k.array.swapaxes(-1, -2) / math.sqrt(size)
    close(F.scaled_dot_product_attention(q, k, v), softmax(scores) @ v.array)
    close(F.scaled_dot_product_attention(q, k, v, scale=2.0), softmax(scores * 2 * math.sqrt(size)) @ v.array)


@given(SMALL, SMALL, SEEDS)
def test_a_bool_mask_and_minus_infinity_hide_alike(queries, keys, seed):
    q, k, v = normal(seed, 2, queries, 3), normal(seed + 1, 2, keys, 3), normal(seed + 2, 2, keys, 4)
    allowed = np.random.default_rng(seed).random((queries, keys)) < 0.6
    added = mg.tensor(np.where(allowed, 0.0, -np.inf))
    expected = np.zeros((2, queries, 4))
    scores = q.array @ k.array.swapaxes(-1, -2) / math.sqrt(3)
    for b, t in np.ndindex(2, queries):
        if allowed[t].any():  # else the row may look nowhere, and stays zero
            expected[b, t] = softmax(scores[b, t, allowed[t]]) @ v.array[b, allowed[t]]
    close(F.scaled_dot_product_attention(q, k, v, mg.tensor(allowed)), expected)
    close(F.scaled_dot_product_attention(q, k, v, added), expected)


@given(SMALL, SEEDS)
def test_a_causal_query_does_not_depend_on_later_keys(steps, seed):
    q, k, v = (normal(seed + i, 2, steps + 1, 3, requires_grad=True) for i in range(3))
    y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    t = steps // 2
    (y[:, t] * normal(seed + 3, 2, 3)).sum().backward()
    for tensor in (k, v):
        assert not tensor.grad.array[:, t + 1 :].any()
    alone = F.scaled_dot_product_attention(q[:, : t + 1], k[:, : t + 1], v[:, : t + 1], is_causal=True)
    close(y[:, : t + 1], alone.array)


def test_dropout_of_weights_keeps_the_expectation():
    mg.manual_seed(1)
    q, k, v = mg.zeros(1, 2000, 4), mg.zeros(1, 50, 4), mg.ones(1, 50, 1)
    y = F.scaled_dot_product_attention(q, k, v, dropout_p=0.4).array
    assert y.std() > 0
    assert y.mean() == pytest.approx(1.0, abs=3.9 * float(y.std()) / math.sqrt(2000))
    masked = F.scaled_dot_product_attention(q, k, v, mg.zeros(2000, 50, dtype=mg.bool), dropout_p=0.4)
    assert not masked.array.any()


def test_leading_dimensions_broadcast():
    q, k, v = normal(1, 5, 1, 2, 3), normal(2, 4, 6, 3), normal(3, 4, 6, 2)
    y = F.scaled_dot_product_attention(q, k, v, dropout_p=0.0)
    assert y.shape == (5, 4, 2, 2)
    assert F.scaled_dot_product_attention(q, k, v, dropout_p=0.5).shape == (5, 4, 2, 2)
    close(y[3, 1], F.scaled_dot_product_attention(q[3, 0], k[1], v[1]).array)


def test_heads_that_share_a_key_are_heads_with_copies_of_it():
    q, k, v = normal(1, 2, 6, 3, 4), normal(2, 2, 2, 5, 4), normal(3, 2, 3, 5, 6)
    copies = [np.repeat(x.array, times, axis=1) for x, times in ((k, 3), (v, 2))]
    expected = F.scaled_dot_product_attention(q, *map(mg.tensor, copies))
    close(F.scaled_dot_product_attention(q, k, v, enable_gqa=True), expected.array)


# ---------------------------------------------------------------------------------------------- bad input

Q, K, V = mg.zeros(2, 3, 4), mg.zeros(2, 5, 4), mg.zeros(2, 5, 6)
sdpa = F.scaled_dot_product_attention

BAD = {
    "sizes of query and key": (
        lambda: sdpa(mg.zeros(2, 3, 7), K, V),
        (ValueError, r"query \(2, 3, 7\), key \(2, 5, 4\), value \(2, 5, 6\), expected \(..., L, d\)"),
    ),
    "numbers of keys and values": (lambda: sdpa(Q, K, mg.zeros(2, 4, 6)), (ValueError, "expected")),
    "vectors": (lambda: sdpa(mg.zeros(4), mg.zeros(4), mg.zeros(4)), (ValueError, "expected")),
    "leading dimensions": (
        lambda: sdpa(Q, mg.zeros(3, 5, 4), mg.zeros(3, 5, 6)),
        (ValueError, r"shapes \(2,\) and \(3,\) and \(3,\) do not broadcast at dimension 0"),
    ),
    "the shape of a mask": (
        lambda: sdpa(Q, K, V, mg.ones(5, 3, dtype=mg.bool)),
        (ValueError, r"attn_mask \(5, 3\) does not fit \(..., L, S\) = \(2, 3, 5\)"),
    ),
    "the type of a mask": (
        lambda: sdpa(Q, K, V, mg.ones(3, 5, dtype=mg.int64)),
        (TypeError, r"attn_mask is int64, expected bool"),
    ),
    "two masks": (
        lambda: sdpa(Q, K, V, mg.ones(3, 5, dtype=mg.bool), is_causal=True),
        (ValueError, "is_causal excludes attn_mask"),
    ),
    "heads that do not divide": (
        lambda: sdpa(mg.zeros(3, 3, 4), K, V, enable_gqa=True),
        (
            ValueError,
            r"query \(3, 3, 4\), key or value \(2, 5, 4\) with enable_gqa, expected \(..., H, L, d\)",
        ),
    ),
    "heads that are not there": (
        lambda: sdpa(Q[0], K[0], V[0], enable_gqa=True),
        (ValueError, r"query \(3, 4\), key or value \(5, 4\) with enable_gqa"),
    ),
    "a probability": (
        lambda: sdpa(Q, K, V, dropout_p=2),
        (ValueError, r"dropout_p=2, expected a probability"),
    ),
    "the batch of attention": (
        lambda: nn.Attention(nn.DotScore())(Q, mg.zeros(3, 5, 4)),
        (ValueError, r"query \(2, 3, 4\), key \(3, 5, 4\)"),
    ),
    "the shape of padding": (
        lambda: nn.Attention(nn.DotScore())(Q, K, key_padding_mask=mg.ones(2, 4, dtype=mg.bool)),
        (ValueError, r"key_padding_mask \(2, 4\), expected \(B, S\) = \(2, 5\)"),
    ),
    "the type of padding": (
        lambda: nn.Attention(nn.DotScore())(Q, K, key_padding_mask=mg.ones(2, 5)),
        (TypeError, "key_padding_mask is float32, expected bool, True at padding"),
    ),
    "the size of dot": (
        lambda: nn.Attention(nn.DotScore())(mg.zeros(2, 3, 7), K),
        (ValueError, "inner sizes 7 and 4 differ"),
    ),
    "the size of general": (
        lambda: nn.Attention(nn.GeneralScore(4, 8))(Q, K),
        (ValueError, "inner sizes 8 and 4 differ"),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_what_was_expected(name):
    attempt, (error, message) = BAD[name]
    with pytest.raises(error, match=message):
        attempt()
