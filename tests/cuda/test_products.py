"""Products of matrices by flags and strides alone: right for every layout, copies only where due."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fakecupy
import minigrad as mg
from minigrad.kernels.cupy_gemm import AS_IT_IS, TRANSPOSED, Layout, batch_stride, folded, layout, multiplier

SIZES = st.integers(1, 4)


@pytest.fixture(scope="module", autouse=True)
def library():
    with fakecupy.installed() as found:
        yield found


@st.composite
def matrices(draw, shape, dtype):
    """An array of a shape, in memory as it may lie: permuted, stepped over, turned round, repeated."""
    order = draw(st.permutations(range(len(shape))))
    steps = draw(st.lists(st.sampled_from([1, 1, 1, 2, -1]), min_size=len(shape), max_size=len(shape)))
    stored = [shape[d] * abs(steps[d]) for d in order]
    numbers = np.random.default_rng(draw(st.integers(0, 99))).normal(size=stored).astype(dtype)
    x = numbers.transpose(np.argsort(order))[tuple(slice(None, None, step) for step in steps)]
    repeated = draw(st.sampled_from([None, *range(len(shape))]))
    return x if repeated is None else np.broadcast_to(x.take([0], axis=repeated), shape)


@st.composite
def factors(draw):
    """Two arrays whose matrix product exists: vectors, matrices and batches that broadcast."""
    M, K, N = (draw(SIZES) for _ in range(3))
    batch = draw(st.lists(SIZES, max_size=3))
    dtype = draw(st.sampled_from(["float32", "float64", "float16"]))
    shapes = []
    for ends in ((M, K), (K, N)):
        own = [size if draw(st.booleans()) else 1 for size in batch]
        own = own[draw(st.integers(0, len(own))) :]
        shapes.append((*own, *ends))
    if draw(st.integers(0, 5)) == 0:
        shapes[0] = (K,)
    if draw(st.integers(0, 5)) == 0:
        shapes[1] = (K,)
    return [draw(matrices(shape, dtype)) for shape in shapes]


@given(factors())
def test_a_product_is_numpys_however_its_operands_lie(operands):
    a, b = operands
    wide = np.promote_types(a.dtype, "float32")
    expected = np.matmul(a.astype(wide), b.astype(wide))
    found = multiplier(fakecupy.cupy)(fakecupy.FakeArray(a), fakecupy.FakeArray(b))
    assert (found.shape, found.dtype) == (expected.shape, a.dtype)
    np.testing.assert_allclose(found.get(), expected, rtol=1e-2 if a.itemsize == 2 else 1e-5, atol=1e-2)


@given(factors(), st.booleans())
def test_a_product_is_written_where_it_is_wanted(operands, turned):
    a, b = operands
    expected = np.matmul(a, b)
    memory = np.zeros(expected.shape[::-1], a.dtype).T if turned else np.zeros(expected.shape, a.dtype)
    out = fakecupy.FakeArray(memory)
    assert multiplier(fakecupy.cupy)(fakecupy.FakeArray(a), fakecupy.FakeArray(b), out=out) is out
    np.testing.assert_allclose(memory, expected, rtol=1e-2 if a.itemsize == 2 else 1e-5, atol=1e-2)


def test_a_transposed_operand_is_a_flag_and_not_a_copy():
    assert layout((2, 3, 4), (12, 4, 1)) == Layout(AS_IT_IS, 4, 12)
    assert layout((2, 4, 3), (12, 1, 4)) == Layout(TRANSPOSED, 4, 12)
    assert layout((5, 3, 4), (0, 4, 1)) == Layout(AS_IT_IS, 4, 0)  # one matrix, five times
    assert layout((3, 4), (8, 2)) is None  # every other number
    assert layout((3, 4), (0, 1)) is None  # one row, three times


def test_leading_dimensions_become_rows_where_they_follow_each_other():
    assert folded((2, 3, 4), (12, 4, 1)) == (6, 4)
    assert folded((2, 3, 4), (4, 8, 1)) is None  # batch and time exchanged
    assert batch_stride((2, 1, 3), (6, 99, 2)) == 2
    assert batch_stride((), ()) == 0


@pytest.mark.parametrize(
    ("a", "b"),
    [((2, 5, 3), (3, 4)), ((2, 2, 5, 3), (2, 2, 3, 4)), ((5, 3), (2, 3, 4)), ((3,), (3, 4))],
    ids=str,
)
def test_a_product_is_one_call_of_cublas(a, b):
    fakecupy.CALLS.clear()
    multiplier(fakecupy.cupy)(fakecupy.FakeArray(np.ones(a)), fakecupy.FakeArray(np.ones(b)))
    assert fakecupy.CALLS == ["gemm"]


def test_operands_that_do_not_fit_are_refused_in_our_words():
    a, b = (mg.tensor(fakecupy.FakeArray(np.ones(shape))) for shape in ((2, 3), (4, 2)))
    with pytest.raises(mg.errors.ShapeError, match=r"matmul\(\): shapes \(2, 3\) and \(4, 2\)"):
        a @ b


def test_without_the_binding_it_is_cupys_own(monkeypatch):
    monkeypatch.delattr(fakecupy.libs.cublas, "gemmStridedBatchedEx")
    fakecupy.CALLS.clear()
    ones = [fakecupy.FakeArray(np.ones(shape)) for shape in ((2, 3), 3)]
    assert multiplier(fakecupy.cupy)(*ones).tolist() == [3.0, 3.0]
    assert fakecupy.CALLS == []


def test_a_cublas_that_cannot_be_loaded_is_not_taken_for_one_without_the_binding():
    with fakecupy.without("cublas"), pytest.raises(ImportError, match=r"libcublas\.so"):
        multiplier(fakecupy.cupy)


def test_tf32_is_a_switch_that_is_off_as_in_pytorch(monkeypatch):
    seen = []
    monkeypatch.setattr(
        fakecupy.libs.cublas, "gemmStridedBatchedEx", lambda *numbers: seen.append(numbers[-2])
    )
    matmul = multiplier(fakecupy.cupy)
    ones = fakecupy.FakeArray(np.ones((2, 2), "float32"))
    matmul(ones, ones)
    mg.backends.cuda.matmul.allow_tf32 = True
    try:
        matmul(ones, ones)
        assert mg.get_float32_matmul_precision() == "high"
    finally:
        mg.set_float32_matmul_precision("highest")
    matmul(ones, ones)
    assert seen == [68, 77, 68]
    with pytest.raises(TypeError, match="expected True or False"):
        mg.backends.cuda.matmul.allow_tf32 = 1
    with pytest.raises(ValueError, match="'fast', expected one of"):
        mg.set_float32_matmul_precision("fast")
