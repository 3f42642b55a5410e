"""Floor 5: PyTorch's signatures.

Each function checks its arguments, counts dimensions from the front, and calls a card of `minigrad.ops`;
where a card already has the signature that users know (`exp`, `add`, `matmul`), it is the function.

A file of this folder names in `__all__` what is found in `minigrad`, in `METHODS` what is a method of Tensor,
and in `IN_PLACE` which of these have an in-place form, `name_`.
"""

from . import (
    choosing,
    comparison,
    contraction,
    convert,
    decompositions,
    differences,
    distance,
    elementwise,
    exponential,
    extremes,
    index,
    joining,
    linalg,
    matrix_norms,
    quantiles,
    rearranging,
    reduce,
    rounding,
    scanning,
    scattering,
    search,
    shape,
    solving,
    sorting,
    splitting,
    trigonometry,
)
from .choosing import *
from .comparison import *
from .contraction import *
from .convert import *
from .decompositions import *
from .differences import *
from .distance import *
from .elementwise import *
from .exponential import *
from .extremes import *
from .index import *
from .joining import *
from .linalg import *
from .quantiles import *
from .rearranging import *
from .reduce import *
from .rounding import *
from .scanning import *
from .scattering import *
from .search import *
from .shape import *
from .solving import *
from .sorting import *
from .splitting import *
from .trigonometry import *

FAMILIES = (
    *(convert, elementwise, rounding, exponential, trigonometry, choosing, comparison),
    *(reduce, extremes, scanning, sorting, quantiles),
    *(shape, joining, splitting, rearranging, index, scattering, search, distance),
    *(linalg, contraction, solving, decompositions, matrix_norms, differences),
)
