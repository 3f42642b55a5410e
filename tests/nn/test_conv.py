"""Convolutions as layers and as functions: geometry, errors, and what they are made of."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F
from minigrad.ops import Grid, convolve, convolve_transposed, convolve_weight, sliding


def normal(*shape, seed=0):
    return mg.tensor(np.random.default_rng(seed).standard_normal(shape))


def test_a_convolution_is_no_mirrored_one_and_sums_over_channels():
    x = mg.tensor([[1.0, 2.0, 4.0], [0.0, 1.0, 0.0]])
    weight = mg.tensor([[[1.0, 10.0], [100.0, 1000.0]]])
    assert F.conv1d(x, weight).tolist() == [[1021.0, 142.0]]


def test_a_convolution_with_a_kernel_of_one_is_a_linear_layer_of_each_place():
    x, weight = normal(2, 3, 4, 5), normal(6, 3)
    expected = mg.einsum("nchw,oc->nohw", x, weight)
    np.testing.assert_allclose(F.conv2d(x, weight[:, :, None, None]).array, expected.array, rtol=1e-12)


def test_the_three_operations_are_derivatives_of_one_sum():
    grid = Grid(stride=(2,), padding=(1,), dilation=(1,))
    x, weight, z = normal(2, 3, 6), normal(4, 3, 3, seed=1), normal(2, 4, 3, seed=2)
    total = (convolve(x, weight, size=(3,), grid=grid) * z).sum().item()
    assert total == pytest.approx((convolve_transposed(z, weight, size=(6,), grid=grid) * x).sum().item())
    assert total == pytest.approx((convolve_weight(x, z, size=(3,), grid=grid) * weight).sum().item())


def test_a_block_of_images_is_as_good_as_all_at_once(monkeypatch):
    results = []
    for block in (1, 200, 10**9):
        monkeypatch.setattr(sliding, "BLOCK", block)
        x, weight = normal(5, 2, 6).requires_grad_(), normal(3, 2, 3).requires_grad_()
        y = F.conv1d(x, weight, padding=1)
        (y * y).sum().backward()
        results.append((y.array, x.grad.array, weight.grad.array))
    for other in results[1:]:
        for mine, same in zip(results[0], other, strict=True):
            np.testing.assert_allclose(mine, same, rtol=1e-12)


def test_half_precision_is_summed_in_single():
    x, weight = mg.ones(1, 1024, 3, dtype="float16"), mg.full((1, 1024, 3), 2**-10, dtype="float16")
    y = F.conv1d(x, weight)
    assert (y.dtype, y.tolist()) == ("float16", [[[3.0]]])


def test_third_derivatives_are_there():
    x, weight = normal(1, 1, 5).requires_grad_(), normal(1, 1, 3).requires_grad_()
    y = (F.conv1d(x, weight) ** 3).sum()
    for _ in range(3):
        (y,) = mg.autograd.grad(y, [x], create_graph=True)
        y = y.sum()
    w = weight.array[
        0, 0
    ]  # Σ yᵢ³ has the third derivative 6 Σᵢ wᵢ wᵢ wᵢ summed over all: 6 (Σ w)³ for each window
    assert y.item() == pytest.approx(3 * 6 * w.sum() ** 3)


def test_gradients_of_each_example_are_those_of_a_loop():
    x, weight = normal(3, 2, 6), normal(4, 2, 3)

    def loss(weight, example):
        return (F.conv1d(example, weight, padding=1) ** 2).sum()

    together = mg.vmap(mg.grad(loss), (None, 0))(weight, x)
    for number in range(3):
        np.testing.assert_allclose(together.array[number], mg.grad(loss)(weight, x[number]).array, rtol=1e-12)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_a_transposed_convolution_gives_the_size_that_is_asked_for(dims):
    layer = getattr(nn, f"ConvTranspose{dims}d")(2, 3, 3, stride=3, padding=1)
    x = mg.ones(4, 2, *[5] * dims)
    for size in (13, 14, 15):
        assert layer(x, [size] * dims).shape == (4, 3, *[size] * dims)
        assert layer(x, (4, 3, *[size] * dims)).shape == (4, 3, *[size] * dims)
    for wrong in ([12] * dims, [16] * dims, [13] * (dims + 1)):
        with pytest.raises(
            ValueError, match=rf"ConvTranspose{dims}d\(\): output_size .*, expected from \(13,"
        ):
            layer(x, wrong)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"groups": 3}, r"groups=3, expected a divisor of in_channels=4 and of out_channels=6"),
        ({"groups": 0}, r"groups=0, expected a divisor"),
        ({"kernel_size": (3, 3, 3)}, r"kernel_size \(3, 3, 3\), expected an int or 2 of them, each >= 1"),
        ({"stride": 0}, r"stride 0, expected an int or 2 of them, each >= 1"),
        ({"padding": -1}, r"padding -1, expected an int or 2 of them, each >= 0"),
        ({"padding": "full"}, r"padding 'full', expected same or valid or numbers"),
        ({"padding": "same", "stride": 2}, r'padding "same" with stride \(2, 2\)'),
        ({"padding_mode": "mirror"}, r"padding_mode 'mirror', expected one of \['zeros', 'reflect'"),
    ],
)
def test_a_layer_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=rf"Conv2d\(\): {message}"):
        nn.Conv2d(**{"in_channels": 4, "out_channels": 6, "kernel_size": 3, **arguments})


@pytest.mark.parametrize("arguments", [{"padding_mode": "reflect"}, {"padding": "same"}])
def test_a_transposed_layer_knows_zeros_only(arguments):
    with pytest.raises(ValueError, match=r"ConvTranspose1d\(\): padding"):
        nn.ConvTranspose1d(4, 6, 3, **arguments)


def test_an_input_that_does_not_fit_is_refused():
    layer = nn.Conv2d(4, 6, 3, padding=1, padding_mode="reflect")
    with pytest.raises(
        ValueError, match=r"Conv2d\(\): input \(4, 4\), expected \(N, C, H, W\) or \(C, H, W\)"
    ):
        layer(mg.ones(4, 4))
    with pytest.raises(ValueError, match=r"with 3 channels, expected 4 for weight \(6, 4, 3, 3\)"):
        layer(mg.ones(3, 5, 5))
    with pytest.raises(TypeError, match=r"Conv2d\(\): expected a Tensor, got list"):
        layer([1.0])


def test_a_layer_without_channels_starts_without_numbers():
    layer = nn.Conv1d(0, 3, 2)
    assert layer.weight.shape == (3, 0, 2)
    assert layer(mg.ones(2, 0, 5)).tolist() == [[[0.0] * 4] * 3] * 2


def test_gradients_are_those_of_differences(assert_gradients):
    for layer in (nn.Conv2d(2, 4, 3, 2, 1, groups=2), nn.ConvTranspose2d(2, 4, 3, 2, 1, 1, groups=2)):
        assert_gradients(layer.double(), normal(2, 2, 4, 5).requires_grad_())
