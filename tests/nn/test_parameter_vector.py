"""parameters_to_vector and vector_to_parameters: all elements in order, and back, or a sentence."""

import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn.utils import parameters_to_vector, vector_to_parameters


def test_a_model_goes_into_a_vector_and_comes_back():
    model, other = nn.LSTM(2, 3), nn.LSTM(2, 3)
    vector = parameters_to_vector(model.parameters())
    assert vector.tolist() == [x for weight in model.parameters() for x in weight.reshape(-1).tolist()]
    kept = list(other.parameters())
    vector_to_parameters(vector, other.parameters())
    assert parameters_to_vector(other.parameters()).tolist() == vector.tolist()
    assert all(one is two for one, two in zip(kept, other.parameters(), strict=True))
    assert all(weight.is_leaf and weight.requires_grad for weight in other.parameters())


def test_a_gradient_flows_through_the_vector():
    weights = [mg.ones(2, 2, requires_grad=True), mg.ones(1, requires_grad=True)]
    (parameters_to_vector(weights) * mg.arange(5.0)).sum().backward()
    assert [weight.grad.tolist() for weight in weights] == [[[0.0, 1.0], [2.0, 3.0]], [4.0]]


def test_what_does_not_fit_is_refused():
    weights = [mg.zeros(2, 2), mg.zeros(1)]
    refusals = [
        (lambda: parameters_to_vector([]), ValueError, "got no parameters"),
        (
            lambda: parameters_to_vector([weights[0], 3]),
            TypeError,
            r"parameters\[1\] must be a Tensor, got int",
        ),
        (lambda: vector_to_parameters(mg.zeros(4), weights), RuntimeError, r"vec \(4,\), expected .*\(5,\)"),
        (lambda: vector_to_parameters(mg.zeros(5, 1), weights), ValueError, r"vec \(5, 1\)"),
        (lambda: vector_to_parameters([0.0] * 5, weights), TypeError, "vec must be a Tensor, got list"),
    ]
    for call, error, words in refusals:
        with pytest.raises(error, match=words):
            call()
    assert not parameters_to_vector(weights).any()
