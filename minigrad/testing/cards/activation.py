"""The cards of minigrad/ops/activation.py and the functions of nn/functional/activation.py."""

import math

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.errors import ShapeError
from minigrad.generator import Generator
from minigrad.nn import functional as F
from minigrad.testing.card import FLOATS, Card, Kink, Refusal
from minigrad.testing.signatures import along, halved, one_dim, sloped, unary
from minigrad.testing.strategies import NONZERO, REAL, Domain

from .elementwise import erf, zeros

INF, NAN = math.inf, math.nan
SEED = 3  # of what is random: the reference draws the same numbers


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x, beta=1.0, threshold=20.0):
    return np.where(x * beta > threshold, x, np.log1p(np.exp(x * beta)) / beta)


def elu(x, alpha=1.0, scale=1.0, input_scale=1.0):
    return scale * np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0) * input_scale) - 1))


def prelu(x, weight):
    slope = weight if weight.size == 1 else weight.reshape(x.shape[1], *[1] * (x.ndim - 2))
    return np.where(x > 0, x, x * slope).reshape(x.shape)


def no_tensor(name):
    """The refusal of what is no tensor."""
    message = f"{name}(): expected a Tensor, got list"
    return Refusal(lambda: getattr(F, name)([1.0]), TypeError, message)


def activation(name, reference, domain=REAL, kinks=(), card=None, torch=None, errors=(), **statics):
    """The card of a function of each element; a kink is (number, value, slope), perhaps with statics."""
    strategies = {key: st.sampled_from(values) for key, values in statics.items()}
    found = [Kink([x], y, [slope], *options) for x, y, slope, *options in kinks]
    return Card(
        name, getattr(F, name), unary(**strategies), reference, torch or name, (domain,), card=card,
        kinks=found, errors=errors,
    )  # fmt: skip


STRAIGHT = [
    activation(
        "threshold", lambda x, threshold, value: np.where(x > threshold, x, value), Domain(away=(0.5, -1.0)),
        [(0.5, 7.0, 0.0, {"threshold": 0.5, "value": 7.0}), (NAN, NAN, 1.0, {"threshold": 0.0, "value": 7.0})],
        card=ops.where, threshold=(0.5, -1.0), value=(0.0, 2.0),
        errors=[Refusal(lambda: F.threshold([1.0], 0.0, 0.0), TypeError, "threshold(): expected a Tensor, got list")],
    ),
    activation(
        "relu6", lambda x: np.clip(x, 0, 6), Domain(high=9.0, away=(0.0, 6.0), step=1 / 16),
        [(0.0, 0.0, 0.0), (6.0, 6.0, 0.0), (INF, 6.0, 0.0), (NAN, NAN, 0.0)], ops.hardtanh,
        errors=[no_tensor("relu6")],
    ),
    activation(
        "hardtanh", lambda x, min_val, max_val: np.minimum(np.maximum(x, min_val), max_val), Domain(away=(-1.0, 0.5, 1.0)),
        [(-1.0, -1.0, 0.0), (1.0, 1.0, 0.0), (0.5, 0.5, 1.0), (-INF, -1.0, 0.0), (NAN, NAN, 0.0)],
        ops.hardtanh, min_val=(-1.0,), max_val=(1.0, 0.5),
        errors=[Refusal(lambda: F.hardtanh(zeros(2), 1, -1), ValueError, "min_val=1 is larger"), no_tensor("hardtanh")],
    ),
    activation(  # PyTorch's slope is 1/6 rounded to float32, whatever the type
        "hardsigmoid", lambda x: np.clip((x + 3) / 6, 0, 1), Domain(low=-5.0, high=5.0, away=(-3.0, 3.0), step=1 / 16),
        [(-3.0, 0.0, 0.0), (3.0, 1.0, 0.0), (-INF, 0.0, 0.0), (NAN, NAN, 0.0)], ops.hardsigmoid,
        lambda torch, x: torch.nn.functional.relu6(x + 3) / 6, errors=[no_tensor("hardsigmoid")],
    ),
    activation(
        "hardswish", lambda x: x * np.clip((x + 3) / 6, 0, 1), Domain(low=-5.0, high=5.0, away=(-3.0, 3.0), step=1 / 16),
        [(-3.0, 0.0, 0.0), (3.0, 3.0, 1.0), (0.0, 0.0, 0.5), (INF, INF, 1.0)], ops.hardswish,
        errors=[no_tensor("hardswish")],
    ),
    activation(
        "leaky_relu", lambda x, negative_slope: np.where(x > 0, x, negative_slope * x), NONZERO,
        [(0.0, 0.0, 0.25, {"negative_slope": 0.25}), (-INF, -INF, 0.01), (NAN, NAN, 0.01)], ops.leaky_relu,
        negative_slope=(0.01, 0.5, -0.5, 0.0), errors=[no_tensor("leaky_relu")],
    ),
    Card(
        "prelu", F.prelu, sloped(), prelu, "prelu", (NONZERO, REAL), ops.prelu,
        kinks=[Kink([[0.0, -2.0], [0.25]], [0.0, -0.5], [[0.25, 0.25], [-2.0]])],
        errors=[
            Refusal(lambda: F.prelu(zeros(2, 3), zeros(2)), ShapeError, "weight (2,), expected (1,) or (3,)"),
            Refusal(lambda: F.prelu(zeros(2), 0.25), TypeError, "prelu(): expected a Tensor, got float"),
        ],
    ),
    activation(
        "rrelu", lambda x, lower: np.where(x > 0, x, x * (lower + 1 / 3) / 2), NONZERO,
        [(0.0, 0.0, 0.25, {"lower": 1 / 4, "upper": 1 / 4})], ops.leaky_relu, lower=(1 / 8, -1 / 3),
        errors=[Refusal(lambda: F.rrelu(zeros(2), 1.0, 0.5), ValueError, "lower=1.0 is larger than upper=0.5")],
    ),
    Card(
        "rrelu in training", lambda x: F.rrelu(x, training=True, generator=Generator(SEED)), unary(),
        lambda x: np.where(x > 0, x, x * (1 / 8 + (1 / 3 - 1 / 8) * Generator(SEED).uniform(x.shape))),
        None, (NONZERO,), ops.prelu,
    ),
    activation(
        "hardshrink", lambda x, lambd: np.where(np.abs(x) > lambd, x, 0), Domain(away=(-1.0, -0.5, 0.0, 0.5, 1.0)),
        [(0.5, 0.0, 0.0), (-0.5, 0.0, 0.0), (NAN, NAN, 0.0)], ops.mul, lambd=(0.5, 1.0, 0.0),
        errors=[no_tensor("hardshrink")],
    ),
    activation(
        "softshrink", lambda x, lambd: np.sign(x) * np.maximum(np.abs(x) - lambd, 0),
        Domain(away=(-1.0, -0.5, 0.0, 0.5, 1.0)), [(0.5, 0.0, 0.0), (-0.5, 0.0, 0.0), (NAN, NAN, 0.0)],
        ops.softshrink, lambd=(0.5, 1.0, 0.0),
        errors=[Refusal(lambda: F.softshrink(zeros(2), -1.0), ValueError, "softshrink(): lambd=-1.0")],
    ),
]  # fmt: skip

CURVED = [
    activation(
        "elu", elu, NONZERO, [(0.0, 0.0, 0.5, {"alpha": 0.5}), (-INF, -1.0, 0.0), (INF, INF, 1.0)], ops.elu_,
        alpha=(1.0, 0.5, -0.5), errors=[no_tensor("elu")],
    ),
    activation(
        "selu", lambda x: elu(x, 1.6732632423543772, 1.0507009873554805), NONZERO,
        [(-INF, -1.7580993408473766, 0.0), (0.0, 0.0, 1.7580993408473766)], ops.elu_, errors=[no_tensor("selu")],
    ),
    activation(
        "celu", lambda x, alpha: elu(x, alpha, input_scale=1 / alpha), NONZERO, [(0.0, 0.0, 1.0)], ops.elu_,
        alpha=(1.0, 0.5, 2.0), errors=[Refusal(lambda: F.celu(zeros(2), 0), ValueError, "alpha=0 divides by zero")],
    ),
    Card(
        "softplus", mg.softplus, unary(beta=st.sampled_from((1.0, 2.0, 0.5)), threshold=st.sampled_from((20.0, 0.51))),
        softplus, "softplus", (Domain(away=(0.255, 0.51, 1.02)),), ops.softplus_,
        kinks=[
            *(Kink([x], y, [slope]) for x, y, slope in ((INF, INF, 1.0), (-INF, 0.0, 0.0), (1000.0, 1000.0, 1.0))),
            Kink([[1.0, 1.5]], [math.log1p(math.e**2) / 2, 1.5], [[sigmoid(2.0), 1.0]], {"beta": 2, "threshold": 2}),
        ],
    ),
    activation(
        "logsigmoid", lambda x: np.log(sigmoid(x)), REAL,
        [(INF, 0.0, 0.0), (-INF, -INF, 1.0), (-1000.0, -1000.0, 1.0), (40.0, -math.exp(-40), math.exp(-40))],
        ops.logsigmoid,
    ),
    activation("softsign", lambda x: x / (1 + np.abs(x)), NONZERO, [(0.0, 0.0, 1.0), (INF, NAN, NAN)], ops.softsign),
    activation("tanhshrink", lambda x: x - np.tanh(x)),
    activation(
        "silu", lambda x: x * sigmoid(x), REAL, [(INF, INF, NAN), (-INF, NAN, NAN), (0.0, 0.0, 0.5)], ops.silu,
        errors=[no_tensor("silu")],
    ),
    activation(
        "mish", lambda x: x * np.tanh(np.log1p(np.exp(x))), REAL, [(0.0, 0.0, 0.6), (100.0, 100.0, 1.0)], ops.mish,
        errors=[no_tensor("mish")],
    ),
    Card(
        "gelu", ops.gelu_, unary(approximate=st.just("none")),
        lambda x, approximate: x * (1 + erf(x / 2**0.5)) / 2, "gelu",
        errors=[Refusal(lambda: mg.gelu(zeros(2), approximate="sigmoid"), ValueError, "got 'sigmoid'")],
    ),
    Card(
        "gelu by tanh", ops.gelu_, unary(approximate=st.just("tanh")),
        lambda x, approximate: x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3))) / 2,
        "gelu",
    ),
]  # fmt: skip


def glu(x, dim):
    a, b = np.split(x, 2, axis=dim)
    return a * sigmoid(b)


def softmin(x, dim):
    exponentials = np.exp(-x)
    return exponentials / (exponentials.sum(axis=dim, keepdims=True) if x.ndim else exponentials)


def gumbel_softmax(x, tau, dim):
    gumbel = -np.log(-np.log1p(-Generator(SEED).uniform(x.shape)))
    return softmin(-(x + gumbel) / tau, dim)


ACROSS = [
    Card(
        "glu", F.glu, halved(), glu, "glu",
        errors=[
            Refusal(lambda: F.glu(zeros(2, 3)), ShapeError, "glu(): input (2, 3), expected an even size"),
            Refusal(lambda: F.glu(zeros(2), 1), IndexError, "glu(): dim 1 out of range for 1-d tensor"),
        ],
    ),
    Card(
        "softmin", F.softmin, along(), softmin, "softmin",
        errors=[Refusal(lambda: F.softmin(zeros(2), 1), IndexError, "dim 1 out of range for 1-d tensor")],
    ),
    Card(
        "gumbel_softmax", lambda x, **statics: F.gumbel_softmax(x, **statics, generator=Generator(SEED)),
        one_dim(tau=st.sampled_from((1.0, 0.5))), gumbel_softmax, None, dtypes=FLOATS,
        errors=[Refusal(lambda: F.gumbel_softmax(zeros(2), dim=1), IndexError, "dim 1 out of range")],
    ),
]  # fmt: skip

CARDS = [*STRAIGHT, *CURVED, *ACROSS]
