"""Where multi-head attention looks, recorded to be drawn.

Letters: B batch, H heads, L queries, S keys.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minigrad import nn
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
