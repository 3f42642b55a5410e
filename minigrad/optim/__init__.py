"""Optimisers and learning-rate schedules, with PyTorch's names, arguments and state."""

from . import lr_scheduler
from .adam import Adam, AdamW
from .elementwise import Elementwise
from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Elementwise", "Optimizer", "lr_scheduler"]
