"""Types combine as in PyTorch; a gradient has the type of its leaf; a number is an array of no dimensions."""

import itertools

import numpy as np
import pytest

import minigrad as mg
from leaves import leaf
from minigrad.backend import default_dtype

FLOATING = ["float16", "float32", "float64"]
# Of PyTorch's table for tensors with dimensions, the upper triangle; "u8" is uint8.
TABLE = """
         bool  u8    int8  int16 int32 int64 float16 float32 float64
bool     bool  u8    int8  int16 int32 int64 float16 float32 float64
u8             u8    int16 int16 int32 int64 float16 float32 float64
int8                 int8  int16 int32 int64 float16 float32 float64
int16                      int16 int32 int64 float16 float32 float64
int32                            int32 int64 float16 float32 float64
int64                                  int64 float16 float32 float64
float16                                      float16 float32 float64
float32                                              float32 float64
float64                                                      float64
"""
ROWS = [line.replace("u8", "uint8").split() for line in TABLE.strip().splitlines()]
NAMES = ROWS[0]
PROMOTION = {
    (row[0], other): result
    for number, row in enumerate(ROWS[1:])
    for other, result in zip(NAMES[number:], row[1:], strict=True)
}


@pytest.mark.parametrize(("one", "other"), PROMOTION)
def test_two_tensors_combine_as_in_pytorchs_table(one, other):
    a, b = mg.ones(2, dtype=one), mg.ones(2, dtype=other)
    expected = PROMOTION[one, other]
    assert (a + b).dtype == (b + a).dtype == (a * b).dtype == mg.maximum(b, a).dtype == expected


@pytest.mark.parametrize(("one", "other"), PROMOTION)
def test_a_quotient_is_floating(one, other):
    result = PROMOTION[one, other]
    found = (mg.ones(2, dtype=one) / mg.ones(2, dtype=other)).dtype
    assert found == (result if result in FLOATING else "float32")


@pytest.mark.parametrize(
    ("tensor", "number", "expected"),
    [
        ("bool", True, "bool"),
        ("bool", 2, "int64"),
        ("bool", 2.0, "float32"),
        ("uint8", True, "uint8"),
        ("uint8", 2, "uint8"),
        ("uint8", 2.0, "float32"),
        ("int32", 2, "int32"),
        ("int64", 2.5, "float32"),
        ("float16", 2, "float16"),
        ("float16", 2.5, "float16"),
        ("float32", 2.5, "float32"),
        ("float64", True, "float64"),
        ("float64", 2.5, "float64"),
    ],
)
def test_a_python_number_counts_only_by_its_category(tensor, number, expected):
    x = mg.ones(2, dtype=tensor)
    assert (x + number).dtype == (number + x).dtype == expected
    assert (mg.ones((), dtype=tensor) + number).dtype == expected


@pytest.mark.parametrize(
    ("vector", "scalar", "expected"),
    [
        ("float32", "float64", "float32"),
        ("float16", "float64", "float16"),
        ("int32", "int64", "int32"),
        ("int64", "float64", "float64"),
        ("bool", "int32", "int32"),
        ("uint8", "float16", "float16"),
    ],
)
def test_a_tensor_of_no_dimensions_counts_only_by_its_category(vector, scalar, expected):
    assert (mg.ones(2, dtype=vector) * mg.ones((), dtype=scalar)).dtype == expected
    assert (mg.ones((), dtype=vector) * mg.ones((), dtype=scalar)).dtype == (
        PROMOTION.get((vector, scalar)) or PROMOTION[scalar, vector]
    )


def test_a_scalar_of_numpy_counts_as_a_tensor_of_no_dimensions():
    assert (mg.ones(2) * np.float64(2.0)).dtype == mg.float32
    assert (np.float64(2.0) * mg.ones(2)).dtype == mg.float32
    assert (mg.ones(2, dtype=mg.int64) * np.float64(2.0)).dtype == mg.float64


def test_an_array_of_numpy_counts_as_a_tensor():
    assert (mg.ones(2) * np.ones(2)).dtype == mg.float64
    assert (mg.ones(2) * np.ones(2, "int64")).dtype == mg.float32


def test_comparisons_promote_and_give_bools():
    assert (mg.tensor([1, 2]) < 1.5).tolist() == [True, False]
    assert (mg.tensor([1, 2]) == mg.tensor([1.0, 2.5])).tolist() == [True, False]
    assert (mg.ones(2) >= mg.ones(2)).dtype == mg.bool


def test_where_promotes_its_branches_and_not_its_condition():
    condition = mg.tensor([True, False])
    assert mg.where(condition, mg.ones(2), mg.ones(2, dtype=mg.float64)).dtype == mg.float64
    assert mg.where(condition, mg.tensor([1, 2]), 0).dtype == mg.int64
    assert mg.where(condition, mg.ones(2, dtype=mg.float16), 0.0).dtype == mg.float16


@pytest.mark.parametrize("function", [mg.exp, mg.sqrt, mg.tanh, mg.sigmoid, mg.log1p, mg.sin])
def test_a_floating_function_of_integers_is_of_the_default_type(function):
    assert function(mg.tensor([1, 2])).dtype == mg.float32
    assert function(mg.tensor([True, False])).dtype == mg.float32
    assert function(mg.ones(2, dtype=mg.float16)).dtype == mg.float16


def test_the_default_type_is_that_of_python_floats():
    try:
        mg.set_default_dtype(mg.float64)
        assert mg.tensor(1.5).dtype == mg.zeros(2).dtype == mg.rand(2).dtype == mg.float64
        assert (mg.tensor([1, 2]) / 2).dtype == mg.float64
        assert default_dtype() == mg.float64
    finally:
        mg.set_default_dtype(mg.float32)
    assert mg.tensor(1.5).dtype == mg.float32


def test_the_default_type_must_be_floating():
    with pytest.raises(TypeError, match="expected a floating type, got int64"):
        mg.set_default_dtype(mg.int64)


@pytest.mark.parametrize(("one", "other"), [*itertools.product(FLOATING, FLOATING)])
@pytest.mark.parametrize("create_graph", [False, True])
def test_each_gradient_has_the_type_of_its_leaf(one, other, create_graph):
    a, b = leaf(1.0, 2.0, dtype=one), leaf(3.0, 4.0, dtype=other)
    (a * b + a).sum().backward(create_graph=create_graph)
    assert (a.grad.dtype, b.grad.dtype) == (one, other)
    assert (a.grad.tolist(), b.grad.tolist()) == ([4.0, 5.0], [1.0, 2.0])


def test_a_conversion_is_undone_in_the_gradient():
    x = leaf(1.0, 2.0, dtype=mg.float32)
    (x.double() * mg.tensor([0.1, 0.2], dtype=mg.float64)).sum().backward()
    assert (x.grad.dtype, x.grad.tolist()) == (mg.float32, pytest.approx([0.1, 0.2]))


def test_a_conversion_to_integers_ends_the_graph():
    x = leaf(1.0, 2.0)
    assert not x.long().requires_grad
    assert not (x > 1.5).requires_grad
    assert not x.argmax().requires_grad


def test_a_conversion_to_the_same_type_is_the_tensor_itself():
    x = mg.ones(2)
    assert x.float() is x.to(mg.float32) is x.to("float32") is x


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("double", "float64"), ("float", "float32"), ("half", "float16"), ("long", "int64"), ("int", "int32")],
)
def test_each_type_has_its_method(name, dtype):
    assert getattr(mg.tensor([1.0, 2.0]), name)().dtype == dtype


def test_long_sums_of_halves_are_kept_in_single_precision():
    x = mg.full((10_000,), 0.1, dtype=mg.float16)
    assert x.sum().item() == pytest.approx(1000, rel=1e-3)
    assert x.mean().dtype == mg.float16
    weight = leaf(1.0, dtype=mg.float16)
    (weight * mg.full((4_096,), 1.0, dtype=mg.float16)).sum().backward()
    assert (weight.grad.item(), weight.grad.dtype) == (4096.0, mg.float16)


def test_integers_and_bools_are_summed_in_int64():
    assert mg.tensor([True, True]).sum().dtype == mg.int64
    assert mg.ones(300, dtype=mg.uint8).sum().item() == 300


NUMBERS = {
    "a product": lambda x: x * x,
    "a function": mg.exp,
    "a sum": lambda x: (x * mg.ones(3)).sum(),
    "an element": lambda x: (x * mg.ones(3))[1],
    "an inner product": lambda x: (x * mg.ones(3)) @ mg.ones(3),
    "a maximum": lambda x: mg.amax(x * mg.ones(3)),
    "a mean": lambda x: (x * mg.ones(3)).mean(),
    "a conversion": lambda x: x.double(),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_a_result_of_no_dimensions_is_an_array_and_so_is_its_gradient(name):
    for create_graph in (False, True):
        x = leaf(2.0, dtype=mg.float32)
        y = NUMBERS[name](x)
        y.backward(create_graph=create_graph)
        assert (type(y.array), y.shape) == (np.ndarray, ())
        assert (type(x.grad.array), x.grad.shape) == (np.ndarray, ())


@pytest.mark.parametrize("dtype", ["complex128", "datetime64[s]", "S3", object])
def test_a_type_that_no_tensor_can_have_is_refused(dtype):
    with pytest.raises(TypeError, match=r"cannot be held by a Tensor|expected a number"):
        mg.as_tensor(np.zeros(2, dtype))
    with pytest.raises(TypeError, match="cannot be held by a Tensor"):
        mg.zeros(2, dtype=dtype)


def test_what_is_no_type_is_refused():
    with pytest.raises(TypeError, match=r"expected a dtype such as minigrad\.float32, got 'quick'"):
        mg.zeros(2, dtype="quick")


def test_foreign_byte_order_is_read_as_our_own():
    foreign = np.array([1.0, 2.0], ">f8")
    x = mg.tensor(foreign, requires_grad=True)
    (x * 2.0 + mg.from_numpy(foreign)).sum().backward()
    assert (x.tolist(), x.grad.tolist(), x.dtype) == ([1.0, 2.0], [2.0, 2.0], mg.float64)


@pytest.mark.oracle
def test_pytorch_has_the_same_table():
    import torch

    for (one, other), expected in PROMOTION.items():
        found = torch.promote_types(getattr(torch, one), getattr(torch, other))
        assert str(found) == f"torch.{expected}"
    for vector, scalar in itertools.product(NAMES, NAMES):
        mixed = torch.ones(2, dtype=getattr(torch, vector)) + torch.ones((), dtype=getattr(torch, scalar))
        ours = mg.ones(2, dtype=vector) + mg.ones((), dtype=scalar)
        assert str(mixed.dtype) == f"torch.{ours.dtype}"
    for vector, number in itertools.product(NAMES, (True, 2, 2.5)):
        mixed = torch.ones(2, dtype=getattr(torch, vector)) + number
        assert str(mixed.dtype) == f"torch.{(mg.ones(2, dtype=vector) + number).dtype}"
