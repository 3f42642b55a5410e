"""record: every step of a backward pass, as data and as a table."""

import numpy as np
import pytest

import minigrad as mg
from leaves import array_of, leaf, normal
from minigrad.nn import functional as F
from minigrad.primitive import primitive


def program():
    """A tape of a small program, and its tensors."""
    x, w, b = normal(3, 4, requires_grad=False), normal(4, 2), normal(2, seed=1)
    with mg.record(names={"w": w, "layer.b": b}) as tape:
        h = mg.tanh(x @ w + b)
        (h * h).sum().backward()
    return tape, x, w, b, h


def test_the_steps_come_in_the_order_of_the_walk():
    tape, *_ = program()
    assert [step.op for step in tape] == ["sum", "mul", "tanh", "add", "matmul"]
    assert [step.number for step in tape] == list(range(5)) == [tape[i].number for i in range(len(tape))]
    assert [step.seq for step in tape] == sorted((step.seq for step in tape), reverse=True)


def test_a_step_knows_its_inputs_and_where_they_came_from():
    tape, x, *_ = program()
    by_op = {step.op: step for step in tape}
    a, b = by_op["add"].inputs
    assert (a.name, a.label, a.source, a.shape) == ("a", "matmul", by_op["matmul"].seq, (3, 2))
    assert (b.name, b.label, b.shape, b.dtype) == ("b", "layer.b", (2,), "float64")
    constant, w = by_op["matmul"].inputs
    assert (constant.label, constant.source, constant.shape) == ("constant", None, x.shape)
    assert w.label == "w"


def test_a_step_holds_saved_values_gradients_and_rule():
    tape, _, w, b, h = program()
    step = next(step for step in tape if step.op == "tanh")
    y, g = array_of(h), 2 * array_of(h)
    np.testing.assert_allclose(step.saved["y"].numpy(), y)
    np.testing.assert_allclose(step.incoming.numpy(), g)
    np.testing.assert_allclose(step.outgoing["x"].numpy(), g * (1 - y**2))
    assert step.equation == "y = tanh x,  dy/dx = 1 - y²"
    assert (step.rules["x"].text, step.rules["x"].latex) == (
        "x̄ = ȳ · (1 - y²)", r"\bar{x} = \bar{y} \cdot \left(1 - y^{2}\right)"
    )  # fmt: skip
    assert step.line.startswith("test_record.py:")
    np.testing.assert_array_equal(tape.gradients["w"].numpy(), w.grad.numpy())
    np.testing.assert_array_equal(tape.gradients["layer.b"].numpy(), b.grad.numpy())


def test_outgoing_gradients_have_the_shapes_of_the_inputs():
    tape, *_ = program()
    for step in tape:
        shapes = {operand.name: operand.shape for operand in step.inputs}
        assert all(g.shape == shapes[name] for name, g in step.outgoing.items())


def test_what_was_written_down_does_not_change_with_the_tensors():
    tape, _, w, _, h = program()
    step = next(step for step in tape if step.op == "tanh")
    before = step.saved["y"].numpy().copy()
    h.detach().zero_()
    w.grad.zero_()
    np.testing.assert_array_equal(step.saved["y"].numpy(), before)
    assert tape.gradients["w"].numpy().any()


def test_every_step_agrees_with_finite_differences():
    tape, *_ = program()
    found = tape.check()
    assert len(found) == 7
    assert all(agreement.holds and not agreement.at_kink for agreement in found)
    assert max(agreement.error for agreement in found) < 1e-6


def test_a_wrong_rule_is_found_out():
    @primitive
    class wrong:  # noqa: N801
        """y = x²,  with a rule that forgets the 2"""

        def forward(xp, x):  # noqa: N805
            return x * x

        def d_x(g, x):  # noqa: N805
            return g * x

    with mg.record() as tape:
        (wrong(leaf(1.0, 2.0)) * 3.0).sum().backward()
    assert [agreement.holds for agreement in tape.check()] == [True, True, False]
    assert "x: 5.0e-01 WRONG" in str(tape)


def test_a_kink_is_called_a_kink():
    with mg.record() as tape:
        mg.relu(leaf(0.0, 1.0)).sum().backward()
    relu = tape.check()[-1]
    assert (relu.at_kink, relu.holds, str(relu)) == (True, True, "x: kink")


def test_a_forward_outside_leaves_steps_that_cannot_be_checked():
    x = leaf(0.5)
    y = mg.tanh(x)
    with mg.record() as tape:
        y.backward()
    assert (len(tape), tape.check(), tape[0].op, tape[0].line) == (1, [], "tanh", "")
    assert tape[0].inputs[0].label == "leaf"


def test_several_backwards_and_gradients_of_gradients_are_written_down():
    x = leaf(0.5)
    with mg.record() as tape:
        (g,) = mg.autograd.grad(x**3, x, create_graph=True)
        first = len(tape)
        g.backward()
    assert (first, tape[0].op) == (1, "power")
    assert len(tape) > 2
    assert all(agreement.holds for agreement in tape.check())


def test_fused_operations_lists_and_functions_have_rules_too():
    class Cube(mg.autograd.Function):
        """y = x³"""

        @staticmethod
        def forward(context, x):
            context.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(context, g):
            (x,) = context.saved_tensors
            return 3 * x**2 * g

    x, w = normal(3, 2), normal(2, 2, seed=1)
    with mg.record() as tape:
        y = mg.cat([F.linear(x, w), Cube.apply(x)])
        y.sum().backward()
    by_op = {step.op: step for step in tape}
    assert "y = x @ weightᵀ" in by_op["linear"].rules["y"].text
    assert by_op["Cube"].rules["x"].text.endswith("x̄ = 3 · x² · ȳ")
    assert by_op["Cube"].saved["0"].shape == (3, 2)
    assert [operand.name for operand in by_op["cat"].inputs] == ["0", "1"]
    assert all(agreement.holds for agreement in tape.check())
    assert {"linear", "Cube", "cat"} <= {step.op for step in tape if step.call}


def test_a_fused_operation_is_one_step_also_under_create_graph():
    x = normal(3, 4)
    with mg.record() as tape:
        F.layer_norm(x, (4,)).sum().backward(create_graph=True)
    x.grad = None
    assert [step.op for step in tape] == ["sum", "layer_norm"]


def test_the_table_has_a_line_for_each_step_and_columns_that_line_up():
    tape, *_ = program()
    lines = str(tape).split("\n")
    assert lines[0].split() == ["step", "operation", "inputs", "saved", "rule", "|ȳ|", "gradients"]
    assert any(line.startswith("2     tanh") and "x = add, step 3 (3, 2)" in line for line in lines)
    assert any("x̄ = ȳ · (1 - y²)" in line and "y (3, 2)" in line for line in lines)
    tape.check()
    assert "differences" in str(tape).split("\n")[0]


def test_several_outputs_have_a_gradient_each_or_none():
    @primitive
    class sin_and_cos:  # noqa: N801
        """s, c = sin x, cos x"""

        def forward(xp, x):  # noqa: N805
            return xp.sin(x), xp.cos(x)

        def d_x(g, y):  # noqa: N805
            return g[0] * y[1]

    with mg.record() as tape:
        sin_and_cos(leaf(0.5))[0].backward()
    assert (tape[0].incoming[0].item(), tape[0].incoming[1]) == (1.0, None)
    assert tape.check()[0].holds
    assert "unused" in str(tape)


@pytest.mark.parametrize("name", ["record"])
def test_it_is_found_at_the_front_door(name):
    assert name in dir(mg)
    assert mg.record is mg.recording.record


@pytest.mark.parametrize("seed", range(40))
def test_a_gradient_of_zeros_agrees_with_a_difference_that_keeps_some_of_the_third_derivative(seed):
    x = mg.tensor([[1.0, 0.0], [0.0, 0.0]], dtype=mg.float64, requires_grad=True)
    with mg.record() as tape:
        x.prod().backward()
    assert all(found.holds for step in tape for found in step.check(seed=seed))
