"""Weights go from PyTorch to here and back as a safetensors file, by name; the outputs stay the same."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.checkpoint import load, save
from twins import Draw, close, flattened, tensors

pytestmark = pytest.mark.oracle


@pytest.fixture
def torch():
    import torch

    torch.manual_seed(0)
    return torch


def classifier(library):
    return library.Sequential(
        library.Embedding(7, 6, padding_idx=0),
        library.Linear(6, 5),
        library.BatchNorm1d(4),
        library.GELU(),
        library.Sequential(library.LayerNorm(5), library.PReLU()),
    )


def tied(library):
    class Tied(library.Module):
        def __init__(self):
            super().__init__()
            self.inner = library.Linear(6, 7, bias=False)
            self.words = library.Embedding(7, 6)
            self.words.weight = self.inner.weight

        def forward(self, i):
            return self.inner(self.words(i))

    return Tied()


def normed(library):
    layer = library.utils.parametrizations.weight_norm(library.Linear(3, 4))
    return library.utils.parametrizations.spectral_norm(layer, "bias")


def transformer(library):
    return library.Transformer(8, 2, 1, 2, 16, 0.0, batch_first=True)


def pair_of_sequences(draw):
    return [draw.normal(2, 5, 8), draw.normal(2, 3, 8)]


MODELS = {
    "a classifier": (classifier, lambda draw: [draw.integers(7, 3, 4)]),
    "tied weights": (tied, lambda draw: [draw.integers(7, 3)]),
    "parametrised weights": (normed, lambda draw: [draw.normal(5, 3)]),
    "an LSTM": (
        lambda library: library.LSTM(3, 4, 2, bidirectional=True, proj_size=2),
        lambda draw: [draw.normal(5, 2, 3)],
    ),
    "a GRU": (lambda library: library.GRU(3, 4, 2), lambda draw: [draw.normal(5, 2, 3)]),
    "a Transformer": (transformer, pair_of_sequences),
    "attention": (
        lambda library: library.MultiheadAttention(8, 2, add_bias_kv=True, kdim=3),
        lambda draw: [draw.normal(4, 2, 8), draw.normal(5, 2, 3), draw.normal(5, 2, 8)],
    ),
}


def answers(library, model, made):
    """The outputs of a model for one and the same input."""
    inputs = [x.astype(np.float32) if x.dtype.kind == "f" else x for x in made(Draw(1))]
    return flattened(model.eval()(*tensors(library, inputs)))


def assert_alike(torch, ours, theirs, made):
    pairs = zip(answers(mg, ours, made), answers(torch, theirs, made), strict=True)
    for number, (mine, other) in enumerate(pairs):
        close(f"output {number}", mine.detach().numpy(), other, tolerance=1e-5)


@pytest.mark.filterwarnings("ignore:enable_nested_tensor", "ignore:LSTM with projections")
@pytest.mark.parametrize("name", MODELS)
def test_weights_saved_by_pytorch_load_here_and_ours_load_there(torch, tmp_path, name):
    import safetensors.torch as files

    make, made = MODELS[name]
    theirs, ours = make(torch.nn), make(nn)
    if name == "tied weights":  # memory that is shared is written once
        files.save_model(theirs, tmp_path / "theirs")
    else:
        files.save_file(theirs.state_dict(), tmp_path / "theirs")
    state = load(tmp_path / "theirs")
    if name == "tied weights":
        assert sorted(state) in (["inner.weight"], ["words.weight"])
    else:
        assert {key: value.shape for key, value in state.items()} == {
            key: tuple(value.shape) for key, value in theirs.state_dict().items()
        }
    ours.load_state_dict(state, strict=name != "tied weights")
    assert_alike(torch, ours, theirs, made)

    with mg.no_grad():
        for number, parameter in enumerate(ours.parameters()):
            parameter.add_(mg.tensor(0.1 * Draw(number).normal(*parameter.shape), dtype=mg.float32))
    save(ours.state_dict(), tmp_path / "ours")
    theirs.load_state_dict(files.load_file(tmp_path / "ours"))
    assert_alike(torch, ours, theirs, made)


def test_half_and_brain_floats_of_pytorch_load_into_a_model_of_single_precision(torch, tmp_path):
    import safetensors.torch as files

    for kind in (torch.float16, torch.bfloat16, torch.float64):
        theirs, ours = torch.nn.Linear(3, 4).to(kind), nn.Linear(3, 4)
        files.save_file(theirs.state_dict(), tmp_path / "file")
        ours.load_state_dict(load(tmp_path / "file"))
        assert ours.weight.dtype == mg.float32
        np.testing.assert_allclose(
            ours.weight.detach().numpy(), theirs.weight.detach().float().numpy(), rtol=1e-7
        )
