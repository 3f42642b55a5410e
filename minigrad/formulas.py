r"""Floor 7: a rule as a formula: its Python, read as mathematics, in text and in LaTeX.

    def d_x(g, y): return g * (1 - y * y)

    x̄ = ȳ · (1 - y²)        \bar{x} = \bar{y} \cdot \left(1 - y^{2}\right)

A bar marks the gradient of what is under it.  The source of a rule is an expression in operators and
operations, so its syntax tree is all that is needed; nothing is simplified but products of a thing with
itself.  The LaTeX is of the kind that matplotlib draws, too.  What is no formula (a loop) has none.
"""

import ast
import inspect
import textwrap
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

BAR = "\u0304"
LOOSE, TIGHT = -1, 9  # how strongly the parts of an expression hold together


@dataclass(frozen=True)
class Formula:
    """One or several equations: `text` has a line for each, `latex` too; None where a line is no formula."""

    text: str
    latex: str | None


def formula_of(function: Callable, result: str, gradient: str = "g") -> Formula:
    """The equations of a function that returns `result`; its argument `gradient` is written as ȳ."""
    try:
        source = textwrap.dedent(inspect.getsource(function))
        body = ast.parse(source).body[0]
    except (OSError, TypeError, SyntaxError):
        body = None
    if not isinstance(body, ast.FunctionDef):
        name = getattr(function, "__name__", "rule")
        return Formula(f"{Text(result, gradient).barred(result)} = {name}(…)", None)
    lines = {}
    for style in (Text, Latex):
        writer = style(result, gradient)
        try:
            lines[style] = "\n".join(writer.statements(body.body))
        except NoFormulaError:
            lines[style] = ""
    return Formula(lines[Text] or "\n".join(ast.unparse(part) for part in body.body), lines[Latex] or None)


class NoFormulaError(Exception):
    """Python that is no formula."""


class Text:
    """Python as mathematics in plain text."""

    BINARY: ClassVar = {
        ast.Add: (2, "+"), ast.Sub: (2, "-"), ast.Mult: (3, "·"), ast.Div: (3, "/"), ast.MatMult: (3, "@"),
        ast.FloorDiv: (3, "//"), ast.Mod: (3, "mod"), ast.BitAnd: (1, "and"), ast.BitOr: (1, "or"),
        ast.And: (1, "and"), ast.Or: (1, "or"), ast.BitXor: (1, "xor"),
    }  # fmt: skip
    COMPARED: ClassVar = {
        ast.Eq: "=", ast.NotEq: "≠", ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥", ast.Is: "is",
        ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
    }  # fmt: skip
    RAISED = str.maketrans("0123456789-+n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ")
    arrow, negation, dots, otherwise = "←", "not ", "…", "else: "

    def __init__(self, result: str, gradient: str) -> None:
        self.result, self.gradient = result, gradient

    # ------------------------------------------------------------------ statements

    def statements(self, body: list[ast.stmt], condition: str = "") -> list[str]:
        """A line for each equation."""
        lines: list[str] = []
        for part in body:
            match part:
                case ast.Return(value=ast.expr() as value):
                    lines.append(f"{condition}{self.barred(self.result)} = {self.write(value)}")
                case ast.Assign(targets=[target], value=value):
                    lines.append(f"{condition}{self.write(target)} = {self.write(value)}")
                case ast.AugAssign(target=target, op=op, value=value):
                    whole = ast.BinOp(target, op, value)
                    lines.append(f"{condition}{self.write(target)} {self.arrow} {self.write(whole)}")
                case ast.If(test=test, body=then, orelse=otherwise):
                    lines += self.statements(then, condition + self.when(self.write(test)))
                    lines += self.statements(otherwise, condition + self.otherwise)
                case ast.Expr(value=ast.Constant()) | ast.Assert():
                    pass  # a docstring
                case _:
                    raise NoFormulaError(ast.unparse(part))
        return lines

    # ------------------------------------------------------------------ expressions

    def write(self, tree: ast.expr, around: int = LOOSE) -> str:
        """An expression, in brackets if what is around it holds more tightly."""
        text, strength = self.parts(tree)
        return text if strength >= around else self.bracketed(text)

    def parts(self, tree: ast.expr) -> tuple[str, int]:
        """An expression, and how tightly it holds together."""
        match tree:
            case ast.Constant(value=value):
                return self.number(value), TIGHT
            case ast.Name(id=name):
                return (self.barred("y") if name == self.gradient else self.name(name)), TIGHT
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(left, op, right)
            case ast.UnaryOp(op=op, operand=operand):
                sign = {ast.USub: "-", ast.UAdd: "+"}.get(type(op), self.negation)
                return f"{sign}{self.write(operand, 4)}", 3
            case ast.Compare(left=left, ops=ops, comparators=others):
                signs = [self.COMPARED[type(op)] for op in ops]
                pairs = zip(signs, others, strict=True)
                return self.write(left, 2) + "".join(f" {s} {self.write(x, 2)}" for s, x in pairs), 1
            case ast.BoolOp(op=op, values=values):
                return f" {self.BINARY[type(op)][1]} ".join(self.write(each, 2) for each in values), 1
            case ast.IfExp(test=test, body=then, orelse=otherwise):
                return self.either(self.write(test), self.write(then, 1), self.write(otherwise, 1)), 0
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                return self.bracketed(", ".join(self.write(each) for each in parts)), TIGHT
            case ast.Subscript(value=value, slice=index):
                return f"{self.write(value, TIGHT)}[{self.index(index)}]", TIGHT
            case ast.Attribute(value=value, attr=name):
                return self.attribute(self.write(value, TIGHT), name), TIGHT
            case ast.Call():
                return self.call(tree)
            case ast.Starred(value=value):
                return f"{self.write(value, TIGHT)}{self.dots}", TIGHT
        raise NoFormulaError(ast.unparse(tree))

    def binary(self, left: ast.expr, op: ast.operator, right: ast.expr) -> tuple[str, int]:
        """left op right"""
        if isinstance(op, ast.Mult) and ast.dump(left) == ast.dump(right):
            return self.power(self.write(left, TIGHT), "2"), 5
        if isinstance(op, ast.Pow):
            return self.power(self.write(left, TIGHT), self.write(right)), 5
        if type(op) not in self.BINARY:
            raise NoFormulaError(type(op).__name__)
        strength, sign = self.BINARY[type(op)]
        tight = strength + 1 if isinstance(op, ast.Sub | ast.Div) else strength
        return f"{self.write(left, strength)} {sign} {self.write(right, tight)}", strength

    def index(self, tree: ast.expr) -> str:
        """What stands between square brackets."""
        if isinstance(tree, ast.Slice):
            ends = [self.write(end) if end is not None else "" for end in (tree.lower, tree.upper)]
            return ":".join(ends)
        if isinstance(tree, ast.Tuple):
            return ", ".join(self.index(each) for each in tree.elts)
        return self.write(tree)

    def call(self, tree: ast.Call) -> tuple[str, int]:
        """A function of its arguments; a method is a function of what it belongs to."""
        arguments = [self.write(each) for each in tree.args]
        named = {each.arg or "": each.value for each in tree.keywords}
        if isinstance(tree.func, ast.Attribute):
            name = tree.func.attr
            if not (isinstance(tree.func.value, ast.Name) and tree.func.value.id in ("xp", "math")):
                arguments = [self.write(tree.func.value), *arguments]
        elif isinstance(tree.func, ast.Name):
            name = tree.func.id.rstrip("_")
        else:
            raise NoFormulaError(ast.unparse(tree))
        if name in ("power", "pow") and (len(arguments) == 2 or "n" in named):
            base = self.write(tree.args[0], TIGHT)
            return self.power(base, arguments[1] if len(arguments) == 2 else self.write(named["n"])), 5
        if name == "where" and len(arguments) == 3:
            condition, then, otherwise = (self.write(each, 1) for each in tree.args)
            return self.either(condition, then, otherwise), 0
        if name in ("abs", "absolute") and len(arguments) == 1:
            return self.between_bars(arguments[0]), TIGHT
        if name == "matmul" and len(arguments) == 2:
            return self.binary(tree.args[0], ast.MatMult(), tree.args[1])
        if name in ("mT", "t") and len(arguments) == 1:
            return self.attribute(self.write(tree.args[0], TIGHT), "mT"), TIGHT
        if name == "square" and len(arguments) == 1:
            return self.power(self.write(tree.args[0], TIGHT), "2"), 5
        if name == "exp" and len(arguments) == 1:
            return self.power("e", arguments[0]), 5
        if name == "sqrt" and len(arguments) == 1:
            return self.root(self.write(tree.args[0], TIGHT), arguments[0]), TIGHT
        arguments += [f"{self.name(key)}={self.write(value)}" for key, value in named.items()]
        return f"{self.function(name)}{self.bracketed(', '.join(arguments))}", TIGHT

    # ------------------------------------------------------------------ what LaTeX writes differently

    def name(self, name: str) -> str:
        """A letter, or a word."""
        return name

    def number(self, value: Any) -> str:
        """A number, or a word."""
        return str(value)

    def function(self, name: str) -> str:
        """The name of a function."""
        return name

    def barred(self, name: str) -> str:
        """The gradient of `name`; of several, in brackets, and of none, where there is no gradient."""
        if self.gradient and self.result != "y":
            barred = ", ".join(part[0] + BAR + part[1:] for part in name.split(", "))
            return unicodedata.normalize("NFC", barred)
        return name

    def bracketed(self, text: str) -> str:
        """(text)"""
        return f"({text})"

    def between_bars(self, text: str) -> str:
        """|text|"""
        return f"|{text}|"

    def power(self, base: str, exponent: str) -> str:
        """A raised exponent, if it can be raised."""
        if exponent.isascii() and not exponent.strip("0123456789-+n"):
            return base + exponent.translate(self.RAISED)
        return f"{base}^{exponent if exponent.isalnum() else f'({exponent})'}"

    def root(self, tight: str, _loose: str) -> str:
        """√x"""
        return f"√{tight}"

    def attribute(self, value: str, name: str) -> str:
        """A matrix transposed, or x.name"""
        return f"{value}ᵀ" if name in ("T", "mT") else f"{value}.{name}"

    def when(self, condition: str) -> str:
        """What stands before an equation that holds only then."""
        return f"if {condition}: "

    def either(self, condition: str, then: str, otherwise: str) -> str:
        """One of two, as a condition says."""
        return f"{then} if {condition} else {otherwise}"


class Latex(Text):
    """Mathematics in LaTeX, within what matplotlib understands."""

    BINARY: ClassVar = {
        **Text.BINARY,
        ast.Mod: (3, r"\;\mathrm{mod}\;"), ast.BitXor: (1, r"\;\mathrm{xor}\;"),
        ast.Add: (2, "+"), ast.Sub: (2, "-"), ast.Mult: (3, r"\cdot"), ast.MatMult: (3, r"\,"),
        ast.BitAnd: (1, r"\wedge"), ast.And: (1, r"\wedge"), ast.BitOr: (1, r"\vee"), ast.Or: (1, r"\vee"),
    }  # fmt: skip
    COMPARED: ClassVar = {
        ast.Is: r"\;\mathrm{is}\;", ast.IsNot: r"\;\mathrm{is\ not}\;",
        ast.In: r"\in", ast.NotIn: r"\;\mathrm{not\ in}\;",
        ast.Eq: "=", ast.NotEq: r"\neq", ast.Lt: "<", ast.LtE: r"\leq", ast.Gt: ">", ast.GtE: r"\geq",
    }  # fmt: skip
    KNOWN = frozenset({"sin", "cos", "tan", "sinh", "cosh", "tanh", "max", "min", "det"})
    RENAMED: ClassVar = {"log": r"\ln", "sum": r"\sum", "prod": r"\prod"}
    arrow, negation, dots, otherwise = r"\leftarrow", r"\neg ", r"\ldots", r"\mathrm{else:}\; "

    def name(self, name: str) -> str:
        """A letter, a letter with an index, or a word."""
        if name == "_":
            return r"\_"
        head, _, tail = name.partition("_")
        if name.endswith("_shape"):
            return rf"\mathrm{{shape}}({self.name(name.removesuffix('_shape'))})"
        if len(head) == 1 and tail:
            return rf"{head}_{{\mathrm{{{_escaped(tail)}}}}}"
        return name if len(name) == 1 else rf"\mathrm{{{_escaped(name)}}}"

    def number(self, value: Any) -> str:
        """A number, or a word."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        return rf"\mathrm{{{_escaped(str(value))}}}"

    def function(self, name: str) -> str:
        """The name of a function, upright."""
        name = name.rstrip("_")
        known = rf"\{name}" if name in self.KNOWN else rf"\mathrm{{{_escaped(name)}}}"
        return self.RENAMED.get(name, known)

    def barred(self, name: str) -> str:
        """The gradient of `name`."""
        if self.gradient and self.result != "y":
            return ", ".join(rf"\bar{{{self.name(part)}}}" for part in name.split(", "))
        return name

    def bracketed(self, text: str) -> str:
        """(text)"""
        return rf"\left({text}\right)"

    def between_bars(self, text: str) -> str:
        """|text|"""
        return rf"\left|{text}\right|"

    def power(self, base: str, exponent: str) -> str:
        """base to the exponent"""
        return f"{base}^{{{exponent}}}"

    def root(self, _tight: str, loose: str) -> str:
        """A square root"""
        return rf"\sqrt{{{loose}}}"

    def attribute(self, value: str, name: str) -> str:
        """A matrix transposed, or name(x)"""
        return rf"{value}^{{\top}}" if name in ("T", "mT") else rf"\mathrm{{{_escaped(name)}}}({value})"

    def when(self, condition: str) -> str:
        """What stands before an equation that holds only then."""
        return rf"\mathrm{{if}}\; {condition}:\; "

    def either(self, condition: str, then: str, otherwise: str) -> str:
        """One of two, as a condition says."""
        return rf"{then}\;\mathrm{{if}}\;{condition}\;\mathrm{{else}}\;{otherwise}"

    def binary(self, left: ast.expr, op: ast.operator, right: ast.expr) -> tuple[str, int]:
        """A quotient is a fraction; all else as ever."""
        if isinstance(op, ast.Div):
            return rf"\frac{{{self.write(left)}}}{{{self.write(right)}}}", 4
        return super().binary(left, op, right)


def _escaped(word: str) -> str:
    return "".join(rf"\{letter}" if letter in "_%#&$" else letter for letter in word)
