"""autograd.Function: operations as a user of PyTorch writes them."""

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given

import minigrad as mg
from leaves import array_of, leaf, normal
from minigrad.autograd import Function, grad
from minigrad.autograd.function import once_differentiable
from minigrad.errors import GraphError
from minigrad.testing.strategies import seeds


class Exp(Function):
    @staticmethod
    def forward(context, x):
        y = mg.exp(x)
        context.save_for_backward(y)
        return y

    @staticmethod
    def backward(context, g):
        (y,) = context.saved_tensors
        return g * y


class Scaled(Function):
    """A forward with an argument that is no tensor."""

    @staticmethod
    def forward(context, x, factor, name=None):
        context.factor, context.name = factor, name
        return x * factor

    @staticmethod
    def backward(context, g):
        return g * context.factor, None, None


class Product(Function):
    """The form with setup_context."""

    @staticmethod
    def forward(a, b):
        return a * b

    @staticmethod
    def setup_context(context, inputs, output):
        context.save_for_backward(*inputs)

    @staticmethod
    def backward(context, g):
        a, b = context.saved_tensors
        first = g * b if context.needs_input_grad[0] else None
        return first, g * a if context.needs_input_grad[1] else None


class Halves(Function):
    """Two outputs."""

    @staticmethod
    def forward(context, x):
        return x * 0.5, x * 0.25

    @staticmethod
    def backward(context, g, h):
        return g * 0.5 + h * 0.25


class Doubled(Function):
    """In place."""

    @staticmethod
    def forward(context, x):
        context.mark_dirty(x)
        return x.mul_(2.0)

    @staticmethod
    def backward(context, g):
        return g * 2.0


@given(seed=seeds((3,)))
def test_value_and_both_derivatives_are_right(seed):
    x = normal(3, seed=abs(hash(seed)) % 1000)
    assert mg.gradcheck(Exp.apply, x)
    assert mg.gradgradcheck(Exp.apply, x)
    assert mg.gradcheck(Product.apply, [x, normal(3, seed=1)])
    assert mg.gradgradcheck(Product.apply, [x, normal(3, seed=1)])
    assert mg.gradcheck(Halves.apply, x)


def test_the_node_bears_the_name_of_the_class():
    assert Exp.apply(leaf(1.0)).grad_fn.name() == "ExpBackward"
    assert "ExpBackward" in repr(Exp.apply(leaf(1.0)))


def test_arguments_may_be_anything_and_their_gradient_is_none():
    x = leaf(1.0, 2.0)
    Scaled.apply(x, 3.0, "three").sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_the_third_derivative_goes_through_the_recorded_backward():
    x = leaf(0.5)
    y = Exp.apply(x)
    for _ in range(3):
        (y,) = grad(y, x, create_graph=True)
    assert y.item() == pytest.approx(np.exp(0.5))


def test_needs_input_grad_tells_what_is_wanted():
    seen = []

    class Watching(Function):
        @staticmethod
        def forward(context, a, b, c):
            seen.append(context.needs_input_grad)
            return a + b

        @staticmethod
        def backward(context, g):
            return g, None, None

    Watching.apply(leaf(1.0), mg.tensor(1.0, dtype=mg.float64), 3)
    assert seen == [(True, False, False)]


def test_the_forward_is_not_recorded_and_the_backward_only_on_request():
    seen = []

    class Watching(Function):
        @staticmethod
        def forward(context, x):
            seen.append(mg.is_grad_enabled())
            return x.clone()

        @staticmethod
        def backward(context, g):
            seen.append(mg.is_grad_enabled())
            return g

    x = leaf(1.0)
    Watching.apply(x).backward()
    Watching.apply(x).backward(create_graph=True)
    x.grad = None
    assert seen == [False, False, False, True]


def test_under_no_grad_nothing_is_recorded():
    with mg.no_grad():
        assert not Exp.apply(leaf(1.0)).requires_grad
    assert not Exp.apply(mg.ones(2)).requires_grad


@pytest.mark.parametrize("used", [0, 1])
def test_an_unused_output_sends_zeros(used):
    x = leaf(1.0, 2.0)
    Halves.apply(x)[used].sum().backward()
    assert x.grad.tolist() == [[0.5, 0.5], [0.25, 0.25]][used]


def test_an_unused_output_sends_none_if_zeros_are_not_wanted():
    seen = []

    class Absent(Function):
        @staticmethod
        def forward(context, x):
            context.set_materialize_grads(False)
            return x + 1.0, x + 2.0

        @staticmethod
        def backward(context, g, h):
            seen.append(g)
            return h

    x = leaf(1.0)
    Absent.apply(x)[1].backward()
    assert (seen, x.grad.item()) == ([None], 1.0)


def test_an_output_that_is_marked_or_integer_requires_no_gradient():
    class Sorted(Function):
        @staticmethod
        def forward(context, x):
            order = mg.argsort(x)
            constant = x * 0.0
            context.mark_non_differentiable(constant)
            context.order = order
            return x[order], order, constant

        @staticmethod
        def backward(context, g, _order, zeros):
            assert not zeros.numpy().any()
            return mg.zeros_like(g).scatter(0, context.order, g)

    x = leaf(3.0, 1.0, 2.0)
    values, order, constant = Sorted.apply(x)
    assert [t.requires_grad for t in (values, order, constant)] == [True, False, False]
    (values * mg.tensor([1.0, 2.0, 3.0], dtype=mg.float64)).sum().backward()
    assert x.grad.tolist() == [3.0, 1.0, 2.0]


def test_a_dirty_input_is_the_output_and_its_base_follows():
    x = leaf(1.0, 2.0, 3.0)
    y = x * 1.0
    view = y[1:]
    out = Doubled.apply(view)
    assert out is view
    assert y.tolist() == [1.0, 4.0, 6.0]
    (y * mg.tensor([1.0, 10.0, 100.0], dtype=mg.float64)).sum().backward()
    assert x.grad.tolist() == [1.0, 20.0, 200.0]


def test_a_dirty_leaf_is_refused_and_so_is_a_dirty_input_not_returned():
    with pytest.raises(GraphError, match="a leaf that requires grad is changed in place"):
        Doubled.apply(leaf(1.0))

    class Lost(Function):
        @staticmethod
        def forward(context, x):
            context.mark_dirty(x)
            return x + 1.0

    with pytest.raises(GraphError, match="Lost: an input that was marked dirty is not returned"):
        Lost.apply(leaf(1.0) * 1.0)


def test_an_argument_that_is_returned_becomes_a_tensor_of_its_own():
    class Same(Function):
        @staticmethod
        def forward(context, x):
            return x

        @staticmethod
        def backward(context, g):
            return g * 7.0

    x = leaf(1.0)
    y = Same.apply(x)
    assert y is not x
    y.backward()
    assert x.grad.item() == 7.0


def test_a_saved_value_that_was_changed_in_place_is_refused():
    x = leaf(1.0)
    y = Exp.apply(x)
    y.detach().zero_()
    with pytest.raises(GraphError, match=r"a value that Exp saved .* was changed in place"):
        y.backward()


def test_saved_values_are_freed_by_a_backward_and_kept_by_retain_graph():
    x = leaf(1.0)
    y = Exp.apply(x)
    y.backward(retain_graph=True)
    y.backward()
    with pytest.raises(GraphError, match="Exp: saved values were freed"):
        y.backward()
    z = Scaled.apply(x, 2.0)  # saves no tensor
    z.backward()
    z.backward()


def test_a_graph_with_functions_dies_without_the_collector():
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0)
        y = Exp.apply(Product.apply(x, x))
        node = weakref.ref(y.grad_fn)
        del y
        assert node() is None
    finally:
        gc.enable()


def test_once_differentiable_refuses_a_second_derivative():
    class Once(Function):
        @staticmethod
        def forward(context, x):
            context.save_for_backward(x)
            return x**2

        @staticmethod
        @once_differentiable
        def backward(context, g):
            (x,) = context.saved_tensors
            return mg.tensor(2.0 * x.numpy()) * g

    x = leaf(3.0)
    Once.apply(x).backward()
    assert x.grad.item() == 6.0
    (g,) = grad(Once.apply(x), x, create_graph=True)
    with mg.record(), pytest.raises(GraphError, match="Once: its backward is marked once_differentiable"):
        grad(g, x)


def returning(*gradients):
    """A Function of two inputs whose backward returns this."""

    class Wrong(Function):
        @staticmethod
        def forward(context, a, b):
            return a * b

        @staticmethod
        def backward(context, g):
            return gradients

    return Wrong


@pytest.mark.parametrize(
    ("gradients", "error", "message"),
    [
        ((mg.ones(()),), GraphError, r"Wrong\.backward: returned 1 gradients, expected 2"),
        ((mg.ones(()),) * 3, GraphError, "returned 3 gradients, expected 2"),
        ((1.0, None), TypeError, "gradient 0 is a float, expected a Tensor or None"),
        ((mg.ones(3), None), ValueError, "a rule gave a gradient of shape"),
    ],
)
def test_a_backward_must_return_one_gradient_for_each_argument(gradients, error, message):
    a, b = leaf(1.0, 2.0), leaf(1.0, 2.0)
    with pytest.raises(error, match=message):
        returning(*gradients).apply(a, b).sum().backward()
    assert a.grad is None


def test_surplus_nones_are_allowed_and_none_is_no_gradient():
    a, b = leaf(1.0), leaf(2.0)
    returning(None, mg.tensor(5.0, dtype=mg.float64), None).apply(a, b).backward()
    assert (a.grad, b.grad.item()) == (None, 5.0)


def test_a_method_that_is_not_static_is_refused():
    with pytest.raises(TypeError, match=r"Function Old: forward must be a @staticmethod"):

        class Old(Function):
            def forward(self, x):
                return x


def test_only_tensors_can_be_saved_and_a_missing_method_says_so():
    class Number(Function):
        @staticmethod
        def forward(context, x):
            context.save_for_backward(3)
            return x

    with pytest.raises(TypeError, match=r"save_for_backward\(\): got int"):
        Number.apply(leaf(1.0))

    class Empty(Function):
        pass

    with pytest.raises(NotImplementedError, match="needs a static forward"):
        Empty.apply(leaf(1.0))

    class Forward(Function):
        @staticmethod
        def forward(context, x):
            return x * 1.0

    with pytest.raises(NotImplementedError, match="needs a static backward"):
        Forward.apply(leaf(1.0)).backward()


def test_vmap_refuses_a_function_by_its_name():
    with pytest.raises(NotImplementedError, match="vmap: Exp has no batching rule"):
        mg.vmap(Exp.apply)(mg.ones(3))


def test_none_is_saved_as_none_and_a_result_between_as_a_constant():
    class Between(Function):
        @staticmethod
        def forward(context, x):
            square = x * x
            context.save_for_backward(x, None, square)
            return square * x

        @staticmethod
        def backward(context, g):
            _, nothing, square = context.saved_tensors
            assert nothing is None
            assert not square.requires_grad
            return g * square * 3.0

    x = leaf(2.0)
    Between.apply(x).backward(create_graph=True)
    assert x.grad.item() == 12.0
    assert not array_of(x.grad).shape
