"""Graphs that a recursive walk could not survive, or that a walk per path would never finish."""

import math
import subprocess
import sys
from pathlib import Path

import pytest

from leaves import leaf
from minigrad.tape import hooks_of

ROOT = Path(__file__).resolve().parents[2]
SHALLOW = "import sys; sys.setrecursionlimit(200)\nimport minigrad as mg\n"

CHAIN = """
x = mg.tensor(1.0, dtype=mg.float64, requires_grad=True)
y = x
for _ in range(100_000):
    y = y + x
y.backward()
print(x.grad.item())
del y
x.grad = None
y = x
for _ in range(100_000):
    y = y * 1.0
del y  # never walked, freed all the same
print("freed")
"""

RECURRENT = """
w = mg.tensor(0.5, dtype=mg.float64, requires_grad=True)
h = mg.tensor(0.0, dtype=mg.float64)
for _ in range(5_000):
    h = mg.tanh(h * w + 1.0)
h.backward(create_graph=True)
first = w.grad
(second,) = mg.autograd.grad(first, w)
print(round(first.item(), 6), round(second.item(), 6))
del h, first, second
w.grad = None
print("freed")
"""

TREE = """
leaves = [mg.tensor(float(i), dtype=mg.float64, requires_grad=True) for i in range(2**12)]
level = leaves
while len(level) > 1:
    level = [a * 0.5 + b * 0.5 for a, b in zip(level[::2], level[1::2])]
level[0].backward()
print({leaf.grad.item() for leaf in leaves} == {2.0**-12})
"""


def run(program):
    """What a Python that may recurse 200 deep prints."""
    done = subprocess.run(
        [sys.executable, "-c", SHALLOW + program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def test_a_chain_of_a_hundred_thousand_is_walked_and_freed_without_recursion():
    assert run(CHAIN) == ["100001.0", "freed"]


def test_a_recurrence_of_five_thousand_steps_has_a_second_derivative():
    first, second, freed = run(RECURRENT)
    h, w, slope, curvature = 0.0, 0.5, 0.0, 0.0
    for _ in range(5_000):
        z_slope, z_curvature = h + w * slope, 2 * slope + w * curvature
        h = math.tanh(h * w + 1.0)
        across = 1 - h * h
        slope, curvature = across * z_slope, across * z_curvature - 2 * h * across * z_slope**2
    assert (float(first), float(second)) == (
        pytest.approx(slope, abs=1e-6),
        pytest.approx(curvature, abs=1e-6),
    )
    assert freed == "freed"


def test_a_tree_of_four_thousand_leaves_is_walked_without_recursion():
    assert run(TREE) == ["True"]


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_ladder_of_two_to_the_sixty_paths_is_walked_once_per_rung(create_graph):
    visits = []
    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = y * 0.5 + y * 0.5
        hooks_of(y.node).functions[0] = lambda _: visits.append(1)
    y.backward(create_graph=create_graph)
    assert (x.grad.item(), len(visits)) == (1.0, 60)
