"""Floor 5: products of vectors and matrices; see functions/__init__.py."""

from minigrad.ops import dot, matmul

mm = bmm = matmul

__all__ = ["bmm", "dot", "matmul", "mm"]
METHODS = ("bmm", "dot", "matmul", "mm")
IN_PLACE = ()
