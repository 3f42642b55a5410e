"""Floor 5: PyTorch's signatures.

Each function checks its arguments, counts dimensions from the front, and calls a card of `minigrad.ops`;
where a card already has the signature that users know (`exp`, `add`, `matmul`), it is the function.

A file of this folder names in `__all__` what is found in `minigrad`, in `METHODS` what is a method of Tensor,
and in `IN_PLACE` which of these have an in-place form, `name_`.
"""

from . import (
    convert,
    distance,
    elementwise,
    extremes,
    index,
    linalg,
    quantiles,
    reduce,
    scanning,
    scattering,
    search,
    shape,
    sorting,
)
from .convert import *
from .distance import *
from .elementwise import *
from .extremes import *
from .index import *
from .linalg import *
from .quantiles import *
from .reduce import *
from .scanning import *
from .scattering import *
from .search import *
from .shape import *
from .sorting import *

FAMILIES = (
    *(convert, elementwise, reduce, extremes, scanning, sorting, quantiles),
    *(shape, index, scattering, search, linalg, distance),
)
