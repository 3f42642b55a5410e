"""What several tests of layers share: derivatives of a whole module by differences."""

import numpy as np
import pytest

import minigrad as mg


def total(outputs, cotangents):
    """Σ outputs · cotangents: one number in which every output counts differently."""
    flat = [outputs] if isinstance(outputs, mg.Tensor) else flattened(outputs)
    return sum((output * mg.tensor(c)).sum() for output, c in zip(flat, cotangents, strict=True))


def flattened(outputs):
    if isinstance(outputs, mg.Tensor):
        return [outputs]
    return [] if outputs is None else [tensor for output in outputs for tensor in flattened(output)]


@pytest.fixture(autouse=True)
def _seeded():
    mg.manual_seed(0)


@pytest.fixture(scope="session")
def assert_gradients():
    """Check the gradients of all parameters and inputs of a float64 module against central differences.

    `assert_gradients(module, *inputs)`: along random directions, for a random cotangent.
    """

    def check(module, *inputs, seed=0, **keywords):
        random = np.random.default_rng(seed)
        leaves = [*module.parameters()]
        leaves += [tensor for tensor in flattened(inputs) if tensor.requires_grad]
        outputs = flattened(module(*inputs, **keywords))
        cotangents = [random.standard_normal(output.shape) for output in outputs]
        for leaf in leaves:
            assert leaf.dtype == mg.float64
            leaf.grad = None
        total(outputs, cotangents).backward()
        for leaf in leaves:
            direction, values, sides = random.standard_normal(leaf.shape), leaf.array.copy(), []
            for step in (1e-6, -1e-6):
                with mg.no_grad():
                    leaf.copy_(values + step * direction)
                    sides.append(total(flattened(module(*inputs, **keywords)), cotangents).item())
            with mg.no_grad():
                leaf.copy_(values)
            expected = (sides[0] - sides[1]) / 2e-6
            assert leaf.grad is not None, f"a parameter of shape {leaf.shape} got no gradient"
            found = float(np.sum(leaf.grad.array * direction))
            assert found == pytest.approx(expected, rel=1e-5, abs=1e-6), f"leaf of shape {leaf.shape}"

    return check
