"""Floor 4: the operations, each a card: a forward and its derivative rules, side by side.

All cards are found here under their names, as `ops.tanh`; each file is a family.
"""

from minigrad.ops.activation import *
from minigrad.ops.attention import *
from minigrad.ops.choosing import *
from minigrad.ops.comparison import *
from minigrad.ops.convolution import *
from minigrad.ops.ctc import *
from minigrad.ops.decompose import *
from minigrad.ops.distance import *
from minigrad.ops.elementwise import *
from minigrad.ops.exponential import *
from minigrad.ops.index import *
from minigrad.ops.linalg import *
from minigrad.ops.loss import *
from minigrad.ops.normalise import *
from minigrad.ops.order import *
from minigrad.ops.pooling import *
from minigrad.ops.recurrent import *
from minigrad.ops.recurrent_gru import *
from minigrad.ops.recurrent_lstm import *
from minigrad.ops.reduce import *
from minigrad.ops.rounding import *
from minigrad.ops.scan import *
from minigrad.ops.scattering import *
from minigrad.ops.search import *
from minigrad.ops.shape import *
from minigrad.ops.sliding import *
from minigrad.ops.solving import *
from minigrad.ops.special import *
from minigrad.ops.trigonometry import *
from minigrad.ops.views import *

dropout = masked_scale
