"""What a graph keeps, and for how long: saved values go after a backward pass, the skeleton stays."""

import gc
import weakref

import numpy as np
import pytest

import minigrad as mg
from leaves import leaf, normal
from minigrad.errors import GraphError
from minigrad.tape import FREED


@pytest.fixture
def no_collector():
    """Nothing is freed but by reference counting."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_a_second_backward_names_the_operation_and_the_remedy():
    x = leaf(2.0)
    y = mg.tanh(x)
    y.backward()
    with pytest.raises(GraphError, match=r"tanh: saved values were freed .*use retain_graph=True"):
        y.backward()


def test_retain_graph_allows_a_second_backward_with_equal_gradients():
    x = normal(3)
    y = (mg.exp(x) * mg.tanh(x)).sum()
    y.backward(retain_graph=True)
    first = x.grad.numpy().copy()
    y.backward(retain_graph=True)
    np.testing.assert_array_equal(x.grad.numpy(), 2 * first)


def test_create_graph_retains_the_graph_unless_told_otherwise():
    x = leaf(2.0)
    y = x**3
    y.backward(create_graph=True)
    y.backward()
    assert x.grad.item() == 24.0
    y = x**3
    y.backward(create_graph=True, retain_graph=False)
    with pytest.raises(GraphError, match="freed"):
        y.backward()


def test_an_operation_that_saved_nothing_can_be_walked_again():
    x, y = leaf(1.0), leaf(2.0)
    total = x + y
    total.backward()
    total.backward()
    assert x.grad.item() == 2.0


def test_backward_through_a_part_that_was_freed_is_refused():
    x = leaf(2.0)
    shared = mg.exp(x)
    (shared * 1.0).backward()
    with pytest.raises(GraphError, match="exp"):
        (shared + 1.0).backward()


def test_backward_without_a_graph_asks_where_it_went():
    for tensor in (mg.ones(()), leaf(1.0).detach()):
        with pytest.raises(
            GraphError, match="does not require grad; was it created under no_grad or detached"
        ):
            tensor.backward()


def test_backward_of_many_numbers_needs_a_gradient():
    with pytest.raises(RuntimeError, match=r"shape \(2, 3\); pass gradient="):
        (normal(2, 3) * 2.0).backward()


def test_backward_of_one_number_in_any_shape_needs_none():
    x = leaf(3.0)
    (x * x).reshape(1, 1).backward()
    assert x.grad.item() == 6.0


@pytest.mark.parametrize("shape", [(3,), (2, 1), (3, 2)])
def test_a_gradient_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"gradient has shape .*expected the tensor's shape \(2, 3\)"):
        (normal(2, 3) * 2.0).backward(mg.ones(*shape))


def test_a_gradient_of_integers_is_refused():
    with pytest.raises(TypeError, match="int64, expected the tensor's float64"):
        (normal(2) * 2.0).backward(mg.tensor([1, 2]))


def test_a_gradient_of_another_floating_type_is_converted():
    x = leaf(1.0, 2.0)
    (x * 2.0).backward(mg.ones(2))
    assert (x.grad.dtype, x.grad.tolist()) == (mg.float64, [2.0, 2.0])


def test_a_number_of_gradients_other_than_that_of_the_outputs_is_refused():
    x = leaf(1.0)
    with pytest.raises(ValueError, match="got 2 tensors and 1 gradients"):
        mg.autograd.backward([x * 1.0, x * 2.0], [None])


def test_only_tensors_can_be_walked_back_from():
    with pytest.raises(TypeError, match=r"expected a Tensor .*got float"):
        mg.autograd.backward([1.0])


def test_saved_arrays_die_with_the_backward_pass_and_the_skeleton_stays(no_collector):
    x = normal(4)
    hidden = mg.tanh(x * 2.0)
    y = (hidden * hidden).sum()
    kept, memory = y.grad_fn, weakref.ref(hidden.array)
    del hidden
    assert memory() is not None
    y.backward()
    assert memory() is None
    product = kept.edges[0]
    tanh = product.edges[0]
    assert [node.name() for node in (kept, product, tanh)] == ["SumBackward", "MulBackward", "TanhBackward"]
    assert (tanh.shape, tanh.dtype, tanh.plan.names) == ((4,), mg.float64, ("y",))
    assert tanh.saved is FREED


def test_nothing_that_no_rule_asks_for_is_saved():
    x, y = normal(3), normal(3)
    assert (x + y).grad_fn.saved == ()
    assert [saved is x.array for saved in (x * mg.ones(3)).grad_fn.saved] == [False]
    assert mg.relu(x).grad_fn.plan.names == ("y",)


@pytest.mark.usefixtures("no_collector")
def test_a_graph_dies_by_reference_counting_without_a_backward():
    x = normal(3)
    y = mg.exp(mg.tanh(x) * x).sum()
    node, inner = weakref.ref(y.grad_fn), weakref.ref(y.grad_fn.edges[0])
    del y
    assert (node(), inner()) == (None, None)


@pytest.mark.usefixtures("no_collector")
def test_a_graph_dies_by_reference_counting_after_create_graph():
    x = normal(3)
    y = mg.exp(mg.tanh(x) * x).sum()
    y.backward(create_graph=True)
    forward, backward = weakref.ref(y.grad_fn), weakref.ref(x.grad.grad_fn)
    x.grad = None
    assert backward() is None
    del y
    assert forward() is None


@pytest.mark.usefixtures("no_collector")
def test_a_hook_and_a_retained_gradient_do_not_keep_a_tensor_alive():
    x = normal(3)
    y = mg.tanh(x)
    y.retain_grad()
    y.register_hook(lambda g: g * 2.0)
    tensor = weakref.ref(y)
    del y
    assert tensor() is None


@pytest.mark.usefixtures("no_collector")
def test_a_graph_of_several_outputs_dies_by_reference_counting():
    x, state, weights = normal(1, 2), normal(1, 3), [normal(12, 2), normal(12, 3)]
    h, c = mg.ops.lstm_cell(x, state, state, *weights)
    call = weakref.ref(h.grad_fn.edges[0])
    (h.sum() + c.sum()).backward(create_graph=True)
    for tensor in (x, state, *weights):
        tensor.grad = None
    del h, c
    assert call() is None


@pytest.mark.usefixtures("no_collector")
def test_a_detached_result_does_not_keep_its_graph():
    x = normal(3)
    y = mg.tanh(x)
    node, values = weakref.ref(y.grad_fn), y.detach()
    del y
    assert node() is None
    assert values.requires_grad is False


@pytest.mark.usefixtures("no_collector")
def test_an_error_in_a_backward_leaves_no_graph_behind():
    x = normal(3)
    y = mg.tanh(x)
    y.register_hook(lambda g: g[5])
    loss = y.sum()
    node = weakref.ref(loss.grad_fn)
    with pytest.raises(IndexError):
        loss.backward()
    del loss, y
    assert node() is None


def test_a_leaf_knows_no_grad_fn_and_a_result_knows_its_operation():
    x = leaf(1.0)
    y = mg.sigmoid(x)
    assert (x.is_leaf, x.grad_fn, y.is_leaf, y.grad_fn.name()) == (True, None, False, "SigmoidBackward")
    assert y.grad_fn.next_functions == ((x.node, 0),)
    assert x.node.name() == "AccumulateGrad"
    assert repr(y.grad_fn) == "<SigmoidBackward of shape ()>"
