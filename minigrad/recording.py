"""Floor 7: a backward pass, step by step, to be read.

    with mg.record() as tape:
        loss = ((mg.tanh(x @ w) - t) ** 2).sum()
        loss.backward()
    print(tape)                 a table: operation, inputs, saved values, rule, gradients
    tape.check()                every step against finite differences
    tape[0].rules["a"].latex    and all of it as data

Steps are in the order in which the walk took them.  Values are copied as they pass, so that a tape shows what
was, whatever is done to the tensors afterwards: a tool for studying small programs, not for training.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .agreement import Agreement, agreements
from .backend import is_array, numpy, unbroadcast
from .formulas import Formula, formula_of
from .tape import Leaf, Node, Note, Output
from .tensor import Tensor, wrap
from .watch import Watcher


@dataclass(frozen=True)
class Operand:
    """One input of an operation.

    name     what the card calls it
    source   `seq` of the node it came from: another step, or a leaf; None for a constant
    label    what that is, in words: the leaf's name, the operation's, or the constant's value
    shape    its shape; dtype likewise
    """

    name: str
    source: int | None
    label: str
    shape: tuple[int, ...] = ()
    dtype: str = ""


@dataclass(frozen=True)
class Step:
    """One operation, as the backward pass met it; all values are copies.

    number    its place in the walk, from 0; `seq` is its number on the tape, by which operands refer to it
    equation  the first line of the card's docstring
    saved     what the rules asked for, by name
    rules     the formula of each gradient; for a fused operation the equations that define it, under "y"
    incoming  the gradient of the output; a tuple where there are several outputs, None for one unused
    outgoing  the gradient of each input that needs one, after broadcasting was undone
    """

    number: int
    seq: int
    op: str
    equation: str
    inputs: tuple[Operand, ...]
    static: dict[str, Any]
    shape: tuple
    saved: dict[str, Any]
    rules: dict[str, Formula]
    incoming: Any
    outgoing: dict[str, Tensor]
    module: str = ""
    line: str = ""
    call: Any = field(default=None, repr=False)  # (operation, arguments) where the forward was recorded, too

    def check(self, eps: float = 1e-6, seed: int = 0) -> list[Agreement]:
        """Each outgoing gradient against finite differences of the operation, in float64.

        Empty, if the operation was not computed inside the recording, so that its inputs are not known.
        """
        if self.call is None:
            return []
        operation, arguments = self.call
        outgoing = {name: g.array for name, g in self.outgoing.items()}
        incoming = self.incoming if isinstance(self.incoming, tuple) else (self.incoming,)
        weights = [None if g is None else g.array for g in incoming]
        names = [operand.name for operand in self.inputs]
        return agreements(operation, arguments, self.static, names, weights, outgoing, eps, seed)


class record(Watcher):  # noqa: N801 (used like no_grad)
    """Inside, every step of every backward pass is written down; afterwards this is the list of them.

    names: what the leaves are called, as `dict(model.named_parameters())`.

    >>> import minigrad as mg
    >>> x = mg.tensor(0.5, requires_grad=True)
    >>> with mg.record(names={"x": x}) as tape:
    ...     mg.tanh(x * 2.0).backward()
    >>> [(step.op, step.rules[name].text) for step in tape for name in step.outgoing]
    [('tanh', 'x̄ = ȳ · (1 - y²)'), ('mul', 'ā = ȳ · b')]
    >>> all(agreement.holds for agreement in tape.check())
    True
    """

    def __init__(self, names: Mapping[str, Tensor] | None = None) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self.gradients: dict[str, Tensor] = {}  # what arrived at the leaves that have a name
        self.agreements: dict[int, list[Agreement]] = {}  # number of a step -> what `check` found
        self._names = {t.node: name for name, t in (names or {}).items() if t.node is not None}
        self._calls: dict[Note, tuple] = {}
        self._at: Node | None = None

    # ------------------------------------------------------------------ as a list

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __getitem__(self, number: int) -> Step:
        return self.steps[number]

    def __str__(self) -> str:
        return table(self)

    def check(self, eps: float = 1e-6, seed: int = 0) -> list[Agreement]:
        """Every step against finite differences; what was found is also shown by the table."""
        self.agreements = {step.number: step.check(eps, seed) for step in self.steps}
        return [agreement for found in self.agreements.values() for agreement in found]

    # ------------------------------------------------------------------ looking on

    def made(self, op: Any, args: tuple, _y: Any, note: Note) -> None:
        """Keep the arguments of an operation, for the check."""
        self._calls[note] = (op, tuple(_copy(a) for a in args))

    def arrived(self, node: Node, g: Any) -> None:
        """Keep the gradient of a leaf that has a name."""
        if type(node) is Leaf and self._at is None and (name := self._names.get(node) or node.label):
            self.gradients[name] = _copy(g)

    def pulling(self, node: Node, g: Any) -> None:
        """A rule is about to run; what happens inside of it are no steps of this pass."""
        if self._at is None:
            self._at = node
            self._incoming = _copy(g)
            self._saved = {name: _copy(value) for name, value in node.plan.kept(node)}

    def pulled(self, node: Node, _g: Any, pairs: Any) -> None:
        """Write the step down."""
        if node is not self._at:
            return
        self._at = None
        op, note = node.plan.op, node.note
        names = op.inputs if len(op.inputs) == len(node.edges) else [str(i) for i in range(len(node.edges))]
        outgoing = {
            names[place]: _copy(_narrowed(contribution, parent.shape))
            for place, (parent, contribution) in zip(node.plan.positions, pairs, strict=True)
            if contribution is not None
        }
        noted = (note.inputs if note else ()) or (None,) * len(names)
        self.steps.append(
            Step(
                number=len(self.steps),
                seq=node.seq,
                op=op.name,
                equation=(op.__doc__ or "").strip().partition("\n")[0],
                inputs=tuple(map(self._operand, names, node.edges, noted)),
                static=dict(node.static),
                shape=node.shape,
                saved=self._saved,
                rules=rules_of(op, names, list(outgoing)),
                incoming=self._incoming,
                outgoing=outgoing,
                module=note.module if note else "",
                line=note.line if note else "",
                call=self._calls.get(note) if note else None,
            )
        )

    def _operand(self, name: str, parent: Node | None, noted: Any) -> Operand:
        """One input: a leaf, the output of another step, or a constant."""
        if parent is None:
            if isinstance(noted, tuple):
                return Operand(name, None, "constant", *noted)
            return Operand(name, None, noted or "constant")
        made_by = parent.edges[0] if type(parent) is Output else parent
        if type(made_by) is Leaf:
            label = self._names.get(made_by) or made_by.label or "leaf"
        else:
            label = made_by.plan.op.name
        return Operand(name, made_by.seq, label, parent.shape, parent.dtype.name)


def rules_of(op: Any, names: Any, wanted: list[str]) -> dict[str, Formula]:
    """The formulas by which an operation finds the gradients of some inputs."""
    if op.definition is not None:
        return {"y": formula_of(op.definition, "y", gradient="")}
    if (function := getattr(op, "function", None)) is not None:
        return {", ".join(names): formula_of(function.backward, ", ".join(names))}
    if op.joint is not None:
        return {", ".join(op.inputs): formula_of(op.joint[0], ", ".join(op.inputs))}
    rules = {op.inputs[place]: rule for place, (rule, _) in op.rules.items()}
    return {name: formula_of(rules[name], name) for name in wanted}


def _copy(value: Any) -> Any:
    """A value as it is now: of an array or a Tensor, a Tensor with memory of its own."""
    if isinstance(value, tuple | list):
        return tuple(_copy(each) for each in value)
    value = getattr(value, "array", value)
    if isinstance(value, numpy.generic):  # what NumPy makes of a 0-d array
        value = numpy.asarray(value)
    return wrap(value.copy()) if is_array(value) else value


def _narrowed(g: Any, shape: tuple[int, ...]) -> Any:
    """A gradient in the shape of the input, with broadcasting undone."""
    array = getattr(g, "array", g)
    return array if array.shape == shape else unbroadcast(array, shape)


# ------------------------------------------------------------------------------------------------ the table

HEADINGS = ("step", "operation", "inputs", "saved", "rule", "|ȳ|", "gradients", "differences")
LONGEST = 60  # letters of a rule in a table; its data has them all


def table(tape: record) -> str:
    """The steps of a tape, one under the other."""
    numbers = {step.seq: step.number for step in tape}
    rows: list[tuple[str, ...]] = [HEADINGS]
    for step in tape:
        lines = [line for rule in step.rules.values() for line in rule.text.split("\n")]
        texts = [line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…" for line in lines]
        columns = [
            [str(step.number)],
            [step.op, step.line],
            [_input_text(operand, numbers) for operand in step.inputs],
            [f"{name} {a.shape}" for name, a in step.saved.items() if isinstance(a, Tensor)],
            texts,
            [_norm(g) for g in (step.incoming if isinstance(step.incoming, tuple) else (step.incoming,))],
            [f"{name}: {_norm(g)}" for name, g in step.outgoing.items()],
            [str(agreement) for agreement in tape.agreements.get(step.number, [])],
        ]
        height = max(len(column) for column in columns)
        rows += [tuple(c[i] if i < len(c) else "" for c in columns) for i in range(height)]
    shown = [i for i in range(len(HEADINGS)) if any(row[i] for row in rows[1:])]
    widths = {i: max(_width(row[i]) for row in rows) for i in shown}
    lines = ["  ".join(row[i] + " " * (widths[i] - _width(row[i])) for i in shown).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * widths[i] for i in shown), *lines[1:]])


def _input_text(operand: Operand, numbers: dict[int, int]) -> str:
    """`a = tanh, step 2 (3, 4)`"""
    step = f", step {numbers[operand.source]}" if operand.source in numbers else ""
    shape = f" {operand.shape}" if operand.dtype else ""
    return f"{operand.name} = {operand.label}{step}{shape}"


def _norm(g: Tensor | None) -> str:
    """The Euclidean norm of a gradient."""
    if g is None:
        return "unused"
    values = g.array.astype("float64").ravel()
    return f"{float(values @ values) ** 0.5:.3g}"


def _width(text: str) -> int:
    """How many columns a text takes: a macron stands above its letter."""
    return sum(letter != "\u0304" for letter in text)
