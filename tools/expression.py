"""A formula typed by a user, evaluated without `eval`: parsed interpreted over a list of operations.

What is not on the lists here does not exist: no attribute but .T and .mT, no name but those of the functions
and of the tensors, no string but as a keyword's value.  The tensors are whatever other names occur; each gets
a shape, and values between 0.1 and 0.9 that depend on its place alone.
"""

import ast
import functools
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import minigrad
from minigrad.generator import Generator
from minigrad.modes import no_grad
from minigrad.nn import functional as F
from minigrad.tensor import Tensor

LONGEST = 1000  # characters of an expression
DEEPEST = 100  # parentheses, calls and operators within one another
ELEMENTS = 10_000  # of one tensor: this is for drawing
TOGETHER = 10_000_000  # of the product of the elements of one operation's inputs: a bound of all it can make
NUMBER = 1e9  # the largest number
ATTEMPTS = 5000  # choices of shapes tried

# The shapes tried for a name whose shape was not given, in this order: as the first one; the next factors of
# a product; square; a bias; whatever else.
SHAPES: tuple[tuple[int, ...], ...] = (
    (2, 3),
    *((3, 4), (4, 5), (5, 6)),
    *((3, 3), (4, 4)),
    *((4,), (3,), (5,), (6,), (2,)),
    *((4, 3), (2, 4), (2, 2), (), (2, 3, 4), (2, 4, 3)),
)

OPERATIONS = """
    abs add amax amin argmax argmin cat chunk clamp cos div dot erf exp expm1 flatten flip log log1p
    log_softmax logsumexp masked_fill matmul max maximum mean min minimum mul narrow neg permute pow relu
    reshape sigmoid sign sin softmax softplus split sqrt square squeeze stack std sub sum t tanh transpose
    tril triu unbind unsqueeze var where
"""
LAYERS = "cross_entropy gelu layer_norm linear mse_loss scaled_dot_product_attention"
FUNCTIONS: dict[str, Callable] = {
    **{name: getattr(minigrad, name) for name in OPERATIONS.split()},
    **{name: getattr(Tensor, name) for name in ("expand", "view")},
    **{name: getattr(F, name) for name in LAYERS.split()},
}

OPERATORS: dict[type, Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.USub: operator.neg,
    ast.UAdd: lambda value: value,
}


class ExpressionError(ValueError):
    """An expression that cannot be read, or may not be; the message names the place and what is possible."""


def evaluate(
    text: str, shapes: Mapping[str, tuple[int, ...]] | None = None, place: str = "cpu"
) -> tuple[Tensor, dict[str, Tensor]]:
    """The value of an expression, and its tensors by name, all of which require grad and are on one device.

    `shapes` gives the shapes of some names. The others get the first of SHAPES with which the expression
    can be evaluated: tried name by name in the order of evaluation, the last one changing fastest.
    ExpressionError for what is no expression, or not on the lists; the operations' own errors pass through.

    >>> value, leaves = evaluate("tanh(x @ w + b).sum()")
    >>> value.shape, {name: leaf.shape for name, leaf in leaves.items()}
    ((), {'x': (2, 3), 'w': (3, 4), 'b': (4,)})
    """
    tree = _parsed(text)
    given = {name: tuple(shape) for name, shape in (shapes or {}).items()}
    _check_given(tree, given)
    chosen = _fitting_shapes(tree, given)
    interpreter = _Interpreter({**chosen, **given}, place=place)
    value = interpreter.value(tree)
    if isinstance(value, tuple | list):
        raise ExpressionError(
            f"the expression gives {len(value)} values, expected one tensor; choose one by [0]"
        )
    if not isinstance(value, Tensor):
        raise ExpressionError(f"the expression gives {value}, expected a tensor; name one, such as x")
    return value, interpreter.leaves


def _parsed(text: str) -> ast.expr:
    """The syntax tree of an expression of reasonable size."""
    text = " ".join(text.split())
    if not text or not text.isprintable() or len(text) > LONGEST:
        raise ExpressionError(
            f"got {text[:60]!r} of {len(text)} characters, expected an expression of 1 to {LONGEST} printable"
        )
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        column = max(error.offset or 1, 1)
        pointer = " " * (column - 1) + "^"
        raise ExpressionError(f"{error.msg} at column {column}:\n  {text}\n  {pointer}") from None
    except (RecursionError, MemoryError):  # a tower of operators
        raise ExpressionError("the expression is nested too deeply") from None
    level: list[ast.AST] = [tree]
    depth = 0
    while level:
        level, depth = [child for node in level for child in ast.iter_child_nodes(node)], depth + 1
    if depth > DEEPEST:
        raise ExpressionError(f"the expression is nested {depth} deep, expected {DEEPEST} at most")
    return tree


def _check_given(tree: ast.expr, given: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse the shape of a name that does not occur, and one with too many elements."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - FUNCTIONS.keys()
    for name, shape in given.items():
        if name not in names:
            raise ExpressionError(
                f"a shape is given for {name!r}, expected one of: {', '.join(sorted(names))}"
            )
        if any(size < 0 for size in shape) or math.prod(shape) > ELEMENTS:
            raise ExpressionError(
                f"shape {shape} of {name}: expected sizes >= 0 and at most {ELEMENTS} elements"
            )


# ------------------------------------------------------------------------------------------------ shapes


def _fitting_shapes(tree: ast.expr, given: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """The first choice of shapes for the names not in `given` that lets the expression be evaluated."""
    choice: list[int] = []  # number of the shape tried for the 1st, 2nd, ... name met
    first_error: Exception | None = None
    for _ in range(ATTEMPTS):
        interpreter = _Interpreter(given, choice)
        try:
            with no_grad():
                interpreter.value(tree)
        except ExpressionError:
            raise
        except (ValueError, IndexError, RuntimeError) as error:
            first_error = first_error or error
        else:
            return interpreter.chosen
        choice = [SHAPES.index(shape) for shape in interpreter.chosen.values()]
        while choice and choice[-1] == len(SHAPES) - 1:
            choice.pop()
        if not choice:
            break
        choice[-1] += 1
    assert first_error is not None
    if not interpreter.chosen:
        raise first_error
    names = " ".join(f"--shape {name}=..." for name in interpreter.chosen)
    raise ExpressionError(f"no default shapes fit; give them by {names}. With the first ones: {first_error}")


# ------------------------------------------------------------------------------------------------ values


class _Interpreter:
    """Evaluates a syntax tree; a name that is new becomes a tensor, of the shape whose turn it is."""

    def __init__(
        self, given: Mapping[str, tuple[int, ...]], choice: Sequence[int] = (), place: str = "cpu"
    ) -> None:
        self.given, self.choice, self.place = given, choice, place
        self.chosen: dict[str, tuple[int, ...]] = {}
        self.leaves: dict[str, Tensor] = {}

    def value(self, node: ast.expr) -> Any:
        """A tensor, a number, or a tuple or list of them."""
        match node:
            case ast.Constant(value=bool() | int() | float() | None as constant):
                return self._number(constant)
            case ast.Name(id=name):
                return self._leaf(name)
            case ast.UnaryOp(op=sign, operand=operand) if type(sign) in OPERATORS:
                return self._apply(OPERATORS[type(sign)], self._operand(operand))
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in OPERATORS:
                return self._apply(OPERATORS[type(sign)], self._operand(left), self._operand(right))
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in OPERATORS:
                return self._apply(OPERATORS[type(sign)], self._operand(left), self._operand(right))
            case ast.Call():
                return self._call(node)
            case ast.Attribute(value=inner, attr="T" | "mT" as name):
                tensor = self._tensor(inner)
                return tensor.T if name == "T" else tensor.mT
            case ast.Subscript(value=inner, slice=index):
                return self._apply(operator.getitem, self.value(inner), self._index(index))
            case ast.Tuple(elts=items):
                return tuple(self.value(item) for item in items)
            case ast.List(elts=items):
                return [self.value(item) for item in items]
        raise _refusal(node)

    def _leaf(self, name: str) -> Tensor:
        """The tensor of a name."""
        if name in FUNCTIONS:
            raise ExpressionError(
                f"{name} is a function: call it, {name}(x), or give the tensor another name"
            )
        if name not in self.leaves:
            shape = self.given.get(name)
            if shape is None:
                turn = len(self.chosen)
                shape = self.chosen[name] = SHAPES[self.choice[turn] if turn < len(self.choice) else 0]
            self.leaves[name] = _values(len(self.leaves), shape).detach().to(self.place).requires_grad_()
        return self.leaves[name]

    def _call(self, node: ast.Call) -> Any:
        """A function, mg.function or F.function; or a method: its first argument stands before the dot."""
        match node.func:
            case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="mg" | "minigrad" | "F"), attr=name):
                first: list[ast.expr] = []
            case ast.Attribute(value=inner, attr=name):
                first = [inner]
            case _:
                raise _refusal(node.func)
        if name not in FUNCTIONS:
            near = get_close_matches(name, FUNCTIONS, n=3, cutoff=0.7)
            hint = (
                f"did you mean {', '.join(near)}?" if near else f"these exist: {', '.join(sorted(FUNCTIONS))}"
            )
            raise ExpressionError(f"{name}() at column {node.col_offset + 1} is not a function here; {hint}")
        keywords = dict(self._keyword(keyword) for keyword in node.keywords)
        arguments = [self.value(argument) for argument in (*first, *node.args)]
        if first and not isinstance(arguments[0], Tensor):
            raise ExpressionError(f".{name}() at column {node.col_offset + 1} is not called on a tensor")
        return self._apply(FUNCTIONS[name], *arguments, **keywords)

    def _keyword(self, keyword: ast.keyword) -> tuple[str, Any]:
        """Name and value of a keyword argument, which may be a short string: reduction="sum"."""
        match keyword:
            case ast.keyword(arg=str() as name, value=ast.Constant(value=str() as text)) if len(text) <= 20:
                return name, text
            case ast.keyword(arg=str() as name, value=node):
                return name, self.value(node)
        raise _refusal(keyword.value)

    def _apply(self, function: Callable, *arguments: Any, **keywords: Any) -> Any:
        """Call a listed function on values that are not too large, and see that its result is not either."""
        tensors = [a for a in _flat((*arguments, *keywords.values())) if isinstance(a, Tensor)]
        if not tensors:
            if function not in OPERATORS.values():
                raise ExpressionError(f"{function.__name__}() got no tensor, expected at least one")
            return self._number(_arithmetic(function, arguments))
        if math.prod(max(tensor.numel(), 1) for tensor in tensors) > TOGETHER:
            raise ExpressionError(
                f"tensors of shapes {[t.shape for t in tensors]} are too large to be drawn together"
            )
        try:
            result = function(*arguments, **keywords)
        except (TypeError, AttributeError) as error:  # an argument of the wrong kind
            raise ExpressionError(str(error)) from error
        for tensor in _flat([result]):
            if isinstance(tensor, Tensor) and tensor.numel() > ELEMENTS:
                raise ExpressionError(
                    f"a tensor of shape {tensor.shape} is too large, expected {ELEMENTS} elements"
                )
        return result

    def _tensor(self, node: ast.expr) -> Tensor:
        value = self.value(node)
        if not isinstance(value, Tensor):
            raise ExpressionError(f"expected a tensor before the dot, got {ast.unparse(node)}")
        return value

    def _operand(self, node: ast.expr) -> Any:
        """What an operator works on: a tensor or a number, no tuple, no list."""
        value = self.value(node)
        if not isinstance(value, Tensor | int | float):
            raise ExpressionError(f"an operator takes tensors and numbers, got {ast.unparse(node)}")
        return value

    def _index(self, node: ast.expr) -> Any:
        """What may stand in brackets: integers, slices, None, ... and tuples of them."""
        match node:
            case ast.Tuple(elts=items):
                return tuple(self._index(item) for item in items)
            case ast.Slice(lower=lower, upper=upper, step=step):
                return slice(
                    *(None if bound is None else self.value(bound) for bound in (lower, upper, step))
                )
            case ast.Constant(value=constant) if constant is ...:
                return ...
        return self.value(node)

    @staticmethod
    def _number(value: Any) -> Any:
        if isinstance(value, int | float) and not abs(value) <= NUMBER:
            raise ExpressionError(f"the number {value:.3g} is too large, expected {NUMBER:.0e} at most")
        return value


@functools.lru_cache(maxsize=1000)
def _values(number: int, shape: tuple[int, ...]) -> Tensor:
    """The values of the tensor that is met as number `number`."""
    return minigrad.rand(*shape, generator=Generator(number)) * 0.8 + 0.1


def _arithmetic(function: Callable, numbers: tuple) -> Any:
    """A sum, product or power of plain numbers, by way of floats, so that no power grows without end."""
    if any(not isinstance(number, int | float) for number in numbers):
        raise ExpressionError(f"an operator takes tensors and numbers, got {numbers}")
    try:
        value = function(*map(float, numbers))
    except (ArithmeticError, TypeError) as error:  # TypeError: 1 @ 1
        raise ExpressionError(f"{' and '.join(map(str, numbers))}: {error.args[-1]}") from None
    if isinstance(value, complex):
        raise ExpressionError(f"{' and '.join(map(str, numbers))}: the power is not a real number")
    whole = (
        all(isinstance(number, int) for number in numbers) and isinstance(value, float) and value.is_integer()
    )
    return int(value) if whole and abs(value) <= NUMBER else value


def _flat(values: Any) -> list[Any]:
    """The entries of values, and of the tuples and lists among them."""
    return [entry for value in values for entry in (value if isinstance(value, tuple | list) else [value])]


def _refusal(node: ast.expr) -> ExpressionError:
    """The error for a piece of syntax that is not on the lists."""
    return ExpressionError(
        f"{ast.unparse(node)[:60]} at column {node.col_offset + 1} is not allowed; expected names, numbers, "
        "+ - * / @ **, comparisons, indices, .T, .mT, and calls of the listed functions"
    )
