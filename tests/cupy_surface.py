"""Which names of the array library the source asks for, and which of them CuPy has.

`python tests/cupy_surface.py`, where CuPy is installed, writes tests/cupy_names.txt: every name that CuPy
offers and this library may ask for.  The tests hold the source to that list on machines without CuPy.
"""

import ast
from pathlib import Path

from minigrad.kernels.cupy_library import Library
from source_tree import LIBRARY

NAMES = Path(__file__).with_name("cupy_names.txt")
LIBRARIES = {"xp", "cupy"}  # how an array library is called in the source
OWN = {name for name in vars(Library) if not name.startswith("_")}  # what it has beyond CuPy's names


def asked_for():
    """name -> where it is asked for, such as "linalg.qr" -> minigrad/ops/decompose.py:41."""
    found = {}
    for source in LIBRARY:
        if source.module.startswith("minigrad.testing"):
            continue  # references, which NumPy computes
        for node in ast.walk(ast.parse(source.text)):
            if isinstance(node, ast.Attribute) and (name := dotted(node)):
                found.setdefault(name, f"{source.path}:{node.lineno}")
    return dict(sorted(found.items()))


def dotted(node):
    """`xp.linalg.qr` and `self.xp.linalg.qr` as "linalg.qr"; None for what is no attribute of the library."""
    parts = []
    while isinstance(node, ast.Attribute):
        if node.attr in LIBRARIES and parts:
            return ".".join(reversed(parts))
        parts.append(node.attr)
        node = node.value
    return ".".join(reversed(parts)) if isinstance(node, ast.Name) and node.id in LIBRARIES else None


def has(module, name):
    """Does a module have a dotted name?"""
    for part in name.split("."):
        if not hasattr(module, part):
            return False
        module = getattr(module, part)
    return True


def written():
    """The names that CuPy was found to have."""
    return set(NAMES.read_text(encoding="utf-8").split())


def main():
    import cupy

    present = [name for name in asked_for() if name not in OWN and has(cupy, name)]
    NAMES.write_text("\n".join(present) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
