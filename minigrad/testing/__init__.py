"""Property tests of operations: what Hypothesis draws, what must hold, and a declaration of each operation.

Whoever writes an operation tests it in three lines:

    from minigrad.testing import POSITIVE, REAL, check_gradients

    def test_my_operation():
        check_gradients(my_operation, REAL, POSITIVE)

Shapes that broadcast together and numbers of these domains are drawn; first and second derivatives must be
those of finite differences.  The parts:

strategies.py     shapes, broadcastable shapes, arrays away from kinks, memory layouts, dims, indices
signatures/       what may be passed to an operation: the shapes of its inputs, its static arguments
card.py           one declaration per operation, and the cases drawn from it
cards/            the declarations of all operations of this library
checks.py         check_gradients and check_values; `report`, which `minigrad gradcheck` prints
programs.py       programs of many operations, drawn at random
forward_mode.py   numbers that carry their derivative: an engine to compare with

Needs Hypothesis: pip install "minigrad[test]".
"""

from . import cards as cards
from .card import Card, Case, Kink, Refusal, cases, examples
from .checks import check_gradients, check_values
from .programs import Program, programs
from .signatures.elementwise import elementwise, reduction, unary
from .strategies import (
    DISTINCT,
    MASK,
    NONZERO,
    POSITIVE,
    REAL,
    Domain,
    arrays,
    basic_indices,
    broadcastable,
    dims,
    indices,
    reduced,
    shapes,
)

__all__ = [
    "DISTINCT", "MASK", "NONZERO", "POSITIVE", "REAL", "Card", "Case", "Domain", "Kink", "Program", "Refusal",
    "arrays", "basic_indices", "broadcastable", "cases", "check_gradients", "check_values", "dims",
    "elementwise", "examples", "indices", "programs", "reduced", "reduction", "shapes", "unary",
]  # fmt: skip
