"""Muon: the momentum of a weight matrix, made orthogonal before it is taken for a step."""

import math
from typing import Any

from minigrad.backend import Array, namespace
from minigrad.errors import ShapeError
from minigrad.tensor import Tensor

from .optimizer import Group, Optimizer, Params


class Muon(Optimizer):
    """A step of the same size in every direction of the matrix, for the weights of hidden layers.

        B ← μ B + (1 - μ) g                                                    (1)
        M = (1 - μ) g + μ B under `nesterov`, otherwise B                      (2)
        X = M / max(‖M‖, ε);  ns_steps times  X ← a X + (b A + c A²) X,  A = X Xᵀ   (3)
        θ ← (1 - γ λ) θ - γ s X                                                (4)

    with γ = lr, λ = weight_decay, μ = momentum, (a, b, c) = ns_coefficients, ε = eps.  (3), the iteration of
    Newton and Schulz, brings all singular values of M near 1; a matrix with more rows than columns is
    transposed for it.  `adjust_lr_fn` names s: "original" (or None) √max(1, rows / columns), or
    "match_rms_adamw" 0.2 √max(rows, columns), with which AdamW's rate and decay may be kept.

    References: Jordan, Jin, Boza, You, Cesista, Newhouse and Bernstein 2024, "Muon: an optimizer for hidden
    layers in neural networks", where Muon and NewtonSchulz5 are defined; Liu et al. 2025, "Muon is scalable
    for LLM training", eq. 4 (match_rms_adamw).

    Raises ShapeError for a parameter that is no matrix; give vectors and embeddings to AdamW.  PyTorch
    computes (3) in bfloat16, which NumPy has not; here it is in the type of the parameter.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)

    def check_options(self, group: Group) -> None:
        """Beyond the ranges of all: matrices only, three coefficients, a sensible count of iterations."""
        super().check_options(group)
        for param in group["params"]:
            if param.ndim != 2:
                raise ShapeError(
                    f"Muon(): params — got a parameter of shape {param.shape}, expected matrices; give "
                    "others to AdamW"
                )
        self.expect(len(group["ns_coefficients"]) == 3, group, "ns_coefficients", "three numbers")
        self.expect(0 <= group["ns_steps"] < 100, group, "ns_steps", "a number from 0 to 99")
        known = (None, "original", "match_rms_adamw")
        self.expect(group["adjust_lr_fn"] in known, group, "adjust_lr_fn", f"one of {known}")

    def shapes(self, param: Tensor, group: Group) -> dict[str, tuple[int, ...]]:
        """The momentum B."""
        return {"momentum_buffer": param.shape}

    def update_group(self, index: int, group: Group) -> None:
        """Move each matrix that has a gradient."""
        lr, momentum = float(group["lr"]), group["momentum"]
        for param in group["params"]:
            if param.grad is None or not param.numel():
                continue
            p, g, xp = param.array, param.grad.array, namespace(param.array)
            if param not in self.state:
                self.state[param] = {"momentum_buffer": Tensor(xp.zeros(p.shape, p.dtype))}
            b = self.state[param]["momentum_buffer"].array
            b += (1.0 - momentum) * (g - b)  # (1)
            m = g + momentum * (b - g) if group["nesterov"] else b  # (2)
            x = orthogonalised(xp, m, group["ns_coefficients"], group["ns_steps"], group["eps"])  # (3)
            param.bump_version()
            p *= 1.0 - lr * group["weight_decay"]
            p -= x * (lr * scale(p.shape, group["adjust_lr_fn"]))  # (4)


def orthogonalised(
    xp: Any, m: Array, coefficients: tuple[float, float, float], steps: int, eps: float
) -> Array:
    """A matrix with the singular vectors of m and singular values near 1: (3)."""
    a, b, c = coefficients
    x = m.T if m.shape[0] > m.shape[1] else m
    x = x / xp.maximum(xp.sqrt(xp.sum(xp.square(m))), eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if m.shape[0] > m.shape[1] else x


def scale(shape: tuple[int, ...], kind: str | None) -> float:
    """s of (4): so that the step has the same root mean square for every shape."""
    rows, columns = shape
    if kind == "match_rms_adamw":
        return 0.2 * math.sqrt(max(rows, columns))
    return math.sqrt(max(1.0, rows / columns))
