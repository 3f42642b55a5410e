"""Training on a GPU: the host never waits, memory does not grow, and the dates are learned as on the CPU."""

import importlib

import numpy as np
import pytest

import minigrad as mg
from commands import log
from minigrad import nn
from minigrad.models import BahdanauConfig, HardAttentionSeq2Seq, Transformer, TransformerConfig
from minigrad.nn import functional as F
from minigrad.nn.utils import clip_grad_norm_
from minigrad.tools.cli import main

SIZES = {"source_vocabulary": 9, "target_vocabulary": 9}


class Classifier(nn.Module):
    """An embedding, a recurrent network, attention and a linear map over 9 classes."""

    def __init__(self, cell):
        super().__init__()
        self.embedding = nn.Embedding(9, 8)
        self.recurrent = getattr(nn, cell)(8, 8, batch_first=True)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True, dropout=0.1)
        self.norm, self.output = nn.LayerNorm(8), nn.Linear(8, 9)

    def forward(self, tokens):
        states, _ = self.recurrent(self.embedding(tokens))
        seen, _ = self.attention(states, states, states, need_weights=False)
        return self.output(F.dropout(self.norm(F.gelu(seen)), 0.1))


class Images(nn.Sequential):
    """Convolutions over pictures of 8 x 8 made of the tokens."""

    def __init__(self):
        super().__init__(
            nn.Conv2d(1, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(64, 9),
        )

    def forward(self, tokens):
        return super().forward(tokens[:, :, None].expand(-1, 8, 8)[:, None].float())


class Translation(nn.Module):
    """A Transformer that is to say its source again."""

    def __init__(self):
        super().__init__()
        self.model = Transformer(TransformerConfig.tiny(**SIZES))
        self.register_buffer("lengths", mg.full((4,), 8, dtype=mg.int64))

    def forward(self, tokens):
        return self.model(tokens, self.lengths, tokens)[0]


class Drawn(Translation):
    """The same with hard attention: a word is drawn at each step."""

    def __init__(self):
        super().__init__()
        self.model = HardAttentionSeq2Seq(BahdanauConfig.tiny(**SIZES))

    def forward(self, tokens):
        logits, _, log_choice = self.model.read(tokens, self.lengths, tokens)
        return logits + 0.01 * log_choice.unsqueeze(2)


MODELS = {
    **{cell: lambda cell=cell: Classifier(cell) for cell in ("RNN", "GRU", "LSTM")},
    "images": Images,
    "Transformer": Translation,
    "hard attention": Drawn,
}
OPTIMISERS = {
    "SGD": {"momentum": 0.9},
    "Adam": {},
    "AdamW": {"amsgrad": True},
    "RMSprop": {},
    "Adagrad": {},
    "Adadelta": {},
    "Adamax": {},
    "NAdam": {},
    "RAdam": {},
    "Adafactor": {},
    "ASGD": {"t0": 1},
    "Rprop": {},
    "Muon": {},
}


def step(model, optimizer, tokens):
    """One step of training, as a script has it."""
    optimizer.zero_grad()
    logits = model(tokens)
    target = tokens[:, 0] if logits.ndim == 2 else tokens
    loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), target.reshape(-1))
    loss.backward()
    clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.detach()


def tokens_on(device):
    return mg.tensor(np.random.default_rng(0).integers(3, 9, (4, 8)), device=device)


def without_waiting():
    return importlib.import_module("cupyx").allow_synchronize(False)


@pytest.mark.parametrize("name", MODELS)
def test_the_host_never_waits_in_a_step_of_training(name, device):
    mg.manual_seed(0)
    model, tokens = MODELS[name]().to(device), tokens_on(device)
    optimizer = mg.optim.Adam(model.parameters())
    for _ in range(2):
        step(model, optimizer, tokens)  # kernels are compiled, and memory asked for
    with without_waiting():
        losses = [step(model, optimizer, tokens) for _ in range(3)]
    assert all(np.isfinite(loss.item()) for loss in losses)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_the_host_never_waits_in_a_step_of_an_optimiser(name, device):
    model, tokens = Images().to(device), tokens_on(device)
    params = [p for p in model.parameters() if p.ndim == 2 or name != "Muon"]  # which takes matrices only
    optimizer = getattr(mg.optim, name)(params, lr=0.01, **OPTIMISERS[name])
    for _ in range(3):
        step(model, optimizer, tokens)
    with without_waiting():
        loss = step(model, optimizer, tokens)
    assert np.isfinite(loss.item())


@pytest.mark.parametrize("name", MODELS)
def test_a_model_learns_on_a_gpu_what_it_learns_on_the_cpu(name, device):
    found = []
    for where in ("cpu", device):
        mg.manual_seed(0)
        model = MODELS[name]().double().to(where)
        optimizer = mg.optim.AdamW(model.parameters(), lr=0.01)
        if name == "images":
            model.forward = lambda tokens, model=model: nn.Sequential.forward(
                model, tokens[:, :, None].expand(-1, 8, 8)[:, None].double()
            )
        found.append([step(model, optimizer, tokens_on(where)).item() for _ in range(4)])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-6)
    assert found[0][-1] < found[0][0]


@pytest.mark.gpu
@pytest.mark.parametrize("name", MODELS)
def test_memory_is_flat_over_a_thousand_steps(name, gpu):
    model, tokens = MODELS[name]().to(gpu), tokens_on(gpu)
    optimizer = mg.optim.Adam(model.parameters())
    held = []
    for number in range(1000):
        step(model, optimizer, tokens)
        if number in (9, 999):
            mg.cuda.synchronize()
            held.append((mg.cuda.memory_allocated(), mg.cuda.memory_reserved()))
    assert held[0] == held[1]


@pytest.mark.gpu
def test_deterministic_mode_gives_the_same_bits_twice(gpu):
    mg.use_deterministic_algorithms(True)
    try:
        found = []
        for _ in range(2):
            mg.manual_seed(0)
            model = Classifier("LSTM").to(gpu)
            optimizer = mg.optim.Adam(model.parameters())
            for _ in range(20):
                step(model, optimizer, tokens_on(gpu))
            found.append([p.tolist() for p in model.parameters()])
    finally:
        mg.use_deterministic_algorithms(False)
    assert found[0] == found[1]


@pytest.mark.gpu
def test_the_dates_are_learned_as_well_as_on_the_cpu(gpu, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = []
    for where in ("cpu", gpu):
        words = ["train", "dates", "--device", where, "--epochs", "3", "--no-pictures", "--out", where[:3]]
        assert main(words) == 0
        found.append(log(tmp_path / where[:3])[-1]["exact"])
    assert abs(found[1] - found[0]) <= 0.02
    assert found[1] >= 0.9
