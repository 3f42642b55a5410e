"""The gradient of every operation: by finite differences, first and second; and the same from every side."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.gradcheck import gradcheck, gradgradcheck
from minigrad.testing.card import (
    Case,
    assert_close,
    cases,
    cases_by_type,
    cotangents,
    few_examples,
    floating,
    gradients,
    listed,
)
from minigrad.testing.cards import CARDS
from minigrad.testing.strategies import broadcastable, grown, seeds

# As in minigrad itself: PyTorch is silent where a logarithm of 0 is -inf, and so are we.
pytestmark = pytest.mark.filterwarnings(r"ignore::RuntimeWarning:minigrad\..*")

DIFFERENTIABLE = [card for card in CARDS if card.differentiable]
each_card = pytest.mark.parametrize("card", DIFFERENTIABLE, ids=str)


@each_card
@given(data=st.data())
def test_the_first_derivative_is_that_of_finite_differences(card, data):
    case = data.draw(cases(card))
    atol, rtol = card.within("first", "float64"), card.within("first, relative", "float64")
    assert gradcheck(case.function, case.tensors(), atol=atol, rtol=rtol)


@pytest.mark.parametrize("card", [card for card in DIFFERENTIABLE if card.second], ids=str)
@given(data=st.data())
def test_the_second_derivative_is_that_of_finite_differences(card, data):
    case = data.draw(cases(card))
    tolerance = card.within("second", "float64")
    assert gradgradcheck(case.function, case.tensors(), atol=tolerance, rtol=tolerance)


@each_card
@given(data=st.data())
def test_the_gradient_of_some_inputs_is_that_of_all(card, data):
    case = data.draw(cases(card))
    chosen = data.draw(st.sets(st.sampled_from(case.differentiable), min_size=1))
    everything, some = case.tensors(), case.tensors(chosen)
    outputs = case.run(everything)
    weights = cotangents(outputs)
    full = dict(zip(case.differentiable, gradients(outputs, everything, weights), strict=True))
    for i, g in zip(sorted(chosen), gradients(case.run(some), some, weights), strict=True):
        assert_close(g.array, full[i].array, 1e-13, case)
        assert (g.shape, g.dtype) == (case.arrays[i].shape, case.arrays[i].dtype)


@each_card
@few_examples
@given(data=st.data())
def test_the_gradient_is_linear_in_that_of_the_output(card, data):
    case = data.draw(cases(card))
    tensors = case.tensors()
    outputs = case.run(tensors)
    first, second = cotangents(outputs, seed=1), cotangents(outputs, seed=2)
    mixed = [2 * u - 3 * v for u, v in zip(first, second, strict=True)]
    nothing = [0 * u for u in first]
    found = [gradients(outputs, tensors, w, retain_graph=True) for w in (first, second, mixed, nothing)]
    for u, v, both, none in zip(*found, strict=True):
        assert_close(both.array, 2 * u.array - 3 * v.array, 1e-12, case)
        assert not none.array.any()


@pytest.mark.parametrize("card", [card for card in DIFFERENTIABLE if isinstance(card.result, tuple)], ids=str)
@few_examples
@given(data=st.data())
def test_an_output_that_is_not_used_counts_as_zero(card, data):
    case = data.draw(cases(card))
    tensors = case.tensors()
    used = data.draw(st.integers(0, len(floating(case.run(tensors))) - 1))
    outputs = floating(case.run(tensors))
    weights = cotangents(outputs)
    alone = gradients([outputs[used]], tensors, [weights[used]], retain_graph=True)
    padded = gradients(outputs, tensors, [w * (i == used) for i, w in enumerate(weights)])
    for g, other in zip(alone, padded, strict=True):
        assert_close(g.array, other.array, 1e-13, case)


@each_card
@given(data=st.data())
def test_shorter_types_agree_with_float64(card, data):
    for dtype, case in data.draw(cases_by_type(card)).items():
        if dtype in ("float32", "float16"):
            short, long = case.tensors(), case.tensors(dtype="float64")
            outputs, expected = case.run(short), case.run(long)
            weights = [w.astype("float16") for w in cotangents(expected)]  # exact in each type
            for output, value in zip(floating(outputs), floating(expected), strict=True):
                assert_close(output.array, value.array, card.within("value", dtype), case)
            rounded = [w.astype(out.dtype) for w, out in zip(weights, floating(outputs), strict=True)]
            found = gradients(outputs, short, rounded)
            wanted = gradients(expected, long, [w.astype("float64") for w in weights])
            for g, value in zip(found, wanted, strict=True):
                assert g.dtype == dtype, case
                assert_close(g.array, value.array, card.within("value", dtype), case)


@pytest.mark.parametrize("card", [card for card in DIFFERENTIABLE if card.broadcasts], ids=str)
@given(data=st.data())
def test_the_gradient_of_what_was_broadcast_is_summed_over_the_copies(card, data):
    (_, statics) = data.draw(card.signature)
    count = len(data.draw(card.signature)[0])
    shapes = data.draw(broadcastable(count, max_dims=5))
    whole = np.broadcast_shapes(*shapes)
    arrays = [grown(data.draw(seeds(s)), s, "float64", card.domain(i)) for i, s in enumerate(shapes)]
    small = Case(card, tuple(arrays), statics)
    large = Case(card, tuple(np.broadcast_to(a, whole) for a in arrays), statics)
    found, expected = small.tensors(), large.tensors()
    outputs, others = small.run(found), large.run(expected)
    assert_close(outputs[0].array, others[0].array, 1e-15, small)
    weights = cotangents(others)
    pairs = zip(gradients(outputs, found, weights), gradients(others, expected, weights), strict=True)
    for i, (g, copies) in zip(small.differentiable, pairs, strict=True):
        shape = shapes[i]
        padded = (1,) * (len(whole) - len(shape)) + shape
        stretched = tuple(d for d, size in enumerate(padded) if size == 1)
        assert_close(g.array, copies.array.sum(axis=stretched, keepdims=True).reshape(shape), 1e-12, small)


SAME_TWICE = {
    **{name: getattr(mg, name) for name in ("add", "sub", "mul", "div", "matmul", "pow")},
    **{name: getattr(mg, name) for name in ("maximum", "minimum")},
    "where": lambda x, y: mg.where(mg.tensor([[True, False], [False, True]]), x, y),
    "cat": lambda x, y: mg.cat([x, y, x]),
    "stack": lambda x, y: mg.stack([x, y], 1),
    "linear": mg.nn.functional.linear,
    "attention": lambda x, y: mg.nn.functional.scaled_dot_product_attention(x, y, x),
    "layer_norm": lambda x, y: mg.nn.functional.layer_norm(x, (2,), y[0], x[1]),
    "lstm_cell": lambda x, y: mg.ops.lstm_cell(x, y, x, *[mg.cat([x, y, x, y])] * 2),
    "a view of itself": lambda x, y: x * y.T + x[:, [0, 0]] * y[0] + x.reshape(4)[:2],
    "split": lambda x, y: mg.matmul(*(mg.split(x, 1) + mg.split(y, 1, dim=1))[1:3]),
}


@pytest.mark.parametrize("op", SAME_TWICE.values(), ids=SAME_TWICE)
@few_examples
@given(data=st.data())
def test_one_tensor_may_be_passed_twice(op, data):
    values = grown(data.draw(seeds((2, 2))), (2, 2)) + np.array([[3.5, 4.0], [4.5, 5.0]])  # positive: for pow
    x, y = mg.tensor(values, requires_grad=True), mg.tensor(values, requires_grad=True)
    other = mg.tensor(values, requires_grad=True)
    outputs = listed(op(x, x))
    weights = cotangents(outputs)
    (both,) = gradients(outputs, [x], weights)
    first, second = gradients(listed(op(y, other)), [y, other], weights)
    assert_close(both.array, first.array + second.array, 1e-12)
