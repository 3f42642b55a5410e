"""Floor 5: functions of circle and hyperbola, under both of PyTorch's names; see functions/__init__.py."""

from minigrad import ops
from minigrad.ops import *

arcsin, arccos, arctan, arctan2 = ops.asin, ops.acos, ops.atan, ops.atan2
arcsinh, arccosh, arctanh = ops.asinh, ops.acosh, ops.atanh

__all__ = [
    "acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "asin",
    "asinh", "atan", "atan2", "atanh", "cos", "cosh", "hypot", "sin", "sinc", "sinh", "tan", "tanh",
]  # fmt: skip
METHODS = IN_PLACE = tuple(__all__)
