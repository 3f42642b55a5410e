"""PyTorch's signatures: what the functions and methods do beyond the operations that they call."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad import methods, ops
from minigrad.gradcheck import gradcheck
from minigrad.testing.card import assert_close, cases, few_examples, listed
from minigrad.testing.cards import CARDS
from minigrad.testing.strategies import broadcastable, dims, grown, seeds, shapes, sides

FUNCTIONS = [card for card in CARDS if card.op is getattr(mg, card.name, None)]
METHODS = [card for card in FUNCTIONS if hasattr(mg.Tensor, card.name)]


@st.composite
def tensors(draw, min_dims=0, max_dims=3, min_side=0):
    """A float64 tensor that requires grad."""
    shape = draw(shapes(min_dims, max_dims, min_side=min_side))
    return mg.tensor(grown(draw(seeds(shape)), shape), requires_grad=True)


def equal(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a.array, b.array)


# ------------------------------------------------------------------------------------------------ both ways


@given(tensors(min_dims=1), st.data())
def test_cat_joins_what_split_chunk_and_unbind_cut(x, data):
    dim = data.draw(dims(x.ndim))
    length, size = x.shape[dim], data.draw(st.integers(1, 4))
    first = data.draw(st.integers(0, length))
    for pieces in (x.split(size, dim), x.chunk(size, dim), x.split([first, length - first], dim)):
        assert equal(mg.cat(pieces, dim), x)
    if length:
        assert equal(mg.stack(x.unbind(dim), dim), x)


@given(tensors(min_dims=1), st.data())
def test_what_is_moved_there_and_back_is_the_same(x, data):
    one, other = data.draw(dims(x.ndim)), data.draw(dims(x.ndim))
    assert equal(x.transpose(one, other).transpose(one, other), x)
    assert equal(x.flip(one).flip(one), x)
    assert equal(x.unsqueeze(one).squeeze(one), x)
    assert equal(x.flatten().reshape(x.shape), x)
    assert equal(x.tril() + x.triu(1), x) if x.ndim > 1 else x.ndim == 1


@given(tensors(), st.data())
def test_a_view_shares_memory_and_version(x, data):
    views = [x.view(x.shape), x.reshape(x.shape), x.flatten(), x.squeeze(), x.unsqueeze(0)]
    views += [x.expand(2, *x.shape), x.permute(*range(x.ndim)), x.detach(), x[...]]
    views += [x.transpose(0, -1), x.narrow(0, 0, x.shape[0]), *x.split(1)] if x.ndim else []
    for view in views:
        assert view.version is x.version
        assert np.shares_memory(view.array, x.array) or not view.array.size


# ------------------------------------------------------------------------------------------------ max and min


@given(broadcastable(2), st.data())
def test_max_of_two_tensors_is_maximum(pair, data):
    x, y = (mg.tensor(grown(data.draw(seeds(shape)), shape)) for shape in pair)
    assert equal(mg.max(x, y), mg.maximum(x, y))
    assert equal(x.min(y), mg.minimum(x, y))


@given(tensors(min_dims=1, min_side=1), st.data())
def test_max_along_a_dimension_is_the_value_at_its_place(x, data):
    dim = data.draw(dims(x.ndim))
    for function in (mg.max, mg.min):
        values, places = function(x, dim, keepdim=True)
        assert equal(mg.gather(x, dim, places), values)
        flat_values, flat_places = function(x, dim)
        assert equal(flat_values, values.squeeze(dim))
        assert equal(flat_places, places.squeeze(dim))
        assert not places.requires_grad


# ------------------------------------------------------------------------------------------------ reductions


@pytest.mark.parametrize(
    "name",
    ["sum", "mean", "prod", "nansum", "nanmean", "norm", "cumsum", "cumprod", "softmax", "log_softmax"],
)
def test_a_reduction_converts_first_if_a_dtype_is_given(name):
    x = mg.tensor([1, 2, 3])
    arguments = (0,) if name in ("cumsum", "cumprod", "softmax", "log_softmax") else ()
    found = getattr(x, name)(*arguments, dtype=mg.float64)
    assert found.dtype == mg.float64
    assert_close(found.array, getattr(x.double(), name)(*arguments).array, 1e-15)


@given(shapes(min_dims=1, min_side=2), st.sampled_from([0, 1]), st.data())
def test_the_variance_is_the_mean_square_of_what_is_left_of_the_mean(shape, correction, data):
    x = mg.tensor(grown(data.draw(seeds(shape)), shape))
    expected = ((x - x.mean()) ** 2).sum() / (x.numel() - correction)
    assert_close(x.var(correction=correction).array, expected.array, 1e-12)
    assert_close(x.std().array, x.var().sqrt().array, 1e-15)


@given(tensors(max_dims=2), st.data())
def test_several_dimensions_are_reduced_as_one_after_the_other(x, data):
    dim = tuple(data.draw(st.permutations(range(x.ndim))))
    for function in (mg.sum, mg.logsumexp, mg.any, mg.all) if x.array.size else (mg.sum, mg.any, mg.all):
        once, stepwise = function(x, dim=dim, keepdim=True), x
        for d in dim or (0,):
            stepwise = function(stepwise, dim=d, keepdim=True)
        assert_close(once.array, stepwise.array, 1e-12)


# ------------------------------------------------------------------------------------------------ numbers


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 5])
def test_an_integer_to_a_power_stays_an_integer(exponent):
    x = mg.tensor([-2, 0, 3])
    assert equal(x**exponent, mg.tensor(np.array([-2, 0, 3]) ** exponent))


def test_a_number_to_a_tensor_and_a_tensor_to_a_tensor():
    x = mg.tensor([0.5, 2.0], dtype=mg.float64, requires_grad=True)
    assert gradcheck(lambda t: 3.0**t + t**t + t**2.5, x)
    assert (2 ** mg.tensor([1, 3])).tolist() == [2, 8]
    assert (mg.tensor([4, 9]) ** 0.5).tolist() == [2.0, 3.0]


@pytest.mark.parametrize("limits", [{"min": 1}, {"max": 2}, {"min": 1, "max": 2}])
def test_integers_are_clamped_to_integers(limits):
    x = mg.tensor([0, 1, 2, 3])
    found = x.clamp(**limits)
    assert found.dtype == mg.int64
    assert found.tolist() == np.clip(np.arange(4), limits.get("min"), limits.get("max")).tolist()


def test_integers_clamped_to_a_float_become_floating():
    assert mg.tensor([0, 1, 2]).clamp(min=0.5).dtype == mg.float32
    assert mg.tensor([0, 1, 2]).clamp(min=0.5).tolist() == [0.5, 1.0, 2.0]


def test_a_fill_value_never_changes_the_type():
    mask = mg.tensor([True, False])
    for dtype in ("float16", "float32", "float64", "int64", "bool"):
        x = mg.tensor([1, 1], dtype=dtype)
        assert x.masked_fill(mask, 0).dtype == dtype
    assert mg.tensor([1.0, 2.0]).masked_fill(mask, float("-inf")).tolist() == [float("-inf"), 2.0]


# ------------------------------------------------------------------------------------------------ signatures


def test_what_is_joined_is_brought_to_one_type():
    one, other = mg.tensor([1], requires_grad=False), mg.tensor([2.5], dtype=mg.float64, requires_grad=True)
    for joined in (mg.cat([one, other]), mg.stack([one, other])):
        assert joined.dtype == mg.float64
        joined.sum().backward()
    assert other.grad.tolist() == [2.0]


@given(shapes(min_dims=1, max_dims=2), sides())
def test_minus_one_is_the_size_that_is_left(shape, extra):
    x = mg.zeros(*shape)
    assert x.expand(extra, *[-1] * len(shape)).shape == (extra, *shape)
    if 0 not in shape:
        assert x.reshape(-1).shape == (x.numel(),)
        assert x.view(-1, 1, *shape[1:]).shape == (shape[0], 1, *shape[1:])


def test_sizes_may_come_as_one_tuple_or_one_by_one():
    x = mg.arange(6.0)
    assert equal(x.reshape(2, 3), x.reshape((2, 3)))
    assert equal(x.view(2, 3), x.view([2, 3]))
    assert equal(x.reshape(2, 3).permute(1, 0), x.reshape(2, 3).permute((1, 0)))
    assert equal(x.expand(2, 6), x.expand((2, 6)))
    assert equal(x.reshape(2, 3).flip(0, 1), x.reshape(2, 3).flip([0, 1]))


@pytest.mark.parametrize("name", sorted(methods.METHODS))
def test_every_function_that_is_a_method_documents_itself(name):
    method = getattr(mg.Tensor, name)
    assert method.__doc__
    assert callable(method)


@pytest.mark.parametrize("card", METHODS, ids=str)
@few_examples
@given(data=st.data())
def test_the_method_is_the_function(card, data):
    case = data.draw(cases(card))
    first, *rest = case.tensors()
    for found, expected in zip(
        listed(getattr(first, card.name)(*rest, **case.statics)), case.run(case.tensors()), strict=True
    ):
        assert equal(found, expected)
        assert found.requires_grad == expected.requires_grad


WHOLE = {"dim": None, "keepdim": False}
DEFAULTS = {
    **{name: {**WHOLE, "dtype": None} for name in ("sum", "mean", "prod", "nansum", "nanmean")},
    **{name: {**WHOLE} for name in ("amax", "amin", "aminmax", "argmax", "argmin", "all", "any")},
    **{name: {**WHOLE} for name in ("median", "nanmedian")},
    **{name: {**WHOLE, "other": None} for name in ("max", "min")},
    **{
        name: {**WHOLE, "unbiased": None, "correction": None}  # which means 1
        for name in ("var", "std", "var_mean", "std_mean")
    },
    **{name: {**WHOLE, "interpolation": "linear"} for name in ("quantile", "nanquantile")},
    **{name: {"dim": -1, "descending": False, "stable": False} for name in ("sort", "argsort")},
    **{name: {"dim": -1, "keepdim": False} for name in ("mode", "kthvalue")},
    **{name: {"dtype": None} for name in ("cumsum", "cumprod")},
    "topk": {"dim": -1, "largest": True, "sorted": True},
    "norm": {"p": "fro", **WHOLE, "dtype": None},
    "unique": {"sorted": True, "return_inverse": False, "return_counts": False, "dim": None},
    "unique_consecutive": {"return_inverse": False, "return_counts": False, "dim": None},
    **{name: {"dtype": None} for name in ("softmax", "log_softmax")},
    **{name: {"dim": 0} for name in ("cat", "stack", "split", "chunk", "unbind")},
    **{name: {"diagonal": 0} for name in ("tril", "triu")},
    "logsumexp": {"keepdim": False},
    "flatten": {"start_dim": 0, "end_dim": -1},
    "squeeze": {"dim": None},
    "clamp": {"min": None, "max": None},
    "gelu": {"approximate": "none"},
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_defaults_are_those_of_pytorch(name):
    parameters = inspect.signature(getattr(mg, name)).parameters.values()
    assert {p.name: p.default for p in parameters if p.default is not p.empty} == DEFAULTS[name]


REDUCTIONS = [op for op in vars(ops).values() if "keepdim" in getattr(op, "defaults", ())]


@pytest.mark.parametrize("op", REDUCTIONS, ids=lambda op: op.name)
def test_an_operation_reduces_everything_unless_told(op):
    assert {name: op.defaults[name] for name in WHOLE} == WHOLE
    assert op(mg.tensor([[True, False]])).shape == ()


def test_transposed_properties_are_the_functions():
    x = mg.arange(24.0).reshape(2, 3, 4)
    assert x.mT.shape == (2, 4, 3)
    assert x[0].T.shape == (4, 3)
    assert equal(x[0].T, x[0].t())
    assert x[0, 0].T.shape == (4,)


def test_to_takes_a_type_a_device_or_another_tensor():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    assert x.to("cpu") is x
    assert x.to(mg.float32) is x
    other = mg.zeros(1, dtype=mg.float64)
    for found in (x.to(mg.float64), x.to("float64"), x.to("cpu", mg.float64), x.to(other), x.double()):
        assert found.dtype == mg.float64
        assert found.requires_grad
    assert not x.long().requires_grad
    x.double().sum().backward()
    assert x.grad.dtype == mg.float32


@pytest.mark.parametrize("name", ["celu", "elu", "gelu", "leaky_relu", "logsigmoid", "mish", "selu", "silu"])
def test_an_activation_of_integers_is_floating(name):
    found = getattr(mg.nn.functional, name)(mg.tensor([-2, 3]))
    expected = getattr(mg.nn.functional, name)(mg.tensor([-2.0, 3.0]))
    assert found.dtype == mg.float32
    assert found.tolist() == expected.tolist()


def test_prelu_of_integers_is_floating():
    found = mg.nn.functional.prelu(mg.tensor([-2, 3]), mg.tensor([2]))
    assert (found.tolist(), found.dtype) == ([-4.0, 3.0], mg.float32)
