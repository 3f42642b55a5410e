"""How long does a network remember?  Two problems with nothing in them but memory.

Shapes: N sequences, T steps.
"""

import math
from typing import NamedTuple

import numpy as np

from minigrad.generator import Generator

BLANK, SYMBOLS, GO = 0, range(1, 9), 9
"""Of the copy problem: nothing, the eight symbols to be remembered, and the sign to write them down."""

_MEMORISED = 10


class CopyMemory(NamedTuple):
    """What is read and what is to be said at each step; `TensorDataset(*problem)` makes a dataset of them."""

    inputs: np.ndarray  # (N, T), int64, 0 to 9
    targets: np.ndarray  # (N, T), int64, 0 to 8


class Recall(NamedTuple):
    """Sequences, and the token that stands some steps before the end of each."""

    inputs: np.ndarray  # (N, T), int64
    answers: np.ndarray  # (N,), int64


def copy_memory(seed: int, count: int, delay: int) -> CopyMemory:
    """Draw sequences of T = delay + 20 steps: ten symbols, blanks, a sign, and ten blanks to answer in.

    Whoever says nothing until the sign, and then any symbol, has a cross entropy of 10 log 8 / T, the mean
    over all steps: `copy_memory_baseline`.

    Martin Arjovsky, Amar Shah and Yoshua Bengio, "Unitary evolution recurrent neural networks", ICML 2016
    (arXiv 1511.06464), after Hochreiter and Schmidhuber 1997.

    >>> inputs, targets = copy_memory(seed=0, count=1, delay=3)
    >>> inputs[0].tolist()
    [1, 2, 1, 5, 5, 3, 8, 8, 3, 2, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    >>> targets[0, -10:].tolist()
    [1, 2, 1, 5, 5, 3, 8, 8, 3, 2]
    """
    if count < 0 or delay < 1:
        raise ValueError(
            f"copy_memory(): count is {count}, delay {delay}, expected at least 0, and at least 1"
        )
    symbols = Generator(seed).integers(SYMBOLS.start, SYMBOLS.stop, (count, _MEMORISED))
    inputs = np.full((count, delay + 2 * _MEMORISED), BLANK, dtype=np.int64)
    targets = inputs.copy()
    inputs[:, :_MEMORISED] = targets[:, -_MEMORISED:] = symbols
    inputs[:, _MEMORISED + delay - 1] = GO
    return CopyMemory(inputs, targets)


def copy_memory_baseline(delay: int) -> float:
    """10 log 8 / (delay + 20): the cross entropy, in nats, of whoever remembers nothing.

    >>> round(copy_memory_baseline(100), 4)
    0.1733
    """
    return _MEMORISED * math.log(len(SYMBOLS)) / (delay + 2 * _MEMORISED)


def recall(seed: int, count: int, length: int, distance: int, *, symbols: int = 8) -> Recall:
    """Draw sequences of T = `length` tokens 0 … symbols - 1; the answer is the one `distance` before the end.

    The share of right answers by distance says how far a network sees; by chance it is 1 / symbols.

    >>> inputs, answers = recall(seed=0, count=4, length=9, distance=5)
    >>> bool((answers == inputs[:, 3]).all())
    True
    """
    if count < 0 or not 0 <= distance < length or symbols < 2:
        raise ValueError(
            f"recall(): count is {count}, length {length}, distance {distance}, symbols {symbols}, expected "
            "count of at least 0, 0 <= distance < length, and two symbols or more"
        )
    inputs = Generator(seed).integers(0, symbols, (count, length))
    return Recall(inputs, inputs[:, length - 1 - distance].copy())
