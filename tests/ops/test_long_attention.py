"""Attention in blocks of queries: the same numbers, and memory that grows with the length, not its square."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.kernels import attention as kernel
from minigrad.testing.card import assert_close, cases_by_type, cotangents, gradients
from minigrad.testing.cards.neural import CARDS

ATTENTION = [card for card in CARDS if card.name.startswith("scaled_dot_product_attention")]


@pytest.mark.parametrize("card", ATTENTION, ids=str)
@given(data=st.data(), most=st.integers(0, 6))
def test_in_blocks_the_numbers_are_the_same(card, data, most):
    case = data.draw(cases_by_type(card))["float64"]
    whole, parts = case.tensors(), case.tensors()
    outputs = case.run(whole)
    weights = cotangents(outputs)
    expected = gradients(outputs, whole, weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "MOST", most)
        patch.setattr(kernel, "BLOCK", most)
        found = case.run(parts)
        given = gradients(found, parts, weights)
    assert_close(found[0].array, outputs[0].array, 1e-12, case)
    for g, wanted in zip(given, expected, strict=True):
        assert_close(g.array, wanted.array, 1e-12, case)


def test_blocks_are_as_large_as_they_may_be():
    query, key = np.empty((2, 5, 8000, 4)), np.empty((5, 6000, 4))
    parts = kernel.blocks_of_queries(query, key, key, None, None)
    assert parts[0] == slice(0, kernel.BLOCK // (2 * 5 * 6000))
    assert [parts[0].start, parts[-1].stop >= 8000] == [0, True]
    assert all(one.stop == other.start for one, other in pairwise(parts))
    assert kernel.blocks_of_queries(query[:, :, :100], key[:, :100], key, None, None) == [slice(None)]


LONG = """
import minigrad as mg
attention = mg.nn.MultiheadAttention(32, 2, batch_first=True)
x = mg.randn(1, 8192, 32, requires_grad=True)
y, _ = attention(x, x, x, need_weights=False)
y.sum().backward()
assert abs(x.grad).max().item() > 0
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc/self/status is Linux's")
def test_8192_positions_take_less_memory_than_their_weights_would():
    child = subprocess.run([sys.executable, "-c", LONG], capture_output=True, text=True, check=True)
    assert (
        int(child.stdout) < 300_000
    )  # 128 MB of weights would be kept for each head, and five times that used
