"""The logarithm of the gamma function and its derivatives, which NumPy does not have; computed in float64.

For large z they are Stirling's series, whose coefficients are the Bernoulli numbers; Γ(x + 1) = x Γ(x) leads
from any x > 0 to a large z, and Γ(x) Γ(1 - x) = π / sin(πx) from the negative numbers to the positive
(Abramowitz & Stegun 1964, equations 6.1.15, 6.1.17, 6.1.40; 6.4.6, 6.4.7, 6.4.11).
"""

import math
from collections.abc import Sequence
from typing import Any

BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)  # B₂, B₄, ..., B₁₆
SHIFT = 10  # from here on the series is good to the last digit


def lgamma_of(xp: Any, x: Any) -> Any:
    """ln |Γ(x)| of each element of a floating array."""
    wide = x.astype("float64")
    positive = xp.where(wide < 0, 1 - wide, wide)
    product = positive
    for k in range(1, SHIFT):
        product = product * xp.where(positive < SHIFT, positive + k, 1)
    small = positive < SHIFT
    y = _stirling(xp, xp.where(small, positive + SHIFT, positive)) - xp.where(small, xp.log(product), 0)
    sine = xp.abs(xp.sin((wide - xp.rint(wide)) * math.pi))
    y = xp.where(wide < 0, math.log(math.pi) - xp.log(sine) - y, y)
    return xp.where(xp.isinf(wide), math.inf, y).astype(x.dtype)


def _stirling(xp: Any, z: Any) -> Any:
    """(z - ½)(ln z - 1) - ½ + ½ ln 2π + Σ B₂ₖ / (2k (2k - 1) z²ᵏ⁻¹)"""
    series = 0.0
    for k, number in reversed([*enumerate(BERNOULLI, 1)]):
        series = series / (z * z) + number / (2 * k * (2 * k - 1))
    return (z - 0.5) * (xp.log(z) - 1) + (0.5 * math.log(2 * math.pi) - 0.5) + series / z


def polygamma_of(xp: Any, x: Any, n: int) -> Any:
    """The derivative number n + 1 of ln Γ at each element of a floating array; n = 0: digamma."""
    wide = x.astype("float64")
    positive = xp.where(wide < 0, 1 - wide, wide)
    shift, sign = SHIFT + n, (-1) ** n
    total = positive ** -(n + 1)
    for k in range(1, shift):
        total = total + (positive + k) ** -(n + 1)
    y = _asymptotic(xp, positive + shift, n) - sign * math.factorial(n) * total
    turned = (wide - xp.rint(wide)) * math.pi
    slope = math.pi ** (n + 1) * _horner(_cotangent(n), 1 / xp.tan(turned))  # dⁿ/dxⁿ π cot(πx)
    reflected = sign * y - slope
    if n == 0:  # -∞ on one side, ∞ on the other
        reflected = xp.where(turned == 0, math.nan, reflected)
    return xp.where(wide < 0, reflected, y).astype(x.dtype)


def _asymptotic(xp: Any, z: Any, n: int) -> Any:
    """(-1)ⁿ⁺¹ ((n - 1)! / zⁿ + n! / 2zⁿ⁺¹ + Σ B₂ₖ (2k + n - 1)! / ((2k)! z²ᵏ⁺ⁿ)); n = 0: -ln z comes first"""
    series = 0.0
    for k, number in reversed([*enumerate(BERNOULLI, 1)]):
        series = (series + number * math.factorial(2 * k + n - 1) / math.factorial(2 * k)) / (z * z)
    first = -xp.log(z) if n == 0 else math.factorial(n - 1) * z**-n
    return (-1) ** (n + 1) * (first + z**-n * (math.factorial(n) / 2 / z + series))


def _cotangent(n: int) -> Sequence[float]:
    """P, the lowest power first, such that dⁿ cot(t) / dtⁿ = P(cot t): Pₙ₊₁(c) = -(1 + c²) P'ₙ(c)."""
    powers = [0.0, 1.0]
    for _ in range(n):
        slope = [k * power for k, power in enumerate(powers)][1:]
        powers = [-low - high for low, high in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    return powers


def _horner(powers: Sequence[float], c: Any) -> Any:
    """The polynomial of `powers`, the lowest first, at c."""
    value: Any = powers[-1]
    for power in reversed(powers[:-1]):
        value = value * c + power
    return value
