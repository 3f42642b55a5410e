"""Layers, losses, containers and initialisers: PyTorch's names, arguments and parameter names."""

if __name__ != "minigrad.nn":
    raise ImportError("import it as minigrad.nn, not as the top-level nn")

from . import functional, init, utils
from .activation import GELU, LogSoftmax, ReLU, Sigmoid, Softmax, Tanh
from .attention import Attention, ConcatScore, DotScore, GeneralScore
from .container import ModuleDict, ModuleList, ParameterList, Sequential
from .dropout import Dropout
from .embedding import Embedding
from .linear import Identity, Linear
from .loss import CrossEntropyLoss, MSELoss, NLLLoss
from .module import Module
from .multihead import KeyValueCache, MultiheadAttention
from .norm import LayerNorm
from .parameter import Parameter
from .rnn import LSTM, LSTMCell
from .transformer import (
    Transformer,
    TransformerDecoder,
    TransformerDecoderLayer,
    TransformerEncoder,
    TransformerEncoderLayer,
)

__all__ = [
    "GELU",
    "LSTM",
    "Attention",
    "ConcatScore",
    "CrossEntropyLoss",
    "DotScore",
    "Dropout",
    "Embedding",
    "GeneralScore",
    "Identity",
    "KeyValueCache",
    "LSTMCell",
    "LayerNorm",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiheadAttention",
    "NLLLoss",
    "Parameter",
    "ParameterList",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "functional",
    "init",
    "utils",
]
