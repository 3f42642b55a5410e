"""Layers, losses, containers and initialisers: PyTorch's names, arguments and parameter names."""

if __name__ != "minigrad.nn":
    raise ImportError("import it as minigrad.nn, not as the top-level nn")

from . import functional, init, utils
from .activation import *
from .adaptive_pooling import *
from .adaptive_softmax import AdaptiveLogSoftmaxWithLoss
from .attention import Attention, ConcatScore, DotScore, GeneralScore
from .batch_norm import *
from .container import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from .conv import *
from .ctc import *
from .distance import *
from .dropout import *
from .embedding import *
from .flatten import *
from .gates import record_gates
from .linear import *
from .loss import *
from .margin_loss import *
from .module import Module
from .multihead import KeyValueCache, MultiheadAttention
from .norm import *
from .padding import *
from .parameter import Buffer, Parameter
from .pooling import *
from .rnn import GRU, LSTM, RNN
from .rnn_base import RNNBase
from .rnn_cells import GRUCell, LSTMCell, RNNCell, RNNCellBase
from .transformer import (
    Transformer,
    TransformerDecoder,
    TransformerDecoderLayer,
    TransformerEncoder,
    TransformerEncoderLayer,
)
from .upsample import *
