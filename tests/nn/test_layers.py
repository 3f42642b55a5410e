"""Linear, Embedding, LayerNorm, Dropout and the activations against their equations, in float64."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import minigrad.nn.functional as F
from minigrad import nn

SIZES = st.integers(1, 5)
SEEDS = st.integers(0, 2**32 - 1)


def normal(seed, *shape, requires_grad=False):
    values = np.random.default_rng(seed).standard_normal(shape)
    return mg.tensor(values, requires_grad=requires_grad)


# ---------------------------------------------------------------------------------------------- Linear


@given(st.lists(st.integers(0, 4), max_size=3), SIZES, SIZES, st.booleans(), SEEDS)
def test_linear_is_x_times_w_transposed_plus_b(leading, size_in, size_out, bias, seed):
    layer = nn.Linear(size_in, size_out, bias, dtype=mg.float64)
    x = normal(seed, *leading, size_in)
    expected = x.array @ layer.weight.array.T + (layer.bias.array if bias else 0)
    np.testing.assert_allclose(layer(x).array, expected, atol=1e-14)


@given(st.lists(st.integers(1, 3), max_size=3), SIZES, SIZES, SEEDS)
def test_linear_has_the_right_gradients(assert_gradients, leading, size_in, size_out, seed):
    layer = nn.Linear(size_in, size_out, dtype=mg.float64)
    assert_gradients(layer, normal(seed, *leading, size_in, requires_grad=True), seed=seed)


def test_linear_starts_uniform_within_its_bound():
    layer = nn.Linear(400, 300)
    for parameter in (layer.weight, layer.bias):
        assert 0.048 < abs(parameter.array).max() <= 0.05  # 1 / √400
    assert layer.weight.array.var() == pytest.approx(0.05**2 / 3, rel=0.02)


def test_linear_without_inputs_or_without_bias_works():
    assert nn.Linear(0, 2, bias=False)(mg.zeros(3, 0)).tolist() == [[0.0, 0.0]] * 3
    assert nn.Linear(2, 1, bias=False).bias is None


def test_an_input_of_another_type_is_promoted_with_the_parameters():
    x = mg.ones(5, 2, 3, dtype=mg.float64)
    for layer in (nn.Linear(3, 4), nn.LayerNorm(3), nn.LSTM(3, 4), nn.GRU(3, 4)):
        output = layer(x)
        assert (output[0] if isinstance(output, tuple) else output).dtype == mg.float64
        assert all(parameter.dtype == mg.float32 for parameter in layer.parameters())


def test_linear_refuses_a_wrong_last_dimension():
    with pytest.raises(
        ValueError, match=r"Linear\(in_features=3\): input \(2, 5\), last dimension must be 3"
    ):
        nn.Linear(3, 4)(mg.zeros(2, 5))
    with pytest.raises(RuntimeError, match=r"input \(\), last dimension must be 3"):
        nn.Linear(3, 4)(mg.tensor(1.0))


def test_identity_takes_any_arguments_and_changes_nothing():
    x = mg.ones(2)
    assert nn.Identity(54, size=3)(x) is x


LAYERS = {
    "Linear": nn.Linear(2, 2),
    "Embedding": nn.Embedding(3, 2),
    "LayerNorm": nn.LayerNorm(2),
    "Dropout": nn.Dropout(0.5),
    "LSTM": nn.LSTM(2, 2),
    "LSTMCell": nn.LSTMCell(2, 2),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("value", [[[1.0, 2.0]], np.ones((1, 2)), 1.0, None])
def test_a_layer_takes_tensors_only_and_says_how_to_make_one(name, value):
    message = rf"{name}.*: expected a Tensor, got {type(value).__name__}; make one with minigrad.tensor"
    with pytest.raises(TypeError, match=message):
        LAYERS[name](value)


# ---------------------------------------------------------------------------------------------- Embedding


def test_embedding_looks_rows_up_and_adds_their_gradients():
    layer = nn.Embedding(4, 2, dtype=mg.float64)
    indices = mg.tensor([[1, 3], [1, 0]])
    y = layer(indices)
    assert y.tolist() == layer.weight.array[[[1, 3], [1, 0]]].tolist()
    (y * mg.tensor([[[1.0], [2.0]], [[3.0], [4.0]]], dtype=mg.float64)).sum().backward()
    assert layer.weight.grad.tolist() == [[4.0, 4.0], [4.0, 4.0], [0.0, 0.0], [2.0, 2.0]]


def test_the_row_of_padding_is_zero_and_stays_so():
    layer = nn.Embedding(4, 2, padding_idx=-4)
    assert layer.padding_idx == 0
    assert layer.weight.tolist()[0] == [0.0, 0.0]
    layer(mg.tensor([0, 1, 0])).sum().backward()
    assert layer.weight.grad.tolist() == [[0.0, 0.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
    assert repr(layer) == "Embedding(4, 2, padding_idx=0)"


def test_embedding_starts_from_the_standard_normal_distribution():
    weight = nn.Embedding(200, 100).weight.array
    assert abs(weight.mean()) < 3.9 / math.sqrt(weight.size)
    assert weight.var() == pytest.approx(1, abs=0.04)


def test_a_pretrained_table_is_shared_and_frozen_unless_told():
    table = mg.ones(3, 2)
    frozen = nn.Embedding.from_pretrained(table, padding_idx=1)
    assert frozen.weight.array is table.array
    assert not frozen.weight.requires_grad
    assert frozen.padding_idx == 1
    assert table.tolist()[1] == [1.0, 1.0]
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad
    with pytest.raises(ValueError, match=r"embeddings \(3,\), expected \(num_embeddings, dim\)"):
        nn.Embedding.from_pretrained(mg.ones(3))


def test_a_pretrained_table_of_bags_is_shared_and_frozen_unless_told():
    table = mg.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    bags = nn.EmbeddingBag.from_pretrained(table, mode="sum", padding_idx=1, include_last_offset=True)
    assert bags.weight.array is table.array
    assert not bags.weight.requires_grad
    assert bags(mg.tensor([0, 1, 2, 2]), mg.tensor([0, 2, 4])).tolist() == [[1.0, 2.0], [10.0, 12.0]]
    assert nn.EmbeddingBag.from_pretrained(table, freeze=False).weight.requires_grad
    for kind in (nn.Embedding, nn.EmbeddingBag):
        for option in ("scale_grad_by_freq", "sparse"):
            with pytest.raises(
                NotImplementedError, match=rf"{kind.__name__}\(\): {option}=True is not supported"
            ):
                kind.from_pretrained(table, **{option: True})


def test_embedding_names_the_first_bad_index_and_its_place():
    layer = nn.Embedding(4, 2)
    with pytest.raises(IndexError, match=r"Embedding\(num_embeddings=4\): index 4 at position \(1, 0\)"):
        layer(mg.tensor([[0, 3], [4, 9]]))
    with pytest.raises(IndexError, match=r"index -1 at position 0, expected \[0, 3\]"):
        layer(mg.tensor([-1]))
    with pytest.raises(TypeError, match="indices must be integers, got float32"):
        layer(mg.tensor([1.0]))
    with pytest.raises(ValueError, match="padding_idx 4 is not a row"):
        nn.Embedding(4, 2, padding_idx=4)
    assert layer(mg.zeros(0, 3, dtype=mg.int64)).shape == (0, 3, 2)


# ---------------------------------------------------------------------------------------------- LayerNorm


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.data(), SEEDS)
def test_layer_norm_standardises_the_trailing_dimensions(shape, data, seed):
    dims = data.draw(st.integers(1, len(shape)))
    layer = nn.LayerNorm(shape[-dims:], eps=1e-3, dtype=mg.float64)
    x, weight, bias = normal(seed, *shape), normal(seed + 1, *shape[-dims:]), normal(seed + 2, *shape[-dims:])
    layer.load_state_dict({"weight": weight, "bias": bias})
    axes = tuple(range(-dims, 0))
    centred = x.array - x.array.mean(axis=axes, keepdims=True)
    expected = centred / np.sqrt((centred**2).mean(axis=axes, keepdims=True) + 1e-3)
    np.testing.assert_allclose(layer(x).array, expected * weight.array + bias.array, atol=1e-12)


@given(st.lists(st.integers(2, 4), min_size=1, max_size=3), SEEDS)
def test_layer_norm_has_the_right_gradients(assert_gradients, shape, seed):
    layer = nn.LayerNorm(shape[-1:], dtype=mg.float64)
    layer.load_state_dict({"weight": normal(seed, shape[-1]), "bias": normal(seed + 1, shape[-1])})
    assert_gradients(layer, normal(seed + 2, *shape, requires_grad=True), seed=seed)


def test_layer_norm_starts_as_plain_standardisation_and_may_lack_parameters():
    assert nn.LayerNorm(3).state_dict()["weight"].tolist() == [1.0, 1.0, 1.0]
    assert list(nn.LayerNorm(3, bias=False).state_dict()) == ["weight"]
    assert not list(nn.LayerNorm((3, 2), elementwise_affine=False).parameters())
    assert repr(nn.LayerNorm(3)) == "LayerNorm((3,), eps=1e-05, elementwise_affine=True, bias=True)"


def test_layer_norm_refuses_other_trailing_dimensions():
    with pytest.raises(ValueError, match=r"LayerNorm\(\(3,\)\): input \(2, 4\), trailing dimensions must be"):
        nn.LayerNorm(3)(mg.zeros(2, 4))


# ---------------------------------------------------------------------------------------------- Dropout


def test_dropout_keeps_the_expectation_and_the_share():
    mg.manual_seed(5)
    y = nn.Dropout(0.3)(mg.ones(400, 500)).array
    kept = (y != 0).mean()
    assert kept == pytest.approx(0.7, abs=3.9 * math.sqrt(0.21 / y.size))
    assert y.max() == pytest.approx(1 / 0.7, rel=1e-4)
    assert set(np.unique(y)) == {0.0, y.max()}


def test_dropout_drops_the_gradient_where_it_dropped_the_value():
    x = mg.ones(50, requires_grad=True)
    y = nn.Dropout(0.5)(x)
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()


def test_dropout_is_the_identity_in_evaluation_and_at_zero():
    x = mg.ones(3)
    assert nn.Dropout(0.9).eval()(x) is x
    assert nn.Dropout(0.0)(x) is x
    assert nn.Dropout(1.0)(x).tolist() == [0.0, 0.0, 0.0]


def test_dropout_follows_its_generator():
    first = F.dropout(mg.ones(64), generator=mg.Generator(3)).tolist()
    assert first == F.dropout(mg.ones(64), generator=mg.Generator(3)).tolist()
    assert first != F.dropout(mg.ones(64), generator=mg.Generator(4)).tolist()


@pytest.mark.parametrize("p", [-0.1, 1.5, math.nan])
def test_dropout_refuses_what_is_no_probability(p):
    with pytest.raises(ValueError, match=r"expected a probability in \[0, 1\]"):
        nn.Dropout(p)
    with pytest.raises(ValueError, match=r"dropout\(\): p="):
        F.dropout(mg.ones(1), p)


# ---------------------------------------------------------------------------------------------- activations

ACTIVATIONS = {
    "Tanh()": (nn.Tanh(), np.tanh),
    "Sigmoid()": (nn.Sigmoid(), lambda x: 1 / (1 + np.exp(-x))),
    "ReLU()": (nn.ReLU(), lambda x: np.where(x > 0, x, 0)),
    "GELU(approximate='none')": (
        nn.GELU(),
        lambda x: x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2,
    ),
    "GELU(approximate='tanh')": (
        nn.GELU("tanh"),
        lambda x: x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2,
    ),
    "Softmax(dim=1)": (nn.Softmax(1), lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True)),
    "LogSoftmax(dim=-2)": (nn.LogSoftmax(-2), lambda x: x - np.log(np.exp(x).sum(-2, keepdims=True))),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_is_its_equation(assert_gradients, name):
    layer, equation = ACTIVATIONS[name]
    x = normal(3, 4, 5, requires_grad=True)
    np.testing.assert_allclose(layer(x).array, equation(x.array), rtol=1e-12)
    assert repr(layer) == name
    assert_gradients(layer, x)


def test_an_unknown_approximation_is_refused():
    with pytest.raises(ValueError, match="approximate 'erf'"):
        nn.GELU("erf")
