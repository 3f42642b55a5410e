"""PyTorch as the oracle: transforms, Function, hooks and checkpoints, number for number."""

import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings(r"ignore::RuntimeWarning:minigrad\..*"),
    pytest.mark.filterwarnings(r"ignore:.*torch\.jit:DeprecationWarning"),  # PyTorch's own forward mode
]


@pytest.fixture(scope="module")
def torch():
    import torch

    torch.set_num_threads(1)
    return torch


def numbers(*shape, seed=0):
    return np.random.default_rng((seed, *shape)).standard_normal(shape)


def leaves(tree):
    """Arrays at the ends of a tree of tensors of either library, dicts in the order of their keys."""
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
    if isinstance(tree, tuple | list):
        return [leaf for branch in tree for leaf in leaves(branch)]
    return [np.asarray(tree.detach().numpy()) if hasattr(tree, "detach") else tree]


def compare(torch, program, *arrays, tolerance=1e-10):
    """The same program, in both libraries, on the same arrays."""
    found = leaves(program(mg, *[mg.tensor(a) for a in arrays]))
    expected = leaves(program(torch, *[torch.tensor(a) for a in arrays]))
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def model(lib):
    """A function of weights and a vector."""
    return lambda w, x: lib.tanh(w @ x) * lib.exp(-x[:2])


def first_two(lib):
    return lambda x: (lib.sin(x[:2]) * x[1:3], (x**2).sum())


TRANSFORMS = {
    "grad": lambda lib, w, x: lib.func.grad(lambda w, x: model(lib)(w, x).sum(), argnums=(0, 1))(w, x),
    "grad of grad": lambda lib, w, x: lib.func.grad(
        lambda x: (lib.func.grad(lambda x: lib.exp(x * x).sum())(x) ** 2).sum()
    )(x),
    "grad_and_value": lambda lib, w, x: lib.func.grad_and_value(lambda w: model(lib)(w, x).sum())(w),
    "aux": lambda lib, w, x: lib.func.grad(lambda w: (model(lib)(w, x).sum(), w * 2), has_aux=True)(w),
    "vjp": lambda lib, w, x: lib.func.vjp(model(lib), w, x)[1](x[:2]),
    "vjp of one": lambda lib, w, x: lib.func.vjp(lib.sin, x)[1](x),
    "jvp": lambda lib, w, x: lib.func.jvp(model(lib), (w, x), (w * 2, x * 3)),
    "jacrev": lambda lib, w, x: lib.func.jacrev(model(lib), argnums=(0, 1))(w, x),
    "jacfwd": lambda lib, w, x: lib.func.jacfwd(model(lib), argnums=1)(w, x),
    "jacrev of several": lambda lib, w, x: lib.func.jacrev(first_two(lib))(x),
    "hessian": lambda lib, w, x: lib.func.hessian(lambda x: model(lib)(w, x).prod())(x),
    "tree": lambda lib, w, x: lib.func.jacrev(lambda p: {"y": p["w"] @ p["x"], "s": [p["x"].sum()]})(
        {"w": w, "x": x}
    ),
    "vmap of grad": lambda lib, w, x: lib.func.vmap(
        lib.func.grad(lambda w, x: model(lib)(w, x).sum()), in_dims=(None, 0)
    )(w, lib.stack([x, x * 2, -x])),
    "vmap of hessian": lambda lib, w, x: lib.func.vmap(lib.func.hessian(lambda x: lib.tanh(x).prod()))(
        lib.stack([x, x * 2])
    ),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_the_transforms_of_func_are_those_of_pytorch(torch, name):
    compare(torch, TRANSFORMS[name], numbers(2, 3), numbers(3))


def functional(lib):
    return lib.autograd.functional


FUNCTIONAL = {
    "vjp": lambda lib, w, x: functional(lib).vjp(model(lib), (w, x), x[:2]),
    "vjp of a number": lambda lib, w, x: functional(lib).vjp(lambda x: x.prod(), x),
    "jvp": lambda lib, w, x: functional(lib).jvp(model(lib), (w, x), (w, x)),
    "jacobian": lambda lib, w, x: functional(lib).jacobian(model(lib), (w, x)),
    "jacobian, several outputs": lambda lib, w, x: functional(lib).jacobian(first_two(lib), x),
    "jacobian, vectorised": lambda lib, w, x: functional(lib).jacobian(model(lib), (w, x), vectorize=True),
    "jacobian of a constant": lambda lib, w, x: functional(lib).jacobian(lambda x: lib.ones(2), x),
    "hessian": lambda lib, w, x: functional(lib).hessian(lambda w, x: model(lib)(w, x).sum(), (w, x)),
    "hvp": lambda lib, w, x: functional(lib).hvp(lambda w, x: model(lib)(w, x).sum(), (w, x), (w, x)),
    "vhp": lambda lib, w, x: functional(lib).vhp(lambda x: lib.exp(x).prod(), x, x),
}


@pytest.mark.parametrize("name", FUNCTIONAL)
def test_the_derivatives_of_functional_are_those_of_pytorch(torch, name):
    compare(torch, FUNCTIONAL[name], numbers(2, 3), numbers(3))


@given(seed=st.integers(0, 10_000))
def test_random_points_give_the_same_hessians(torch, seed):
    program = lambda lib, w, x: lib.func.hessian(lambda x: (lib.tanh(w @ x) ** 2).sum() * x.prod())(x)  # noqa: E731
    compare(torch, program, numbers(2, 3, seed=seed), numbers(3, seed=seed))


# ------------------------------------------------------------------------------------------------ Function


def functions(lib):
    """Functions, written once for both libraries."""
    base = lib.autograd.Function

    class Scaled(base):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.save_for_backward(x)
            ctx.factor = factor
            return x**2 * factor

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x * g * ctx.factor, None

    class Divided(base):
        @staticmethod
        def forward(a, b):
            return a / b, a * b

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs, output[0])

        @staticmethod
        def backward(ctx, g, h):
            a, b, y = ctx.saved_tensors
            return g / b + h * b, -g * y / b + h * a

    class Negated(base):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.neg_()

        @staticmethod
        def backward(ctx, g):
            return -g

    return types.SimpleNamespace(scaled=Scaled.apply, divided=Divided.apply, negated=Negated.apply)


def composed(lib, w, x):
    f = functions(lib)
    w.requires_grad_()
    x.requires_grad_()
    y = w * 1.0
    f.negated(y[0])
    quotient, product = f.divided(f.scaled(y, 3.0), lib.exp(x))
    first = lib.autograd.grad((quotient * product.sum()).sum(), (w, x), create_graph=True)
    second = lib.autograd.grad(sum((g**2).sum() for g in first), (w, x))
    return first, second


def test_functions_have_the_derivatives_of_pytorch(torch):
    compare(torch, composed, numbers(2, 3), numbers(3))


# ------------------------------------------------------------------------------------------------ hooks


def order_of_hooks(lib, x):
    """What runs when, as numbers."""
    seen = []
    x.requires_grad_()
    y = x * 2.0
    y.retain_grad()
    z = (y**2).sum()
    y.register_hook(lambda g: seen.append(1))
    y.register_hook(lambda g: g * 2)
    y.grad_fn.register_prehook(lambda grads: seen.append(2))
    y.grad_fn.register_hook(lambda inputs, outputs: seen.append(3))
    x.register_post_accumulate_grad_hook(lambda tensor: seen.append(5))
    x.register_hook(lambda g: seen.append(4))
    z.backward()
    z2 = (x * 3.0).sum()
    z2.backward(inputs=[x])
    return [np.array(seen), x.grad, y.grad]


def test_hooks_run_in_the_order_of_pytorch(torch):
    compare(torch, order_of_hooks, numbers(3))


# ------------------------------------------------------------------------------------------------ the rest


def checkpointed(lib, w, x):
    w.requires_grad_()
    checkpoint = __import__(f"{lib.__name__}.utils.checkpoint", fromlist=["checkpoint"])

    def layer(x):
        return lib.tanh(w @ x)[0] * x

    y = checkpoint.checkpoint(
        layer, checkpoint.checkpoint(layer, x, use_reentrant=False), use_reentrant=False
    )
    z = checkpoint.checkpoint_sequential([layer, lib.exp, layer], 2, x, use_reentrant=False)
    return lib.autograd.grad((y + z).sum(), w)


def test_checkpoints_have_the_gradients_of_pytorch(torch):
    compare(torch, checkpointed, numbers(2, 3), numbers(3))


def batched(lib, w, x):
    x.requires_grad_()
    y = lib.exp(w @ x)
    return lib.autograd.grad(y, x, lib.stack([y.detach(), y.detach() * 2, y.detach()]), is_grads_batched=True)


def test_batched_cotangents_have_the_gradients_of_pytorch(torch):
    compare(torch, batched, numbers(2, 3), numbers(3))


def modes(lib, x):
    """Which results require a gradient, in which modes."""
    x.requires_grad_()
    states = []
    with lib.inference_mode():
        states.append((x * 2).requires_grad)
        with lib.enable_grad():
            states.append((x * 2).requires_grad)
        with lib.inference_mode(False):
            states.append((x * 2).requires_grad)
        states.append(lib.is_inference_mode_enabled())
    with lib.no_grad(), lib.set_grad_enabled(True):
        states.append((x * 2).requires_grad)
    return [np.array(states)]


def test_modes_record_what_pytorch_records(torch):
    compare(torch, modes, numbers(3))
