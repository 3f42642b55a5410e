"""The cards of the recurrent operations: RNN, LSTM and GRU over sequences."""

import numpy as np
from hypothesis import strategies as st

from minigrad import ops
from minigrad.testing.card import Card
from minigrad.testing.signatures import lstm_steps, recurrent_sequences
from minigrad.testing.strategies import POSITIVE, Domain, index_below

GENTLE = Domain(low=-0.5, high=0.5)  # no gate is so far open or closed that its gradient is lost in rounding
LENGTH = index_below(lambda shapes, statics: shapes[0][0] + 1, first=1)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def affine(x, weight, bias):
    return x @ weight.T if bias is None else x @ weight.T + bias


def rnn_step(x, states, weight_ih, weight_hh, bias_ih, bias_hh, nonlinearity):
    z = affine(x, weight_ih, bias_ih) + affine(states[0], weight_hh, bias_hh)
    return [np.tanh(z) if nonlinearity == "tanh" else np.maximum(z, 0)]


def lstm_step(x, states, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr=None):
    h, c = states
    z = affine(x, weight_ih, bias_ih) + affine(h, weight_hh, bias_hh)
    i, f, g, o = np.split(z, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return [h if weight_hr is None else h @ weight_hr.T, c]


def gru_step(x, states, weight_ih, weight_hh, bias_ih, bias_hh):
    a, b = affine(x, weight_ih, bias_ih), affine(states[0], weight_hh, bias_hh)
    (a_r, a_z, a_n), (b_r, b_z, b_n) = np.split(a, 3, axis=-1), np.split(b, 3, axis=-1)
    r, z = sigmoid(a_r + b_r), sigmoid(a_z + b_z)
    return [(1 - z) * np.tanh(a_n + r * b_n) + z * states[0]]


def gru_reset_first_step(x, states, weight_ih, weight_hh, bias_ih, bias_hh):
    h, (u_r, u_z, u_n) = states[0], np.split(weight_hh, 3)
    b_r, b_z, b_n = (0, 0, 0) if bias_ih is None else np.split(bias_ih + bias_hh, 3)
    w_r, w_z, w_n = np.split(weight_ih, 3)
    r, z = sigmoid(x @ w_r.T + h @ u_r.T + b_r), sigmoid(x @ w_z.T + h @ u_z.T + b_z)
    return [(1 - z) * np.tanh(x @ w_n.T + (r * h) @ u_n.T + b_n) + z * h]


def one_by_one(step, states):
    """The sequences of the batch one after the other, each over its own length; `states` go into a step."""

    def reference(x, *rest, reverse, **statics):
        first, weights, lengths = rest[:states], rest[states:-1], rest[-1]
        y = np.zeros((*x.shape[:2], first[0].shape[1]))
        last = [state.copy() for state in first]
        for b in range(x.shape[1]):
            steps = range(x.shape[0] if lengths is None else lengths[b])
            for t in reversed(steps) if reverse else steps:
                found = step(x[t, b], [state[b] for state in last], *weights, **statics)
                for state, new in zip(last, found, strict=True):
                    state[b] = new
                y[t, b] = found[0]
        return y, *last

    return reference


def torch_lstm_cell(torch, x, h, c, *weights):
    return torch.lstm_cell(x, (h, c), *weights)


def sequence_card(op, signature, step, states=1, weights=4, domain=GENTLE, name=None):
    return Card(
        name or op.name, op, signature, one_by_one(step, states), None,
        (*[domain] * (1 + states + weights), LENGTH), result=("same",) * (1 + states),
    )  # fmt: skip


CARDS = [
    Card(
        "lstm_cell", ops.lstm_cell, lstm_steps(),
        lambda x, h, c, *weights: lstm_step(x, (h, c), *weights), torch_lstm_cell, result=("same", "same"),
    ),
    sequence_card(
        ops.lstm, recurrent_sequences(gates=4, states=2, projected=True), lstm_step, states=2, weights=5
    ),
    sequence_card(ops.gru, recurrent_sequences(gates=3), gru_step),
    sequence_card(ops.gru_reset_first, recurrent_sequences(gates=3), gru_reset_first_step),
    sequence_card(ops.rnn, recurrent_sequences(gates=1, nonlinearity=st.just("tanh")), rnn_step),
    sequence_card(  # away from the kink; both of its sides are tried in tests/nn/test_rnn.py
        ops.rnn, recurrent_sequences(gates=1, nonlinearity=st.just("relu")), rnn_step,
        domain=POSITIVE, name="rnn with relu",
    ),
]  # fmt: skip
