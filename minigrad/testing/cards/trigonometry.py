"""The cards of minigrad/ops/trigonometry.py: functions of circle and hyperbola."""

import math

import numpy as np

from minigrad import ops
from minigrad.testing.card import NUMBERS, Kink
from minigrad.testing.strategies import NONZERO, REAL, Domain

from .elementwise import INF, NAN, arithmetic, function

INSIDE = Domain(low=-0.75, high=0.75)

CARDS = [
    function("sin", ops.sin, np.sin),
    function("cos", ops.cos, np.cos),
    function("tan", ops.tan, np.tan, Domain(low=-1.25, high=1.25)),
    function("asin", ops.asin, np.arcsin, INSIDE, kinks=[(1.0, math.pi / 2, INF), (2.0, NAN, NAN)]),
    function("acos", ops.acos, np.arccos, INSIDE, kinks=[(1.0, 0.0, -INF), (2.0, NAN, NAN)]),
    function("atan", ops.atan, np.arctan, kinks=[(INF, math.pi / 2, 0.0), (-INF, -math.pi / 2, 0.0)]),
    arithmetic(
        "atan2", ops.atan2, np.arctan2, NUMBERS, (NONZERO, NONZERO), result="floating",
        kinks=[
            Kink([[0.0, -0.0], [-1.0, -1.0]], [math.pi, -math.pi], [[-1.0, -1.0], [0.0, 0.0]]),
            Kink([[0.0, 2.0], [0.0, 0.0]], [0.0, math.pi / 2], [[0.0, 0.0], [0.0, -0.5]]),
        ],
    ),
    arithmetic(
        "hypot", ops.hypot, np.hypot, NUMBERS, (REAL, NONZERO), result="floating",
        kinks=[Kink([[0.0, INF], [0.0, 1.0]], [0.0, INF], [[NAN, NAN], [NAN, 0.0]])],
    ),
    function("sinc", ops.sinc, np.sinc, kinks=[(0.0, 1.0, 0.0), (1e-7, 1.0, -(math.pi**2) / 3 * 1e-7)]),
    function("sinh", ops.sinh, np.sinh),
    function("cosh", ops.cosh, np.cosh),
    function("tanh", ops.tanh, np.tanh, kinks=[(INF, 1.0, 0.0), (-40.0, -1.0, 0.0)]),
    function("asinh", ops.asinh, np.arcsinh, kinks=[(INF, INF, 0.0)]),
    function("acosh", ops.acosh, np.arccosh, Domain(low=1.25), kinks=[(1.0, 0.0, INF), (0.5, NAN, NAN)]),
    function("atanh", ops.atanh, np.arctanh, INSIDE, kinks=[(1.0, INF, INF), (-1.0, -INF, INF)]),
]  # fmt: skip
