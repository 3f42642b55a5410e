"""The cards of minigrad/ops/exponential.py and special.py: powers, exponentials, logarithms, erf, gamma."""

import math
from statistics import NormalDist

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
from minigrad import ops
from minigrad.errors import DTypeError
from minigrad.testing.card import FLOATS, NUMBERS, Card, Kink, Refusal
from minigrad.testing.signatures import elementwise, unary
from minigrad.testing.strategies import NONZERO, POSITIVE, REAL, Domain

from .elementwise import INF, NAN, arithmetic, erf, function, zeros

FAR_FROM_POLES = Domain(low=-2.75, step=0.5)  # odd multiples of 1/4, for higher derivatives
FARTHEST_FROM_POLES = Domain(low=-2.5, step=1.0)  # odd multiples of 1/2, for derivatives of these
NO_POLE = Domain(low=-2.9375, step=0.125)  # odd multiples of 1/16: no whole number, where Γ has its poles
INSIDE = Domain(low=-0.9375, high=0.9375)
PROBABILITY = Domain(low=0.0625, high=0.9375, away=(0.15, 0.85))

TRIGAMMA = {("oracle", "float64"): (2e-9, "PyTorch's trigamma is good to 5e-10")}

erfc = np.vectorize(math.erfc, otypes=["float64"])
lgamma = np.vectorize(lambda x: math.lgamma(x) if x > 0 or x % 1 else INF, otypes=["float64"])


def _erfinv(y):
    return INF if y == 1 else NormalDist().inv_cdf((1 + y) / 2) / math.sqrt(2)


erfinv = np.vectorize(_erfinv, otypes=["float64"])


def whole_power(a, b):
    """aᵇ in integers; what lies between them is cut off towards 0."""
    return np.trunc(np.power(a.astype("float64"), b)).astype(np.result_type(a, b))


def xlogy(a, b):
    return np.where(a == 0, 0.0, a * np.log(b))


def logit(x, eps=None):
    z = x if eps is None else np.clip(x, eps, 1 - eps)
    return np.log(z) - np.log1p(-z)


def polygamma(x, n=0):
    """The series Σ (x + k)⁻ⁿ⁻¹, its first thousand terms and, for the others, Euler and Maclaurin's formula."""
    terms = np.asarray(x)[..., None] + np.arange(1000)
    z = np.asarray(x) + 1000
    rest = 1 / (2 * z ** (n + 1)) + (n + 1) / (12 * z ** (n + 2))
    rest = rest - np.log(z) if n == 0 else rest + 1 / (n * z**n)
    return (-1) ** (n + 1) * math.factorial(n) * ((terms ** -(n + 1)).sum(-1) + rest)


POWERS = [
    arithmetic(
        "pow", mg.pow, np.power, FLOATS, (POSITIVE, REAL), card=ops.pow_, kinks=[
            Kink([[0.0, 0.0], [2.0, 0.0]], [0.0, 1.0], [[0.0, 0.0], [0.0, 0.0]]),
            Kink([[0.0, 0.0], [1.0, -1.0]], [0.0, INF], [[1.0, -INF], [0.0, -INF]]),
            Kink([[-2.0], [2.0]], [4.0], [[-4.0], [NAN]]),
            Kink([[NAN], [0.0]], [1.0], [[0.0], [NAN]]),
        ],
    ),
    Card(
        "pow of integers", mg.pow, elementwise(2), whole_power, "pow", (NONZERO, REAL), card=ops.pow_,
        dtypes=("int64", "int32"), broadcasts=True,
        errors=[Refusal(lambda: mg.pow(zeros(2) > 0, zeros(2) > 0), DTypeError, "bools to the power of bools")],
    ),
    Card(
        "power of a number", mg.pow, unary(exponent=st.sampled_from((2, 3, 0.5, 1, 0, -1, 2.5, -0.5))),
        lambda x, exponent: x**exponent, "pow", (POSITIVE,), card=ops.power,
        kinks=[
            Kink([[0.0, -2.0]], [1.0, 1.0], [[0.0, 0.0]], {"exponent": 0}),
            Kink([[0.0, -2.0]], [0.0, -2.0], [[1.0, 1.0]], {"exponent": 1}),
            Kink([[0.0, -2.0]], [0.0, 4.0], [[0.0, -4.0]], {"exponent": 2}),
            Kink([[0.0]], [0.0], [[INF]], {"exponent": 0.5}),
            Kink([[0.0]], [INF], [[-INF]], {"exponent": -1}),
        ],
        errors=[Refusal(lambda: mg.tensor([2]) ** -1, ValueError, "negative power -1")],
    ),
    Card(
        "power of a whole number", mg.pow, unary(exponent=st.sampled_from((2, 3, 1, 0, 4, -1, -2))),
        lambda x, exponent: x**exponent, "pow", (NONZERO,), card=ops.power,
    ),
    Card(
        "number to a power", lambda x, *, base: base**x, unary(base=st.sampled_from((2.0, 0.5, 3))),
        lambda x, base: np.power(base, x), lambda torch, x, base: base**x, card=ops.pow_,
    ),
    Card(
        "float_power", mg.float_power, elementwise(2),
        lambda a, b: np.power(a.astype("float64"), b.astype("float64")), "float_power", (POSITIVE, REAL),
        dtypes=NUMBERS, result="float64", broadcasts=True, card=ops.pow_,
    ),
    Card("square", mg.square, unary(), np.square, "square", dtypes=NUMBERS, card=ops.power),
    Card("ldexp", mg.ldexp, elementwise(2), lambda a, b: a * 2.0**b, "ldexp", broadcasts=True, card=ops.mul),
    function("sqrt", ops.sqrt, np.sqrt, POSITIVE, kinks=[(0.0, 0.0, INF), (-1.0, NAN, NAN)]),
    function("rsqrt", ops.rsqrt, lambda x: 1 / np.sqrt(x), POSITIVE, kinks=[(0.0, INF, -INF), (INF, 0.0, 0.0)]),
]  # fmt: skip

EXPONENTIALS = [
    function("exp", ops.exp, np.exp, kinks=[(-INF, 0.0, 0.0), (INF, INF, INF)]),
    function("exp2", ops.exp2, np.exp2, kinks=[(-INF, 0.0, 0.0), (INF, INF, INF)]),
    function("expm1", ops.expm1, np.expm1, kinks=[(-INF, -1.0, 0.0), (1e-30, 1e-30, 1.0)]),
    function(
        "sigmoid", ops.sigmoid, lambda x: 1 / (1 + np.exp(-x)), kinks=[(INF, 1.0, 0.0), (-INF, 0.0, 0.0)],
    ),
    function("log", ops.log, np.log, POSITIVE, kinks=[(0.0, -INF, INF), (-1.0, NAN, -1.0), (INF, INF, 0.0)]),
    function("log2", ops.log2, np.log2, POSITIVE, kinks=[(0.0, -INF, INF), (8.0, 3.0, 0.125 / math.log(2))]),
    function("log10", ops.log10, np.log10, POSITIVE, kinks=[(0.0, -INF, INF), (1000.0, 3.0, 1e-3 / math.log(10))]),
    function("log1p", ops.log1p, np.log1p, Domain(low=-0.75), kinks=[(-1.0, -INF, INF), (1e-30, 1e-30, 1.0)]),
    Card(
        "logit", mg.logit, unary(eps=st.sampled_from((None, 0.15))), logit, "logit", (PROBABILITY,),
        card=ops.logit_,
        kinks=[
            Kink([[0.0, 1.0, 2.0]], [-INF, INF, NAN], [[INF, INF, NAN]]),
            Kink([[0.0, 0.25, 1.0]], [-math.log(3), -math.log(3), math.log(3)], [[0.0, 16 / 3, 0.0]], {"eps": 0.25}),
        ],
    ),
    arithmetic(
        "logaddexp", ops.logaddexp, np.logaddexp, NUMBERS, result="floating",
        kinks=[Kink([[INF, -INF, 800.0], [1.0, 1.0, 800.0]], [INF, 1.0, 800 + math.log(2)],
                    [[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]])],
    ),
    arithmetic(
        "logaddexp2", ops.logaddexp2, np.logaddexp2, NUMBERS, result="floating",
        kinks=[Kink([[INF, 1100.0], [1.0, 1100.0]], [INF, 1101.0], [[1.0, 0.5], [0.0, 0.5]])],
    ),
    arithmetic(
        "xlogy", ops.xlogy, xlogy, NUMBERS, (NONZERO, POSITIVE), result="floating",
        kinks=[
            Kink([[0.0, 0.0, 0.0], [0.0, 1.0, -1.0]], [0.0, 0.0, 0.0], [[0.0, 0.0, 0.0], [NAN, 0.0, 0.0]]),
            Kink([[0.0, 1.0], [NAN, 0.0]], [NAN, -INF], [[NAN, -INF], [NAN, INF]]),
        ],
    ),
]  # fmt: skip

SPECIAL = [
    function("erf", ops.erf, erf, kinks=[(INF, 1.0, 0.0), (-INF, -1.0, 0.0)]),
    function("erfc", ops.erfc, erfc, kinks=[(INF, 0.0, 0.0), (-INF, 2.0, 0.0), (NAN, NAN, NAN)]),
    function("erfinv", ops.erfinv, erfinv, INSIDE, kinks=[(1.0, INF, INF), (-1.0, -INF, INF), (2.0, NAN, NAN)]),
    function(
        "lgamma", ops.lgamma, lgamma, NO_POLE,
        kinks=[(0.0, INF, -INF), (-1.0, INF, NAN), (INF, INF, INF), (-INF, INF, NAN), (NAN, NAN, NAN)],
    ),
    Card(
        "digamma", mg.digamma, unary(), polygamma, "digamma", (FAR_FROM_POLES,), card=ops.polygamma_, tolerance=TRIGAMMA,
        kinks=[Kink([[0.0, -0.0, -1.0, INF, NAN]], [-INF, INF, NAN, INF, NAN], [[INF, INF, INF, 0.0, NAN]])],
    ),
    Card(
        "polygamma", lambda x, *, n: mg.polygamma(n, x), unary(n=st.sampled_from((1, 2))), polygamma,
        lambda torch, x, n: torch.polygamma(n, x), (FARTHEST_FROM_POLES,), card=ops.polygamma_, dtypes=FLOATS[:2],
        tolerance=TRIGAMMA,
        errors=[Refusal(lambda: mg.polygamma(-1, zeros(2)), ValueError, "n must be 0 or more, got -1")],
    ),
]  # fmt: skip

CARDS = [*POWERS, *EXPONENTIALS, *SPECIAL]
