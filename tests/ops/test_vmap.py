"""vmap of every operation is the operation on one example after the other; one without a rule is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.batching import RULES
from minigrad.testing.card import assert_close, examples, few_examples, listed
from minigrad.testing.cards import CARDS

COUNT = 3
OF_PYTHON = ("equal of all", "allclose")  # the function under test answers with a bool of Python's
IN_PLACE = ("cross_entropy, mean of what counts",)  # the function under test writes in place


LOOKING = (  # at the numbers of an index, or at a mask, which must therefore be the same for all examples
    *("index_select", "take", "masked_select", "scatter multiplying", "scatter_reduce prod", "index_add"),
    *("index_copy", "index_fill", "index_reduce", "put", "masked_scatter"),
)


def lacks_a_rule(card):
    """Is it an operation of no family, and without a definition?"""
    op = card.primitive
    return op is not None and op.family not in RULES and op.definition is None


WITH_RULE = [card for card in CARDS if not lacks_a_rule(card) and card.name not in (*IN_PLACE, *OF_PYTHON)]
WITHOUT_RULE = [card for card in CARDS if lacks_a_rule(card)]


def alone(cases):
    """The outputs of each example by itself, side by side."""
    outputs = [case.run([a if a is None else mg.tensor(a) for a in case.arrays]) for case in cases]
    return [np.stack([out.array for out in column]) for column in zip(*outputs, strict=True)]


def together(card, cases, mapped):
    """The outputs of one call for all examples; the inputs not in `mapped` are those of the first."""
    columns = list(zip(*[case.arrays for case in cases], strict=True))
    present = [i for i, column in enumerate(columns) if column[0] is not None]
    tensors = [mg.tensor(np.stack(columns[i]) if i in mapped else columns[i][0]) for i in present]

    def call(*given):
        inputs = [None] * len(columns)
        for i, tensor in zip(present, given, strict=True):
            inputs[i] = tensor
        return tuple(listed(card.op(*inputs, **cases[0].statics)))

    in_dims = tuple(0 if i in mapped else None for i in present)
    return mg.vmap(call, in_dims)(*tensors)


@pytest.mark.parametrize("card", WITH_RULE, ids=str)
@few_examples
@given(data=st.data())
def test_all_examples_at_once_are_each_by_itself(card, data):
    cases = data.draw(examples(card, COUNT))
    present = [i for i, a in enumerate(cases[0].arrays) if a is not None]
    present = cases[0].differentiable if card.name in LOOKING else present
    mapped = data.draw(st.sets(st.sampled_from(present), min_size=1))
    cases = [
        replace(
            case, arrays=tuple(a if i in mapped else cases[0].arrays[i] for i, a in enumerate(case.arrays))
        )
        for case in cases
    ]
    for found, expected in zip(together(card, cases, mapped), alone(cases), strict=True):
        assert found.dtype == expected.dtype
        assert_close(found.array, expected, 1e-10, cases)


@pytest.mark.parametrize("card", [card for card in CARDS if card.name in LOOKING], ids=str)
@few_examples
@given(data=st.data())
def test_a_function_that_looks_at_an_index_or_a_mask_refuses_one_for_each_example(card, data):
    cases = data.draw(examples(card, COUNT))
    with pytest.raises(TypeError, match="vmap: "):
        together(card, cases, set(range(len(cases[0].arrays))) - set(cases[0].differentiable))


@pytest.mark.parametrize("card", WITHOUT_RULE, ids=str)
@few_examples
@given(data=st.data())
def test_an_operation_without_a_rule_is_refused_by_name(card, data):
    cases = data.draw(examples(card, COUNT))
    mapped = {i for i, a in enumerate(cases[0].arrays) if a is not None}
    with pytest.raises(NotImplementedError, match=f"vmap: the operation {card.primitive.name} belongs to no"):
        together(card, cases, mapped)
