"""Parametrised weights: computed when they are read, assigned through the inverse, and made plain again."""

import copy

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.nn.utils import parametrize
from minigrad.nn.utils.parametrizations import spectral_norm, weight_norm
from minigrad.nn.utils.parametrize import is_parametrized, register_parametrization, remove_parametrizations


class Symmetric(nn.Module):
    def forward(self, X):
        return X.triu() + X.triu(1).T


class Scaled(nn.Module):
    def __init__(self, factor=2.0):
        super().__init__()
        self.factor, self.calls = factor, 0

    def forward(self, X):
        self.calls += 1
        return X * self.factor

    def right_inverse(self, X):
        return X / self.factor


def test_a_parametrised_weight_is_computed_and_its_original_is_trained():
    layer = nn.Linear(3, 3)
    original = layer.weight
    register_parametrization(layer, "weight", Symmetric())
    assert layer.weight.tolist() == layer.weight.T.tolist()
    assert [name for name, _ in layer.named_parameters()] == ["bias", "parametrizations.weight.original"]
    assert layer.parametrizations.weight.original is original
    before = layer.weight.tolist()
    layer(mg.ones(2, 3)).sum().backward()
    optim.SGD(layer.parameters(), lr=0.1).step()
    assert layer.weight.tolist() == layer.weight.T.tolist() != before
    assert repr(layer) == (
        "ParametrizedLinear(\n  in_features=3, out_features=3, bias=True\n  (parametrizations): ModuleDict(\n"
        "    (weight): ParametrizationList(\n      (0): Symmetric()\n    )\n  )\n)"
    )


def test_a_parametrised_weight_has_the_right_gradients(assert_gradients):
    x = mg.rand(2, 3, dtype=mg.float64)
    assert_gradients(weight_norm(nn.Linear(3, 4, dtype=mg.float64)), x)
    assert_gradients(spectral_norm(nn.Linear(3, 4, dtype=mg.float64)).eval(), x)


def test_a_parametrised_weight_is_assigned_through_the_inverse():
    layer = register_parametrization(nn.Linear(2, 2), "weight", Scaled())
    value = layer.weight.tolist()
    register_parametrization(layer, "weight", Scaled(4.0))
    assert layer.weight.tolist() == [[4 * x for x in row] for row in value]
    layer.weight = mg.ones(2, 2)
    assert layer.weight.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert layer.parametrizations.weight.original.tolist() == [[0.125, 0.125], [0.125, 0.125]]
    with pytest.raises(RuntimeError, match="Symmetric cannot be assigned, since that has no right_inverse"):
        register_parametrization(nn.Linear(2, 2), "weight", Symmetric()).weight = mg.ones(2, 2)


def test_registering_keeps_the_value_where_there_is_an_inverse():
    layer = nn.Linear(2, 3)
    weight, bias = layer.weight.tolist(), layer.bias.tolist()
    for dim in (0, 1, None):
        copied = weight_norm(copy.deepcopy(layer), dim=dim)
        np.testing.assert_allclose(copied.weight.tolist(), weight, rtol=1e-6)
    assert weight_norm(layer, "bias").bias.tolist() == pytest.approx(bias, rel=1e-6)


def test_a_parametrisation_is_removed_with_its_value_or_with_its_original():
    layer = nn.Linear(2, 2)
    original, before = layer.weight, layer.weight.tolist()
    register_parametrization(layer, "weight", Scaled())
    register_parametrization(layer, "bias", Scaled())
    remove_parametrizations(layer, "weight")
    assert layer.weight is original
    assert layer.weight.tolist() == before
    assert is_parametrized(layer)
    remove_parametrizations(layer, "bias", leave_parametrized=False)
    assert type(layer) is nn.Linear
    assert sorted(layer.state_dict()) == ["bias", "weight"]
    weight_norm(layer)
    value = layer.weight.tolist()
    with pytest.raises(ValueError, match="'weight' has 2 originals, of which none can take its place"):
        remove_parametrizations(layer, "weight", leave_parametrized=False)
    remove_parametrizations(layer, "weight")
    assert isinstance(layer.weight, nn.Parameter)
    assert layer.weight.tolist() == value


def test_is_parametrized_tells_which_weights_are_computed():
    layer = nn.Linear(2, 2)
    assert not is_parametrized(layer)
    register_parametrization(layer, "weight", Scaled())
    assert is_parametrized(layer)
    assert is_parametrized(layer, "weight")
    assert not is_parametrized(layer, "bias")


def test_a_buffer_is_parametrised_as_well():
    layer = nn.Identity()
    layer.register_buffer("offset", mg.ones(2))
    register_parametrization(layer, "offset", Scaled())
    assert layer.offset.tolist() == [1.0, 1.0]
    assert list(layer.state_dict()) == ["parametrizations.offset.original"]
    assert not list(layer.parameters())
    remove_parametrizations(layer, "offset")
    assert [name for name, _ in layer.named_buffers()] == ["offset"]


def test_a_copy_of_a_parametrised_layer_shares_nothing():
    layer = weight_norm(nn.Linear(2, 2))
    twin = copy.deepcopy(layer)
    remove_parametrizations(twin, "weight")
    assert type(twin) is nn.Linear
    assert is_parametrized(layer, "weight")
    value = layer.weight.tolist()
    with mg.no_grad():
        twin.weight.fill_(0.0)
    assert layer.weight.tolist() == value


def test_a_state_goes_from_one_parametrised_layer_to_another():
    source, target = weight_norm(nn.Linear(2, 3)), weight_norm(nn.Linear(2, 3))
    target.load_state_dict(source.state_dict())
    assert target.weight.tolist() == source.weight.tolist()


def test_within_cached_a_weight_is_computed_once():
    layer, scaled = nn.Linear(2, 2), Scaled()
    register_parametrization(layer, "weight", scaled)
    scaled.calls = 0
    with parametrize.cached():
        with parametrize.cached():
            first = layer.weight
        assert layer.weight is first
        assert scaled.calls == 1
    assert layer.weight is not first
    assert scaled.calls == 2


def test_the_largest_singular_value_becomes_one():
    layer = spectral_norm(nn.Linear(6, 4, dtype=mg.float64), n_power_iterations=200)
    assert np.linalg.svd(layer.weight.detach().numpy())[1][0] == pytest.approx(1.0)
    layer.eval()
    state = {key: value.tolist() for key, value in layer.state_dict().items()}
    layer.weight  # noqa: B018 (in evaluation reading it changes nothing)
    assert {key: value.tolist() for key, value in layer.state_dict().items()} == state
    assert list(state) == [
        "bias",
        "parametrizations.weight.original",
        "parametrizations.weight.0._u",
        "parametrizations.weight.0._v",
    ]


@pytest.mark.parametrize(
    ("attempt", "error", "message"),
    [
        (
            lambda: register_parametrization(nn.Linear(2, 2), "gain", Scaled()),
            ValueError,
            r"Linear has no parameter or buffer 'gain', only \['weight', 'bias'\]",
        ),
        (
            lambda: register_parametrization(nn.Linear(2, 3), "weight", nn.Flatten(0)),
            ValueError,
            r"Flatten: the value has shape \(6,\), expected that of the tensor, \(3, 2\)",
        ),
        (
            lambda: register_parametrization(weight_norm(nn.Linear(2, 3)), "weight", nn.Flatten(0)),
            ValueError,
            "unsafe=True",
        ),
        (
            lambda: remove_parametrizations(nn.Linear(2, 2), "weight"),
            ValueError,
            "Linear has no parametrisation of 'weight'",
        ),
        (lambda: spectral_norm(nn.Linear(2, 2), "gain"), ValueError, "Linear has no tensor 'gain'"),
        (lambda: spectral_norm(nn.Linear(2, 2), n_power_iterations=0), ValueError, "expected at least 1"),
        (lambda: spectral_norm(nn.Linear(2, 2), dim=2), IndexError, r"dim 2 out of range .* \(2, 2\)"),
    ],
)
def test_what_cannot_be_parametrised_is_refused(attempt, error, message):
    with pytest.raises(error, match=message):
        attempt()


def test_a_refused_parametrisation_leaves_the_layer_as_it_was():
    layer = nn.Linear(2, 3)
    before = layer.weight.tolist()
    with pytest.raises(ValueError, match="the value has shape"):
        register_parametrization(layer, "weight", nn.Flatten(0))
    assert type(layer) is nn.Linear
    assert layer.weight.tolist() == before
