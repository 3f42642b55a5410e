"""The same module twice, in minigrad and in PyTorch: one state, one input, and every number compared."""

import numpy as np

import minigrad as mg
from minigrad import nn

TOLERANCE = 1e-10  # relative to the largest number of what is compared, or to 1


class Draw:
    """Inputs of a module: floats ask for a gradient, `fixed` ones and integers do not."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)

    def normal(self, *shape, scale=1.0):
        return scale * self.random.standard_normal(shape)

    def integers(self, high, *shape):
        return self.random.integers(0, high, shape)

    def fixed(self, *shape, scale=1.0):
        return Fixed(self.normal(*shape, scale=scale))

    def signs(self, *shape):
        return Fixed(np.where(self.random.random(shape) < 0.5, -1.0, 1.0))

    def positive(self, *shape):
        return self.random.uniform(0.1, 2.0, shape)

    def probabilities(self, *shape):
        return self.random.uniform(0.02, 0.98, shape)


class Fixed:
    """An array that gets no gradient, such as a target."""

    def __init__(self, array):
        self.array = np.asarray(array)


def tensors(library, values):
    """Arrays as tensors of one of the two libraries; whatever else is passed on."""
    return [tensor(library, value) for value in values]


def tensor(library, value):
    if isinstance(value, Fixed):
        return library.tensor(value.array)
    if isinstance(value, np.ndarray):
        return library.tensor(value, requires_grad=value.dtype.kind == "f")
    return value


def twins(torch, kind, *args, **keywords):
    """(ours, theirs) in float64, with one state, nowhere special; names, shapes and texts are equal."""
    theirs = getattr(torch.nn, kind)(*tensors(torch, args), **constants(torch, keywords)).double()
    ours = getattr(nn, kind)(*tensors(mg, args), **constants(mg, keywords)).double()
    return ours, same_state(ours, theirs)


def constants(library, keywords):
    return {
        name: library.tensor(value) if isinstance(value, np.ndarray) else value
        for name, value in keywords.items()
    }


def same_state(ours, theirs, seed=11):
    """Give both modules one state, and see that they agree on what belongs to it. Returns theirs."""
    random, state = np.random.default_rng(seed), theirs.state_dict()
    for value in state.values():
        if value.is_floating_point():
            noise = random.uniform(0.1, 0.5, tuple(value.shape))
            value.copy_(value + value.new_tensor(noise))
    assert list(ours.state_dict()) == list(state)
    assert {key: value.dtype.name for key, value in ours.state_dict().items()} == {
        key: str(value.dtype).removeprefix("torch.") for key, value in state.items()
    }
    for name in ("named_parameters", "named_buffers", "named_modules"):
        mine, other = ([key for key, _ in getattr(module, name)()] for module in (ours, theirs))
        assert mine == other, name
    assert repr(ours) == repr(theirs)
    ours.load_state_dict({key: value.numpy() for key, value in state.items()})
    return theirs


def close(what, found, expected, tolerance=TOLERANCE):
    expected = expected.detach().numpy()
    assert found.shape == expected.shape, what
    atol = tolerance * max(1.0, float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol, err_msg=what)


def flattened(outputs):
    """The tensors among the outputs, one after the other."""
    if isinstance(outputs, tuple | list):
        return [tensor for output in outputs for tensor in flattened(output)]
    return [] if outputs is None else [outputs]


def compare(torch, ours, theirs, values, tolerance=TOLERANCE):
    """One forward and backward: outputs, gradients of inputs and parameters, and buffers agree."""
    ours.zero_grad()
    theirs.zero_grad()
    x, x_theirs = tensors(mg, values), tensors(torch, values)
    y, y_theirs = flattened(ours(*x)), flattened(theirs(*x_theirs))
    assert len(y) == len(y_theirs)
    random = np.random.default_rng(5)
    loss, loss_theirs = 0, 0
    for number, (mine, other) in enumerate(zip(y, y_theirs, strict=True)):
        close(f"output {number}", mine.array, other, tolerance)
        if mine.dtype.kind == "f":
            cotangent = random.standard_normal(mine.shape)
            loss = loss + (mine * mg.tensor(cotangent)).sum()
            loss_theirs = loss_theirs + (other * torch.tensor(cotangent)).sum()
    if loss.requires_grad:
        loss.backward()
        loss_theirs.backward()
    for number, (mine, other) in enumerate(zip(x, x_theirs, strict=True)):
        if isinstance(mine, mg.Tensor) and mine.requires_grad:
            close(f"gradient of input {number}", mine.grad.array, other.grad, tolerance)
    others = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        assert (parameter.grad is None) == (others[name].grad is None), name
        if parameter.grad is not None:
            close(f"gradient of {name}", parameter.grad.array, others[name].grad, tolerance)
    buffers = dict(theirs.named_buffers())
    for name, buffer in ours.named_buffers():
        close(name, buffer.array, buffers[name], tolerance)


def compare_in_both_modes(torch, ours, theirs, inputs, training=True, tolerance=TOLERANCE):
    """Two steps of training, then evaluation; `inputs(draw)` makes the inputs of each call."""
    for seed in (1, 2) if training else ():
        compare(torch, ours.train(), theirs.train(), inputs(Draw(seed)), tolerance)
    compare(torch, ours.eval(), theirs.eval(), inputs(Draw(3)), tolerance)
