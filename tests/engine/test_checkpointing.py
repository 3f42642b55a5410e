"""Gradient checkpointing: the same gradients, with the values between computed again and not kept."""

import gc
import weakref

import numpy as np
import pytest

import minigrad as mg
from leaves import leaf, normal
from minigrad.autograd import grad
from minigrad.errors import GraphError
from minigrad.nn import functional as F
from minigrad.utils.checkpoint import checkpoint, checkpoint_sequential


def layer(x, w, scale=1.0):
    return mg.tanh(mg.exp(x @ w * scale) * 0.5)


def both(function, *shapes):
    """Gradients and second derivatives of a function, without checkpoints and with."""
    found = []
    for call in (function, lambda *args: checkpoint(function, *args)):
        tensors = [normal(*shape, seed=i) for i, shape in enumerate(shapes)]
        first = grad((call(*tensors) ** 2).sum(), tensors, create_graph=True)
        second = grad(sum((g**2).sum() for g in first), tensors)
        found.append([g.detach().numpy() for g in (*first, *second)])
    return found


def nested(x, w):
    return checkpoint(layer, checkpoint(layer, x, w, scale=0.3), w)


@pytest.mark.parametrize("function", [layer, nested, lambda x, w: F.layer_norm(x @ w, (4,))])
def test_first_and_second_derivatives_are_the_same(function):
    for found, expected in zip(*both(function, (3, 4), (4, 4)), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("use_reentrant", [None, False, True])
def test_parameters_that_the_function_merely_uses_get_their_gradients(use_reentrant):
    x, w = normal(3, 4), normal(4, 4)
    checkpoint(lambda x: layer(x, w), x, use_reentrant=use_reentrant).sum().backward()
    expected = grad(layer(x, w).sum(), [x, w])
    np.testing.assert_array_equal(x.grad.numpy(), expected[0].numpy())
    np.testing.assert_array_equal(w.grad.numpy(), expected[1].numpy())


def test_a_function_may_take_keywords_and_trees_and_return_several():
    x, w = normal(3, 4), normal(4, 4)

    def function(tree, *, scale):
        h = layer(tree["x"], tree["w"][0], scale)
        return {"h": h, "more": [h.sum(), 3]}

    out = checkpoint(function, {"x": x, "w": (w,)}, scale=0.5)
    assert out["more"][1] == 3
    found = grad(out["h"].sum() + out["more"][0], [x, w])
    expected = grad(2.0 * layer(x, w, 0.5).sum(), [x, w])
    for g, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(g.numpy(), wanted.numpy(), rtol=1e-12)


def test_the_second_call_draws_the_random_numbers_of_the_first():
    x = normal(40, 40)

    def function(x):
        return F.dropout(x, 0.5)

    mg.manual_seed(7)
    y = checkpoint(function, x)
    state = mg.default_generator().get_state()
    mg.rand(10)
    later = mg.default_generator().get_state()
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy() != 0, y.detach().numpy() != 0)
    assert mg.default_generator().get_state() == later != state


def test_without_the_random_state_the_second_call_draws_anew():
    x = normal(40, 40)
    y = checkpoint(lambda x: F.dropout(mg.exp(x), 0.5), x, preserve_rng_state=False)
    before = mg.default_generator().get_state()
    y.sum().backward()
    assert mg.default_generator().get_state() != before


# ------------------------------------------------------------------------------------------------ memory


def watched(seen):
    """A layer that tells which arrays it made."""

    def function(x, w):
        h = x
        for _ in range(3):
            h = mg.tanh(mg.exp(h @ w))
            seen.append(weakref.ref(h.array))
        return h * 2.0

    return function


@pytest.fixture
def _no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collector")
def test_the_values_between_are_let_go_after_the_forward_and_after_the_backward():
    seen, x, w = [], normal(3, 4), normal(4, 4)
    y = checkpoint(watched(seen), x, w)
    assert [reference() for reference in seen] == [None] * 3
    y.sum().backward()
    assert len(seen) == 6
    assert [reference() for reference in seen] == [None] * 6
    plain = watched(seen)(x, w)
    assert all(reference() is not None for reference in seen[6:])
    del plain


@pytest.mark.usefixtures("_no_collector")
def test_a_chain_of_checkpoints_holds_one_layer_at_a_time():
    seen, x, w = [], normal(3, 4), normal(4, 4)
    most = [0]

    def alive(_):
        most[0] = max(most[0], sum(reference() is not None for reference in seen))

    h = x
    for _ in range(5):
        h = checkpoint(watched(seen), h, w)
        h.register_hook(alive)
    h.sum().backward()
    assert len(seen) == 30
    assert most[0] <= 3


@pytest.mark.usefixtures("_no_collector")
def test_the_graph_of_a_checkpoint_dies_with_its_output():
    x, w = normal(3, 4), normal(4, 4)
    y = checkpoint(layer, x, w)
    node, array = weakref.ref(y.grad_fn), weakref.ref(y.array)
    del y
    assert (node(), array()) == (None, None)


# ------------------------------------------------------------------------------------------------ calls


def test_the_function_is_called_once_more_for_each_backward():
    calls, x = [], normal(3)

    def function(x):
        calls.append(mg.is_grad_enabled())
        return mg.exp(mg.sin(x))

    y = checkpoint(function, x).sum()
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    y.backward()
    assert calls == [True] * 4
    np.testing.assert_allclose(x.grad.numpy(), 3 * grad(mg.exp(mg.sin(x)).sum(), x)[0].numpy())
    with pytest.raises(GraphError, match="saved values were freed"):
        y.backward()


def test_under_no_grad_the_function_is_just_called():
    with mg.no_grad():
        assert not checkpoint(mg.exp, normal(3)).requires_grad
    assert checkpoint(mg.exp, mg.zeros(2)).tolist() == [1.0, 1.0]


def test_contexts_are_entered_around_the_first_and_the_second_call():
    log = []

    class Entered:
        def __init__(self, name):
            self.name = name

        def __enter__(self):
            log.append(self.name)

        def __exit__(self, *exception):
            log.append(f"end of {self.name}")

    x = normal(3)
    y = checkpoint(mg.exp, x, context_fn=lambda: (Entered("first"), Entered("second")))
    y.sum().backward()
    assert log == ["first", "end of first", "second", "end of second"]


def changing():
    """A function that does something else each time."""
    calls = []

    def function(x):
        calls.append(None)
        return mg.exp(x) if len(calls) == 1 else mg.tanh(x)

    return function


def shrinking():
    """A function that does less and less."""
    calls = []

    def function(x):
        calls.append(None)
        return mg.exp(mg.exp(x[: 4 - len(calls)])).sum()

    return function


def test_a_function_that_does_something_else_the_second_time_is_refused():
    with pytest.raises(GraphError, match=r"operation 0 was exp of shape \(3,\) in the first call and tanh"):
        checkpoint(changing(), normal(3)).sum().backward()
    with pytest.raises(
        GraphError, match=r"exp of shape \(3,\) in the first call and exp of shape \(2,\)|getitem"
    ):
        checkpoint(shrinking(), normal(3)).backward()
    with pytest.raises(ValueError, match="determinism_check 'some', expected"):
        checkpoint(mg.exp, normal(3), determinism_check="some")


def test_an_argument_that_was_changed_in_place_is_refused():
    x = leaf(1.0, 2.0)
    y = x * 1.0
    z = checkpoint(lambda y: mg.exp(y + 1.0), y)
    y.detach().zero_()
    with pytest.raises(GraphError, match=r"an argument of shape .* was changed in place since the"):
        z.sum().backward()


def test_a_function_may_write_in_place_to_what_it_made():
    x = normal(3)

    def function(x):
        h = x * 2.0
        h[0] = 5.0
        h.mul_(3.0)
        return mg.exp(h * 0.1)

    found = grad(checkpoint(function, x).sum(), x)[0]
    np.testing.assert_array_equal(found.numpy(), grad(function(x).sum(), x)[0].numpy())


# ------------------------------------------------------------------------------------------------ sequential


@pytest.mark.parametrize("segments", [1, 2, 3, 5])
def test_layers_one_after_the_other_in_segments(segments):
    layers = [mg.exp, mg.tanh, mg.sin, lambda x: x * 2.0, mg.cos]
    x = normal(4)
    found = checkpoint_sequential(layers, segments, x, use_reentrant=False)
    expected = x
    for each in layers:
        expected = each(expected)
    np.testing.assert_array_equal(found.detach().numpy(), expected.detach().numpy())
    np.testing.assert_array_equal(grad(found.sum(), x)[0].numpy(), grad(expected.sum(), x)[0].numpy())


def test_a_sequential_module_is_checkpointed_too():
    model = mg.nn.Sequential(mg.nn.Linear(4, 4), mg.nn.Tanh(), mg.nn.Linear(4, 2))
    x = mg.randn(3, 4, requires_grad=True)
    checkpoint_sequential(model, 3, x).sum().backward()
    assert model[0].weight.grad.shape == (4, 4)
    with pytest.raises(ValueError, match="segments 4, expected 1 to 3"):
        checkpoint_sequential(model, 4, x)
