"""What was saved for a backward pass and then changed in place is detected, never silently used."""

import numpy as np
import pytest

import minigrad as mg
from leaves import leaf, normal
from minigrad.autograd import grad
from minigrad.errors import GraphError

WRITES = {
    "add_": lambda x: x.add_(1.0),
    "mul_": lambda x: x.mul_(2.0),
    "div_": lambda x: x.div_(2.0),
    "pow_": lambda x: x.pow_(2),
    "exp_": lambda x: x.exp_(),
    "tanh_": lambda x: x.tanh_(),
    "relu_": lambda x: x.relu_(),
    "clamp_": lambda x: x.clamp_(0.0, 1.0),
    "copy_": lambda x: x.copy_(mg.zeros(2, 2)),
    "fill_": lambda x: x.fill_(3.0),
    "zero_": lambda x: x.zero_(),
    "masked_fill_": lambda x: x.masked_fill_(mg.ones(2, 2, dtype=mg.bool), 0.0),
    "x[0] = 1": lambda x: x.__setitem__(0, 1.0),
    "+=": lambda x: x.__iadd__(1.0),
    "through .data": lambda x: x.data.add_(1.0),
    "through .detach()": lambda x: x.detach().zero_(),
    "through a view": lambda x: x.detach()[0].fill_(9.0),
    "under no_grad": lambda x: mg.no_grad()(lambda: x.mul_(2.0))(),
    "array and bump_version": lambda x: x.array.fill(2.0) or x.bump_version(),
    ".data =": lambda x: setattr(x, "data", mg.zeros(2, 2, dtype=mg.float64)),
}
SAVES_INPUT = {
    "mul": lambda x, w: x * w,
    "div": lambda x, w: w / x,
    "matmul": lambda x, w: x @ w,
    "log": lambda x, w: mg.log(x),
    "sin": lambda x, w: mg.sin(x),
    "power": lambda x, w: x**3,
    "maximum": mg.maximum,
    "where": lambda x, w: mg.where(x > 0.5, x, w) * x,
    "amax": lambda x, w: mg.amax(x, 0),
    "erf": lambda x, w: mg.erf(x),
    "gelu": lambda x, w: mg.gelu(x),
    "linear": mg.ops.linear,
    "layer_norm": lambda x, w: mg.ops.layer_norm(x),
}
SAVES_OUTPUT = {
    "exp": mg.exp,
    "tanh": mg.tanh,
    "sigmoid": mg.sigmoid,
    "sqrt": mg.sqrt,
    "relu": mg.relu,
    "softmax": lambda x: mg.softmax(x, 1),
    "log_softmax": lambda x: mg.log_softmax(x, 1),
}
SAVES_NEITHER = {
    "add": lambda x: x + 1.0,
    "sub": lambda x: 2.0 - x,
    "mul by a number": lambda x: x * 2.0,
    "sum": lambda x: x.sum(),
    "mean": lambda x: x.mean(0),
    "clone": lambda x: x.clone(),
    "cat": lambda x: mg.cat([x, x]),
    "indexed by numbers": lambda x: x[mg.tensor([1, 0])],
}


def positive():
    """A result (not a leaf) of positive numbers that others can save."""
    x = leaf([[0.25, 0.5], [0.75, 1.5]])
    return x, x * 1.0


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("save", ["mul", "matmul", "log", "gelu"])
def test_a_saved_input_modified_in_place_is_refused(save, write):
    _, x = positive()
    w = normal(2, 2)
    y = SAVES_INPUT[save](x, w)
    WRITES[write](x)
    with pytest.raises(
        GraphError, match="was changed in place after it was saved: saved at version 0, now at 1; change"
    ):
        y.sum().backward()
    assert w.grad is None


@pytest.mark.parametrize("save", SAVES_INPUT)
def test_every_operation_that_saves_an_input_notices(save):
    _, x = positive()
    y = SAVES_INPUT[save](x, normal(2, 2))
    x.detach().add_(1.0)
    with pytest.raises(GraphError, match="changed in place"):
        y.sum().backward()


@pytest.mark.parametrize("write", ["add_", "zero_", "x[0] = 1", "through .detach()", "under no_grad"])
@pytest.mark.parametrize("save", SAVES_OUTPUT)
def test_a_saved_output_modified_in_place_is_refused(save, write):
    _, x = positive()
    y = SAVES_OUTPUT[save](x)
    WRITES[write](y)
    with pytest.raises(GraphError, match=rf"a value that {save} saved .*\(2, 2\).* changed in place"):
        y.sum().backward()


@pytest.mark.parametrize("save", SAVES_NEITHER)
def test_a_write_to_what_nobody_saved_is_allowed(save):
    x, y = positive()
    total = SAVES_NEITHER[save](y).sum()
    y.detach().mul_(100.0)
    total.backward()
    assert np.abs(x.grad.numpy()).max() <= 2.0


def test_a_write_before_the_save_is_allowed():
    x, y = positive()
    y.mul_(2.0)
    (y * y).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 8 * x.detach().numpy())


def test_a_write_after_the_backward_is_allowed():
    x = leaf(2.0)
    y = x * 1.0
    (y * y).backward()
    y.detach().zero_()
    assert x.grad.item() == 4.0


def test_an_optimiser_step_between_forward_and_backward_is_detected():
    w = normal(2, 2)
    y = mg.exp(normal(3, 2) @ w) @ w
    with mg.no_grad():
        w.sub_(0.1)
    with pytest.raises(GraphError, match="matmul"):
        y.sum().backward()


def test_versions_are_checked_under_create_graph_too():
    _, x = positive()
    y = mg.exp(x)
    y.detach().zero_()
    with pytest.raises(GraphError, match="exp"):
        y.sum().backward(create_graph=True)


def test_a_value_changed_between_two_orders_of_derivative_is_detected():
    x, y = positive()
    (first,) = grad((y**3).sum(), x, create_graph=True)
    y.detach().mul_(2.0)
    with pytest.raises(GraphError, match="changed in place"):
        grad(first.sum(), x)


def test_base_views_and_detached_tensors_share_one_version():
    x = mg.zeros(2, 3)
    family = [x, x[0], x.mT, x.view(6), x.detach(), x.data, x.detach()[1]]
    x[0, 0] = 1.0
    assert [t._version for t in family] == [1] * 7
    family[-1].zero_()
    assert [t._version for t in family] == [2] * 7


def test_a_copy_has_a_version_of_its_own():
    x = mg.zeros(2)
    copies = [x.clone(), x + 0.0, x[mg.tensor([0, 1])], x.to(mg.float64)]
    x.add_(1.0)
    assert [t._version for t in copies] == [0] * 4


def test_an_index_changed_after_the_forward_does_not_change_the_gradient():
    x = leaf(1.0, 2.0, 3.0)
    index, mask = np.array([0, 1]), np.array([True, False, False])
    y = x[index].sum() + x[mask].sum()
    index[:], mask[:] = 2, True
    y.backward()
    assert x.grad.tolist() == [2.0, 1.0, 0.0]


def test_the_outputs_of_one_call_share_a_version():
    state = normal(1, 3)
    h, c = mg.ops.lstm_cell(normal(1, 2), state, state, normal(12, 2), normal(12, 3))
    h.detach().add_(1.0)
    assert (h._version, c._version) == (1, 1)
