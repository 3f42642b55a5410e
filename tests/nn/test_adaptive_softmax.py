"""AdaptiveLogSoftmaxWithLoss: a softmax in two steps, for large vocabularies."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from twins import Draw, compare, compare_in_both_modes, tensors, twins

D, C, CUTOFFS = 8, 12, [3, 7]


def softmax(values):
    powers = np.exp(values - values.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def layer(**options):
    return nn.AdaptiveLogSoftmaxWithLoss(D, C, CUTOFFS, 2.0, dtype=mg.float64, **options)


def by_definition(module, x):
    """p of every class (N, C): of a frequent word in the head, of a rare one by way of its cluster."""
    head = softmax(module.head(mg.tensor(x)).detach().numpy())
    parts = [head[:, :3]]
    for number, cluster in enumerate(module.tail):
        down, up = (linear.weight.detach().numpy() for linear in cluster)
        parts.append(softmax(x @ down.T @ up.T) * head[:, 3 + number, None])
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("bias", [True, False])
def test_the_probabilities_are_the_equation(bias):
    module, x = layer(head_bias=bias), np.random.default_rng(0).standard_normal((12, D))
    p = by_definition(module, x)
    np.testing.assert_allclose(p.sum(1), 1.0)
    np.testing.assert_allclose(module.log_prob(mg.tensor(x)).exp().detach().numpy(), p, atol=1e-12)
    target = np.random.default_rng(1).permutation(12)
    output, loss = module(mg.tensor(x), mg.tensor(target))
    np.testing.assert_allclose(output.detach().numpy(), np.log(p[np.arange(12), target]), atol=1e-12)
    assert loss.item() == pytest.approx(-np.log(p[np.arange(12), target]).mean())
    assert module.predict(mg.tensor(x)).tolist() == p.argmax(1).tolist()


def test_gradients_are_those_of_differences(assert_gradients):
    x = mg.tensor(np.random.default_rng(0).standard_normal((5, D)), requires_grad=True)
    assert_gradients(layer(head_bias=True), x, mg.tensor([0, 2, 3, 11, 7]))


def test_a_cluster_that_does_not_occur_is_not_computed():
    module = layer()
    module(mg.ones(2, D, dtype=mg.float64), mg.tensor([0, 4])).loss.backward()
    assert module.tail[0][0].weight.grad is not None
    assert module.tail[1][0].weight.grad is None


def test_parameters_are_drawn_anew():
    module = layer()
    before = [
        parameter.numpy().copy() for parameter in module.requires_grad_(requires_grad=False).parameters()
    ]
    module.reset_parameters()
    assert all((a != b.array).any() for a, b in zip(before, module.parameters(), strict=True))


def test_what_does_not_fit_is_named():
    for cutoffs in ([], [0, 3], [3, 3], [5, 2], [12], [2.5]):
        with pytest.raises(ValueError, match=r"cutoffs .*between 1 and n_classes - 1 = 11"):
            nn.AdaptiveLogSoftmaxWithLoss(D, C, cutoffs)
    module, x = layer(), mg.ones(2, D, dtype=mg.float64)
    with pytest.raises(ValueError, match=r"input \(2, 8\) and target \(3,\), expected \(N, in_features\)"):
        module(x, mg.tensor([0, 1, 2]))
    with pytest.raises(IndexError, match=r"C=12 classes: target: index 12 at position 1"):
        module(x, mg.tensor([0, 12]))
    with pytest.raises(TypeError, match="indices must be integers, got float64"):
        module(x, mg.tensor(np.zeros(2)))


# ------------------------------------------------------------------------------------------------ PyTorch


@pytest.mark.oracle
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("target", [[0, 2, 3, 11, 7, 2], [1, 1, 0, 2, 0, 1], [4, 5, 6, 4, 5, 6]])
def test_values_and_gradients_are_those_of_pytorch(bias, target):
    import torch

    ours, theirs = twins(torch, "AdaptiveLogSoftmaxWithLoss", D, C, CUTOFFS, 2.0, bias)
    compare_in_both_modes(torch, ours, theirs, lambda draw: [draw.normal(6, D), np.array(target)])
    compare(torch, ours, theirs, [Draw(4).normal(D), np.array(target[0])])
    x, x_theirs = (tensors(library, [Draw(5).normal(6, D)])[0] for library in (mg, torch))
    expected = theirs.log_prob(x_theirs).detach().numpy()
    np.testing.assert_allclose(ours.log_prob(x).detach().numpy(), expected, atol=1e-10)
    assert ours.predict(x).tolist() == theirs.predict(x_theirs).tolist()
