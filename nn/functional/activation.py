"""Activations: the functions between two layers."""

from minigrad.functions import gelu, log_softmax, softmax
from minigrad.ops import relu, sigmoid, tanh

__all__ = ["gelu", "log_softmax", "relu", "sigmoid", "softmax", "tanh"]
