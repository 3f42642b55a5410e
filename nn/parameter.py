"""Parameter: a Tensor that belongs to a Module and is trained."""

from typing import Any

from minigrad.tensor import Tensor


class Parameter(Tensor):
    """A Tensor that becomes part of a Module when it is assigned to one of its attributes.

    Args:
        data: a Tensor or an array of floats; its memory is shared, its history is not.
        requires_grad: False for a parameter that is kept fixed.

    >>> import minigrad as mg
    >>> Parameter(mg.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad)
        if isinstance(data, Tensor):
            self.version = data.version  # one memory, one version: a write through either is seen by both

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"
