"""minigrad.nn.utils: gradients are clipped together by their norm, or one by one by their value."""

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn.utils import clip_grad_norm_, clip_grad_value_


def parameters(dtype=np.float64, scale=1.0):
    """Three parameters with gradients and one without."""
    random = np.random.default_rng(0)
    params = [mg.tensor(np.ones(shape, dtype), requires_grad=True) for shape in [(3, 4), (), (0, 2), (2,)]]
    for param in params[:3]:
        param.grad = mg.tensor((scale * random.standard_normal(param.shape)).astype(dtype))
    return params


def flat(params):
    return np.concatenate([param.grad.array.ravel() for param in params if param.grad is not None])


@pytest.mark.parametrize("norm_type", [1, 2, 2.0, 3.5, math.inf])
def test_gradients_are_scaled_together_to_the_norm(norm_type):
    params = parameters()
    before = flat(params)
    norm = np.linalg.norm(before, norm_type)
    returned = clip_grad_norm_(params, max_norm=0.5, norm_type=norm_type)
    assert returned.shape == ()
    assert returned.item() == pytest.approx(norm, rel=1e-12)
    np.testing.assert_allclose(flat(params), before * 0.5 / (norm + 1e-6), rtol=1e-12)
    assert params[3].grad is None


def test_gradients_below_the_norm_are_left_bit_for_bit():
    params = parameters()
    before, versions = flat(params), [param.grad._version for param in params[:3]]
    clip_grad_norm_(params, max_norm=1e3)
    assert flat(params).tobytes() == before.tobytes()
    assert [param.grad._version for param in params[:3]] == versions


def test_clipping_writes_to_the_gradients_that_are_there_and_raises_their_version():
    params = parameters()
    held = [(param.grad, param.grad.array, param.grad._version) for param in params[:3]]
    clip_grad_norm_(iter(params), max_norm=0.1)
    for param, (grad, array, version) in zip(params, held, strict=False):
        assert param.grad is grad
        assert grad.array is array
        assert grad._version > version


def test_one_tensor_may_stand_for_a_list():
    param = parameters()[0]
    clip_grad_norm_(param, 1.0)
    assert np.linalg.norm(param.grad.array) == pytest.approx(1.0)
    clip_grad_value_(param, 0.01)
    assert abs(param.grad.array).max() == 0.01


def test_without_gradients_the_norm_is_zero():
    assert clip_grad_norm_([mg.ones(2, requires_grad=True)], 1.0).item() == 0.0
    assert clip_grad_norm_([], 1.0).item() == 0.0


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_the_type_of_the_gradients_is_kept(dtype):
    params = parameters(dtype)
    assert clip_grad_norm_(params, 0.5).item() == pytest.approx(np.linalg.norm(flat(parameters())), rel=1e-3)
    assert {param.grad.dtype for param in params[:3]} == {np.dtype(dtype)}
    clip_grad_value_(params, 0.1)
    assert {param.grad.dtype for param in params[:3]} == {np.dtype(dtype)}


def test_float16_gradients_are_summed_in_float32():
    param = mg.tensor(np.ones(10_000, np.float16), requires_grad=True)
    param.grad = mg.tensor(np.full(10_000, 10.0, np.float16))
    assert clip_grad_norm_([param], 1e4).item() == pytest.approx(1000.0)  # the sum of squares is 10⁶ > 65504


@pytest.mark.parametrize("norm_type", [1.0, 2.0, math.inf])
def test_a_gradient_without_elements_adds_nothing_to_the_norm(norm_type):
    empty, other = mg.zeros(0, requires_grad=True), mg.zeros(1, requires_grad=True)
    empty.grad, other.grad = mg.zeros(0), mg.tensor([0.25])
    assert clip_grad_norm_([empty], 1.0, norm_type=norm_type).item() == 0
    assert clip_grad_norm_([empty, other], 1.0, norm_type=norm_type).item() == 0.25


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_norm_that_is_not_finite_is_an_error_on_request_and_changes_nothing(bad):
    params = parameters()
    params[1].grad.array[...] = bad
    before = flat(params)
    with pytest.raises(RuntimeError, match=f"the norm of the gradients is {bad}; they were left as they are"):
        clip_grad_norm_(params, 1.0, error_if_nonfinite=True)
    assert flat(params).tobytes() == before.tobytes()


def test_a_norm_that_is_not_finite_spreads_as_in_pytorch():
    params = parameters()
    params[1].grad.array[...] = np.nan
    clip_grad_norm_(params, 1.0)
    assert np.isnan(flat(params)).all()
    params = parameters()
    params[1].grad.array[...] = np.inf
    with np.errstate(invalid="ignore"):
        clip_grad_norm_(params, 1.0)
    assert np.isnan(params[1].grad.array)
    assert (params[0].grad.array == 0).all()


def test_values_are_clipped_one_by_one():
    params = parameters(scale=3.0)
    before = flat(params)
    clip_grad_value_(params, 1.5)
    np.testing.assert_array_equal(flat(params), np.clip(before, -1.5, 1.5))


def test_bad_arguments_are_refused():
    params = parameters()
    refusals = [
        (lambda: clip_grad_norm_(params, -1.0), ValueError, "max_norm — got -1.0"),
        (lambda: clip_grad_norm_(params, math.nan), ValueError, "max_norm — got nan"),
        (lambda: clip_grad_norm_(params, 1.0, norm_type=0), ValueError, "norm_type — got 0"),
        (lambda: clip_grad_value_(params, -1.0), ValueError, "clip_value — got -1.0"),
        (lambda: clip_grad_norm_([np.ones(2)], 1.0), TypeError, r"parameters\[0\] — got a ndarray"),
        (lambda: clip_grad_value_([("w", params[0])], 1.0), TypeError, r"got a tuple, expected a tensor"),
    ]
    for call, error, words in refusals:
        with pytest.raises(error, match=words):
            call()


@pytest.mark.oracle
@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.5, math.inf])
@pytest.mark.parametrize("max_norm", [0.0, 0.3, 100.0])
def test_clipping_agrees_with_pytorch(norm_type, max_norm):
    import torch

    params = [param for param in parameters() if param.numel()]  # PyTorch has no largest element of none
    theirs = [torch.ones(param.shape, dtype=torch.float64, requires_grad=True) for param in params]
    for param, other in zip(params[:2], theirs, strict=False):
        other.grad = torch.tensor(param.grad.array)
    ours = clip_grad_norm_(params, max_norm, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    assert ours.item() == pytest.approx(expected.item(), rel=1e-12)
    clip_grad_value_(params, 0.02)
    torch.nn.utils.clip_grad_value_(theirs, 0.02)
    for param, other in zip(params[:2], theirs, strict=False):
        np.testing.assert_allclose(param.grad.array, other.grad.numpy(), rtol=1e-12)
