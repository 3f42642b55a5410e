"""Mutation testing: does a test fail when one sign, operator, number or condition of the engine is changed?

    python tests/mutate.py                        100 mutants of the operations and the tape, two at a time
    python tests/mutate.py --sample 500 --seed 1  another, larger sample
    python tests/mutate.py minigrad/ops/scan.py   of one file, all of it

A mutant is a copy of the project in which one node of one syntax tree differs.  It is killed if a test fails
(or does not end); one that survives is printed with its line, and is either a missing test or the same
program written otherwise.  The score that was measured last stands in docs/mutation.md.
"""

import argparse
import ast
import concurrent.futures
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENGINE = ("tape", "plan", "primitive", "fastpath", "fused", "versions", "inplace", "indexing")
SECONDS = 240  # what runs longer than this is stuck: a loop without end is killed, too

SWAPS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Div, ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.RShift: ast.LShift, ast.LShift: ast.RShift, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE,
    ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change: the file, the line, what stood there and what stands there now, and the new text."""

    path: Path
    line: int
    before: str
    after: str
    owner: str
    text: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line} ({self.owner}): {self.before}  ->  {self.after}"


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """The node with one thing about it changed."""
    changed = copy.deepcopy(node)
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in SWAPS:
        changed.op = SWAPS[type(node.op)]()
        yield changed
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        changed.ops[0] = SWAPS[type(node.ops[0])]()
        yield changed
    elif isinstance(node, ast.UnaryOp):
        yield changed.operand
    elif isinstance(node, ast.IfExp):
        changed.body, changed.orelse = changed.orelse, changed.body
        yield changed
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        changed.value = not node.value
        yield changed
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        changed.value = node.value + 1
        yield changed


SILENT = (ast.Raise, ast.JoinedStr, ast.arguments, ast.AnnAssign, ast.Import, ast.ImportFrom)


def places(tree: ast.Module) -> Iterator[tuple[ast.AST, str, int | None, ast.AST, str]]:
    """(parent, field, position, node, the class or function it lies in) of every node that can change.

    What an error says, a default, a type hint or a decorator is left alone.
    """
    stack: list[tuple[ast.AST, str]] = [(tree, "")]
    while stack:
        parent, owner = stack.pop()
        if isinstance(parent, ast.ClassDef | ast.FunctionDef):
            owner = parent.name if not owner or isinstance(parent, ast.ClassDef) else owner
        for field, value in ast.iter_fields(parent):
            if field in ("decorator_list", "returns", "annotation"):
                continue
            for position, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(node, ast.AST) and not isinstance(node, SILENT):
                    yield parent, field, position, node, owner
                    stack.append((node, owner))


def mutants(path: Path) -> Iterator[Mutant]:
    """Every mutant of a file."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    for parent, field, position, node, owner in list(places(tree)):
        for changed in changes(node):
            before, after = ast.unparse(node), ast.unparse(changed)
            _put(parent, field, position, changed)
            yield Mutant(path, node.lineno, before, after, owner or "the module", ast.unparse(tree))
            _put(parent, field, position, node)


def _put(parent: ast.AST, field: str, position: int | None, node: ast.AST) -> None:
    if position is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[position] = node


WHOLE = ["tests/ops", "tests/engine", "tests/nn"]


def killed(mutant: Mutant | None) -> bool:
    """Does a test fail? First those that bear the name of the operation, then those of the whole engine.

    None stands for the project as it is.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy_of = Path(folder) / "project"
        ignored = shutil.ignore_patterns(".*", "runs", "build", "*.egg-info", "__pycache__", "docs")
        shutil.copytree(ROOT, copy_of, symlinks=True, ignore=ignored)
        if mutant is None:
            return _fails(copy_of, WHOLE)
        (copy_of / mutant.path.relative_to(ROOT)).write_text(mutant.text, encoding="utf-8")
        name = mutant.owner.rstrip("_")
        in_ops = mutant.path.parent.name == "ops"
        first = [["tests/ops", "-k", name]] if in_ops and name.isidentifier() else [["tests/engine"]]
        return any(_fails(copy_of, arguments) for arguments in (*first, WHOLE))


def _fails(project: Path, arguments: list[str]) -> bool:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        *arguments,
    ]
    variables = {**os.environ, "PYTHONPATH": str(project), "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, cwd=project, env=variables, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return True
    return done.returncode not in (0, 5)  # 5: no test bears the name


def main() -> int:
    """Draw a sample, try each of it, and print the score and the survivors."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "files", nargs="*", type=Path, help="the files to change; by default ops/ and the tape"
    )
    parser.add_argument("--sample", type=int, default=100, help="how many mutants (default 100)")
    parser.add_argument("--seed", type=int, default=0, help="which sample (default 0)")
    parser.add_argument("--workers", type=int, default=2, help="how many at a time (default 2)")
    given = parser.parse_args()
    engine = [ROOT / "minigrad" / f"{name}.py" for name in ENGINE]
    folders = [sorted((ROOT / "minigrad" / name).glob("*.py")) for name in ("ops", "autograd")]
    default = [*folders[0], *folders[1], *engine]
    every = [m for path in given.files or default for m in mutants(path.resolve())]
    count = min(given.sample, len(every))
    chosen = every if given.files else random.Random(given.seed).sample(every, count)  # noqa: S311
    if killed(None):
        print("the tests fail without a mutation; mend them first")
        return 2
    print(f"{len(chosen)} of {len(every)} mutants, seed {given.seed}")
    survivors = []
    with concurrent.futures.ThreadPoolExecutor(given.workers) as pool:
        for number, (mutant, dead) in enumerate(zip(chosen, pool.map(killed, chosen), strict=True), 1):
            if not dead:
                survivors.append(mutant)
                print(f"survived: {mutant}", flush=True)
            if number % 10 == 0:
                print(f"{number} tried, {number - len(survivors)} killed", flush=True)
    score = 100 * (len(chosen) - len(survivors)) / max(1, len(chosen))
    print(f"{score:.1f} % killed: {len(chosen) - len(survivors)} of {len(chosen)}")
    return 0 if score >= 95 else 1


if __name__ == "__main__":
    sys.exit(main())
