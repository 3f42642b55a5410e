"""PyTorch as the oracle: same state, same input, in float64; outputs and all gradients to 1e-10."""

import numpy as np
import pytest

import minigrad as mg
import minigrad.nn.functional as F
from minigrad import nn

pytestmark = pytest.mark.oracle

TOLERANCE = {"rtol": 1e-10, "atol": 1e-10}


@pytest.fixture
def torch():
    import torch

    torch.manual_seed(0)
    return torch


def flattened(outputs):
    if not isinstance(outputs, tuple | list):
        return [outputs]
    return [tensor for output in outputs for tensor in flattened(output)]


def equal(name, found, expected):
    np.testing.assert_allclose(found, expected.detach().numpy(), err_msg=name, **TOLERANCE)


def compare(torch, ours, theirs, arrays, call_ours=None, call_theirs=None):
    """Outputs, gradients of inputs and gradients of parameters of the two modules (or functions) agree."""
    random = np.random.default_rng(1)
    x = [mg.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    x_theirs = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    outputs = flattened(ours(*x) if call_ours is None else call_ours(ours, *x))
    expected = flattened(theirs(*x_theirs) if call_theirs is None else call_theirs(theirs, *x_theirs))
    assert len(outputs) == len(expected)
    cotangents = [random.standard_normal(output.shape) for output in outputs]
    for i, (output, wanted) in enumerate(zip(outputs, expected, strict=True)):
        assert output.shape == tuple(wanted.shape)
        equal(f"output {i}", output.array, wanted)
    sum((y * mg.tensor(c)).sum() for y, c in zip(outputs, cotangents, strict=True)).backward()
    sum((y * torch.tensor(c)).sum() for y, c in zip(expected, cotangents, strict=True)).backward()
    for i, (mine, other) in enumerate(zip(x, x_theirs, strict=True)):
        if mine.requires_grad:
            equal(f"gradient of input {i}", mine.grad.array, other.grad)
    if isinstance(ours, nn.Module):
        gradients = {name: parameter.grad for name, parameter in theirs.named_parameters()}
        for name, parameter in ours.named_parameters():
            equal(f"gradient of {name}", parameter.grad.array, gradients[name])


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def integers(seed, high, *shape):
    return np.random.default_rng(seed).integers(0, high, shape)


MODULES = {
    "Linear": ("Linear", (3, 4), {}, [normal(0, 5, 2, 3)]),
    "Linear of a vector": ("Linear", (3, 4), {"bias": False}, [normal(0, 3)]),
    "Identity": ("Identity", (), {}, [normal(0, 3)]),
    "Embedding": ("Embedding", (7, 3), {}, [integers(0, 7, 4, 5)]),
    "Embedding with padding": ("Embedding", (7, 3), {"padding_idx": -2}, [integers(0, 7, 40)]),
    "LayerNorm": ("LayerNorm", (4,), {}, [normal(0, 3, 4)]),
    "LayerNorm of two dimensions": ("LayerNorm", ((2, 4),), {"eps": 0.1}, [normal(0, 3, 2, 4)]),
    "LayerNorm without bias": ("LayerNorm", (4,), {"bias": False}, [normal(0, 3, 4)]),
    "LayerNorm without parameters": ("LayerNorm", (4,), {"elementwise_affine": False}, [normal(0, 3, 4)]),
    "Dropout in evaluation": ("Dropout", (0.5,), {}, [normal(0, 3, 4)]),
    "Tanh": ("Tanh", (), {}, [normal(0, 3, 4)]),
    "Sigmoid": ("Sigmoid", (), {}, [normal(0, 3, 4) * 10]),
    "ReLU": ("ReLU", (), {}, [np.array([-1.0, 0.0, 2.0])]),
    "GELU": ("GELU", (), {}, [normal(0, 3, 4) * 3]),
    "GELU by tanh": ("GELU", ("tanh",), {}, [normal(0, 3, 4) * 3]),
    "Softmax": ("Softmax", (1,), {}, [normal(0, 3, 4, 2)]),
    "LogSoftmax": ("LogSoftmax", (-1,), {}, [normal(0, 3, 4, 2)]),
    "LSTMCell": ("LSTMCell", (3, 4), {}, [normal(0, 5, 3)]),
    "LSTMCell without bias": ("LSTMCell", (3, 4), {"bias": False}, [normal(0, 3)]),
    "MSELoss": ("MSELoss", (), {}, [normal(0, 3, 4), normal(1, 3, 4)]),
    "MSELoss summed": ("MSELoss", (), {"reduction": "sum"}, [normal(0, 3, 4), normal(1, 3, 4)]),
    "NLLLoss": ("NLLLoss", (), {"ignore_index": 2}, [normal(0, 6, 4), integers(0, 4, 6)]),
    "NLLLoss of images": (
        "NLLLoss",
        (),
        {"reduction": "none"},
        [normal(0, 2, 4, 3, 5), integers(0, 4, 2, 3, 5)],
    ),
}


def pair(torch, kind, args, keywords):
    """The same module twice, ours with the state of theirs."""
    theirs = getattr(torch.nn, kind)(*args, **keywords).double()
    ours = getattr(nn, kind)(*args, **keywords).double()
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    return ours, theirs


@pytest.mark.parametrize("name", MODULES)
def test_a_module_agrees_with_pytorch(torch, name):
    kind, args, keywords, arrays = MODULES[name]
    ours, theirs = pair(torch, kind, args, keywords)
    compare(torch, ours.eval(), theirs.eval(), arrays)
    assert repr(ours) == repr(theirs)
    theirs.load_state_dict({key: torch.tensor(value.numpy()) for key, value in ours.state_dict().items()})


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "target", ["classes", "images", "one row", "probabilities", "probabilities of images"]
)
def test_cross_entropy_agrees_with_pytorch(torch, reduction, smoothing, weighted, target):
    logits, labels = {
        "classes": (normal(0, 9, 4), integers(0, 4, 9)),
        "images": (normal(0, 2, 4, 3, 2), integers(0, 4, 2, 3, 2)),
        "one row": (normal(0, 4), integers(3, 4)),
        "probabilities": (normal(0, 9, 4), np.random.default_rng(2).dirichlet(np.ones(4), 9)),
        "probabilities of images": (
            normal(0, 2, 4, 3),
            np.random.default_rng(2).dirichlet(np.ones(4), (2, 3)).transpose(0, 2, 1).copy(),
        ),
    }[target]
    keywords = {"reduction": reduction, "label_smoothing": smoothing}
    if "probabilities" not in target:
        keywords["ignore_index"] = 1
    weight = np.array([0.5, 1.0, 2.0, 0.1]) if weighted else None
    ours = nn.CrossEntropyLoss(None if weight is None else mg.tensor(weight), **keywords)
    theirs = torch.nn.CrossEntropyLoss(None if weight is None else torch.tensor(weight), **keywords)
    compare(torch, ours, theirs, [logits, labels])


LSTMS = {
    "one layer": {},
    "without bias": {"bias": False},
    "two layers": {"num_layers": 2},
    "two directions": {"bidirectional": True},
    "two layers in two directions, batch first": {
        "num_layers": 2,
        "bidirectional": True,
        "batch_first": True,
    },
}


@pytest.mark.parametrize("given", ["no state", "a state"])
@pytest.mark.parametrize("name", LSTMS)
def test_the_lstm_agrees_with_pytorch(torch, name, given):
    ours, theirs = pair(torch, "LSTM", (3, 4), LSTMS[name])
    states = ours.num_layers * (1 + ours.bidirectional)
    x = normal(0, 5, 2, 3) if not ours.batch_first else normal(0, 2, 5, 3)
    arrays = [x] if given == "no state" else [x, normal(1, states, 2, 4), normal(2, states, 2, 4)]

    def call(module, x, *state):
        return module(x, state) if state else module(x)

    compare(torch, ours, theirs, arrays, call, call)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())


@pytest.mark.parametrize("name", LSTMS)
def test_a_single_sequence_agrees_with_pytorch(torch, name):
    ours, theirs = pair(torch, "LSTM", (3, 4), LSTMS[name])
    compare(torch, ours, theirs, [normal(0, 5, 3)])


@pytest.mark.parametrize("name", LSTMS)
@pytest.mark.parametrize("lengths", [[5, 2, 1, 4], [3, 5, 5, 1], [5, 5, 5, 5]])
def test_lengths_agree_with_packed_sequences(torch, name, lengths):
    rnn = torch.nn.utils.rnn
    ours, theirs = pair(torch, "LSTM", (3, 4), LSTMS[name])
    states, batch_first = ours.num_layers * (1 + ours.bidirectional), ours.batch_first
    x = normal(0, 4, 5, 3) if batch_first else normal(0, 5, 4, 3)

    def call_theirs(module, x, h0, c0):
        packed = rnn.pack_padded_sequence(x, torch.tensor(lengths), batch_first, enforce_sorted=False)
        output, state = module(packed, (h0, c0))
        return rnn.pad_packed_sequence(output, batch_first, total_length=5)[0], state

    compare(
        torch,
        ours,
        theirs,
        [x, normal(1, states, 4, 4), normal(2, states, 4, 4)],
        lambda module, x, h0, c0: module(x, (h0, c0), lengths=lengths),
        call_theirs,
    )


def masks(name):
    allowed = np.random.default_rng(5).random((3, 6)) < 0.6
    allowed[:, 0] = True
    with_empty_row = allowed.copy()
    with_empty_row[1] = False
    return {
        "none": None,
        "bool": allowed,
        "bool by batch": np.stack([allowed, ~allowed | (np.arange(6) == 2)])[:, None],
        "added": np.where(allowed, normal(6, 3, 6), -np.inf),
        "an empty row": with_empty_row,
    }[name]


@pytest.mark.parametrize("mask", ["none", "bool", "bool by batch", "added", "an empty row", "causal"])
def test_scaled_dot_product_attention_agrees_with_pytorch(torch, mask):
    keywords = {"is_causal": True} if mask == "causal" else {"scale": 0.3}
    array = None if mask == "causal" else masks(mask)
    arrays = [normal(0, 2, 4, 3, 5), normal(1, 2, 4, 6, 5), normal(2, 2, 4, 6, 7)]

    def ours(q, k, v):
        return F.scaled_dot_product_attention(
            q, k, v, None if array is None else mg.tensor(array), **keywords
        )

    def theirs(q, k, v):
        attn_mask = None if array is None else torch.tensor(array)
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask, **keywords)

    compare(torch, ours, theirs, arrays)


ATTENTIONS = {  # shapes of query, key and value, arguments
    "more queries than keys": ((2, 6, 5), (2, 3, 5), (2, 3, 4), {"is_causal": True}),
    "more keys than queries": ((2, 3, 5), (2, 6, 5), (2, 6, 4), {"is_causal": True}),
    "two heads share one": ((2, 4, 3, 5), (2, 2, 6, 5), (2, 2, 6, 7), {"enable_gqa": True}),
    "all heads share one": ((4, 3, 5), (1, 6, 5), (1, 6, 7), {"enable_gqa": True, "is_causal": True}),
    "as many heads": ((4, 3, 5), (4, 6, 5), (4, 6, 7), {"enable_gqa": True, "scale": 0.0}),
    "fewer values": ((4, 3, 5), (2, 6, 5), (1, 6, 7), {"enable_gqa": True}),
    "all weights dropped": ((3, 5), (6, 5), (6, 7), {"dropout_p": 1.0}),
    "no key": ((2, 3, 5), (2, 0, 5), (2, 0, 7), {}),
    "vectors of size 0": ((2, 3, 0), (2, 6, 0), (2, 6, 7), {}),
}


@pytest.mark.parametrize("name", ATTENTIONS)
def test_attention_of_other_shapes_agrees_with_pytorch(torch, name):
    *sizes, keywords = ATTENTIONS[name]
    arrays = [normal(seed, *size) for seed, size in enumerate(sizes)]
    functions = [library.nn.functional.scaled_dot_product_attention for library in (mg, torch)]
    ours, theirs = (lambda *inputs, f=function: f(*inputs, **keywords) for function in functions)
    compare(torch, ours, theirs, arrays)


def test_one_hot_agrees_with_pytorch(torch):
    labels = integers(0, 5, 2, 3)
    expected = torch.nn.functional.one_hot(torch.tensor(labels), 7)
    assert F.one_hot(mg.tensor(labels), 7).tolist() == expected.tolist()
    assert F.one_hot(mg.tensor(labels)).tolist() == torch.nn.functional.one_hot(torch.tensor(labels)).tolist()


INITIALISERS = [
    ("xavier_uniform_", {"gain": 1.5}),
    ("xavier_normal_", {}),
    ("kaiming_uniform_", {"a": 0.3}),
    ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "relu"}),
    ("uniform_", {"a": -1.0, "b": 3.0}),
    ("normal_", {"mean": 1.0, "std": 0.2}),
    ("orthogonal_", {"gain": 2.0}),
]


@pytest.mark.parametrize(("name", "keywords"), INITIALISERS)
def test_initialisers_draw_from_the_same_distribution_as_pytorch(torch, name, keywords):
    ours = getattr(nn.init, name)(mg.empty(300, 40, 5), generator=mg.Generator(0), **keywords).array
    theirs = getattr(torch.nn.init, name)(torch.empty(300, 40, 5), **keywords).numpy()
    for moment in (lambda x: x.mean(), lambda x: x.std(), lambda x: np.abs(x).mean()):
        assert moment(ours) == pytest.approx(moment(theirs), rel=0.02, abs=0.01)


@pytest.mark.parametrize("module", ["Linear", "LSTM", "LSTMCell"])
def test_parameters_start_within_the_same_bounds_as_in_pytorch(torch, module):
    ours, theirs = getattr(nn, module)(90, 60), getattr(torch.nn, module)(90, 60)
    for (name, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert mine.shape == tuple(other.shape), name
        assert np.abs(mine.array).max() == pytest.approx(other.detach().abs().max().item(), rel=0.05), name
        assert mine.array.std() == pytest.approx(other.detach().std().item(), rel=0.15), name


def test_gains_agree_with_pytorch(torch):
    for name in ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        assert nn.init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    assert nn.init.calculate_gain("leaky_relu", 0.3) == torch.nn.init.calculate_gain("leaky_relu", 0.3)


def test_a_tree_prints_as_in_pytorch(torch):
    def tree(library):
        return library.Sequential(
            library.Embedding(7, 3, padding_idx=0),
            library.Sequential(library.Linear(3, 4), library.GELU(), library.Dropout(0.1)),
            library.ModuleDict({"norm": library.LayerNorm(4), "act": library.Softmax(dim=1)}),
            library.ModuleList([library.LSTM(4, 5, 2, batch_first=True), library.CrossEntropyLoss()]),
        )

    assert repr(tree(nn)) == repr(tree(torch.nn))
    assert list(tree(nn).state_dict()) == list(tree(torch.nn).state_dict())
    ours, theirs = ([name for name, _ in tree(library).named_modules()] for library in (nn, torch.nn))
    assert ours == theirs
