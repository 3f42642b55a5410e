"""LSTMCell and LSTM: a layer is a loop of cells, two directions are two runs, lengths are sequences alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad import nn

SEEDS = st.integers(0, 2**32 - 1)
SMALL = st.integers(1, 4)


def normal(seed, *shape, requires_grad=False):
    values = np.random.default_rng(seed).standard_normal(shape)
    return mg.tensor(values, requires_grad=requires_grad)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cell_by_its_equations(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    gates = x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh
    i, f, g, o = np.split(gates, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def weights_of(layer, suffix):
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    zero = np.zeros(4 * layer.hidden_size)
    found = [getattr(layer, name + suffix) for name in names]
    return [zero if parameter is None else parameter.array for parameter in found]


def loop_of_cells(x, h, c, weights):
    outputs = []
    for step in x:
        h, c = cell_by_its_equations(step, h, c, *weights)
        outputs.append(h)
    return np.stack(outputs), h, c


def close(found, expected):
    np.testing.assert_allclose(found.array, expected, rtol=0, atol=1e-12)


# ---------------------------------------------------------------------------------------------- the cell


@given(SMALL, SMALL, SMALL, st.booleans(), SEEDS)
def test_a_cell_is_its_six_equations(batch, size, hidden, bias, seed):
    cell = nn.LSTMCell(size, hidden, bias, dtype=mg.float64)
    x, h, c = normal(seed, batch, size), normal(seed + 1, batch, hidden), normal(seed + 2, batch, hidden)
    h_next, c_next = cell(x, (h, c))
    expected = cell_by_its_equations(x.array, h.array, c.array, *weights_of(cell, ""))
    close(h_next, expected[0])
    close(c_next, expected[1])


def test_a_cell_has_the_right_gradients(assert_gradients):
    cell = nn.LSTMCell(3, 2, dtype=mg.float64)
    state = (normal(2, 4, 2, requires_grad=True), normal(3, 4, 2, requires_grad=True))
    assert_gradients(cell, normal(1, 4, 3, requires_grad=True), state)


def test_a_cell_starts_from_zeros_and_takes_a_single_example():
    cell = nn.LSTMCell(3, 2)
    x = mg.rand(4, 3)
    zero = mg.zeros(4, 2)
    assert cell(x)[0].tolist() == cell(x, (zero, zero))[0].tolist()
    h, c = cell(x[1], (zero[1], zero[1]))
    assert h.shape == c.shape == (2,)
    np.testing.assert_allclose(h.array, cell(x)[0].array[1], atol=1e-7)


def test_a_cell_starts_uniform_within_its_bound():
    cell = nn.LSTMCell(50, 100)
    for parameter in cell.parameters():
        assert 0.09 < abs(parameter.array).max() <= 0.1
    assert repr(cell) == "LSTMCell(50, 100)"
    assert repr(nn.LSTMCell(1, 2, bias=False)) == "LSTMCell(1, 2, bias=False)"


# ---------------------------------------------------------------------------------------------- the layer


@given(SMALL, SMALL, SMALL, SMALL, st.booleans(), SEEDS)
def test_a_layer_is_a_loop_of_cells(steps, batch, size, hidden, bias, seed):
    layer = nn.LSTM(size, hidden, bias=bias, dtype=mg.float64)
    x = normal(seed, steps, batch, size)
    h0, c0 = normal(seed + 1, 1, batch, hidden), normal(seed + 2, 1, batch, hidden)
    output, (h_n, c_n) = layer(x, (h0, c0))
    expected = loop_of_cells(x.array, h0.array[0], c0.array[0], weights_of(layer, "_l0"))
    close(output, expected[0])
    close(h_n, expected[1][None])
    close(c_n, expected[2][None])


def test_a_layer_and_a_loop_of_LSTMCell_have_equal_gradients():  # noqa: N802 (the name of the class)
    layer, cell = nn.LSTM(3, 2, dtype=mg.float64), nn.LSTMCell(3, 2, dtype=mg.float64)
    cell.load_state_dict({key.removesuffix("_l0"): value for key, value in layer.state_dict().items()})
    x, twin = normal(1, 5, 4, 3, requires_grad=True), normal(1, 5, 4, 3, requires_grad=True)
    output, _ = layer(x)
    state, outputs = None, []
    for t in range(5):
        state = cell(twin[t], state)
        outputs.append(state[0])
    cotangent = normal(2, 5, 4, 2)
    (output * cotangent).sum().backward()
    (mg.stack(outputs) * cotangent).sum().backward()
    close(x.grad, twin.grad.array)
    for one, other in zip(layer.parameters(), cell.parameters(), strict=True):
        close(one.grad, other.grad.array)


@given(SMALL, SMALL, SEEDS)
def test_two_directions_are_two_runs(steps, batch, seed):
    layer = nn.LSTM(3, 2, bidirectional=True, dtype=mg.float64)
    x, h0, c0 = normal(seed, steps, batch, 3), normal(seed + 1, 2, batch, 2), normal(seed + 2, 2, batch, 2)
    output, (h_n, c_n) = layer(x, (h0, c0))
    forth = loop_of_cells(x.array, h0.array[0], c0.array[0], weights_of(layer, "_l0"))
    back = loop_of_cells(x.array[::-1], h0.array[1], c0.array[1], weights_of(layer, "_l0_reverse"))
    close(output, np.concatenate([forth[0], back[0][::-1]], axis=2))
    close(h_n, np.stack([forth[1], back[1]]))
    close(c_n, np.stack([forth[2], back[2]]))


def test_a_stack_feeds_each_layer_with_the_one_below():
    stacked = nn.LSTM(3, 2, num_layers=2, bidirectional=True, dtype=mg.float64)
    below = nn.LSTM(3, 2, bidirectional=True, dtype=mg.float64)
    above = nn.LSTM(4, 2, bidirectional=True, dtype=mg.float64)
    state = stacked.state_dict()
    below.load_state_dict({key: value for key, value in state.items() if "_l0" in key})
    above.load_state_dict({key.replace("_l1", "_l0"): v for key, v in state.items() if "_l1" in key})
    x, states = normal(1, 5, 3, 3), (normal(2, 4, 3, 2), normal(3, 4, 3, 2))
    middle, (h_below, _) = below(x, tuple(state[:2] for state in states))
    expected, (h_above, _) = above(middle, tuple(state[2:] for state in states))
    output, (h_n, _) = stacked(x, states)
    close(output, expected.array)
    close(h_n, np.concatenate([h_below.array, h_above.array]))


def test_batch_first_exchanges_the_first_two_dimensions():
    plain, batch_first = nn.LSTM(3, 2), nn.LSTM(3, 2, batch_first=True)
    batch_first.load_state_dict(plain.state_dict())
    x = mg.rand(5, 4, 3)
    output, (h_n, _) = plain(x)
    swapped, (h_same, _) = batch_first(x.transpose(0, 1))
    assert swapped.transpose(0, 1).tolist() == output.tolist()
    assert h_same.tolist() == h_n.tolist()


@pytest.mark.parametrize("batch_first", [False, True])
def test_a_single_sequence_is_a_batch_of_one(batch_first):
    layer = nn.LSTM(3, 2, num_layers=2, batch_first=batch_first)
    x, h0, c0 = mg.rand(5, 3), mg.rand(2, 2), mg.rand(2, 2)
    output, (h_n, c_n) = layer(x, (h0, c0))
    batch_dim = 0 if batch_first else 1
    expected, (h, _) = layer(x.unsqueeze(batch_dim), (h0.unsqueeze(1), c0.unsqueeze(1)))
    assert output.tolist() == expected.squeeze(batch_dim).tolist()
    assert h_n.tolist() == h.squeeze(1).tolist()
    assert h_n.shape == c_n.shape == (2, 2)
    assert layer(x)[0].shape == (5, 2)


def test_dropout_acts_between_layers_in_training_only():
    layer = nn.LSTM(3, 4, num_layers=2, dropout=0.5)
    x = mg.rand(6, 2, 3)
    assert layer(x)[0].tolist() != layer(x)[0].tolist()
    layer.eval()
    assert layer(x)[0].tolist() == layer(x)[0].tolist()
    single = nn.LSTM(3, 4, dropout=0.5)
    assert single(x)[0].tolist() == single(x)[0].tolist()


def test_dropping_everything_between_layers_hides_the_input():
    layer = nn.LSTM(3, 4, num_layers=2, dropout=1.0)
    assert layer(mg.rand(6, 2, 3))[0].tolist() == layer(mg.rand(6, 2, 3))[0].tolist()


# ---------------------------------------------------------------------------------------------- lengths


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=4),
    st.booleans(),
    st.integers(1, 2),
    st.booleans(),
    SEEDS,
)
def test_with_lengths_each_sequence_is_as_if_alone(lengths, bidirectional, num_layers, batch_first, seed):
    layer = nn.LSTM(3, 2, num_layers, True, batch_first, 0.0, bidirectional, dtype=mg.float64)
    steps, batch = 5, len(lengths)
    states = num_layers * (1 + bidirectional)
    x, h0, c0 = (
        normal(seed, batch, steps, 3),
        normal(seed + 1, states, batch, 2),
        normal(seed + 2, states, batch, 2),
    )
    given_x = x if batch_first else x.transpose(0, 1)
    output, (h_n, c_n) = layer(given_x, (h0, c0), lengths=lengths)
    output = output if batch_first else output.transpose(0, 1)
    for b, length in enumerate(lengths):
        alone, (h, c) = layer(x[b, :length], (h0[:, b], c0[:, b]))
        close(output[b, :length], alone.array)
        assert not output.array[b, length:].any()
        close(h_n[:, b], h.array)
        close(c_n[:, b], c.array)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("lengths", [None, [2, 5, 1, 4]])
def test_a_stack_has_the_right_gradients(assert_gradients, bidirectional, lengths):
    layer = nn.LSTM(3, 2, num_layers=2, bidirectional=bidirectional, dtype=mg.float64)
    shape = (2 * (1 + bidirectional), 4, 2)
    states = (normal(2, *shape, requires_grad=True), normal(3, *shape, requires_grad=True))
    assert_gradients(layer, normal(1, 5, 4, 3, requires_grad=True), states, lengths=lengths)


def test_steps_after_the_end_get_exactly_no_gradient():
    layer = nn.LSTM(3, 2, num_layers=2, bidirectional=True)
    x = mg.rand(5, 2, 3, requires_grad=True)
    output, (h_n, c_n) = layer(x, lengths=[5, 2])
    (output.sum() + h_n.sum() + c_n.sum()).backward()
    assert not x.grad.array[2:, 1].any()
    assert x.grad.array[:2, 1].all()
    assert x.grad.array[:, 0].all()


@pytest.mark.parametrize("kind", [mg.tensor, np.array, list, tuple])
def test_lengths_come_as_tensor_array_or_list(kind):
    layer, x = nn.LSTM(3, 2), mg.rand(4, 2, 3)
    assert layer(x, lengths=kind([4, 1]))[0].tolist() == layer(x, lengths=[4, 1])[0].tolist()


# ---------------------------------------------------------------------------------------------- names


def test_parameters_are_named_in_order_of_layer_and_direction():
    layer = nn.LSTM(3, 2, num_layers=2, bidirectional=True)
    kinds = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
    ends = ["_l0", "_l0_reverse", "_l1", "_l1_reverse"]
    assert list(layer.state_dict()) == [kind + end for end in ends for kind in kinds]
    assert layer.weight_ih_l0.shape == (8, 3)
    assert layer.weight_ih_l1_reverse.shape == (8, 4)
    assert layer.weight_hh_l1.shape == (8, 2)
    assert list(nn.LSTM(3, 2, bias=False).state_dict()) == ["weight_ih_l0", "weight_hh_l0"]


def test_a_printed_lstm_names_what_is_not_usual():
    assert repr(nn.LSTM(3, 2)) == "LSTM(3, 2)"
    assert repr(nn.LSTM(3, 2, 2, False, True, 0.1, True)) == (
        "LSTM(3, 2, num_layers=2, bias=False, batch_first=True, dropout=0.1, bidirectional=True)"
    )


# ---------------------------------------------------------------------------------------------- bad input


def bad(message, error, *args, batch_first=False, **keywords):
    layer = nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=batch_first)
    with pytest.raises(error, match=message):
        layer(*args, **keywords)


def test_an_input_of_wrong_rank_or_size_is_refused():
    bad(r"input \(1, 2, 5, 3\), expected \(T, B, input_size\)", ValueError, mg.zeros(1, 2, 5, 3))
    bad(r"LSTM\(input_size=3\): input \(2, 5, 4\)", ValueError, mg.zeros(2, 5, 4))
    bad(r"input \(2, 5, 4\), expected \(B, T, input_size\)", ValueError, mg.zeros(2, 5, 4), batch_first=True)
    bad(r"input \(3,\)", ValueError, mg.zeros(3), batch_first=True)


def test_a_sequence_of_no_steps_is_refused():
    bad(r"input \(0, 5, 3\) has sequence length 0", ValueError, mg.zeros(0, 5, 3))
    bad(r"input \(5, 0, 3\) has sequence length 0", ValueError, mg.zeros(5, 0, 3), batch_first=True)


def test_a_state_of_wrong_shape_is_told_the_right_one():
    right, wrong = mg.zeros(4, 5, 4), mg.zeros(2, 5, 4)
    expected = r"expected \(num_layers·directions, B, hidden_size\) = \(4, 5, 4\)"
    bad(rf"h0 \(2, 5, 4\), {expected}", ValueError, mg.zeros(7, 5, 3), (wrong, right))
    bad(rf"c0 \(2, 5, 4\), {expected}", RuntimeError, mg.zeros(7, 5, 3), (right, wrong))
    bad(r"hx must be a pair \(h0, c0\), got Tensor", TypeError, mg.zeros(7, 5, 3), right)


def test_lengths_that_do_not_fit_are_refused():
    x = mg.zeros(7, 2, 3)
    bad(r"lengths \(3,\), expected one for each sequence, \(B,\) = \(2,\)", ValueError, x, lengths=[1, 2, 3])
    bad(r"lengths\[1\] is 8, expected 1 to T = 7", ValueError, x, lengths=[7, 8])
    bad(r"lengths\[0\] is 0, expected 1 to T = 7", ValueError, x, lengths=[0, 7])
    bad("lengths must be integers, got float32", TypeError, x, lengths=[1.0, 2.0])


def test_a_cell_refuses_wrong_shapes():
    with pytest.raises(ValueError, match=r"LSTMCell: input \(2, 5\), expected \(B, input_size\) = \(B, 3\)"):
        nn.LSTMCell(3, 4)(mg.zeros(2, 5))
    with pytest.raises(ValueError, match=r"LSTMCell: h0 \(2, 3\), expected \(B, hidden_size\) = \(2, 4\)"):
        nn.LSTMCell(3, 4)(mg.zeros(2, 3), (mg.zeros(2, 3), mg.zeros(2, 3)))


@pytest.mark.parametrize("options", [{"num_layers": 0}, {"hidden_size": 0}, {"dropout": 1.5}])
def test_impossible_sizes_are_refused(options):
    with pytest.raises(ValueError, match="LSTM"):
        nn.LSTM(**{"input_size": 3, "hidden_size": 4, **options})
