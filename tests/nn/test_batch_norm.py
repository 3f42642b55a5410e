"""Batch, instance, group and root-mean-square normalisation against their equations, in float64."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn


def normal(seed, *shape, requires_grad=False):
    return mg.tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=requires_grad)


def standardised(x, axes, eps=1e-5):
    centred = x - x.mean(axis=axes, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=axes, keepdims=True) + eps)


SHAPES = {"1d": (6, 3, 4), "2d": (6, 3, 2, 2), "3d": (2, 3, 2, 2, 2)}


@pytest.mark.parametrize("size", SHAPES)
def test_batch_norm_standardises_each_channel_and_remembers(assert_gradients, size):
    layer = getattr(nn, f"BatchNorm{size}")(3, dtype=mg.float64)
    x = normal(0, *SHAPES[size], requires_grad=True)
    axes = (0, *range(2, x.ndim))
    np.testing.assert_allclose(layer(x).array, standardised(x.array, axes), atol=1e-12)
    np.testing.assert_allclose(layer.running_mean.array, 0.1 * x.array.mean(axis=axes), atol=1e-12)
    expected = 0.9 + 0.1 * x.array.var(axis=axes, ddof=1)
    np.testing.assert_allclose(layer.running_var.array, expected, atol=1e-12)
    assert layer.num_batches_tracked.item() == 1
    assert_gradients(layer, x)


def test_evaluation_goes_by_the_running_statistics_and_leaves_them(assert_gradients):
    layer = nn.BatchNorm1d(3, eps=0.5, dtype=mg.float64).eval()
    mean, variance = np.array([1.0, 2.0, 3.0]), np.array([0.5, 3.5, 8.5])
    layer.load_state_dict({"running_mean": mean, "running_var": variance}, strict=False)
    x = normal(0, 5, 3, requires_grad=True)
    np.testing.assert_allclose(layer(x).array, (x.array - mean) / np.sqrt(variance + 0.5), atol=1e-12)
    assert layer.running_mean.tolist() == mean.tolist()
    assert layer.num_batches_tracked.item() == 0
    assert_gradients(layer, x)


def test_momentum_none_is_the_mean_over_all_batches():
    layer = nn.BatchNorm1d(2, momentum=None, dtype=mg.float64)
    batches = [np.random.default_rng(seed).standard_normal((5, 2)) for seed in range(3)]
    for batch in batches:
        layer(mg.tensor(batch))
    expected = np.mean([batch.mean(axis=0) for batch in batches], axis=0)
    np.testing.assert_allclose(layer.running_mean.array, expected, atol=1e-12)


def test_running_statistics_are_forgotten_on_request():
    layer = nn.BatchNorm1d(2)
    layer(mg.ones(3, 2))
    layer.reset_running_stats()
    assert layer.running_mean.tolist() == [0.0, 0.0]
    assert layer.running_var.tolist() == [1.0, 1.0]
    assert layer.num_batches_tracked.item() == 0


def test_without_running_statistics_evaluation_goes_by_the_batch():
    layer = nn.BatchNorm1d(2, track_running_stats=False).eval()
    assert list(layer.state_dict()) == ["weight", "bias"]
    layer.reset_running_stats()
    y = layer(mg.tensor([[1.0, 1.0], [3.0, 5.0]]))
    np.testing.assert_allclose(y.array, [[-1.0, -1.0], [1.0, 1.0]], atol=1e-4)


def test_statistics_that_are_no_longer_wanted_are_left_alone_in_training():
    layer = nn.BatchNorm1d(2)
    layer.track_running_stats = False
    layer(mg.tensor([[1.0, 1.0], [3.0, 5.0]]))
    assert layer.running_mean.tolist() == [0.0, 0.0]
    assert layer.num_batches_tracked.item() == 0


@pytest.mark.parametrize("size", SHAPES)
def test_instance_norm_standardises_each_channel_of_each_example(assert_gradients, size):
    layer = getattr(nn, f"InstanceNorm{size}")(3, affine=True, dtype=mg.float64)
    x = normal(0, *SHAPES[size], requires_grad=True)
    expected = standardised(x.array, tuple(range(2, x.ndim)))
    np.testing.assert_allclose(layer(x).array, expected, atol=1e-12)
    np.testing.assert_allclose(layer(x[1]).array, expected[1], atol=1e-12)
    assert_gradients(layer, x)


def test_group_norm_standardises_each_group_of_channels(assert_gradients):
    layer = nn.GroupNorm(2, 6, dtype=mg.float64)
    x = normal(0, 3, 6, 4, requires_grad=True)
    expected = standardised(x.array.reshape(3, 2, 12), 2).reshape(3, 6, 4)
    np.testing.assert_allclose(layer(x).array, expected, atol=1e-12)
    assert_gradients(layer, x)


def test_rms_norm_divides_by_the_root_of_the_mean_square(assert_gradients):
    layer = nn.RMSNorm((2, 4), eps=0.1, dtype=mg.float64)
    layer.load_state_dict({"weight": normal(1, 2, 4)})
    x = normal(0, 3, 2, 4, requires_grad=True)
    root = np.sqrt((x.array**2).mean(axis=(1, 2), keepdims=True) + 0.1)
    np.testing.assert_allclose(layer(x).array, layer.weight.array * x.array / root, atol=1e-12)
    assert_gradients(layer, x)


def test_norms_of_float16_keep_their_type():
    x = mg.tensor(np.random.default_rng(0).standard_normal((4, 3, 5)).astype(np.float16))
    for layer in (nn.BatchNorm1d(3), nn.InstanceNorm1d(3), nn.GroupNorm(3, 3), nn.RMSNorm(5)):
        assert layer.half()(x).dtype == mg.float16


@pytest.mark.parametrize(
    ("attempt", "error", "message"),
    [
        (
            lambda: nn.BatchNorm2d(3)(mg.ones(2, 3)),
            ValueError,
            r"BatchNorm2d\(3\): input \(2, 3\), expected \(N, C, H, W\)",
        ),
        (lambda: nn.BatchNorm1d(3)(mg.ones(2, 3, 4, 5)), ValueError, r"expected \(N, C\) or \(N, C, L\)"),
        (lambda: nn.BatchNorm1d(3)(mg.ones(2, 4)), ValueError, r"running_mean \(3,\), expected \(4,\)"),
        (lambda: nn.BatchNorm1d(3)(mg.ones(1, 3)), ValueError, "more than 1 value per channel"),
        (lambda: nn.BatchNorm1d(3)([1.0]), TypeError, r"BatchNorm1d\(\): expected a Tensor, got list"),
        (lambda: nn.InstanceNorm2d(3)(mg.ones(2, 3)), ValueError, r"expected \(N, C, H, W\) or \(C, H, W\)"),
        (lambda: nn.GroupNorm(2, 5), ValueError, "num_groups=2, expected a divisor of num_channels=5"),
        (lambda: nn.GroupNorm(2, 4)(mg.ones(2, 6)), ValueError, r"weight \(4,\), expected \(6,\)"),
        (lambda: nn.RMSNorm(3)(mg.ones(2, 4)), ValueError, r"input \(2, 4\), trailing dimensions must be"),
        (lambda: nn.LocalResponseNorm(3)(mg.ones(2, 4)), ValueError, r"expected \(N, C, L, ...\)"),
    ],
)
def test_what_a_norm_cannot_take_is_refused(attempt, error, message):
    with pytest.raises(error, match=message):
        attempt()
