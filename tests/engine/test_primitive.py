"""A card becomes an operation: what it saves, how it is called, and what is refused at decoration."""

import numpy as np
import pytest

import minigrad as mg
from leaves import array_of, leaf, normal
from minigrad.autograd import grad
from minigrad.gradcheck import gradcheck, gradgradcheck
from minigrad.primitive import primitive

# ruff: noqa: N801, N805 (a card is a namespace that bears the name of its op)


@primitive
class softsign:
    """y = x / (1 + |x|),  dy/dx = (1 - |y|)²"""

    def forward(xp, x):
        return x / (1 + xp.abs(x))

    def d_x(g, y):
        return g * (1 - abs(y)) ** 2


@primitive
class hypotenuse:
    """y = √(a² + b²)"""

    promote = ("a", "b")
    floating = True

    def forward(xp, a, b):
        return xp.hypot(a, b)

    def d_a(g, a, y):
        return g * a / y

    def d_b(g, b, y):
        return g * b / y


@primitive
class scaled:
    """y = factor · x + shift · b, where b may be absent"""

    def forward(xp, x, b=None, *, factor=2.0, shift):
        y = x * factor
        return y if b is None else y + b * shift

    def d_x(g, factor):
        return g * factor

    def d_b(g, shift):
        return g * shift


@primitive
class quotient:
    """y = a / b, with one rule for both inputs"""

    def forward(xp, a, b):
        return xp.true_divide(a, b)

    def d(g, y, b):
        d_a = g / b
        return d_a, -d_a * y


def test_a_unary_card_is_right_to_the_second_order():
    x = leaf(0.3, -1.2, 2.0)
    assert gradcheck(softsign, x)
    assert gradgradcheck(softsign, x)
    assert softsign(x).tolist() == pytest.approx([0.3 / 1.3, -1.2 / 2.2, 2.0 / 3.0])


def test_a_binary_card_broadcasts_and_is_right_to_the_second_order():
    a, b = normal(3, 1), normal(1, 2, seed=1)
    assert gradcheck(hypotenuse, [a, b])
    assert gradgradcheck(hypotenuse, [a, b])
    assert hypotenuse(leaf(3.0), 4.0).item() == 5.0
    assert hypotenuse(mg.tensor(3), mg.tensor(4)).dtype == mg.float32


def test_a_joint_rule_is_right_to_the_second_order():
    a, b = leaf(1.0, -2.0), leaf(0.5, 4.0)
    assert gradcheck(quotient, [a, b])
    assert gradgradcheck(quotient, [a, b])


def test_a_joint_rule_serves_one_input_alone():
    a, b = leaf(1.0), leaf(4.0)
    assert grad(quotient(a, b.detach()), a)[0].item() == 0.25
    assert grad(quotient(a.detach(), b), b)[0].item() == -1 / 16


def test_only_what_the_rules_of_the_differentiable_inputs_ask_for_is_saved():
    a, b = leaf(3.0), leaf(4.0)
    names = {
        (True, False): ("a", "y"),
        (False, True): ("b", "y"),
        (True, True): ("a", "y", "b"),
    }
    for (first, second), expected in names.items():
        node = hypotenuse(a if first else a.detach(), b if second else b.detach()).grad_fn
        assert node.plan.names == expected
        assert len(node.saved) == len(expected)


def test_a_shape_is_saved_in_place_of_an_array():
    first, second = normal(2, 3), normal(4, 3)
    node = mg.cat([first, second]).grad_fn
    assert node.saved[node.plan.names.index("xs_shape")] == ((2, 3), (4, 3))
    assert not [value for value in node.saved if isinstance(value, np.ndarray)]


def test_the_shape_of_an_input_is_read_from_its_node_by_its_own_rule():
    x = normal(2, 3)
    node = x.sum(1).grad_fn
    assert "x_shape" not in node.plan.names
    assert x.shape not in node.saved
    (g,) = mg.autograd.grad(x.sum(1), [x], mg.ones(2, dtype=mg.float64))
    assert g.shape == (2, 3)


def test_a_rule_whose_input_needs_no_gradient_is_not_called():
    called = []

    @primitive
    class noisy:
        """y = a + b"""

        def forward(xp, a, b):
            return a + b

        def d_a(g):
            called.append("a")
            return g

        def d_b(g):
            called.append("b")
            return g

    noisy(leaf(1.0), mg.ones((), dtype=mg.float64)).backward()
    assert called == ["a"]


def test_a_rule_that_returns_none_sends_nothing():
    @primitive
    class gate:
        """y = a, and b is asked for nothing"""

        def forward(xp, a, b):
            return a + 0.0

        def d_a(g):
            return g

        def d_b(g):
            return None

    a, b = leaf(1.0), leaf(2.0)
    gate(a, b).backward()
    assert (a.grad.item(), b.grad) == (1.0, None)


def test_inputs_are_bound_by_position_or_by_name():
    x, b = leaf(1.0), leaf(10.0)
    for y in (scaled(x, b, shift=3.0), scaled(x, b=b, shift=3.0), scaled(x=x, b=b, shift=3.0)):
        assert y.item() == 32.0
        assert [g.item() for g in grad(y, [x, b])] == [2.0, 3.0]
    assert scaled(x, shift=0, factor=5.0).item() == 5.0


def test_an_absent_input_has_no_edge_and_no_gradient():
    x = leaf(1.0)
    y = scaled(x, shift=1.0)
    assert y.grad_fn.edges == (x.node, None)
    assert grad(y, x)[0].item() == 2.0
    assert scaled(x, None, shift=1.0).grad_fn.edges == (x.node, None)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (scaled, r"scaled\(\) needs the keyword arguments \['shift'\]"),
        (lambda x: scaled(shift=x), "shift is a static argument, got a Tensor; pass a plain value"),
        (lambda x: scaled(b=x, shift=1.0), "needs the input 'x'"),
        (lambda x: scaled(x, x, x, shift=1.0), r"takes the inputs x, b, got 3"),
        (lambda x: scaled(x, shift=1.0, speed=3), "unexpected argument 'speed'"),
        (lambda x: scaled(x, x=x, shift=1.0), "unexpected argument 'x'"),
        (hypotenuse, "needs the input 'b'"),
        (lambda x: hypotenuse(x, "4"), "expected a Tensor, an array or a number, got str '4'"),
        (lambda x: hypotenuse(x, None), "NoneType"),
        (lambda x: mg.exp(x, x), "takes the inputs .*, got 2"),
    ],
)
def test_a_wrong_call_is_refused_in_words(call, message):
    with pytest.raises(TypeError, match=message):
        call(leaf(1.0))


def test_arrays_alone_give_an_array():
    assert type(softsign(np.array([1.0]))) is np.ndarray
    assert scaled(np.array([1.0]), shift=0.0).tolist() == [2.0]
    assert quotient(a=np.array([1.0]), b=np.array([4.0])).tolist() == [0.25]


def test_a_number_stands_for_an_array():
    x = leaf(4.0)
    y = hypotenuse(3, x)
    assert (y.item(), grad(y, x)[0].item()) == (5.0, 0.8)


def test_a_kernel_replaces_the_forward_and_not_the_rules():
    calls = []

    @primitive
    class doubled:
        """y = 2x"""

        def forward(xp, x):
            return x * 2.0

        def d_x(g):
            return g * 2.0

    doubled.replace(np, lambda x: calls.append(x) or x + x)
    x = leaf(3.0)
    y = doubled(x)
    assert (y.item(), grad(y, x)[0].item(), len(calls)) == (6.0, 2.0, 1)
    assert doubled(np.array(3.0)) == 6.0
    assert len(calls) == 2


def test_an_operation_says_what_it_is():
    assert repr(scaled) == "<operation scaled(x, b, factor, shift)>"
    assert (hypotenuse.name, hypotenuse.__doc__) == ("hypotenuse", "y = √(a² + b²)")
    assert mg.abs.name == "abs"  # the underscore of `abs_` only avoids a name of Python's


def test_a_static_argument_wins_over_the_shape_of_an_input():
    @primitive
    class odd:
        """y = x · x_shape, where x_shape is a number"""

        def forward(xp, x, *, x_shape=3.0):
            return x * x_shape

        def d_x(g, x_shape):
            return g * x_shape

    x = leaf(1.0)
    assert grad(odd(x), x)[0].item() == 3.0


# ------------------------------------------------------------------------------------------------ refused


def parts(**body):
    """The body of a card."""
    return body


def keep(g):
    return g


REFUSED = {
    "an input called g": (parts(forward=lambda xp, g: g, d_g=keep), "'g' is a reserved name"),
    "an input called y": (parts(forward=lambda xp, y: y, d_y=keep), "'y' is a reserved name"),
    "a static called xp": (parts(forward=lambda library, x, *, xp=1: x, d_x=keep), "'xp' is a reserved name"),
    "no rule": (parts(forward=lambda xp, a, b: a, d_a=keep), r"no rule for \['b'\]; write d_<input>"),
    "a rule too many": (
        parts(forward=lambda xp, a: a, d_a=keep, d_b=keep),
        r"\['b'\] are not among its inputs",
    ),
    "an unknown constant": (
        parts(forward=lambda xp, a: a, d_a=keep, nondifferentiable=("index",)),
        r"\['index'\] are not among its inputs",
    ),
    "a wish for nothing known": (parts(forward=lambda xp, a: a, d_a=lambda g, z: g), "asks for 'z'"),
    "a wish for a shape of nothing": (parts(forward=lambda xp, a: a, d_a=lambda g, b_shape: g), "'b_shape'"),
    "a wish of a joint rule": (parts(forward=lambda xp, a: a, d=lambda g, z: (g,)), "asks for 'z'"),
    "no forward": (parts(d_a=keep), r"it has no forward\(\)"),
    "a list without a rule": (parts(forward=lambda xp, *xs: xs[0]), r"no rule for \['xs'\]"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_card_with_a_mistake_is_refused_when_it_is_made(name):
    body, message = REFUSED[name]
    with pytest.raises(TypeError, match=f"card mistaken: .*{message}"):
        primitive(type("mistaken", (), body))


def test_a_rule_of_the_wrong_shape_is_refused_by_name():
    body = parts(forward=lambda xp, x: x * 2.0, d_x=lambda g: g.sum())
    mistaken = primitive(type("mistaken", (), body))
    with pytest.raises(
        ValueError, match=r"mistaken: a rule gave a gradient of shape \(\) for .* shape \(3,\)"
    ):
        mistaken(normal(3)).sum().backward()


@pytest.mark.parametrize("count", [1, 3])
def test_a_joint_rule_must_give_one_gradient_for_each_input(count):
    body = parts(forward=lambda xp, a, b: a + b, d=lambda g: (g,) * count)
    mistaken = primitive(type("mistaken", (), body))
    with pytest.raises(TypeError, match=f"mistaken: its rule gave {count} gradients for 2 inputs"):
        mistaken(leaf(1.0), leaf(2.0)).backward()


def test_a_declared_constant_gets_no_gradient():
    x, index = normal(4, 2), mg.tensor([[0, 1], [2, 3]])
    y = mg.gather(x, 0, index)
    assert y.grad_fn.edges[1] is None
    y.sum().backward()
    assert x.grad.numpy().sum() == 4.0
    assert array_of(x).shape == x.grad.shape
