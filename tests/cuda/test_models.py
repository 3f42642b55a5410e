"""Every model computes where its parameters are, and the same there as on the CPU."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.data import SOS
from minigrad.models import (
    BahdanauConfig,
    BahdanauSeq2Seq,
    CoverageSeq2Seq,
    Limits,
    LuongConfig,
    LuongSeq2Seq,
    RNNLanguageModel,
    RNNLanguageModelConfig,
    Seq2Seq,
    Seq2SeqConfig,
    Transformer,
    TransformerClassifier,
    TransformerClassifierConfig,
    TransformerConfig,
    TransformerLanguageModel,
    TransformerLanguageModelConfig,
    VisionTransformer,
    VisionTransformerConfig,
    beam_search,
)

SIZES = {"source_vocabulary": 9, "target_vocabulary": 9}
MODELS = {
    "seq2seq": lambda: Seq2Seq(Seq2SeqConfig.tiny(**SIZES)),
    "bahdanau": lambda: BahdanauSeq2Seq(BahdanauConfig.tiny(**SIZES)),
    "coverage": lambda: CoverageSeq2Seq(BahdanauConfig.tiny(**SIZES)),
    "luong": lambda: LuongSeq2Seq(LuongConfig.tiny(**SIZES, alignment="predictive")),
}
MODELS |= {
    positions: lambda positions=positions: Transformer(TransformerConfig.tiny(**SIZES, positions=positions))
    for positions in ("sinusoidal", "learned", "rotary", "alibi")
}
LANGUAGE_MODELS = {
    "lstm": lambda: RNNLanguageModel(RNNLanguageModelConfig.tiny(vocabulary=9)),
    "transformer": lambda: TransformerLanguageModel(TransformerLanguageModelConfig.tiny(vocabulary=9)),
}
CLASSIFIERS = {
    "texts": (
        lambda: TransformerClassifier(TransformerClassifierConfig.tiny(vocabulary=9)),
        mg.tensor([[4, 5, 6], [7, 8, 0]]),
    ),
    "images": (
        lambda: VisionTransformer(VisionTransformerConfig.digits()),
        mg.ones(2, 1, 8, 8, dtype=mg.float64),
    ),
}
SOURCE, LENGTHS = mg.tensor([[4, 5, 6], [7, 8, 0]]), mg.tensor([3, 2])
TARGET = mg.tensor([[SOS, 4], [SOS, 5]])


def twins(make, device):
    """A model here, and the same on the device."""
    mg.manual_seed(0)
    here, away = (make().to(mg.float64).eval() for _ in range(2))
    away.load_state_dict(here.state_dict())
    return here, away.to(device)


def assert_same_gradients(here, away):
    for (name, p), q in zip(here.named_parameters(), away.parameters(), strict=True):
        np.testing.assert_allclose(q.grad.cpu().numpy(), p.grad.numpy(), rtol=1e-9, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_an_encoder_decoder_trains_and_decodes_there_as_here(make, device):
    here, away = twins(make, device)
    (here(SOURCE, LENGTHS, TARGET)[0] ** 2).sum().backward()
    (away(SOURCE.to(device), LENGTHS.to(device), TARGET.to(device))[0] ** 2).sum().backward()
    assert_same_gradients(here, away)
    found = [
        [one.tokens for row in beam_search(model, source, Limits(4), n_best=2) for one in row]
        for model, source in ((here, SOURCE), (away, SOURCE.to(device)))
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("make", LANGUAGE_MODELS.values(), ids=LANGUAGE_MODELS)
def test_a_language_model_trains_and_writes_there_as_here(make, device):
    here, away = twins(make, device)
    (here(TARGET)[0] ** 2).sum().backward()
    (away(TARGET.to(device))[0] ** 2).sum().backward()
    assert_same_gradients(here, away)
    texts = [
        model.generate(prompt, Limits(4), generator=mg.Generator(0))
        for model, prompt in ((here, TARGET), (away, TARGET.to(device)))
    ]
    assert [one.tokens for one in texts[0]] == [one.tokens for one in texts[1]]


@pytest.mark.parametrize(("make", "x"), CLASSIFIERS.values(), ids=CLASSIFIERS)
def test_a_classifier_trains_there_as_here(make, x, device):
    here, away = twins(make, device)
    (here(x) ** 2).sum().backward()
    (away(x.to(device)) ** 2).sum().backward()
    assert_same_gradients(here, away)
