"""record_gates: the gates that are recorded are those that made the outputs."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn

T, B, SIZE, H = 5, 3, 2, 4


def normal(seed, *shape):
    return mg.tensor(np.random.default_rng(seed).standard_normal(shape))


def lstm_output(gates, c0, reverse=False):
    """The outputs that these gates make, (T, B, H)."""
    i, f, g, o = (gates[name] for name in ("input", "forget", "cell", "output"))
    c, outputs = c0, [None] * len(i)
    for t in reversed(range(len(i))) if reverse else range(len(i)):
        c = f[t] * c + i[t] * g[t]
        outputs[t] = o[t] * np.tanh(c)
    return np.stack(outputs)


def gru_output(gates, h0, reverse=False):
    z, n = gates["update"], gates["new"]
    h, outputs = h0, [None] * len(z)
    for t in reversed(range(len(z))) if reverse else range(len(z)):
        h = outputs[t] = (1 - z[t]) * n[t] + z[t] * h
    return np.stack(outputs)


@pytest.mark.parametrize("batch_first", [False, True])
def test_the_recorded_gates_of_an_lstm_make_its_outputs(batch_first):
    lstm = nn.LSTM(SIZE, H, 2, bidirectional=True, batch_first=batch_first, dtype=mg.float64)
    x, states = normal(0, T, B, SIZE), (normal(1, 4, B, H), normal(2, 4, B, H))
    with nn.record_gates(lstm) as gates:
        output, _ = lstm(x.transpose(0, 1) if batch_first else x, states)
    assert list(gates) == ["l0", "l0_reverse", "l1", "l1_reverse"]
    found = [
        lstm_output(gates[f"l1{end}"], states[1].array[2 + d], d == 1)
        for d, end in enumerate(["", "_reverse"])
    ]
    expected = output.transpose(0, 1) if batch_first else output
    np.testing.assert_allclose(np.concatenate(found, axis=2), expected.array, atol=1e-14)


@pytest.mark.parametrize("reset_after", [True, False])
def test_the_recorded_gates_of_a_gru_make_its_outputs(reset_after):
    gru = nn.GRU(SIZE, H, bidirectional=True, reset_after=reset_after, dtype=mg.float64)
    x, h0 = normal(0, T, B, SIZE), normal(1, 2, B, H)
    with nn.record_gates(gru) as gates:
        output, _ = gru(x, h0)
    assert list(gates["l0"]) == ["reset", "update", "new"]
    found = [gru_output(gates["l0"], h0.array[0]), gru_output(gates["l0_reverse"], h0.array[1], reverse=True)]
    np.testing.assert_allclose(np.concatenate(found, axis=2), output.array, atol=1e-14)


def test_a_projection_is_what_the_gates_have_seen():
    lstm = nn.LSTM(SIZE, H, proj_size=2, dtype=mg.float64)
    x, c0 = normal(0, T, B, SIZE), normal(2, 1, B, H)
    with nn.record_gates(lstm) as gates:
        output, _ = lstm(x, (normal(1, 1, B, 2), c0))
    found = lstm_output(gates["l0"], c0.array[0]) @ lstm.weight_hr_l0.array.T
    np.testing.assert_allclose(found, output.array, atol=1e-14)


@pytest.mark.parametrize("packed", [False, True])
def test_after_the_end_of_a_sequence_there_is_no_gate(packed):
    lstm, lengths = nn.LSTM(SIZE, H, bidirectional=True, dtype=mg.float64), [2, 5, 1]
    x = normal(0, T, B, SIZE)
    with nn.record_gates(lstm) as gates:
        if packed:
            lstm(nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False))
        else:
            lstm(x, lengths=lengths)
    for b, length in enumerate(lengths):
        with nn.record_gates(lstm) as alone:
            lstm(x[:length, b])
        for direction, found in gates.items():
            for name, values in found.items():
                assert np.isnan(values[length:, b]).all()
                np.testing.assert_allclose(values[:length, b], alone[direction][name][:, 0], atol=1e-14)


def test_the_steps_of_a_cell_follow_one_another():
    model = nn.ModuleDict({"encoder": nn.GRUCell(SIZE, H), "decoder": nn.LSTMCell(SIZE, H)})
    x, h = mg.rand(T, B, SIZE), None
    with nn.record_gates(model) as gates:
        for t in range(T):
            h = model["encoder"](x[t], h)
        single, _ = model["decoder"](x[0, 0])
    assert gates["encoder"]["reset"].shape == (T, B, H)
    np.testing.assert_allclose(gru_output(gates["encoder"], np.zeros((B, H)))[-1], h.array, atol=1e-6)
    assert gates["decoder"]["forget"].shape == (1, 1, H)
    np.testing.assert_allclose(lstm_output(gates["decoder"], np.zeros(H))[0, 0], single.array, atol=1e-6)
    cell = nn.LSTMCell(SIZE, H)
    with nn.record_gates(cell) as gates:
        cell(x[0])
    assert list(gates) == ["LSTMCell"]


def test_recording_ends_with_the_block_even_after_an_error():
    lstm, gates = nn.LSTM(SIZE, H), {}

    def run():
        with nn.record_gates(lstm) as recorded:
            lstm(mg.rand(T, B, SIZE))
            gates["of the block"] = recorded
            lstm(mg.rand(T, B, SIZE + 1))

    with pytest.raises(ValueError, match="input"):
        run()
    assert lstm.gate_log is None
    lstm(mg.rand(T, B, SIZE))
    assert gates["of the block"]["l0"]["input"].shape == (T, B, H)


def test_a_recorded_run_has_the_outputs_and_gradients_of_any_other():
    lstm, x = nn.LSTM(SIZE, H), mg.rand(T, B, SIZE)
    lstm(x)[0].sum().backward()
    plain = lstm.weight_hh_l0.grad.tolist()
    lstm.zero_grad()
    with nn.record_gates(lstm):
        lstm(x)[0].sum().backward()
    assert lstm.weight_hh_l0.grad.tolist() == plain


def test_a_module_without_gates_is_refused():
    with pytest.raises(ValueError, match="there is no LSTM, GRU, LSTMCell or GRUCell in this Sequential"):
        nn.record_gates(nn.Sequential(nn.RNN(2, 3))).__enter__()
