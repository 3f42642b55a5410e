"""Floor 7: does one step of a backward pass agree with finite differences of its operation?

For an operation f, the gradient ȳ of its output and a random direction v in one input, two numbers must
agree:

    ⟨ȳ, (f(x + εv) - f(x - εv)) / 2ε⟩    and    ⟨x̄, v⟩

Everything but x̄ is float64, so the tolerance is that of the type x̄ was computed in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .backend import is_array, namespace, numpy
from .generator import Generator
from .tensor import Tensor

TOLERANCES = {"float64": 1e-6, "float32": 1e-3, "float16": 5e-2}


@dataclass(frozen=True)
class Agreement:
    """How one outgoing gradient compares: `error` is relative to the size of what is compared.

    `at_kink` says that the one-sided differences differ, so that there is no derivative to compare with.
    """

    input: str
    by_rule: float
    by_difference: float
    error: float
    holds: bool
    at_kink: bool

    def __str__(self) -> str:
        return (
            f"{self.input}: {'kink' if self.at_kink else f'{self.error:.1e}'}{'' if self.holds else ' WRONG'}"
        )


def agreements(
    operation: Any,
    arguments: Sequence[Any],
    static: dict[str, Any],
    names: Sequence[str],
    weights: Sequence[Any],
    outgoing: dict[str, Any],
    eps: float,
    seed: int,
) -> list[Agreement]:
    """The comparison for each input of an operation that has an outgoing gradient."""
    points = [_wide(a) for a in arguments]
    generator = Generator(seed)

    def weighted(place: int, moved: Any) -> list[Any]:
        y = operation.on_arrays(*points[:place], moved, *points[place + 1 :], **static)
        pairs = zip(y if isinstance(y, tuple) else (y,), weights, strict=True)
        return [u.astype("float64") * _finite(a) for a, u in pairs if u is not None]

    def projected(place: int, moved: Any) -> float:
        return float(sum(product.sum() for product in weighted(place, moved)))

    found = []
    for name, gradient in outgoing.items():
        place = list(names).index(name)
        x = points[place]
        xp = namespace(x)
        v = xp.asarray(generator.normal(x.shape, "float64"))
        step = eps * max(1.0, float(abs(_finite(x)).max()) if x.size else 1.0)
        ahead, here, behind = (projected(place, xp.asarray(x + shift * v)) for shift in (step, 0.0, -step))
        slope = gradient.astype("float64")
        product = slope * v
        by_rule, by_difference = float(product.sum()), (ahead - behind) / (2 * step)
        right, left = (ahead - here) / step, (here - behind) / step
        rounded = [*weighted(place, x), slope * _finite(x)]
        extent = float(sum(abs(each).sum() for each in rounded))  # 1e-10 of it is lost in a difference
        furthest = float(abs(v).max()) if v.size else 0.0
        blur = step**2 * furthest**3 / TOLERANCES["float64"]  # of a third derivative of 1 a difference keeps
        size = max(float(abs(product).sum()), abs(by_difference), 1e-3 * extent, blur, 1e-8)
        at_kink = abs(right - left) > 1e-2 * max(abs(right), abs(left)) + 1e-4 * size
        error = abs(by_rule - by_difference) / size
        holds = at_kink or error <= TOLERANCES[gradient.dtype.name]
        found.append(Agreement(name, by_rule, by_difference, error, holds, at_kink))
    return found


def _finite(array: Any) -> Any:
    """The numbers of an array, with 0 for those that no difference can be taken of."""
    xp = namespace(array) if is_array(array) else numpy  # NumPy makes a scalar of a 0-d array
    return xp.where(xp.isfinite(array), array, 0.0)


def _wide(argument: Any) -> Any:
    """An argument on arrays, in float64 if it is of a floating type."""
    array = argument.array if isinstance(argument, Tensor) else argument
    return array.astype("float64") if getattr(getattr(array, "dtype", None), "kind", "") == "f" else array
