"""How much arithmetic a training step is, in matrix products alone: two operations for a multiply and add.

A weight is used three times as often as there are places: forward, for the gradient of its input, and for
its own.  What is left over of a step (softmax, layer norm, Adam) is not counted: its time shows as a share of
the sgemm peak that is not reached.

Letters: D width, T positions, V vocabulary.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

GATES = {"LSTM": 4, "GRU": 3}


def step_flops(workload: str, sizes: dict[str, Any]) -> float | None:
    """Floating-point operations of one training step; None for a workload that is not training."""
    count = _COUNTS.get(workload)
    return None if count is None else 2.0 * count(**sizes)


def _mlp(layers: tuple[int, ...], batch: int) -> float:
    weights = [incoming * outgoing for incoming, outgoing in pairwise(layers)]
    return batch * (3 * sum(weights) - weights[0])  # the data need no gradient


def _language_model(cell: str, T: int, batch: int, width: int, layers: int, vocabulary: int) -> float:
    return 3 * T * batch * (layers * GATES[cell] * 2 * width**2 + width * vocabulary)


def _seq2seq(score: str, T: int, batch: int, width: int, vocabulary: int) -> float:
    encoder = 2 * GATES["LSTM"] * (width // 2) * (width + width // 2)
    decoder = GATES["LSTM"] * 2 * width**2
    projections = {"dot": width**2, "additive": 2 * width**2}[score]
    attention = 2 * T * width  # scores, and the mean of what was read
    output = 2 * width**2 + width * vocabulary
    return 3 * T * batch * (encoder + decoder + projections + attention + output)


def _transformer(
    T: int, batch: int, width: int, heads: int, layers: int, ffn: int, vocabulary: int, dropout: float
) -> float:
    del heads, dropout  # neither changes the products
    block = 4 * width**2 + 2 * T * width  # projections, scores, and the mean of the values
    return 3 * T * batch * (layers * (3 * block + 2 * 2 * width * ffn) + width * vocabulary)


_COUNTS: dict[str, Callable[..., float]] = {
    "mlp": _mlp,
    "tiny-mlp": _mlp,
    "lstm": _language_model,
    "gru": _language_model,
    "attention-dot": _seq2seq,
    "attention-additive": _seq2seq,
    "transformer": _transformer,
    "transformer-dropout": _transformer,
    "transformer-base": _transformer,
}
