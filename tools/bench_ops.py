"""What `bench overhead` times: one small operation a hundred times over, by a library and by hand in NumPy.

The overhead of a library is its time minus NumPy's own for the same array work: the forward, and what the
derivative rules compute.  The operations stand in a chain, y = f(f(... f(x))), where repeating them keeps the
values near 1 (infinities and subnormal numbers are slow, and would hide the overhead), and else side by side,
all with the same x.

Letters: x the input, y the output, g the gradient of y, w and b what an operation has besides x.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any
SHAPE = (32, 32)
ZEROS, ONES, IDENTITY = (
    np.zeros(SHAPE, np.float32),
    np.ones(SHAPE, np.float32),
    np.eye(*SHAPE, dtype=np.float32),
)


@dataclass(frozen=True)
class Operation:
    """An operation as PyTorch and minigrad write it, and its array work written out.

    step(x, w, b, F)        the operation on tensors; F is nn.functional
    forward(x, w, b)        y, on arrays
    backward(g, x, y, w)    on arrays, the gradients of x, w and b, as far as the operation has them
    w, b                    the values of the other operands; None where there is none
    chained                 does the output go into the next one, or do all have the same input?
    """

    step: Callable[..., Any]
    forward: Callable[..., Array]
    backward: Callable[..., tuple[Array, ...]]
    w: Array = None
    b: Array = None
    chained: bool = True


def _softmax(x: Array) -> Array:
    y = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.divide(y, y.sum(axis=-1, keepdims=True), out=y)


def _linear(x: Array, w: Array, b: Array) -> Array:
    y = np.matmul(x, w.T)
    y += b
    return y


def _column_sums(g: Array) -> Array:
    return np.matmul(np.ones((1, len(g)), g.dtype), g)[0]


OPERATIONS = {
    "add": Operation(
        lambda x, w, _b, _F: x + w,
        lambda x, w, _b: np.add(x, w),
        lambda g, _x, _y, _w: (g, g),
        w=ZEROS,
    ),
    "mul": Operation(
        lambda x, w, _b, _F: x * w,
        lambda x, w, _b: np.multiply(x, w),
        lambda g, x, _y, w: (g * w, g * x),
        w=ONES,
    ),
    "div": Operation(
        lambda x, w, _b, _F: x / w,
        lambda x, w, _b: np.true_divide(x, w),
        lambda g, _x, y, w: (g / w, -g * y / w),
        w=ONES,
    ),
    "tanh": Operation(
        lambda x, _w, _b, _F: x.tanh(),
        lambda x, _w, _b: np.tanh(x),
        lambda g, _x, y, _w: (g * (1 - y * y),),
    ),
    "relu": Operation(
        lambda x, _w, _b, _F: x.relu(),
        lambda x, _w, _b: np.maximum(x, 0),
        lambda g, _x, y, _w: (g * (y > 0),),
    ),
    "exp": Operation(
        lambda x, _w, _b, _F: x.exp(),
        lambda x, _w, _b: np.exp(x),
        lambda g, _x, y, _w: (g * y,),
        chained=False,
    ),
    "matmul": Operation(
        lambda x, w, _b, _F: x @ w,
        lambda x, w, _b: np.matmul(x, w),
        lambda g, x, _y, w: (g @ w.swapaxes(-1, -2), x.swapaxes(-1, -2) @ g),
        w=IDENTITY,
    ),
    "sum": Operation(
        lambda x, _w, _b, _F: x.sum(1, keepdim=True),
        lambda x, _w, _b: np.sum(x, axis=1, keepdims=True),
        lambda g, _x, _y, _w: (np.broadcast_to(g, SHAPE),),
        chained=False,
    ),
    "reshape": Operation(
        lambda x, _w, _b, _F: x.reshape(32, 32),
        lambda x, _w, _b: x.reshape(32, 32),
        lambda g, _x, _y, _w: (g.reshape(32, 32),),
    ),
    "transpose": Operation(
        lambda x, _w, _b, _F: x.transpose(0, 1),
        lambda x, _w, _b: x.transpose(1, 0),
        lambda g, _x, _y, _w: (g.transpose(1, 0),),
    ),
    "softmax": Operation(
        lambda x, _w, _b, _F: x.softmax(-1),
        lambda x, _w, _b: _softmax(x),
        lambda g, _x, y, _w: (y * (g - np.sum(g * y, axis=-1, keepdims=True)),),
        chained=False,
    ),
    "linear": Operation(
        lambda x, w, b, F: F.linear(x, w, b),
        _linear,
        lambda g, x, _y, w: (g @ w, g.T @ x, _column_sums(g)),
        w=IDENTITY,
        b=ZEROS[0],
    ),
}


def start() -> Array:
    """The x of all operations: values near 1."""
    return (1 + 0.01 * np.random.default_rng(0).standard_normal(SHAPE)).astype(np.float32)


def numpy_forward(operation: Operation, length: int) -> list[tuple[Array, Array]]:
    """`length` times the operation in NumPy: the pairs x, y, kept as a tape would keep them."""
    x, w, b, pairs = start(), operation.w, operation.b, []
    forward, chained = operation.forward, operation.chained
    for _ in range(length):
        y = forward(x, w, b)
        pairs.append((x, y))
        if chained:
            x = y
    return pairs


def numpy_backward(operation: Operation, pairs: list[tuple[Array, Array]]) -> list[Array]:
    """The gradients of x, w and b: what the derivative rules compute, added up where a tape would."""
    w, backward, chained = operation.w, operation.backward, operation.chained
    g = ONES[:, : pairs[-1][1].shape[1]]
    sums: list[Array] = []
    for x, y in reversed(pairs):
        gradients: Sequence[Array] = backward(g, x, y, w)
        if chained:
            g, *gradients = gradients
        if not sums:
            sums = [gradient.copy() for gradient in gradients]
        else:
            for total, gradient in zip(sums, gradients, strict=True):
                np.add(total, gradient, out=total)
    return [g, *sums] if chained else sums


def library_forward(library: Any, operation: Operation, length: int, leaves: list[Any]) -> list[Any]:
    """`length` times the operation on tensors: the outputs that nothing else uses."""
    (x, w, b), step, F = leaves, operation.step, library.nn.functional
    if not operation.chained:
        return [step(x, w, b, F) for _ in range(length)]
    for _ in range(length):
        x = step(x, w, b, F)
    return [x]


def tensors(library: Any, operation: Operation) -> list[Any]:
    """x, w and b as tensors that require gradients; None where the operation has none."""
    values = (start(), operation.w, operation.b)
    return [None if value is None else library.tensor(value, requires_grad=True) for value in values]


def work(library: Any, name: str, column: str, length: int) -> Callable[[], Any]:
    """What is to be timed for one number of the table: a function without arguments.

    Columns: "numpy forward", "numpy backward", "no_grad", "forward", and "both", which is forward and
    backward.
    """
    operation = OPERATIONS[name]
    if column == "numpy forward":
        return lambda: numpy_forward(operation, length)
    if column == "numpy backward":
        pairs = numpy_forward(operation, length)
        return lambda: numpy_backward(operation, pairs)
    leaves = tensors(library, operation)
    if column == "forward":
        return lambda: library_forward(library, operation, length, leaves)
    outputs = library_forward(library, operation, length, leaves)
    seeds = [library.ones(*outputs[0].shape)] * len(outputs)

    def without_gradients() -> None:
        with library.no_grad():
            library_forward(library, operation, length, leaves)

    def both() -> None:
        library.autograd.backward(library_forward(library, operation, length, leaves), seeds)
        for leaf in leaves:
            if leaf is not None:
                leaf.grad = None

    return without_gradients if column == "no_grad" else both
