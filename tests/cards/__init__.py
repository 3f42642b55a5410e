"""The table: a declaration for every operation. A new operation without one fails tests/ops/test_table.py."""

from cards import elementwise, index, linalg, neural, reduce, shape, views

CARDS = [
    *elementwise.CARDS,
    *reduce.CARDS,
    *shape.CARDS,
    *index.CARDS,
    *linalg.CARDS,
    *neural.CARDS,
    *views.CARDS,
]
