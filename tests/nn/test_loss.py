"""Losses against their sums written out, in float64."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import minigrad.nn.functional as F
from minigrad import nn

SEEDS = st.integers(0, 2**32 - 1)
REDUCTIONS = st.sampled_from(["mean", "sum", "none"])


def reduced(losses, shares, reduction):
    if reduction == "none":
        return losses
    return losses.sum() / shares.sum() if reduction == "mean" else losses.sum()


def cross_entropy_written_out(logits, classes, weight, ignore_index, smoothing, reduction):
    """One row at a time, one class at a time."""
    count = logits.shape[1]
    losses, shares = np.zeros(len(classes)), np.zeros(len(classes))
    for n, (row, y) in enumerate(zip(logits, classes, strict=True)):
        if y == ignore_index:
            continue
        shares[n] = weight[y]
        normaliser = math.log(sum(math.exp(x) for x in row))
        for c in range(count):
            q = (1 - smoothing) * (c == y) + smoothing / count
            losses[n] -= weight[c] * q * (row[c] - normaliser)
    return reduced(losses, shares, reduction)


def problem(seed, rows, classes, requires_grad=False):
    random = np.random.default_rng(seed)
    logits = mg.tensor(2 * random.standard_normal((rows, classes)), requires_grad=requires_grad)
    return logits, random.integers(0, classes, rows), random.uniform(0.5, 2.0, classes)


@given(
    st.integers(1, 6), st.integers(1, 5), st.booleans(), st.sampled_from([0.0, 0.1, 1.0]), REDUCTIONS, SEEDS
)
def test_cross_entropy_is_its_sum(rows, classes, weighted, smoothing, reduction, seed):
    logits, target, weight = problem(seed, rows, classes)
    target[1::2] = -100
    weight = weight if weighted else np.ones(classes)
    loss = nn.CrossEntropyLoss(
        mg.tensor(weight) if weighted else None, reduction=reduction, label_smoothing=smoothing
    )
    expected = cross_entropy_written_out(logits.array, target, weight, -100, smoothing, reduction)
    np.testing.assert_allclose(loss(logits, mg.tensor(target)).array, expected, atol=1e-12)


@given(st.booleans(), st.sampled_from([0.0, 0.1]), REDUCTIONS, SEEDS)
def test_cross_entropy_has_the_right_gradient(assert_gradients, weighted, smoothing, reduction, seed):
    logits, target, weight = problem(seed, 5, 4, requires_grad=True)
    target[2] = 7
    loss = nn.CrossEntropyLoss(
        mg.tensor(weight) if weighted else None,
        ignore_index=7,
        reduction=reduction,
        label_smoothing=smoothing,
    )

    class WithTarget(nn.Module):
        def forward(self, logits):
            return loss(logits, mg.tensor(target))

    assert_gradients(WithTarget(), logits, seed=seed)
    loss(logits, mg.tensor(target)).sum().backward()
    assert not logits.grad.array[2].any()


@given(REDUCTIONS, st.booleans(), SEEDS)
def test_probabilities_that_are_one_class_each_give_the_same_loss(reduction, weighted, seed):
    logits, target, weight = problem(seed, 4, 3)
    keywords = {
        "reduction": reduction,
        "label_smoothing": 0.2,
        "weight": mg.tensor(weight) if weighted else None,
    }
    by_class = F.cross_entropy(logits, mg.tensor(target), **keywords)
    by_probability = F.cross_entropy(logits, mg.tensor(np.eye(3)[target]), **keywords)
    scale = (
        weight[target].sum() / 4 if weighted and reduction == "mean" else 1.0
    )  # a mean over rows, unweighted
    np.testing.assert_allclose(by_probability.array, by_class.array * scale, atol=1e-12)


@pytest.mark.parametrize("function", [F.cross_entropy, F.nll_loss])
def test_classes_lie_in_dimension_one_of_many_and_zero_of_one(function):
    random = np.random.default_rng(0)
    x, target = mg.tensor(random.standard_normal((2, 5, 3, 4))), mg.tensor(random.integers(0, 5, (2, 3, 4)))
    flat = function(x.permute(0, 2, 3, 1).reshape(-1, 5), target.flatten(), reduction="none")
    assert function(x, target, reduction="none").shape == (2, 3, 4)
    np.testing.assert_allclose(function(x, target, reduction="none").array.ravel(), flat.array, atol=1e-12)
    np.testing.assert_allclose(function(x, target).item(), flat.array.mean(), atol=1e-12)
    single = function(x[0, :, 0, 0], target[0, 0, 0])
    assert single.shape == ()
    np.testing.assert_allclose(single.item(), flat.array[0], atol=1e-12)


@given(st.integers(1, 5), st.booleans(), REDUCTIONS, SEEDS)
def test_nll_of_log_softmax_is_cross_entropy(rows, weighted, reduction, seed):
    logits, target, weight = problem(seed, rows, 4)
    target[1::2] = -1
    weight = mg.tensor(weight) if weighted else None
    keywords = {"ignore_index": -1, "reduction": reduction}
    found = nn.NLLLoss(weight, **keywords)(logits.log_softmax(1), mg.tensor(target))
    expected = nn.CrossEntropyLoss(weight, **keywords)(logits, mg.tensor(target))
    np.testing.assert_allclose(found.array, expected.array, atol=1e-12)


def test_nll_passes_no_gradient_to_other_classes():
    x = mg.zeros(2, 3, requires_grad=True)
    F.nll_loss(x, mg.tensor([2, -100])).backward()
    assert x.grad.tolist() == [[0.0, 0.0, -1.0], [0.0, 0.0, 0.0]]


def test_an_ignored_row_counts_nothing_whatever_it_holds():
    x = mg.tensor([[-math.inf, 0.0], [-1.0, -2.0]])
    assert F.nll_loss(x, mg.tensor([-100, 1])).item() == 2.0


@pytest.mark.filterwarnings("ignore:invalid value encountered in scalar divide")  # 0 / 0
def test_where_every_target_is_ignored_the_mean_is_nan_as_in_pytorch():
    assert math.isnan(F.cross_entropy(mg.zeros(2, 3), mg.tensor([-100, -100])).item())
    assert F.cross_entropy(mg.zeros(2, 3), mg.tensor([-100, -100]), reduction="sum").item() == 0.0


def test_a_hopeless_logit_costs_its_distance_and_not_infinity():
    assert F.cross_entropy(mg.tensor([[1000.0, 0.0]]), mg.tensor([1])).item() == 1000.0


@given(st.lists(st.integers(1, 4), max_size=3), REDUCTIONS, SEEDS)
def test_mse_is_the_mean_of_squares(shape, reduction, seed):
    random = np.random.default_rng(seed)
    x, y = random.standard_normal(shape), random.standard_normal(shape)
    expected = reduced((x - y) ** 2, np.ones(shape), reduction)
    np.testing.assert_allclose(nn.MSELoss(reduction)(mg.tensor(x), mg.tensor(y)).array, expected, atol=1e-12)


def test_mse_has_the_right_gradients(assert_gradients):
    random = np.random.default_rng(2)
    pair = (mg.tensor(random.standard_normal((3, 2)), requires_grad=True) for _ in range(2))
    assert_gradients(nn.MSELoss(), *pair)


@pytest.mark.parametrize("places", [(), (2, 3)])
def test_a_cross_entropy_behind_a_linear_map_is_the_two_one_after_the_other(assert_gradients, places):
    made = nn.LinearCrossEntropyLoss(
        4, 5, out_features=places, bias=True, weight=mg.rand(5, dtype=mg.float64), dtype=mg.float64
    )
    x = mg.tensor(np.random.default_rng(0).standard_normal((6, 4)), requires_grad=True)
    target = mg.tensor(np.random.default_rng(1).integers(0, 5, (6, *places)))
    logits = made.linear(x).reshape(6, 5, *places)
    expected = F.cross_entropy(logits, target, made.weight).item()
    assert made(x, target).item() == pytest.approx(expected)
    assert_gradients(made, x, target)
    assert list(made.state_dict()) == ["weight", "linear.weight", "linear.bias"]


def test_probabilities_behind_a_linear_map_ignore_no_index():
    with pytest.raises(ValueError, match="ignore_index=3, expected None for probabilities"):
        nn.LinearCrossEntropyLoss(2, 3, ignore_index=3)(mg.ones(1, 2), mg.ones(1, 3) / 3)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("create_graph", [False, True])
def test_where_no_target_counts_the_mean_is_nan_and_its_gradient_is_zero(smoothing, create_graph):
    x = mg.tensor(np.random.default_rng(0).standard_normal((3, 4)), requires_grad=True)
    loss = F.cross_entropy(x, mg.full((3,), -100, dtype="int64"), label_smoothing=smoothing)
    assert np.isnan(loss.item())
    loss.backward(create_graph=create_graph)
    np.testing.assert_array_equal(x.grad.detach().numpy(), np.zeros((3, 4)))


def test_rows_of_which_none_counts_have_no_gradient_either(monkeypatch):
    monkeypatch.setattr(F.loss, "AT_ONCE", 1)
    x = mg.tensor(np.random.default_rng(0).standard_normal((3, 4)), requires_grad=True)
    made = nn.LinearCrossEntropyLoss(4, 5).double()
    loss = made(x, mg.full((3,), -100, dtype="int64"))
    assert np.isnan(loss.item())
    loss.backward()
    for gradient in (x.grad, made.linear.weight.grad):
        np.testing.assert_array_equal(gradient.numpy(), np.zeros(gradient.shape))


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("ignored", [None, 2])
@pytest.mark.parametrize("bias", [True, False])
def test_many_logits_are_computed_some_rows_at_a_time(monkeypatch, reduction, ignored, bias):
    made = nn.LinearCrossEntropyLoss(3, 4, bias=bias, ignore_index=ignored, reduction=reduction).double()
    random = np.random.default_rng(0)
    target = mg.tensor(random.integers(0, 4, 7))
    found = []
    for at_once in (2**21, 8):  # all logits together, or those of two rows
        monkeypatch.setattr(F.loss, "AT_ONCE", at_once)
        monkeypatch.setattr(F.loss, "LEAST_ROWS", 2)
        x = mg.tensor(np.random.default_rng(1).standard_normal((7, 3)), requires_grad=True)
        made.zero_grad()
        loss = made(x, target)
        loss.backward()
        found.append([loss.detach(), x.grad, *(parameter.grad for parameter in made.parameters())])
        assert (loss.grad_fn.name() == "LinearCrossEntropyBackward") == (at_once == 8)
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12, atol=1e-12)


def test_a_class_that_is_not_there_is_refused_before_any_logits_are_computed(monkeypatch):
    monkeypatch.setattr(F.loss, "AT_ONCE", 1)
    with pytest.raises(IndexError, match=r"target: index 4 at position 1, expected \[0, 3\]"):
        nn.LinearCrossEntropyLoss(3, 4)(mg.ones(2, 3), mg.tensor([0, 4]))


@pytest.mark.parametrize(("places", "shape"), [((), (1, 1, 2)), ((4,), (2,))])
def test_what_a_linear_map_before_a_cross_entropy_cannot_take_is_named(places, shape):
    with pytest.raises(ValueError, match=r"linear_cross_entropy\(\): input .*, expected \(N, D\) and"):
        nn.LinearCrossEntropyLoss(2, 3, out_features=places)(mg.ones(*shape), mg.tensor([0]))


def test_a_class_weight_is_a_buffer_of_the_loss():
    loss = nn.CrossEntropyLoss(mg.ones(3))
    assert list(loss.state_dict()) == ["weight"]
    assert loss.double().weight.dtype == mg.float64
    assert not nn.CrossEntropyLoss().state_dict()


# ---------------------------------------------------------------------------------------------- bad input

X, Y = mg.zeros(4, 3), mg.tensor([0, 1, 2, 0])

BAD = {
    "a class too large": (
        lambda: F.cross_entropy(X, mg.tensor([0, 3, 9, 0])),
        (
            IndexError,
            r"cross_entropy\(\) with C=3 classes: target: index 3 at position 1, expected \[0, 2\]",
        ),
    ),
    "a negative class that is not ignored": (
        lambda: F.nll_loss(X, mg.tensor([0, -100, -1, 0])),
        (IndexError, r"index -1 at position 2"),
    ),
    "a target of wrong shape": (
        lambda: F.cross_entropy(X, mg.tensor([0, 1])),
        (
            ValueError,
            r"target \(2,\), expected \(4,\) for input \(4, 3\), whose dimension 1 counts the classes",
        ),
    ),
    "classes in the last dimension of three": (
        lambda: F.cross_entropy(mg.zeros(4, 5, 3), mg.zeros(4, 5, dtype=mg.int64)),
        (RuntimeError, r"target \(4, 5\), expected \(4, 3\)"),
    ),
    "an input without classes": (
        lambda: F.cross_entropy(mg.tensor(1.0), mg.tensor(0)),
        (ValueError, "input is 0-d"),
    ),
    "a weight for another number of classes": (
        lambda: F.cross_entropy(X, Y, mg.ones(4)),
        (ValueError, r"weight \(4,\), expected one number for each class, \(3,\)"),
    ),
    "probabilities of wrong shape": (
        lambda: F.cross_entropy(X, mg.zeros(4)),
        (ValueError, r"target of probabilities \(4,\), expected the input's \(4, 3\)"),
    ),
    "a target of floats for nll_loss": (
        lambda: F.nll_loss(X, mg.zeros(4)),
        (TypeError, "indices must be integers, got float32"),
    ),
    "an unknown reduction": (
        lambda: nn.CrossEntropyLoss(reduction="avg"),
        (ValueError, 'CrossEntropyLoss\\(\\): reduction \'avg\', expected "mean", "sum" or "none"'),
    ),
    "smoothing beyond one": (
        lambda: nn.CrossEntropyLoss(label_smoothing=1.1),
        (ValueError, "label_smoothing=1.1"),
    ),
    "shapes that would broadcast": (
        lambda: F.mse_loss(mg.zeros(4, 1), mg.zeros(4)),
        (ValueError, r"input \(4, 1\) and target \(4,\) must have the same shape"),
    ),
}


@pytest.mark.parametrize("function", [F.cross_entropy, F.nll_loss, F.mse_loss])
def test_a_loss_takes_tensors_only(function):
    for pair in ((X, [0, 1, 2, 0]), ([[1.0, 2.0]], Y), (np.ones((4, 3)), mg.ones(4, 3))):
        with pytest.raises(TypeError, match=r"expected a Tensor, got (list|ndarray)"):
            function(*pair)


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_what_was_expected(name):
    attempt, (error, message) = BAD[name]
    with pytest.raises(error, match=message):
        attempt()


# ---------------------------------------------------------------------------------------------- one_hot


def test_one_hot_has_one_one_for_each_index():
    assert F.one_hot(mg.tensor([[0, 2]])).tolist() == [[[1, 0, 0], [0, 0, 1]]]
    assert F.one_hot(mg.tensor(1), 3).tolist() == [0, 1, 0]
    assert F.one_hot(mg.tensor([1]), 2).dtype == mg.int64
    with pytest.raises(IndexError, match=r"one_hot\(num_classes=2\): index 2 at position 1"):
        F.one_hot(mg.tensor([0, 2]), 2)


@pytest.mark.parametrize("far", [0.0, 50.0, 5000.0])
def test_a_small_cross_entropy_keeps_its_digits_however_large_the_logits(far):
    x, target = mg.tensor([[7.0 + far, far, 1.0 + far]]), mg.tensor([0])
    expected = math.log1p(math.exp(-7) + math.exp(-6))
    assert F.cross_entropy(x, target).item() == pytest.approx(expected, rel=1e-4)
    in_rows = mg.ops.linear_cross_entropy(x, mg.eye(3), target, rows=1)
    assert in_rows.item() == pytest.approx(expected, rel=1e-4)
