"""Floor 2: the Tensor: an array, and, if a gradient can reach it, the Node that says how it was made.

The operations of a Tensor are put on it by the table in methods.py; here is only what it *is*.
"""

import itertools
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self

from . import backend
from .backend import Array, as_dtype, device, device_of, is_array, namespace, to_numpy
from .errors import DTypeError, GraphError, ShapeError
from .tape import Leaf, Node, hooks_of
from .versions import WRITES, note_write


class Tensor:
    """An n-dimensional array that remembers where it came from.

    array    the values: a numpy.ndarray or a cupy.ndarray
    grad     the gradient that backward passes left here: a Tensor, or None
    node     the tape's record of how it was made; None if no gradient can reach it
    version  a box: how often the memory was written to in place, and when last; views have their base's
    view_of  None, or (Tensor, operation, static): what this one is a view of, and how it was taken; the
             operation is None where nobody recorded.  A detached tensor is a view of nothing, or it would
             keep the graph alive that it was taken from

    Make one with `minigrad.tensor(...)`; the constructor takes an array and does not copy it.
    """

    __slots__ = ("__weakref__", "array", "grad", "node", "version", "view_of")

    def __init__(self, array: Array, requires_grad: bool = False) -> None:
        if isinstance(array, Tensor):
            array = array.array
        if not is_array(array):
            raise TypeError(
                f"Tensor(): expected an array, got {type(array).__name__}; use minigrad.tensor(...)"
            )
        as_dtype(array.dtype)
        self.array: Any = array
        self.grad: Tensor | None = None
        self.node: Node | None = None
        self.version: list = [0, 0]
        self.view_of: tuple | None = None
        if requires_grad:
            self.requires_grad = True

    # ------------------------------------------------------------------ what it looks like from outside

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the dimensions."""
        return self.array.shape

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self.array.ndim

    @property
    def dtype(self) -> Any:
        """The type of an element, a NumPy dtype."""
        return self.array.dtype

    @property
    def device(self) -> device:
        """Where the values live."""
        return device(device_of(self.array))

    def size(self, dim: int | None = None) -> tuple[int, ...] | int:
        """The shape, or one of its entries."""
        return self.array.shape if dim is None else self.array.shape[dim]

    def dim(self) -> int:
        """The number of dimensions."""
        return self.array.ndim

    def numel(self) -> int:
        """The number of elements."""
        return self.array.size

    def element_size(self) -> int:
        """The number of bytes of an element."""
        return self.array.itemsize

    def is_floating_point(self) -> bool:
        """Is the type float64, float32 or float16?"""
        return self.array.dtype.kind == "f"

    def __len__(self) -> int:
        if self.array.ndim == 0:
            raise TypeError("len() of a 0-d tensor; it has .item(), not a length")
        return self.array.shape[0]

    def __iter__(self) -> Iterator["Tensor"]:
        if self.array.ndim == 0:
            raise TypeError("iteration over a 0-d tensor; use .item()")
        return (self[i] for i in range(self.array.shape[0]))

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        text = backend.numpy.array2string(to_numpy(self.array), separator=", ", prefix="tensor(")
        told = {"bool", "int64", backend.default_dtype().name}
        parts = [text] + ([] if self.dtype.name in told and self.array.size else [f"dtype={self.dtype.name}"])
        if device_of(self.array) != "cpu":
            parts.append(f"device='{self.device}'")
        if type(self.node) is Leaf:
            parts.append("requires_grad=True")
        elif self.node is not None:
            parts.append(f"grad_fn=<{self.node.name()}>")
        return f"tensor({', '.join(parts)})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if self.array.ndim == 0 and spec else repr(self)

    # ------------------------------------------------------------------ out of minigrad

    def numpy(self) -> Any:
        """The values as a numpy.ndarray that shares memory (on the CPU)."""
        if self.node is not None:
            raise RuntimeError(
                "numpy(): the tensor requires grad, which NumPy would lose; use .detach().numpy()"
            )
        return to_numpy(self.array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self.node is not None:
            raise RuntimeError(
                "a tensor that requires grad was given to a NumPy function, which would lose the gradient; "
                "use .detach().numpy(), or a function of minigrad"
            )
        return backend.numpy.array(to_numpy(self.array), dtype=dtype, copy=copy)

    def item(self) -> float | int | bool:
        """The one element as a Python number; ValueError if there is not exactly one."""
        if self.array.size != 1:
            raise ValueError(
                f"item(): got shape {self.shape}, expected one element; "
                "use .any(), .all(), or index an element first"
            )
        return to_numpy(self.array).item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return to_numpy(self.array).tolist()

    def _number(self, name: str) -> float | int | bool:
        if self.array.size != 1:
            raise ValueError(
                f"{name}(): the value of a tensor of shape {self.shape} is ambiguous, expected one element; "
                "use .any(), .all(), .item()"
            )
        return to_numpy(self.array).item()

    def __bool__(self) -> bool:
        return bool(self._number("bool"))

    def __float__(self) -> float:
        return float(self._number("float"))

    def __int__(self) -> int:
        return int(self._number("int"))

    def __index__(self) -> int:
        if self.array.dtype.kind not in "iu" or self.array.size != 1:
            raise TypeError(
                f"only a one-element integer tensor can be an index, got {self.dtype} {self.shape}"
            )
        return self.array.item()

    def __deepcopy__(self, _memo: dict) -> "Tensor":
        if self.node is not None and type(self.node) is not Leaf:
            raise GraphError("deepcopy(): only leaf tensors can be copied deeply; use .detach().clone()")
        twin = object.__new__(type(self))
        Tensor.__init__(twin, self.array.copy(), requires_grad=self.node is not None)
        twin.grad = None if self.grad is None else Tensor(self.grad.array.copy())
        return twin

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError(
            "tensors are not pickled, since loading a pickle runs code; use minigrad.save and minigrad.load"
        )

    # ------------------------------------------------------------------ its place in the graph

    @property
    def requires_grad(self) -> bool:
        """Can a gradient reach this tensor?"""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if self.node is not None and type(self.node) is not Leaf:
            if not wanted:
                raise GraphError("requires_grad can be switched off on leaf tensors only; use .detach()")
            return
        if not wanted:
            self.node = None
        elif self.array.dtype.kind != "f":
            raise DTypeError(f"only floating-point tensors can require gradients, got {self.dtype}")
        elif self.node is None:
            self.node = Leaf(self)

    def requires_grad_(self, requires_grad: bool = True) -> "Tensor":
        """Ask for a gradient of this tensor, or no longer. Returns self."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Was it made by the user (or does it need no gradient at all)?"""
        return self.node is None or type(self.node) is Leaf

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that made this tensor; None for a leaf."""
        return None if self.is_leaf else self.node

    @property
    def data(self) -> "Tensor":
        """The values as a tensor outside the graph that shares memory and version."""
        return self.detach()

    @data.setter
    def data(self, values: "Tensor") -> None:
        array = values.array if isinstance(values, Tensor) else values
        if not is_array(array):
            raise TypeError(f"data: expected a Tensor or an array, got {type(array).__name__}")
        self.array = array
        if type(self.node) is Leaf:
            if array.dtype.kind != "f":
                raise DTypeError(f"data: the tensor requires grad, so it cannot hold {array.dtype}")
            self.node.shape, self.node.dtype = array.shape, array.dtype
        self.bump_version()

    def detach(self) -> "Tensor":
        """The same memory, outside the graph."""
        return wrap(self.array, None, self.version)

    @property
    def _version(self) -> int:
        return self.version[WRITES]

    @property
    def _base(self) -> "Tensor | None":
        """The tensor at the far end of a chain of views; None if this one is no view."""
        base = self
        while base.view_of is not None:
            base = base.view_of[0]
        return None if base is self else base

    def _is_view(self) -> bool:
        return self.view_of is not None

    def bump_version(self) -> None:
        """Say that the memory was written to: a backward pass that needs the old values is then refused."""
        note_write(self.version)

    def retain_grad(self) -> None:
        """Let backward passes leave the gradient of this tensor in `.grad`, although it is not a leaf."""
        if self.node is None:
            raise GraphError("retain_grad(): the tensor does not require grad")
        if type(self.node) is not Leaf:
            hooks_of(self.node).retaining = weakref.ref(self)

    def register_hook(self, hook: Callable[["Tensor"], "Tensor | None"]) -> "RemovableHandle":
        """Call `hook(gradient)` whenever a gradient of this tensor is known; what it returns replaces it.

        The returned handle has `remove()`.
        """
        if self.node is None:
            raise GraphError("register_hook(): the tensor does not require grad")

        library = namespace(self.array)  # not self: tensor, node and hook would hold each other

        def call(g: Any) -> Any:
            replaced = hook(g if isinstance(g, Tensor) else wrap(library.asarray(g)))
            if replaced is None:
                return None
            if not isinstance(replaced, Tensor):
                raise TypeError(f"hook: returned {type(replaced).__name__}, expected a Tensor or None")
            if replaced.shape != g.shape:
                raise ShapeError(f"hook: returned shape {replaced.shape}, expected the gradient's {g.shape}")
            if replaced.dtype != g.dtype:
                raise DTypeError(f"hook: returned dtype {replaced.dtype}, expected the gradient's {g.dtype}")
            return replaced if isinstance(g, Tensor) else replaced.array

        return RemovableHandle(hooks_of(self.node).functions, call)

    if TYPE_CHECKING:  # what methods.py adds

        def __getattr__(self, name: str) -> Any: ...
        def __getitem__(self, index: Any) -> "Tensor": ...
        def __setitem__(self, index: Any, value: Any) -> None: ...
        def __add__(self, other: Any) -> "Tensor": ...
        def __radd__(self, other: Any) -> "Tensor": ...
        def __sub__(self, other: Any) -> "Tensor": ...
        def __rsub__(self, other: Any) -> "Tensor": ...
        def __mul__(self, other: Any) -> "Tensor": ...
        def __rmul__(self, other: Any) -> "Tensor": ...
        def __truediv__(self, other: Any) -> "Tensor": ...
        def __rtruediv__(self, other: Any) -> "Tensor": ...
        def __matmul__(self, other: Any) -> "Tensor": ...
        def __rmatmul__(self, other: Any) -> "Tensor": ...
        def __pow__(self, other: Any) -> "Tensor": ...
        def __rpow__(self, other: Any) -> "Tensor": ...
        def __neg__(self) -> "Tensor": ...
        def __invert__(self) -> "Tensor": ...
        def __and__(self, other: Any) -> "Tensor": ...
        def __or__(self, other: Any) -> "Tensor": ...
        def __lt__(self, other: Any) -> "Tensor": ...
        def __le__(self, other: Any) -> "Tensor": ...
        def __gt__(self, other: Any) -> "Tensor": ...
        def __ge__(self, other: Any) -> "Tensor": ...
        def __eq__(self, other: object) -> "Tensor": ...  # type: ignore[override]
        def __ne__(self, other: object) -> "Tensor": ...  # type: ignore[override]


class RemovableHandle:
    """What `register_hook` returns: `remove()`, or the end of a with block, takes the hook away."""

    _numbers = itertools.count()  # not id(self): a handle may die before its hook, and its id be used again

    def __init__(self, functions: dict[int, Any], function: Any, *, prepend: bool = False) -> None:
        self._functions, self._number = functions, next(self._numbers)
        others = list(functions) if prepend else []
        functions[self._number] = function
        for number in others:  # behind the new one, in their order
            functions[number] = functions.pop(number)

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        self._functions.pop(self._number, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


_new = object.__new__


def wrap(array: Array, node: Node | None = None, version: list | None = None) -> Tensor:
    """A Tensor from its parts, unchecked: the way operations make their results."""
    tensor = _new(Tensor)
    tensor.array = array
    tensor.grad = None
    tensor.node = node
    tensor.version = [0, 0] if version is None else version
    tensor.view_of = None
    return tensor
