"""Pooling, resizing and folding: what they have in common with each other, and the layers."""

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F
from minigrad.ops import sliding


def normal(*shape, seed=0):
    return mg.tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=True)


def test_indices_name_the_places_of_the_values():
    x = normal(2, 3, 5, 6)
    values, places = F.max_pool2d(x, 3, 2, 1, return_indices=True)
    flat = x.array.reshape(2, 3, 30)
    found = np.take_along_axis(flat, places.array.reshape(2, 3, -1), axis=2)
    np.testing.assert_array_equal(found.reshape(values.shape), values.array)


def test_a_window_of_more_than_255_places_has_its_own_numbers():
    x = normal(1, 1, 20, 20)
    values, places = F.max_pool2d(x, 20, return_indices=True)
    assert (values.item(), places.item()) == (x.array.max(), int(x.array.argmax()))


def test_integers_have_a_largest_number_too():
    x = mg.tensor([[-5, -3, -4]])
    assert F.max_pool1d(x, 3, 2, 1).tolist() == [[-3, -3]]


def test_padding_is_never_the_largest():
    assert F.max_pool1d(mg.tensor([[-1.0, -2.0]]), 2, padding=1).tolist() == [[-1.0, -2.0]]


def test_a_window_that_sees_padding_only_holds_minus_infinity():
    x = mg.tensor([[1.0]], requires_grad=True)
    y = F.max_pool1d(x, 2, 1, 1, 2)  # the places -1 and 1
    assert y.tolist() == [[-math.inf]]


def test_a_block_of_images_is_as_good_as_all_at_once(monkeypatch):
    x = normal(5, 2, 6)
    expected = [a.tolist() for a in F.max_pool1d(x, 2, return_indices=True)]
    monkeypatch.setattr(sliding, "BLOCK", 1)
    assert [a.tolist() for a in F.max_pool1d(x, 2, return_indices=True)] == expected


def test_pooling_adaptively_to_a_divisor_is_pooling():
    x = normal(2, 3, 6, 4)
    np.testing.assert_allclose(F.adaptive_avg_pool2d(x, (3, 2)).array, F.avg_pool2d(x, 2).array, rtol=1e-12)
    np.testing.assert_array_equal(F.adaptive_max_pool2d(x, (3, 2)).array, F.max_pool2d(x, 2).array)


def test_pooling_adaptively_to_nothing_gives_nothing():
    assert F.adaptive_avg_pool2d(normal(2, 3, 4, 4), (0, 2)).shape == (2, 3, 0, 2)


def test_a_mean_of_integers_is_a_float():
    y = F.avg_pool1d(mg.tensor([[1, 2, 3, 4]]), 2)
    assert (y.dtype, y.tolist()) == ("float32", [[1.5, 3.5]])


def test_half_precision_means_do_not_overflow_in_their_sums():
    x = mg.full((1, 1, 100), 1024.0, dtype="float16")
    assert F.avg_pool1d(x, 100).tolist() == [[[1024.0]]]


def test_the_norm_of_a_window_of_zeros_has_no_slope():
    x = mg.zeros(1, 4, requires_grad=True)
    y = F.lp_pool1d(x, 2, 2)
    (first,) = mg.autograd.grad(y.sum(), [x], create_graph=True)
    (second,) = mg.autograd.grad((first + x).sum(), [x])
    assert (first.tolist(), second.tolist()) == ([[0.0] * 4], [[1.0] * 4])


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_unpooling_and_pooling_again_gives_the_same(dims):
    x = normal(2, 3, *[5] * dims)
    pool = getattr(nn, f"MaxPool{dims}d")(2, return_indices=True)
    unpool = getattr(nn, f"MaxUnpool{dims}d")(2)
    values, places = pool(abs(x))
    whole = unpool(values, places, output_size=x.shape)
    assert whole.shape == x.shape
    again = pool(whole)
    np.testing.assert_array_equal(again[0].array, values.array)
    np.testing.assert_array_equal(again[1].array, places.array)


def test_unfolding_is_the_first_half_of_a_convolution():
    x, weight = normal(2, 3, 5, 6), normal(4, 3, 2, 3, seed=1)
    columns = F.unfold(x, (2, 3), padding=1, stride=2)
    expected = F.conv2d(x, weight, padding=1, stride=2)
    found = mg.matmul(weight.reshape(4, 18), columns).reshape(expected.shape)
    np.testing.assert_allclose(found.array, expected.array, rtol=1e-12)


def test_folding_counts_how_often_each_place_was_seen():
    ones = mg.ones(1, 1, 4, 4)
    found = F.fold(F.unfold(ones, 3), (4, 4), 3)
    assert found[0, 0].tolist() == [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]]


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic", "area"])
def test_an_even_surface_stays_even_in_every_size(mode):
    x = mg.full((1, 1, 4, 5), 7.0, dtype="float64")
    for size in ((2, 3), (4, 5), (9, 11)):
        np.testing.assert_allclose(F.interpolate(x, size, mode=mode).array, 7.0, rtol=1e-12)


def test_a_slope_stays_a_slope_when_the_corners_stay():
    x = mg.arange(5, dtype="float64").reshape(1, 1, 5)
    found = F.interpolate(x, 9, mode="linear", align_corners=True)
    np.testing.assert_allclose(found.array[0, 0], np.arange(9) / 2, atol=1e-12)


def test_the_gradient_of_the_nearest_element_is_the_sum_over_its_copies():
    x = normal(1, 1, 3)
    F.interpolate(x, 7).sum().backward()
    assert x.grad.tolist() == [[[3.0, 2.0, 2.0]]]


def test_shuffling_pixels_is_undone():
    x = normal(2, 8, 3, 4)
    assert nn.PixelUnshuffle(2)(nn.PixelShuffle(2)(x)).tolist() == x.tolist()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: nn.MaxUnpool2d((2, 2, 2)),
            r"MaxUnpool2d\(\): kernel_size \(2, 2, 2\), expected an int or 2",
        ),
        (lambda: nn.AvgPool1d(0), r"AvgPool1d\(\): kernel_size 0, expected an int or 1 of them, each >= 1"),
        (lambda: nn.MaxPool2d(0)(mg.ones(1, 4, 4)), r"max_pool2d\(\): kernel_size 0, expected an int or 2"),
    ],
)
def test_a_layer_that_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_gradients_are_those_of_differences(assert_gradients):
    x = normal(2, 2, 5, 5)
    layers = (nn.MaxPool2d(2), nn.AvgPool2d(3, 2, 1), nn.AdaptiveAvgPool2d((2, 3)), nn.AdaptiveMaxPool2d(3))
    for layer in (*layers, nn.Upsample(scale_factor=1.5, mode="bicubic"), nn.Unfold(2)):
        assert_gradients(layer, x)
