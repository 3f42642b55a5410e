"""Parametrisations that are at hand: by length and direction, of largest singular value 1, orthogonal."""

from minigrad.creation import empty, eye, zeros_like
from minigrad.errors import ShapeError
from minigrad.functions import vdot
from minigrad.modes import no_grad
from minigrad.nn.functional import normalize
from minigrad.nn.init import normal_
from minigrad.nn.module import Module
from minigrad.ops import vector_norm
from minigrad.tensor import Tensor

from .orthogonal import MAPS, completed, reflectors
from .parametrize import register_parametrization

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


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


def orthogonal(
    module: Module,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> Module:
    """W = B Q(X): the columns of W, or of a wide W the rows, are orthonormal, and stay so in training

    orthogonal_map        Q: "matrix_exp", "cayley" or "householder"; None: the first for a square W, else
                          the last
    use_trivialization    whether there is a B, a buffer: the matrix where W starts. W can then be assigned

    Reference: Lezcano-Casado 2019, "Trivializations for gradient-based optimization on manifolds".
    Returns the module.

    >>> from minigrad.nn import Linear
    >>> W = orthogonal(Linear(3, 5)).weight
    >>> [[round(abs(x), 3) for x in row] for row in (W.T @ W).tolist()]
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor) or weight.ndim < 2:
        came = type(weight).__name__ if not isinstance(weight, Tensor) else f"shape {weight.shape}"
        raise ValueError(f"orthogonal(): {name!r} is of {came}, expected a matrix, or several")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    if orthogonal_map not in MAPS:
        raise ValueError(f"orthogonal(): orthogonal_map {orthogonal_map!r}, expected one of {list(MAPS)}")
    made = _Orthogonal(weight.shape, orthogonal_map, use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)


class _Orthogonal(Module):
    """W = B Q(X), with X at -I where Q(X) = I, and B where W starts; or W = Q(X)"""

    def __init__(self, shape: tuple[int, ...], orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        self.shape, self.orthogonal_map = shape, orthogonal_map
        self.use_trivialization = use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Tensor) -> Tensor:
        wide = X.shape[-2] < X.shape[-1]
        Q = MAPS[self.orthogonal_map](X.mT if wide else X)
        Q = self.base @ Q if self.use_trivialization else Q
        return Q.mT if wide else Q

    def right_inverse(self, Q: Tensor) -> Tensor:
        if Q.shape != self.shape:
            raise ShapeError(f"orthogonal(): a weight of shape {Q.shape}, expected {self.shape}")
        wide = Q.shape[-2] < Q.shape[-1]
        tall = Q.mT if wide else Q
        if self.use_trivialization:
            self.base = completed(tall)
            return zeros_like(Q) - eye(*Q.shape[-2:], dtype=Q.dtype, device=Q.device)
        if self.orthogonal_map != "householder":
            raise NotImplementedError(
                f"orthogonal(): with use_trivialization=False and orthogonal_map={self.orthogonal_map!r} the "
                'weight cannot be assigned; use "householder"'
            )
        X = reflectors(tall)
        return X.mT if wide else X
