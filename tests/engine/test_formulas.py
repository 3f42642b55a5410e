"""A rule read as a formula: in text, and in LaTeX that matplotlib can draw."""

import pytest

from minigrad import ops
from minigrad.formulas import formula_of
from minigrad.primitive import Primitive

# ruff: noqa: E704 (a rule is a line)

OPERATIONS = sorted(
    {op.name: op for op in vars(ops).values() if isinstance(op, Primitive)}.values(), key=lambda op: op.name
)


def formulas(op):
    """All formulas of an operation."""
    if op.definition:
        return [formula_of(op.definition, "y", gradient="")]
    if op.joint:
        return [formula_of(op.joint[0], ", ".join(op.inputs))]
    return [formula_of(rule, op.inputs[place]) for place, (rule, _) in op.rules.items()]


def product(g, b): return g * b  # fmt: skip


def square(g, x): return g * 2.0 * x * x  # fmt: skip


def quotient(g, a, b): return -g * a / (b * b)  # fmt: skip


def difference(g, a, b): return a - (b - g)  # fmt: skip


def choice(g, x): return where(x > 0, g, 0.0)  # noqa: F821  # fmt: skip


def root(g, x): return g / sqrt(1 - x**2)  # noqa: F821  # fmt: skip


def matrix(g, W_ih): return W_ih.mT @ g  # fmt: skip


def powers(g, x, n): return power(x, n=n - 1) * abs_(x) ** n  # noqa: F821  # fmt: skip


def words(g, x, x_shape): return broadcast_to(g, shape=x_shape)[0, 1:]  # noqa: F821  # fmt: skip


def cases(g, x, low):
    """A docstring is no equation."""
    if low is not None:
        g = g * (x >= low)
    return g


CASES = {
    product: ("x̄ = ȳ · b", r"\bar{x} = \bar{y} \cdot b"),
    square: ("x̄ = ȳ · 2.0 · x · x", r"\bar{x} = \bar{y} \cdot 2.0 \cdot x \cdot x"),
    quotient: ("x̄ = -ȳ · a / b²", r"\bar{x} = \frac{-\bar{y} \cdot a}{b^{2}}"),
    difference: ("x̄ = a - (b - ȳ)", r"\bar{x} = a - \left(b - \bar{y}\right)"),
    choice: ("x̄ = ȳ if x > 0 else 0.0", r"\bar{x} = \bar{y}\;\mathrm{if}\;x > 0\;\mathrm{else}\;0.0"),
    root: ("x̄ = ȳ / √(1 - x²)", r"\bar{x} = \frac{\bar{y}}{\sqrt{1 - x^{2}}}"),
    matrix: ("x̄ = W_ihᵀ @ ȳ", r"\bar{x} = W_{\mathrm{ih}}^{\top} \, \bar{y}"),
    powers: ("x̄ = x^(n - 1) · |x|ⁿ", r"\bar{x} = x^{n - 1} \cdot \left|x\right|^{n}"),
    words: (
        "x̄ = broadcast_to(ȳ, shape=x_shape)[0, 1:]",
        r"\bar{x} = \mathrm{broadcast\_to}\left(\bar{y}, \mathrm{shape}=\mathrm{shape}(x)\right)[0, 1:]",
    ),
    cases: (
        "if low is not None: ȳ = ȳ · (x ≥ low)\nx̄ = ȳ",
        (
            r"\mathrm{if}\; \mathrm{low} \;\mathrm{is\ not}\; \mathrm{None}:\; "
            r"\bar{y} = \bar{y} \cdot \left(x \geq \mathrm{low}\right)"
            "\n"
            r"\bar{x} = \bar{y}"
        ),
    ),
}


@pytest.mark.parametrize("rule", CASES, ids=lambda rule: rule.__name__)
def test_python_is_read_as_mathematics(rule):
    found = formula_of(rule, "x")
    assert (found.text, found.latex) == CASES[rule]


def test_what_is_no_formula_stays_python():
    def rule(g, xs):
        total = 0
        for x in xs:
            total = total + x
        return total

    found = formula_of(rule, "x")
    assert found.latex is None
    assert "for x in xs" in found.text


def test_a_function_without_source_has_its_name():
    found = formula_of(eval("lambda g: g"), "x")  # noqa: S307
    assert (found.text, found.latex) == ("x̄ = <lambda>(…)", None)


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
def test_every_card_has_a_formula_and_most_of_them_latex(op):
    for formula in formulas(op):
        assert formula.text
        if formula.latex is not None:
            assert formula.latex.count("{") == formula.latex.count("}")


def test_matplotlib_draws_the_latex_of_every_card():
    mathtext = pytest.importorskip("matplotlib.mathtext")
    parser = mathtext.MathTextParser("path")
    found = [formula.latex for op in OPERATIONS for formula in formulas(op)]
    assert sum(latex is None for latex in found) <= len(found) / 10
    for line in {line for latex in found if latex for line in latex.split("\n")}:
        parser.parse(f"${line}$")
