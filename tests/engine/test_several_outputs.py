"""Operations with several outputs, and operations on a list of inputs."""

import numpy as np
import pytest

import minigrad as mg
from leaves import array_of, leaf, normal
from minigrad import ops
from minigrad.autograd import grad
from minigrad.primitive import primitive
from minigrad.tape import Call, Output

# ruff: noqa: N801, N805 (a card is a namespace that bears the name of its op)


@primitive
class sin_and_cos:
    """s, c = sin x, cos x"""

    def forward(xp, x):
        return xp.sin(x), xp.cos(x)

    def d_x(g, y):
        sine, cosine = y
        parts = [part for part in (times(g[0], cosine), times(g[1], -sine)) if part is not None]
        return sum(parts[1:], parts[0])


def times(g, factor):
    """g · factor, for a g that may be absent."""
    return None if g is None else g * factor


@primitive
class divided:
    """q, r = a / b, and the integer part of it"""

    def forward(xp, a, b):
        return xp.true_divide(a, b), xp.floor(a / b).astype("int64")

    def d_a(g, b):
        return g[0] / b

    def d_b(g, a, b):
        return -g[0] * a / (b * b)


@primitive
class exponentials:
    """h, c = eˣ, e²ˣ; the rule asks for its own outputs"""

    def forward(xp, x, *, scale=1.0):
        return xp.exp(scale * x), xp.exp(2 * scale * x)

    def d_x(g, y, scale):
        parts = [
            part for part in (times(g[0], y[0] * scale), times(g[1], y[1] * (2 * scale))) if part is not None
        ]
        return sum(parts[1:], parts[0])


def cell():
    """The arguments of an LSTM step that all require gradients."""
    shapes = [(2, 3), (2, 4), (2, 4), (16, 3), (16, 4), (16,), (16,)]
    return [normal(*shape, seed=i) for i, shape in enumerate(shapes)]


def test_the_outputs_come_as_a_tuple_with_one_node_for_the_call():
    s, c = sin_and_cos(leaf(0.3, 0.5))
    assert (s.shape, c.shape) == ((2,), (2,))
    assert type(s.grad_fn) is type(c.grad_fn) is Output
    assert s.grad_fn.edges[0] is c.grad_fn.edges[0]
    assert type(s.grad_fn.edges[0]) is Call
    assert (s.grad_fn.index, c.grad_fn.index) == (0, 1)
    assert s.grad_fn.name() == "SinAndCosBackward"


def test_consumers_are_linked_to_the_call_by_the_number_of_the_output():
    s, c = sin_and_cos(leaf(0.3))
    call = s.grad_fn.edges[0]
    assert (s + c).grad_fn.next_functions == ((call, 0), (call, 1))


@pytest.mark.parametrize("used", ["first", "second", "both"])
def test_an_unused_output_sends_no_gradient(used):
    x = leaf(0.3, 0.5)
    s, c = sin_and_cos(x)
    loss = {"first": s, "second": c, "both": s + c * 2.0}[used].sum()
    loss.backward()
    sine, cosine = np.sin(array_of(x)), np.cos(array_of(x))
    expected = {"first": cosine, "second": -sine, "both": cosine - 2 * sine}[used]
    np.testing.assert_allclose(x.grad.numpy(), expected)


def test_an_unused_output_arrives_at_the_rule_as_none():
    seen = []

    @primitive
    class watched:
        """a, b = x, x"""

        def forward(xp, x):
            return x + 1.0, x + 2.0

        def d_x(g):
            seen.append([part is None for part in g])
            return g[1]

    a, b = watched(leaf(1.0))
    b.backward()
    assert seen == [[True, False]]
    assert a.requires_grad


def test_the_second_derivative_goes_through_both_outputs():
    x = leaf(0.3)
    s, c = sin_and_cos(x)
    (first,) = grad(s * c, x, create_graph=True)
    (second,) = grad(first, x)
    assert first.item() == pytest.approx(np.cos(0.6))
    assert second.item() == pytest.approx(-2 * np.sin(0.6))


def test_an_output_that_a_rule_asks_for_is_the_output_that_the_user_holds():
    x = leaf(0.5)
    h, _ = exponentials(x)
    (first,) = grad(h, x, create_graph=True)
    assert grad(first, h, retain_graph=True)[0].item() == 1.0
    assert grad(first, x)[0].item() == pytest.approx(np.exp(0.5))


def test_a_hook_on_an_output_is_asked_also_where_a_rule_uses_it():
    x, seen = leaf(0.5), []
    h, _ = exponentials(x)
    h.register_hook(lambda g: seen.append(g.item()))
    (first,) = grad(h, x, create_graph=True)
    grad(first, x)
    assert seen == [1.0, 1.0]


def test_an_integer_output_requires_no_gradient():
    a, b = leaf(7.0, -3.0), leaf(2.0, 2.0)
    quotient, whole = divided(a, b)
    assert (quotient.requires_grad, whole.requires_grad, whole.dtype) == (True, False, mg.int64)
    quotient.sum().backward()
    assert (a.grad.tolist(), b.grad.tolist()) == ([0.5, 0.5], [-1.75, 0.75])


def test_a_gradient_with_respect_to_one_output_does_not_run_the_call():
    x = leaf(0.3)
    s, _ = sin_and_cos(x)
    assert grad(s * 3.0, s)[0].item() == 3.0
    s.backward()
    assert x.grad.item() == pytest.approx(np.cos(0.3))


def test_one_output_given_a_gradient_twice_adds():
    x = leaf(0.3)
    s, c = sin_and_cos(x)
    mg.autograd.backward([s, s, c])
    assert x.grad.item() == pytest.approx(2 * np.cos(0.3) - np.sin(0.3))


@pytest.mark.parametrize("used", ["h", "c", "both"])
def test_an_lstm_step_differentiates_whichever_output_is_used(used):
    arguments = cell()
    h, c = ops.lstm_cell(*arguments)
    expected_h, expected_c = ops.lstm_cell.definition(*arguments)
    found, expected = (
        {"h": one, "c": other, "both": one * other}[used].sum()
        for one, other in ((h, c), (expected_h, expected_c))
    )
    gradients = grad(found, arguments, materialize_grads=True)
    wanted = grad(expected, arguments, materialize_grads=True)
    for g, w in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(g.numpy(), w.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("used", [0, 1])
def test_an_lstm_step_is_differentiated_twice_by_its_definition(used):
    arguments = cell()
    (first,) = grad(ops.lstm_cell(*arguments)[used].sum(), arguments[0], create_graph=True)
    (wanted,) = grad(ops.lstm_cell.definition(*arguments)[used].sum(), arguments[0], create_graph=True)
    for tensor in arguments:
        found = grad((first * first).sum(), tensor, retain_graph=True, materialize_grads=True)[0]
        expected = grad((wanted * wanted).sum(), tensor, retain_graph=True, materialize_grads=True)[0]
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-10, atol=1e-12)


# ------------------------------------------------------------------------------------------------ lists


@primitive
class product_of:
    """y = Π xs, element by element; the rule asks for the inputs and the output"""

    def forward(xp, *xs):
        y = xs[0]
        for x in xs[1:]:
            y = y * x
        return y

    def d_xs(g, xs, y):
        return [g * y / x for x in xs]


def test_each_tensor_of_a_list_gets_its_own_gradient():
    tensors = [normal(2, 3, seed=i) for i in range(3)]
    weight = normal(6, 3, requires_grad=False)
    (mg.cat(tensors) * weight).sum().backward()
    for i, tensor in enumerate(tensors):
        np.testing.assert_array_equal(tensor.grad.numpy(), array_of(weight)[2 * i : 2 * i + 2])


def test_constants_in_a_list_get_none():
    x, constant = normal(3), normal(3, requires_grad=False)
    mg.stack([constant, x, constant]).sum().backward()
    assert (x.grad.tolist(), constant.grad) == ([1.0] * 3, None)


def test_the_same_tensor_may_stand_in_a_list_several_times():
    x = leaf(1.0, 2.0)
    (mg.cat([x, x, x]) * mg.arange(6)).sum().backward()
    assert x.grad.tolist() == [0.0 + 2.0 + 4.0, 1.0 + 3.0 + 5.0]


def test_a_card_for_a_list_is_differentiated_twice():
    a, b, c = leaf(2.0), leaf(3.0), leaf(5.0)
    y = product_of(a, b, c)
    first = grad(y, [a, b, c], create_graph=True)
    assert [g.item() for g in first] == [15.0, 10.0, 6.0]
    assert [g.item() for g in grad(first[0], [a, b, c])] == pytest.approx([0.0, 5.0, 3.0])


def test_a_list_that_was_saved_is_watched_tensor_by_tensor():
    for changed in range(3):
        tensors = [leaf(2.0) * 1.0, leaf(3.0) * 1.0, leaf(5.0) * 1.0]
        y = product_of(*tensors)
        tensors[changed].detach().add_(1.0)
        with pytest.raises(RuntimeError, match="product_of saved"):
            y.backward()


def test_a_list_may_mix_types_and_each_gradient_has_its_own():
    single, double = leaf(1.0, 2.0, dtype=mg.float32), leaf(3.0, 4.0)
    y = mg.cat([single, double])
    y.sum().backward()
    assert (y.dtype, single.grad.dtype, double.grad.dtype) == (mg.float64, mg.float32, mg.float64)
