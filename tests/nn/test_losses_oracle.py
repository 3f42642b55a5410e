"""PyTorch as the oracle of losses as modules: values and gradients in float64, for every reduction."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from twins import Fixed, compare_in_both_modes, twins

pytestmark = pytest.mark.oracle


@pytest.fixture
def torch():
    import torch

    torch.manual_seed(0)
    return torch


def alike(draw):
    return [draw.normal(5, 3), draw.fixed(5, 3)]


def classes(draw):
    return [draw.normal(5, 3), draw.integers(3, 5)]


def yes_or_no(draw):
    return [draw.probabilities(5, 3), Fixed(draw.probabilities(5, 3))]


def distributions(draw):
    return [draw.normal(5, 3), Fixed(draw.random.dirichlet(np.ones(3), 5))]


def signed(draw):
    return [draw.normal(5, 3), draw.signs(5, 3)]


def triplet(draw):
    return [draw.normal(5, 3), draw.normal(5, 3), draw.normal(5, 3)]


def listed(draw):
    return [draw.normal(2, 4), Fixed(np.array([[3, 0, -1, 1], [-1, 2, 2, 2]]))]


def gaussian(draw):
    return [draw.normal(5, 3), draw.fixed(5, 3), draw.positive(5, 1)]


WEIGHT = np.array([0.5, 2.0, 1.5])
LOSSES = [
    ("L1Loss", {}, alike),
    ("MSELoss", {}, alike),
    ("SmoothL1Loss", {}, alike),
    ("SmoothL1Loss", {"beta": 0.3}, alike),
    ("SmoothL1Loss", {"beta": 0.0}, alike),
    ("HuberLoss", {}, alike),
    ("HuberLoss", {"delta": 0.3}, alike),
    ("NLLLoss", {"weight": WEIGHT, "ignore_index": 1}, classes),
    ("CrossEntropyLoss", {"weight": WEIGHT, "label_smoothing": 0.1}, classes),
    ("BCELoss", {}, yes_or_no),
    ("BCELoss", {"weight": WEIGHT}, yes_or_no),
    ("BCEWithLogitsLoss", {}, lambda draw: [draw.normal(5, 3, scale=4.0), Fixed(draw.probabilities(5, 3))]),
    ("BCEWithLogitsLoss", {"weight": WEIGHT, "pos_weight": 2 * WEIGHT}, yes_or_no),
    ("KLDivLoss", {}, distributions),
    ("KLDivLoss", {"log_target": True}, alike),
    ("PoissonNLLLoss", {}, lambda draw: [draw.normal(5, 3), Fixed(draw.positive(5, 3))]),
    ("PoissonNLLLoss", {"full": True}, lambda draw: [draw.normal(5, 3), Fixed(draw.integers(6, 5, 3) * 1.0)]),
    ("PoissonNLLLoss", {"log_input": False, "eps": 0.1}, yes_or_no),
    ("GaussianNLLLoss", {}, gaussian),
    ("GaussianNLLLoss", {"full": True, "eps": 0.5}, gaussian),
    ("HingeEmbeddingLoss", {"margin": 0.5}, signed),
    ("SoftMarginLoss", {}, signed),
    ("MarginRankingLoss", {"margin": 0.2}, lambda draw: [draw.normal(5), draw.normal(5), draw.signs(5)]),
    (
        "CosineEmbeddingLoss",
        {"margin": 0.2},
        lambda draw: [draw.normal(5, 3), draw.normal(5, 3), draw.signs(5)],
    ),
    ("MultiMarginLoss", {}, classes),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5, "weight": WEIGHT}, classes),
    ("MultiLabelMarginLoss", {}, listed),
    ("MultiLabelSoftMarginLoss", {}, yes_or_no),
    ("MultiLabelSoftMarginLoss", {"weight": WEIGHT}, yes_or_no),
    ("TripletMarginLoss", {}, triplet),
    ("TripletMarginLoss", {"margin": 0.5, "p": 3.0, "swap": True}, triplet),
    ("TripletMarginWithDistanceLoss", {"margin": 0.5, "swap": True}, triplet),
]


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")  # PyTorch's advice on KLDivLoss
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(
    ("kind", "keywords", "made"), LOSSES, ids=lambda value: value if isinstance(value, str) else None
)
def test_a_loss_agrees_with_pytorch(torch, kind, keywords, made, reduction):
    ours, theirs = twins(torch, kind, **keywords, reduction=reduction)
    compare_in_both_modes(torch, ours, theirs, made, training=False)


LINEAR = [
    ({"reduction": "sum"}, (), lambda draw: [draw.normal(5, 4), draw.integers(3, 5)]),
    (
        {"bias": True, "weight": WEIGHT, "ignore_index": 1, "label_smoothing": 0.1},
        (),
        lambda draw: [draw.normal(5, 4), draw.integers(3, 5)],
    ),
    ({"bias": True}, (), lambda draw: [draw.normal(4), draw.integers(3)]),
    ({"bias": True}, (2, 2), lambda draw: [draw.normal(5, 4), draw.integers(3, 5, 2, 2)]),
    (
        {},
        (2,),
        lambda draw: [draw.normal(5, 4), Fixed(draw.random.dirichlet(np.ones(3), (5, 2)).swapaxes(1, 2))],
    ),
]


@pytest.mark.parametrize(("keywords", "places", "made"), LINEAR)
def test_a_cross_entropy_behind_a_linear_map_agrees_with_pytorch(torch, keywords, places, made, monkeypatch):
    # PyTorch's text ends with its choice of how to compute
    text = torch.nn.LinearCrossEntropyLoss.extra_repr
    monkeypatch.setattr(
        torch.nn.LinearCrossEntropyLoss, "extra_repr", lambda m: text(m).removesuffix(", options=None")
    )
    ours, theirs = twins(torch, "LinearCrossEntropyLoss", 4, 3, out_features=places, **keywords)
    compare_in_both_modes(torch, ours, theirs, made, training=False)


def test_the_divergence_of_a_batch_agrees_with_pytorch(torch):
    ours, theirs = twins(torch, "KLDivLoss", reduction="batchmean")
    compare_in_both_modes(torch, ours, theirs, distributions, training=False)


def test_triplets_with_a_distance_of_ones_own_agree_with_pytorch(torch):
    ours, theirs = (
        library.TripletMarginWithDistanceLoss(
            distance_function=lambda a, b, library=library: 1.0 - library.CosineSimilarity()(a, b)
        )
        for library in (nn, torch.nn)
    )
    compare_in_both_modes(torch, ours, theirs, triplet, training=False)


def test_weights_of_a_loss_are_saved_as_in_pytorch(torch):
    keys = {
        library: list(modules.BCEWithLogitsLoss(weight=weight, pos_weight=weight).state_dict())
        for library, modules, weight in (("ours", nn, mg.ones(2)), ("theirs", torch.nn, torch.ones(2)))
    }
    assert keys["ours"] == keys["theirs"] == ["weight", "pos_weight"]
