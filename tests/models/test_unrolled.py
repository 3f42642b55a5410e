"""The recurrent network written out: four steps by hand, one W in its graph, gradients back through time."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ShapeError
from minigrad.graph import trace
from minigrad.models import PlainCell, state_gradients, unrolled_states
from minigrad.nn import functional as F

PHI = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0), "sigmoid": lambda x: 1 / (1 + np.exp(-x))}
SLOPE = {
    "tanh": lambda h: 1 - h**2,
    "relu": lambda h: (h > 0) * 1.0,
    "sigmoid": lambda h: h * (1 - h),
}  # φ' by h = φ(a)


def cell_of(nonlinearity="tanh", size=3):
    mg.manual_seed(1)
    return PlainCell(2, size, nonlinearity).to(mg.float64)


def steps_of(T, B=1):
    return mg.tensor(np.random.default_rng(0).normal(size=(B, T, 2)))


def with_radius(cell, radius):
    """The cell, its recurrent matrix orthogonal, times the radius."""
    nn.init.orthogonal_(cell.W.weight if isinstance(cell, PlainCell) else cell.weight_hh, gain=radius)
    return cell


@pytest.mark.parametrize("nonlinearity", PHI)
def test_four_steps_are_the_four_fold_nesting(nonlinearity):
    cell, x, h0 = cell_of(nonlinearity), steps_of(4), mg.tensor([[0.1, -0.2, 0.3]], dtype=mg.float64)
    W, U, b = (part.detach().numpy() for part in (cell.W.weight, cell.U.weight, cell.U.bias))
    phi, (x1, x2, x3, x4) = PHI[nonlinearity], x.numpy()[0]
    written = h0.numpy()[0]
    written = phi(W @ phi(W @ phi(W @ phi(W @ written + U @ x1 + b) + U @ x2 + b) + U @ x3 + b) + U @ x4 + b)
    np.testing.assert_allclose(unrolled_states(cell, x, h0)[-1].detach().numpy()[0], written, atol=1e-15)


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_the_layer_is_the_same_network(nonlinearity):
    cell, x = cell_of(nonlinearity), steps_of(4)
    layer = nn.RNN(2, 3, nonlinearity=nonlinearity, batch_first=True).to(mg.float64)
    with mg.no_grad():
        layer.weight_hh_l0.copy_(cell.W.weight)
        layer.weight_ih_l0.copy_(cell.U.weight)
        layer.bias_ih_l0.copy_(cell.U.bias)
        layer.bias_hh_l0.zero_()
    found = mg.stack(unrolled_states(cell, x), dim=1)
    np.testing.assert_allclose(found.detach().numpy(), layer(x)[0].detach().numpy(), atol=1e-15)


def test_the_graph_of_four_steps_has_one_node_for_each_matrix():
    cell = cell_of()
    graph = trace(unrolled_states(cell, steps_of(4))[-1], names=dict(cell.named_parameters()))
    leaves = {f"{node.module}.{node.label}": node.id for node in graph.nodes if node.kind == "parameter"}
    assert sorted(leaves) == ["U.bias", "U.weight", "W.weight"]
    assert sum(node.kind == "parameter" for node in graph.nodes) == 3
    assert sum(edge.source == leaves["W.weight"] for edge in graph.edges) == 4
    assert sum(node.label == "tanh" for node in graph.nodes) == 4


@pytest.mark.parametrize("nonlinearity", PHI)
def test_the_shared_matrix_gets_the_sum_of_the_gradients_of_all_steps(nonlinearity):
    """Equations (3) and (4), by hand."""
    cell, x = cell_of(nonlinearity), steps_of(4)
    states = unrolled_states(cell, x)
    states[-1].sum().backward()
    h = [np.zeros(3), *(state.detach().numpy()[0] for state in states)]
    W, g, summands, norms = cell.W.weight.detach().numpy(), np.ones(3), [], []
    for t in range(4, 0, -1):
        norms.append(np.linalg.norm(g))
        g = SLOPE[nonlinearity](h[t]) * g
        summands.append(np.outer(g, h[t - 1]))  # (3)
        g = W.T @ g  # (4)
    np.testing.assert_allclose(cell.W.weight.grad.numpy(), sum(summands), atol=1e-14)
    np.testing.assert_allclose(state_gradients(cell, x), norms[::-1], atol=1e-14)


@pytest.mark.parametrize(("nonlinearity", "radius"), [("tanh", 0.8), ("tanh", 1.0), ("sigmoid", 2.0)])
def test_a_gradient_vanishes_at_the_rate_of_the_bound_or_faster(nonlinearity, radius):
    cell = with_radius(cell_of(nonlinearity, size=8), radius)
    norms = state_gradients(cell, steps_of(30, B=4))
    rate = radius * {"tanh": 1, "sigmoid": 1 / 4}[nonlinearity]
    assert (norms[:-1] <= norms[1:] * rate * (1 + 1e-12)).all()
    assert norms[0] < norms[-1] * rate**29 * (1 + 1e-9)
    if radius != 1.0:
        assert norms[0] < 0.01 * norms[-1]


@pytest.mark.parametrize("radius", [0.5, 1.0, 1.3])
def test_where_the_slope_is_one_the_gradient_grows_or_falls_as_the_radius_to_the_power_of_the_steps(radius):
    cell = with_radius(cell_of("tanh", size=8), radius)
    with mg.no_grad():
        cell.U.bias.zero_()
    norms = state_gradients(cell, mg.zeros(1, 40, 2, dtype=mg.float64))  # tanh' (0) = 1
    np.testing.assert_allclose(norms, norms[-1] * radius ** np.arange(39, -1, -1), rtol=1e-10)


def test_a_gradient_through_relu_explodes_and_clipping_cures_it():
    cell = cell_of("relu", size=8)
    with mg.no_grad():
        cell.W.weight.copy_(1.3 * mg.eye(8, dtype=mg.float64))
        cell.U.weight.copy_(abs(cell.U.weight))
        cell.U.bias.fill_(1.0)
    x = abs(steps_of(40))
    norms = state_gradients(cell, x)
    np.testing.assert_allclose(norms / norms[-1], 1.3 ** np.arange(39, -1, -1), rtol=1e-10)
    unrolled_states(cell, x)[-1].sum().backward()
    assert np.linalg.norm(cell.W.weight.grad.numpy()) > 1e5
    nn.utils.clip_grad_norm_(cell.parameters(), max_norm=1.0)
    total = sum((parameter.grad.numpy() ** 2).sum() for parameter in cell.parameters())
    assert total == pytest.approx(1, rel=1e-4)


def test_the_gradient_of_an_lstm_that_does_not_forget_stays():
    mg.manual_seed(0)
    plain, lstm = nn.RNNCell(2, 8).to(mg.float64), nn.LSTMCell(2, 8, forget_bias=6.0).to(mg.float64)
    x = steps_of(100, B=4)
    vanished, stays = state_gradients(with_radius(plain, 0.9), x), state_gradients(lstm, x)
    assert vanished[0] < 1e-3 * vanished[-2]
    assert 0.1 * stays[-2] < stays[0] < 100 * stays[-2]


@pytest.mark.parametrize("kind", [nn.RNNCell, nn.GRUCell, nn.LSTMCell])
def test_norms_are_those_of_derivatives_by_differences(kind):
    mg.manual_seed(3)
    cell, x = kind(2, 3).to(mg.float64), steps_of(3)
    states = unrolled_states(cell, x)
    parts = states[0] if isinstance(states[0], tuple) else (states[0],)
    start = [part.detach().numpy() for part in parts]
    slopes = []
    for which, array in enumerate(start):
        for place in range(3):
            ends = []
            for step in (1e-6, -1e-6):
                moved = [part.copy() for part in start]
                moved[which][0, place] += step
                state = tuple(map(mg.tensor, moved)) if isinstance(states[0], tuple) else mg.tensor(moved[0])
                last = unrolled_states(cell, x[:, 1:], state)[-1]
                ends.append((last[0] if isinstance(last, tuple) else last).sum().item())
            slopes.append((ends[0] - ends[1]) / 2e-6)
        assert array.shape == (1, 3)
    assert state_gradients(cell, x)[0] == pytest.approx(np.linalg.norm(slopes), rel=1e-6)


def test_without_residuals_the_gradient_of_a_deep_network_is_lost():
    mg.manual_seed(0)
    layers = [nn.Linear(16, 16) for _ in range(30)]
    x = mg.ones(4, 16, requires_grad=True)
    norms = []
    for residual in (True, False):
        h = x
        for layer in layers:
            h = h + F.relu(layer(h)) / 30 if residual else F.relu(layer(h))
        (g,) = mg.autograd.grad(h.sum(), x)
        norms.append(np.linalg.norm(g.numpy()))
    assert norms[0] > 1
    assert norms[1] < 1e-6


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PlainCell(2, 3, "sin"), "nonlinearity='sin', expected one of tanh, relu, sigmoid"),
        (lambda: unrolled_states(cell_of(), mg.ones(4, 2)), r"x \(4, 2\), expected \(B, T, I\) with T at"),
        (lambda: state_gradients(cell_of(), mg.ones(1, 0, 2)), r"x \(1, 0, 2\), expected \(B, T, I\)"),
    ],
)
def test_what_cannot_be_unrolled_is_refused(call, message):
    with pytest.raises((ValueError, ShapeError), match=message):
        call()
