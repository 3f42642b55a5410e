"""Every optimiser takes the same steps on a GPU, and its state follows where its parameters go."""

import numpy as np
import pytest

import fakecupy
import minigrad as mg
from equations import OPTIONS, gradient, shapes_of, start
from minigrad import nn
from minigrad.backend import to_numpy
from minigrad.trees import leaves_of


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


def fitting(model, optimizer, place):
    """The closure of a least-squares problem, counted; its data are beside the model."""
    random, calls = np.random.default_rng(0), []
    x, target = (mg.tensor(random.standard_normal((6, size)), device=place) for size in (3, 2))

    def closure():
        calls.append(1)
        optimizer.zero_grad()
        loss = ((model(x).tanh() - target) ** 2).sum()
        loss.backward()
        return loss

    return closure, calls


LINE_SEARCHES = pytest.mark.parametrize("line_search", [None, "strong_wolfe"])


@LINE_SEARCHES
def test_what_lbfgs_remembers_follows_a_model_that_is_moved(line_search, device):
    mg.manual_seed(0)
    here, away = nn.Linear(3, 2).double(), nn.Linear(3, 2).double()
    away.load_state_dict(here.state_dict())
    optimizers = [
        mg.optim.LBFGS(model.parameters(), lr=0.3, max_iter=2, max_eval=20, line_search_fn=line_search)
        for model in (here, away)
    ]
    for place in ("cpu", "cpu", device, device, "cpu"):
        away.to(place)
        for model, optimizer, at in zip((here, away), optimizers, ("cpu", place), strict=True):
            optimizer.step(fitting(model, optimizer, at)[0])
        held = [v for v in leaves_of(optimizers[1].state[away.weight]) if isinstance(v, mg.Tensor)]
        assert len(held) >= 4
        assert {value.device for value in held} == {place}
    np.testing.assert_allclose(away.weight.tolist(), here.weight.tolist(), rtol=1e-10)


@LINE_SEARCHES
def test_lbfgs_waits_once_for_each_loss_and_twice_for_each_iteration_but_the_first(line_search):
    with fakecupy.installed():
        model = nn.Linear(3, 2).double().cuda()
        optimizer = mg.optim.LBFGS(
            model.parameters(), lr=0.3, max_iter=4, max_eval=40, line_search_fn=line_search
        )
        for step in range(3):
            closure, calls = fitting(model, optimizer, "cuda")
            with fakecupy.waits() as reasons:
                optimizer.step(closure)
            iterations = 4 - (step == 0) / 2
            assert optimizer.state[model.weight]["n_iter"] == 4 * (step + 1)
            assert len(reasons) == len(calls) + 2 * iterations


def test_lbfgs_refuses_parameters_of_two_devices_and_names_both(device):
    params = [mg.ones(2, device=place, requires_grad=True) for place in ("cpu", device)]

    def closure():
        for param in params:
            param.grad = mg.ones_like(param)
        return 1.0

    with pytest.raises(
        mg.errors.DeviceError, match=r"LBFGS.step\(\): operands on different devices, cpu and cuda"
    ):
        mg.optim.LBFGS(params).step(closure)


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
