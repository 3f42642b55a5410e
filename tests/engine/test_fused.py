"""Fused operations: a kernel for speed, a definition for everything else, and the two agree."""

import numpy as np
import pytest

import minigrad as mg
from leaves import array_of, leaf, normal
from minigrad.autograd import grad
from minigrad.errors import GraphError
from minigrad.fused import fused
from minigrad.gradcheck import gradcheck, gradgradcheck

# ruff: noqa: N801, N805 (a card is a namespace that bears the name of its op)


@fused
class gaussian:
    """y = w exp(-x² / 2s) + b, where b may be absent"""

    promote = ("x", "w", "b")

    def definition(x, w, b=None, *, s=1.0):
        y = w * mg.exp(x * x * (-0.5 / s))
        return y if b is None else y + b

    def forward(xp, x, w, b=None, *, s=1.0):
        bell = xp.exp(x * x * (-0.5 / s))
        y = w * bell
        return (y if b is None else y + b), (x, w, bell)

    def pullback(xp, g, kept, needs, *, s):
        x, w, bell = kept
        return g * w * bell * (-x / s) if needs[0] else None, g * bell, g


@fused
class polar:
    """r, φ = |(a, b)|, the angle of (a, b)"""

    nondifferentiable = ("unit",)

    def definition(a, b, unit):
        r = mg.sqrt(a * a + b * b)
        return r * unit, mg.sin(a) * b

    def forward(xp, a, b, unit):
        r = xp.sqrt(a * a + b * b)
        return (r * unit, xp.sin(a) * b), (a, b, r, unit)

    def pullback(xp, g, kept, needs):
        a, b, r, unit = kept
        first = 0.0 if g[0] is None else g[0] * unit / r
        second = 0.0 if g[1] is None else g[1]
        return first * a + second * xp.cos(a) * b, first * b + second * xp.sin(a), None


def test_kernel_and_definition_agree_to_the_second_order():
    arguments = [normal(3), normal(3, seed=1), normal(3, seed=2)]
    assert gradcheck(gaussian, arguments)
    assert gradgradcheck(gaussian, arguments)
    np.testing.assert_allclose(array_of(gaussian(*arguments)), array_of(gaussian.definition(*arguments)))


def test_broadcast_inputs_get_gradients_of_their_own_shape():
    x, w = normal(2, 3), normal(3, seed=1)
    assert gradcheck(lambda x, w: gaussian(x, w, s=2.0), [x, w])
    assert gradgradcheck(lambda x, w: gaussian(x, w, s=2.0), [x, w])


def test_the_second_derivative_runs_on_into_the_graph_outside():
    outer = leaf(0.7)
    x = mg.sin(outer)
    (first,) = grad(gaussian(x, 3.0), outer, create_graph=True)
    (second,) = grad(first, outer)

    def slope(value):
        return -3 * np.sin(value) * np.exp(-(np.sin(value) ** 2) / 2) * np.cos(value)

    assert first.item() == pytest.approx(slope(0.7))
    assert second.item() == pytest.approx((slope(0.7 + 1e-6) - slope(0.7 - 1e-6)) / 2e-6)


def test_the_definition_walk_stops_at_the_inputs():
    outer, seen = leaf(0.7), []
    x = mg.sin(outer)
    x.register_hook(lambda g: seen.append(1))
    y = gaussian(x, 3.0)
    y.backward(create_graph=True)
    assert len(seen) == 1


def test_an_input_that_is_used_twice_is_differentiated_twice():
    x = leaf(0.4, -0.8)
    assert gradcheck(lambda x: gaussian(x, x, x), x)
    assert gradgradcheck(lambda x: gaussian(x, x, x), x)


@pytest.mark.parametrize("masks", [(True, False), (False, True), (True, True)])
def test_each_set_of_differentiable_inputs_has_its_gradients(masks):
    arguments = [normal(3, requires_grad=masks[0]), normal(3, seed=1, requires_grad=masks[1])]
    assert gradcheck(gaussian, arguments)
    assert gradgradcheck(gaussian, arguments)


@pytest.mark.parametrize("used", ["r", "phi", "both"])
def test_a_fused_operation_may_have_several_outputs(used):
    a, b, unit = leaf(0.6, 1.1), leaf(-0.4, 0.9), normal(2, requires_grad=False)

    def chosen(a, b):
        r, phi = polar(a, b, unit)
        return {"r": r, "phi": phi, "both": r * phi}[used]

    assert gradcheck(chosen, [a, b])
    assert gradgradcheck(chosen, [a, b])


def test_a_constant_of_a_fused_card_has_no_edge():
    unit = normal(2)
    r, _ = polar(leaf(0.6, 1.1), leaf(-0.4, 0.9), unit)
    assert r.grad_fn.edges[0].edges[2] is None
    r.sum().backward()
    assert unit.grad is None


def test_types_are_promoted_and_each_gradient_has_that_of_its_input():
    x, w = leaf(0.5, 1.0, dtype=mg.float32), leaf(2.0, 3.0)
    for create_graph in (False, True):
        y = gaussian(x, w)
        one, other = grad(y.sum(), [x, w], create_graph=create_graph)
        assert (y.dtype, one.dtype, other.dtype) == (mg.float64, mg.float32, mg.float64)


def test_the_inputs_of_a_fused_operation_are_watched():
    x = leaf(0.5) * 1.0
    y = gaussian(x, 2.0)
    x.detach().add_(1.0)
    for create_graph in (False, True):
        with pytest.raises(GraphError, match="gaussian saved"):
            y.backward(create_graph=create_graph)


def test_what_a_fused_operation_kept_goes_with_the_backward():
    y = gaussian(leaf(0.5), 2.0)
    y.backward()
    with pytest.raises(GraphError, match="gaussian: saved values were freed"):
        y.backward()


@pytest.mark.parametrize("missing", ["forward", "pullback", "definition"])
def test_a_fused_card_needs_all_three_parts(missing):
    parts = {
        "forward": lambda xp, x: (x, None),
        "pullback": lambda xp, g, kept, needs: (g,),
        "definition": lambda x: x,
    }
    del parts[missing]
    with pytest.raises(TypeError, match=rf"card lacking: it has no {missing}\(\)"):
        fused(type("lacking", (), parts))


FUSED_CALLS = {
    "linear": lambda: mg.ops.linear(normal(2, 3), normal(4, 3), normal(4)),
    "gelu": lambda: mg.gelu(normal(2, 3)),
    "layer_norm": lambda: mg.ops.layer_norm(normal(2, 3), normal(3), normal(3)),
    "attention": lambda: mg.ops.scaled_dot_product_attention(
        normal(2, 3), normal(4, 3), normal(4, 5), scale=0.5
    ),
    "cross_entropy": lambda: mg.ops.cross_entropy(normal(2, 3), mg.tensor([0, 2]), reduction="none"),
    "lstm": lambda: mg.ops.lstm(normal(3, 2, 4), normal(2, 5), normal(2, 5), normal(20, 4), normal(20, 5))[0],
}


@pytest.mark.parametrize("name", FUSED_CALLS)
def test_a_pullback_writes_neither_to_the_gradient_nor_to_what_was_kept(name):
    y = FUSED_CALLS[name]()
    seed = normal(*y.shape, seed=9, requires_grad=False)
    seed.array.flags.writeable = False
    leaves = [edge.tensor() for edge in call_of(y).edges if edge is not None and edge.tensor() is not None]
    y.backward(seed, retain_graph=True)
    first = [tensor.grad for tensor in leaves]
    for tensor in leaves:
        tensor.grad = None
    y.backward(seed)
    for tensor, g in zip(leaves, first, strict=True):
        np.testing.assert_array_equal(tensor.grad.numpy(), g.numpy())


def call_of(tensor):
    """The node of the call that made a tensor."""
    node = tensor.grad_fn
    return node if node.plan is not None else node.edges[0]
