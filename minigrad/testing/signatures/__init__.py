"""What may be passed to an operation: strategies for (the shapes of its inputs, its static arguments).

An input that is left out has the shape None.
"""

from .elementwise import *
from .images import *
from .indices import *
from .layers import *
from .matrices import *
from .shapes import *
