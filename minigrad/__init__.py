"""minigrad: reverse-mode automatic differentiation to read, to train with, and to look at.

>>> import minigrad as mg
>>> x = mg.tensor([[1.0, 2.0]], requires_grad=True)
>>> w = mg.tensor([[3.0], [4.0]], requires_grad=True)
>>> mg.tanh(x @ w).sum().backward()
>>> w.grad.shape
(2, 1)
"""

import importlib
import warnings
from typing import TYPE_CHECKING, Any

from . import allocator, autograd, batching_rules, methods, numpy_protocol
from .backend import (
    are_deterministic_algorithms_enabled,
    bool_,
    default_dtype,
    device,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    set_default_dtype,
    uint8,
    use_deterministic_algorithms,
)
from .backends import get_float32_matmul_precision, set_float32_matmul_precision
from .blas import get_num_threads, set_num_threads
from .creation import *
from .dtypes import *
from .functions.choosing import *
from .functions.comparison import *
from .functions.contraction import *
from .functions.convert import *
from .functions.decompositions import *
from .functions.differences import *
from .functions.distance import *
from .functions.elementwise import *
from .functions.exponential import *
from .functions.extremes import *
from .functions.index import *
from .functions.joining import *
from .functions.linalg import *
from .functions.quantiles import *
from .functions.rearranging import *
from .functions.reduce import *
from .functions.rounding import *
from .functions.scanning import *
from .functions.scattering import *
from .functions.search import *
from .functions.shape import *
from .functions.solving import *
from .functions.sorting import *
from .functions.splitting import *
from .functions.trigonometry import *
from .generator import Generator, default_generator, manual_seed
from .gradcheck import gradcheck, gradgradcheck
from .interchange import from_dlpack
from .modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from .random import *
from .tensor import Tensor
from .vmap import vmap

if TYPE_CHECKING:
    from . import backends, config, cuda, data, func, graph, linalg, metrics, models, nn, optim, utils
    from .checkpoint import load, save
    from .func import grad, value_and_grad
    from .recording import record

__version__ = "0.1.0"

bool = bool_
double, float, half, long = float64, float32, float16, int64

_LATE = {  # imported when first asked for, so that `import minigrad` stays quick
    **dict.fromkeys(
        ("backends", "config", "cuda", "data", "func", "graph", "linalg", "metrics", "models", "nn"), None
    ),
    **dict.fromkeys(("optim", "parallel", "testing", "tools", "utils"), None),
    **dict.fromkeys(("grad", "value_and_grad"), "func"),
    "save": "checkpoint",
    "load": "checkpoint",
    "record": "recording",
}

# PyTorch is silent where a logarithm of 0 is -inf; NumPy would warn, and name a line of ours.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"minigrad\..*")


def __getattr__(name: str) -> Any:
    """Import a late part of the library when it is first asked for (PEP 562)."""
    if name not in _LATE:
        raise AttributeError(f"module 'minigrad' has no attribute {name!r}")
    module = importlib.import_module(f".{_LATE[name] or name}", __name__)
    return module if _LATE[name] is None else getattr(module, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_LATE])
