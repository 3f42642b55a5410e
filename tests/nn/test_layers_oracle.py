"""PyTorch as the oracle of layers: same state, same input, in float64, in training and in evaluation."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from twins import compare_in_both_modes, twins

pytestmark = pytest.mark.oracle


@pytest.fixture
def torch():
    import torch

    torch.manual_seed(0)
    return torch


def inputs(*shape, scale=1.0):
    return lambda draw: [draw.normal(*shape, scale=scale)]


OFFSETS = np.array([0, 3, 3, 7])

LAYERS = {
    "Bilinear": (("Bilinear", 2, 3, 4), {}, lambda draw: [draw.normal(5, 2), draw.normal(5, 3)]),
    "Bilinear of more dimensions": (
        ("Bilinear", 2, 3, 4),
        {"bias": False},
        lambda draw: [draw.normal(5, 1, 2), draw.normal(5, 1, 3)],
    ),
    "Identity": (("Identity",), {}, inputs(3)),
    "Linear": (("Linear", 3, 4), {}, inputs(5, 2, 3)),
    "Flatten": (("Flatten",), {}, inputs(2, 3, 4)),
    "Flatten of the front": (("Flatten", 0, 1), {}, inputs(2, 3, 4)),
    "Unflatten": (("Unflatten", 1, (2, -1)), {}, inputs(2, 6)),
    "Embedding": (("Embedding", 7, 3), {"padding_idx": -2}, lambda draw: [draw.integers(7, 4, 5)]),
    "Embedding of limited norm": (
        ("Embedding", 7, 3),
        {"max_norm": 1.0, "norm_type": 1.5},
        lambda draw: [draw.integers(7, 4, 5)],
    ),
    "EmbeddingBag of rows": (("EmbeddingBag", 7, 3), {}, lambda draw: [draw.integers(7, 4, 5)]),
    "EmbeddingBag of sums": (
        ("EmbeddingBag", 7, 3),
        {"mode": "sum", "padding_idx": 2, "max_norm": 1.0},
        lambda draw: [draw.integers(7, 9), OFFSETS],
    ),
    "EmbeddingBag of weighted sums": (
        ("EmbeddingBag", 7, 3),
        {"mode": "sum", "include_last_offset": True},
        lambda draw: [draw.integers(7, 7), OFFSETS, draw.normal(7)],
    ),
    "EmbeddingBag of largest entries": (
        ("EmbeddingBag", 7, 3),
        {"mode": "max"},
        lambda draw: [draw.integers(7, 4, 5)],
    ),
    "LayerNorm": (("LayerNorm", 4), {}, inputs(3, 4)),
    "LayerNorm of two dimensions": (("LayerNorm", (2, 4)), {"eps": 0.1}, inputs(3, 2, 4)),
    "LayerNorm without bias": (("LayerNorm", 4), {"bias": False}, inputs(3, 4)),
    "LayerNorm without parameters": (("LayerNorm", 4), {"elementwise_affine": False}, inputs(3, 4)),
    "RMSNorm": (("RMSNorm", 4), {}, inputs(3, 4)),
    "RMSNorm of two dimensions": (("RMSNorm", (2, 4)), {"eps": 0.1}, inputs(3, 2, 4)),
    "RMSNorm without parameters": (("RMSNorm", 4), {"elementwise_affine": False}, inputs(3, 4)),
    "GroupNorm": (("GroupNorm", 2, 6), {}, inputs(3, 6, 4)),
    "GroupNorm without bias": (("GroupNorm", 3, 6), {"bias": False, "eps": 0.1}, inputs(3, 6, 2, 2)),
    "GroupNorm without parameters": (("GroupNorm", 1, 6), {"affine": False}, inputs(3, 6)),
    "LocalResponseNorm": (("LocalResponseNorm", 3), {}, inputs(2, 5, 4)),
    "LocalResponseNorm of an even size": (
        ("LocalResponseNorm", 4),
        {"alpha": 0.5, "beta": 0.6, "k": 2.0},
        inputs(2, 5, 3, 2),
    ),
    "Dropout that keeps all": (("Dropout", 0.0), {}, inputs(3, 4)),
    "Dropout that keeps nothing": (("Dropout", 1.0), {}, inputs(3, 4)),
    "Dropout1d that keeps nothing": (("Dropout1d", 1.0), {}, inputs(3, 4)),
    "Dropout2d that keeps nothing": (("Dropout2d", 1.0), {}, inputs(3, 4, 2, 2)),
    "Dropout3d that keeps all": (("Dropout3d", 0.0), {}, inputs(3, 4, 2, 2)),
    "AlphaDropout that keeps all": (("AlphaDropout", 0.0), {}, inputs(3, 4)),
    "FeatureAlphaDropout that keeps all": (("FeatureAlphaDropout", 0.0), {}, inputs(3, 4, 2)),
    "CosineSimilarity": (
        ("CosineSimilarity",),
        {"dim": 0},
        lambda draw: [draw.normal(3, 4), draw.normal(3, 4)],
    ),
    "PairwiseDistance": (
        ("PairwiseDistance",),
        {"p": 1.5, "keepdim": True},
        lambda draw: [draw.normal(3, 4), draw.normal(3, 4)],
    ),
}
for mode in ("sum", "mean", "max"):
    for padding_idx in (None, 2, -1):
        keywords = {"mode": mode, "padding_idx": padding_idx}
        LAYERS[f"EmbeddingBag of {mode} and padding {padding_idx}"] = (
            ("EmbeddingBag", 7, 3),
            keywords | {"include_last_offset": padding_idx == 2},
            lambda draw: [draw.integers(7, 9), np.array([0, 0, 3, 3, 7, 9])],
        )
        LAYERS[f"EmbeddingBag of {mode} of rows and padding {padding_idx}"] = (
            ("EmbeddingBag", 7, 3),
            keywords,
            lambda draw: [draw.integers(7, 4, 5)],
        )
LAYERS["EmbeddingBag of weighted sums of rows"] = (
    ("EmbeddingBag", 7, 3),
    {"mode": "sum", "padding_idx": 1},
    lambda draw: [draw.integers(7, 4, 5), None, draw.normal(4, 5)],
)
LAYERS["EmbeddingBag of nothing"] = (
    ("EmbeddingBag", 7, 3),
    {"mode": "max"},
    lambda draw: [np.zeros(0, np.int64), np.array([0, 0])],
)
for kind in ("RNN", "LSTM", "GRU"):
    LAYERS[f"{kind} that drops all between its layers"] = (
        (kind, 3, 4, 3),
        {"dropout": 1.0, "bidirectional": True},
        inputs(5, 2, 3),
    )
WHOLE = {"Dropout": (3, 4), "Dropout1d": (3, 4), "Dropout2d": (2, 3, 4, 5), "Dropout3d": (3, 4, 5, 2)}
for kind, shape in (WHOLE | {"AlphaDropout": (3, 4), "FeatureAlphaDropout": (3, 4, 2)}).items():
    LAYERS[f"{kind} that keeps nothing of {len(shape)} dimensions"] = ((kind, 1.0), {}, inputs(*shape))
BATCHES = {"1d": (5, 3, 4), "2d": (5, 3, 2, 2), "3d": (2, 3, 2, 2, 2)}
NORM_OPTIONS = {
    "": {},
    " with parameters and statistics": {"affine": True, "track_running_stats": True},
    " without parameters": {"affine": False},
    " without bias": {"affine": True, "bias": False},
    " without statistics": {"track_running_stats": False},
    " of another momentum": {"momentum": 0.7, "eps": 0.1, "track_running_stats": True},
}
for size, shape in BATCHES.items():
    for text, keywords in NORM_OPTIONS.items():
        for kind in ("BatchNorm", "InstanceNorm"):
            LAYERS[f"{kind}{size}{text}"] = ((kind + size, 3), keywords, inputs(*shape))
    LAYERS[f"BatchNorm{size} of the mean over all batches"] = (
        (f"BatchNorm{size}", 3),
        {"momentum": None},
        inputs(*shape),
    )
    LAYERS[f"InstanceNorm{size} of one example"] = (
        (f"InstanceNorm{size}", 3),
        {"affine": True},
        inputs(*shape[1:]),
    )
WIDTHS = {"1d": ((5,), (2, -1)), "2d": ((4, 3), (1, 0, 2, 2)), "3d": ((4, 3, 3), (1, 0, 1, -1, 1, 1))}
for size, (lengths, widths) in WIDTHS.items():
    for kind in ("ZeroPad", "ConstantPad", "ReflectionPad", "ReplicationPad", "CircularPad"):
        value = (1.5,) if kind == "ConstantPad" else ()
        LAYERS[f"{kind}{size}"] = ((kind + size, 1, *value), {}, inputs(2, 3, *lengths))
        LAYERS[f"{kind}{size} of other widths"] = ((kind + size, widths, *value), {}, inputs(3, *lengths))
IMAGES = {1: (2, 4, 7), 2: (2, 4, 5, 6), 3: (2, 4, 3, 4, 5)}
CONVOLUTIONS = {
    "": {},
    " with stride and padding": {"stride": 2, "padding": 1},
    " of groups": {"groups": 2, "bias": False},
    " that keeps the size": {"padding": "same", "dilation": 2},
    " of no padding": {"padding": "valid", "padding_mode": "circular"},
    " of mirrored images": {"padding": 1, "padding_mode": "reflect"},
    " of continued images": {"padding": "same", "padding_mode": "replicate"},
    " of rings": {"padding": 2, "padding_mode": "circular"},
}
TRANSPOSED = {
    "": {},
    " with stride and padding": {"stride": 2, "padding": 1, "output_padding": 1},
    " of groups": {"groups": 2, "bias": False, "dilation": 2},
}
for count, shape in IMAGES.items():
    for text, keywords in CONVOLUTIONS.items():
        LAYERS[f"Conv{count}d{text}"] = ((f"Conv{count}d", 4, 6, 3), keywords, inputs(*shape))
    for text, keywords in TRANSPOSED.items():
        LAYERS[f"ConvTranspose{count}d{text}"] = (
            (f"ConvTranspose{count}d", 4, 6, 3),
            keywords,
            inputs(*shape),
        )
    for kind in ("Conv", "ConvTranspose"):
        LAYERS[f"{kind}{count}d of one image"] = ((f"{kind}{count}d", 4, 3, 2), {}, inputs(*shape[1:]))
LAYERS["Conv2d of other sizes"] = (
    ("Conv2d", 4, 8, (3, 2), (2, 1), (0, 1), (1, 2), 4),
    {},
    inputs(*IMAGES[2]),
)
LAYERS["ConvTranspose2d of other sizes"] = (
    ("ConvTranspose2d", 4, 8, (3, 2), (2, 1), (0, 1), (1, 1), 4, True, (1, 2)),
    {},
    inputs(*IMAGES[2]),
)
LAYERS["ConvTranspose2d of a given size"] = (
    ("ConvTranspose2d", 4, 2, 3),
    {"stride": 2},
    lambda draw: [draw.normal(*IMAGES[2]), [12, 13]],
)
LENGTHS = {1: (7,), 2: (5, 6), 3: (4, 5, 4)}
POOLS = {
    "MaxPool": {
        "": ((2,), {}),
        " of overlapping windows": ((3, 2, 1, 1), {"ceil_mode": True}),
        " with indices": ((2,), {"stride": 1, "dilation": 2, "return_indices": True}),
    },
    "AvgPool": {
        "": ((2,), {}),
        " of overlapping windows": ((3, 2, 1), {"ceil_mode": True}),
        " of what is there": ((3, 2, 1), {"ceil_mode": True, "count_include_pad": False}),
    },
    "LPPool": {"": ((2.0, 2), {}), " of another stride": ((3, 3), {"stride": 2, "ceil_mode": True})},
    "AdaptiveAvgPool": {"": ((3,), {}), " to one number": ((1,), {})},
    "AdaptiveMaxPool": {"": ((3,), {}), " with indices": ((2,), {"return_indices": True})},
}
for count, lengths in LENGTHS.items():
    for kind, variants in POOLS.items():
        made = (lambda *s: lambda draw: [draw.positive(*s)]) if kind == "LPPool" else inputs
        for text, (args, keywords) in variants.items():
            LAYERS[f"{kind}{count}d{text}"] = ((f"{kind}{count}d", *args), keywords, made(2, 3, *lengths))
        LAYERS[f"{kind}{count}d of one image"] = ((f"{kind}{count}d", *args), {}, made(3, *lengths))
    LAYERS[f"MaxUnpool{count}d"] = (
        (f"MaxUnpool{count}d", 2),
        {},
        lambda draw, n=count: [
            x.reshape(1, 2, *[2] * n) for x in (draw.normal(2 ** (n + 1)), np.tile(np.arange(2**n), 2))
        ],
    )
LAYERS |= {
    "AvgPool2d of another divisor": (("AvgPool2d", (2, 3)), {"divisor_override": 5}, inputs(2, 3, 5, 6)),
    "AdaptiveAvgPool2d of one dimension": (("AdaptiveAvgPool2d", (None, 4)), {}, inputs(2, 3, 5, 6)),
    "Upsample": (("Upsample", (3, 7)), {}, inputs(2, 3, 5, 6)),
    "Upsample by factors": (("Upsample",), {"scale_factor": (1.5, 2)}, inputs(2, 3, 5, 6)),
    "Upsample of volumes": (
        ("Upsample", None, 1.7, "trilinear"),
        {"recompute_scale_factor": True},
        inputs(2, 1, 3, 3, 2),
    ),
    "Upsample by cubics": (("Upsample", (3, 7), None, "bicubic", True), {}, inputs(2, 3, 5, 6)),
    "UpsamplingNearest2d": (("UpsamplingNearest2d", 4), {}, inputs(2, 3, 5, 6)),
    "UpsamplingBilinear2d": (("UpsamplingBilinear2d",), {"scale_factor": 2}, inputs(2, 3, 5, 6)),
    "Unfold": (("Unfold", (2, 3)), {"stride": 2, "padding": 1}, inputs(2, 3, 5, 6)),
    "Fold": (("Fold", (5, 6), (2, 3)), {"dilation": 2}, inputs(2, 6, 6)),
    "PixelShuffle": (("PixelShuffle", 2), {}, inputs(2, 8, 3, 2)),
    "PixelUnshuffle": (("PixelUnshuffle", 2), {}, inputs(2, 3, 4, 6)),
    "ChannelShuffle": (("ChannelShuffle", 2), {}, inputs(2, 6, 4, 3)),
}
LAYERS["BatchNorm1d of vectors"] = (("BatchNorm1d", 3), {}, inputs(5, 3))


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_agrees_with_pytorch(torch, name):
    args, keywords, made = LAYERS[name]
    ours, theirs = twins(torch, *args, **keywords)
    compare_in_both_modes(torch, ours, theirs, made)


KINKS = np.array([-3.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 3.0, 6.0, 25.0])
ACTIVATIONS = {
    "CELU": [{}, {"alpha": 0.5}],  # 1 / alpha is a float32 inside PyTorch
    "ELU": [{}, {"alpha": 0.3}],
    "GELU": [{}, {"approximate": "tanh"}],
    "Hardshrink": [{}, {"lambd": 0.2}],
    "Hardsigmoid": [{}],
    "Hardswish": [{}],
    "Hardtanh": [{}, {"min_val": -0.3, "max_val": 2.0}],
    "LeakyReLU": [{}, {"negative_slope": 0.3}],
    "LogSigmoid": [{}],
    "Mish": [{}],
    "PReLU": [{}],
    "ReLU": [{}],
    "ReLU6": [{}],
    "SELU": [{}],
    "SiLU": [{}],
    "Sigmoid": [{}],
    "Softplus": [{}, {"beta": 2.0, "threshold": 1.0}],
    "Softshrink": [{}, {"lambd": 0.2}],
    "Softsign": [{}],
    "Tanh": [{}],
    "Tanhshrink": [{}],
    "Threshold": [{"threshold": 0.1, "value": 20.0}],
}
TOLERANCES = {"Hardsigmoid": 1e-7}  # PyTorch's constant 1/6 is a float32
SHAPED = {
    "PReLU of channels": (("PReLU", 3), {"init": 0.1}, inputs(2, 3, 4)),
    "RReLU in evaluation": (("RReLU",), {"lower": 0.1}, inputs(3, 4)),
    "GLU": (("GLU",), {}, inputs(3, 4)),
    "GLU of another dimension": (("GLU", 0), {}, inputs(4, 3)),
    "Softmax": (("Softmax", 1), {}, inputs(3, 4, 2)),
    "Softmax2d": (("Softmax2d",), {}, inputs(3, 4, 2, 2)),
    "Softmax2d of one image": (("Softmax2d",), {}, inputs(4, 2, 2)),
    "Softmin": (("Softmin", -1), {}, inputs(3, 4)),
    "LogSoftmax": (("LogSoftmax", -1), {}, inputs(3, 4, 2)),
}


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_an_activation_agrees_with_pytorch_at_its_kinks_too(torch, kind):
    for keywords in ACTIVATIONS[kind]:
        ours, theirs = twins(torch, kind, **keywords)
        compare_in_both_modes(
            torch,
            ours,
            theirs,
            lambda draw: [np.append(KINKS, draw.normal(20, scale=3.0))],
            tolerance=TOLERANCES.get(kind, 1e-10),
        )


@pytest.mark.parametrize("name", SHAPED)
def test_an_activation_of_several_dimensions_agrees_with_pytorch(torch, name):
    args, keywords, made = SHAPED[name]
    ours, theirs = twins(torch, *args, **keywords)
    compare_in_both_modes(torch, ours, theirs, made, training=args[0] != "RReLU")


IN_PLACE = (
    "CELU", "Dropout", "ELU", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU", "Mish", "ReLU", "ReLU6",
    "SELU", "SiLU",
)  # fmt: skip


@pytest.mark.parametrize("kind", IN_PLACE)
def test_an_activation_in_place_agrees_with_pytorch(torch, kind):
    values = np.random.default_rng(0).standard_normal((3, 4))
    results = []
    for library, modules in ((mg, nn), (torch, torch.nn)):
        layer = getattr(modules, kind)(inplace=True).eval()
        x = library.tensor(values, requires_grad=True)
        middle = x * 2
        y = layer(middle)
        assert y is middle
        (y * y).sum().backward()
        results.append((y.detach().numpy(), x.grad.numpy()))
    for mine, other in zip(*results, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-10)


STARTS = {
    "Conv1d": ((8, 400, 9), {}),
    "Conv2d": ((8, 400, (3, 2)), {"groups": 2}),
    "Conv3d": ((8, 400, 3), {}),
    "ConvTranspose2d": ((8, 400, 3), {"groups": 4}),
    "Bilinear": ((60, 5, 40), {}),
    "Embedding": ((60, 50), {}),
    "EmbeddingBag": ((60, 50), {"padding_idx": 1}),
    "PReLU": ((7,), {}),
    "LayerNorm": (((3, 4),), {}),
    "RMSNorm": ((5,), {}),
    "GroupNorm": ((2, 4), {}),
    "BatchNorm2d": ((4,), {}),
    "InstanceNorm1d": ((4,), {"affine": True, "track_running_stats": True}),
    "Linear": ((300, 200), {}),
    "RNN": ((60, 300), {}),
    "LSTM": ((60, 300), {"proj_size": 200, "bidirectional": True}),
    "GRU": ((60, 300), {"num_layers": 2}),
    "RNNCell": ((60, 300), {}),
    "LSTMCell": ((60, 300), {}),
    "GRUCell": ((60, 300), {}),
    "MultiheadAttention": ((300, 3), {"add_bias_kv": True, "kdim": 200}),
    "TransformerEncoderLayer": ((300, 3, 400), {}),
    "TransformerDecoderLayer": ((300, 3, 400), {}),
    "Transformer": ((300, 3, 1, 1, 400), {}),
    "AdaptiveLogSoftmaxWithLoss": ((300, 3000, [100, 600]), {"head_bias": True}),
    "LinearCrossEntropyLoss": ((300, 200), {"bias": True}),
}


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("kind", STARTS)
def test_parameters_start_from_the_distribution_of_pytorch(torch, kind):
    args, keywords = STARTS[kind]
    ours, theirs = (getattr(library, kind)(*args, **keywords) for library in (nn, torch.nn))
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    for name, value in ours.state_dict().items():
        mine, other = value.array, state[name].numpy()
        assert (mine.shape, mine.dtype) == (other.shape, other.dtype), name
        spread = 5 * other.std() / np.sqrt(other.size)
        assert abs(mine.mean() - other.mean()) <= 2 * spread, name
        assert mine.std() == pytest.approx(other.std(), rel=0.1), name
        if other.size > 100 and 0 < np.abs(other).max() < 2 * other.std():  # a uniform distribution
            assert np.abs(mine).max() == pytest.approx(np.abs(other).max(), rel=0.05), name
