"""The functions that make one tensor of several: minigrad/functions/joining.py."""

import itertools
from dataclasses import replace

import numpy as np

import minigrad as mg
from minigrad import ops
from minigrad.errors import ShapeError
from minigrad.testing.card import Refusal
from minigrad.testing.signatures import (
    behind_each_other,
    below_each_other,
    chosen,
    grids,
    in_a_row,
    in_columns,
    joined,
    several,
    side_by_side,
)
from minigrad.testing.strategies import shapes

from .shape import matrix, shaped


def block_diag(*xs):
    xs = [np.atleast_2d(x) for x in xs]
    y = np.zeros(np.sum([x.shape for x in xs], axis=0), np.result_type(*xs))
    row = column = 0
    for x in xs:
        y[row : row + len(x), column : column + x.shape[1]] = x
        row, column = row + len(x), column + x.shape[1]
    return y


def cartesian_prod(*xs):
    rows = list(itertools.product(*xs))
    return np.array(rows, np.result_type(*xs)).reshape(len(rows), len(xs))


def combinations(x, r, with_replacement):
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = list(choose(x, r))
    return np.array(rows, x.dtype).reshape(len(rows), r)


def stacking(name, dim, smaller):
    """One of the functions that join along a dimension which depends on what they join."""
    reference = getattr(np, name.replace("row_stack", "vstack"))
    return shaped(
        name, lambda *xs: getattr(mg, name)(xs), side_by_side(dim, smaller), lambda *xs: reference(xs),
        lambda torch, *xs: getattr(torch, name)(xs), view=False,
        errors=[
            Refusal(lambda: getattr(mg, name)([]), ValueError, "stack(): expected at least one tensor, got none"),
            Refusal(lambda: getattr(mg, name)([mg.ones(2), 1]), TypeError, "got int at position 1"),
        ],
    )  # fmt: skip


CAT = shaped(
    "cat", lambda *xs, dim: mg.cat(xs, dim), joined(), lambda *xs, dim: np.concatenate(xs, dim),
    lambda torch, *xs, dim: torch.cat(xs, dim), card=ops.cat, view=False,
    errors=[
        Refusal(lambda: mg.cat([]), ValueError, "cat(): expected at least one tensor"),
        Refusal(lambda: mg.cat([matrix(), 1]), TypeError, "got int at position 1"),
        Refusal(lambda: mg.cat([matrix(), mg.zeros(3, 5)]), ShapeError, "tensor 1 has shape (3, 5)"),
        Refusal(lambda: mg.cat([mg.tensor(1.0)]), ShapeError, "use stack()"),
        Refusal(lambda: mg.cat([matrix()], 2), IndexError, "cat(): dim 2 out of range"),
    ],
)  # fmt: skip

CARDS = [
    CAT,
    *(
        replace(CAT, name=name, torch=lambda torch, *xs, dim, name=name: getattr(torch, name)(xs, dim), errors=())
        for name in ("concat", "concatenate")
    ),
    shaped(
        "stack", lambda *xs, dim: mg.stack(xs, dim), joined(stacked=True), lambda *xs, dim: np.stack(xs, dim),
        lambda torch, *xs, dim: torch.stack(xs, dim), card=ops.stack, view=False,
        errors=[
            Refusal(lambda: mg.stack([]), ValueError, "stack(): expected at least one tensor"),
            Refusal(lambda: mg.stack([matrix(), mg.zeros(4)]), ShapeError, "tensor 1 has shape (4,)"),
            Refusal(lambda: mg.stack([matrix()], 3), IndexError, "stack(): dim 3 out of range"),
        ],
    ),
    stacking("hstack", 1, in_a_row),
    stacking("vstack", 0, below_each_other),
    stacking("row_stack", 0, below_each_other),
    stacking("dstack", 2, behind_each_other),
    stacking("column_stack", 1, in_columns),
    shaped(
        "block_diag", mg.block_diag, several(shapes(max_dims=2, min_side=1)), block_diag,
        lambda torch, *xs: torch.block_diag(*xs), view=False,
        errors=[
            Refusal(lambda: mg.block_diag(matrix(), mg.ones(1, 1, 1)), ShapeError, "tensor 1 has shape (1, 1, 1)"),
            Refusal(lambda: mg.block_diag([matrix()]), TypeError, "block_diag(): expected tensors, got list"),
        ],
    ),
    shaped(
        "meshgrid", lambda *xs, indexing: mg.meshgrid(*xs, indexing=indexing), grids(),
        lambda *xs, indexing: np.meshgrid(*xs, indexing=indexing),
        lambda torch, *xs, indexing: torch.meshgrid(*xs, indexing=indexing),
        errors=[
            Refusal(lambda: mg.meshgrid(matrix()), ShapeError, "tensor 0 has shape (3, 4), expected a vector"),
            Refusal(lambda: mg.meshgrid(mg.ones(1), indexing="yx"), ValueError, "expected 'ij' or 'xy'"),
        ],
    ),
    shaped(
        "cartesian_prod", mg.cartesian_prod, several(shapes(1, 1), min_count=2), cartesian_prod,
        lambda torch, *xs: torch.cartesian_prod(*xs), view=False,
        errors=[
            Refusal(lambda: mg.cartesian_prod(matrix()), ShapeError, "tensor 0 has shape (3, 4), expected a vector"),
            Refusal(mg.cartesian_prod, ValueError, "expected at least one tensor, got none"),
        ],
    ),
    shaped(
        "combinations", mg.combinations, chosen(), combinations, view=False,
        errors=[
            Refusal(lambda: mg.combinations(matrix()), ShapeError, "got shape (3, 4), expected a vector"),
            Refusal(lambda: mg.combinations(mg.ones(2), -1), ValueError, "r must not be negative, got -1"),
        ],
    ),
]  # fmt: skip
