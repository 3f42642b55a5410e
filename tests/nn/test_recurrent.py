"""RNN, GRU and LSTM alike: equations, directions, layers, lengths, packed input.  See also test_rnn.py."""

import functools

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, ops
from minigrad.testing.cards import recurrent as written_out

KINDS = {
    "RNN": (nn.RNN, nn.RNNCell, {}, functools.partial(written_out.rnn_step, nonlinearity="tanh")),
    "RNN with relu": (
        nn.RNN,
        nn.RNNCell,
        {"nonlinearity": "relu"},
        functools.partial(written_out.rnn_step, nonlinearity="relu"),
    ),
    "GRU": (nn.GRU, nn.GRUCell, {}, written_out.gru_step),
    "GRU of Cho": (nn.GRU, nn.GRUCell, {"reset_after": False}, written_out.gru_reset_first_step),
    "LSTM": (nn.LSTM, nn.LSTMCell, {}, written_out.lstm_step),
    "LSTM with a projection": (nn.LSTM, None, {"proj_size": 2}, written_out.lstm_step),
}
WITH_CELL = [kind for kind, (_, cell, _, _) in KINDS.items() if cell]
T, B, SIZE, H = 4, 3, 2, 3
LENGTHS = [2, 4, 1]

each_kind = pytest.mark.parametrize("kind", KINDS)


def normal(seed, *shape, requires_grad=False):
    drawn = np.random.default_rng(seed).standard_normal(shape)
    return mg.tensor(drawn, requires_grad=requires_grad)


def layer_of(kind, **options):
    layer, _, more, _ = KINDS[kind]
    return layer(SIZE, H, dtype=mg.float64, **more, **options)


def states_of(layer, batch=(B,), requires_grad=False):
    rows = layer.num_layers * (1 + layer.bidirectional)
    sizes = [layer.proj_size or H, H][: len(layer.state_names)]
    return [normal(5 + i, rows, *batch, size, requires_grad=requires_grad) for i, size in enumerate(sizes)]


def hx_of(states):
    return tuple(states) if len(states) > 1 else states[0]


def listed(states):
    return list(states) if isinstance(states, tuple) else [states]


def loop(kind, x, states, weights, reverse=False):
    """The written-out steps one after the other: outputs (T, B, P), last states."""
    step, outputs = KINDS[kind][3], [None] * len(x)
    for t in reversed(range(len(x))) if reverse else range(len(x)):
        states = step(x[t], states, *weights)
        outputs[t] = states[0]
    return np.stack(outputs), states


def weights_of(layer, suffix="_l0"):
    kinds = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", *(["weight_hr"] if layer.proj_size else [])]
    found = [getattr(layer, kind + suffix) for kind in kinds]
    return [None if parameter is None else parameter.array for parameter in found]


def close(found, expected, within=1e-12):
    np.testing.assert_allclose(getattr(found, "array", found), expected, rtol=0, atol=within)


# ---------------------------------------------------------------------------------------------- equations


@each_kind
@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_is_a_loop_over_its_equations(kind, bias):
    layer = layer_of(kind, bias=bias)
    x, states = normal(0, T, B, SIZE), states_of(layer)
    output, ends = layer(x, hx_of(states))
    expected, last = loop(kind, x.array, [state.array[0] for state in states], weights_of(layer))
    close(output, expected)
    for end, state in zip(listed(ends), last, strict=True):
        close(end, state[None])


@pytest.mark.parametrize("kind", WITH_CELL)
def test_a_layer_and_a_loop_of_cells_have_equal_outputs_and_gradients(kind):
    layer, (_, cell_type, more, _) = layer_of(kind), KINDS[kind]
    cell = cell_type(SIZE, H, dtype=mg.float64, **more)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    x, twin = (normal(0, T, B, SIZE, requires_grad=True) for _ in range(2))
    state, outputs = None, []
    for t in range(T):
        state = cell(twin[t], state)
        outputs.append(listed(state)[0])
    cotangent = normal(1, T, B, H)
    (layer(x)[0] * cotangent).sum().backward()
    (mg.stack(outputs) * cotangent).sum().backward()
    close(layer(x)[0], mg.stack(outputs).array)
    close(x.grad, twin.grad.array)
    for one, other in zip(layer.parameters(), cell.parameters(), strict=True):
        close(one.grad, other.grad.array)


@pytest.mark.parametrize("kind", WITH_CELL)
def test_a_cell_starts_from_zeros_and_takes_a_single_example(kind):
    _, cell_type, more, step = KINDS[kind]
    cell = cell_type(SIZE, H, dtype=mg.float64, **more)
    x, zero = normal(0, B, SIZE), np.zeros((B, H))
    weights = [parameter.array for parameter in cell.parameters()]
    expected = step(x.array, [zero] * len(cell.state_names), *weights)
    for found, single, state in zip(listed(cell(x)), listed(cell(x[1])), expected, strict=True):
        close(found, state)
        close(single, state[1])


def test_the_two_variants_of_the_gru_differ_only_in_where_the_reset_gate_acts():
    after, first = layer_of("GRU"), layer_of("GRU of Cho")
    first.load_state_dict(after.state_dict())
    x, h0 = normal(0, T, B, SIZE), normal(1, 1, B, H)
    assert np.abs(after(x, h0)[0].array - first(x, h0)[0].array).max() > 1e-3
    for layer in (after, first):  # a reset gate that is open all the time makes them equal
        with mg.no_grad():
            layer.bias_ih_l0[:H] = 100.0
    close(after(x, h0)[0], first(x, h0)[0].array)


@each_kind
@pytest.mark.parametrize("lengths", [None, LENGTHS])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}])
def test_a_layer_has_the_right_gradients(assert_gradients, kind, lengths, options):
    layer = layer_of(kind, **options)
    x, states = normal(0, T, B, SIZE, requires_grad=True), states_of(layer, requires_grad=True)
    assert_gradients(layer, x, hx_of(states), lengths=lengths)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_the_kernel_of_relu_equals_its_definition_on_both_sides_of_the_kink(lengths, reverse):
    shapes = [(T, B, SIZE), (B, H), (H, SIZE), (H, H), (H,), (H,)]
    found = []
    for function in (ops.rnn, ops.rnn.definition):
        inputs = [normal(i, *shape, requires_grad=True) for i, shape in enumerate(shapes)]
        given = None if lengths is None else mg.tensor(lengths)
        y, h = function(*inputs, given, nonlinearity="relu", reverse=reverse)
        assert 0.1 < (y.array > 0).mean() < 0.9
        ((y * normal(7, *y.shape)).sum() + (h * normal(8, *h.shape)).sum()).backward()
        found.append([y, h, *(tensor.grad for tensor in inputs)])
    for kernel, definition in zip(*found, strict=True):
        close(kernel, definition.array)


@pytest.mark.parametrize("kind", ["RNN", "GRU", "GRU of Cho", "LSTM", "LSTM with a projection"])
def test_half_precision_adds_up_in_float32(kind):
    layer = layer_of(kind)
    x, g = mg.rand(60, 2, SIZE), mg.rand(60, 2, layer.proj_size or H)
    found = []
    for dtype in (mg.float16, mg.float64):
        halved = [parameter.half() for parameter in layer.parameters()]
        weights = [w.detach().to(dtype).requires_grad_() for w in halved]
        states = [
            mg.zeros(2, size, dtype=dtype) for size in (layer.proj_size or H, H)[: len(layer.state_names)]
        ]
        output = layer.run(x.half().to(dtype), states, weights, None, reverse=False)[0]
        output.backward(g.half().to(dtype))
        found.append([output, *(w.grad for w in weights)])
    for short, exact in zip(*found, strict=True):
        assert short.dtype == mg.float16
        assert np.abs(short.array - exact.array).max() < 3e-3 * max(1, np.abs(exact.array).max())


# ---------------------------------------------------------------------------------------------- the stack


@each_kind
def test_two_directions_are_two_runs(kind):
    layer = layer_of(kind, bidirectional=True)
    x, states = normal(0, T, B, SIZE), states_of(layer)
    output, ends = layer(x, hx_of(states))
    firsts = [[state.array[d] for state in states] for d in (0, 1)]
    forth = loop(kind, x.array, firsts[0], weights_of(layer))
    back = loop(kind, x.array, firsts[1], weights_of(layer, "_l0_reverse"), reverse=True)
    close(output, np.concatenate([forth[0], back[0]], axis=2))
    for i, end in enumerate(listed(ends)):
        close(end, np.stack([forth[1][i], back[1][i]]))


@each_kind
def test_a_stack_feeds_each_layer_with_the_one_below(kind):
    layer = layer_of(kind, num_layers=2)
    x, states = normal(0, T, B, SIZE), states_of(layer)
    output, ends = layer(x, hx_of(states))
    below = loop(kind, x.array, [state.array[0] for state in states], weights_of(layer))
    above = loop(kind, below[0], [state.array[1] for state in states], weights_of(layer, "_l1"))
    close(output, above[0])
    for i, end in enumerate(listed(ends)):
        close(end, np.stack([below[1][i], above[1][i]]))


@each_kind
def test_batch_first_and_a_single_sequence_are_other_forms_of_the_same(kind):
    plain, batch_first = (
        layer_of(kind, bidirectional=True),
        layer_of(kind, bidirectional=True, batch_first=True),
    )
    batch_first.load_state_dict(plain.state_dict())
    x, states = normal(0, T, B, SIZE), states_of(plain)
    output, ends = plain(x, hx_of(states))
    swapped, same = batch_first(x.transpose(0, 1), hx_of(states))
    close(swapped.transpose(0, 1), output.array)
    for layer in (plain, batch_first):
        single, last = layer(x[:, 1], hx_of([state[:, 1] for state in states]))
        close(single, output.array[:, 1])
        for end, other, alone in zip(listed(ends), listed(same), listed(last), strict=True):
            close(other, end.array)
            close(alone, end.array[:, 1])


@each_kind
def test_dropout_acts_between_layers_in_training_only(kind):
    layer = layer_of(kind, num_layers=2, dropout=0.5)
    x = normal(0, 9, 5, SIZE)
    assert layer(x)[0].tolist() != layer(x)[0].tolist()
    layer.eval()
    assert layer(x)[0].tolist() == layer(x)[0].tolist()


# ---------------------------------------------------------------------------------------------- lengths


@each_kind
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_each_of_several_lengths_is_as_if_alone(kind, batch_first, packed):
    layer = layer_of(kind, num_layers=2, bidirectional=True, batch_first=batch_first)
    x, states = normal(0, B, T, SIZE), states_of(layer)
    given = x if batch_first else x.transpose(0, 1)
    if packed:
        steps = nn.utils.rnn.pack_padded_sequence(given, LENGTHS, batch_first, enforce_sorted=False)
        output, ends = layer(steps, hx_of(states))
        assert type(output) is nn.utils.rnn.PackedSequence
        output, lengths = nn.utils.rnn.pad_packed_sequence(output, batch_first)
        assert lengths.tolist() == LENGTHS
    else:
        output, ends = layer(given, hx_of(states), lengths=LENGTHS)
    output = output if batch_first else output.transpose(0, 1)
    for b, length in enumerate(LENGTHS):
        alone, last = layer(x[b, :length], hx_of([state[:, b] for state in states]))
        close(output[b, :length], alone.array)
        assert not output.array[b, length:].any()
        for end, expected in zip(listed(ends), listed(last), strict=True):
            close(end[:, b], expected.array)


@each_kind
def test_padding_gets_exactly_no_gradient(kind):
    layer = layer_of(kind, num_layers=2, bidirectional=True)
    x = normal(0, T, B, SIZE, requires_grad=True)
    output, ends = layer(x, lengths=LENGTHS)
    (output.sum() + sum(end.sum() for end in listed(ends))).backward()
    for b, length in enumerate(LENGTHS):
        assert not x.grad.array[length:, b].any()
        assert x.grad.array[:length, b].any(axis=1).all()


# ---------------------------------------------------------------------------------------------- parameters


@pytest.mark.parametrize("kind", ["LSTM", "LSTM with a projection"])
def test_forget_biases_add_up_to_what_was_asked_for(kind):
    layer = layer_of(kind, num_layers=2, bidirectional=True, forget_bias=1.5)
    cell = nn.LSTMCell(SIZE, H, forget_bias=1.5)
    ends = ["_l0", "_l0_reverse", "_l1", "_l1_reverse"]
    for module, suffix in [*((layer, end) for end in ends), (cell, "")]:
        module.reset_parameters()
        total = getattr(module, f"bias_ih{suffix}").array + getattr(module, f"bias_hh{suffix}").array
        assert total[H : 2 * H].tolist() == [1.5] * H
        assert (np.abs(np.delete(total, np.s_[H : 2 * H])) < 2 / np.sqrt(H)).all()


def test_a_forget_bias_needs_biases():
    for make in (nn.LSTM, nn.LSTMCell):
        with pytest.raises(ValueError, match=r"forget_bias=1.0 needs biases; pass bias=True"):
            make(2, 3, bias=False, forget_bias=1.0)


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (nn.RNN(2, 3, nonlinearity="relu"), "RNN(2, 3)"),  # as in PyTorch
        (nn.RNNCell(2, 3, False, "relu"), "RNNCell(2, 3, bias=False, nonlinearity=relu)"),
        (nn.GRU(2, 3, 2, reset_after=False), "GRU(2, 3, num_layers=2, reset_after=False)"),
        (nn.GRUCell(2, 3), "GRUCell(2, 3)"),
        (nn.LSTM(2, 3, proj_size=1, dropout=0.1), "LSTM(2, 3, proj_size=1, dropout=0.1)"),
    ],
)
def test_a_layer_says_what_is_not_usual(module, text):
    assert repr(module) == text


def test_projections_are_named_and_shaped_as_in_pytorch():
    layer = nn.LSTM(2, 4, 2, bidirectional=True, proj_size=3)
    names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"]
    assert list(layer.state_dict())[:5] == [f"{name}_l0" for name in names]
    shapes = [weight.shape for weight in layer.all_weights[3]]
    assert shapes == [(16, 6), (16, 3), (16,), (16,), (3, 4)]
    assert layer.flatten_parameters() is None


# ---------------------------------------------------------------------------------------------- bad input


def bad(message, error, call):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_a_wrong_input_to_a_layer_is_refused(name):
    layer = getattr(nn, name)(3, 4, num_layers=2, bidirectional=True)
    wrong = mg.zeros(2, 5, 4)
    hx = (wrong, wrong) if name == "LSTM" else wrong
    bad(rf"{name}\(input_size=3\): input \(1, 2, 5, 3\)", ValueError, lambda: layer(mg.zeros(1, 2, 5, 3)))
    bad(rf"{name}: input \(0, 5, 3\) has sequence length 0", ValueError, lambda: layer(mg.zeros(0, 5, 3)))
    bad(rf"{name}: expected a Tensor, got list", TypeError, lambda: layer([[1.0]]))
    expected = r"expected \(num_layers·directions, B, hidden_size\) = \(4, 5, 4\)"
    bad(rf"{name}: h0 \(2, 5, 4\), {expected}", RuntimeError, lambda: layer(mg.zeros(7, 5, 3), hx))
    single = r"h0 \(2, 5, 4\), expected \(num_layers·directions, hidden_size\) = \(4, 4\)"
    bad(single, ValueError, lambda: layer(mg.zeros(7, 3), hx))
    bad(r"lengths\[1\] is 8", ValueError, lambda: layer(mg.zeros(7, 2, 3), lengths=[7, 8]))
    packed = nn.utils.rnn.pack_sequence([mg.zeros(2, 3)])
    bad("has lengths of its own", ValueError, lambda: layer(packed, lengths=[2]))
    bad(r"input \(2, 1, 5\)", ValueError, lambda: layer(nn.utils.rnn.pack_sequence([mg.zeros(2, 5)])))


def test_a_state_of_the_wrong_kind_is_refused():
    bad("GRU: h0 must be a Tensor, got tuple", TypeError, lambda: nn.GRU(3, 4)(mg.zeros(2, 1, 3), (1, 2)))
    bad("LSTM: h0 must be a Tensor, got int", TypeError, lambda: nn.LSTM(3, 4)(mg.zeros(2, 1, 3), (1, 2)))
    layer = nn.LSTM(3, 4, proj_size=2)
    wrong = (mg.zeros(1, 5, 4), mg.zeros(1, 5, 4))
    expected = r"h0 \(1, 5, 4\), expected \(num_layers·directions, B, proj_size\) = \(1, 5, 2\)"
    bad(expected, ValueError, lambda: layer(mg.zeros(2, 5, 3), wrong))


@pytest.mark.parametrize("name", ["RNNCell", "GRUCell", "LSTMCell"])
def test_a_wrong_input_to_a_cell_is_refused(name):
    cell = getattr(nn, name)(3, 4)
    wrong = mg.zeros(2, 3)
    hx = (wrong, wrong) if name == "LSTMCell" else wrong
    bad(
        rf"{name}: input \(2, 5\), expected \(B, input_size\) = \(B, 3\)",
        ValueError,
        lambda: cell(mg.zeros(2, 5)),
    )
    bad(rf"{name}: input \(1, 2, 3\)", RuntimeError, lambda: cell(mg.zeros(1, 2, 3)))
    bad(rf"{name}: expected a Tensor, got int", TypeError, lambda: cell(3))
    expected = r"h0 \(2, 3\), expected \(B, hidden_size\) = \(2, 4\)"
    bad(rf"{name}: {expected}", ValueError, lambda: cell(mg.zeros(2, 3), hx))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.RNN(3, 4, nonlinearity="sigmoid"), 'nonlinearity=\'sigmoid\', expected "tanh" or "relu"'),
        (lambda: nn.RNNCell(3, 4, nonlinearity="sin"), "RNNCell.*nonlinearity='sin'"),
        (lambda: nn.LSTM(3, 4, proj_size=4), r"proj_size=4, expected 0 \(no projection\) or less than"),
        (lambda: nn.LSTM(3, 4, proj_size=-1), "proj_size=-1"),
        (lambda: nn.GRU(3, 4, dropout=1.5), r"GRU\(\): dropout=1.5"),
        (lambda: nn.GRU(0, 4), "input_size=0, expected at least 1"),
        (lambda: nn.RNN(3, 4, num_layers=0), "num_layers=0, expected at least 1"),
        (lambda: nn.GRUCell(3, 0), r"GRUCell\(\): hidden_size=0"),
    ],
)
def test_impossible_options_are_refused(make, message):
    bad(message, ValueError, make)


@pytest.mark.parametrize("base", [nn.RNNBase("LSTM", 2, 3), nn.RNNCellBase(2, 3, True, 1)])
def test_a_base_class_does_not_run(base):
    x = mg.zeros(4, 1, 2) if isinstance(base, nn.RNNBase) else mg.zeros(1, 2)
    bad("must define", NotImplementedError, lambda: base(x))
