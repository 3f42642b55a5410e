"""The value of every operation is NumPy's, for every type, shape and layout; and nothing else is touched."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.testing.card import assert_close, cases, cases_by_type, cotangents, few_examples, gradients
from minigrad.testing.cards import CARDS
from minigrad.testing.strategies import LAYOUTS, repeated

# As in minigrad itself: PyTorch is silent where a logarithm of 0 is -inf, and so are we.
pytestmark = pytest.mark.filterwarnings(r"ignore::RuntimeWarning:minigrad\..*")

each_card = pytest.mark.parametrize("card", CARDS, ids=str)
RELAID = [card for card in CARDS if card.name not in ("view", "view_as")]  # which may refuse a layout
in_any_layout = pytest.mark.parametrize("card", RELAID, ids=str)


def relaid(case, layouts):
    """The inputs as Tensors on arrays that lie in memory as the layouts say."""
    return [
        a if a is None else mg.Tensor(LAYOUTS[layout](a), requires_grad=i in case.differentiable)
        for i, (a, layout) in enumerate(zip(case.arrays, layouts, strict=True))
    ]


@each_card
@given(data=st.data())
def test_the_value_is_that_of_numpy(card, data):
    for dtype, case in data.draw(cases_by_type(card)).items():
        outputs, expected = case.run(case.tensors(())), case.expected()
        kinds = card.result_dtypes(dtype)
        kinds = kinds * len(outputs) if len(kinds) == 1 else kinds
        assert len(outputs) == len(expected)
        for output, value, kind in zip(outputs, expected, kinds, strict=True):
            assert type(output) is mg.Tensor
            assert output.dtype.name == kind, case
            if output.dtype.kind == "f":
                coarser = dtype if np.dtype(dtype).kind == "f" else kind
                assert_close(output.array, value, card.within("value", coarser), case)
            else:
                np.testing.assert_array_equal(output.array, value, str(case))


@in_any_layout
@few_examples
@given(data=st.data())
def test_the_layout_in_memory_changes_neither_value_nor_gradient(card, data):
    case = data.draw(cases(card))
    layouts = [data.draw(st.sampled_from(list(LAYOUTS))) for _ in case.arrays]
    plain, strange = case.tensors(), relaid(case, layouts)
    outputs, others = case.run(plain), case.run(strange)
    for output, other in zip(outputs, others, strict=True):
        assert_close(other.array, output.array, 1e-13, case)
    if card.differentiable:
        weights = cotangents(outputs)
        found, expected = gradients(others, strange, weights), gradients(outputs, plain, weights)
        for g, other in zip(found, expected, strict=True):
            assert_close(g.array, other.array, 1e-13, case)


@pytest.mark.parametrize("card", [card for card in RELAID if not card.domain(0).diagonal], ids=str)
@few_examples
@given(data=st.data())
def test_a_row_seen_again_and_again_is_as_good_as_copies(card, data):
    case = data.draw(cases(card))
    views = [a if a is None else mg.Tensor(repeated(a)) for a in case.arrays]
    copies = [a if a is None else mg.Tensor(repeated(a).copy()) for a in case.arrays]
    for output, other in zip(case.run(views), case.run(copies), strict=True):
        assert_close(output.array, other.array, 1e-13, case)


@each_card
@few_examples
@given(data=st.data())
def test_inputs_are_not_changed_and_outputs_have_memory_of_their_own(card, data):
    case = data.draw(cases(card))
    tensors = case.tensors()
    outputs = case.run(tensors)
    if card.differentiable:
        weights = [mg.tensor(w) for w in cotangents(outputs)]
        before = [w.array.copy() for w in weights]
        found = gradients(outputs, tensors, weights)
        for weight, copy in zip(weights, before, strict=True):
            np.testing.assert_array_equal(weight.array, copy)
        assert len(found) == len(case.differentiable)
    given_inputs = [t for t in tensors if t is not None]
    for tensor, array in zip(tensors, case.arrays, strict=True):
        assert tensor is None or np.array_equal(tensor.array, array, equal_nan=array.dtype.kind == "f")
        assert tensor is None or tensor.version[0] == 0
    if not card.view:
        for output in outputs:
            assert not any(np.shares_memory(output.array, tensor.array) for tensor in given_inputs)


@pytest.mark.parametrize("card", [card for card in CARDS if card.view], ids=str)
@few_examples
@given(data=st.data())
def test_an_output_that_shares_memory_shares_the_version(card, data):
    case = data.draw(cases(card))
    tensors = case.tensors(())
    for output in case.run(tensors):
        if card.name != "move" and np.shares_memory(output.array, tensors[0].array):
            assert output.version is tensors[0].version


def test_zero_dimensional_results_are_arrays():
    x = mg.tensor(2.0)
    vector = mg.ones(3)
    for result in (x * x, x + 1, mg.exp(x), x.sum(), vector.sum(), vector[0], vector @ vector):
        assert type(result.array) is np.ndarray
        assert result.shape == ()
