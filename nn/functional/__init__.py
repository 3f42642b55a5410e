"""The layers as functions: parameters are arguments, and what a user passes is checked here.

An operation of `minigrad.ops` trusts its arguments; a function of this folder says in one sentence what is
wrong with them. It is customary to `import minigrad.nn.functional as F`.
"""

from .activation import *
from .adaptive_pooling import *
from .attention import *
from .convolution import *
from .ctc import *
from .distance import *
from .dropout import *
from .embedding import *
from .folding import *
from .linear import *
from .loss import *
from .margin_loss import *
from .norm import *
from .padding import *
from .pooling import *
from .resampling import *
