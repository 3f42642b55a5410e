"""Floor 7: what PyTorch keeps in torch.utils and this library has, too: gradient checkpointing."""

from . import checkpoint

__all__ = ["checkpoint"]
