"""Floor 6: switches of how a GPU computes, under the names of torch.backends."""

from .backend import ways

__all__ = ["cuda", "get_float32_matmul_precision", "set_float32_matmul_precision"]

PRECISIONS = {"highest": False, "high": True, "medium": True}


class _Products:
    """`backends.cuda.matmul`: how matrices are multiplied."""

    @property
    def allow_tf32(self) -> bool:
        """May products of float32 go through tensor cores, with 10 bits after the point instead of 23?

        False, as in PyTorch, until it is set. Only a GPU is asked.
        """
        return ways.allow_tf32

    @allow_tf32.setter
    def allow_tf32(self, allowed: bool) -> None:
        if not isinstance(allowed, bool):
            raise TypeError(f"allow_tf32: got {type(allowed).__name__} {allowed!r}, expected True or False")
        ways.allow_tf32 = allowed


class _Cuda:
    """`backends.cuda`."""

    matmul = _Products()


cuda = _Cuda()


def set_float32_matmul_precision(precision: str) -> None:
    """Multiply float32 as such ("highest", the default), or by TF32 where a GPU has it ("high", "medium")."""
    if precision not in PRECISIONS:
        raise ValueError(
            f"set_float32_matmul_precision(): got {precision!r}, expected one of {list(PRECISIONS)}"
        )
    ways.allow_tf32 = PRECISIONS[precision]


def get_float32_matmul_precision() -> str:
    """Say "highest", or "high" where TF32 is allowed."""
    return "high" if ways.allow_tf32 else "highest"
