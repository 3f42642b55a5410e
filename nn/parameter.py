"""Parameter: a Tensor that belongs to a Module and is trained; Buffer: one that is not trained."""

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


class Buffer(Tensor):
    """A Tensor that becomes a buffer of a Module when it is assigned to one of its attributes.

    Args:
        data: a Tensor or an array; its memory is shared, its history is not.
        persistent: whether it is saved with the module.

    >>> import minigrad as mg
    >>> from minigrad.nn import Module
    >>> module = Module()
    >>> module.mean = Buffer(mg.zeros(2))
    >>> list(module.state_dict()), list(module.parameters())
    (['mean'], [])
    """

    persistent = True

    def __init__(self, data: Any, *, persistent: bool = True) -> None:
        super().__init__(data, isinstance(data, Tensor) and data.requires_grad)
        self.persistent = persistent
        if isinstance(data, Tensor):
            self.version = data.version

    def __deepcopy__(self, memo: dict) -> "Buffer":
        return Buffer(super().__deepcopy__(memo), persistent=self.persistent)
