"""The error function, which neither NumPy nor Python's arrays have.

    erfc(x) = t exp(-x² + P(t)),   t = 2 / (2 + x),   x ≥ 0

P is smooth, so a short Chebyshev series gives it to the last digits (Press et al. 2007, Numerical Recipes,
section 6.2.2). The series is computed here, once, from Python's own erfc and, where that loses digits, from
Laplace's continued fraction. Near zero, where 1 - erfc(x) would cancel, erf is its Taylor series.
"""

import functools
import math
from typing import Any

TERMS = 30  # of the Chebyshev series: |error| < 2e-16 in erf
TAYLOR = 13  # terms of the series for |x| < 1/2


def erf_of(xp: Any, x: Any) -> Any:
    """erf of each element of a floating array, to the accuracy of its type (float16: in float32)."""
    if x.dtype.itemsize == 2:
        return erf_of(xp, x.astype("float32")).astype(x.dtype)
    size = xp.abs(x)
    tail = xp.copysign(1 - _erfc(xp, size), x)
    return xp.where(size < 0.5, _near_zero(x), tail)


def _near_zero(x: Any) -> Any:
    """2/√π Σ (-1)ⁿ x²ⁿ⁺¹ / (n! (2n + 1)), by Horner's rule."""
    square = x * x
    series = x * 0
    for n in reversed(range(TAYLOR)):
        series = series * square + (-1) ** n / (math.factorial(n) * (2 * n + 1))
    return series * x * (2 / math.sqrt(math.pi))


def _erfc(xp: Any, x: Any) -> Any:
    """erfc of x ≥ 0: Clenshaw's recurrence for the Chebyshev series P."""
    x = xp.minimum(x, 30)  # beyond, erfc is 0 in every type; infinity would give inf - inf
    t = 2 / (2 + x)
    twice = 4 * t - 2
    first, *rest = chebyshev_series()
    now = before = x * 0
    for coefficient in reversed(rest):
        now, before = twice * now - before + coefficient, now
    return t * xp.exp(-x * x + (0.5 * (first + twice * now) - before))


@functools.cache
def chebyshev_series() -> tuple[float, ...]:
    """The coefficients of P on t in [0, 1], by the discrete cosine transform of P at the Chebyshev nodes."""
    nodes = 64
    angles = [math.pi * (k + 0.5) / nodes for k in range(nodes)]
    values = [_exponent((math.cos(angle) + 1) / 2) for angle in angles]
    return tuple(
        2
        / nodes
        * math.fsum(value * math.cos(j * angle) for value, angle in zip(values, angles, strict=True))
        for j in range(TERMS)
    )


def _exponent(t: float) -> float:
    """P(t) = ln(erfc(x) exp(x²) / t)."""
    x = 2 / t - 2
    if x < 3:
        return math.log(math.erfc(x) / t) + x * x
    fraction = x  # erfc(x) exp(x²) √π = 1 / (x + (1/2) / (x + (2/2) / (x + (3/2) / ...)))
    for k in range(200, 0, -1):
        fraction = x + k / 2 / fraction
    return -math.log(fraction * math.sqrt(math.pi) * t)
