"""Optimisers, learning-rate schedules and averages of weights, with PyTorch's names, arguments and state."""

import importlib
from typing import Any

from . import lr_scheduler
from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .adamax import Adamax
from .asgd import ASGD
from .elementwise import Elementwise
from .lbfgs import LBFGS
from .muon import Muon
from .nadam import NAdam
from .optimizer import Optimizer
from .radam import RAdam
from .rmsprop import RMSprop
from .rprop import Rprop
from .sgd import SGD

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Elementwise",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "lr_scheduler",
    "swa_utils",
]


def __getattr__(name: str) -> Any:
    """Import swa_utils, which averages the weights of modules, when it is first asked for (PEP 562)."""
    if name != "swa_utils":
        raise AttributeError(f"module 'minigrad.optim' has no attribute {name!r}")
    return importlib.import_module(".swa_utils", __name__)
