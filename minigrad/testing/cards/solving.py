"""The cards of minigrad/ops/solving.py: inverses, determinants, solutions, powers."""

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.errors import DTypeError, LinAlgError, ShapeError
from minigrad.testing.card import Card, Kink, Refusal
from minigrad.testing.signatures import batches, systems
from minigrad.testing.strategies import REAL, REGULAR

from .elementwise import zeros

DOUBLE = ("float64", "float32")  # what LAPACK computes in
FULL = (REGULAR,)
SYSTEM = (REGULAR, REAL)
SINGULAR = [[1.0, 2.0], [2.0, 4.0]]
BOOLEANS = st.booleans()


def no_square(name, call):
    """The refusals of what is no matrix that can be inverted."""
    return [
        Refusal(
            lambda: call(zeros(2, 3)), ShapeError, f"{name}(): got shape (2, 3), expected square matrices"
        ),
        Refusal(
            lambda: call(zeros(2)), ShapeError, f"{name}(): got shape (2,), expected at least two dimensions"
        ),
        Refusal(
            lambda: call(mg.tensor([[1]])), DTypeError, f"{name}(): got int64, expected float32 or float64"
        ),
        Refusal(lambda: call(mg.zeros(2, 2, dtype="float16")), DTypeError, "got float16"),
        Refusal(lambda: call([[1.0]]), TypeError, f"{name}(): expected Tensors, got list"),
    ]


def matrix_card(name, op, reference, torch, card=None, *, square=True, errors=(), **options):
    """The card of a function of one batch of matrices."""
    statics = {key: value for key, value in options.items() if isinstance(value, st.SearchStrategy)}
    rest = {key: value for key, value in options.items() if key not in statics}
    return Card(
        name,
        op,
        batches(square, **statics),
        reference,
        torch,
        FULL,
        card=card,
        dtypes=DOUBLE,
        errors=errors,
        **rest,
    )


def cofactors(x):
    """By the determinants of all submatrices."""
    n = x.shape[-1]
    y = np.empty(x.shape)
    for i, j in np.ndindex(n, n):
        rest = np.delete(np.delete(x, i, -2), j, -1)
        y[..., i, j] = (-1) ** (i + j) * np.linalg.det(rest)
    return y


def solve(a, b, left=True):
    """By the inverse."""
    inverse = np.linalg.inv(a)
    if b.ndim == 1 or b.shape == a.shape[:-1]:
        return (inverse @ b[..., None])[..., 0]
    return inverse @ b if left else b @ inverse


def triangle(x, upper, unitriangular=False):
    read = np.triu(x) if upper else np.tril(x)
    return read if not unitriangular else read - read * np.eye(x.shape[-1]) + np.eye(x.shape[-1])


def gram(x, upper):
    """The matrix of which a triangle of x is the Cholesky factor."""
    factor = triangle(x, upper)
    return np.swapaxes(factor, -1, -2) @ factor if upper else factor @ np.swapaxes(factor, -1, -2)


def lstsq(xp, a, b):
    """By the pseudoinverse; `xp` is numpy or torch."""
    is_vector = b.ndim == 1 or b.shape == a.shape[:-1]
    columns = b[..., None] if is_vector else b
    solution = xp.linalg.pinv(a) @ columns
    distances = ((a @ solution - columns) ** 2).sum(-2)
    residuals = distances if a.shape[-2] > a.shape[-1] else distances.reshape(-1)[:0]
    found = solution[..., 0] if is_vector else solution
    return found, residuals, xp.linalg.matrix_rank(a), xp.linalg.svdvals(a)


def matrix_exp(x):
    """The series, of x / 2⁸."""
    term = y = np.eye(x.shape[-1]) + np.zeros_like(x)
    for k in range(1, 20):
        term = term @ x / 2**8 / k
        y = y + term
    for _ in range(8):
        y = y @ y
    return y


DETERMINANTS = [
    matrix_card(
        "det", mg.det, np.linalg.det, "det", ops.det, errors=no_square("det", mg.det),
        kinks=[
            Kink([SINGULAR], 0.0, [[[4.0, -2.0], [-2.0, 1.0]]]),
            Kink([np.zeros((2, 2))], 0.0, [np.zeros((2, 2))]),
            Kink([[[-3.0]]], -3.0, [[[1.0]]]),
        ],
    ),
    matrix_card("cofactors", ops.cofactors, cofactors, None),
    matrix_card(
        "slogdet", mg.slogdet, lambda x: tuple(np.linalg.slogdet(x)), "slogdet", ops.slogdet, result=("same", "same"),
        errors=no_square("slogdet", mg.slogdet),
    ),
    matrix_card(
        "logdet", mg.logdet, lambda x: np.log(np.linalg.det(x)), "logdet", ops.slogdet,
        errors=no_square("logdet", mg.logdet),
    ),
]  # fmt: skip

SOLUTIONS = [
    matrix_card(
        "inv", mg.linalg.inv, np.linalg.inv, "inverse", ops.inv,
        errors=[
            *no_square("inv", mg.linalg.inv),
            Refusal(lambda: mg.linalg.inv(mg.tensor(SINGULAR)), LinAlgError, "inv(): the matrix is singular; use"),
            Refusal(
                lambda: mg.linalg.inv(mg.stack([mg.eye(2), mg.tensor(SINGULAR)])), RuntimeError,
                "inv(): the matrix (1,) of the batch is singular",
            ),
        ],
    ),
    matrix_card("inverse", mg.inverse, np.linalg.inv, "inverse", ops.inv, errors=no_square("inv", mg.inverse)),
    matrix_card(
        "pinv", mg.linalg.pinv, np.linalg.pinv, "pinverse", ops.pinv, square=False,
        kinks=[
            Kink([SINGULAR], np.array(SINGULAR) / 25, np.array([[[3.0, -9.0], [-9.0, -48.0]]]) / 625),
            Kink([np.zeros((1, 2))], np.zeros((2, 1)), [np.zeros((1, 2))]),
        ],
        errors=no_square("pinv", mg.linalg.pinv)[1:],
    ),
    matrix_card(
        "pinverse", mg.pinverse, np.linalg.pinv, "pinverse", ops.pinv, square=False, rcond=st.sampled_from((1e-15, 0.001)),
        errors=no_square("pinv", mg.pinverse)[1:],
    ),
    Card(
        "solve", mg.linalg.solve, systems(left=BOOLEANS), solve,
        lambda torch, *inputs, left: torch.linalg.solve(*inputs, left=left), SYSTEM, card=ops.solve, dtypes=DOUBLE,
        errors=[
            Refusal(lambda: mg.linalg.solve(zeros(2, 3), zeros(2)), ShapeError, "solve(): got shape (2, 3), expected square"),
            Refusal(lambda: mg.linalg.solve(mg.eye(2), mg.zeros(3, 1)), ShapeError, "solve(): A (2, 2) and B (3, 1): A has"),
            Refusal(
                lambda: mg.linalg.solve(mg.zeros(2, 2, 2), mg.zeros(3, 2, 1)), ShapeError, "do not broadcast at dimension 0",
            ),
            Refusal(
                lambda: mg.linalg.solve(mg.tensor(SINGULAR), mg.zeros(3, 2, 1)), LinAlgError,
                "solve(): the matrix (0,) of the batch is singular",
            ),
        ],
    ),
    Card(
        "solve_triangular", mg.linalg.solve_triangular,
        systems(vectors=False, upper=BOOLEANS, left=BOOLEANS, unitriangular=BOOLEANS),
        lambda a, b, upper, left, unitriangular: solve(triangle(a, upper, unitriangular), b, left),
        lambda torch, *inputs, **statics: torch.linalg.solve_triangular(*inputs, **statics), SYSTEM, dtypes=DOUBLE,
        errors=[
            Refusal(lambda: mg.linalg.solve_triangular(zeros(2, 2), zeros(2), upper=True), ShapeError, "got shape (2,)"),
        ],
    ),
    Card(
        "cholesky_solve", lambda a, b, upper: mg.cholesky_solve(b, a, upper), systems(vectors=False, upper=BOOLEANS),
        lambda a, b, upper: solve(gram(a, upper), b),
        lambda torch, a, b, upper: torch.cholesky_solve(b, a.triu() if upper else a.tril(), upper), SYSTEM, dtypes=DOUBLE,
        errors=[Refusal(lambda: mg.cholesky_solve(zeros(2), zeros(2, 2)), ShapeError, "got shape (2,)")],
    ),
    matrix_card(
        "cholesky_inverse", mg.cholesky_inverse, lambda x, upper: np.linalg.inv(gram(x, upper)),
        lambda torch, x, upper: torch.cholesky_inverse(x.triu() if upper else x.tril(), upper), upper=BOOLEANS,
        errors=no_square("cholesky_inverse", mg.cholesky_inverse),
    ),
    Card(
        "lstsq", mg.linalg.lstsq, systems(square=False), lambda a, b: lstsq(np, a, b), lstsq, SYSTEM, dtypes=DOUBLE,
        result=("same", "same", "int64", "same"),
        errors=[Refusal(lambda: mg.linalg.lstsq(zeros(3, 2), zeros(2, 1)), ShapeError, "expected as many rows in B as in A")],
    ),
]  # fmt: skip

POWERS = [
    Card(
        "matrix_power", mg.matrix_power, batches(square=True, n=st.sampled_from((1, 2, 3, 5, 6, -1, -2))),
        np.linalg.matrix_power, "matrix_power", FULL, dtypes=DOUBLE,
        kinks=[Kink([SINGULAR], np.eye(2), [None], {"n": 0})],
        errors=[
            Refusal(lambda: mg.matrix_power(zeros(2, 3), 2), ShapeError, "matrix_power(): got shape (2, 3)"),
            Refusal(lambda: mg.matrix_power(zeros(2), 2), ShapeError, "matrix_power(): got (2,), expected square"),
            Refusal(lambda: mg.matrix_power(zeros(2, 2), 0.5), TypeError, "n must be an int, got float 0.5"),
        ],
    ),
    Card(
        "matrix_exp", mg.matrix_exp, batches(square=True), matrix_exp, "matrix_exp", (REAL,), card=ops.matrix_exp,
        dtypes=DOUBLE, errors=no_square("matrix_exp", mg.matrix_exp),
    ),
    Card(
        "tensorinv", lambda x, shape, ind: mg.linalg.tensorinv(x.reshape(shape), ind),
        st.tuples(st.just(((4, 4),)), st.sampled_from(({"shape": (2, 2, 4), "ind": 2}, {"shape": (4, 2, 2, 1), "ind": 1}))),
        lambda x, shape, ind: np.linalg.tensorinv(x.reshape(shape), ind),
        lambda torch, x, shape, ind: torch.linalg.tensorinv(x.reshape(shape), ind), FULL, dtypes=DOUBLE,
        errors=[Refusal(lambda: mg.linalg.tensorinv(zeros(2, 3), 1), ShapeError, "tensorinv(): A (2, 3), ind 1")],
    ),
]  # fmt: skip

CARDS = [*DETERMINANTS, *SOLUTIONS, *POWERS]
