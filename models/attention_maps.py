"""Where multi-head attention looks: recorded, summed up in a number for each head, written as a table.

Letters: B batch, H heads, L queries, S keys.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from minigrad import nn
from minigrad.errors import ShapeError
from minigrad.functions import where
from minigrad.tensor import Tensor


@contextmanager
def record_attention(module: nn.Module) -> Iterator[dict[str, list[Tensor]]]:
    """Record the weights of every MultiheadAttention in `module` while the block runs.

    weights[path] lists one Tensor (B, H, L, S) for each call; path is that of the layer in the module, ""
    for the module itself. Layers of a Transformer compute no weights of their own accord, since the fused
    operation needs none: inside the block they do, and are slower.

    Args:
        module: what is looked into.

    >>> from minigrad import nn, ones
    >>> from minigrad.models import record_attention
    >>> layer = nn.TransformerEncoderLayer(8, 2, batch_first=True)
    >>> with record_attention(layer) as weights:
    ...     y = layer(ones(3, 5, 8))
    >>> list(weights), weights["self_attn"][0].shape
    (['self_attn'], (3, 2, 5, 5))
    """
    parts = [(path, part) for path, part in module.named_modules() if isinstance(part, nn.MultiheadAttention)]
    if not parts:
        raise ValueError(f"record_attention(): no MultiheadAttention in this {type(module).__name__}")
    weights: dict[str, list[Tensor]] = {path: [] for path, _ in parts}
    handles = []
    for path, part in parts:
        handles.append(part.register_forward_pre_hook(_asked_for_weights, with_kwargs=True))
        handles.append(part.register_forward_hook(_keeper(weights[path])))
    try:
        yield weights
    finally:
        for handle in handles:
            handle.remove()


def _asked_for_weights(_: nn.Module, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    return args, {**kwargs, "need_weights": True, "average_attn_weights": False}


def _keeper(kept: list[Tensor]) -> Any:
    """A hook that appends the weights of a call to `kept`."""

    def keep(_: nn.Module, args: tuple, output: tuple[Tensor, Tensor]) -> None:  # noqa: ARG001
        kept.append(output[1])

    return keep


def head_entropy(weights: Tensor) -> Tensor:
    """-Σₛ a(s) log a(s), the mean over batch and queries, of each head: (H,) for weights (B, H, L, S).

    0 for a head that looks at one place, log S for one that looks at all places alike.

    >>> import minigrad as mg
    >>> head_entropy(mg.tensor([[[[1.0, 0.0]], [[0.5, 0.5]]]])).tolist()
    [0.0, 0.6931471824645996]
    """
    if weights.ndim != 4:
        raise ShapeError(f"head_entropy(): weights {weights.shape}, expected (B, H, L, S)")
    spread = -weights * where(weights > 0, weights, 1.0).log()  # 0 log 0 = 0
    return spread.sum(dim=3).mean(dim=(0, 2))


def attention_table(weights: Any, queries: Sequence[str], keys: Sequence[str]) -> str:
    """A map (L, S) as a table of text: a row for each query, a column for each key.

    A weight of 0, as a mask gives it, is a dot.

    >>> print(attention_table([[1.0, 0.0], [0.25, 0.75]], ["Thinking", "Machines"], ["Thinking", "Machines"]))
              Thinking  Machines
    Thinking  1.00      ·
    Machines  0.25      0.75
    """
    rows = [[float(weight) for weight in row] for row in weights]
    if len(rows) != len(queries) or any(len(row) != len(keys) for row in rows):
        raise ShapeError(
            f"attention_table(): {len(queries)} queries and {len(keys)} keys, expected a map of as many rows "
            "and columns"
        )
    cells = [["", *keys]]
    cells += [
        [query, *(f"{weight:.2f}" if weight else "·" for weight in row)]
        for query, row in zip(queries, rows, strict=True)
    ]
    widths = [max(map(_columns, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell + " " * (width - _columns(cell)) for cell, width in zip(row, widths, strict=True))
        for row in cells
    ]
    return "\n".join(line.rstrip() for line in lines)


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes: Hangul, kana and Han take two each."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
