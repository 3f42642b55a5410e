"""Every optimiser takes the same steps on a GPU, and its state follows where its parameters go."""

import numpy as np
import pytest

import minigrad as mg
from equations import OPTIONS, gradient, shapes_of, start
from minigrad import nn
from minigrad.backend import to_numpy


@pytest.mark.parametrize("name", OPTIONS)
def test_an_optimiser_takes_the_same_steps_on_a_gpu(name, device):
    found = []
    for place in ("cpu", device):
        params = [
            mg.tensor(start(i, shape), device=place, requires_grad=True)
            for i, shape in enumerate(shapes_of(name))
        ]
        optimizer = getattr(mg.optim, name)(params, **OPTIONS[name][-1])
        for step in range(4):
            for i, param in enumerate(params):
                param.grad = mg.tensor(gradient(step, i, param.shape), device=place)
            optimizer.step()
        again = getattr(mg.optim, name)(params, **OPTIONS[name][-1])
        again.load_state_dict(optimizer.state_dict())
        again.step()
        found.append([to_numpy(param.array) for param in params])
    for here, there in zip(*found, strict=True):
        np.testing.assert_allclose(there, here, rtol=1e-12)


@pytest.mark.parametrize("line_search", [None, "strong_wolfe"])
def test_lbfgs_takes_the_same_steps_on_a_gpu(line_search, device):
    found = []
    for place in ("cpu", device):
        x = mg.tensor(np.array([3.0, -2.0]), device=place, requires_grad=True)
        scale = mg.tensor(np.array([1.0, 10.0]), device=place)
        optimizer = mg.optim.LBFGS([x], lr=0.5, max_iter=5, line_search_fn=line_search)

        def closure(x=x, scale=scale, optimizer=optimizer):
            optimizer.zero_grad()
            loss = (x * x * scale).sum() + (x * x * x * x).sum()
            loss.backward()
            return loss

        for _ in range(3):
            optimizer.step(closure)
        found.append(to_numpy(x.array))
    np.testing.assert_allclose(*found, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["Adam", "SGD", "Adafactor", "Muon", "RMSprop"])
def test_the_state_follows_a_model_that_is_moved_after_its_optimiser_was_made(name, device):
    options = {"momentum": 0.9} if name == "SGD" else {}
    mg.manual_seed(0)
    here, away = nn.Linear(3, 2, bias=False).double(), nn.Linear(3, 2, bias=False).double()
    away.load_state_dict(here.state_dict())
    x = mg.randn(5, 3, dtype=mg.float64)
    optimizers = [getattr(mg.optim, name)(model.parameters(), lr=0.1, **options) for model in (here, away)]
    for place in ("cpu", "cpu", "cpu", device, device, "cpu"):
        away.to(place)
        for model, optimizer, at in zip((here, away), optimizers, ("cpu", place), strict=True):
            optimizer.zero_grad()
            (model(x.to(at)) ** 2).sum().backward()
            optimizer.step()
        held = [v for v in optimizers[1].state[away.weight].values() if isinstance(v, mg.Tensor)]
        assert held
        assert {value.device for value in held} == {place}
    np.testing.assert_allclose(away.weight.tolist(), here.weight.tolist(), rtol=1e-10)


def test_a_state_is_loaded_to_where_the_parameters_are(device):
    weight = mg.ones(3, dtype=mg.float64, requires_grad=True)
    optimizer = mg.optim.Adam([weight])
    weight.grad = mg.ones(3, dtype=mg.float64)
    optimizer.step()
    moved = weight.detach().to(device).requires_grad_()
    again = mg.optim.Adam([moved])
    again.load_state_dict(optimizer.state_dict())
    assert again.state[moved]["exp_avg"].device == device
    moved.grad = mg.ones(3, dtype=mg.float64)
    with pytest.raises(mg.errors.DeviceError, match="a gradient on cpu for a parameter on cuda:0"):
        again.step()
