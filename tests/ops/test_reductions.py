"""Reductions, scans and order: what the small shapes of the cards do not show."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.gradcheck import gradcheck, gradgradcheck
from minigrad.testing.card import assert_close, few_examples
from minigrad.testing.strategies import DISTINCT, Domain, arrays

# As in minigrad itself: PyTorch is silent where a logarithm of 0 is -inf, and so are we.
pytestmark = pytest.mark.filterwarnings(r"ignore::RuntimeWarning:minigrad\..*")

FEW = Domain(low=-2, high=2, step=1)  # so that there are ties, and zeros
rows = st.tuples(st.integers(1, 70), st.integers(1, 3))


def drawn(data, domain=FEW):
    """A matrix with columns that are longer than those of the cards."""
    return data.draw(arrays(data.draw(rows), domain=domain))


# ------------------------------------------------------------------------------------------------ scans

SCANS = {
    "cumsum": np.cumsum,
    "cumprod": np.cumprod,
    "logcumsumexp": np.logaddexp.accumulate,
    "cummax": np.maximum.accumulate,
    "cummin": np.minimum.accumulate,
}


@pytest.mark.parametrize("name", SCANS)
@given(data=st.data())
def test_a_long_scan_is_that_of_numpy(name, data):
    x = drawn(data)
    found = getattr(mg, name)(mg.tensor(x), 0)
    values = found if isinstance(found, mg.Tensor) else found.values
    assert_close(values.array, SCANS[name](x, axis=0), 1e-12)
    if name in ("cummax", "cummin"):
        latest = [[max(i for i in range(k + 1) if x[i, j] == v) for j, v in enumerate(row)]
                  for k, row in enumerate(values.tolist())]  # fmt: skip
        assert found.indices.tolist() == latest


@pytest.mark.parametrize("size", [4, 5, 8, 13])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", ["cumsum", "cumprod", "recurrence", "logcumsumexp"])
def test_a_long_scan_has_the_gradients_of_finite_differences(name, reverse, size):
    random = np.random.default_rng(size)
    values = random.integers(-1, 2, (size, 2)) if name == "cumprod" else random.standard_normal((size, 2))
    inputs = [mg.tensor(values, dtype=mg.float64, requires_grad=True)]
    if name == "recurrence":
        inputs.append(mg.tensor(random.integers(-1, 2, (size, 2)), dtype=mg.float64, requires_grad=True))
    statics = {"dim": 0} if name == "logcumsumexp" else {"dim": 0, "reverse": reverse}
    for check in (gradcheck, gradgradcheck):
        assert check(lambda *xs: getattr(ops, name)(*xs, **statics), inputs)


@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_the_product_of_many_has_both_derivatives_whatever_the_number_of_zeros(zeros):
    values = np.linspace(0.5, 1.5, 9)
    values[[1, 4, 8][:zeros]] = 0
    x = mg.tensor(values, requires_grad=True)
    for dim in (None, 0, 1, (1, 0)):
        for check in (gradcheck, gradgradcheck):
            assert check(lambda t, dim=dim: ops.prod(t.reshape(3, 3), dim=dim), x)


def test_a_scan_of_nothing_is_nothing():
    empty = mg.zeros(2, 0, requires_grad=True)
    for name in SCANS:
        found = getattr(mg, name)(empty, 1)
        outputs = [found] if isinstance(found, mg.Tensor) else list(found)
        assert [out.shape for out in outputs] == [(2, 0)] * len(outputs)
        (g,) = mg.autograd.grad(outputs[0], empty, mg.zeros(2, 0))
        assert g.shape == (2, 0)


def test_long_sums_of_half_precision_do_not_overflow_on_the_way():
    x = mg.tensor([60000.0, 60000.0, -60000.0, -60000.0], dtype="float16")
    assert mg.cumsum(x, 0)[-1].item() == mg.nansum(x).item() == mg.nanmean(x).item() == 0
    assert mg.prod(mg.tensor([300.0, 300.0, 0.001, 0.1], dtype="float16")).item() == pytest.approx(
        9, rel=1e-2
    )
    assert mg.norm(mg.full((100,), 3000.0, dtype="float16")).item() == 30000
    assert mg.var_mean(mg.full((9000,), 8.0, dtype="float16"))[1].item() == 8


# ------------------------------------------------------------------------------------------------ order


@pytest.mark.parametrize("descending", [False, True])
@given(data=st.data())
def test_a_stable_sort_leaves_equals_in_their_order(descending, data):
    x = drawn(data)
    values, places = mg.sort(mg.tensor(x), 0, descending, stable=True)
    for column, sorted_column, where in zip(x.T, values.array.T, places.array.T, strict=True):
        expected = sorted(range(len(column)), key=lambda i: -column[i] if descending else column[i])
        assert where.tolist() == expected
        assert sorted_column.tolist() == column[expected].tolist()


@given(st.booleans(), st.booleans(), st.data())
def test_the_first_k_are_those_of_a_sort(largest, ordered, data):
    x = mg.tensor(drawn(data))
    k = data.draw(st.integers(0, x.shape[0]))
    values, places = mg.topk(x, k, 0, largest, ordered)
    expected = mg.sort(x, 0, descending=largest).values[:k]
    found = values if ordered else mg.sort(values, 0, descending=largest).values
    assert found.tolist() == expected.tolist()
    assert mg.gather(x, 0, places).tolist() == values.tolist()
    assert [len(set(column)) for column in places.array.T] == [k] * x.shape[1]


@given(st.data())
def test_the_value_of_rank_k_and_the_median_are_those_of_a_sort(data):
    x = mg.tensor(drawn(data))
    k = data.draw(st.integers(1, x.shape[0]))
    ordered = mg.msort(x)
    assert x.kthvalue(k, 0).values.tolist() == ordered[k - 1].tolist()
    assert x.median(0).values.tolist() == ordered[(x.shape[0] - 1) // 2].tolist()
    assert x.median().item() == mg.msort(x.flatten())[(x.numel() - 1) // 2].item()


@given(st.data())
def test_the_mode_is_the_smallest_of_the_most_frequent(data):
    x = drawn(data)
    values, places = mg.mode(mg.tensor(x), 0)
    for column, value, place in zip(x.T, values.tolist(), places.tolist(), strict=True):
        counts = Counter(column.tolist())
        assert value == min(v for v, n in counts.items() if n == max(counts.values()))
        assert place == np.flatnonzero(column == value)[-1]


@pytest.mark.parametrize("skip", [True, False])
@few_examples
@given(data=st.data())
def test_medians_and_quantiles_skip_what_is_not_a_number_or_become_it(skip, data):
    x = drawn(data, DISTINCT)
    lost = data.draw(arrays(x.shape, "bool", Domain(dtype="bool")))
    x[lost] = np.nan
    t = mg.tensor(x)
    median, quantile = (mg.nanmedian, mg.nanquantile) if skip else (mg.median, mg.quantile)
    present = [column[~np.isnan(column)] if skip else column for column in x.T]
    lower = [np.nan if not p.size or np.isnan(p).any() else np.sort(p)[(p.size - 1) // 2] for p in present]
    values, places = median(t, 0)
    assert_close(values.array, lower, 0)
    assert_close(mg.gather(t, 0, places[None])[0].array, lower, 0)
    parts = [0.0, 0.25, 0.6, 1.0]
    expected = [np.quantile(p, parts) if p.size else np.full(4, np.nan) for p in present]
    assert_close(quantile(t, mg.tensor(parts, dtype=mg.float64), 0).array, np.stack(expected, 1), 1e-14)


def test_nan_comes_last_and_descending_first():
    x = mg.tensor([1.0, math.nan, 3.0, -math.inf])
    assert x.argsort().tolist() == [3, 0, 2, 1]
    assert x.argsort(descending=True).tolist() == [1, 2, 0, 3]
    assert x.topk(2).indices.tolist() == [1, 2]
    assert math.isnan(x.kthvalue(4).values.item())


def test_a_tensor_without_dimensions_counts_as_a_vector_of_one():
    x = mg.tensor(3.0, requires_grad=True)
    for found in (x.sort(), x.topk(1), x.kthvalue(1), x.mode(), x.median(0), x.max(0), x.cummax(0)):
        assert (found.values.shape, found.indices.shape, found.indices.item()) == ((), (), 0)
        assert mg.autograd.grad(found.values, x)[0].item() == 1
    for found in (x.cumsum(-1), x.cumprod(0), x.logcumsumexp(0), x.msort(), x.quantile(0.3, 0)):
        assert (found.shape, found.item()) == ((), 3)
    assert x.argsort().item() == 0
    assert x.unique().tolist() == [3.0]


# ------------------------------------------------------------------------------------------------ signatures


def test_several_results_have_names():
    x = mg.tensor([[1.0, 5.0], [4.0, 2.0]])
    assert x.max(1).values.tolist() == [5, 4]
    assert x.aminmax(dim=0).min.tolist() == [1, 2]
    assert x.aminmax().max.item() == 5
    values, indices = x.sort(dim=0, descending=True)
    assert (values.tolist(), indices.tolist()) == ([[4, 5], [1, 2]], [[1, 0], [0, 1]])
    assert mg.max(x, other=mg.tensor(3.0)).tolist() == [[3, 5], [4, 3]]


def test_the_older_forms_of_the_variance_are_understood():
    x = mg.tensor([[1.0, 2.0], [3.0, 6.0]])
    for name in ("var", "std"):
        function = getattr(mg, name)
        biased = function(x, correction=0).item()
        assert function(x, False).item() == function(x, unbiased=False).item() == biased
        assert function(x, 0, False, True).tolist() == function(x, 0, correction=0, keepdim=True).tolist()
        assert [t.tolist() for t in getattr(mg, f"{name}_mean")(x, 0)] == [
            function(x, 0).tolist(),
            x.mean(0).tolist(),
        ]


def test_a_variance_with_too_few_numbers_is_infinite_or_not_a_number():
    assert mg.var(mg.tensor([1.0, 2.0]), correction=2).item() == math.inf
    assert mg.std(mg.tensor([1.0, 2.0]), correction=3).item() == math.inf
    assert math.isnan(mg.std(mg.tensor([1.0, 1.0]), correction=2).item())
    assert math.isnan(mg.var(mg.zeros(0)).item())


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "bool"])
def test_short_integers_are_added_up_in_int64(dtype):
    x = mg.full((300,), 1, dtype=dtype)
    for found in (x.sum(), x.nansum(), x.cumsum(0)[-1], x.count_nonzero()):
        assert (found.dtype, found.item()) == (mg.int64, 300)
    assert (x.prod().dtype, x.cumprod(0).dtype) == (mg.int64, mg.int64)
    assert x.all().dtype == x.any().dtype == ("uint8" if dtype == "uint8" else "bool")


def test_what_differs_is_told_apart_as_pytorch_does():
    x = mg.tensor([2.0, math.nan, 1.0, math.nan, 2.0])
    values, inverse, counts = mg.unique(x, return_inverse=True, return_counts=True)
    assert (inverse.tolist(), counts.tolist()) == ([1, 2, 0, 3, 1], [1, 2, 1, 1])
    assert values[inverse].isnan().tolist() == x.isnan().tolist()
    assert mg.unique_consecutive(mg.zeros(0), True, True, 0)[2].shape == (0,)
    assert mg.unique(mg.zeros(0, 2), dim=0).shape == (0, 2)
    assert not mg.unique(mg.ones(2, requires_grad=True)).requires_grad
