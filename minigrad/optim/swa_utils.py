"""Averages of weights: over the steps of a run, as it goes on, or over checkpoints, afterwards."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from itertools import chain
from typing import Any, TypeAlias

from minigrad.creation import tensor
from minigrad.errors import DTypeError, ShapeError
from minigrad.modes import no_grad
from minigrad.nn.batch_norm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from minigrad.nn.module import Module
from minigrad.tensor import Tensor

from .lr_scheduler import SWALR

__all__ = [
    "SWALR",
    "AveragedModel",
    "average_checkpoints",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

AverageOne: TypeAlias = Callable[[Tensor, Tensor, int], Tensor]
AverageMany: TypeAlias = Callable[[list[Tensor], list[Tensor], int], None]


def get_ema_avg_fn(decay: float = 0.999) -> AverageOne:
    """(a, θ, n) ↦ d a + (1 - d) θ, with d = decay: an average that forgets, for `avg_fn`."""
    _check_decay(decay)
    return lambda averaged, current, _: averaged * decay + current * (1 - decay)


def get_swa_avg_fn() -> AverageOne:
    """(a, θ, n) ↦ a + (θ - a) / (n + 1): the mean of all models so far, for `avg_fn`."""
    return lambda averaged, current, n: averaged + (current - averaged) / (n + 1)


def get_ema_multi_avg_fn(decay: float = 0.999) -> AverageMany:
    """a ← d a + (1 - d) θ in place, with d = decay, of lists of tensors, for `multi_avg_fn`."""
    _check_decay(decay)
    return lambda averaged, current, _: _approach(averaged, current, 1 - decay)


def get_swa_multi_avg_fn() -> AverageMany:
    """a ← a + (θ - a) / (n + 1) in place, of lists of tensors, for `multi_avg_fn`."""
    return lambda averaged, current, n: _approach(averaged, current, 1 / (n + 1))


class AveragedModel(Module):
    """A copy of a model, `module`, whose parameters are an average of those the model has had.

    The first `update_parameters(model)` takes the parameters over, each later one averages: by `avg_fn`,
    tensor by tensor, or by `multi_avg_fn`, lists of tensors in place; the mean if neither is given.
    `n_averaged`, a buffer, counts the updates.  With `use_buffers` the buffers are averaged, too; without,
    they are those of the model at the last update (see `update_bn`).

    References: Polyak and Juditsky 1992, "Acceleration of stochastic approximation by averaging", section 2;
    Izmailov, Podoprikhin, Garipov, Vetrov and Wilson 2018, "Averaging weights leads to wider optima and
    better generalization", algorithm 1.

    >>> import minigrad as mg
    >>> from minigrad.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
    >>> model = mg.nn.Linear(1, 1, bias=False)
    >>> averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.75))
    >>> for weight in (0.0, 4.0, 4.0):
    ...     _ = mg.nn.init.constant_(model.weight, weight)
    ...     averaged.update_parameters(model)
    >>> averaged.module.weight.item()
    1.75
    """

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: AverageOne | None = None,
        multi_avg_fn: AverageMany | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError(
                "AveragedModel(): got both avg_fn and multi_avg_fn, expected one of them at most"
            )
        self.module = deepcopy(model)
        if device is not None:
            self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, device=device))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The output of the averaged model."""
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model: Module) -> None:
        """Let the parameters of `model`, which has the structure of `module`, count in the average."""
        ours, theirs = (self._averaged_parts(of) for of in (self.module, model))
        if [part.shape for part in ours] != [part.shape for part in theirs]:
            raise ShapeError(
                f"AveragedModel.update_parameters(): got a model of {len(theirs)} tensors, expected "
                f"{len(ours)}, each of the shape of its average; pass the model that was averaged"
            )
        count = int(self.n_averaged)
        if count == 0:
            _take_over(ours, theirs)
        elif self.avg_fn is not None:
            for averaged, current in zip(ours, theirs, strict=True):
                averaged.copy_(self.avg_fn(averaged, current, count))
        else:
            average = self.multi_avg_fn or get_swa_multi_avg_fn()
            for dtype in dict.fromkeys(part.dtype for part in ours):
                pairs = [pair for pair in zip(ours, theirs, strict=True) if pair[0].dtype == dtype]
                average([averaged for averaged, _ in pairs], [current for _, current in pairs], count)
        if not self.use_buffers:
            _take_over(list(self.module.buffers()), list(model.buffers()))
        self.n_averaged.add_(1)

    def _averaged_parts(self, model: Module) -> list[Tensor]:
        """The tensors that are averaged, outside the graph."""
        buffers: Iterable[Tensor] = model.buffers() if self.use_buffers else ()
        return [part.detach() for part in chain(model.parameters(), buffers)]


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of all batch norms anew: the mean over the batches of `loader`.

    After averaging the weights they are those of another model.  A batch that is a list or tuple has the
    input first.  `model` is called in training mode, and is then as it was; without batch norms nothing is
    done.
    """
    kinds = (BatchNorm1d, BatchNorm2d, BatchNorm3d)
    momenta = {module: module.momentum for module in model.modules() if isinstance(module, kinds)}
    if not momenta:
        return
    modes = [(module, module.training) for module in model.modules()]
    model.train()
    for norm in momenta:
        norm.reset_running_stats()
        norm.momentum = None  # the mean of all batches, each as important as the others
    try:
        for batch in loader:
            x = batch[0] if isinstance(batch, list | tuple) else batch
            model(x if device is None else x.to(device))
    finally:
        for norm, momentum in momenta.items():
            norm.momentum = momentum
        for module, training in modes:
            module.training = training


def average_checkpoints(state_dicts: Iterable[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of several state_dicts, tensor by tensor; of what is not floating point, the last one's.

    Means are taken in float64 and rounded once.  ValueError if there is none, or if the names differ;
    ShapeError and DTypeError if tensors of one name do.

    Reference: Vaswani et al. 2017, "Attention is all you need", section 6.1 (the last 5 or 20 checkpoints).

    >>> import minigrad as mg
    >>> from minigrad.optim.swa_utils import average_checkpoints
    >>> average_checkpoints([{"w": mg.tensor([1.0, 2.0])}, {"w": mg.tensor([3.0, 2.0])}])
    {'w': tensor([2., 2.])}
    """
    states = list(state_dicts)
    if not states:
        raise ValueError("average_checkpoints(): state_dicts — got none, expected at least one")
    first = states[0]
    for position, state in enumerate(states):
        if state.keys() != first.keys():
            odd = sorted(state.keys() ^ first.keys())
            raise ValueError(
                f"average_checkpoints(): state_dicts[{position}] — {odd[0]!r} is in this one or in the "
                "first, but not in both; average states of one model"
            )
    return {name: _mean(name, [state[name] for state in states]) for name in first}


def _mean(name: str, tensors: Sequence[Tensor]) -> Tensor:
    """The mean of tensors of one name."""
    first, last = tensors[0], tensors[-1]
    for position, one in enumerate(tensors):
        place = f"average_checkpoints(): state_dicts[{position}][{name!r}]"
        if one.shape != first.shape:
            raise ShapeError(f"{place}: got shape {one.shape}, expected {first.shape}")
        if one.dtype != first.dtype:
            raise DTypeError(f"{place}: got {one.dtype}, expected {first.dtype}")
    if not first.is_floating_point():
        return Tensor(last.array.copy())
    total = first.array.astype("float64")
    for other in tensors[1:]:
        total += other.array
    return Tensor((total / len(tensors)).astype(first.dtype))


def _approach(averaged: list[Tensor], current: list[Tensor], share: float) -> None:
    """a ← a + share (θ - a), in place."""
    for ours, theirs in zip(averaged, current, strict=True):
        if ours.is_floating_point():
            ours.add_((theirs - ours).mul_(share))
        else:
            ours.copy_(ours + (theirs - ours) * share)


def _take_over(ours: list[Tensor], theirs: list[Tensor]) -> None:
    """Copy values."""
    for mine, other in zip(ours, theirs, strict=True):
        mine.detach().copy_(other.detach())


def _check_decay(decay: float) -> None:
    if not 0 <= decay <= 1:
        raise ValueError(f"get_ema_avg_fn(): decay — got {decay!r}, expected 0 <= decay <= 1")
