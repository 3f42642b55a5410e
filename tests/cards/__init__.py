"""The table: a declaration for every operation. A new operation without one fails tests/ops/test_table.py."""

from cards import (
    activation,
    distance,
    elementwise,
    index,
    layers,
    linalg,
    loss,
    neural,
    norm,
    order,
    reduce,
    scan,
    scattering,
    search,
    shape,
    views,
)

CARDS = [
    *elementwise.CARDS,
    *reduce.CARDS,
    *scan.CARDS,
    *order.CARDS,
    *shape.CARDS,
    *index.CARDS,
    *scattering.CARDS,
    *search.CARDS,
    *linalg.CARDS,
    *neural.CARDS,
    *activation.CARDS,
    *norm.CARDS,
    *loss.CARDS,
    *distance.CARDS,
    *layers.CARDS,
    *views.CARDS,
]
