"""Every optimiser steps on an array library that is not NumPy: what CuPy needs, without a GPU."""

import sys

import numpy as np
import pytest

import fakecupy
import minigrad as mg
from equations import OPTIONS, gradient, shapes_of, start
from minigrad import backend
from minigrad.tensor import Tensor


@pytest.fixture(autouse=True)
def fake_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", fakecupy.cupy)
    backend.register_namespace(fakecupy.FakeArray, fakecupy.cupy)
    yield
    del backend.NAMESPACES[fakecupy.FakeArray]


@pytest.mark.parametrize("name", OPTIONS)
def test_an_optimiser_takes_the_same_steps_there(name):
    found = []
    for made in (np.asarray, fakecupy.FakeArray):
        params = [
            Tensor(made(start(i, shape).copy()), requires_grad=True)
            for i, shape in enumerate(shapes_of(name))
        ]
        optimizer = getattr(mg.optim, name)(params, **OPTIONS[name][-1])
        for step in range(4):
            for i, param in enumerate(params):
                param.grad = Tensor(made(gradient(step, i, param.shape)))
            optimizer.step()
        again = getattr(mg.optim, name)(params, **OPTIONS[name][-1])
        again.load_state_dict(optimizer.state_dict())
        again.step()
        found.append([backend.to_numpy(param.array) for param in params])
    for here, there in zip(*found, strict=True):
        np.testing.assert_allclose(there, here, rtol=1e-12)


@pytest.mark.parametrize("line_search", [None, "strong_wolfe"])
def test_lbfgs_takes_the_same_steps_there(line_search):
    found = []
    for made in (np.asarray, fakecupy.FakeArray):
        x = Tensor(made(np.array([3.0, -2.0])), requires_grad=True)
        scale = Tensor(made(np.array([1.0, 10.0])))
        optimizer = mg.optim.LBFGS([x], lr=0.5, max_iter=5, line_search_fn=line_search)

        def closure(x=x, scale=scale, optimizer=optimizer):
            optimizer.zero_grad()
            loss = (x * x * scale).sum() + (x * x * x * x).sum()
            loss.backward()
            return loss

        for _ in range(3):
            optimizer.step(closure)
        found.append(backend.to_numpy(x.array))
    np.testing.assert_allclose(*found, rtol=1e-10, atol=1e-12)
