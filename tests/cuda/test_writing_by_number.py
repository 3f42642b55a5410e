"""Of several values that are written to one element the last one stays, on a GPU as on the CPU."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_numpy
from minigrad.errors import DeviceError


def assigned(index):
    """x[index] = v, in place."""

    def write(x, v, *numbers):
        y = x * 1
        y[index(*numbers)] = v
        return y

    return write


def through_a_view(x, v, i, j):
    y = x * 1
    y.T[i] = v
    return y


WRITES = {
    "rows": (assigned(lambda i, j: i), (4, 3), (5, 3)),
    "a part of each row": (assigned(lambda i, j: (slice(None), i)), (2, 4), (2, 5)),
    "elements": (assigned(lambda i, j: (i, j)), (4, 4), (5,)),
    "one value for each row": (assigned(lambda i, j: i), (4, 3), (5, 1)),
    "one row for all": (assigned(lambda i, j: i), (4, 3), (3,)),
    "one dimension more": (assigned(lambda i, j: i), (4, 3), (1, 5, 3)),
    "after a number": (assigned(lambda i, j: (1, slice(None), i)), (2, 3, 4), (3, 5)),
    "more dimensions, of size 1": (assigned(lambda i, j: (i, j)), (4, 4), (1, 1)),
    "more dimensions, of no element": (assigned(lambda i, j: (i, slice(0, 0))), (4, 3), (1, 5, 0)),
    "through a view": (through_a_view, (3, 4), (5, 3)),
    "index_put": (lambda x, v, i, j: x.index_put((i, j), v), (4, 4), (5,)),
    "index_copy": (lambda x, v, i, j: x.index_copy(1, i, v), (3, 4), (3, 5)),
    "put": (lambda x, v, i, j: x.put(i, v), (2, 2), (5,)),
    "scatter": (lambda x, v, i, j: x.scatter(0, i, v), (4,), (5,)),
    "scatter_": (lambda x, v, i, j: (x * 1).scatter_(1, mg.stack([i, i % 2]), v), (2, 4), (2, 5)),
}


@pytest.mark.parametrize("name", WRITES)
def test_the_value_that_stays_is_the_last_and_gets_the_gradient(name, device):
    write, shape, sent = WRITES[name]
    random = np.random.default_rng(3)
    values, weights = (random.standard_normal(size) for size in (sent, shape))
    found = []
    for place in ("cpu", device):
        x = mg.zeros(shape, dtype=mg.float64, device=place, requires_grad=True)
        v = mg.tensor(values, device=place, requires_grad=True)
        numbers = [mg.tensor(n, device=place) for n in ([3, 1, 3, 0, 1], [2, 0, -2, 2, 0])]
        y = write(x, v, *numbers)
        (y * mg.tensor(weights, device=place)).sum().backward()
        found.append([to_numpy(t.array) for t in (y, x.grad, v.grad)])
    for here, there in zip(*found, strict=True):
        np.testing.assert_array_equal(there, here)


@pytest.mark.parametrize("index", [[0, 2, 2], slice(3)])
def test_numbers_are_written_where_the_tensor_is_and_tensors_must_be_there(index, device):
    here, there = mg.zeros(4), mg.zeros(4, device=device)
    there[index] = [5.0, 6.0, 7.0]
    here[index] = [5.0, 6.0, 7.0]
    assert there.tolist() == here.tolist()
    for x, v in ((here, there), (there, here)):
        with pytest.raises(DeviceError, match="operands on different devices"):
            x[index] = v[:3]
