"""Hooks after a leaf has its gradient, hooks of nodes, and the order in which all of them run."""

import pytest

import minigrad as mg
from leaves import leaf
from minigrad.autograd import grad
from minigrad.errors import GraphError
from minigrad.primitive import primitive


def test_a_post_accumulate_hook_sees_the_leaf_with_its_gradient():
    x, seen = leaf(3.0), []
    x.register_post_accumulate_grad_hook(lambda tensor: seen.append((tensor is x, tensor.grad.item())))
    (x * x).backward()
    (x * x).backward()
    assert seen == [(True, 6.0), (True, 12.0)]


def test_a_post_accumulate_hook_may_take_the_gradient_and_update_the_leaf():
    w = leaf(3.0)

    def step(parameter):
        with mg.no_grad():
            parameter.sub_(parameter.grad * 0.5)
        parameter.grad = None

    w.register_post_accumulate_grad_hook(step)
    (w * w).backward()
    assert (w.item(), w.grad) == (0.0, None)


def test_a_post_accumulate_hook_is_removed_by_its_handle_or_its_with_block():
    x, seen = leaf(3.0), []
    handle = x.register_post_accumulate_grad_hook(lambda _: seen.append("first"))
    with x.register_post_accumulate_grad_hook(lambda _: seen.append("second")):
        (x * x).backward()
    handle.remove()
    (x * x).backward()
    assert seen == ["first", "second"]


def test_post_accumulate_hooks_run_in_backward_and_not_in_grad():
    x, y, seen = leaf(3.0), leaf(2.0), []
    x.register_post_accumulate_grad_hook(lambda _: seen.append("x"))
    y.register_post_accumulate_grad_hook(lambda _: seen.append("y"))
    grad(x * y, [x, y])
    assert seen == []
    (x * y).backward(inputs=[y])
    assert seen == ["y"]


def test_only_a_leaf_has_post_accumulate_hooks():
    with pytest.raises(GraphError, match="does not require grad"):
        mg.ones(3).register_post_accumulate_grad_hook(print)
    with pytest.raises(GraphError, match="the tensor is no leaf"):
        (leaf(1.0) * 2.0).register_post_accumulate_grad_hook(print)


def test_hooks_run_in_the_order_of_pytorch():
    x, order = leaf(3.0), []
    y = x * 2.0
    y.grad_fn.register_hook(lambda grad_inputs, grad_outputs: order.append("node"))
    y.grad_fn.register_prehook(lambda grad_outputs: order.append("before the node"))
    y.register_hook(lambda g: order.append("result"))
    x.register_post_accumulate_grad_hook(lambda t: order.append("after the leaf"))
    x.register_hook(lambda g: order.append(("leaf", x.grad)))
    y.backward()
    assert order == ["result", "before the node", "node", ("leaf", None), "after the leaf"]


def test_a_node_hook_sees_and_replaces_the_gradients_of_the_inputs():
    a, b, seen = leaf(2.0), leaf(5.0), []

    def hook(grad_inputs, grad_outputs):
        seen.append([g.item() for g in (*grad_inputs, *grad_outputs)])
        return grad_inputs[0] * 10.0, grad_inputs[1]

    y = a * b
    with y.grad_fn.register_hook(hook):
        y.backward(retain_graph=True)
    y.backward()
    assert (seen, a.grad.item(), b.grad.item()) == ([[5.0, 2.0, 1.0]], 55.0, 4.0)


def test_a_node_hook_gets_none_for_an_input_without_gradient():
    a, seen = leaf(2.0), []
    y = a * mg.tensor(5.0, dtype=mg.float64)
    y.grad_fn.register_hook(lambda grad_inputs, _: seen.append([g is None for g in grad_inputs]))
    y.backward()
    assert seen == [[False, True]]


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_prehook_replaces_the_gradient_of_the_output(create_graph):
    x = leaf(2.0)
    y = x**2
    y.grad_fn.register_prehook(lambda grad_outputs: (grad_outputs[0] * 10.0,))
    y.backward(create_graph=create_graph)
    assert (x.grad.item(), x.grad.requires_grad) == (40.0, create_graph)


def test_a_prehook_on_a_node_of_several_outputs_sees_them_all():
    @primitive
    class doubled:  # noqa: N801
        """a, b = 2 x, 2 x"""

        def forward(xp, x):  # noqa: N805
            return x * 2.0, x * 2.0

        def d_x(g):  # noqa: N805
            return g[1] * 2.0

    x, seen = leaf(3.0), []
    a, b = doubled(x)
    a.grad_fn.register_prehook(lambda grads: seen.append([g is None for g in grads]))
    b.backward()
    assert (seen, x.grad.item()) == ([[True, False]], 2.0)


def test_a_hook_that_returns_too_few_gradients_is_refused():
    x = leaf(2.0)
    y = x * leaf(3.0)
    y.grad_fn.register_hook(lambda grad_inputs, _: grad_inputs[:1])
    with pytest.raises(GraphError, match="hook: returned 1 gradients, expected 2"):
        y.backward()
    assert x.grad is None


def test_the_node_of_a_leaf_takes_no_node_hooks():
    with pytest.raises(GraphError, match="AccumulateGrad node runs no rule"):
        leaf(1.0).node.register_hook(print)
    with pytest.raises(GraphError, match="AccumulateGrad node runs no rule"):
        leaf(1.0).node.register_prehook(print)
