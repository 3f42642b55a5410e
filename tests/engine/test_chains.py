"""Chains on the tape: how many operations wait for one another, and the shortest way between two tensors."""

import pytest

import minigrad as mg
from minigrad import nn
from minigrad.chains import longest_chain, shortest_chain
from minigrad.errors import GraphError
from minigrad.nn import functional as F


def leaf(*shape):
    return mg.ones(*shape, requires_grad=True)


def test_a_leaf_waits_for_nothing():
    x = leaf(2)
    assert longest_chain(x) == shortest_chain(x, x) == 0


def test_of_two_ways_the_longest_is_waited_for_and_the_shortest_leads():
    x = leaf(3)
    y = x.exp().sin().cos() + x
    assert longest_chain(y) == 4
    assert shortest_chain(x, y) == 1


def test_a_way_begins_at_its_source_and_not_at_another_leaf():
    x, other = leaf(3), leaf(3)
    y = x.exp().sin() + other
    assert shortest_chain(x, y) == 3
    assert shortest_chain(other, y) == 1


def test_a_graph_deeper_than_python_s_stack_is_walked():
    x = leaf()
    y = x
    for _ in range(3000):
        y = y * 2
    assert longest_chain(y) == shortest_chain(x, y) == 3000


def test_one_of_several_outputs_is_no_operation_of_its_own():
    x = leaf(4)
    values, _ = x.sort()
    assert longest_chain(values) == 1


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_the_steps_inside_a_recurrent_layer_are_counted(kind):
    """One node of the tape each, and as many steps as the cell has, one after the other."""
    layer = kind(2, 3)
    found = {length: longest_chain(layer(mg.ones(length, 1, 2))[0]) for length in (2, 4, 8)}
    assert found[8] - found[4] == 2 * (found[4] - found[2]) > 0
    longer = longest_chain(layer(mg.ones(4, 1, 2))[0][0])  # the first state waits for the whole layer
    assert longer == found[4] + 1


def test_a_fused_operation_is_as_long_as_its_definition():
    x, w, b = leaf(2, 3), leaf(3), leaf(3)
    fused = F.layer_norm(x, (3,), w, b)
    mean = x.sum(dim=1, keepdim=True) / 3
    assert fused.node.plan.op.definition is not None
    assert longest_chain(fused) >= longest_chain(((x - mean) ** 2).sum(dim=1))
    assert shortest_chain(b, fused) == 1
    assert shortest_chain(x, fused) > 1


def test_the_last_state_is_as_far_from_the_first_token_as_there_are_steps():
    cell = nn.RNNCell(2, 3)
    tokens = [leaf(1, 2) for _ in range(6)]
    state, states = None, []
    for token in tokens:
        state = cell(token, state)
        states.append(state)
    near, far = (shortest_chain(tokens[0], states[end]) for end in (2, 4))
    assert far == 2 * near - shortest_chain(tokens[0], states[0])
    with pytest.raises(GraphError, match="no way from the source"):
        shortest_chain(tokens[3], states[2])


def test_all_ways_of_self_attention_are_of_one_length():
    lengths = set()
    for length in (2, 5, 9):
        tokens = [leaf(1, 4) for _ in range(length)]
        x = mg.stack(tokens, dim=1)
        y, _ = nn.MultiheadAttention(4, 2, batch_first=True)(x, x, x)
        lengths |= {shortest_chain(token, y) for token in tokens}
        assert longest_chain(y) > shortest_chain(tokens[0], y)
    assert len(lengths) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: longest_chain(mg.ones(3)), r"longest_chain\(\): a tensor of shape \(3,\) has no graph"),
        (
            lambda: shortest_chain(mg.ones(3), leaf(3) * 2),
            r"shortest_chain\(\): a tensor of shape \(3,\) has",
        ),
        (
            lambda: shortest_chain(leaf(2), leaf(3) * 2),
            r"no way from the source of shape \(2,\) to the output",
        ),
    ],
)
def test_what_has_no_chain_is_refused(call, message):
    with pytest.raises(GraphError, match=message):
        call()


def test_a_graph_that_a_backward_pass_has_freed_is_refused():
    y = nn.RNN(2, 3)(mg.ones(4, 1, 2))[0].sum()
    y.backward()
    with pytest.raises(GraphError, match="values of rnn were freed by a backward pass"):
        longest_chain(y)
