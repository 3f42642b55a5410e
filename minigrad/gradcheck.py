"""Floor 6: is a derivative right?  Finite differences tell, without knowing any rule.

For a function f, a direction v in its inputs and a cotangent u in its outputs, both random, two numbers
must agree:

    ⟨u, (f(x + εv) - f(x - εv)) / 2ε⟩    and    ⟨∇⟨u, f⟩, v⟩

A cotangent of ones would be blind to exchanged rows and columns; a random one is not.  Everything is
float64.  When the numbers disagree, the full Jacobian is computed element by element, and the error names
the worst one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .autograd import grad
from .backend import namespace
from .generator import Generator
from .modes import no_grad
from .tensor import Tensor

EPSILON = 1e-6  # times max(1, |x|): the step of the central difference
DIRECTIONS = 2


class GradcheckError(AssertionError):
    """A derivative that disagrees with finite differences."""


class NonDifferentiableError(ValueError):
    """A point at which the two one-sided differences disagree: a kink, where no derivative can be checked."""


@dataclass(frozen=True)
class Comparison:
    """A derivative along one random direction by the rules, by differences, and the size of its terms."""

    by_rule: float
    by_difference: float
    scale: float

    @property
    def error(self) -> float:
        """How far the two are apart, as a share of the terms of which they are the sum (at least 1)."""
        return abs(self.by_rule - self.by_difference) / max(self.scale, abs(self.by_difference))


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = EPSILON,
    atol: float = 1e-6,
    rtol: float = 1e-5,
    seed: int = 0,
    raise_exception: bool = True,
) -> bool:
    """Check the first derivatives of `func` at `inputs`; True if they hold.

    inputs: the arguments of func; those float64 tensors that require grad are checked. func returns a
    tensor or several. The tolerance is atol · scale + rtol · |difference|, where scale is the size of the
    numbers compared. Raises GradcheckError (or returns False with raise_exception=False), ValueError for
    inputs that are not float64, and NonDifferentiableError at a kink.

    >>> import minigrad as mg
    >>> x = mg.tensor([0.3, -0.2], dtype=mg.float64, requires_grad=True)
    >>> gradcheck(mg.tanh, x)
    True
    """
    arguments, checked = _prepared(inputs)
    for found in compare(func, arguments, eps=eps, seed=seed):
        apart = abs(found.by_rule - found.by_difference)
        if not apart <= atol * found.scale + rtol * abs(found.by_difference):
            if not raise_exception:
                return False
            raise GradcheckError(
                f"gradcheck(): along a random direction the rule gives {found.by_rule:.9g}, finite "
                f"differences {found.by_difference:.9g}; "
                + _worst_element(func, arguments, checked, _step(arguments, checked, eps))
            )
    return True


def compare(
    func: Callable[..., Any], inputs: Tensor | Sequence[Any], *, eps: float = EPSILON, seed: int = 0
) -> Iterator[Comparison]:
    """What `gradcheck` judges, as numbers: one comparison for each of its random directions."""
    arguments, checked = _prepared(inputs)
    for direction in range(DIRECTIONS):
        generator = Generator(1000 * seed + direction)
        yield _compare_along(func, arguments, checked, _step(arguments, checked, eps), generator)


def gradgradcheck(func: Callable[..., Any], inputs: Tensor | Sequence[Any], **options: Any) -> bool:
    """Check second derivatives: `gradcheck` of the gradient, a function of the inputs and the cotangent.

    Takes the options of `gradcheck`; the tolerances are 1e-4 unless told otherwise.
    """
    options = {"atol": 1e-4, "rtol": 1e-4, **options}
    return gradcheck(*gradient_of(func, inputs, options.get("seed", 0)), **options)


def gradient_of(
    func: Callable[..., Any], inputs: Tensor | Sequence[Any], seed: int = 0
) -> tuple[Callable[..., tuple[Tensor, ...]], list[Any]]:
    """(the gradient of `func` for a random cotangent, as a function of both; what to call it with)."""
    arguments = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    checked = [i for i, a in enumerate(arguments) if isinstance(a, Tensor) and a.requires_grad]
    with no_grad():
        outputs = _floating(func(*arguments))
    generator = Generator(seed + 77)
    cotangents = [
        Tensor(_like(out, generator.normal(out.shape, "float64")), requires_grad=True) for out in outputs
    ]

    def gradient(*everything: Any) -> tuple[Tensor, ...]:
        values, weights = everything[: len(arguments)], everything[len(arguments) :]
        pairs = zip(_floating(func(*values)), weights, strict=True)
        attached = [(out, weight) for out, weight in pairs if out.requires_grad]
        found = grad(
            [out for out, _ in attached],
            [values[i] for i in checked],
            [weight for _, weight in attached],
            create_graph=True,
            allow_unused=True,
        )
        return tuple(g for g in found if g is not None)

    return gradient, [*arguments, *cotangents]


def _prepared(inputs: Tensor | Sequence[Any]) -> tuple[list[Any], list[int]]:
    """(the arguments, the positions of those that are checked), which must be float64."""
    arguments = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    checked = [i for i, a in enumerate(arguments) if isinstance(a, Tensor) and a.requires_grad]
    if not checked:
        raise ValueError("gradcheck(): no input requires grad; set requires_grad=True on those to be checked")
    for i in checked:
        if arguments[i].dtype.name != "float64":
            raise ValueError(
                f"gradcheck(): input {i} is {arguments[i].dtype}, expected float64; use .double()"
            )
    return arguments, checked


def _step(arguments: list, checked: list[int], eps: float) -> float:
    """The step of the central difference: eps, or eps times the largest number if that is above 1."""
    sizes = [float(abs(_to_host(arguments[i])).max()) for i in checked if arguments[i].array.size]
    return eps * max([1.0, *sizes])


def _listed(outputs: Any) -> list[Tensor]:
    return [outputs] if isinstance(outputs, Tensor) else [out for out in outputs if isinstance(out, Tensor)]


def _floating(outputs: Any) -> list[Tensor]:
    return [out for out in _listed(outputs) if out.dtype.kind == "f"]


def _compare_along(
    func: Callable, arguments: list, checked: list[int], step: float, generator: Generator
) -> Comparison:
    """The two numbers of this file's first paragraph for one random direction and cotangent."""
    outputs = _floating(func(*arguments))
    directions = [generator.normal(arguments[i].shape, "float64") for i in checked]
    weights = [generator.normal(out.shape, "float64") for out in outputs]
    by_rule, size = _by_rule(outputs, [arguments[i] for i in checked], weights, directions)

    def projected(shift: float) -> float:
        moved = list(arguments)
        for i, v in zip(checked, directions, strict=True):
            moved[i] = Tensor(_like(arguments[i], _to_host(arguments[i]) + shift * v), requires_grad=True)
        values = _floating(func(*moved))
        return float(sum((_to_host(out) * u).sum() for out, u in zip(values, weights, strict=True)))

    ahead, here, behind = projected(step), projected(0.0), projected(-step)
    right, left = (ahead - here) / step, (here - behind) / step
    if abs(right - left) > 1e-2 * max(1.0, abs(right), abs(left)):
        raise NonDifferentiableError(
            f"gradcheck(): one-sided differences {right:.6g} and {left:.6g} differ: the point lies at a kink"
        )
    return Comparison(by_rule, (ahead - behind) / (2 * step), max(1.0, size, abs(here)))


def _by_rule(outputs: list, targets: list, weights: list, directions: list) -> tuple[float, float]:
    """(⟨∇⟨u, f⟩, v⟩, the sum of the absolute values of its terms)."""
    pairs = zip(outputs, weights, strict=True)
    attached = [(out, Tensor(_like(out, u))) for out, u in pairs if out.requires_grad]
    if not attached:
        return 0.0, 0.0
    found = grad([out for out, _ in attached], targets, [u for _, u in attached], allow_unused=True)
    products = [_to_host(g) * v for g, v in zip(found, directions, strict=True) if g is not None]
    return float(sum(p.sum() for p in products)), float(sum(abs(p).sum() for p in products))


def _like(tensor: Tensor, values: Any) -> Any:
    """`values` as an array in the library of `tensor`."""
    return namespace(tensor.array).asarray(values)


def _to_host(tensor: Tensor) -> Any:
    return tensor.detach().cpu().array


def _worst_element(func: Callable, arguments: list, checked: list[int], step: float) -> str:
    """The entry of the Jacobian at which rule and difference are farthest apart, in words."""
    farthest, worst = -1.0, "the single elements agree"
    for i in checked:
        values = arguments[i].array
        for place in range(values.size):
            ahead, behind = (_outputs_at(func, arguments, i, place, shift) for shift in (step, -step))
            for k, out in enumerate(_listed(func(*arguments))):
                if out.dtype.kind != "f":
                    continue
                for where in range(out.array.size):
                    expected = (ahead[k].reshape(-1)[where] - behind[k].reshape(-1)[where]) / (2 * step)
                    found = _entry(func, arguments, i, place, k, where)
                    if abs(found - expected) > farthest:
                        farthest = abs(found - expected)
                        worst = (
                            f"worst at ∂output{k}[{where}]/∂input{i}[{place}]: the rule gives {found:.9g}, "
                            f"the difference {expected:.9g}"
                        )
    return f"{worst}; input shapes {[a.shape for a in arguments if isinstance(a, Tensor)]}"


def _outputs_at(func: Callable, arguments: list, i: int, place: int, shift: float) -> list[Any]:
    """The outputs when one element of input i is moved by `shift`."""
    values = arguments[i].array.copy()
    values.reshape(-1)[place] += shift
    moved = [*arguments[:i], Tensor(values, requires_grad=True), *arguments[i + 1 :]]
    return [_to_host(out) for out in _listed(func(*moved))]


def _entry(func: Callable, arguments: list, i: int, place: int, k: int, where: int) -> float:
    """One entry of the Jacobian, by the rules."""
    out = _listed(func(*arguments))[k]
    if not out.requires_grad:
        return 0.0
    seed = namespace(out.array).zeros(out.shape)
    seed.reshape(-1)[where] = 1
    (g,) = grad(out, arguments[i], Tensor(seed), allow_unused=True)
    return 0.0 if g is None else float(_to_host(g).reshape(-1)[place])
