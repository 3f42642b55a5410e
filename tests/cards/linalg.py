"""The cards of minigrad/ops/linalg.py: products of matrices."""

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from cards.card import NUMBERS, Card, Refusal
from minigrad import ops
from minigrad.errors import ShapeError
from signatures import linear_layers, products
from strategies import shapes

CARDS = [
    Card(
        "matmul", ops.matmul, products(), np.matmul, "matmul", dtypes=NUMBERS,
        errors=[
            Refusal(
                lambda: mg.zeros(2, 3) @ mg.zeros(4, 5), ShapeError,
                "matmul(): shapes (2, 3) and (4, 5): inner sizes 3 and 4 differ",
            ),
            Refusal(lambda: mg.zeros(2, 3) @ mg.zeros(2), ShapeError, "inner sizes 3 and 2 differ"),
            Refusal(lambda: mg.zeros(2) @ mg.tensor(1.0), ShapeError, "use * for scalars"),
            Refusal(lambda: mg.zeros(2, 2, 3) @ mg.zeros(3, 3, 1), ShapeError, "at dimension 0 (2 vs 3)"),
            Refusal(lambda: mg.zeros(2) @ "a", TypeError, "got str"),
        ],
    ),
    Card(
        "dot", ops.dot, st.tuples(shapes(1, 1).map(lambda shape: (shape, shape)), st.just({})), np.dot, "dot",
        dtypes=NUMBERS,
        errors=[Refusal(lambda: mg.dot(mg.zeros(2), mg.zeros(3)), ShapeError, "got shapes (2,) and (3,)")],
    ),
    Card(
        "linear", ops.linear, linear_layers(),
        lambda x, weight, bias: x @ weight.T + (0 if bias is None else bias), "linear",
        errors=[
            Refusal(lambda: ops.linear(mg.zeros(2, 3), mg.zeros(4, 5)), ShapeError, "(2, 3), weight (4, 5)")
        ],
    ),
]  # fmt: skip
