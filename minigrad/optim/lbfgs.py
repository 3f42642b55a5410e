"""L-BFGS: Newton's step, with a curvature estimated from the last few gradients."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from minigrad.backend import Array, common_namespace, device_of, is_array, namespace, to_device, to_numpy
from minigrad.errors import ShapeError
from minigrad.modes import enable_grad
from minigrad.tensor import Tensor

from .line_search import Point, strong_wolfe
from .optimizer import Group, Optimizer, Params, copied


class LBFGS(Optimizer):
    """Up to `max_iter` quasi-Newton iterations at each step, on all parameters as one vector θ.

        s = θₖ - θₖ₋₁,  y = gₖ - gₖ₋₁                                          (1)  remembered if yᵀs > 10⁻¹⁰
        q = -gₖ;  for each pair from the newest:  a = sᵀq / yᵀs,  q ← q - a y  (2)
        q ← q · sᵀy / yᵀy of the newest pair                                   (3)
        for each pair from the oldest:  q ← q + (a - yᵀq / yᵀs) s              (4)
        θₖ₊₁ = θₖ + t q                                                        (5)

    with t = γ = lr, in the very first iteration t = γ min(1, 1 / ‖g‖₁), unless line_search_fn="strong_wolfe"
    finds a better t from there.  At most `history_size` pairs are kept and `max_eval` (1.25 max_iter if None)
    losses evaluated.  A step ends early when no element of the gradient is above `tolerance_grad`, or no
    element of θ moves, nor the loss changes, by more than `tolerance_change`.

    `step(closure)` needs the closure, which clears the gradients, computes the loss, calls backward and
    returns the loss; it is called again and again.  There is one group only, of parameters of one type.

    What to do next is decided by numbers, so on a GPU the host waits: once for each loss, and in an iteration
    twice, for whether to remember (1) and for the length and the slope of q; in the very first once.

    Reference: Nocedal and Wright 2006, "Numerical optimization", algorithms 7.4 for (2) to (4), with eq. 7.20
    for (3), and 7.5.

    >>> import minigrad as mg
    >>> x = mg.tensor([-1.0, 2.0], dtype=mg.float64, requires_grad=True)
    >>> optimizer = mg.optim.LBFGS([x], max_iter=40, line_search_fn="strong_wolfe")
    >>> def closure():  # Rosenbrock's valley, which ends at (1, 1)
    ...     optimizer.zero_grad()
    ...     loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> _ = optimizer.step(closure)
    >>> [round(value, 4) for value in x.tolist()]
    [1.0, 1.0]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)

    def add_param_group(self, param_group: Group) -> None:
        """The one group; ValueError for a second."""
        if self.param_groups:
            raise ValueError("LBFGS(): params — got a second group, expected one; put all parameters in it")
        super().add_param_group(param_group)

    def check_options(self, group: Group) -> None:
        """Beyond the ranges of all: counts, the name of the line search, one type of parameters."""
        super().check_options(group)
        for option in ("max_iter", "max_eval", "history_size"):
            self.expect(group[option] > 0, group, option, "a number > 0")
        known = (None, "strong_wolfe")
        self.expect(group["line_search_fn"] in known, group, "line_search_fn", f"one of {known}")
        types = sorted({param.dtype.name for param in group["params"]})
        self.expect(len(types) == 1, {"params": types}, "params", "parameters of one type")

    def take_step(self, closure: Callable[[], Any] | None) -> Any:
        """The iterations; the loss before the first."""
        if closure is None:
            raise TypeError("LBFGS.step(): closure — got None, expected a function that computes the loss")
        (group,) = self.param_groups
        problem = Problem(group["params"], closure, self._check_gradient)
        first, here = problem.evaluate(), problem.here
        state = self.state.setdefault(group["params"][0], {"func_evals": 0, "n_iter": 0})
        before = state["func_evals"]
        still = here.largest <= group["tolerance_grad"]
        for iteration in range(0 if still else group["max_iter"]):
            state["n_iter"] += 1
            g, loss = here.gradient, here.loss
            d = self._direction(state, g, group["history_size"])
            slope, reach, length = _read(g @ d, abs(d).max(), abs(d).sum(), beside=d)
            t = float(group["lr"]) * (min(1.0, 1.0 / length) if state["n_iter"] == 1 else 1.0)
            state.update(d=Tensor(d), t=t, prev_flat_grad=Tensor(g), prev_loss=loss)
            if slope > -group["tolerance_change"]:
                break
            if group["line_search_fn"]:
                left = group["max_eval"] - problem.evaluations
                start = here._replace(t=0.0, slope=slope)
                here = strong_wolfe(problem.along(d), start, t, reach, left, group["tolerance_change"])
                t = here.t
                problem.move(t, d)  # (5)
            else:
                problem.move(t, d)
                if iteration + 1 < group["max_iter"]:  # after the last, the next step will evaluate
                    problem.evaluate()
                    here = problem.here
            state["t"] = t
            if (
                problem.evaluations >= group["max_eval"]
                or here.largest <= group["tolerance_grad"]
                or abs(t) * reach <= group["tolerance_change"]
                or abs(here.loss - loss) < group["tolerance_change"]
            ):
                break
        state["func_evals"] = before + problem.evaluations
        return first

    @staticmethod
    def _direction(state: dict[str, Any], g: Array, history_size: int) -> Array:
        """(1) to (4): minus the gradient, times the inverse of the estimated curvature."""
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
            return -g
        y, s = g - state["prev_flat_grad"].array, state["d"].array * state["t"]  # (1)
        curvature, square = _read(y @ s, y @ y, beside=y)
        if curvature > 1e-10:
            state["old_dirs"].append(Tensor(y))
            state["old_stps"].append(Tensor(s))
            state["ro"].append(1.0 / curvature)
            for name in ("old_dirs", "old_stps", "ro"):
                del state[name][:-history_size]
            state["H_diag"] = curvature / square
        pairs = [
            (y.array, s.array, inverse)
            for y, s, inverse in zip(state["old_dirs"], state["old_stps"], state["ro"], strict=True)
        ]
        q, shares = -g, []
        for y, s, inverse in reversed(pairs):
            shares.append((s @ q) * inverse)
            q -= shares[-1] * y  # (2)
        q *= state["H_diag"]  # (3)
        for (y, s, inverse), share in zip(pairs, reversed(shares), strict=True):
            q += (share - (y @ q) * inverse) * s  # (4)
        return q

    def load_entry(self, param: Tensor, entry: Mapping[str, Any], group: Group, place: str) -> dict[str, Any]:
        """A copy of the state; PyTorch's "al" is left out, which only holds what (2) computes anew."""
        size = sum(param.numel() for param in group["params"])
        loaded: dict[str, Any] = {}
        for name, value in entry.items():
            here = f"{place}[{name!r}]"
            if name in ("func_evals", "n_iter"):
                loaded[name] = int(value)
            elif name in ("t", "H_diag", "prev_loss"):
                loaded[name] = float(value)
            elif name == "ro":
                loaded[name] = [float(number) for number in value]
            elif name in ("old_dirs", "old_stps"):
                loaded[name] = [
                    _vector(vector, param, size, f"{here}[{i}]") for i, vector in enumerate(value)
                ]
            elif name in ("d", "prev_flat_grad"):
                loaded[name] = _vector(value, param, size, here)
        return loaded


class Problem:
    """The loss as a function of all parameters, laid end to end."""

    def __init__(
        self, params: list[Tensor], closure: Callable[[], Any], check: Callable[[Tensor], None]
    ) -> None:
        self.params, self.closure, self.check, self.evaluations = params, closure, check, 0
        self.here = Point(0.0, math.nan, None, math.nan, math.nan)  # as the last evaluation found it

    def evaluate(self, t: float = 0.0, d: Array = None) -> Any:
        """Call the closure: the loss it returns; `here` says what it is at the distance t along d, if any."""
        self.evaluations += 1
        with enable_grad():
            loss = self.closure()
        parts = []
        for param in self.params:
            self.check(param)
            xp = namespace(param.array)
            parts.append((xp.zeros_like(param.array) if param.grad is None else param.grad.array).reshape(-1))
        g = common_namespace("LBFGS.step", parts).concatenate(parts)
        value = loss.detach().reshape(()).array if isinstance(loss, Tensor) else float(loss)
        slope = math.nan if d is None else g @ d
        value, slope, largest = _read(value, slope, abs(g).max(), beside=g)
        self.here = Point(t, value, g, slope, largest)
        return loss

    def move(self, t: float, d: Array) -> None:
        """θ ← θ + t d"""
        start = 0
        for param in self.params:
            part = d[start : start + param.numel()].reshape(param.shape)
            param.bump_version()
            param.array[...] += t * part
            start += param.numel()

    def along(self, d: Array) -> Callable[[float], Point]:
        """The loss at a distance from here along d; the parameters are put back."""

        def probe(t: float) -> Point:
            held = [param.array.copy() for param in self.params]
            self.move(t, d)
            try:
                self.evaluate(t, d)
            finally:
                for param, values in zip(self.params, held, strict=True):
                    param.bump_version()
                    param.array[...] = values
            return self.here

        return probe


def _read(*values: Any, beside: Array) -> list[float]:
    """Numbers, most of them on the device of `beside`, as Python's: the host waits once for all."""
    xp, place = namespace(beside), device_of(beside)
    arrays = [to_device(value, place) if is_array(value) else xp.asarray(value) for value in values]
    return to_numpy(xp.stack(arrays)).tolist()


def _vector(value: Any, param: Tensor, size: int, place: str) -> Tensor:
    """A copy of a vector of the state, which has an element for each of all parameters."""
    vector = copied(value, param, place)
    if vector.shape != (size,):
        raise ShapeError(f"{place}: got shape {vector.shape}, expected ({size},)")
    return vector
