"""Small tensors for the tests of the engine."""

import numpy as np

import minigrad as mg


def leaf(*values, dtype=mg.float64):
    """A vector that requires a gradient; of one value, a number."""
    data = values[0] if len(values) == 1 else values
    return mg.tensor(data, dtype=dtype, requires_grad=True)


def normal(*shape, seed=0, requires_grad=True):
    """Standard normal numbers, the same ones for the same shape and seed."""
    values = np.random.default_rng((seed, *shape)).standard_normal(shape)
    return mg.tensor(values, requires_grad=requires_grad)


def array_of(tensor):
    """The values of a tensor, whether it requires a gradient or not."""
    return tensor.detach().numpy()
