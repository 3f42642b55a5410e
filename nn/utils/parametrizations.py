"""Parametrisations that are at hand: a weight by its length and direction, or of largest singular value 1."""

from minigrad.creation import empty
from minigrad.functions import vdot
from minigrad.modes import no_grad
from minigrad.nn.functional import normalize
from minigrad.nn.init import normal_
from minigrad.nn.module import Module
from minigrad.ops import vector_norm
from minigrad.tensor import Tensor

from .parametrize import register_parametrization

__all__ = ["spectral_norm", "weight_norm"]


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """W = g V / ‖V‖, with the norm over all dimensions but `dim`: g and V are trained in the place of W

    Reference: Salimans and Kingma 2016, "Weight normalization", eq. 2. dim None, or -1 as in PyTorch, takes
    the norm of the whole. g is `parametrizations.weight.original0`, V is `original1`. Returns the module.

    >>> from minigrad.nn import Linear
    >>> {key: value.shape for key, value in weight_norm(Linear(3, 4, bias=False)).state_dict().items()}
    {'parametrizations.weight.original0': (4, 1), 'parametrizations.weight.original1': (4, 3)}
    """
    return register_parametrization(module, name, _WeightNorm(None if dim == -1 else dim), unsafe=True)


class _WeightNorm(Module):
    """W = g V / ‖V‖"""

    def __init__(self, dim: int | None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return weight_v * (weight_g / self._norm(weight_v))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return self._norm(weight), weight

    def _norm(self, weight: Tensor) -> Tensor:
        if self.dim is None:
            return vector_norm(weight)
        others = tuple(d for d in range(weight.ndim) if d != self.dim % weight.ndim)
        return vector_norm(weight, dim=others, keepdim=True) if others else abs(weight)


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """W = V / σ(V), with σ the largest singular value of V as a matrix whose rows are counted by `dim`

    σ = uᵀ V v, with u and v from the power method: v ← Vᵀu / ‖Vᵀu‖, u ← Vv / ‖Vv‖. They are buffers, and make
    `n_power_iterations` steps whenever W is computed in training.

    Reference: Miyato, Kataoka, Koyama and Yoshida 2018, "Spectral normalization for generative adversarial
    networks", eqs. 8 and 18 to 20. dim None is 0, but 1 for a transposed convolution. Returns the module.
    """
    if dim is None:
        dim = 1 if type(module).__name__.startswith("ConvTranspose") else 0
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        kind = type(module).__name__
        raise ValueError(f"spectral_norm(): {kind} has no tensor {name!r}")  # noqa: TRY004 (as in PyTorch)
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))


class _SpectralNorm(Module):
    """W = V / σ(V)"""

    def __init__(self, weight: Tensor, n_power_iterations: int, dim: int, eps: float) -> None:
        super().__init__()
        if n_power_iterations <= 0:
            raise ValueError(f"spectral_norm(): n_power_iterations={n_power_iterations}, expected at least 1")
        if not -weight.ndim <= dim < weight.ndim:
            raise IndexError(f"spectral_norm(): dim {dim} out of range for a weight of shape {weight.shape}")
        self.dim, self.n_power_iterations, self.eps = dim % weight.ndim, n_power_iterations, eps
        if weight.ndim > 1:
            matrix = self._matrix(weight.detach())
            for name, size in zip(("_u", "_v"), matrix.shape, strict=True):
                drawn = normal_(empty(size, dtype=weight.dtype, device=weight.device))
                self.register_buffer(name, normalize(drawn, dim=0, eps=eps))
            self._iterate(matrix, 15)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:  # a vector has one singular value, its length
            return normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix.detach(), self.n_power_iterations)
        sigma = vdot(self._u.clone(), matrix @ self._v.clone())
        return weight / sigma

    def right_inverse(self, value: Tensor) -> Tensor:
        return value

    def _matrix(self, weight: Tensor) -> Tensor:
        """The weight as a matrix (size of `dim`, product of the others)."""
        return weight.movedim(self.dim, 0).flatten(1)

    def _iterate(self, matrix: Tensor, count: int) -> None:
        """`count` steps of the power method."""
        with no_grad():
            for _ in range(count):
                self._u.copy_(normalize(matrix @ self._v, dim=0, eps=self.eps))
                self._v.copy_(normalize(matrix.T @ self._u, dim=0, eps=self.eps))
