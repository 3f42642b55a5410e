"""The same computation on the CPU and on a device, every number compared."""

import copy
import importlib.util
from pathlib import Path

import numpy as np

import minigrad as mg
from minigrad import nn
from twins import Draw, constants, flattened, tensors

TOLERANCES = {"float64": 1e-9, "float32": 2e-4}  # relative to the largest number of what is compared, or to 1


def table(name):
    """A file of tests as a module, for the declarations that it holds."""
    path = Path(__file__).parent / name
    spec = importlib.util.spec_from_file_location(f"declared_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def declared_layers():
    """name -> (arguments, keywords, what makes inputs), of all that is compared with PyTorch."""
    layers, losses = table("nn/test_layers_oracle.py"), table("nn/test_losses_oracle.py")
    listed = {**layers.LAYERS, **layers.SHAPED}
    for kind, variants in layers.ACTIVATIONS.items():
        for number, keywords in enumerate(variants):
            listed[f"{kind} {number}"] = ((kind,), keywords, lambda draw: [draw.normal(3, 4)])
    for number, (kind, keywords, made) in enumerate(losses.LOSSES):
        listed[f"{kind} {number}"] = ((kind,), keywords, made)
    return listed


def assert_close(found, expected, what):
    """A tensor on a device and one on the CPU, in shape, type and numbers."""
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype), what
    expected, found = expected.detach().numpy(), found.detach().cpu().numpy()
    if expected.dtype.kind != "f":
        np.testing.assert_array_equal(found, expected, err_msg=what)
        return
    scale = max(1.0, float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0)))
    atol = TOLERANCES[expected.dtype.name] * scale
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol, err_msg=what)


def on(device, values):
    """Tensors, and all else as it is, on a device; those that asked for a gradient do so again."""
    return [
        v.detach().to(device).requires_grad_(v.requires_grad) if isinstance(v, mg.Tensor) else v
        for v in values
    ]


def assert_same_module(here, away, inputs, device):
    """One forward and backward of a module here and of its twin there, dropout and all."""
    x = inputs
    far = on(device, x)
    state = mg.default_generator().get_state()
    y = flattened(here(*x))
    mg.default_generator().set_state(state)
    z = flattened(away(*far))
    random, losses = np.random.default_rng(5), []
    for number, (mine, other) in enumerate(zip(y, z, strict=True)):
        assert other.device == device
        assert_close(other, mine, f"output {number}")
        if mine.requires_grad:
            weights = mg.tensor(random.standard_normal(mine.shape), dtype=mine.dtype)
            losses.append(((mine * weights).sum(), (other * weights.to(device)).sum()))
    if losses:
        sum(one for one, _ in losses).backward()
        sum(other for _, other in losses).backward()
    for number, (mine, other) in enumerate(zip(x, far, strict=True)):
        if isinstance(mine, mg.Tensor) and mine.grad is not None:
            assert_close(other.grad, mine.grad, f"gradient of input {number}")
    assert_same_state(here, away)


def assert_same_state(here, away):
    """Parameters, gradients and buffers of two modules."""
    for (name, mine), other in zip(here.named_parameters(), away.parameters(), strict=True):
        assert_close(other, mine, name)
        assert (mine.grad is None) == (other.grad is None), name
        if mine.grad is not None:
            assert_close(other.grad, mine.grad, f"gradient of {name}")
    for (name, mine), other in zip(here.named_buffers(), away.buffers(), strict=True):
        assert_close(other, mine, name)


def assert_same_layer(declaration, device, dtype):
    """A declared layer, in training and in evaluation."""
    args, keywords, made = declaration
    mg.manual_seed(0)
    here = getattr(nn, args[0])(*tensors(mg, args[1:]), **constants(mg, keywords)).to(dtype)
    for training in (True, False):
        away = copy.deepcopy(here).to(device)
        for module in (here, away):
            module.train(training).zero_grad()
        x = [
            v.detach().to(dtype).requires_grad_(v.requires_grad)
            if isinstance(v, mg.Tensor) and v.is_floating_point()
            else v
            for v in tensors(mg, made(Draw(1)))
        ]
        assert_same_module(here, away, x, device)
