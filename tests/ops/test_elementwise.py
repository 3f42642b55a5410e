"""Element by element: operators, second names, writes in place, and where the last digits matter."""

import math
import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.errors import DivisionError, DTypeError, GraphError
from minigrad.testing.card import assert_close, cases, few_examples, gradients
from minigrad.testing.cards import choosing, comparison, elementwise, exponential, rounding, trigonometry

CARDS = [
    card
    for family in (elementwise, rounding, exponential, trigonometry, choosing, comparison)
    for card in family.CARDS
]
IN_PLACE = [card for card in CARDS if callable(getattr(mg.Tensor, f"{card.name}_", None))]


@pytest.mark.parametrize("card", IN_PLACE, ids=str)
@few_examples
@given(data=st.data())
def test_in_place_it_is_the_same_operation(card, data):
    case = data.draw(cases(card))
    if case.arrays[0].shape != np.broadcast_shapes(*[a.shape for a in case.arrays if a is not None]):
        return
    (expected,), tensors = case.run(case.tensors()), case.tensors()
    source = tensors[0] if tensors[0].dtype.kind != "f" else tensors[0] * 1
    made = getattr(source, f"{card.name}_")(*tensors[1:], **case.statics)
    assert made is source
    np.testing.assert_array_equal(made.array, expected.array.astype(made.dtype))
    if expected.requires_grad:
        others = case.tensors()
        found = gradients([made], tensors, [np.ones(made.shape)])
        wanted = gradients(case.run(others), others, [np.ones(made.shape)])
        for g, slope in zip(found, wanted, strict=True):
            assert_close(g.array, slope.array, 1e-13, case)


OPERATORS = {
    "+": (operator.add, operator.iadd),
    "-": (operator.sub, operator.isub),
    "*": (operator.mul, operator.imul),
    "//": (operator.floordiv, operator.ifloordiv),
    "%": (operator.mod, operator.imod),
    "**": (operator.pow, operator.ipow),
    "&": (operator.and_, operator.iand),
    "|": (operator.or_, operator.ior),
    "^": (operator.xor, operator.ixor),
    "<<": (operator.lshift, operator.ilshift),
    ">>": (operator.rshift, operator.irshift),
}


@pytest.mark.parametrize("sign", OPERATORS)
def test_an_operator_of_integers_is_that_of_numpy(sign):
    plain, in_place = OPERATORS[sign]
    a, b = np.array([7, -7, 6, 0]), np.array([2, 3, 1, 5])
    x, y = mg.tensor(a), mg.tensor(b)
    for found, expected in (
        (plain(x, y), plain(a, b)),
        (plain(x, 3), plain(a, 3)),
        (plain(9, y), plain(9, b)),
    ):
        assert found.dtype == "int64"
        np.testing.assert_array_equal(found.array, expected)
    assert in_place(x, y) is x
    np.testing.assert_array_equal(x.array, plain(a, b))


def test_integers_divide_as_in_pytorch():
    x, y = mg.tensor([7, -7, 5]), mg.tensor([2, 2, -3])
    assert (x // y).tolist() == mg.div(x, y, rounding_mode="floor").tolist() == [3, -4, -2]
    assert mg.div(x, y, rounding_mode="trunc").tolist() == [3, -3, -1]
    assert mg.div(x, y).dtype == "float32"
    for divide in (operator.floordiv, operator.mod, mg.fmod):
        with pytest.raises(DivisionError, match="an integer is divided by 0"):
            divide(x, 0)
        assert divide(x, 2.0).dtype == "float32"
    assert (mg.tensor([2.0, -2.0]) // 0).tolist() == [math.inf, -math.inf]
    assert mg.pow(mg.tensor([2, 1, -1, -1, 0]), mg.tensor([-1, -5, -3, -2, -1])).tolist() == [0, 1, -1, 1, 0]


def test_a_shift_out_of_the_number_leaves_nothing_or_the_sign():
    x = mg.tensor([5, -5])
    assert (x << 70).tolist() == [0, 0]
    assert (x >> 70).tolist() == [0, -1]
    assert (x << -1).tolist() == [0, 0]


NAMES = {
    "absolute": "abs", "negative": "neg", "subtract": "sub", "multiply": "mul", "divide": "div",
    "true_divide": "div", "fix": "trunc", "sgn": "sign", "clip": "clamp", "arcsin": "asin", "arccos": "acos",
    "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
    "greater": "gt", "greater_equal": "ge", "less": "lt", "less_equal": "le", "not_equal": "ne",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_second_name_is_the_same_function(name):
    assert getattr(mg, name) is getattr(mg, NAMES[name])
    assert callable(getattr(mg.Tensor, name))
    assert callable(getattr(mg.Tensor, f"{name}_"))


def test_arguments_have_the_names_of_pytorch():
    x, y = mg.tensor([1.0, 5.0]), mg.tensor([3.0, 4.0])
    assert mg.maximum(x, other=y).tolist() == mg.maximum(input=x, other=y).tolist() == [3.0, 5.0]
    assert mg.add(input=x, other=y, alpha=2).tolist() == x.add(other=y, alpha=2).tolist() == [7.0, 13.0]
    assert mg.lerp(x, end=y, weight=0.5).tolist() == x.lerp(y, weight=0.5).tolist() == [2.0, 4.5]
    with pytest.raises(TypeError, match=r"maximum\(\) got an unexpected argument 'others'"):
        mg.maximum(x, others=y)


def test_a_factor_is_applied_in_the_type_of_the_result():
    x, count = mg.zeros(1, dtype="float64"), mg.tensor([2**24 + 1])
    assert mg.add(x, count, alpha=0.5).item() == (2**24 + 1) / 2  # which float32 cannot hold
    assert mg.addcdiv(x, count, mg.tensor([2])).item() == (2**24 + 1) / 2
    assert mg.add(x > 1, x == 0, alpha=2).dtype == "bool"
    assert mg.sub(10, count, alpha=2).item() == 10 - 2 * (2**24 + 1)


def test_a_comparison_in_place_ends_the_history():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    view = y[:1]
    assert y.eq_(4).tolist() == [0.0, 1.0]
    assert view.tolist() == [0.0]
    assert not y.requires_grad
    assert not view.requires_grad
    z = x * 3
    with mg.no_grad():
        z.gt_(4)
    assert z.requires_grad


def test_what_is_no_bool_does_not_fit_into_bools():
    with pytest.raises(DTypeError, match="a result of int64 cannot be stored in a tensor of bool"):
        mg.tensor([True]).add_(1)


def test_a_refusal_is_not_preceded_by_an_error_of_python():
    x, mask = mg.ones(2), mg.ones(2, dtype="bool")
    for call in (lambda: x + "1", lambda: mask - mask, lambda: ~x, lambda: x & x, lambda: x.softmax(3)):
        with pytest.raises((TypeError, IndexError)) as caught:
            call()
        assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_whether_all_is_equal_or_close_is_a_bool_of_python():
    x = mg.tensor([1.0, 2.0])
    assert mg.equal(x, x.clone()) is True
    assert x.equal(x[:1]) is False
    assert mg.equal(x, x.long()) is True
    assert x.allclose(x + 1e-9) is True
    assert mg.allclose(x, x * math.nan) is False
    assert mg.allclose(x * math.nan, x * math.nan, equal_nan=True) is True
    with pytest.raises(GraphError, match="vmap"):
        mg.vmap(lambda row: mg.zeros(2) + mg.equal(row, row))(mg.ones(2, 2))


def test_the_inverse_of_erf_is_exact_to_its_ends():
    for x in (1e-300, 1e-9, 0.3, 1.0, 3.0, 5.0):
        y = mg.tensor(math.erf(x), dtype="float64")
        slope = 2 / math.sqrt(math.pi) * math.exp(-x * x)
        assert mg.erfinv(y).item() == pytest.approx(x, rel=1e-15, abs=2e-16 / slope)
    tail = mg.tensor([2.0**-10, 2.0**-30, 2.0**-53], dtype="float64")
    np.testing.assert_allclose(mg.erfc(mg.erfinv(1 - tail)).array, tail.array, rtol=1e-13)


def test_the_complement_of_erf_keeps_its_digits_where_it_is_small():
    for x in (0.5, 3.0, 10.0, 25.0):
        assert mg.erfc(mg.tensor(x, dtype="float64")).item() == pytest.approx(math.erfc(x), rel=1e-13)


def test_digamma_and_its_derivatives_at_points_where_they_are_known():
    gamma, zeta3 = 0.5772156649015329, 1.2020569031595942
    found = mg.digamma(mg.tensor([1.0, 0.5, -0.5], dtype="float64"))
    expected = [-gamma, -gamma - 2 * math.log(2), 2 - gamma - 2 * math.log(2)]
    np.testing.assert_allclose(found.array, expected, rtol=1e-14, atol=1e-15)
    x = mg.tensor([1.0, 0.5], dtype="float64")
    np.testing.assert_allclose(x.polygamma(1).array, [math.pi**2 / 6, math.pi**2 / 2], rtol=1e-14)
    np.testing.assert_allclose(x.polygamma(2).array, [-2 * zeta3, -14 * zeta3], rtol=1e-14)
    np.testing.assert_allclose(x.polygamma(3).array, [math.pi**4 / 15, math.pi**4], rtol=1e-14)


def test_the_slope_of_sinc_keeps_its_digits_near_zero():
    x = mg.tensor([1e-6, 1e-3], dtype="float64", requires_grad=True)
    mg.sinc(x).sum().backward()
    z = math.pi * np.array([1e-6, 1e-3])
    np.testing.assert_allclose(x.grad.array, -math.pi * (z / 3 - z**3 / 30), rtol=1e-12)
