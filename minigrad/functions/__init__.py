"""Floor 5: PyTorch's signatures.

Each function checks its arguments, counts dimensions from the front, and calls a card of `minigrad.ops`;
where a card already has the signature that users know (`exp`, `add`, `matmul`, `where`), it is the function.

A file of this folder names in `__all__` what is found in `minigrad`, in `METHODS` what is a method of Tensor,
and in `IN_PLACE` which of these have an in-place form, `name_`.
"""

from . import convert, elementwise, index, linalg, reduce, shape
from .convert import *
from .elementwise import *
from .index import *
from .linalg import *
from .reduce import *
from .shape import *

FAMILIES = (convert, elementwise, reduce, shape, index, linalg)
