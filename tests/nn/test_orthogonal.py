"""A weight whose rows or columns stay orthonormal, whatever training does to what it is computed from."""

import copy

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn.utils.orthogonal import MAPS
from minigrad.nn.utils.parametrizations import orthogonal
from minigrad.nn.utils.parametrize import remove_parametrizations, type_before_parametrizations
from twins import Draw, compare

SIZES = [(4, 4), (3, 5), (5, 3)]
each_map = pytest.mark.parametrize("name", MAPS)
each_size = pytest.mark.parametrize("size", SIZES)


def layer(size, name, **options):
    return orthogonal(nn.Linear(*size, dtype=mg.float64), orthogonal_map=name, **options)


def assert_orthonormal(weight):
    """Of a wide weight the rows, of a tall one the columns."""
    W = weight.detach().numpy()
    W = W if W.shape[0] <= W.shape[1] else W.T
    np.testing.assert_allclose(W @ W.T, np.eye(len(W)), atol=1e-12)


@each_map
@each_size
def test_a_weight_stays_orthonormal_in_training(size, name):
    made = layer(size, name)
    assert_orthonormal(made.weight)
    before, optimizer = made.weight.tolist(), mg.optim.SGD(made.parameters(), lr=0.5)
    for step in range(3):
        optimizer.zero_grad()
        (made(mg.tensor(Draw(step).normal(2, size[0]))) ** 2).sum().backward()
        optimizer.step()
    assert_orthonormal(made.weight)
    assert made.weight.tolist() != before


def test_reflections_are_those_of_householder_one_after_the_other():
    X, expected = Draw(0).normal(5, 3), np.eye(5)
    for i in range(3):
        v = np.tril(X, -1)[:, i] + np.eye(5)[i]
        expected = expected @ (np.eye(5) - 2 * np.outer(v, v) / (v @ v))
    found = MAPS["householder"](mg.tensor(X)).numpy()
    np.testing.assert_allclose(found, expected[:, :3] * np.sign(np.diagonal(X)), atol=1e-12)


@each_map
@each_size
def test_a_weight_has_the_right_gradients(assert_gradients, size, name):
    made = layer(size, name)
    with mg.no_grad():
        original = made.parametrizations.weight.original
        original.add_(mg.tensor(0.3 * Draw(1).normal(*original.shape)))
    assert_gradients(made, mg.tensor(Draw(2).normal(2, size[0])))


@each_map
@each_size
def test_an_orthogonal_matrix_can_be_assigned(size, name):
    tall = np.linalg.qr(Draw(0).normal(max(size), min(size)))[0]
    value = tall.T if size[0] > size[1] else tall
    made = layer(size, name)
    made.weight = mg.tensor(value)
    np.testing.assert_allclose(made.weight.detach().numpy(), value, atol=1e-12)
    made = layer(size, "householder", use_trivialization=False)
    made.weight = mg.tensor(value)
    np.testing.assert_allclose(made.weight.detach().numpy(), value, atol=1e-12)


def test_several_matrices_are_orthogonal_each():
    made = orthogonal(nn.ParameterDict({"stack": mg.tensor(Draw(0).normal(2, 4, 3))}), "stack")
    for matrix in made.stack:
        assert_orthonormal(matrix)


def test_the_class_before_is_known_and_comes_back():
    made = layer((3, 4), None)
    twin = copy.deepcopy(made)
    assert type_before_parametrizations(made) is nn.Linear is type_before_parametrizations(nn.Linear(1, 1))
    assert type(remove_parametrizations(twin, "weight")) is nn.Linear
    assert twin.weight.tolist() == made.weight.tolist()


def test_what_cannot_be_orthogonal_is_refused():
    with pytest.raises(ValueError, match=r"'bias' is of shape \(2,\), expected a matrix, or several"):
        orthogonal(nn.Linear(2, 2), "bias")
    with pytest.raises(ValueError, match="'gain' is of NoneType"):
        orthogonal(nn.Linear(2, 2), "gain")
    with pytest.raises(
        ValueError, match=r"orthogonal_map 'givens', expected one of \['matrix_exp', 'cayley'"
    ):
        orthogonal(nn.Linear(2, 2), orthogonal_map="givens")
    made = layer((3, 3), "cayley", use_trivialization=False)
    with pytest.raises(NotImplementedError, match='the weight cannot be assigned; use "householder"'):
        made.weight = mg.ones(3, 3, dtype=mg.float64)
    with pytest.raises(ValueError, match=r"a weight of shape \(2, 3\), expected \(3, 3\)"):
        layer((3, 3), "cayley").weight = mg.ones(2, 3, dtype=mg.float64)


@pytest.mark.oracle
@pytest.mark.parametrize("trivial", [True, False])
@pytest.mark.parametrize("name", [*MAPS, None])
@each_size
def test_values_and_gradients_are_those_of_pytorch(size, name, trivial):
    import torch

    ours, theirs = (
        library.utils.parametrizations.orthogonal(
            library.Linear(*size).double(), orthogonal_map=name, use_trivialization=trivial
        )
        for library in (nn, torch.nn)
    )
    assert repr(ours) == repr(theirs)
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    original = state["parametrizations.weight.original"]
    noise = 0.3 * Draw(0).normal(*original.shape)
    np.fill_diagonal(noise, 0.0)  # PyTorch makes integers of the diagonal
    original.add_(torch.tensor(noise))
    ours.load_state_dict({key: value.numpy() for key, value in state.items()})
    compare(torch, ours, theirs, [Draw(1).normal(2, size[0])])
