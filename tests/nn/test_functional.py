"""The functions of nn.functional beyond their cards: what is written in place, drawn, or remembered."""

import inspect
import math

import numpy as np
import pytest

import minigrad as mg
import minigrad.nn.functional as F
from minigrad.errors import GraphError
from minigrad.generator import Generator

RANDOM = np.random.default_rng(0)


def tensor(*shape, requires_grad=False):
    return mg.tensor(RANDOM.standard_normal(shape), requires_grad=requires_grad)


# ------------------------------------------------------------------------------------------------ in place

ARGUMENTS = {"threshold": (0.1, -1.0)}
IN_PLACE = [
    name for name in dir(F) if "inplace" in getattr(inspect.unwrap(getattr(F, name)), "__annotations__", ())
]


def test_the_functions_that_can_write_in_place_are_those_of_pytorch():
    unmarked = {"celu_", "elu_", "hardtanh_", "leaky_relu_", "relu_", "rrelu_", "selu_", "threshold_"}
    assert {name for name in F.activation.__all__ if name.endswith("_")} == unmarked
    assert set(IN_PLACE) == {
        *(name.rstrip("_") for name in unmarked),
        *("hardsigmoid", "hardswish", "mish", "relu6", "silu", "alpha_dropout", "feature_alpha_dropout"),
        *("dropout", "dropout1d", "dropout2d", "dropout3d"),
    }


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_is_the_same_written_into_the_input(name):
    function, arguments = getattr(F, name), ARGUMENTS.get(name, ())
    random = {"generator"} & set(inspect.signature(function).parameters)
    shape = (2, 3, 2, 2) if name in ("dropout2d", "dropout3d") else (2, 3, 2)
    x = tensor(*shape, requires_grad=True)
    twin = mg.tensor(x.array, requires_grad=True)

    def seeded():
        return {"training": True, "generator": Generator(5)} if random else {}

    y = x * 2
    returned = function(y, *arguments, inplace=True, **seeded())
    expected = function(twin * 2, *arguments, **seeded())
    assert returned is y
    np.testing.assert_array_equal(y.array, expected.array)
    weight = tensor(*shape)
    (y * weight).sum().backward()
    (expected * weight).sum().backward()
    np.testing.assert_allclose(x.grad.array, twin.grad.array, atol=1e-15)


def test_a_leaf_that_requires_grad_is_not_written_to():
    x = mg.ones(2, requires_grad=True)
    for call in (
        lambda: F.relu6(x, inplace=True),
        lambda: F.hardtanh_(x),
        lambda: F.dropout(x, 0.5, True, True),
    ):
        with pytest.raises(GraphError, match=r"(relu6_|hardtanh_|dropout_): a leaf that requires grad"):
            call()
    assert F.selu_(mg.zeros(2)).tolist() == [0.0, 0.0]


# ---------------------------------------------------------------------------------------------- what is drawn


def test_rrelu_draws_a_slope_for_each_negative_element():
    x = -mg.ones(1000, dtype="float64")
    slopes = -F.rrelu(x, 0.25, 0.5, training=True).array
    assert 0.25 <= slopes.min() < 0.26
    assert 0.49 < slopes.max() < 0.5
    assert F.rrelu(x, 0.25, 0.5).array[0] == -0.375


def test_gumbel_softmax_draws_each_class_with_its_probability():
    logits = mg.log(mg.tensor([0.5, 0.3, 0.2])).expand(20_000, 3)
    drawn = F.gumbel_softmax(logits, hard=True, generator=Generator(1)).array
    assert set(np.unique(drawn.round(6))) == {0.0, 1.0}
    np.testing.assert_allclose(drawn.mean(axis=0), [0.5, 0.3, 0.2], atol=0.015)


def test_a_hard_sample_has_the_gradient_of_the_soft_one():
    x, weight = tensor(4, 3, requires_grad=True), tensor(4, 3)
    grads = []
    for hard in (True, False):
        y = F.gumbel_softmax(x, 0.5, hard, dim=0, generator=Generator(2))
        np.testing.assert_allclose(y.array.sum(axis=0), 1)
        grads += mg.autograd.grad((y * weight).sum(), x)
    np.testing.assert_allclose(grads[0].array, grads[1].array, atol=1e-15)


@pytest.mark.parametrize("name", ["dropout", "alpha_dropout", "feature_alpha_dropout", "dropout1d"])
def test_without_training_or_with_p_zero_nothing_is_dropped(name):
    x = tensor(2, 3, 4)
    assert getattr(F, name)(x, 0.5, training=False) is x
    assert getattr(F, name)(x, 0.0, training=True) is x
    np.testing.assert_array_equal(getattr(F, name)(x, 1.0, training=True).array, 0)


@pytest.mark.parametrize(("name", "shape", "axes"), [
    ("dropout1d", (50, 40, 5), -1), ("dropout1d", (2000, 5), -1), ("dropout2d", (50, 40, 2, 2), (2, 3)),
    ("dropout2d", (50, 40, 5), -1), ("dropout3d", (50, 40, 2, 2, 2), (2, 3, 4)),
    ("dropout3d", (2000, 2, 2, 2), (1, 2, 3)),
])  # fmt: skip
def test_a_channel_is_dropped_whole(name, shape, axes):
    y = getattr(F, name)(mg.ones(*shape, dtype="float64"), 0.25, generator=Generator(3)).array
    assert set(np.unique(y.mean(axis=axes).round(9))) == {0.0, round(4 / 3, 9)}
    assert abs((y == 0).mean() - 0.25) < 0.04


@pytest.mark.parametrize("name", ["alpha_dropout", "feature_alpha_dropout"])
def test_alpha_dropout_keeps_mean_and_variance(name):
    x = mg.tensor(np.random.default_rng(1).standard_normal((20_000, 5, 1)))
    y = getattr(F, name)(x, 0.3, training=True, generator=Generator(4)).array
    assert abs(y.mean()) < 0.02
    assert abs(y.var() - 1) < 0.03
    _, counts = np.unique(y, return_counts=True)
    assert abs(counts.max() / y.size - 0.3) < 0.01  # of what was dropped, all alike


# ----------------------------------------------------------------------------------------- running statistics


@pytest.mark.parametrize("function", [F.batch_norm, F.instance_norm], ids=lambda function: function.__name__)
def test_running_statistics_follow_those_of_the_input(function):
    x = tensor(4, 3, 5)
    mean, variance = mg.zeros(3, dtype="float64"), mg.ones(3, dtype="float64")
    per_channel = x.array.transpose(1, 0, 2).reshape(3, -1)
    if function is F.instance_norm:
        means, variances = x.array.mean(axis=(0, 2)), x.array.var(axis=2, ddof=1).mean(axis=0)
        function(x, mean, variance, momentum=0.25)
    else:
        means, variances = per_channel.mean(axis=1), per_channel.var(axis=1, ddof=1)
        function(x, mean, variance, training=True, momentum=0.25)
    np.testing.assert_allclose(mean.array, 0.25 * means, atol=1e-15)
    np.testing.assert_allclose(variance.array, 0.75 + 0.25 * variances, atol=1e-15)


def test_without_a_momentum_running_statistics_stay_as_they_are():
    mean, variance = mg.zeros(3), mg.ones(3)
    F.batch_norm(tensor(4, 3), mean, variance, training=True, momentum=None)
    assert mean.tolist() == [0, 0, 0]
    assert variance.tolist() == [1, 1, 1]
    assert mean.version[0] == 0


def test_running_statistics_are_followed_while_a_gradient_is_recorded():
    x, mean, variance = tensor(4, 3, requires_grad=True), mg.zeros(3), mg.ones(3)
    F.batch_norm(x, mean, variance, training=True).sum().backward()
    assert not mean.requires_grad
    assert x.grad is not None
    y = F.instance_norm(tensor(2, 3, 4), mean, variance, use_input_stats=False)
    assert y.shape == (2, 3, 4)


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["batch_norm", "instance_norm"])
def test_running_statistics_are_those_of_pytorch(name):
    import torch

    x, found = tensor(4, 3, 5, 2), []
    for library, functional in ((mg, F), (torch, torch.nn.functional)):
        mean, variance = library.zeros(3, dtype=library.float64), library.ones(3, dtype=library.float64)
        for factor in (1.0, 2.0, -1.0):
            flag = {"training" if name == "batch_norm" else "use_input_stats": True}
            getattr(functional, name)(library.tensor(x.array * factor), mean, variance, momentum=0.3, **flag)
        found.append((mean.numpy(), variance.numpy()))
    np.testing.assert_allclose(found[0], found[1], atol=1e-14)


def test_normalising_nothing_gives_nothing():
    assert F.layer_norm(mg.zeros(0, 3), (3,)).shape == (0, 3)
    assert F.rms_norm(mg.zeros(2, 0, 3), (3,)).shape == (2, 0, 3)
    assert F.group_norm(mg.zeros(0, 4, 2), 2).shape == (0, 4, 2)


# ------------------------------------------------------------------------------------------------ tables


def test_rows_longer_than_max_norm_are_shortened_in_place():
    weight = mg.tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]], dtype="float64", requires_grad=True)
    y = F.embedding(mg.tensor([0, 1, 0]), weight, max_norm=1.0)
    np.testing.assert_allclose(weight.array, [[0.6, 0.8], [0.3, 0.4], [6.0, 8.0]], rtol=1e-6)
    assert y.tolist() == weight.array[[0, 1, 0]].tolist()
    y.sum().backward()
    assert weight.grad.tolist() == [[2, 2], [1, 1], [0, 0]]
    F.embedding_bag(mg.tensor([[2]]), weight, max_norm=2.0, norm_type=1.0)
    np.testing.assert_allclose(weight.array[2], [6 / 7, 8 / 7], rtol=1e-6)


def test_a_bag_of_nothing_is_zero():
    weight = tensor(3, 2, requires_grad=True)
    for mode in ("sum", "mean", "max"):
        y = F.embedding_bag(mg.tensor([], dtype="int64"), weight, mg.tensor([0, 0]), mode=mode)
        assert y.tolist() == [[0, 0], [0, 0]]
        y.sum().backward()
    assert not weight.grad.array.any()


@pytest.mark.parametrize("option", ["scale_grad_by_freq", "sparse"])
def test_what_an_embedding_does_not_do_is_said(option):
    with pytest.raises(NotImplementedError, match=rf"embedding\(\): {option}=True is not supported"):
        F.embedding(mg.tensor([0]), mg.zeros(2, 2), **{option: True})


# ------------------------------------------------------------------------------------------------ digits


def test_large_scores_cost_their_size_and_not_infinity():
    x = mg.tensor([-1000.0, 1000.0], requires_grad=True)
    losses = F.soft_margin_loss(x, mg.tensor([1.0, 1.0]), reduction="none")
    assert losses.tolist() == [1000.0, 0.0]
    losses.sum().backward()
    assert x.grad.tolist() == [-1.0, 0.0]


def test_a_count_of_zero_adds_nothing_to_the_poisson_loss():
    for log_input in (True, False):
        rate = mg.tensor([0.0 if log_input else 1.0])
        found = F.poisson_nll_loss(rate, mg.zeros(1), log_input=log_input, full=True)
        assert math.isclose(found.item(), 1.0)


def test_a_variance_below_eps_counts_as_eps_and_keeps_its_gradient():
    var = mg.tensor([0.0], dtype="float64", requires_grad=True)
    loss = F.gaussian_nll_loss(mg.tensor([1.0]), mg.tensor([0.0]), var, eps=0.5)
    assert math.isclose(loss.item(), (math.log(0.5) + 2) / 2)
    loss.backward()
    assert var.grad.tolist() == [-1.0]
    assert F.gaussian_nll_loss(mg.ones(2), mg.zeros(2), 1).item() == 0.5


def test_distances_by_a_product_agree_with_those_by_differences():
    x, y = tensor(30, 4, requires_grad=True), tensor(5, 4)
    close = "donot_use_mm_for_euclid_dist"
    np.testing.assert_allclose(mg.cdist(x, y).array, mg.cdist(x, y, 2, close).array, atol=1e-7)
    same = mg.cdist(x, x, compute_mode=close)
    assert not same.array.diagonal().any()
    same.sum().backward()
    assert np.isfinite(x.grad.array).all()


def test_a_vector_that_is_broadcast_has_the_length_of_its_copies():
    a, b = tensor(1, 3), tensor(4, 3)
    expected = F.cosine_similarity(a.expand(4, 3), b, 0).array
    np.testing.assert_allclose(F.cosine_similarity(a, b, 0).array, expected)
    np.testing.assert_allclose(F.cosine_similarity(a[0], b, 0).array, expected)
