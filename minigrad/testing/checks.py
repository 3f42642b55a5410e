"""What must hold of an operation: checks for whoever writes one, and a report on one that is declared."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import Phase, given, settings

from minigrad.gradcheck import compare, gradcheck, gradgradcheck, gradient_of

from .card import FLOATS, Card, Case, assert_close, cases, cases_by_type, listed
from .signatures.elementwise import elementwise
from .strategies import REAL, Domain


def _declared(op: Callable, domains: tuple[Domain, ...], signature: Any, **more: Any) -> Card:
    """A declaration of what is known of somebody's operation."""
    inputs = domains or (REAL,)
    drawn = elementwise(len(inputs)) if signature is None else signature
    return Card(getattr(op, "__name__", "op"), op, drawn, more.pop("reference", None), None, inputs, **more)


def check_gradients(
    op: Callable[..., Any],
    *inputs: Domain,
    signature: Any = None,
    second: bool = True,
    examples: int | None = None,
) -> None:
    """Property-test the derivatives of `op`, first and second, against finite differences.

    inputs      the numbers that each input may hold, as a Domain; one input of REAL numbers unless told
    signature   a strategy for (the shapes of the inputs, {static argument: value}), such as those of
                `minigrad.testing.signatures`; by default shapes that broadcast together
    second      is there a second derivative?
    examples    how many inputs are drawn; None: as many as the profile of Hypothesis says

    Raises GradcheckError, with the smallest inputs that Hypothesis found to fail.

    >>> import minigrad as mg
    >>> from minigrad.testing import POSITIVE, REAL
    >>> check_gradients(lambda x, y: mg.log(x) * y, POSITIVE, REAL)
    """
    card = _declared(op, inputs, signature)

    @settings(max_examples=examples or settings.default.max_examples)
    @given(cases(card))
    def holds(case: Case) -> None:
        tensors = case.tensors()
        gradcheck(case.function, tensors)
        if second:
            gradgradcheck(case.function, tensors)

    holds()


def check_values(
    op: Callable[..., Any],
    reference: Callable[..., Any],
    *inputs: Domain,
    signature: Any = None,
    dtypes: tuple[str, ...] = FLOATS,
) -> None:
    """Property-test the values of `op` against a function of NumPy arrays, in every type.

    The reference is given float64 (or integer) arrays and the static arguments. Raises AssertionError.

    >>> import minigrad as mg
    >>> check_values(mg.tanh, np.tanh)
    """
    card = _declared(op, inputs, signature, reference=reference, dtypes=dtypes)

    @given(cases_by_type(card))
    def holds(found: dict[str, Case]) -> None:
        for case in found.values():
            _compare_values(case, case.tensors(wanted=()))

    holds()


def _compare_values(case: Case, tensors: list) -> None:
    for output, value in zip(listed(case.run(tensors)), case.expected(), strict=True):
        kind = output.dtype.name
        tolerance = case.card.within("value", kind) if output.dtype.kind == "f" else 0
        assert_close(output.detach().cpu().array, np.asarray(value), tolerance, case)


# ------------------------------------------------------------------------------------------------ a report


@dataclass(frozen=True)
class Report:
    """What became of one operation: each of three is True, False, or None where there is nothing to check.

    worst: the largest deviation of a first or second derivative, as a share of the numbers compared.
    problem: what failed first, in words; empty if nothing did.
    """

    name: str
    value: bool | None
    first: bool | None
    second: bool | None
    worst: float
    problem: str

    @property
    def passed(self) -> bool:
        """Did nothing fail?"""
        return not self.problem


def report(card: Card, examples: int = 10, device: str = "cpu") -> Report:
    """Check one declared operation on a device with so many drawn inputs, always the same ones."""
    checks: dict[str, Callable[[Case], float]] = {"value": lambda case: _value(case, device)}
    if card.differentiable:
        checks["first"] = lambda case: _derivative(case, device, "first")
        if card.second:
            checks["second"] = lambda case: _derivative(case, device, "second")
    results: dict[str, bool] = {}
    worst, problem = 0.0, ""
    for what, body in checks.items():
        deviation, failure = _over_cases(card, examples, body)
        results[what] = not failure
        worst = max(worst, deviation)
        problem = problem or (f"{what}: {failure}" if failure else "")
    return Report(card.name, results["value"], results.get("first"), results.get("second"), worst, problem)


def _over_cases(card: Card, examples: int, body: Callable[[Case], float]) -> tuple[float, str]:
    """(the largest number that `body` gave for the cases drawn, the first line of what it raised or "")."""
    largest = 0.0

    @settings(max_examples=examples, database=None, derandomize=True, deadline=None, phases=[Phase.generate])
    @given(cases(card))
    def holds(case: Case) -> None:
        nonlocal largest
        largest = max(largest, body(case))

    try:
        holds()
    except Exception as error:  # noqa: BLE001 (whatever an operation raises is its failure)
        return largest, str(error).split("\n", 1)[0] or type(error).__name__
    return largest, ""


def _on(device: str, case: Case) -> list:
    """The inputs of a case on a device."""
    return [t if t is None else t.to(device).detach().requires_grad_(t.requires_grad) for t in case.tensors()]


def _value(case: Case, device: str) -> float:
    _compare_values(case, _on(device, case))
    return 0.0


def _derivative(case: Case, device: str, order: str) -> float:
    """The largest deviation of a derivative from finite differences."""
    function, tensors = case.function, _on(device, case)
    if not any(t is not None and t.requires_grad for t in tensors):
        return 0.0
    absolute = relative = case.card.within(order, "float64")
    if order == "first":
        relative = case.card.within("first, relative", "float64")
    else:
        function, tensors = gradient_of(function, tensors)
    found = list(compare(function, tensors))
    for one in found:
        apart = abs(one.by_rule - one.by_difference)
        if not apart <= absolute * one.scale + relative * abs(one.by_difference):
            raise AssertionError(
                f"the rule gives {one.by_rule:.9g}, finite differences {one.by_difference:.9g}, for {case}"
            )
    return max(one.error for one in found)
