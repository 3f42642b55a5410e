"""PyTorch as the oracle of recurrent layers: same state, same input, in float64; all numbers to 1e-10."""

from itertools import product

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn.utils import rnn

pytestmark = pytest.mark.oracle

T, B, SIZE, H = 5, 4, 3, 4
KINDS = {
    "RNN": ("RNN", {}),
    "RNN with relu": ("RNN", {"nonlinearity": "relu"}),
    "GRU": ("GRU", {}),
    "LSTM": ("LSTM", {}),
    "LSTM with a projection": ("LSTM", {"proj_size": 2}),
}
NAMES = ("num_layers", "bidirectional", "batch_first", "bias")
OPTIONS = [
    dict(zip(NAMES, values, strict=True))
    for values in product((1, 2), (False, True), (False, True), (True, False))
]
LENGTHS = {"sorted": [5, 4, 4, 1], "unsorted": [2, 5, 1, 4], "none as long as the input": [2, 4, 1, 3]}

each_kind = pytest.mark.parametrize("kind", KINDS)
each_option = pytest.mark.parametrize(
    "options",
    OPTIONS,
    ids=lambda options: "-".join(f"{name}={value}" for name, value in options.items()),
)


@pytest.fixture
def torch():
    import torch

    torch.manual_seed(0)
    return torch


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def pair(torch, kind, sizes, options):
    """The same module twice, ours with the state of theirs; their names and their texts are equal, too."""
    theirs, ours = (
        getattr(torch.nn, kind)(*sizes, **options).double(),
        getattr(nn, kind)(*sizes, **options).double(),
    )
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    assert repr(ours) == repr(theirs)
    ours.load_state_dict({name: value.numpy() for name, value in state.items()})
    return ours, theirs


def flattened(outputs):
    """The Tensors among the outputs, one after the other."""
    if not isinstance(outputs, tuple | list):
        return [outputs] if outputs is not None else []
    return [tensor for output in outputs for tensor in flattened(output)]


def compare(torch, modules, call, arrays):
    """`call(library, module, *inputs)` gives the same outputs, and the same gradients of all that has one."""
    found = []
    for library, module in zip((mg, torch), modules, strict=True):
        inputs = [library.tensor(array, requires_grad=True) for array in arrays]
        outputs = flattened(call(library, module, *inputs))
        floating = [output for output in outputs if output.dtype in (mg.float64, torch.float64)]
        weights = [library.tensor(normal(i, *output.shape)) for i, output in enumerate(floating)]
        sum((y * weight).sum() for y, weight in zip(floating, weights, strict=True)).backward()
        leaves = [*inputs, *module.parameters()]
        found.append([output.detach().numpy() for output in outputs] + [leaf.grad.numpy() for leaf in leaves])
    for ours, theirs in zip(*found, strict=True):
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


def sequences(module, batch=(B,)):
    """An input and the states of a module, as arrays."""
    rows = module.num_layers * (1 + module.bidirectional)
    shape = (*batch, T, SIZE) if module.batch_first else (T, *batch, SIZE)
    h0, c0 = (rows, *batch, module.proj_size or H), (rows, *batch, H)
    return [normal(0, *shape), normal(1, *h0), *([normal(2, *c0)] if module.mode == "LSTM" else [])]


def state(states):
    """hx as each kind of module takes it."""
    return states if len(states) > 1 else states[0]


@each_kind
@each_option
@pytest.mark.parametrize("form", ["batch", "batch without states", "single", "single without states"])
def test_a_layer_agrees_with_pytorch(torch, kind, options, form):
    name, more = KINDS[kind]
    modules = pair(torch, name, (SIZE, H), options | more)
    arrays = sequences(modules[0], () if "single" in form else (B,))
    if "without" in form:
        compare(torch, modules, lambda _, module, x: module(x), arrays[:1])
    else:
        compare(torch, modules, lambda _, module, x, *states: module(x, state(states)), arrays)


@each_kind
@each_option
@pytest.mark.parametrize("lengths", LENGTHS)
def test_a_layer_takes_and_gives_packed_sequences_as_pytorch_does(torch, kind, options, lengths):
    name, more = KINDS[kind]
    modules = pair(torch, name, (SIZE, H), options | more)

    def call(library, module, x, *states):
        tools = rnn if library is mg else torch.nn.utils.rnn
        packed = tools.pack_padded_sequence(
            x, library.tensor(LENGTHS[lengths]), module.batch_first, enforce_sorted=lengths == "sorted"
        )
        output, ends = module(packed, state(states))
        return *packed, *output, ends, tools.pad_packed_sequence(output, module.batch_first)

    compare(torch, modules, call, sequences(modules[0]))


@each_kind
@each_option
def test_lengths_agree_with_packed_sequences_of_pytorch(torch, kind, options):
    name, more = KINDS[kind]
    modules, lengths = pair(torch, name, (SIZE, H), options | more), LENGTHS["unsorted"]

    def call(library, module, x, *states):
        if library is mg:
            return module(x, state(states), lengths=lengths)
        tools, batch_first = torch.nn.utils.rnn, module.batch_first
        packed = tools.pack_padded_sequence(x, torch.tensor(lengths), batch_first, enforce_sorted=False)
        output, ends = module(packed, state(states))
        return tools.pad_packed_sequence(output, batch_first, total_length=T)[0], ends

    compare(torch, modules, call, sequences(modules[0]))


@each_kind
def test_in_evaluation_dropout_does_nothing_as_in_pytorch(torch, kind):
    name, more = KINDS[kind]
    modules = pair(torch, name, (SIZE, H), {"num_layers": 2, "dropout": 0.5, **more})
    modules = [module.eval() for module in modules]
    compare(torch, modules, lambda _, module, x: module(x), sequences(modules[0])[:1])


@pytest.mark.parametrize("form", ["batch", "single"])
@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", ["RNNCell", "RNNCell with relu", "LSTMCell", "GRUCell"])
def test_a_cell_agrees_with_pytorch(torch, kind, bias, given, form):
    name, _, relu = kind.partition(" with ")
    modules = pair(torch, name, (SIZE, H), {"bias": bias} | ({"nonlinearity": "relu"} if relu else {}))
    batch = (B,) if form == "batch" else ()
    states = [normal(1, *batch, H), normal(2, *batch, H)][: 2 if name == "LSTMCell" else 1]

    def call(_, module, x, *states):
        return module(x, state(states)) if states else module(x)

    compare(torch, modules, call, [normal(0, *batch, SIZE), *(states if given else [])])


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"])
def test_parameters_start_within_the_same_bounds_as_in_pytorch(torch, name):
    ours, theirs = getattr(nn, name)(90, 60), getattr(torch.nn, name)(90, 60)
    for (path, mine), other in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert path == other[0]
        assert mine.shape == tuple(other[1].shape)
        assert np.abs(mine.array).max() == pytest.approx(other[1].abs().max().item(), rel=0.15)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("padding_side", ["left", "right"])
def test_packing_and_padding_agree_with_pytorch(torch, batch_first, padding_side):
    arrays = [normal(length, length, 2) for length in (2, 4, 1)]
    found = []
    for library, tools in ((mg, rnn), (torch, torch.nn.utils.rnn)):
        tensors = [library.tensor(array, requires_grad=True) for array in arrays]
        padded = tools.pad_sequence(tensors, batch_first, -1.0, padding_side)
        packed = tools.pack_sequence(tensors, enforce_sorted=False)
        again, lengths = tools.pad_packed_sequence(packed, batch_first, 7.0, total_length=6)
        singles = [*tools.unpack_sequence(packed), *tools.unpad_sequence(again.clone(), lengths, batch_first)]
        outputs = [padded, *packed, again, lengths, *singles]
        for output in [padded, again]:
            (output * library.tensor(normal(3, *output.shape))).sum().backward()
        grads = [tensor.grad for tensor in tensors]
        found.append([tensor.detach().numpy() for tensor in outputs + grads])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype


def test_parameters_to_a_vector_and_back_agree_with_pytorch(torch):
    ours, theirs = pair(torch, "LSTM", (SIZE, H), {})
    vector = torch.nn.utils.parameters_to_vector(theirs.parameters()).detach().numpy()
    np.testing.assert_array_equal(nn.utils.parameters_to_vector(ours.parameters()).array, vector)
    nn.utils.vector_to_parameters(mg.tensor(vector[::-1].copy()), ours.parameters())
    torch.nn.utils.vector_to_parameters(torch.tensor(vector[::-1].copy()), theirs.parameters())
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_array_equal(mine.array, other.detach().numpy())


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_a_hundred_steps_of_training_have_the_losses_of_pytorch(torch, kind):
    ours, theirs = pair(torch, kind, (SIZE, H), {"num_layers": 2, "bidirectional": True})
    x, target = normal(0, T, B, SIZE), normal(1, T, B, 2 * H) / 2
    curves = []
    for library, module in ((mg, ours), (torch, theirs)):
        optimizer = library.optim.Adam(module.parameters(), lr=0.03)
        inputs, wanted, losses = library.tensor(x), library.tensor(target), []
        for _ in range(100):
            optimizer.zero_grad()
            loss = library.nn.functional.mse_loss(module(inputs)[0], wanted)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        curves.append(losses)
    assert curves[1][-1] < 0.6 * curves[1][0]
    np.testing.assert_allclose(curves[0], curves[1], rtol=0, atol=1e-6)
