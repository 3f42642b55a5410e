"""What many numbers make of one place: exact on a GPU, or in deterministic mode in the CPU's order."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import library_of, to_numpy
from minigrad.nn import functional as F

NUMBERS = [0, 2, 0, 2, 2, 1]


@pytest.fixture
def deterministic():
    mg.use_deterministic_algorithms(True)
    yield
    mg.use_deterministic_algorithms(False)


@pytest.mark.parametrize("reduce", ["amax", "amin"])
@pytest.mark.parametrize("include_self", [True, False])
def test_the_extremes_of_what_is_sent_to_a_place_are_exact(reduce, include_self, device, dtype):
    own = mg.tensor([1.0, -1.0, np.inf, 4.0], dtype=dtype)
    tiny = mg.finfo(dtype).eps
    sent = mg.tensor([1 + 2 * tiny, -1 - tiny, 1 - tiny, -0.0, 5e-320, -np.inf], dtype=dtype)
    index = mg.tensor(NUMBERS)
    for source in (sent, sent + mg.tensor([0, np.nan, 0, 0, 0, 0], dtype=dtype)):
        expected = own.scatter_reduce(0, index, source, reduce, include_self=include_self)
        found = own.to(device).scatter_reduce(
            0, index.to(device), source.to(device), reduce, include_self=include_self
        )
        np.testing.assert_array_equal(to_numpy(found.array), expected.array)


@pytest.mark.parametrize("minlength", [0, 5])
def test_weights_are_summed_in_the_order_of_the_cpu(minlength, device, deterministic, dtype, monkeypatch):
    monkeypatch.delitem(library_of(device).kernels, "scatter_add")  # which adds in any order
    random = np.random.default_rng(0)
    numbers, weights = mg.tensor(random.integers(0, 3, 50)), mg.tensor(random.normal(size=50), dtype=dtype)
    expected = mg.bincount(numbers, weights, minlength)
    found = mg.bincount(numbers.to(device), weights.to(device), minlength)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(to_numpy(found.array), expected.array)


def test_no_weights_at_all_are_summed(device):
    nothing = mg.zeros(0, device=device)
    assert mg.bincount(nothing.long(), nothing, 2).tolist() == [0.0, 0.0]


SUMS = {
    "x[i]": lambda x, i: x[i],
    "embedding": lambda x, i: F.embedding(i, x),
    "gather": lambda x, i: x.gather(0, i.unsqueeze(1).expand(-1, x.shape[1])),
    "index_add": lambda x, i: mg.zeros_like(x).index_add(0, i, x[:1].expand(len(i), -1)),
    "scatter_add": lambda x, i: mg.zeros_like(x[:, 0]).scatter_add(0, i, x.reshape(-1)[: len(i)]),
    "scatter_reduce": lambda x, i: mg.ones_like(x[:, 0]).scatter_reduce(
        0, i, x.reshape(-1)[: len(i)], "mean"
    ),
}


@pytest.mark.parametrize("name", SUMS)
def test_nothing_is_added_in_any_order(name, device, deterministic, monkeypatch):
    monkeypatch.delitem(library_of(device).kernels, "scatter_add")
    values, found = np.random.default_rng(1).standard_normal((3, 5)), []
    for place in ("cpu", device):
        x = mg.tensor(values, device=place, requires_grad=True)
        y = SUMS[name](x, mg.tensor(NUMBERS, device=place))
        (y * y).sum().backward()
        found.append([to_numpy(y.array), to_numpy(x.grad.array)])
    for here, there in zip(*found, strict=True):
        np.testing.assert_array_equal(there, here)
