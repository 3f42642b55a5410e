"""The cards of minigrad/ops/linalg.py, and the functions that are products of vectors and matrices."""

import functools

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.errors import ShapeError
from minigrad.testing.card import FLOATS, NUMBERS, Card, Kink, Refusal
from minigrad.testing.signatures import (
    added,
    chains,
    contractions,
    crossed,
    dotted,
    elementwise,
    linear_layers,
    of_sizes,
    pairs_along,
    products,
)

from .elementwise import zeros

NAN = float("nan")
FACTORS = {"beta": st.sampled_from((1, 0.5)), "alpha": st.sampled_from((1, 2.0))}


def inner(a, b):
    return a * b if a.ndim == 0 or b.ndim == 0 else np.inner(a, b)


def plus(product):
    """β input + α product."""
    return lambda x, a, b, beta, alpha: beta * x + alpha * product(a, b)


def cross(a, b, dim):
    """Element by element."""
    (a1, a2, a3), (b1, b2, b3) = np.moveaxis(a, dim, 0), np.moveaxis(b, dim, 0)
    return np.stack([a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, a1 * b2 - a2 * b1], dim)


def chain(*matrices):
    return functools.reduce(np.matmul, matrices)


PRODUCTS = [
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
        "mm", mg.mm, of_sizes("nm", "mp"), np.matmul, "mm", dtypes=NUMBERS,
        errors=[
            Refusal(lambda: mg.mm(zeros(2, 3), zeros(3)), ShapeError, "mm(): got (2, 3) and (3,), expected two matrices"),
            Refusal(lambda: mg.mm(zeros(2, 3), zeros(2, 3)), ShapeError, "inner sizes 3 and 2 differ"),
            Refusal(lambda: mg.mm([1.0], zeros(2, 3)), TypeError, "mm(): expected Tensors, got list"),
        ],
    ),
    Card(
        "bmm", mg.bmm, of_sizes("bnm", "bmp"), np.matmul, "bmm", dtypes=NUMBERS,
        errors=[
            Refusal(lambda: mg.bmm(zeros(1, 2, 3), zeros(2, 3, 4)), ShapeError, "bmm(): got (1, 2, 3) and (2, 3, 4)"),
            Refusal(lambda: mg.bmm(zeros(2, 3), zeros(3, 4)), ShapeError, "expected two batches of matrices"),
        ],
    ),
    Card(
        "mv", mg.mv, of_sizes("nm", "m"), np.matmul, "mv", dtypes=NUMBERS,
        errors=[Refusal(lambda: mg.mv(zeros(2, 3), zeros(3, 1)), ShapeError, "expected a matrix and a vector")],
    ),
    Card(
        "dot", ops.dot, of_sizes("n", "n"), np.dot, "dot", dtypes=NUMBERS,
        errors=[Refusal(lambda: mg.dot(mg.zeros(2), mg.zeros(3)), ShapeError, "got shapes (2,) and (3,)")],
    ),
    Card(
        "vdot", mg.vdot, of_sizes("n", "n"), np.dot, "vdot", dtypes=NUMBERS,
        errors=[Refusal(lambda: mg.vdot(zeros(2), zeros(2, 1)), ShapeError, "got shapes (2,) and (2, 1)")],
    ),
    Card(
        "vecdot", mg.linalg.vecdot, pairs_along(), lambda a, b, dim: (a * b).sum(dim),
        lambda torch, *inputs, dim: torch.linalg.vecdot(*torch.broadcast_tensors(*inputs), dim=dim), dtypes=FLOATS,
        errors=[
            Refusal(lambda: mg.linalg.vecdot(zeros(2), zeros(2), dim=1), IndexError, "vecdot(): dim 1 out of range"),
            Refusal(lambda: mg.linalg.vecdot(zeros(2), zeros(3)), ShapeError, "do not broadcast"),
        ],
    ),
    Card(
        "inner", mg.inner, st.one_of(of_sizes("anm", "bm"), of_sizes("m", "m"), of_sizes("m", "nbm"), of_sizes("", "ab"),
        of_sizes("n", "")), inner, "inner", dtypes=NUMBERS,
        errors=[Refusal(lambda: mg.inner(zeros(2, 2), zeros(3)), ShapeError, "inner(): got (2, 2) and (3,)")],
    ),
    *[
        Card(
            name, getattr(mg, name), of_sizes("n", "m"), np.outer, name, dtypes=NUMBERS,
            errors=[Refusal(lambda: mg.outer(zeros(2, 2), zeros(2)), ShapeError, "outer(): got (2, 2) and (2,)")],
        )
        for name in ("outer", "ger")
    ],
    Card(
        "kron", mg.kron, elementwise(2), np.kron, "kron", dtypes=NUMBERS,
        errors=[Refusal(lambda: mg.kron(zeros(2), "a"), TypeError, "kron(): expected Tensors, got str")],
    ),
    Card(
        "cross", mg.cross, crossed(), cross, "cross", card=ops.cross, dtypes=NUMBERS,
        errors=[
            Refusal(lambda: mg.cross(zeros(2, 3), zeros(3)), ShapeError, "cross(): got (2, 3) and (3,), expected as many"),
            Refusal(lambda: mg.cross(zeros(3), zeros(1), 0), ShapeError, "expected size 3 in dimension 0 of both"),
            Refusal(lambda: mg.cross(zeros(2), zeros(2)), ShapeError, "got (2,), expected a dimension of size 3"),
        ],
    ),
    Card(
        "cross in linalg", mg.linalg.cross, crossed(), cross,
        lambda torch, *inputs, dim: torch.linalg.cross(*inputs, dim=dim), card=ops.cross, dtypes=NUMBERS,
    ),
    Card(
        "trace", mg.trace, of_sizes("nm"), np.trace, "trace", dtypes=NUMBERS, result="sum",
        errors=[Refusal(lambda: mg.trace(zeros(2)), ShapeError, "trace(): got (2,), expected a matrix")],
    ),
    Card(
        "linear", ops.linear, linear_layers(),
        lambda x, weight, bias: x @ weight.T + (0 if bias is None else bias), "linear",
        errors=[
            Refusal(lambda: ops.linear(mg.zeros(2, 3), mg.zeros(4, 5)), ShapeError, "(2, 3), weight (4, 5)")
        ],
    ),
]  # fmt: skip

SUMS = [
    Card(
        "addmm", mg.addmm, added("nm", "mp", result="np", **FACTORS), plus(np.matmul), "addmm",
        kinks=[Kink([NAN, [[2.0]], [[3.0]]], [[12.0]], [None, [[6.0]], [[4.0]]], {"beta": 0, "alpha": 2})],
        errors=[
            Refusal(lambda: mg.addmm(zeros(4), zeros(2, 3), zeros(3, 3)), ShapeError, "addmm(): input (4,) does not expand"),
            Refusal(lambda: mg.addmm(zeros(2, 1, 1), zeros(1, 1), zeros(1, 1)), ShapeError, "product's (1, 1)"),
        ],
    ),
    Card(
        "addmv", mg.addmv, added("nm", "m", result="n", **FACTORS), plus(np.matmul),
        lambda torch, x, a, b, **factors: torch.addmv(x.expand(len(a)), a, b, **factors),
        errors=[Refusal(lambda: mg.addmv(zeros(2), zeros(2), zeros(2)), ShapeError, "mv(): got (2,) and (2,)")],
    ),
    Card(
        "addr", mg.addr, added("n", "m", result="nm", **FACTORS), plus(np.outer), "addr",
        errors=[Refusal(lambda: mg.addr(zeros(3), zeros(2), zeros(2)), ShapeError, "addr(): input (3,)")],
    ),
    Card(
        "baddbmm", mg.baddbmm, added("bnm", "bmp", result="bnp", **FACTORS), plus(np.matmul), "baddbmm",
        errors=[Refusal(lambda: mg.baddbmm(zeros(1), zeros(2, 2), zeros(2, 2)), ShapeError, "bmm(): got (2, 2)")],
    ),
]  # fmt: skip

CONTRACTIONS = [
    Card(
        "einsum", lambda *operands, equation: mg.einsum(equation, *operands), contractions(),
        lambda *operands, equation: np.einsum(equation, *operands),
        lambda torch, *operands, equation: torch.einsum(equation, *operands), view=True,
        errors=[
            Refusal(lambda: mg.einsum("ij,jk", zeros(2, 3), zeros(4, 5)), ShapeError, "label 'j' has different sizes"),
            Refusal(lambda: mg.einsum("ii", zeros(1, 3)), ShapeError, "label 'i' has different sizes in the shapes (1, 3)"),
            Refusal(lambda: mg.einsum("ij", zeros(2, 3, 4)), ShapeError, "operand 0 has shape (2, 3, 4), but 2 of its"),
            Refusal(lambda: mg.einsum("i1->i", zeros(2, 3)), ValueError, "'1' in 'i1->i' is no label"),
            Refusal(lambda: mg.einsum("...i...", zeros(2, 3)), ValueError, "'.' in '...i...' is no label"),
            Refusal(lambda: mg.einsum("ij->iij", zeros(2, 3)), ValueError, "label 'i' occurs twice in the result"),
            Refusal(lambda: mg.einsum("ij->k", zeros(2, 3)), ValueError, "label 'k' is in no operand"),
            Refusal(lambda: mg.einsum("i,j", zeros(2)), ValueError, "'i,j' names 2 operands, got 1 tensors"),
            Refusal(lambda: mg.einsum("i", [1.0]), TypeError, "expected Tensors, got float as operand 0"),
            Refusal(lambda: mg.einsum(3, zeros(2)), TypeError, "expected an equation, got int"),
            Refusal(lambda: mg.einsum(zeros(2), ["i"]), ValueError, "'i' is no label; expected numbers"),
        ],
    ),
    Card(
        "tensordot", mg.tensordot, dotted(), lambda a, b, dims: np.tensordot(a, b, axes=dims),
        lambda torch, a, b, dims: torch.tensordot(a, b, dims),
        errors=[
            Refusal(lambda: mg.tensordot(zeros(2), zeros(2), 2), ShapeError, "dims=2 of shapes (2,) and (2,): expected fewer"),
            Refusal(lambda: mg.tensordot(zeros(2), zeros(3), 1), ShapeError, "expected equal sizes"),
            Refusal(lambda: mg.tensordot(zeros(2), zeros(2), ([0], [1])), IndexError, "dim 1 out of range"),
        ],
    ),
    Card(
        "multi_dot", lambda *tensors: mg.linalg.multi_dot(tensors), chains(vectors=True), chain,
        lambda torch, *tensors: torch.linalg.multi_dot(tensors),
        errors=[
            Refusal(lambda: mg.linalg.multi_dot([zeros(2, 2), 3]), TypeError, "multi_dot(): expected Tensors, got int"),
            Refusal(lambda: mg.linalg.multi_dot([zeros(2, 2)]), ValueError, "multi_dot(): got 1 tensors, expected two"),
            Refusal(lambda: mg.linalg.multi_dot([zeros(2, 2)] * 2 + [zeros(3, 2)]), ShapeError, "as many columns"),
            Refusal(lambda: mg.linalg.multi_dot([zeros(2), zeros(2), zeros(2)]), ShapeError, "expected matrices"),
        ],
    ),
    Card(
        "chain_matmul", mg.chain_matmul, chains(), chain, lambda torch, *tensors: torch.linalg.multi_dot(tensors),
        errors=[
            Refusal(mg.chain_matmul, ValueError, "got no matrices"),
            Refusal(lambda: mg.chain_matmul(zeros(2), zeros(2)), ShapeError, "expected matrices"),
        ],
    ),
]  # fmt: skip

CARDS = [*PRODUCTS, *SUMS, *CONTRACTIONS]
